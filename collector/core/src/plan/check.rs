//! A second opinion on a proposal. It shares no code with the planner, on purpose: it reads the claims afresh and
//! knows only what must be true of any proposal, whoever made it.

use alloc::{collections::BTreeMap, vec::Vec};
use core::fmt;
use serde::{Deserialize, Serialize};
use takar_shared::BitsPerSec;

use super::{Claim, ClaimDemand, Move, PlanInput, Proposal};
use crate::inventory::LinkName;

/// What is wrong with a proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Violation {
    /// Made for another uplink, direction or budget.
    OtherUplink,
    Empty,
    UnknownLink(LinkName),
    MovedTwice(LinkName),
    NotAMove(LinkName),
    /// `from` is not what the link has.
    Stale {
        link: LinkName,
        from: BitsPerSec,
        current: BitsPerSec,
    },
    /// Held, not measured or without a limit, yet moved.
    Unmovable(LinkName),
    CirChanged(LinkName),
    BelowFloor {
        link: LinkName,
        to: BitsPerSec,
        floor: BitsPerSec,
    },
    AboveCeiling {
        link: LinkName,
        to: BitsPerSec,
        ceiling: BitsPerSec,
    },
    BelowCir {
        link: LinkName,
        to: BitsPerSec,
        cir: BitsPerSec,
    },
    /// Routers take 0 for unlimited.
    Zero(LinkName),
    /// Neither a multiple of the granule nor the link's own floor, guarantee or ceiling.
    Uneven {
        link: LinkName,
        to: BitsPerSec,
    },
    /// Raised though not pinned.
    RaisedWithoutNeed(LinkName),
    /// Raised by more than one plan may.
    RaisedTooMuch {
        link: LinkName,
        gain: BitsPerSec,
        most: BitsPerSec,
    },
    /// Lowered though pinned, or below its need with headroom.
    CutIntoNeed {
        link: LinkName,
        to: BitsPerSec,
        need: BitsPerSec,
    },
    /// The stated sums are not the sums.
    WrongSums {
        before: BitsPerSec,
        after: BitsPerSec,
    },
    /// Within the budget before, above it after.
    OverBudget {
        after: BitsPerSec,
        budget: BitsPerSec,
    },
    /// Above the budget before, and not lower after.
    NotLower {
        before: BitsPerSec,
        after: BitsPerSec,
    },
}

/// Everything that is wrong; empty when nothing is.
pub fn check(proposal: &Proposal, input: &PlanInput) -> Vec<Violation> {
    let mut found = Vec::new();
    if (&proposal.uplink, proposal.direction, proposal.budget) != (&input.uplink, input.direction, input.mir_budget) {
        found.push(Violation::OtherUplink);
    }
    if proposal.moves.is_empty() {
        found.push(Violation::Empty);
    }
    let claims: BTreeMap<&LinkName, &Claim> = input.claims.iter().map(|claim| (&claim.link, claim)).collect();
    let mut after: BTreeMap<&LinkName, BitsPerSec> = BTreeMap::new();
    for step in &proposal.moves {
        match claims.get(&step.link) {
            None => found.push(Violation::UnknownLink(step.link.clone())),
            Some(claim) => check_move(step, claim, input, &mut found),
        }
        if after.insert(&step.link, step.to).is_some() {
            found.push(Violation::MovedTwice(step.link.clone()));
        }
    }
    check_sums(proposal, input, &after, &mut found);
    found
}

fn check_move(step: &Move, claim: &Claim, input: &PlanInput, found: &mut Vec<Violation>) {
    let link = || step.link.clone();
    let (from, to) = (step.from, step.to);
    if from != claim.current_mir {
        found.push(Violation::Stale { link: link(), from, current: claim.current_mir });
    }
    if claim.held.is_some() || claim.demand == ClaimDemand::Unknown || claim.current_mir.0 == 0 {
        found.push(Violation::Unmovable(link()));
    }
    if step.cir != claim.cir {
        found.push(Violation::CirChanged(link()));
    }
    if to.0 == 0 {
        found.push(Violation::Zero(link()));
    }
    if to < claim.floor {
        found.push(Violation::BelowFloor { link: link(), to, floor: claim.floor });
    }
    if to > claim.ceiling {
        found.push(Violation::AboveCeiling { link: link(), to, ceiling: claim.ceiling });
    }
    if let Some(cir) = claim.cir.filter(|cir| to < *cir) {
        found.push(Violation::BelowCir { link: link(), to, cir });
    }
    let own = [Some(claim.floor), Some(claim.ceiling), claim.cir];
    if to.0 % input.settings.granule.0.max(1) != 0 && !own.contains(&Some(to)) {
        found.push(Violation::Uneven { link: link(), to });
    }
    if to == from {
        found.push(Violation::NotAMove(link()));
    }
    if to > from {
        check_raise(step, claim, input, found);
    }
    if to < from {
        check_cut(step, claim, input, found);
    }
}

fn check_raise(step: &Move, claim: &Claim, input: &PlanInput, found: &mut Vec<Violation>) {
    if !matches!(claim.demand, ClaimDemand::AtLeast(need) if need > step.from) {
        found.push(Violation::RaisedWithoutNeed(step.link.clone()));
    }
    let most = u128::from(step.from.0) * u128::from(input.settings.max_gain_per_mille) / 1000;
    if u128::from(step.to.0 - step.from.0) > most {
        let most = BitsPerSec(u64::try_from(most).unwrap_or(u64::MAX));
        let gain = BitsPerSec(step.to.0 - step.from.0);
        found.push(Violation::RaisedTooMuch { link: step.link.clone(), gain, most });
    }
}

fn check_cut(step: &Move, claim: &Claim, input: &PlanInput, found: &mut Vec<Violation>) {
    let need = match claim.demand {
        ClaimDemand::Known(need) => {
            u128::from(need.0) + u128::from(need.0) * u128::from(input.settings.headroom_per_mille) / 1000
        }
        ClaimDemand::AtLeast(need) => u128::from(need.max(step.from).0),
        ClaimDemand::Unknown => return,
    };
    if u128::from(step.to.0) < need {
        let need = BitsPerSec(u64::try_from(need).unwrap_or(u64::MAX));
        found.push(Violation::CutIntoNeed { link: step.link.clone(), to: step.to, need });
    }
}

/// Adds everything up again, in 128 bits, with a queue without a limit as the whole uplink.
fn check_sums(
    proposal: &Proposal,
    input: &PlanInput,
    moved: &BTreeMap<&LinkName, BitsPerSec>,
    found: &mut Vec<Violation>,
) {
    let (mut before, mut after) = (0u128, 0u128);
    for claim in &input.claims {
        let held = if claim.current_mir.0 == 0 { input.capacity } else { claim.current_mir };
        before += u128::from(held.0);
        after += u128::from(moved.get(&claim.link).copied().unwrap_or(held).0);
    }
    let shown = |sum: u128| BitsPerSec(u64::try_from(sum).unwrap_or(u64::MAX));
    if proposal.sum_before != shown(before) || proposal.sum_after != shown(after) {
        found.push(Violation::WrongSums { before: shown(before), after: shown(after) });
    }
    let budget = u128::from(input.mir_budget.0);
    if before <= budget && after > budget {
        found.push(Violation::OverBudget { after: shown(after), budget: input.mir_budget });
    }
    if before > budget && after >= before {
        found.push(Violation::NotLower { before: shown(before), after: shown(after) });
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherUplink => f.write_str("it was made for another uplink, direction or budget"),
            Self::Empty => f.write_str("it moves nothing"),
            Self::UnknownLink(link) => write!(f, "{link} is not a link of this uplink"),
            Self::MovedTwice(link) => write!(f, "{link} is moved twice"),
            Self::NotAMove(link) => write!(f, "{link} would end where it is"),
            Self::Stale { link, from, current } => write!(f, "{link} has {current}, not {from}"),
            Self::Unmovable(link) => write!(f, "{link} must not change now"),
            Self::CirChanged(link) => write!(f, "the guarantee of {link} would change"),
            Self::BelowFloor { link, to, floor } => write!(f, "{link} would get {to}, below its floor of {floor}"),
            Self::AboveCeiling { link, to, ceiling } => {
                write!(f, "{link} would get {to}, above the {ceiling} it may have")
            }
            Self::BelowCir { link, to, cir } => write!(f, "{link} would get {to}, below its guarantee of {cir}"),
            Self::Zero(link) => write!(f, "{link} would get 0 bit/s, which routers take for unlimited"),
            Self::Uneven { link, to } => write!(f, "{link} would get {}, which is no whole step", to.0),
            Self::RaisedWithoutNeed(link) => write!(f, "{link} would be raised without being at its ceiling"),
            Self::RaisedTooMuch { link, gain, most } => write!(f, "{link} would gain {gain}, more than {most} at once"),
            Self::CutIntoNeed { link, to, need } => write!(f, "{link} would get {to}, below its need of {need}"),
            Self::WrongSums { before, after } => {
                write!(f, "the ceilings in fact add up to {before} before, {after} after")
            }
            Self::OverBudget { after, budget } => write!(f, "the ceilings would add up to {after}, above {budget}"),
            Self::NotLower { before, after } => write!(
                f,
                "the ceilings add up to more than the budget already ({before}) and would not become less ({after})"
            ),
        }
    }
}
