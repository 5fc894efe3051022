//! `cargo cross build`: the agent for other processors, static, stripped, the same bytes wherever it is built.

use std::{fs, path::PathBuf};

use anyhow::Context as _;

use crate::{
    place::{Place, run},
    table::Target,
    tools::Tools,
};

/// In the workspace's Cargo.toml.
const PROFILE: &str = "router";

pub struct Built {
    pub target: Target,
    pub file: PathBuf,
    /// Octets.
    pub size: u64,
}

impl Built {
    pub fn is_within_budget(&self) -> bool {
        self.size <= self.target.budget
    }

    /// `mipsel  1975320 of 2200000 octets  target/cross/…`
    pub fn told(&self) -> String {
        let Target { name, budget, .. } = &self.target;
        let verdict = if self.is_within_budget() { "" } else { "  TOO LARGE" };
        format!("{name:<8} {:>8} of {budget} octets  {}{verdict}", self.size, self.file.display())
    }
}

pub fn build(place: &Place, target: &Target) -> anyhow::Result<Built> {
    let tools = Tools::ready(place, &target.triple)?;
    eprintln!("cross: {} ({}), by {}", target.name, target.triple, tools.told());
    let mut command = tools.cargo();
    command.current_dir(&place.workspace).args(["--locked", "--package", "takar-agent", "--bin", "takar-agent"]);
    command.args(["--profile", PROFILE, "--target", &target.triple]).env("CARGO_TARGET_DIR", place.build());
    if tools.builds_std() {
        command.env("RUSTC_BOOTSTRAP", "1").arg("-Zbuild-std=std,panic_abort");
    }
    command.env("CARGO_ENCODED_RUSTFLAGS", rustflags(place, target, &tools)?);
    run(&mut command)?;
    let file = place.build().join(&target.triple).join(PROFILE).join("takar-agent");
    let size = fs::metadata(&file).with_context(|| file.display().to_string())?.len();
    Ok(Built { target: target.clone(), file, size })
}

/// Nothing of this machine gets into the program: paths are called by what they are.
fn rustflags(place: &Place, target: &Target, tools: &Tools) -> anyhow::Result<String> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    // The last that fits counts, so the more particular come later.
    let mut named = vec![(place.workspace.clone(), "/takar"), (place.build(), "/takar/target")];
    named.extend(home.map(|home| (home, "/cargo")));
    named.extend(tools.std_source()?.map(|source| (source, "/rust")));
    let remaps = named.into_iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()));
    Ok(target.rustflags.iter().cloned().chain(remaps).collect::<Vec<_>>().join("\u{1f}"))
}
