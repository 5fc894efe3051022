//! The demo's command line.

use std::path::PathBuf;

use clap::Parser;
use serde::Serialize;

/// Starts routers that share an uplink, their agents and a collector, and tells what happens.
///
/// Exits with 0 only if all went as it should, judged by the routers' own logs.
#[derive(Clone, Debug, Parser)]
#[command(name = "takar-demo")]
pub struct Args {
    /// The traffic's seed: the same seed asks for the same spread of demand.
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub seed: u64,
    /// How many sites share the uplink.
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(3..=24))]
    pub sites: u32,
    /// Demand that the equal split serves: nothing should be proposed.
    #[arg(long)]
    pub fair: bool,
    /// The collector never confirms: every change should be taken back.
    #[arg(long, conflicts_with = "fair")]
    pub withhold_confirm: bool,
    /// For programs: no closing hints.
    #[arg(long)]
    pub headless: bool,
    /// One JSON document on standard output instead of the story.
    #[arg(long)]
    pub json: bool,
    /// Keep everything that the parts wrote in this folder, new or empty.
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// The programs are built already.
    #[arg(long)]
    pub no_build: bool,
}

/// What should come of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// A third of the sites starve; bandwidth moves to them.
    Skewed,
    /// Nobody starves; nothing moves.
    Fair,
    /// As skewed, but no change is ever confirmed.
    Withheld,
}

impl Args {
    pub fn course(&self) -> Course {
        match (self.fair, self.withhold_confirm) {
            (true, _) => Course::Fair,
            (false, true) => Course::Withheld,
            (false, false) => Course::Skewed,
        }
    }

    /// As `router-sim` calls it.
    pub fn profile(&self) -> &'static str {
        if self.fair { "fair" } else { "skewed" }
    }
}

/// What in the collector's config differs from its defaults, so that minutes become seconds.
#[derive(Clone, Debug, Serialize)]
pub struct Thresholds {
    pub reading_length_s: u64,
    pub counter_step_ms: u64,
    pub keep_readings: u64,
    pub hold_down_s: u64,
    pub max_gain_per_mille: u64,
    pub confirm_within_s: u64,
    pub expires_in_s: u64,
    pub withhold_confirm: bool,
}

impl Thresholds {
    pub fn of(args: &Args) -> Self {
        Self {
            reading_length_s: 3,
            counter_step_ms: 0,
            keep_readings: 60,
            hold_down_s: 30,
            max_gain_per_mille: 1500,
            // A drill is over sooner when the device waits less long.
            confirm_within_s: if args.withhold_confirm { 6 } else { 10 },
            expires_in_s: 20,
            withhold_confirm: args.withhold_confirm,
        }
    }
}
