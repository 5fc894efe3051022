//! `cargo cross package --collector`: the collector's programs for this machine, by the installed toolchain.

use std::{path::PathBuf, process::Command};

use crate::{
    build::{encoded, remaps},
    place::{Place, cargo, run},
};

pub const PROGRAMS: [&str; 2] = ["takar", "takar-pdf"];

/// The folder with the programs.
pub fn build(place: &Place) -> anyhow::Result<PathBuf> {
    eprintln!("cross: {} for this machine", PROGRAMS.join(" and "));
    let mut command = Command::new(cargo());
    command.current_dir(&place.workspace).args(["build", "--locked", "--release"]);
    for program in PROGRAMS {
        // Packages are called as their programs are.
        command.args(["--package", program, "--bin", program]);
    }
    // Apart from what `cargo build` makes, which is compiled with other flags.
    command.env("CARGO_TARGET_DIR", place.build()).env("CARGO_ENCODED_RUSTFLAGS", encoded(remaps(place, None)));
    run(&mut command)?;
    Ok(place.build().join("release"))
}
