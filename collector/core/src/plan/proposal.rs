//! A proposal: rates to move, and why, as a value that can be stored, shown and checked.

use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};
use takar_shared::{BitsPerSec, Direction};

use super::{
    LinkReason, Outcome, PlanInput, Reason,
    pool::{Cut, Pool, Verdict},
    stand::{Link, Stand},
};
use crate::inventory::{LinkName, UplinkName};

/// Immutable and complete; never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    pub uplink: UplinkName,
    pub direction: Direction,
    /// Those that give come first, then those that gain; by name within each.
    pub moves: Vec<Move>,
    /// What the ceilings of all links of the uplink add up to, before and after.
    pub sum_before: BitsPerSec,
    pub sum_after: BitsPerSec,
    /// What they may add up to.
    pub budget: BitsPerSec,
}

/// One link's new ceiling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    pub link: LinkName,
    pub from: BitsPerSec,
    pub to: BitsPerSec,
    /// The guarantee, which a plan never changes.
    pub cir: Option<BitsPerSec>,
    pub why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// It had this much more than it needs with headroom.
    Gives { spare: BitsPerSec },
    /// It is estimated to need `wanted` and was held at `served_at`.
    Gets { wanted: BitsPerSec, served_at: BitsPerSec },
    /// A person asked for exactly this.
    Asked,
}

impl Move {
    pub fn is_raise(&self) -> bool {
        self.to > self.from
    }
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} to {}. {}", self.link, self.from, self.to, self.why)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gives { spare } => write!(f, "It holds {spare} more than it needs with headroom."),
            Self::Gets { wanted, served_at } => {
                write!(f, "It is at its ceiling of {served_at} and is estimated to need {wanted}.")
            }
            Self::Asked => f.write_str("It was asked for by hand."),
        }
    }
}

/// Puts gains and cuts into words and sums.
pub(super) fn outcome(input: &PlanInput, links: &[Link], pool: &Pool, verdicts: &[Verdict], cuts: &[Cut]) -> Outcome {
    let mut lowered = Vec::new();
    let mut raised = Vec::new();
    let mut reasons = Vec::new();
    let anybody_hungry = !verdicts.is_empty();
    for (index, link) in links.iter().enumerate() {
        let current = link.claim.current_mir;
        let cut = cuts.iter().find(|cut| cut.index == index);
        let verdict = verdicts.iter().find(|verdict| verdict.index == index).map(|verdict| verdict.result);
        let reason = match (link.stand, cut, verdict) {
            (Stand::Content { .. }, Some(cut), _) => {
                lowered.push(moved(link, current.saturating_sub(cut.gives), Why::Gives { spare: cut.spare }));
                continue;
            }
            (Stand::Hungry { wanted, .. }, _, Some(Ok(gain))) => {
                let why = Why::Gets { wanted, served_at: current };
                raised.push(moved(link, current.saturating_add(gain), why));
                continue;
            }
            (Stand::Hungry { .. }, _, Some(Err(reason))) | (Stand::Fixed(reason), ..) => reason,
            (Stand::Hungry { share, .. }, _, None) => Reason::AtFairShare { share },
            (Stand::Content { need, .. }, None, _) if !anybody_hungry => Reason::NothingSaturated { need },
            (Stand::Content { need, spare: BitsPerSec::ZERO }, None, _) => Reason::NotPinned { need },
            (Stand::Content { spare, .. }, None, _) => Reason::SpareNotNeeded { spare },
        };
        reasons.push(LinkReason { link: link.claim.link.clone(), reason });
    }
    if raised.is_empty() {
        return Outcome { proposal: None, reasons };
    }
    let given: BitsPerSec = lowered.iter().map(|lower| lower.from.saturating_sub(lower.to)).sum();
    let gained: BitsPerSec = raised.iter().map(|raise| raise.to.saturating_sub(raise.from)).sum();
    lowered.append(&mut raised);
    let proposal = Proposal {
        uplink: input.uplink.clone(),
        direction: input.direction,
        moves: lowered,
        sum_before: pool.sum,
        sum_after: pool.sum.saturating_add(gained).saturating_sub(given),
        budget: input.mir_budget,
    };
    Outcome { proposal: Some(proposal), reasons }
}

fn moved(link: &Link, to: BitsPerSec, why: Why) -> Move {
    Move { link: link.claim.link.clone(), from: link.claim.current_mir, to, cir: link.claim.cir, why }
}
