//! `cargo cross build`: the agent for other processors, static, stripped, the same bytes wherever it is built.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
};

use anyhow::Context as _;

use crate::{
    place::{Place, run},
    sections,
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
    command.env("RUSTC_BOOTSTRAP", "1");
    // Without the library's own backtraces, which need tables and a reader of debug information.
    command.args(["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"]);
    // Of ring. Nothing unwinds: a panic ends the program.
    command.env("CFLAGS", "-Os -fno-asynchronous-unwind-tables -fno-unwind-tables");
    command.env("CARGO_ENCODED_RUSTFLAGS", rustflags(place, target, &tools)?);
    run(&mut command)?;
    let made = place.build().join(&target.triple).join(PROFILE).join("takar-agent");
    let agent = fs::read(&made).with_context(|| made.display().to_string())?;
    let agent = sections::cut(agent).with_context(|| made.display().to_string())?;
    let folder = place.build().join("agents");
    fs::create_dir_all(&folder)?;
    let file = folder.join(format!("takar-agent-{}", target.name));
    fs::write(&file, &agent).with_context(|| file.display().to_string())?;
    fs::set_permissions(&file, Permissions::from_mode(0o755))?;
    Ok(Built { target: target.clone(), file, size: agent.len() as u64 })
}

/// Nothing of this machine gets into the program: paths are called by what they are.
pub fn remaps(place: &Place, std: Option<PathBuf>) -> impl Iterator<Item = String> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    // The last that fits counts, so the more particular come later.
    let mut named = vec![(place.workspace.clone(), "/takar"), (place.build(), "/takar/target")];
    named.extend(home.map(|home| (home, "/cargo")));
    named.extend(std.map(|std| (std, "/rust")));
    named.into_iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()))
}

/// As cargo takes them from its environment.
pub fn encoded(flags: impl Iterator<Item = String>) -> String {
    flags.collect::<Vec<_>>().join("\u{1f}")
}

fn rustflags(place: &Place, target: &Target, tools: &Tools) -> anyhow::Result<String> {
    // A panic ends the program at its instruction, without words: decision 16. And digests by a loop rather than
    // unrolled, which is 50 kB where the processor has no instruction for them.
    let always = [
        "-Zunstable-options",
        // What `{:?}` says of a value with fields is its name: 50 kB, most of it of libraries' error types.
        "-Zfmt-debug=shallow",
        "-Cpanic=immediate-abort",
        "-Cforce-unwind-tables=no",
        "-Clink-self-contained=no",
        "--cfg=sha2_backend_soft=\"compact\"",
    ];
    let always = always.map(str::to_owned).into_iter();
    let remaps = remaps(place, Some(tools.std_source()?));
    Ok(encoded(always.chain(target.rustflags.iter().cloned()).chain(remaps)))
}
