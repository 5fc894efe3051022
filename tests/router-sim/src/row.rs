//! One simple queue: what can be set on it, what it counts, and how `print` shows it.

use std::net::IpAddr;

use crate::{
    pair::{BitsPerSec, Direction, Pair, read_rates},
    ports,
    refusal::Refusal,
    shaper::{Counters, Packets},
};

/// Names and values of one reply sentence, in the order in which they are sent.
pub type Fields = Vec<(&'static str, String)>;

/// What a queue counts in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub served: Packets,
    pub dropped: Packets,
    pub queued: Packets,
    /// Over the last whole second.
    pub rate: BitsPerSec,
}

impl Stats {
    pub fn count(&mut self, moved: Counters, queued: Packets) {
        self.served.0 = self.served.0.saturating_add(moved.served.0);
        self.dropped.0 = self.dropped.0.saturating_add(moved.dropped.0);
        self.queued = queued;
    }
}

/// Burst values are stored and read back; the simulated shaper knows no burst.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Printed `*` and hexadecimal; never used twice.
    pub id: u32,
    pub name: String,
    pub max_limit: Pair<BitsPerSec>,
    pub limit_at: Pair<BitsPerSec>,
    pub disabled: bool,
    pub stats: Pair<Stats>,
    target: String,
    packet_marks: String,
    priority: Pair<u8>,
    queue: Pair<String>,
    burst_limit: Pair<BitsPerSec>,
    burst_threshold: Pair<BitsPerSec>,
    burst_time_s: Pair<u32>,
    comment: String,
}

impl Row {
    /// With RouterOS's defaults.
    pub fn new(id: u32) -> Self {
        let kind = || DEFAULT_QUEUE.to_owned();
        Self {
            id,
            name: format!("queue{id}"),
            max_limit: Pair::default(),
            limit_at: Pair::default(),
            disabled: false,
            stats: Pair::default(),
            target: String::new(),
            packet_marks: String::new(),
            priority: Pair { up: 8, down: 8 },
            queue: Pair { up: kind(), down: kind() },
            burst_limit: Pair::default(),
            burst_threshold: Pair::default(),
            burst_time_s: Pair::default(),
            comment: String::new(),
        }
    }

    /// Takes one argument of `add` or `set`. A refused argument changes nothing.
    pub fn assign(&mut self, argument: &str, value: &str) -> Result<(), Refusal> {
        let bad = || Refusal::BadValue(argument.to_owned());
        let rates = || read_rates(value).map_err(|_| bad());
        match argument {
            "name" if value.is_empty() => return Err(bad()),
            "name" => self.name = value.to_owned(),
            "target" => self.target = read_target(value).ok_or_else(bad)?,
            "parent" if value == "none" => {}
            "parent" => return Err(Refusal::NoMatch("parent")),
            "packet-marks" => self.packet_marks = value.to_owned(),
            "comment" => self.comment = value.to_owned(),
            "disabled" => self.disabled = read_bool(value).ok_or_else(bad)?,
            "max-limit" => self.max_limit = rates()?,
            "limit-at" => self.limit_at = rates()?,
            "burst-limit" => self.burst_limit = rates()?,
            "burst-threshold" => self.burst_threshold = rates()?,
            "burst-time" => self.burst_time_s = Pair::read(value, read_seconds).ok_or_else(bad)?,
            "priority" => self.priority = Pair::read(value, read_priority).ok_or_else(bad)?,
            "queue" => self.queue = Pair::read(value, read_kind).ok_or(Refusal::NoMatch("queue"))?,
            _ => return Err(Refusal::UnknownParameter(argument.to_owned())),
        }
        Ok(())
    }

    /// What must hold between arguments.
    pub fn validate(&self) -> Result<(), Refusal> {
        for direction in Direction::BOTH {
            let (limit, max) = (*self.limit_at.get(direction), *self.max_limit.get(direction));
            if max > BitsPerSec(0) && limit > max {
                return Err(Refusal::MaxBelowLimit(direction));
            }
        }
        Ok(())
    }

    /// What is in force: zero, which means unlimited, while disabled.
    pub fn in_force(&self) -> Pair<BitsPerSec> {
        if self.disabled { Pair::default() } else { self.max_limit }
    }

    fn shown(&self, value: impl Fn(&Stats) -> u64) -> String {
        Pair::of(|direction| value(self.stats.get(direction))).to_string()
    }

    /// The row as `print` sends it. The `total-*` are zero on a queue without a total limit.
    pub fn fields(&self) -> Fields {
        let burst_time = Pair::of(|direction| format!("{}s", self.burst_time_s.get(direction)));
        let zero = || "0".to_owned();
        let mut fields: Fields = vec![
            (".id", format!("*{:X}", self.id)),
            ("name", self.name.clone()),
            ("target", self.target.clone()),
            ("parent", "none".to_owned()),
            ("packet-marks", self.packet_marks.clone()),
            ("priority", self.priority.to_string()),
            ("queue", self.queue.to_string()),
            ("limit-at", self.limit_at.to_string()),
            ("max-limit", self.max_limit.to_string()),
            ("burst-limit", self.burst_limit.to_string()),
            ("burst-threshold", self.burst_threshold.to_string()),
            ("burst-time", burst_time.to_string()),
            ("bytes", self.shown(|stats| stats.served.bytes())),
            ("total-bytes", zero()),
            ("packets", self.shown(|stats| stats.served.0)),
            ("total-packets", zero()),
            ("dropped", self.shown(|stats| stats.dropped.0)),
            ("total-dropped", zero()),
            ("rate", self.shown(|stats| stats.rate.0)),
            ("total-rate", zero()),
            ("packet-rate", self.shown(|stats| stats.rate.0 / (Packets(1).bytes() * 8))),
            ("total-packet-rate", zero()),
            ("queued-packets", self.shown(|stats| stats.queued.0)),
            ("total-queued-packets", zero()),
            ("queued-bytes", self.shown(|stats| stats.queued.bytes())),
            ("total-queued-bytes", zero()),
            ("invalid", "false".to_owned()),
            ("dynamic", "false".to_owned()),
            ("disabled", self.disabled.to_string()),
        ];
        if !self.comment.is_empty() {
            fields.push(("comment", self.comment.clone()));
        }
        fields
    }
}

/// `yes`/`no` as people write it, `true`/`false` as the router prints it.
pub fn read_bool(text: &str) -> Option<bool> {
    match text {
        "yes" | "true" => Some(true),
        "no" | "false" => Some(false),
        _ => None,
    }
}

const DEFAULT_QUEUE: &str = "default-small";
/// What `/queue type print` lists on a new router.
const KINDS: [&str; 8] = [
    "default",
    "ethernet-default",
    "wireless-default",
    "synchronous-default",
    "hotspot-default",
    "pcq-upload-default",
    "pcq-download-default",
    DEFAULT_QUEUE,
];

fn read_kind(text: &str) -> Option<String> {
    KINDS.contains(&text).then(|| text.to_owned())
}

fn read_priority(text: &str) -> Option<u8> {
    text.parse().ok().filter(|priority| (1..=8).contains(priority))
}

fn read_seconds(text: &str) -> Option<u32> {
    text.strip_suffix('s').unwrap_or(text).parse().ok()
}

/// Addresses, prefixes and interface names with commas between; a bare address gets its full prefix length.
fn read_target(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some(String::new());
    }
    let read: Option<Vec<String>> = text.split(',').map(read_one_target).collect();
    read.map(|targets| targets.join(","))
}

fn read_one_target(text: &str) -> Option<String> {
    if [ports::WAN, ports::LAN].contains(&text) {
        return Some(text.to_owned());
    }
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let full: u8 = if address.is_ipv4() { 32 } else { 128 };
    let length: u8 = match length {
        Some(length) => length.parse().ok().filter(|length| *length <= full)?,
        None => full,
    };
    Some(format!("{address}/{length}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(row: &Row, field: &str) -> String {
        row.fields().into_iter().find(|(name, _)| *name == field).map(|(_, value)| value).unwrap()
    }

    #[test]
    fn what_is_written_with_suffixes_is_read_in_bits_per_second() {
        let mut row = Row::new(1);
        for (argument, written, read) in [
            ("max-limit", "10M/20M", "10000000/20000000"),
            ("limit-at", "5k/0", "5000/0"),
            ("burst-limit", "12M/24M", "12000000/24000000"),
            ("burst-threshold", "8M/16M", "8000000/16000000"),
            ("burst-time", "8s/16", "8s/16s"),
            ("priority", "1/8", "1/8"),
            ("queue", "pcq-upload-default/pcq-download-default", "pcq-upload-default/pcq-download-default"),
            ("target", "192.168.88.5,10.0.0.0/8,bridge-lan", "192.168.88.5/32,10.0.0.0/8,bridge-lan"),
            ("disabled", "yes", "true"),
        ] {
            row.assign(argument, written).unwrap();
            assert_eq!(shown(&row, argument), read, "{argument}");
        }
    }

    #[test]
    fn values_of_the_wrong_form_are_refused_in_the_routers_words() {
        let mut row = Row::new(1);
        let untouched = row.clone();
        for (argument, value, message) in [
            ("max-limit", "fast/slow", "invalid value for argument max-limit"),
            ("parent", "nobody", "input does not match any value of parent"),
            ("queue", "cake/cake", "input does not match any value of queue"),
            ("priority", "0/9", "invalid value for argument priority"),
            ("target", "192.168.88.0/33", "invalid value for argument target"),
            ("name", "", "invalid value for argument name"),
            ("colour", "red", "unknown parameter colour"),
        ] {
            assert_eq!(row.assign(argument, value).unwrap_err().to_string(), message);
        }
        assert_eq!(row, untouched);
    }

    #[test]
    fn a_guarantee_above_the_ceiling_is_refused_unless_the_ceiling_is_unlimited() {
        let mut row = Row::new(1);
        row.assign("limit-at", "5M/5M").unwrap();
        assert_eq!(row.validate(), Ok(()));
        row.assign("max-limit", "4M/6M").unwrap();
        assert_eq!(row.validate().unwrap_err().to_string(), "failure: upload-max-limit less than upload-limit");
        row.assign("max-limit", "6M/4M").unwrap();
        assert_eq!(row.validate().unwrap_err().to_string(), "failure: download-max-limit less than download-limit");
    }
}
