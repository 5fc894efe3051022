//! Step 1 of the procedure: does what is on record fit what is on the device, what was bought, what people need and what
//! was measured? One verdict for each link and direction, the gravest that holds, with the numbers it rests on.

use alloc::{format, string::String};
use core::fmt;
use serde::{Deserialize, Serialize};
use takar_shared::{BitsPerSec, Direction};

use crate::inventory::LinkName;

/// What is known of one link in one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub link: LinkName,
    pub direction: Direction,
    /// The ceiling on record.
    pub recorded: BitsPerSec,
    /// As last read on the device; `Some(0)` is unlimited, `None` not read.
    pub observed: Option<BitsPerSec>,
    /// Ceilings of all links of its uplink together, and what they may add up to.
    pub promised: BitsPerSec,
    pub budget: BitsPerSec,
    /// What people said that they need, by the register, in force today.
    pub need: Option<BitsPerSec>,
    /// The register says of any need at all: where it does not, nobody is said to have none.
    pub needs_are_kept: bool,
    /// The allocation is in force today.
    pub is_valid: bool,
    pub measured: Measured,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured {
    /// Nothing valid of late.
    Not,
    /// A shortage stands, of this size.
    Short {
        p95: Option<BitsPerSec>,
        lacking: BitsPerSec,
    },
    Idle {
        p95: Option<BitsPerSec>,
        unused: BitsPerSec,
    },
    Fits {
        p95: Option<BitsPerSec>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Drifted,
    OverPromised,
    Starved,
    NeedWithoutAllocation,
    NotMeasured,
    AllocationWithoutNeed,
    Idle,
    Fits,
}

/// A verdict and the sentence that explains it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    pub verdict: Verdict,
    pub why: String,
}

impl Verdict {
    /// The gravest first.
    pub const ALL: [Self; 8] = [
        Self::Drifted,
        Self::OverPromised,
        Self::Starved,
        Self::NeedWithoutAllocation,
        Self::NotMeasured,
        Self::AllocationWithoutNeed,
        Self::Idle,
        Self::Fits,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drifted => "drifted",
            Self::OverPromised => "over-promised",
            Self::Starved => "starved",
            Self::NeedWithoutAllocation => "need-without-allocation",
            Self::NotMeasured => "not-measured",
            Self::AllocationWithoutNeed => "allocation-without-need",
            Self::Idle => "idle",
            Self::Fits => "fits",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

pub fn check(known: &Known) -> Checked {
    let verdict = verdict(known);
    Checked { verdict, why: why(known, verdict) }
}

fn verdict(known: &Known) -> Verdict {
    let drifted = known.observed.is_some_and(|observed| observed != known.recorded);
    let unmet = known.need.is_some_and(|need| need > known.recorded);
    match known.measured {
        _ if drifted => Verdict::Drifted,
        _ if known.promised > known.budget => Verdict::OverPromised,
        Measured::Short { .. } => Verdict::Starved,
        _ if unmet || (known.need.is_some() && !known.is_valid) => Verdict::NeedWithoutAllocation,
        Measured::Not => Verdict::NotMeasured,
        _ if !known.is_valid || (known.needs_are_kept && known.need.is_none()) => Verdict::AllocationWithoutNeed,
        Measured::Idle { .. } => Verdict::Idle,
        Measured::Fits { .. } => Verdict::Fits,
    }
}

fn why(known: &Known, verdict: Verdict) -> String {
    let Known { recorded, promised, budget, .. } = known;
    match verdict {
        Verdict::Drifted => match known.observed {
            Some(BitsPerSec::ZERO) => format!("{recorded} is on record, the device sets no limit"),
            Some(observed) => format!("{recorded} is on record, the device reads back {observed}"),
            None => format!("{recorded} is on record, the device was not read"),
        },
        Verdict::OverPromised => {
            let over = promised.saturating_sub(*budget);
            format!("the ceilings of its uplink add up to {promised}, {over} more than the {budget} that they may")
        }
        Verdict::Starved => match known.measured {
            Measured::Short { lacking, p95: Some(p95) } => {
                format!("it lacks about {lacking}: 95th percentile {p95} of a ceiling of {recorded}")
            }
            Measured::Short { lacking, p95: None } => format!("it lacks about {lacking} at a ceiling of {recorded}"),
            _ => String::new(),
        },
        Verdict::NeedWithoutAllocation => match known.need {
            Some(need) if known.is_valid => format!("{need} is needed by the register, {recorded} is allocated"),
            Some(need) => format!("{need} is needed by the register, and the allocation is not in force today"),
            None => String::new(),
        },
        Verdict::NotMeasured => "nothing valid was measured of late".into(),
        Verdict::AllocationWithoutNeed if !known.is_valid => {
            format!("{recorded} is set, but the allocation is not in force today")
        }
        Verdict::AllocationWithoutNeed => format!("{recorded} is allocated, and no need is on record"),
        Verdict::Idle => match known.measured {
            Measured::Idle { unused, .. } => format!("about {unused} of {recorded} is not used"),
            _ => String::new(),
        },
        Verdict::Fits => match known.measured {
            Measured::Fits { p95: Some(p95) } => format!("95th percentile {p95} of a ceiling of {recorded}"),
            _ => format!("nothing is lacking at a ceiling of {recorded}"),
        },
    }
}
