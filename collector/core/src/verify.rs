//! Step 2: is a shortage what it seems to be? Before anything moves, everything else that looks like one is ruled out:
//! counters that restarted, errors on the line, an interface that flaps or runs at half duplex, a device that is down, a
//! burst, and a queue that has no effect.
//!
//! A fault that re-allocation cannot mend rules the shortage out until a person looks; evidence that is missing or too
//! fresh makes it wait. What the device does not tell is unknown: it is said, and blocks nothing.

mod evidence;
mod settings;

use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};
use takar_shared::{
    BitsPerSec, Direction, UnixMillis,
    facts::{Duplex, InterfaceFacts, Switch},
};

use crate::{assess::Finding, window::Reading};

pub use evidence::Evidence;
pub use settings::VerifySettings;

/// What is known of the link that the finding is about.
pub struct Input<'a> {
    pub finding: &'a Finding,
    /// Of the link in that direction, oldest first.
    pub readings: &'a [Reading],
    pub device: DeviceSeen,
    /// `None`: nothing of the interface was heard, or the link is metered by its queues.
    pub interface: Option<InterfaceSeen<'a>>,
    /// The ceiling on record, and the one on the device; `Some(0)` there is unlimited or disabled.
    pub recorded: BitsPerSec,
    pub observed: Option<BitsPerSec>,
    pub now: UnixMillis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceSeen {
    pub online: bool,
    /// The last poll answered all that was asked.
    pub polled_ok: bool,
    pub heard_at: Option<UnixMillis>,
}

pub struct InterfaceSeen<'a> {
    pub at: UnixMillis,
    pub facts: &'a InterfaceFacts,
    /// Earlier, so that the growth of errors can be told.
    pub before: Option<(UnixMillis, &'a InterfaceFacts)>,
    /// When its status, speed or duplex changed.
    pub transitions: &'a [UnixMillis],
}

/// Kept for ever, as evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    pub at: UnixMillis,
    /// In the order of [`What::ALL`].
    pub checks: Vec<Check>,
    pub verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub what: What,
    pub outcome: Outcome,
    pub evidence: Evidence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    Continuity,
    LinkErrors,
    Flaps,
    Duplex,
    DeviceUp,
    Sustained,
    QueueEffect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Passed,
    Failed,
    /// The device does not say.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Confirmed,
    /// Something else explains it.
    RuledOut(What),
    /// What would prove it is missing, or too fresh.
    NotYet(What),
}

pub fn verify(input: &Input<'_>, settings: &VerifySettings) -> Verification {
    let checks: Vec<Check> = What::ALL.into_iter().map(|what| check(what, input, settings)).collect();
    let failed = |waits: bool| {
        let found = checks.iter().find(|check| check.outcome == Outcome::Failed && check.what.waits() == waits);
        found.map(|check| check.what)
    };
    // A fault is told before what is missing: somebody can do something about it.
    let verdict = match (failed(false), failed(true)) {
        (Some(what), _) => Verdict::RuledOut(what),
        (None, Some(what)) => Verdict::NotYet(what),
        (None, None) => Verdict::Confirmed,
    };
    Verification { at: input.now, checks, verdict }
}

fn check(what: What, input: &Input<'_>, settings: &VerifySettings) -> Check {
    let (outcome, evidence) = match what {
        What::Continuity => continuity(input, settings),
        What::LinkErrors => link_errors(input, settings),
        What::Flaps => flaps(input, settings),
        What::Duplex => duplex(input),
        What::DeviceUp => device_up(input, settings),
        What::Sustained => sustained(input, settings),
        What::QueueEffect => queue_effect(input, settings),
    };
    Check { what, outcome, evidence }
}

fn passed(holds: bool) -> Outcome {
    if holds { Outcome::Passed } else { Outcome::Failed }
}

/// Readings of the finding's own time.
fn of_finding<'a>(input: &'a Input<'_>) -> impl Iterator<Item = &'a Reading> {
    input.readings.iter().filter(|reading| reading.start >= input.finding.since)
}

fn continuity(input: &Input<'_>, settings: &VerifySettings) -> (Outcome, Evidence) {
    let all = of_finding(input).count();
    let broken = of_finding(input).filter(|reading| reading.broken).count();
    let usable = of_finding(input).filter(|reading| reading.valid && !reading.broken).count();
    (passed(usable >= settings.least_readings), Evidence::Continuity { readings: all, usable, broken })
}

fn link_errors(input: &Input<'_>, settings: &VerifySettings) -> (Outcome, Evidence) {
    let Some((seen, (then, before))) = input.interface.as_ref().and_then(|seen| Some((seen, seen.before?))) else {
        return (Outcome::Unknown, Evidence::Untold);
    };
    let (facts, over_ms) = (seen.facts, seen.at.since(then));
    // Of the direction that lacks something: from the uplink an interface takes in. Whoever hands over an earlier
    // reading knows that no counter fell since.
    let errors = match input.finding.direction {
        Direction::Down => u64::from(facts.in_errors.wrapping_sub(before.in_errors)),
        Direction::Up => u64::from(facts.out_errors.wrapping_sub(before.out_errors)),
    };
    // Packets are not counted: what was carried says how many there were, at an assumed size.
    let valid = input.readings.iter().filter(|reading| reading.valid && reading.end() > then);
    let (octets, covered_ms) = valid.fold((0u64, 0u64), |(octets, covered), reading| {
        (octets.saturating_add(reading.octets), covered.saturating_add(reading.covered_ms))
    });
    let carried = u128::from(octets) * u128::from(over_ms) / u128::from(covered_ms.max(1));
    let packets = u64::try_from(carried).unwrap_or(u64::MAX) / settings.packet_octets.max(1);
    let Some(per_million) = errors.saturating_mul(1_000_000).checked_div(packets) else {
        return (Outcome::Unknown, Evidence::Untold);
    };
    let holds = per_million <= settings.most_errors_per_million || errors < settings.least_errors;
    (passed(holds), Evidence::LinkErrors { errors, per_million, over_ms })
}

fn flaps(input: &Input<'_>, settings: &VerifySettings) -> (Outcome, Evidence) {
    let Some(seen) = &input.interface else { return (Outcome::Unknown, Evidence::Untold) };
    let since = UnixMillis(input.now.0.saturating_sub(settings.flap_window_ms));
    let heard = seen.transitions.iter().filter(|at| **at >= since).count();
    // What the device says of itself reaches back before Takar began to listen.
    let says = usize::from(seen.facts.unchanged_for_ms.is_some_and(|ms| ms < settings.flap_window_ms));
    let changes = heard.max(says);
    let evidence =
        Evidence::Flaps { changes, over_ms: settings.flap_window_ms, unchanged_for_ms: seen.facts.unchanged_for_ms };
    (passed(changes < settings.most_flaps), evidence)
}

fn duplex(input: &Input<'_>) -> (Outcome, Evidence) {
    let Some(seen) = &input.interface else { return (Outcome::Unknown, Evidence::Untold) };
    let (duplex, mbps) = (seen.facts.duplex, seen.facts.high_speed_mbps);
    let evidence = Evidence::Duplex { duplex, mbps };
    let speed = mbps.map(|mbps| BitsPerSec(u64::from(mbps).saturating_mul(1_000_000)));
    // A line slower than the ceiling is what holds the traffic, whatever the queue says.
    let too_slow = speed.is_some_and(|speed| speed < input.recorded);
    match (duplex, speed) {
        (Duplex::Half, _) => (Outcome::Failed, evidence),
        _ if too_slow => (Outcome::Failed, evidence),
        (Duplex::Unknown, None) => (Outcome::Unknown, evidence),
        _ => (Outcome::Passed, evidence),
    }
}

fn device_up(input: &Input<'_>, settings: &VerifySettings) -> (Outcome, Evidence) {
    let DeviceSeen { online, polled_ok, heard_at } = input.device;
    let silent_ms = heard_at.map(|at| input.now.since(at));
    let is_heard = silent_ms.is_some_and(|silent| silent <= settings.most_silent_ms);
    let oper = input.interface.as_ref().map_or(Switch::Unknown, |seen| seen.facts.oper);
    let holds = online && polled_ok && is_heard && !matches!(oper, Switch::Down | Switch::Other);
    (passed(holds), Evidence::DeviceUp { online, polled_ok, silent_ms, oper })
}

fn sustained(input: &Input<'_>, settings: &VerifySettings) -> (Outcome, Evidence) {
    // After a gap a reading may have what passed before it.
    let saturated = |reading: &&Reading| {
        let share = reading.utilisation_per_mille().filter(|_| !reading.gap_before);
        share.is_some_and(|share| share >= settings.saturated_per_mille)
    };
    let count = of_finding(input).filter(saturated).count();
    let first = of_finding(input).find(saturated).map(|reading| reading.start);
    let last = of_finding(input).filter(saturated).last().map(Reading::end);
    let over_ms = last.zip(first).map_or(0, |(last, first)| last.since(first));
    (passed(count >= settings.least_saturated), Evidence::Sustained { readings: count, over_ms })
}

fn queue_effect(input: &Input<'_>, settings: &VerifySettings) -> (Outcome, Evidence) {
    let newest = of_finding(input).filter(|reading| reading.valid && !reading.ceiling_changed && !reading.gap_before);
    let highest = newest.filter_map(Reading::utilisation_per_mille).max();
    let evidence = Evidence::QueueEffect {
        recorded: input.recorded,
        observed: input.observed,
        highest_per_mille: highest.unwrap_or_default(),
    };
    let held = highest.is_none_or(|share| share <= settings.most_above_per_mille);
    match input.observed {
        None if held => (Outcome::Unknown, evidence),
        None => (Outcome::Failed, evidence),
        Some(observed) => (passed(held && observed == input.recorded && observed > BitsPerSec::ZERO), evidence),
    }
}

impl What {
    pub const ALL: [Self; 7] = [
        Self::Continuity,
        Self::LinkErrors,
        Self::Flaps,
        Self::Duplex,
        Self::DeviceUp,
        Self::Sustained,
        Self::QueueEffect,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Continuity => "continuity",
            Self::LinkErrors => "link-errors",
            Self::Flaps => "flaps",
            Self::Duplex => "duplex",
            Self::DeviceUp => "device-up",
            Self::Sustained => "sustained",
            Self::QueueEffect => "queue-effect",
        }
    }

    /// It mends itself with time, where the others are faults.
    fn waits(self) -> bool {
        matches!(self, Self::Continuity | Self::DeviceUp | Self::Sustained)
    }
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Confirmed => f.write_str("the shortage is real"),
            Self::RuledOut(what) => write!(f, "{} explains it: more bandwidth would not help", what.as_str()),
            Self::NotYet(what) => write!(f, "{} is not proved yet", what.as_str()),
        }
    }
}
