//! The numbers that a check rests on, and the sentence that they make.

use core::fmt;
use serde::{Deserialize, Serialize};
use takar_shared::{
    BitsPerSec,
    facts::{Duplex, Switch},
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Evidence {
    Continuity {
        readings: usize,
        usable: usize,
        broken: usize,
    },
    LinkErrors {
        errors: u64,
        per_million: u64,
        over_ms: u64,
    },
    Flaps {
        changes: usize,
        over_ms: u64,
        unchanged_for_ms: Option<u64>,
    },
    Duplex {
        duplex: Duplex,
        mbps: Option<u32>,
    },
    DeviceUp {
        online: bool,
        polled_ok: bool,
        silent_ms: Option<u64>,
        oper: Switch,
    },
    Sustained {
        readings: usize,
        over_ms: u64,
    },
    QueueEffect {
        recorded: BitsPerSec,
        observed: Option<BitsPerSec>,
        highest_per_mille: u32,
    },
    /// The device says nothing that could be judged.
    Untold,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Continuity { readings, usable, broken } => {
                write!(f, "{usable} of {readings} readings are whole, a counter restarted in {broken}")
            }
            Self::LinkErrors { errors, per_million, over_ms } => {
                write!(f, "{errors} packets with errors in {} s, about {per_million} in a million", over_ms / 1000)
            }
            Self::Flaps { changes, over_ms, unchanged_for_ms } => {
                write!(f, "the interface changed {changes} times in {} min", over_ms / 60_000)?;
                match unchanged_for_ms {
                    Some(ms) => write!(f, ", and not for {} min", ms / 60_000),
                    None => Ok(()),
                }
            }
            Self::Duplex { duplex, mbps } => {
                f.write_str(match duplex {
                    Duplex::Half => "half duplex",
                    Duplex::Full => "full duplex",
                    Duplex::Unknown => "the device does not tell its duplex",
                })?;
                match mbps {
                    Some(mbps) => write!(f, ", {mbps} Mbit/s"),
                    None => Ok(()),
                }
            }
            Self::DeviceUp { online, polled_ok, silent_ms, oper } => {
                let (online, polled) = (
                    if *online { "online" } else { "offline" },
                    if *polled_ok { "answered" } else { "did not answer" },
                );
                write!(f, "its agent is {online}, the device {polled} when last asked")?;
                if let Some(silent) = silent_ms {
                    write!(f, ", heard {} s ago", silent / 1000)?;
                }
                match oper {
                    Switch::Up => f.write_str(", the interface is up"),
                    Switch::Down => f.write_str(", the interface is down"),
                    Switch::Other => f.write_str(", the interface is not in operation"),
                    Switch::Unknown => Ok(()),
                }
            }
            Self::Sustained { readings, over_ms } => {
                write!(f, "{readings} readings at the ceiling within {} s", over_ms / 1000)
            }
            Self::QueueEffect { recorded, observed, highest_per_mille } => {
                match observed {
                    None => f.write_str("the device's queue was not read")?,
                    Some(BitsPerSec::ZERO) => write!(f, "{recorded} is on record, the device sets no limit")?,
                    Some(observed) => write!(f, "{recorded} is on record, {observed} is on the device")?,
                }
                write!(f, ", the highest reading is {}.{} % of it", highest_per_mille / 10, highest_per_mille % 10)
            }
            Self::Untold => f.write_str("the device does not tell"),
        }
    }
}
