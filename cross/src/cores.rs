//! That the cores hide no clock, socket or file: they are built for a target without an operating system.

use crate::{
    place::{Place, run},
    tools::Tools,
};

const TARGET: &str = "thumbv7em-none-eabi";
const CORES: [&str; 3] = ["takar-shared", "takar-agent-core", "takar-collector-core"];

pub fn check(place: &Place) -> anyhow::Result<()> {
    let tools = Tools::ready(place, TARGET)?;
    eprintln!("cross: the cores for {TARGET}, by {}", tools.told());
    let mut command = tools.plain_cargo();
    command.current_dir(&place.workspace).env("CARGO_TARGET_DIR", place.build());
    command.args(["check", "--quiet", "--locked", "--target", TARGET]);
    command.env("RUSTC_BOOTSTRAP", "1").arg("-Zbuild-std=core,alloc");
    for core in CORES {
        command.args(["--package", core]);
    }
    run(&mut command)
}
