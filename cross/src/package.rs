//! `cargo cross package`: what is installed on routers and on the collector's machine, with sums and a list of what is in it.

mod container;
mod contents;
mod debian;
mod openwrt;
mod tree;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use crate::{build::Built, collector, place::Place, table::Target};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Makes the packages of the agents that were built, and of the collector's programs where there is a folder of them.
pub fn package(place: &Place, built: &[Built], programs: Option<&Path>, folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let mut shelf = Shelf { folder: folder.to_owned(), sums: Vec::new() };
    if !built.is_empty() {
        let mut agents = Vec::new();
        for one in built {
            let agent = fs::read(&one.file).with_context(|| one.file.display().to_string())?;
            shelf.keep_agent(&one.target, &agent)?;
            agents.push((one.target.clone(), agent));
        }
        shelf.keep(format!("takar-agent-{VERSION}-openwrt-feed.tar.gz"), &openwrt::feed(VERSION, &agents)?)?;
        shelf.keep("takar-agent.cdx.json".into(), &contents::of(&place.workspace, "takar-agent", &["takar-agent"])?)?;
    }
    if let Some(programs) = programs {
        let architecture = own_architecture()?;
        let deb = debian::collector::deb(architecture, VERSION, programs)?;
        shelf.keep(format!("takar_{VERSION}-1_{architecture}.deb"), &deb)?;
        shelf.keep("takar.cdx.json".into(), &contents::of(&place.workspace, "takar", &collector::PROGRAMS)?)?;
    }
    shelf.finish()
}

/// Where packages are put, and what was.
struct Shelf {
    folder: PathBuf,
    /// Of a file's name and its digest.
    sums: Vec<(String, String)>,
}

impl Shelf {
    fn keep(&mut self, name: String, bytes: &[u8]) -> anyhow::Result<()> {
        fs::write(self.folder.join(&name), bytes).with_context(|| name.clone())?;
        self.sums.push((name, container::hex(bytes)));
        Ok(())
    }

    fn keep_agent(&mut self, target: &Target, agent: &[u8]) -> anyhow::Result<()> {
        self.keep(openwrt::program(VERSION, target), agent)?;
        for architecture in &target.openwrt {
            let ipk = openwrt::ipk(architecture, VERSION, agent)?;
            self.keep(format!("takar-agent_{VERSION}-1_{architecture}.ipk"), &ipk)?;
        }
        if let Some(architecture) = &target.debian {
            let deb = debian::agent::deb(architecture, VERSION, agent)?;
            self.keep(format!("takar-agent_{VERSION}-1_{architecture}.deb"), &deb)?;
        }
        if let Some(platform) = &target.routeros {
            let of = format!("{}{}", platform.architecture, platform.variant.as_deref().unwrap_or_default());
            let archive = container::archive(platform, VERSION, agent)?;
            self.keep(format!("takar-agent-{VERSION}-routeros-{of}.tar"), &archive)?;
        }
        Ok(())
    }

    fn finish(mut self) -> anyhow::Result<()> {
        self.sums.sort();
        let lines: String = self.sums.iter().map(|(name, sum)| format!("{sum}  {name}\n")).collect();
        fs::write(self.folder.join("SHA256SUMS"), lines).context("SHA256SUMS")
    }
}

/// This machine's, as `dpkg --print-architecture` says it.
fn own_architecture() -> anyhow::Result<&'static str> {
    match std::env::consts::ARCH {
        "x86_64" => Ok("amd64"),
        "aarch64" => Ok("arm64"),
        other => bail!("the collector is packed on x86_64 and aarch64, not on {other}"),
    }
}
