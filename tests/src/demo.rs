//! The demo: real programs, simulated routers, one story; judged by the routers' own logs.

mod agents;
mod args;
mod collector;
mod evidence;
mod outcome;
mod place;
mod routers;
mod story;
mod watch;

use std::{
    io::Write as _,
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use clap::Parser as _;
use serde_json::Value;

use crate::process::{binaries, wait_for};
use agents::Agents;
use args::{Args, Course, Thresholds};
use collector::Collector;
use evidence::Evidence;
use outcome::Outcome;
use place::Place;
use routers::{CAPACITY, Routers};
use story::{Seen, Tone, Voice, mbit, rows};

/// A router takes an unconfirmed change back within `confirm_within_s`; this is longer.
const TAKEN_BACK_WITHIN: Duration = Duration::from_secs(20);

/// A report is written within seconds of the last confirmation.
const REPORTED_WITHIN: Duration = Duration::from_secs(30);

/// Exit codes: 0 all is as it should be, 1 it is not, 2 wrong use.
pub fn main() -> ExitCode {
    // The alias ends in `--`, so `cargo demo --json` and `cargo demo -- --json` both do: the second one's is left over.
    let words = std::env::args_os().enumerate().filter(|(at, word)| *at != 1 || word != "--");
    let args = match Args::try_parse_from(words.map(|(_, word)| word)) {
        Ok(args) => args,
        Err(error) => {
            // Help and version are no errors; where nobody reads them nothing is to be done.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let voice = Voice { quiet: args.json };
    let outcome = play(&args, &voice).unwrap_or_else(|error| Outcome::broken(&args, format!("{error:#}")));
    let told = tell(&args, &outcome, &voice);
    if outcome.is_good() && told.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tell(args: &Args, outcome: &Outcome, voice: &Voice) -> anyhow::Result<()> {
    if args.json {
        let text = serde_json::to_string(outcome)?;
        writeln!(std::io::stdout(), "{text}")?;
        return Ok(());
    }
    outcome.tell(voice);
    if !args.headless {
        match &args.keep {
            Some(folder) => voice.say(Tone::Plain, &format!("Configs, logs and state are in {}.", folder.display())),
            None => voice.say(Tone::Plain, "Configs, logs and state are gone; --keep DIR keeps them."),
        }
    }
    Ok(())
}

fn play(args: &Args, voice: &Voice) -> anyhow::Result<Outcome> {
    if !args.no_build {
        build(voice)?;
    }
    let (place, binaries, thresholds) = (Place::open(args.keep.as_deref())?, binaries()?, Thresholds::of(args));
    // Locals are dropped last to first: agents end before the collector, the routers after it, the folder last.
    let traffic_since = Instant::now();
    let mut routers = Routers::start(args, &binaries, &place)?;
    introduce(args, &thresholds, &routers, voice)?;
    let mut collector = Collector::start(&thresholds, &binaries, &place)?;
    let mut agents = Agents::start(&routers, &collector, &binaries, &place)?;
    collector.import(&routers)?;
    voice.say(Tone::Plain, "The collector serves, every agent is let in and runs, the inventory is imported.");

    let (seen, problem) = watch::until_ended(args.course(), traffic_since, voice, || {
        routers.check()?;
        collector.check()?;
        agents.check()?;
        Seen::look(&collector)
    })?;
    let reasons = if seen.proposals.is_empty() {
        voice.say(Tone::Plain, "Nothing was proposed. takar propose --dry-run says why:");
        rows(&collector.ask(&["propose", "--dry-run"])?, "reasons").to_vec()
    } else {
        Vec::new()
    };
    let case = match args.course() {
        Course::Skewed if problem.is_none() => reported(&collector),
        _ => None,
    };
    let audit_verified = collector.audit_holds()?;
    if args.course() == Course::Withheld && problem.is_none() {
        taken_back(&mut collector, &routers, voice)?;
    }
    let evidence = Evidence::read(&routers.logs())?;
    let mut outcome = Outcome::of(args, seen, reasons, &evidence, audit_verified);
    if args.course() == Course::Skewed {
        outcome.reported(case.as_ref());
    }
    outcome.problems.extend(problem);
    Ok(outcome)
}

/// The first case whose report is written, once there is one. The verdict is the outcome's.
fn reported(collector: &Collector) -> Option<Value> {
    wait_for("a report", REPORTED_WITHIN, || {
        let cases = collector.list(&["cases"])?;
        let with_report = cases.iter().filter(|case| case["report"].is_string());
        let Some(id) = with_report.filter_map(|case| case["id"].as_u64()).min() else { return Ok(None) };
        collector.ask(&["case", &id.to_string()]).map(Some)
    })
    .ok()
}

/// Without a collector nothing new is sent, and what a router has not confirmed it takes back by itself.
fn taken_back(collector: &mut Collector, routers: &Routers, voice: &Voice) -> anyhow::Result<()> {
    voice.say(Tone::Plain, "The collector is stopped; what is not confirmed has to go back without it.");
    collector.end();
    let back = wait_for("the routers to be as they began", TAKEN_BACK_WITHIN, || {
        Ok(Evidence::read(&routers.logs())?.is_as_it_began().then_some(()))
    });
    match back {
        Ok(()) => voice.say(Tone::Good, "Every router has the ceilings it began with."),
        // The verdict is the outcome's.
        Err(error) => voice.say(Tone::Bad, &format!("{error:#}")),
    }
    Ok(())
}

/// The workspace, whatever folder the demo is started in.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");

/// Standard error is inherited, so that cargo shows its progress and its errors; standard output is the demo's.
fn build(voice: &Voice) -> anyhow::Result<()> {
    voice.say(Tone::Plain, "Building the programs (the first time takes minutes) …");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // All that is built by default: as `cargo demo` itself was built, so that no library is built twice.
    command.args(["build", "--quiet", "--bins", "--manifest-path", WORKSPACE]);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    let status = status.with_context(|| format!("cannot start {command:?}"))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}

fn introduce(args: &Args, thresholds: &Thresholds, routers: &Routers, voice: &Voice) -> anyhow::Result<()> {
    let (down, up) = (mbit(CAPACITY.down), mbit(CAPACITY.up));
    let (each_down, each_up) = (mbit(routers.ceiling.down), mbit(routers.ceiling.up));
    let (sites, profile, seed) = (args.sites, args.profile(), args.seed);
    voice.say(Tone::Plain, &format!("{sites} sites share an uplink of {down} down and {up} up."));
    voice.say(
        Tone::Plain,
        &format!("Each begins with an equal part, {each_down} and {each_up}; demand is {profile}, seed {seed}."),
    );
    let set = serde_json::to_value(thresholds)?;
    let set: Vec<_> = set.as_object().into_iter().flatten().map(|(key, value)| format!("{key} {value}")).collect();
    voice.say(Tone::Plain, &format!("The collector's thresholds are set for seconds: {}.", set.join(", ")));
    Ok(())
}
