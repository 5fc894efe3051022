//! What can be moved, who gains from it, and who gives it.

use alloc::vec::Vec;
use core::cmp::Reverse;
use takar_shared::BitsPerSec;

use super::{
    MaxMinClaim, PlanInput, PlanSettings, Reason, max_min,
    stand::{self, Link, Stand},
};

/// The uplink's sums before anything moves.
pub(super) struct Pool {
    pub(super) sum: BitsPerSec,
    /// By how much the ceilings already exceed the budget.
    over: BitsPerSec,
    /// What nobody holds.
    free: BitsPerSec,
    /// What content links hold above what they want.
    spare: BitsPerSec,
}

impl Pool {
    pub(super) fn of(input: &PlanInput, links: &[Link]) -> Self {
        let sum: BitsPerSec = links.iter().map(|link| stand::reserved(link.claim, input)).sum();
        Self {
            sum,
            over: sum.saturating_sub(input.mir_budget),
            free: input.mir_budget.saturating_sub(sum),
            spare: links.iter().map(spare_of).sum(),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.over > BitsPerSec::ZERO
    }

    /// What hungry links can gain together. Where the budget is exceeded, every bit gained is paid back once more
    /// until the excess is gone.
    fn for_gains(&self) -> BitsPerSec {
        if !self.is_over() {
            return self.free.saturating_add(self.spare);
        }
        BitsPerSec(self.spare.0 / 2).max(self.spare.saturating_sub(self.over))
    }

    /// What content links must give for these gains.
    pub(super) fn to_cut(&self, gains: BitsPerSec) -> BitsPerSec {
        gains.saturating_sub(self.free).saturating_add(gains.min(self.over))
    }
}

fn spare_of(link: &Link) -> BitsPerSec {
    match link.stand {
        Stand::Content { spare, .. } => spare,
        Stand::Fixed(_) | Stand::Hungry { .. } => BitsPerSec::ZERO,
    }
}

/// What a hungry link (by its position among the links) comes to.
pub(super) struct Verdict {
    pub(super) index: usize,
    pub(super) result: Result<BitsPerSec, Reason>,
}

/// What all gain together.
pub(super) fn total(verdicts: &[Verdict]) -> BitsPerSec {
    verdicts.iter().filter_map(|verdict| verdict.result.ok()).sum()
}

/// One verdict for each hungry link, in order: its gain, or why it gains nothing.
pub(super) fn gains(input: &PlanInput, links: &[Link], pool: &Pool) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    let mut seekers = Vec::new();
    for (index, link) in links.iter().enumerate() {
        if let Stand::Hungry { share, cap, .. } = link.stand {
            match Seeker::new(index, link, share, cap, &input.settings) {
                Ok(seeker) => seekers.push(seeker),
                Err(reason) => verdicts.push(Verdict { index, result: Err(reason) }),
            }
        }
    }
    while let Some(unworthy) = serve(&mut seekers, pool.for_gains(), input.settings.granule) {
        // What it leaves may make another's gain worth a change.
        let seeker = seekers.remove(unworthy);
        verdicts.push(Verdict { index: seeker.index, result: Err(seeker.refusal(input, pool)) });
    }
    verdicts.extend(seekers.iter().map(|seeker| Verdict { index: seeker.index, result: Ok(seeker.gain) }));
    verdicts.sort_by_key(|verdict| verdict.index);
    verdicts
}

/// A hungry link whose fair share is worth a change.
struct Seeker {
    index: usize,
    claim: MaxMinClaim,
    share: BitsPerSec,
    /// The least gain worth a change.
    min: BitsPerSec,
    gain: BitsPerSec,
}

impl Seeker {
    fn new(
        index: usize,
        link: &Link,
        share: BitsPerSec,
        cap: BitsPerSec,
        settings: &PlanSettings,
    ) -> Result<Self, Reason> {
        let current = link.claim.current_mir;
        if current >= cap {
            return Err(Reason::AtCeiling { ceiling: cap });
        }
        if share <= current {
            return Err(Reason::AtFairShare { share });
        }
        let most = current.saturating_add(current.per_mille(settings.max_gain_per_mille));
        let min = settings.min_gain.max(current.per_mille(settings.min_gain_per_mille)).max(BitsPerSec(1));
        let claim = MaxMinClaim { weight: link.claim.weight, floor: current, want: share.min(most), ceiling: cap };
        let seeker = Self { index, claim, share, min, gain: BitsPerSec::ZERO };
        // With plenty for everybody it would gain this, so a lack of spare is not what stops it.
        let at_best = max_min(BitsPerSec(u64::MAX), &[claim], settings.granule);
        let gain = at_best.into_iter().sum::<BitsPerSec>().saturating_sub(current);
        if gain < min { Err(Reason::GainTooSmall { gain, min }) } else { Ok(seeker) }
    }

    /// How its gain compares with the least worth a change: smaller is worse.
    fn is_worse(&self, other: &Self) -> bool {
        u128::from(self.gain.0) * u128::from(other.min.0) < u128::from(other.gain.0) * u128::from(self.min.0)
    }

    fn refusal(&self, input: &PlanInput, pool: &Pool) -> Reason {
        if self.gain > BitsPerSec::ZERO {
            return Reason::GainTooSmall { gain: self.gain, min: self.min };
        }
        if pool.is_over() && pool.spare == BitsPerSec::ZERO {
            return Reason::BudgetExceeded { sum: pool.sum, budget: input.mir_budget };
        }
        Reason::NoSpare { missing: self.share.saturating_sub(self.claim.floor) }
    }
}

/// Shares `available` out, lowest level first, and names the seeker that gains the least for its size, if that is less
/// than is worth a change.
fn serve(seekers: &mut [Seeker], available: BitsPerSec, granule: BitsPerSec) -> Option<usize> {
    let held: BitsPerSec = seekers.iter().map(|seeker| seeker.claim.floor).sum();
    let claims: Vec<MaxMinClaim> = seekers.iter().map(|seeker| seeker.claim).collect();
    let rates = max_min(held.saturating_add(available), &claims, granule);
    let mut worst: Option<(usize, &Seeker)> = None;
    for (index, (seeker, rate)) in seekers.iter_mut().zip(rates).enumerate() {
        seeker.gain = rate.saturating_sub(seeker.claim.floor);
        let seeker = &*seeker;
        if seeker.gain < seeker.min && worst.is_none_or(|(_, worst)| seeker.is_worse(worst)) {
            worst = Some((index, seeker));
        }
    }
    worst.map(|(index, _)| index)
}

/// What a content link (by its position among the links) gives.
pub(super) struct Cut {
    pub(super) index: usize,
    pub(super) spare: BitsPerSec,
    pub(super) gives: BitsPerSec,
}

/// Spreads `needed` over those with spare, in proportion to it. The smallest are left alone where the others can give
/// enough without them: fewer changes. Together they give at least `needed`, and less than a granule more.
pub(super) fn cuts(input: &PlanInput, links: &[Link], needed: BitsPerSec) -> Vec<Cut> {
    let mut givers: Vec<(usize, &Link, BitsPerSec)> = links
        .iter()
        .enumerate()
        .map(|(index, link)| (index, link, spare_of(link)))
        .filter(|(_, _, spare)| *spare > BitsPerSec::ZERO)
        .collect();
    givers.sort_by_key(|(index, _, spare)| (Reverse(*spare), *index));
    let mut spare_left: BitsPerSec = givers.iter().map(|(_, _, spare)| *spare).sum();
    while let Some((_, _, smallest)) = givers.last() {
        let without = spare_left.saturating_sub(*smallest);
        if without < needed || part(*smallest, needed, spare_left) >= input.settings.min_gain {
            break;
        }
        spare_left = without;
        givers.pop();
    }
    let mut cuts = Vec::new();
    let mut left = needed;
    for (index, link, spare) in givers {
        if left == BitsPerSec::ZERO {
            break;
        }
        let current = link.claim.current_mir;
        let to = current.saturating_sub(part(spare, left, spare_left));
        let granule = input.settings.granule.0.max(1);
        let to = BitsPerSec(to.0 - to.0 % granule).max(current.saturating_sub(spare));
        let gives = current.saturating_sub(to);
        left = left.saturating_sub(gives);
        spare_left = spare_left.saturating_sub(spare);
        cuts.push(Cut { index, spare, gives });
    }
    cuts.sort_by_key(|cut| cut.index);
    cuts
}

/// `needed × spare ÷ all`, rounded up: what is left over is never more than the givers after it have.
fn part(spare: BitsPerSec, needed: BitsPerSec, all: BitsPerSec) -> BitsPerSec {
    let part = (u128::from(spare.0) * u128::from(needed.0)).div_ceil(u128::from(all.0.max(1)));
    BitsPerSec(u64::try_from(part).unwrap_or(u64::MAX))
}
