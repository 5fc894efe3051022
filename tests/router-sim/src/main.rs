//! `router-sim`: one simulated MikroTik router. Runs until it is killed; SIGTERM ends it by its default action.

use anyhow::Context as _;
use clap::Parser as _;
use router_sim::{Args, Running};

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let ready = args.ready.clone();
    let running = Running::start(args.into_config()?)?;
    if let Some(path) = ready {
        running.write_ready(&path).with_context(|| format!("cannot write ready file {}", path.display()))?;
    }
    running.tick_for_ever()
}
