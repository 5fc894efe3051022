//! What the routers' own logs say: how much of what was wanted was served, and what was ever in force. Nothing here
//! comes from the software under test.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use super::routers::QUEUE;

/// Unserved traffic is compared between this long before the first change …
const BEFORE_MS: u64 = 8_000;
/// … and this long at the end.
const AFTER_MS: u64 = 6_000;

/// One value each way, as the site sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PerDirection<T> {
    pub down: T,
    pub up: T,
}

impl<T: Copy> PerDirection<T> {
    pub fn named(&self) -> [(&'static str, T); 2] {
        [("down", self.down), ("up", self.up)]
    }
}

/// All routers' records of the queue that the traffic passes, in the order of their times.
#[derive(Debug, Default)]
pub struct Evidence {
    records: Vec<Record>,
}

/// Shares of what was offered that was not served, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Unserved {
    pub both: f64,
    pub by_direction: PerDirection<f64>,
}

impl Unserved {
    pub fn worst(&self) -> f64 {
        self.by_direction.down.max(self.by_direction.up)
    }
}

/// A line of a router's log: a second of one direction, or (with `set`) ceilings that came into force.
#[derive(Clone, Debug, Deserialize)]
struct Record {
    unix_ms: u64,
    router: String,
    queue: String,
    #[serde(default)]
    direction: String,
    #[serde(default)]
    offered_bytes: u64,
    #[serde(default)]
    served_bytes: u64,
    set: Option<Limits>,
}

/// bit/s; zero is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
struct Limits {
    up_bps: u64,
    down_bps: u64,
}

impl Evidence {
    pub fn read(logs: &[&Path]) -> anyhow::Result<Self> {
        let mut records = Vec::new();
        for log in logs {
            let text = fs::read_to_string(log).with_context(|| log.display().to_string())?;
            records.extend(records_of(&text).with_context(|| log.display().to_string())?);
        }
        Ok(Self::of(records))
    }

    fn of(mut records: Vec<Record>) -> Self {
        records.retain(|record| record.queue == QUEUE);
        records.sort_by_key(|record| record.unix_ms);
        Self { records }
    }

    /// Since when there was traffic, in ms of unix time.
    pub fn began_ms(&self) -> Option<u64> {
        self.records.first().map(|record| record.unix_ms)
    }

    /// When a ceiling was first changed, in ms of unix time.
    pub fn first_change_ms(&self) -> Option<u64> {
        let mut known = BTreeMap::new();
        self.sets().find_map(|(record, limits)| {
            let before = known.insert(&record.router, limits)?;
            (before != limits).then_some(record.unix_ms)
        })
    }

    /// Before the first change; without one, at the end. `None` where nothing was offered then.
    pub fn unserved_before(&self) -> Option<Unserved> {
        let until = self.first_change_ms().or_else(|| self.end_ms())?;
        self.unserved(until.saturating_sub(BEFORE_MS), until)
    }

    /// At the end. `None` where nothing was offered then.
    pub fn unserved_after(&self) -> Option<Unserved> {
        let end = self.end_ms()?;
        self.unserved(end.saturating_sub(AFTER_MS), end)
    }

    /// The largest sum of all routers' ceilings at any instant, in bit/s. An unlimited router may take the capacity.
    pub fn max_in_force(&self, capacity: PerDirection<u64>) -> PerDirection<u64> {
        let mut in_force = BTreeMap::new();
        let mut largest = PerDirection::<u64>::default();
        let counted = |bps: u64, capacity: u64| if bps == 0 { capacity } else { bps };
        for (record, limits) in self.sets() {
            in_force.insert(&record.router, limits);
            let sum = |of: fn(&Limits) -> u64, capacity| {
                in_force.values().fold(0_u64, |sum, limits| sum.saturating_add(counted(of(limits), capacity)))
            };
            largest.down = largest.down.max(sum(|limits| limits.down_bps, capacity.down));
            largest.up = largest.up.max(sum(|limits| limits.up_bps, capacity.up));
        }
        largest
    }

    /// Every router has the ceilings that it started with.
    pub fn is_as_it_began(&self) -> bool {
        let mut first_and_last = BTreeMap::new();
        for (record, limits) in self.sets() {
            first_and_last.entry(&record.router).or_insert((limits, limits)).1 = limits;
        }
        !first_and_last.is_empty() && first_and_last.values().all(|(first, last)| first == last)
    }

    fn sets(&self) -> impl Iterator<Item = (&Record, Limits)> {
        self.records.iter().filter_map(|record| Some((record, record.set?)))
    }

    fn seconds(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|record| record.set.is_none())
    }

    /// When the last second on record ended.
    fn end_ms(&self) -> Option<u64> {
        self.seconds().map(|record| record.unix_ms / 1000 * 1000 + 1000).max()
    }

    /// Over the seconds that lie in the span as a whole.
    fn unserved(&self, from_ms: u64, until_ms: u64) -> Option<Unserved> {
        let (mut down, mut up) = (Sum::default(), Sum::default());
        for record in self.seconds() {
            let ended_ms = record.unix_ms / 1000 * 1000 + 1000;
            if record.unix_ms < from_ms || ended_ms > until_ms {
                continue;
            }
            let sum = if record.direction == "down" { &mut down } else { &mut up };
            sum.offered += u128::from(record.offered_bytes);
            sum.served += u128::from(record.served_bytes);
        }
        let both = Sum { offered: down.offered + up.offered, served: down.served + up.served };
        let by_direction = PerDirection { down: down.unserved()?, up: up.unserved()? };
        Some(Unserved { both: both.unserved()?, by_direction })
    }
}

/// Octets.
#[derive(Default)]
struct Sum {
    offered: u128,
    served: u128,
}

impl Sum {
    /// What waited in the queue when the span began is served in it, so more may be served than offered.
    fn unserved(&self) -> Option<f64> {
        (self.offered > 0).then(|| (1.0 - self.served as f64 / self.offered as f64).max(0.0))
    }
}

fn records_of(text: &str) -> anyhow::Result<Vec<Record>> {
    let mut records = Vec::new();
    // What follows the last line's end is a line that is being written.
    let whole = text.rfind('\n').and_then(|end| text.get(..end)).unwrap_or_default();
    for (at, line) in whole.lines().enumerate() {
        match serde_json::from_str(line) {
            Ok(record) => records.push(record),
            Err(error) => bail!("line {}: {error}", at + 1),
        }
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPACITY: PerDirection<u64> = PerDirection { down: 100, up: 50 };

    fn set(unix_ms: u64, router: &str, down: u64, up: u64) -> String {
        format!(
            r#"{{"unix_ms":{unix_ms},"router":"{router}","queue":"site","set":{{"up_bps":{up},"down_bps":{down}}}}}"#
        ) + "\n"
    }

    fn second(unix_ms: u64, direction: &str, offered: u64, served: u64) -> String {
        format!(
            r#"{{"unix_ms":{unix_ms},"router":"a","queue":"site","direction":"{direction}","offered_bytes":{offered},"#
        ) + &format!(r#""served_bytes":{served},"dropped_bytes":0,"max_limit_bps":8}}"#)
            + "\n"
    }

    fn evidence(texts: &[String]) -> Evidence {
        Evidence::of(texts.iter().flat_map(|text| records_of(text).unwrap()).collect())
    }

    #[test]
    fn sums_are_merged_over_the_routers_in_the_order_of_time() {
        // Each router's own log is in order; only together do they show 120 at t = 3.
        let a = set(1, "a", 50, 20) + &set(4, "a", 40, 30);
        let b = set(1, "b", 50, 20) + &set(3, "b", 70, 20);
        let seen = evidence(&[a, b]);
        assert_eq!(seen.max_in_force(CAPACITY), PerDirection { down: 120, up: 50 });
        assert_eq!(seen.first_change_ms(), Some(3));
        assert!(!seen.is_as_it_began());
    }

    #[test]
    fn an_unlimited_router_counts_as_the_capacity_and_other_queues_not_at_all() {
        let other = set(2, "a", 900, 900).replace("\"site\"", "\"guests\"");
        let seen = evidence(&[set(1, "a", 30, 20) + &other, set(1, "b", 0, 20)]);
        assert_eq!(seen.max_in_force(CAPACITY), PerDirection { down: 130, up: 40 });
        assert_eq!(seen.first_change_ms(), None);
    }

    #[test]
    fn what_was_taken_back_is_as_it_began() {
        let seen = evidence(&[set(1, "a", 50, 20) + &set(2, "a", 40, 20) + &set(3, "a", 50, 20), set(1, "b", 50, 20)]);
        assert!(seen.is_as_it_began());
        assert_eq!(seen.first_change_ms(), Some(2));
        assert!(!Evidence::default().is_as_it_began(), "no record proves nothing");
    }

    #[test]
    fn unserved_is_taken_before_the_first_change_and_at_the_end() {
        let mut log = set(500, "a", 50, 20);
        for at in 1..=10 {
            log += &second(at * 1000, "down", 200, 100);
            log += &second(at * 1000, "up", 100, 100);
        }
        log += &set(11_500, "a", 70, 20);
        // The second of the change belongs to neither span.
        log += &second(11_000, "down", 1_000_000, 0);
        log += &second(11_000, "up", 1_000_000, 0);
        for at in 12..=20 {
            log += &second(at * 1000, "down", 200, 190);
            log += &second(at * 1000, "up", 100, 101);
        }
        let seen = evidence(&[log + "{\"unix_ms\":210"]);
        let before = seen.unserved_before().unwrap();
        assert!((before.both - 1.0 / 3.0).abs() < 1e-9, "{before:?}");
        assert_eq!(before.by_direction, PerDirection { down: 0.5, up: 0.0 });
        assert_eq!(before.worst(), 0.5);
        let after = seen.unserved_after().unwrap();
        assert!((after.worst() - 0.05).abs() < 1e-9 && after.by_direction.up == 0.0, "{after:?}");
    }

    #[test]
    fn without_traffic_nothing_is_said_and_a_broken_line_is_an_error() {
        let seen = evidence(&[set(1, "a", 50, 20)]);
        assert!(seen.unserved_before().is_none() && seen.unserved_after().is_none());
        assert!(records_of("{}\n").unwrap_err().to_string().contains("line 1"));
    }
}
