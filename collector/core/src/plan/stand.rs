//! Where each link stands before anything moves: fixed, hungry, or content with something to spare.

use alloc::vec::Vec;
use takar_shared::BitsPerSec;

use super::{Claim, ClaimDemand, MaxMinClaim, PlanInput, PlanSettings, Reason, max_min};

/// One link's starting point. Links are in order of their names from here on.
pub(super) struct Link<'a> {
    pub(super) claim: &'a Claim,
    pub(super) stand: Stand,
}

#[derive(Clone, Copy)]
pub(super) enum Stand {
    /// Neither gives nor gets.
    Fixed(Reason),
    /// Pinned. `share` is its fair share; `cap` the most it may have.
    Hungry { wanted: BitsPerSec, share: BitsPerSec, cap: BitsPerSec },
    /// Not pinned. `need` is with headroom; `spare` what it holds above that and its floor.
    Content { need: BitsPerSec, spare: BitsPerSec },
}

pub(super) fn of_all(input: &PlanInput) -> Vec<Link<'_>> {
    let mut links: Vec<Link> = input.claims.iter().map(|claim| Link { claim, stand: of_one(claim, input) }).collect();
    links.sort_by(|a, b| a.claim.link.cmp(&b.claim.link));
    shares(input, &mut links);
    links
}

/// What is set aside for a link as it is: a queue without a limit may take the whole uplink.
pub(super) fn reserved(claim: &Claim, input: &PlanInput) -> BitsPerSec {
    match claim.current_mir {
        BitsPerSec::ZERO => input.capacity,
        current => current,
    }
}

/// The least it may have: its floor and its guarantee, and never 0, which routers take for unlimited.
fn least(claim: &Claim, settings: &PlanSettings) -> BitsPerSec {
    own_floor(claim).max(BitsPerSec(settings.granule.0.max(1)))
}

fn rounded_up(rate: BitsPerSec, settings: &PlanSettings) -> BitsPerSec {
    let granule = settings.granule.0.max(1);
    BitsPerSec(rate.0.div_ceil(granule).saturating_mul(granule))
}

fn own_floor(claim: &Claim) -> BitsPerSec {
    claim.floor.max(claim.cir.unwrap_or(BitsPerSec::ZERO))
}

fn of_one(claim: &Claim, input: &PlanInput) -> Stand {
    let (current, floor, ceiling) = (claim.current_mir, own_floor(claim), claim.ceiling);
    if let Some(hold) = claim.held {
        return Stand::Fixed(Reason::Held(hold));
    }
    if current == BitsPerSec::ZERO || current < floor || current > ceiling {
        return Stand::Fixed(Reason::OutsideBounds { current, floor, ceiling });
    }
    match claim.demand {
        ClaimDemand::Unknown => Stand::Fixed(Reason::NotMeasured),
        ClaimDemand::AtLeast(wanted) if wanted > current => {
            Stand::Hungry { wanted, share: current, cap: cap(ceiling, input) }
        }
        // An estimate no higher than what it has is met already; but it is at its ceiling, so it gives nothing.
        ClaimDemand::AtLeast(_) => content(claim, current, input),
        ClaimDemand::Known(need) => content(claim, with_headroom(need, &input.settings), input),
    }
}

/// More than the uplink carries is of no use, but a link's own ceiling is used as it is.
fn cap(ceiling: BitsPerSec, input: &PlanInput) -> BitsPerSec {
    let granule = input.settings.granule.0.max(1);
    if ceiling <= input.capacity { ceiling } else { BitsPerSec(input.capacity.0 - input.capacity.0 % granule) }
}

fn with_headroom(need: BitsPerSec, settings: &PlanSettings) -> BitsPerSec {
    need.saturating_add(need.per_mille(settings.headroom_per_mille))
}

fn content(claim: &Claim, need: BitsPerSec, input: &PlanInput) -> Stand {
    let keep = rounded_up(need, &input.settings).max(least(claim, &input.settings));
    Stand::Content { need, spare: claim.current_mir.saturating_sub(keep) }
}

/// Fills in the fair shares of hungry links: of the budget, without what the fixed ones hold.
fn shares(input: &PlanInput, links: &mut [Link]) {
    let fixed: BitsPerSec =
        links.iter().filter(|link| matches!(link.stand, Stand::Fixed(_))).map(|link| reserved(link.claim, input)).sum();
    let claims: Vec<MaxMinClaim> = links.iter().filter_map(|link| share_claim(link, &input.settings)).collect();
    let shares = max_min(input.mir_budget.saturating_sub(fixed), &claims, input.settings.granule);
    let movable = links.iter_mut().filter(|link| !matches!(link.stand, Stand::Fixed(_)));
    for (link, fair) in movable.zip(shares) {
        if let Stand::Hungry { share, .. } = &mut link.stand {
            *share = fair;
        }
    }
}

fn share_claim(link: &Link, settings: &PlanSettings) -> Option<MaxMinClaim> {
    let claim = link.claim;
    let (want, ceiling) = match link.stand {
        Stand::Fixed(_) => return None,
        Stand::Hungry { wanted, cap, .. } => (rounded_up(wanted, settings), cap),
        // It will not be raised, so it cannot use a share above what it has.
        Stand::Content { need, .. } => (rounded_up(need, settings).min(claim.current_mir), claim.ceiling),
    };
    Some(MaxMinClaim { weight: claim.weight, floor: own_floor(claim), want, ceiling })
}
