//! Why a link was left as it is. A planner that does nothing must say why.

use core::fmt;
use serde::{Deserialize, Serialize};
use takar_shared::BitsPerSec;

use crate::inventory::LinkName;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkReason {
    pub link: LinkName,
    pub reason: Reason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    Held(HoldReason),
    NotMeasured,
    /// What is in force does not lie within the link's own bounds; a person must say which is right. `floor` is the
    /// larger of floor and guarantee.
    OutsideBounds {
        current: BitsPerSec,
        floor: BitsPerSec,
        ceiling: BitsPerSec,
    },
    /// Nobody that may change is pinned, so there is nothing to do.
    NothingSaturated {
        need: BitsPerSec,
    },
    /// Somebody is pinned, but not this link, and it has nothing to give. `need` is with headroom.
    NotPinned {
        need: BitsPerSec,
    },
    /// It could have given this much, but was not asked.
    SpareNotNeeded {
        spare: BitsPerSec,
    },
    AtCeiling {
        ceiling: BitsPerSec,
    },
    /// It would like more, but others with the same claim have less.
    AtFairShare {
        share: BitsPerSec,
    },
    /// Its fair share is this much higher, but nobody has anything to give.
    NoSpare {
        missing: BitsPerSec,
    },
    GainTooSmall {
        gain: BitsPerSec,
        min: BitsPerSec,
    },
    /// The ceilings add up to more than is allowed, and nobody can give.
    BudgetExceeded {
        sum: BitsPerSec,
        budget: BitsPerSec,
    },
}

/// Why a link must neither give nor get for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldReason {
    PendingChange,
    /// It is worked on.
    Maintenance,
    /// By its mode it is only observed.
    Observed,
    /// By its mode a person approves what moves it, and nobody will see this plan first.
    Unasked,
    /// What was read back is not what was last confirmed.
    Drifted,
    /// Its agent is offline, or observes only.
    NotLive,
    /// Its device cannot be polled.
    NotPolled,
    /// Its ceiling could not be read back, or not since the collector started.
    Unread,
    /// Its traffic does not pass its queue, or its queue shapes nothing.
    Bypassed,
    /// It changed a short while ago.
    CoolDown {
        left_s: u32,
    },
}

impl HoldReason {
    /// It will not be moved soon, so that nobody can count on what it leaves unused.
    pub fn is_kept_out(self) -> bool {
        matches!(self, Self::Maintenance | Self::Observed | Self::NotPolled | Self::Unread | Self::Bypassed)
    }
}

impl fmt::Display for LinkReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.link, self.reason)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held(hold) => hold.fmt(f),
            Self::NotMeasured => {
                f.write_str("Its traffic is not measured well enough to judge by, so it keeps what it has.")
            }
            Self::OutsideBounds { current, .. } if *current == BitsPerSec::ZERO => {
                f.write_str("Its queue has no limit, so the whole uplink counts as its own until a person sets one.")
            }
            Self::OutsideBounds { current, floor, ceiling } => {
                write!(
                    f,
                    "Its ceiling of {current} is not within {floor} to {ceiling}; a person must set which is right."
                )
            }
            Self::NothingSaturated { need } => {
                write!(f, "No link that may change is at its ceiling, so nothing needs to move; this one needs {need}.")
            }
            Self::NotPinned { need } => {
                write!(f, "It is not at its ceiling and has nothing to give; with headroom it needs {need}.")
            }
            Self::SpareNotNeeded { spare } => write!(f, "It could give {spare}, but nobody needs it."),
            Self::AtCeiling { ceiling } => write!(f, "It is already at the most it may have, {ceiling}."),
            Self::AtFairShare { share } => {
                write!(f, "It would use more, but its fair share is {share} while others lack as much.")
            }
            Self::NoSpare { missing } => {
                write!(f, "It should have {missing} more, but no other link has any to spare.")
            }
            Self::GainTooSmall { gain, min } => {
                write!(f, "It could gain {gain}, and less than {min} is not worth a change.")
            }
            Self::BudgetExceeded { sum, budget } => {
                write!(f, "The ceilings add up to {sum}, above the {budget} allowed, and no link has any to spare.")
            }
        }
    }
}

impl fmt::Display for HoldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PendingChange => f.write_str("A change of this link is still under way."),
            Self::Maintenance => f.write_str("It is under maintenance, so it neither gives nor gets."),
            Self::Observed => f.write_str("It is only observed, by its mode, so it neither gives nor gets."),
            Self::Unasked => {
                f.write_str("By its mode a person approves what moves it, and nobody would see this plan first.")
            }
            Self::NotPolled => f.write_str("Its device did not answer the last poll, so it keeps what it has."),
            Self::Unread => {
                f.write_str("Its ceiling was not read back yet, so the whole uplink is reserved for it until it is.")
            }
            Self::Drifted => f.write_str("Its queue was changed by somebody else since Takar last confirmed it."),
            Self::Bypassed => f.write_str(
                "Its traffic does not pass its queue, or that shapes nothing: a change would have no effect.",
            ),
            Self::NotLive => f.write_str("Its agent is not taking changes now."),
            Self::CoolDown { left_s } => write!(f, "It changed a short while ago and rests for {left_s} s more."),
        }
    }
}
