//! What shapes a link: shapers, what is set on them and what is read back.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::fmt::{self, Write as _};
use serde::{Deserialize, Serialize};

use crate::{BitsPerSec, Digest, Direction, Name};

/// A tc class id, `major:minor` in hexadecimal as `tc` prints it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClassId(pub u32);

impl ClassId {
    /// Reads `1:10`; `None` for anything that `tc` would not take as a class.
    pub fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once(':')?;
        Some(Self(u32::from(half_of_class(major)?) << 16 | u32::from(half_of_class(minor)?)))
    }
}

impl fmt::Display for ClassId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}:{:x}", self.0 >> 16, self.0 & 0xffff)
    }
}
impl fmt::Debug for ClassId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The thing on a device that a rate is set on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Shaper {
    /// A RouterOS queue, by name. A simple queue shapes both directions.
    Queue(Name),
    /// An HTB class on an interface.
    Class { interface: Name, classid: ClassId },
    /// A root qdisc on an interface (CAKE).
    Root(Name),
}

impl fmt::Display for Shaper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue(name) => write!(f, "queue {name}"),
            Self::Class { interface, classid } => write!(f, "class {classid} on {interface}"),
            Self::Root(interface) => write!(f, "root of {interface}"),
        }
    }
}

/// Absolute values to put in force on one shaper in one direction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Setting {
    pub shaper: Shaper,
    pub direction: Direction,
    /// Guarantee (limit-at, HTB rate). Absent only where the backend has none.
    pub cir: Option<BitsPerSec>,
    /// Ceiling (max-limit, HTB ceil).
    pub mir: BitsPerSec,
}

/// What a device says is in force on one shaper in one direction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct QueueReading {
    pub shaper: Shaper,
    pub direction: Direction,
    pub cir: Option<BitsPerSec>,
    /// Zero means unlimited, as RouterOS has it.
    pub mir: BitsPerSec,
    /// A burst *rate* (RouterOS burst-limit); zero where the backend has only a bucket.
    pub burst: BitsPerSec,
    /// It shapes nothing, whatever its rates: disabled by a person, invalid, or passed by (RouterOS: a queue before it
    /// takes its traffic, or connections are fast-tracked).
    pub disabled: bool,
}

impl QueueReading {
    pub fn setting(&self) -> Setting {
        Setting { shaper: self.shaper.clone(), direction: self.direction, cir: self.cir, mir: self.mir }
    }
    pub fn is_for(&self, setting: &Setting) -> bool {
        self.shaper == setting.shaper && self.direction == setting.direction
    }
}

/// SHA-256 over a queue set: sorted, normalised to bit/s, without statistics or order.
/// It names what a command expects to find and what a receipt saw.
pub fn queue_digest(readings: &[QueueReading]) -> Digest {
    Digest::of(queue_lines(readings).as_bytes())
}

/// What [`queue_digest`] hashes: a line for each reading, so that the digest is reproducible by
/// hand and by other languages. Different sets have different lines.
pub fn queue_lines(readings: &[QueueReading]) -> String {
    let mut sorted: Vec<&QueueReading> = readings.iter().collect();
    sorted.sort();
    let mut lines = String::new();
    for reading in sorted {
        let QueueReading { shaper, direction, cir, mir, burst, disabled } = reading;
        // Only these two need an escape: a line is told apart from the next by its line feed, and
        // the fields after the shaper, from its end, by their bars.
        lines.push_str(&shaper.to_string().replace('\\', "\\\\").replace('\n', "\\n"));
        let cir = cir.map_or_else(|| "-".into(), |cir| cir.0.to_string());
        // Writing to a String cannot fail.
        let _ = writeln!(lines, "|{direction}|{cir}|{}|{}|{}", mir.0, burst.0, u8::from(*disabled));
    }
    lines
}

/// One side of a class id. `from_str_radix` alone takes a sign too.
fn half_of_class(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u16::from_str_radix(text, 16).ok().filter(|half| digits && *half != 0)
}
