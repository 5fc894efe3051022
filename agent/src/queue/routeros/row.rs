//! One queue as `/queue/simple/print` or `/queue/tree/print` gives it.
//!
//! Where a simple queue has a value in each direction RouterOS writes `upload/download`, seen from the queue's target,
//! which is the subscriber: the first half is [`Direction::Up`], the second [`Direction::Down`]. The API prints
//! rates in bit/s; a suffix `k`, `M` or `G` (powers of 1000), as the console takes and exports it, is read too.

use std::fmt;

use takar_shared::{BitsPerSec, Direction, queue::QueueReading};

use super::codec::Sentence;
use crate::queue::{Observed, QueueCounters, QueueError, ShaperKey};

/// The properties a [`QueueRow`] is read from, for `.proplist`.
pub const PROPERTIES: &str =
    ".id,name,disabled,invalid,dynamic,limit-at,max-limit,burst-limit,bytes,dropped,queued-bytes";

/// Which of RouterOS's two tables a queue is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Both directions of a target, in one queue.
    Simple,
    /// One direction, that of its parent: values are single, and both halves of a [`Pair`] are that one.
    Tree,
}

impl Table {
    pub const BOTH: [Self; 2] = [Self::Simple, Self::Tree];

    pub fn menu(self) -> &'static str {
        match self {
            Self::Simple => "/queue/simple",
            Self::Tree => "/queue/tree",
        }
    }

    /// In the router's words for this table.
    pub fn words(self, pair: Pair) -> String {
        match self {
            Self::Simple => pair.to_string(),
            Self::Tree => pair.up.to_string(),
        }
    }

    pub fn read(self, text: &str) -> Option<Pair> {
        match self {
            Self::Simple => Pair::parse(text),
            Self::Tree => number(text).map(|both| Pair { up: both, down: both }),
        }
    }

    pub fn set(self, pair: &mut Pair, direction: Direction, value: u64) {
        match (self, direction) {
            (Self::Simple, Direction::Up) => pair.up = value,
            (Self::Simple, Direction::Down) => pair.down = value,
            (Self::Tree, _) => *pair = Pair { up: value, down: value },
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Simple => "simple",
            Self::Tree => "tree",
        })
    }
}

/// `upload/download` as plain numbers; the property says whether they are bit/s, bytes or packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    pub up: u64,
    pub down: u64,
}

impl Pair {
    /// `None` for anything but two numbers, and for one that does not fit.
    pub fn parse(text: &str) -> Option<Self> {
        let (up, down) = text.split_once('/')?;
        Some(Self { up: number(up)?, down: number(down)? })
    }

    pub fn get(self, direction: Direction) -> u64 {
        match direction {
            Direction::Up => self.up,
            Direction::Down => self.down,
        }
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.up, self.down)
    }
}

/// A printed queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueRow {
    pub table: Table,
    /// RouterOS's own id, `*` and hexadecimal digits. Only good for as long as the queue exists.
    pub id: String,
    /// Made by another service (PPP, hotspot, DHCP) and not settable.
    pub dynamic: bool,
    /// Shapes nothing: disabled by a person, or invalid because something it names is gone.
    pub disabled: bool,
    /// bit/s.
    pub limit_at: Pair,
    /// bit/s, zero for unlimited.
    pub max_limit: Pair,
    /// bit/s, zero for no burst.
    pub burst_limit: Pair,
    /// Bytes that passed.
    pub bytes: Pair,
    /// Packets dropped.
    pub dropped: Pair,
    /// Bytes waiting.
    pub queued_bytes: Pair,
}

impl QueueRow {
    /// [`QueueError::Garbage`] names the property that is missing or not understood. The statistics may be absent
    /// (older versions, disabled queues) and are zero then; rates must be there, for an unread rate is no zero.
    pub fn parse(table: Table, row: &Sentence) -> Result<Self, QueueError> {
        let pair = |property| pair(table, row, property);
        let rate = |property| pair(property)?.ok_or_else(|| garbage(property, "nothing"));
        Ok(Self {
            table,
            id: id(row)?,
            dynamic: flag(row, "dynamic")?,
            disabled: flag(row, "disabled")? || flag(row, "invalid")?,
            limit_at: rate("limit-at")?,
            max_limit: rate("max-limit")?,
            burst_limit: rate("burst-limit")?,
            bytes: pair("bytes")?.unwrap_or_default(),
            dropped: pair("dropped")?.unwrap_or_default(),
            queued_bytes: pair("queued-bytes")?.unwrap_or_default(),
        })
    }

    /// This queue as one entry of the allow-list sees it.
    pub fn observed(&self, key: &ShaperKey) -> Observed {
        let ShaperKey { shaper, direction } = key.clone();
        Observed {
            reading: QueueReading {
                shaper,
                direction,
                cir: Some(BitsPerSec(self.limit_at.get(direction))),
                mir: BitsPerSec(self.max_limit.get(direction)),
                burst: BitsPerSec(self.burst_limit.get(direction)),
                disabled: self.disabled,
            },
            counters: QueueCounters {
                bytes: self.bytes.get(direction),
                drops: self.dropped.get(direction),
                overlimits: 0,
                backlog: self.queued_bytes.get(direction),
            },
        }
    }
}

fn id(row: &Sentence) -> Result<String, QueueError> {
    let id = text(row, ".id")?.ok_or_else(|| garbage(".id", "nothing"))?;
    let digits = id.strip_prefix('*').unwrap_or_default();
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(garbage(".id", id));
    }
    Ok(id.to_owned())
}

fn pair(table: Table, row: &Sentence, property: &str) -> Result<Option<Pair>, QueueError> {
    let Some(text) = text(row, property)? else { return Ok(None) };
    table.read(text).map(Some).ok_or_else(|| garbage(property, text))
}

/// RouterOS 6 and 7 print `true`/`false`, older versions `yes`/`no`; some leave a false one out.
fn flag(row: &Sentence, property: &str) -> Result<bool, QueueError> {
    match text(row, property)? {
        Some("true" | "yes") => Ok(true),
        None | Some("false" | "no") => Ok(false),
        Some(other) => Err(garbage(property, other)),
    }
}

fn text<'a>(row: &'a Sentence, property: &str) -> Result<Option<&'a str>, QueueError> {
    row.attribute(property)
        .map(|value| std::str::from_utf8(value).map_err(|_| garbage(property, "bytes that are no text")))
        .transpose()
}

/// Digits and at most one suffix. No sign, fraction or blank: RouterOS prints none.
fn number(text: &str) -> Option<u64> {
    let (digits, scale) = match text.char_indices().next_back()? {
        (at, 'k' | 'K') => (text.get(..at)?, 1_000),
        (at, 'M') => (text.get(..at)?, 1_000_000),
        (at, 'G') => (text.get(..at)?, 1_000_000_000),
        _ => (text, 1),
    };
    // `parse` would take a leading plus sign.
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(scale)
}

fn garbage(property: &str, found: &str) -> QueueError {
    let found: String = found.chars().take(64).collect();
    QueueError::Garbage { what: format!("queue with {property} {found:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::routeros::codec::{Decoder, encode};
    use proptest::prelude::*;
    use takar_shared::{id::name, queue::Shaper};

    fn sentence(words: &[&str]) -> Sentence {
        let mut decoder = Decoder::default();
        decoder.feed(&encode(words).unwrap());
        decoder.next_sentence().unwrap().unwrap()
    }

    const PRINTED: [&str; 12] = [
        "!re",
        "=.id=*1F",
        "=name=site-j",
        "=limit-at=64000/0",
        "=max-limit=512000/20000000",
        "=burst-limit=0/25000000",
        "=bytes=18446744073709551615/272603902153",
        "=dropped=3/355",
        "=queued-bytes=0/15000",
        "=invalid=false",
        "=dynamic=false",
        "=disabled=false",
    ];

    fn with(property: &str, value: Option<&str>) -> Result<QueueRow, QueueError> {
        let start = format!("={property}=");
        let word = value.map(|value| format!("{start}{value}"));
        let mut words: Vec<&str> = PRINTED.into_iter().filter(|word| !word.starts_with(&start)).collect();
        words.extend(word.as_deref());
        QueueRow::parse(Table::Simple, &sentence(&words))
    }

    #[test]
    fn pairs_as_routers_and_people_write_them() {
        for (text, up, down) in [
            ("0/0", 0, 0),
            ("512k/1M", 512_000, 1_000_000),
            ("20M/20M", 20_000_000, 20_000_000),
            ("64k/64k", 64_000, 64_000),
            ("128000/10M", 128_000, 10_000_000),
            ("256K/1G", 256_000, 1_000_000_000),
            ("18446744073709551615/1", u64::MAX, 1),
        ] {
            assert_eq!(Pair::parse(text), Some(Pair { up, down }), "{text}");
        }
        let wrong = ",/,1,1/,/1,1/2/3,-1/1,+1/1,1.5M/1,1 /1,k/1,1m/1,1kk/1,M,1/\u{ff11},unlimited/1";
        for text in wrong.split(',').chain(["18446744073709551616/1", "18446744073709551615k/1"]) {
            assert_eq!(Pair::parse(text), None, "{text}");
        }
    }

    #[test]
    fn upload_is_up_and_download_is_down() {
        let row = with("comment", None).unwrap();
        let shaper = Shaper::Queue(name("site-j").unwrap());
        let down = row.observed(&ShaperKey { shaper: shaper.clone(), direction: Direction::Down });
        let reading = QueueReading {
            shaper: shaper.clone(),
            direction: Direction::Down,
            cir: Some(BitsPerSec(0)),
            mir: BitsPerSec(20_000_000),
            burst: BitsPerSec(25_000_000),
            disabled: false,
        };
        assert_eq!(down.reading, reading);
        let counters = QueueCounters { bytes: 272_603_902_153, drops: 355, overlimits: 0, backlog: 15_000 };
        assert_eq!(down.counters, counters);
        let up = row.observed(&ShaperKey { shaper, direction: Direction::Up });
        assert_eq!((up.reading.cir, up.reading.mir), (Some(BitsPerSec(64_000)), BitsPerSec(512_000)));
        assert_eq!(up.counters, QueueCounters { bytes: u64::MAX, drops: 3, overlimits: 0, backlog: 0 });
    }

    #[test]
    fn a_queue_that_shapes_nothing_is_disabled() {
        assert!(with("disabled", Some("true")).unwrap().disabled);
        assert!(with("disabled", Some("yes")).unwrap().disabled);
        assert!(with("invalid", Some("true")).unwrap().disabled);
        assert!(!with("invalid", None).unwrap().disabled);
        assert!(with("dynamic", Some("true")).unwrap().dynamic);
    }

    #[test]
    fn a_rate_or_id_that_was_not_read_is_no_zero() {
        for property in ["limit-at", "max-limit", "burst-limit", ".id"] {
            let error = with(property, None).unwrap_err().to_string();
            assert!(error.contains(property), "{error}");
        }
        for (property, value) in [
            ("max-limit", "unlimited/0"),
            ("bytes", "5"),
            ("disabled", "maybe"),
            (".id", "*"),
            (".id", "site-j"),
            (".id", "*1,*2"),
        ] {
            let error = with(property, Some(value)).unwrap_err().to_string();
            assert!(error.contains(property) && error.contains(value), "{error}");
        }
        assert_eq!(with("dropped", None).unwrap().dropped, Pair::default());
    }

    #[test]
    fn a_tree_queue_has_one_value_for_the_direction_it_is_for() {
        let words = [
            "!re",
            "=.id=*1000000",
            "=name=site-j",
            "=limit-at=64k",
            "=max-limit=10M",
            "=burst-limit=0",
            "=bytes=7",
            "=dropped=3",
            "=queued-bytes=5",
            "=invalid=false",
            "=disabled=false",
        ];
        let row = QueueRow::parse(Table::Tree, &sentence(&words)).unwrap();
        let shaper = Shaper::Queue(name("site-j").unwrap());
        let down = row.observed(&ShaperKey { shaper, direction: Direction::Down });
        assert_eq!((down.reading.cir, down.reading.mir), (Some(BitsPerSec(64_000)), BitsPerSec(10_000_000)));
        assert_eq!(down.counters, QueueCounters { bytes: 7, drops: 3, overlimits: 0, backlog: 5 });
        let mut max_limit = row.max_limit;
        Table::Tree.set(&mut max_limit, Direction::Down, 8);
        assert_eq!(Table::Tree.words(max_limit), "8");
        assert!(QueueRow::parse(Table::Simple, &sentence(&words)).is_err(), "single values are no pairs");
    }

    proptest! {
        #[test]
        fn pairs_read_back_as_written(up in any::<u64>(), down in any::<u64>()) {
            let pair = Pair { up, down };
            prop_assert_eq!(Pair::parse(&pair.to_string()), Some(pair));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            if let Some(pair) = Pair::parse(&text) {
                prop_assert_eq!(Pair::parse(&pair.to_string()), Some(pair));
            }
        }
    }
}
