//! `takar-measure`: what Takar costs, measured with real programs, one room a figure. It asserts nothing: it says
//! what it found and how. What could not be measured is an error, never a zero.

mod args;
mod collectd;
mod cost;
mod latency;
mod machine;
mod member;
mod player;
mod poll;
mod ports;
mod queue;
mod report;
mod station;
mod store;
mod wire;

pub use cost::pss_kb;

use std::{fs, io::Write as _, os::unix::fs::MetadataExt as _, path::Path, process::ExitCode};

use anyhow::{Context as _, bail, ensure};
use clap::Parser as _;

use crate::netlab::lacking;
use args::{Args, Figure};
use machine::Machine;
use report::{Report, Row};

/// Measures in a folder of its own; `true` for a short trial.
type Room = fn(&Path, bool) -> anyhow::Result<Vec<Row>>;

/// Exit codes: 0 all was measured, 1 something was not, 2 wrong use.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version are no errors; where nobody reads them nothing is to be done.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match carry_out(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("takar-measure: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Progress; the result alone is on stdout.
fn tell(line: &str) {
    // Where nobody reads it nothing is to be done.
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn carry_out(args: &Args) -> anyhow::Result<()> {
    if !args.traffic_to.is_empty() {
        return ports::send(&args.traffic_to);
    }
    if let Some(times) = args.change_queue {
        return queue::change(times);
    }
    // The owner of /proc/self is the account that this runs under.
    ensure!(fs::metadata("/proc/self").context("/proc/self")?.uid() == 0, "makes network namespaces; run it as root");
    let missing = lacking(&["ip", "tc", "ethtool", "snmpd", "mosquitto", "mosquitto_sub", "getconf", "stat"]);
    ensure!(missing.is_empty(), "not installed: {}", missing.join(", "));
    let place = tempfile::tempdir().context("cannot make a folder to measure in")?;
    let mut report = Report::new(Machine::look(place.path())?, args.quick);
    let mut failed = Vec::new();
    for (name, room) in rooms(args) {
        tell(&format!("{name}: begins"));
        let folder = place.path().join(name);
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        match room(&folder, args.quick) {
            Ok(rows) => report.rows.extend(rows.into_iter().filter(|row| args.wants(row.figure))),
            Err(error) => {
                tell(&format!("{name}: could not be measured: {error:#}"));
                failed.push(name);
            }
        }
    }
    let text = if args.json { serde_json::to_string_pretty(&report)? } else { report.to_string() };
    writeln!(std::io::stdout(), "{}", text.trim_end()).context("stdout")?;
    if !failed.is_empty() {
        bail!("not measured: {}", failed.join(", "));
    }
    Ok(())
}

/// Memory is looked at where polls are measured: the same programs, at the end of the same span.
fn rooms(args: &Args) -> Vec<(&'static str, Room)> {
    let polls = args.wants(Figure::Poll) || args.wants(Figure::Memory);
    let all: [(bool, &str, Room); 5] = [
        (polls, "poll", poll::measure),
        (args.wants(Figure::Wire), "wire", wire::measure),
        (args.wants(Figure::Store), "store", store::measure),
        (args.wants(Figure::Latency), "latency", latency::measure),
        (args.wants(Figure::Queue), "queue", queue::measure),
    ];
    all.into_iter().filter(|(wanted, ..)| *wanted).map(|(_, name, room)| (name, room)).collect()
}
