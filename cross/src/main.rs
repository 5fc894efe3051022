//! `cargo cross check`: proves that the cores hide no clock, socket or file, by building them for a
//! target without an operating system. Foreign binaries and packages come with later work.
//! Exit codes: 0 they build, 1 they do not, 2 wrong use, 3 not checked: the target is not installed.

use std::{
    path::Path,
    process::{Command, ExitCode},
};

const TARGET: &str = "thumbv7em-none-eabi";
const CORES: [&str; 3] = ["takar-shared", "takar-agent-core", "takar-collector-core"];

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() != Some("check") {
        eprintln!("usage: cargo cross check");
        return ExitCode::from(2);
    }
    if !is_installed() {
        eprintln!("cross: nothing was checked: {TARGET} is not installed; expected rustup target add {TARGET}");
        return ExitCode::from(3);
    }
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["check", "--target", TARGET]);
    for core in CORES {
        command.args(["-p", core]);
    }
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cross: cargo cannot be started: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Does the compiler have a core library for the target?
fn is_installed() -> bool {
    let asked = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    asked.is_ok_and(|told| Path::new(String::from_utf8_lossy(&told.stdout).trim()).is_dir())
}
