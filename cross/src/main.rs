//! `cargo cross`: the agent for the processors of routers, by `targets.toml`, and packages of it and of the collector.
//! Needs Debian or Ubuntu on x86-64, python3 with venv, and the network the first time.
//!
//! Exit codes: 0 done, 1 it does not build or a gate does not hold, 2 wrong use.

mod build;
mod collector;
mod cores;
mod package;
mod place;
mod sections;
mod table;
mod tools;

use std::{path::PathBuf, process::ExitCode};

use build::Built;
use clap::{Parser, Subcommand};
use place::Place;
use table::Target;

#[derive(Parser)]
#[command(
    name = "cargo cross",
    about = "Builds the agent for the processors of routers.",
    disable_help_subcommand = true
)]
struct Cross {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Show what can be built, and for which devices.
    List {
        #[arg(long)]
        json: bool,
    },
    /// Build the agent.
    Build(Chosen),
    /// Build, and pack it for OpenWrt, Debian and RouterOS's containers, with sums and a list of what is in it.
    Package(Packed),
    /// Build, and hold it against the gates: sizes, and cores that know of no operating system.
    Check(Chosen),
}

#[derive(clap::Args)]
struct Chosen {
    /// By name, as `cargo cross list` shows them.
    #[arg(value_name = "TARGET")]
    names: Vec<String>,
    #[arg(long, conflicts_with = "names")]
    all: bool,
}

#[derive(clap::Args)]
struct Packed {
    #[command(flatten)]
    agents: Chosen,
    /// The collector too, for this machine: takar and takar-pdf, in one package for Debian.
    #[arg(long)]
    collector: bool,
    /// Pack the collector's programs that are in this folder, in place of building them.
    #[arg(long, value_name = "DIR", requires = "collector")]
    programs: Option<PathBuf>,
    /// The folder of the packages; cross/packages in cargo's target folder unless given.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Cross::parse().what) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cross: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(what: &What) -> anyhow::Result<bool> {
    let place = Place::find()?;
    match what {
        What::List { json: true } => {
            println!("{}", serde_json::to_string(&table::all()?)?);
            Ok(true)
        }
        What::List { json: false } => {
            for Target { name, triple, qemu, devices, .. } in table::all()? {
                println!("{name:<8} {triple:<32} {qemu:<20} {devices}");
            }
            Ok(true)
        }
        What::Build(chosen) => build_all(&place, chosen).map(|_| true),
        What::Package(packed) => {
            pack(&place, packed)?;
            Ok(true)
        }
        What::Check(chosen) => {
            let built = build_all(&place, chosen)?;
            cores::check(&place)?;
            Ok(built.iter().all(Built::is_within_budget))
        }
    }
}

fn pack(place: &Place, packed: &Packed) -> anyhow::Result<()> {
    let Packed { agents, collector, programs, out } = packed;
    let only_collector = *collector && agents.names.is_empty() && !agents.all;
    let built = if only_collector { Vec::new() } else { build_all(place, agents)? };
    let programs = match programs {
        Some(folder) => Some(folder.clone()),
        None if *collector => Some(collector::build(place)?),
        None => None,
    };
    let folder = out.clone().unwrap_or_else(|| place.build().join("packages"));
    package::package(place, &built, programs.as_deref(), &folder)?;
    println!("packages and SHA256SUMS are in {}", folder.display());
    Ok(())
}

fn build_all(place: &Place, chosen: &Chosen) -> anyhow::Result<Vec<Built>> {
    let mut built = Vec::new();
    for target in table::chosen(&chosen.names, chosen.all)? {
        built.push(build::build(place, &target)?);
    }
    for one in &built {
        println!("{}", one.told());
    }
    Ok(built)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn reads(words: &[&str]) -> bool {
        Cross::try_parse_from(["cargo cross", "package"].iter().chain(words)).is_ok()
    }

    #[test]
    fn the_collector_is_packed_alone_or_beside_agents() {
        Cross::command().debug_assert();
        for words in [&["--collector"][..], &["--collector", "--all"], &["mips", "--collector", "--programs", "x"]] {
            assert!(reads(words), "{words:?}");
        }
        for words in [&["--programs", "x"][..], &["mips", "--all"], &["mips", "--programs", "x"]] {
            assert!(!reads(words), "{words:?}");
        }
    }
}
