//! Verdict: what a look at a link came to. A look that finds nothing says why.

use core::fmt;
use serde::{Deserialize, Serialize};

use super::finding::{Finding, Percent};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub enum Verdict {
    Opened(Finding),
    /// Opened before and still true, or not yet proved over; with the newest evidence.
    Standing(Finding),
    /// Over. What it says is what was last known while it stood.
    Cleared(Finding, Ending),
    None(NoFinding),
}

impl Verdict {
    /// The finding that is now in force.
    pub fn in_force(&self) -> Option<&Finding> {
        match self {
            Self::Opened(finding) | Self::Standing(finding) => Some(finding),
            Self::Cleared(..) | Self::None(_) => None,
        }
    }
}

/// Why there is no finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoFinding {
    /// No ceiling is known, or there is none.
    CeilingUnknown,
    NotEnoughReadings {
        have: usize,
        need: usize,
    },
    /// So many readings are saturated.
    BelowThreshold {
        count: usize,
        need: usize,
        per_mille: u32,
    },
    /// Enough were saturated, but it seems to be over.
    NewestBelow {
        newest_per_mille: u32,
        need_per_mille: u32,
    },
    /// Enough are saturated, but none touches the ceiling.
    NoPeak {
        highest_per_mille: u32,
        need_per_mille: u32,
    },
    /// Saturated by the traffic's counters, but the queue's own counters do not agree.
    Uncorroborated {
        count: usize,
        need: usize,
    },
}

/// Why a finding is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// A shortage: so many newest readings are below this.
    Relieved { readings: usize, below_per_mille: u32 },
    /// A surplus: so many newest readings are at this or above.
    InUse { readings: usize, from_per_mille: u32 },
    /// The link is not measured any more.
    NotMeasured,
    /// It is measured again.
    Measured { readings: usize },
    /// The ceiling was lifted, or is not known any more.
    CeilingUnknown,
    /// The link is worked on: what is measured of it says nothing for now.
    Maintenance,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened(finding) | Self::Standing(finding) => write!(f, "{finding}"),
            Self::Cleared(finding, why) => {
                write!(f, "{} {}: {} is over, {why}", finding.link, finding.direction, finding.kind)
            }
            Self::None(why) => write!(f, "{why}"),
        }
    }
}

impl fmt::Display for NoFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CeilingUnknown => f.write_str("no ceiling is known"),
            Self::NotEnoughReadings { have, need } => write!(f, "usable readings: {have}, at least {need} are needed"),
            Self::BelowThreshold { count, need, per_mille } => {
                write!(f, "readings at {} of the ceiling or more: {count}, a shortage has {need}", Percent(*per_mille))
            }
            Self::NewestBelow { newest_per_mille, need_per_mille } => write!(
                f,
                "the newest reading is at {} of the ceiling, a shortage has {} or more",
                Percent(*newest_per_mille),
                Percent(*need_per_mille)
            ),
            Self::NoPeak { highest_per_mille, need_per_mille } => write!(
                f,
                "the highest reading is at {} of the ceiling, a shortage has one at {} or more",
                Percent(*highest_per_mille),
                Percent(*need_per_mille)
            ),
            Self::Uncorroborated { count, need } => write!(
                f,
                "saturated, but the queue does not agree: readings with drops, delayed or waiting packets: {count}, \
                 a shortage has {need}"
            ),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relieved { readings, below_per_mille } => {
                write!(f, "the newest {readings} readings are below {} of the ceiling", Percent(*below_per_mille))
            }
            Self::InUse { readings, from_per_mille } => {
                write!(f, "the newest {readings} readings are at {} of the ceiling or more", Percent(*from_per_mille))
            }
            Self::NotMeasured => f.write_str("the link is not measured any more"),
            Self::Measured { readings } => write!(f, "{readings} readings are valid again"),
            Self::CeilingUnknown => f.write_str("no ceiling is known any more"),
            Self::Maintenance => f.write_str("the link is under maintenance"),
        }
    }
}
