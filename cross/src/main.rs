//! `cargo cross`: the agent for the processors of routers, by `targets.toml`. Needs Debian or Ubuntu on x86-64, python3
//! with venv, and the network the first time.
//!
//! Exit codes: 0 done, 1 it does not build or a gate does not hold, 2 wrong use.

mod build;
mod cores;
mod package;
mod place;
mod sections;
mod table;
mod tools;

use std::process::ExitCode;

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
    Package(Chosen),
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
        What::Package(chosen) => {
            let folder = package::package(&place, &build_all(&place, chosen)?)?;
            println!("packages and SHA256SUMS are in {}", folder.display());
            Ok(true)
        }
        What::Check(chosen) => {
            let built = build_all(&place, chosen)?;
            cores::check(&place)?;
            Ok(built.iter().all(Built::is_within_budget))
        }
    }
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
