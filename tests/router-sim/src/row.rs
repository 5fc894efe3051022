//! One simple queue: what can be set on it, what it counts, and how `print` shows it.

use crate::{
    pair::{BitsPerSec, Direction, Pair, read_rates},
    refusal::Refusal,
    stats::Stats,
    target::{Subscriber, Target, read_targets},
    values::{DEFAULT_BUCKET, DEFAULT_QUEUE, read_bool, read_bucket, read_kind, read_priority, read_seconds},
};

/// Names and values of one reply sentence, in the order in which they are sent.
pub type Fields = Vec<(&'static str, String)>;

/// Burst values are stored and read back; the simulated shaper knows no burst.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Printed `*` and hexadecimal; never used twice.
    pub id: u32,
    pub name: String,
    pub max_limit: Pair<BitsPerSec>,
    pub limit_at: Pair<BitsPerSec>,
    /// Of both directions together; zero is unlimited.
    pub total_max_limit: BitsPerSec,
    pub disabled: bool,
    /// Made by a service of the router (PPP, DHCP, hotspot): it can be read, not changed.
    pub dynamic: bool,
    pub invalid: bool,
    pub stats: Pair<Stats>,
    pub targets: Vec<Target>,
    packet_marks: String,
    priority: Pair<u8>,
    queue: Pair<String>,
    burst_limit: Pair<BitsPerSec>,
    burst_threshold: Pair<BitsPerSec>,
    burst_time_s: Pair<u32>,
    bucket_size: Pair<String>,
    total_limit_at: BitsPerSec,
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
            total_max_limit: BitsPerSec(0),
            disabled: false,
            dynamic: false,
            invalid: false,
            stats: Pair::default(),
            targets: Vec::new(),
            packet_marks: String::new(),
            priority: Pair { up: 8, down: 8 },
            queue: Pair { up: kind(), down: kind() },
            burst_limit: Pair::default(),
            burst_threshold: Pair::default(),
            burst_time_s: Pair::default(),
            bucket_size: Pair { up: DEFAULT_BUCKET.to_owned(), down: DEFAULT_BUCKET.to_owned() },
            total_limit_at: BitsPerSec(0),
            comment: String::new(),
        }
    }

    /// Takes one argument of `add` or `set`. A refused argument changes nothing.
    pub fn assign(&mut self, argument: &str, value: &str) -> Result<(), Refusal> {
        let bad = || Refusal::BadValue(argument.to_owned());
        let rates = || read_rates(value).map_err(|_| bad());
        let rate = || value.parse::<BitsPerSec>().map_err(|_| bad());
        match argument {
            "name" if value.is_empty() => return Err(bad()),
            "name" => self.name = value.to_owned(),
            "target" => self.targets = read_targets(value).ok_or_else(bad)?,
            "parent" if value == "none" => {}
            "parent" => return Err(Refusal::NoMatch("parent")),
            "packet-marks" => self.packet_marks = value.to_owned(),
            "comment" => self.comment = value.to_owned(),
            "disabled" => self.disabled = read_bool(value).ok_or_else(bad)?,
            "max-limit" => self.max_limit = rates()?,
            "limit-at" => self.limit_at = rates()?,
            "total-max-limit" => self.total_max_limit = rate()?,
            "total-limit-at" => self.total_limit_at = rate()?,
            "burst-limit" => self.burst_limit = rates()?,
            "burst-threshold" => self.burst_threshold = rates()?,
            "burst-time" => self.burst_time_s = Pair::read(value, read_seconds).ok_or_else(bad)?,
            "bucket-size" => self.bucket_size = Pair::read(value, read_bucket).ok_or_else(bad)?,
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
                return Err(Refusal::MaxBelowLimit(direction.prefix()));
            }
        }
        if self.total_max_limit > BitsPerSec(0) && self.total_limit_at > self.total_max_limit {
            return Err(Refusal::MaxBelowLimit("total-"));
        }
        Ok(())
    }

    /// Whether traffic can pass it at all.
    pub fn is_active(&self) -> bool {
        !self.disabled && !self.invalid
    }

    /// Whether it takes the subscriber's packets in this direction, if they come to it.
    pub fn takes(&self, subscriber: &Subscriber, direction: Direction) -> bool {
        self.is_active() && subscriber.is_among(&self.targets) && subscriber.is_marked(direction, &self.packet_marks)
    }

    /// What is in force: zero, which means unlimited, while nothing passes it.
    pub fn in_force(&self) -> Pair<BitsPerSec> {
        if self.is_active() { self.max_limit } else { Pair::default() }
    }

    pub fn target(&self) -> String {
        let targets: Vec<String> = self.targets.iter().map(Target::to_string).collect();
        targets.join(",")
    }

    /// A queue that nothing passes holds nothing and moves nothing; its totals stay.
    pub fn rest_if_idle(&mut self) {
        if !self.is_active() {
            self.stats.up.rest();
            self.stats.down.rest();
        }
    }

    fn shown(&self, value: impl Fn(&Stats) -> u64) -> String {
        Pair::of(|direction| value(self.stats.get(direction))).to_string()
    }

    /// One `total-` value: zero on a queue without a total limit, as on every recorded one.
    fn total(&self, value: impl Fn(&Stats) -> u64) -> String {
        let counts = self.total_max_limit > BitsPerSec(0);
        (if counts { value(&self.stats.up).saturating_add(value(&self.stats.down)) } else { 0 }).to_string()
    }

    /// The row as `print` sends it (recorded at RouterOS 6.4x, terraform-provider-routeros's resource_queue_simple.go
    /// for 7.x). The properties of a total limit are shown only where there is one.
    pub fn fields(&self) -> Fields {
        let burst_time = Pair::of(|direction| format!("{}s", self.burst_time_s.get(direction)));
        let mut fields: Fields = vec![
            (".id", format!("*{:X}", self.id)),
            ("name", self.name.clone()),
            ("target", self.target()),
            ("parent", "none".to_owned()),
            ("packet-marks", self.packet_marks.clone()),
            ("priority", self.priority.to_string()),
            ("queue", self.queue.to_string()),
            ("limit-at", self.limit_at.to_string()),
            ("max-limit", self.max_limit.to_string()),
            ("burst-limit", self.burst_limit.to_string()),
            ("burst-threshold", self.burst_threshold.to_string()),
            ("burst-time", burst_time.to_string()),
            ("bucket-size", self.bucket_size.to_string()),
        ];
        for (property, value) in [("total-limit-at", self.total_limit_at), ("total-max-limit", self.total_max_limit)] {
            fields.extend((value > BitsPerSec(0)).then(|| (property, value.to_string())));
        }
        fields.extend([
            ("bytes", self.shown(Stats::bytes)),
            ("total-bytes", self.total(Stats::bytes)),
            ("packets", self.shown(Stats::packets)),
            ("total-packets", self.total(Stats::packets)),
            ("dropped", self.shown(|stats| stats.dropped.0)),
            ("total-dropped", self.total(|stats| stats.dropped.0)),
            ("rate", self.shown(|stats| stats.rate.0)),
            ("total-rate", self.total(|stats| stats.rate.0)),
            ("packet-rate", self.shown(Stats::packet_rate)),
            ("total-packet-rate", self.total(Stats::packet_rate)),
            ("queued-packets", self.shown(|stats| stats.queued.0)),
            ("total-queued-packets", self.total(|stats| stats.queued.0)),
            ("queued-bytes", self.shown(|stats| stats.queued.bytes())),
            ("total-queued-bytes", self.total(|stats| stats.queued.bytes())),
            ("invalid", self.invalid.to_string()),
            ("dynamic", self.dynamic.to_string()),
            ("disabled", self.disabled.to_string()),
        ]);
        if !self.comment.is_empty() {
            fields.push(("comment", self.comment.clone()));
        }
        fields
    }
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
            ("bucket-size", "0.1/10", "0.1/10"),
            ("total-max-limit", "15M", "15000000"),
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
            ("total-max-limit", "1M/1M", "invalid value for argument total-max-limit"),
            ("dynamic", "yes", "unknown parameter dynamic"),
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

    #[test]
    fn totals_are_counted_only_under_a_total_limit() {
        let mut row = Row::new(1);
        let packets = crate::shaper::Packets(4);
        row.stats.up.count(crate::shaper::Counters { served: packets, ..Default::default() }, packets);
        assert_eq!((shown(&row, "packets"), shown(&row, "total-packets")), ("4/0".to_owned(), "0".to_owned()));
        assert!(row.fields().iter().all(|(name, _)| *name != "total-max-limit"));
        row.assign("total-max-limit", "1M").unwrap();
        assert_eq!(
            (shown(&row, "total-packets"), shown(&row, "total-queued-bytes")),
            ("4".to_owned(), "5000".to_owned())
        );
        row.assign("total-limit-at", "2M").unwrap();
        assert_eq!(row.validate().unwrap_err().to_string(), "failure: total-max-limit less than total-limit");
    }
}
