//! Finding: what is the matter with a link, how much of it, and on what evidence.

use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};
use takar_shared::{BitsPerSec, Direction, UnixMillis};

use crate::{
    inventory::LinkName,
    window::{Load, QueueCounts},
};

/// Its Display is the sentence that people read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub link: LinkName,
    pub direction: Direction,
    pub kind: FindingKind,
    /// The start of the first reading that speaks for it.
    pub since: UnixMillis,
    /// What is lacking (shortage) or left unused (surplus), against the ceiling in the evidence; zero where nothing
    /// is measured. While no reading tells a better one, it is carried over from one ceiling to the next.
    pub size: BitsPerSec,
    pub evidence: Evidence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// The link wants more than its ceiling.
    Shortage,
    /// The link leaves much of its ceiling unused.
    Surplus,
    /// Nothing is known about the link of late.
    NotMeasured,
}

/// What a finding rests on, as of `judged_at`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub judged_at: UnixMillis,
    pub ceiling: Option<BitsPerSec>,
    /// `None` where no reading could be looked at for that.
    pub matching: Option<Matching>,
    /// The readings used, oldest first, all under `ceiling`.
    pub readings: Vec<ReadingSeen>,
    /// Of the readings used.
    pub load: Option<Load>,
    /// Of the readings used; `None` where the queue's counters were not read.
    pub queue: Option<QueueCounts>,
    /// The readings that were looked at and not used, oldest first.
    pub dropped: Vec<Dropped>,
}

/// How many of the readings used were beyond the threshold, and the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matching {
    pub readings: usize,
    pub per_mille: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadingSeen {
    pub start: UnixMillis,
    pub mean: BitsPerSec,
    pub utilisation_per_mille: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    pub start: UnixMillis,
    pub why: WhyDropped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WhyDropped {
    NotCovered {
        covered_ms: u64,
        length_ms: u64,
    },
    CountedTwice,
    Discontinuity,
    AfterGap,
    CeilingUnknown,
    CeilingChanged,
    /// It was taken under another ceiling than the present one.
    OtherCeiling(BitsPerSec),
    Implausible {
        per_mille: u32,
    },
}

impl FindingKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shortage => "shortage",
            Self::Surplus => "surplus",
            Self::NotMeasured => "not measured",
        }
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.link, self.direction)?;
        match self.kind {
            FindingKind::Shortage => write!(f, "lacks about {}", self.size)?,
            FindingKind::Surplus => write!(f, "leaves about {} unused", self.size)?,
            FindingKind::NotMeasured => f.write_str("is not measured")?,
        }
        self.evidence.tell(self.kind, f)
    }
}

impl Evidence {
    fn tell(&self, kind: FindingKind, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (kind, self.matching, self.ceiling) {
            (FindingKind::NotMeasured, ..) => {}
            (_, Some(matching), Some(ceiling)) if !self.readings.is_empty() => {
                let (some, all, limit) = (matching.readings, self.readings.len(), Percent(matching.per_mille));
                match kind {
                    FindingKind::Surplus => write!(f, ": {some} of {all} readings below {limit} of {ceiling}")?,
                    _ => write!(f, ": {some} of {all} readings at {limit} of {ceiling} or more")?,
                }
                self.tell_numbers(f)?;
            }
            _ => f.write_str(": no reading under the present ceiling yet")?,
        }
        if let Some(newest) = self.dropped.last() {
            write!(f, "; {} readings not used, the newest because {}", self.dropped.len(), newest.why)?;
        }
        Ok(())
    }

    fn tell_numbers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(load) = self.load {
            write!(f, ", 95th percentile {}, peak {}", load.p95, load.peak)?;
        }
        match self.queue {
            Some(queue) => {
                write!(f, ", {} packets dropped, at most {} octets waiting", queue.drops, queue.backlog_max)
            }
            None => f.write_str(", no queue counters"),
        }
    }
}

impl fmt::Display for WhyDropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCovered { covered_ms, length_ms } => {
                write!(f, "samples cover {covered_ms} of its {length_ms} ms")
            }
            Self::CountedTwice => f.write_str("samples cover it more than once"),
            Self::Discontinuity => f.write_str("a counter restarted in it"),
            Self::AfterGap => f.write_str("it follows a gap"),
            Self::CeilingUnknown => f.write_str("its ceiling is not known"),
            Self::CeilingChanged => f.write_str("the ceiling changed in it"),
            Self::OtherCeiling(ceiling) => write!(f, "it was taken under another ceiling, {ceiling}"),
            Self::Implausible { per_mille } => write!(f, "{} of the ceiling cannot be", Percent(*per_mille)),
        }
    }
}

/// Thousandths, shown as percent.
pub(super) struct Percent(pub(super) u32);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 % 10 {
            0 => write!(f, "{} %", self.0 / 10),
            tenths => write!(f, "{}.{tenths} %", self.0 / 10),
        }
    }
}
