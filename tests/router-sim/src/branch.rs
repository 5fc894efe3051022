//! One tree queue: what can be set on it, what it counts, and how `print` shows it.

use crate::{
    pair::{BitsPerSec, Direction},
    ports,
    refusal::Refusal,
    row::Fields,
    select::Item,
    stats::Stats,
    values::{DEFAULT_BUCKET, DEFAULT_QUEUE, read_bool, read_bucket, read_kind, read_priority, read_seconds},
};

/// Where a tree queue hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parent {
    /// Every packet that the router forwards, in both directions.
    Global,
    /// What leaves by this interface.
    Interface(&'static str),
    /// Another tree queue, by its number: it may be gone.
    Queue(u32),
}

impl Parent {
    /// The way of the packets that pass an interface outwards; `None` for both.
    pub fn direction(self) -> Option<Direction> {
        match self {
            Self::Interface(ports::WAN) => Some(Direction::Up),
            Self::Interface(_) => Some(Direction::Down),
            Self::Global | Self::Queue(_) => None,
        }
    }
}

/// Burst values are stored and read back; the simulated shaper knows no burst.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Printed `*` and hexadecimal; never used twice.
    pub id: u32,
    pub name: String,
    pub parent: Parent,
    pub packet_mark: String,
    pub max_limit: BitsPerSec,
    pub limit_at: BitsPerSec,
    pub disabled: bool,
    /// Of up and down together, which a queue under `global` may carry both.
    pub stats: Stats,
    burst_limit: BitsPerSec,
    burst_threshold: BitsPerSec,
    burst_time_s: u32,
    priority: u8,
    queue: String,
    bucket_size: String,
    comment: String,
}

impl Branch {
    /// With RouterOS's defaults (terraform-provider-routeros, resource_queue_tree.go).
    pub fn new(id: u32) -> Self {
        Self {
            id,
            name: format!("queue{}", id.wrapping_sub(FIRST_ID).wrapping_add(1)),
            parent: Parent::Global,
            packet_mark: String::new(),
            max_limit: BitsPerSec(0),
            limit_at: BitsPerSec(0),
            disabled: false,
            stats: Stats::default(),
            burst_limit: BitsPerSec(0),
            burst_threshold: BitsPerSec(0),
            burst_time_s: 0,
            priority: 8,
            queue: DEFAULT_QUEUE.to_owned(),
            bucket_size: DEFAULT_BUCKET.to_owned(),
            comment: String::new(),
        }
    }

    /// Takes one argument of `add` or `set`, but for `parent`, which the whole tree judges. A refused argument changes
    /// nothing.
    pub fn assign(&mut self, argument: &str, value: &str) -> Result<(), Refusal> {
        let bad = || Refusal::BadValue(argument.to_owned());
        let rate = || value.parse::<BitsPerSec>().map_err(|_| bad());
        match argument {
            "name" if value.is_empty() => return Err(bad()),
            "name" => self.name = value.to_owned(),
            "packet-mark" => self.packet_mark = value.to_owned(),
            "comment" => self.comment = value.to_owned(),
            "disabled" => self.disabled = read_bool(value).ok_or_else(bad)?,
            "max-limit" => self.max_limit = rate()?,
            "limit-at" => self.limit_at = rate()?,
            "burst-limit" => self.burst_limit = rate()?,
            "burst-threshold" => self.burst_threshold = rate()?,
            "burst-time" => self.burst_time_s = read_seconds(value).ok_or_else(bad)?,
            "bucket-size" => self.bucket_size = read_bucket(value).ok_or_else(bad)?,
            "priority" => self.priority = read_priority(value).ok_or_else(bad)?,
            "queue" => self.queue = read_kind(value).ok_or(Refusal::NoMatch("queue"))?,
            _ => return Err(Refusal::UnknownParameter(argument.to_owned())),
        }
        Ok(())
    }

    /// What must hold between arguments.
    pub fn validate(&self) -> Result<(), Refusal> {
        let above = self.max_limit > BitsPerSec(0) && self.limit_at > self.max_limit;
        if above { Err(Refusal::MaxBelowLimit("")) } else { Ok(()) }
    }

    /// The row as `print` sends it; unlike a simple queue it has no `dynamic` (terraform-provider-routeros, as above).
    pub fn fields(&self, parent: String, invalid: bool) -> Fields {
        let mut fields: Fields = vec![
            (".id", format!("*{:X}", self.id)),
            ("name", self.name.clone()),
            ("parent", parent),
            ("packet-mark", self.packet_mark.clone()),
            ("limit-at", self.limit_at.to_string()),
            ("queue", self.queue.clone()),
            ("priority", self.priority.to_string()),
            ("max-limit", self.max_limit.to_string()),
            ("burst-limit", self.burst_limit.to_string()),
            ("burst-threshold", self.burst_threshold.to_string()),
            ("burst-time", format!("{}s", self.burst_time_s)),
            ("bucket-size", self.bucket_size.clone()),
            ("bytes", self.stats.bytes().to_string()),
            ("packets", self.stats.packets().to_string()),
            ("dropped", self.stats.dropped.0.to_string()),
            ("rate", self.stats.rate.to_string()),
            ("packet-rate", self.stats.packet_rate().to_string()),
            ("queued-packets", self.stats.queued.0.to_string()),
            ("queued-bytes", self.stats.queued.bytes().to_string()),
            ("invalid", invalid.to_string()),
            ("disabled", self.disabled.to_string()),
        ];
        if !self.comment.is_empty() {
            fields.push(("comment", self.comment.clone()));
        }
        fields
    }
}

impl Item for Branch {
    fn id(&self) -> u32 {
        self.id
    }
    fn name(&self) -> &str {
        &self.name
    }
}

/// Tree queues are numbered from here (`*1000000` in terraform-provider-routeros, 16777216 in LibreNMS's recording of
/// an RB2011iL).
pub const FIRST_ID: u32 = 0x100_0000;

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(row: &Branch, field: &str) -> String {
        let fields = row.fields("global".to_owned(), false);
        fields.into_iter().find(|(name, _)| *name == field).map(|(_, value)| value).unwrap()
    }

    #[test]
    fn values_are_single_and_rates_are_printed_in_bits_per_second() {
        let mut row = Branch::new(FIRST_ID);
        for (argument, written, read) in [
            ("max-limit", "10M", "10000000"),
            ("limit-at", "5k", "5000"),
            ("burst-limit", "12M", "12000000"),
            ("burst-threshold", "8000000", "8000000"),
            ("burst-time", "8", "8s"),
            ("bucket-size", "0", "0"),
            ("priority", "1", "1"),
            ("queue", "pcq-download-default", "pcq-download-default"),
            ("packet-mark", "vip-down", "vip-down"),
            ("disabled", "yes", "true"),
        ] {
            row.assign(argument, written).unwrap();
            assert_eq!(shown(&row, argument), read, "{argument}");
        }
        assert_eq!((shown(&row, ".id"), shown(&row, "name")), ("*1000000".to_owned(), "queue1".to_owned()));
        assert!(row.fields(String::new(), false).iter().all(|(name, _)| *name != "dynamic"));
    }

    #[test]
    fn pairs_and_what_only_simple_queues_have_are_refused() {
        let mut row = Branch::new(FIRST_ID);
        let untouched = row.clone();
        for (argument, value, message) in [
            ("max-limit", "10M/10M", "invalid value for argument max-limit"),
            ("priority", "9", "invalid value for argument priority"),
            ("queue", "cake", "input does not match any value of queue"),
            ("target", "10.0.0.1", "unknown parameter target"),
            ("packet-marks", "a", "unknown parameter packet-marks"),
        ] {
            assert_eq!(row.assign(argument, value).unwrap_err().to_string(), message);
        }
        assert_eq!(row, untouched);
        row.assign("limit-at", "5M").unwrap();
        assert_eq!(row.validate(), Ok(()));
        row.assign("max-limit", "4M").unwrap();
        assert_eq!(row.validate(), Err(Refusal::MaxBelowLimit("")));
    }
}
