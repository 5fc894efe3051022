//! That the cores hide no clock, socket or file: they are built for a target without an operating system.

use std::process::Command;

use crate::{
    place::{Place, run},
    tools::{Std, Tools},
};

const TARGET: &str = "thumbv7em-none-eabi";
const CORES: [&str; 3] = ["takar-shared", "takar-agent-core", "takar-collector-core"];

pub fn check(place: &Place) -> anyhow::Result<()> {
    let tools = Tools::ready(place, TARGET)?;
    eprintln!("cross: the cores for {TARGET}, by {}", tools.told());
    let mut command = match &tools.std {
        Std::Debian(root) => {
            let mut command = Command::new(root.join("usr/bin/cargo"));
            command.env("LD_LIBRARY_PATH", root.join("usr/lib/x86_64-linux-gnu"));
            command.env("RUSTC", root.join("usr/bin/rustc"));
            command.env_remove("RUSTUP_TOOLCHAIN");
            command
        }
        Std::Own => Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())),
    };
    command.current_dir(&place.workspace).env("CARGO_TARGET_DIR", place.build());
    command.args(["check", "--quiet", "--locked", "--target", TARGET]);
    command.env("RUSTC_BOOTSTRAP", "1").arg("-Zbuild-std=core,alloc");
    for core in CORES {
        command.args(["--package", core]);
    }
    run(&mut command)
}
