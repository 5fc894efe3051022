//! What it was measured on: a figure without it says little.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, ensure};
use serde::Serialize;

use crate::process::binaries;

#[derive(Debug, Serialize)]
pub struct Machine {
    pub version: &'static str,
    /// The folder that the programs come from, as cargo calls it: `release`.
    pub profile: String,
    pub kernel: String,
    pub cpu: String,
    pub cores: usize,
    /// Of the folder that the database and the journals are in.
    pub file_system: String,
    /// Over a minute, before anything began: of an idle machine near 0.
    pub load: String,
}

impl Machine {
    pub fn look(place: &Path) -> anyhow::Result<Self> {
        let folder = binaries()?;
        for program in ["takar", "takar-agent"] {
            let path = folder.join(program);
            ensure!(path.is_file(), "{} is not built; expected it beside this program", path.display());
        }
        let profile = folder.file_name().context("this program has no folder")?.to_string_lossy().into_owned();
        let cpus = read("/proc/cpuinfo")?;
        let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
        // Not every architecture names its model there.
        let cpu = model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned());
        Ok(Self {
            version: env!("CARGO_PKG_VERSION"),
            profile,
            kernel: read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            cpu,
            cores: std::thread::available_parallelism().context("cores of this machine")?.get(),
            file_system: file_system(place)?,
            load: read("/proc/loadavg")?.split(' ').next().unwrap_or_default().to_owned(),
        })
    }

    pub fn is_release(&self) -> bool {
        self.profile == "release"
    }
}

fn read(path: &str) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| path.to_owned())
}

fn file_system(place: &Path) -> anyhow::Result<String> {
    let output = Command::new("stat").args(["-f", "-c", "%T"]).arg(place).output().context("stat")?;
    ensure!(output.status.success(), "stat -f {}: {}", place.display(), String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
