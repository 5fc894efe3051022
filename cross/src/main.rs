//! `cargo cross check`: proves that the cores hide no clock, socket or file, by building them for a
//! target without an operating system. Foreign binaries and packages come with later work.

use std::process::{Command, ExitCode};

const TARGET: &str = "thumbv7em-none-eabi";
const CORES: [&str; 3] = ["takar-shared", "takar-agent-core", "takar-collector-core"];

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() != Some("check") {
        eprintln!("usage: cargo cross check");
        return ExitCode::from(2);
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
