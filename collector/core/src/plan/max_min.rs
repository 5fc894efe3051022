//! Weighted max-min shares of one capacity (progressive filling), exact in integers.
//!
//! Everybody starts at its floor. Capacity is handed out in steps: a step brings a link to the next multiple of the
//! granule, or to its ceiling. A link's *level* is its rate ÷ its weight, and steps go in order of the level they
//! lead to, equal levels by the claims themselves and then by position. The result is the longest run of steps that
//! fits. So nobody can be raised without taking a step from somebody at a lower or equal level, which is what max-min
//! fairness means; more capacity never lowers anybody; and less than one granule is left while anybody wants more.

use alloc::{collections::BinaryHeap, vec::Vec};
use core::cmp::{Ordering, Reverse};
use takar_shared::BitsPerSec;

/// What one link may have. It is never given more than the smaller of `want` and `ceiling`, unless its floor is more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MaxMinClaim {
    /// Zero counts as one.
    pub weight: u32,
    pub floor: BitsPerSec,
    /// Rounded down to a multiple of the granule, unless the ceiling is reached first.
    pub want: BitsPerSec,
    pub ceiling: BitsPerSec,
}

/// One rate for each claim, in the same order: a multiple of `granule`, the claim's floor, or its ceiling. They add up
/// to at most `capacity`, unless the floors alone are more: then they are the floors.
pub fn max_min(capacity: BitsPerSec, claims: &[MaxMinClaim], granule: BitsPerSec) -> Vec<BitsPerSec> {
    let fillers: Vec<Filler> = claims.iter().map(|claim| Filler::new(*claim, granule)).collect();
    let sum_at = |level: u64| fillers.iter().map(|filler| u128::from(filler.at(level))).sum::<u128>();
    let capacity = u128::from(capacity.0);
    if sum_at(0) > capacity {
        return fillers.iter().map(|filler| BitsPerSec(filler.floor)).collect();
    }
    // At the level of the largest cap everybody is full, as weights are at least 1.
    let mut level = 0;
    let mut too_high = fillers.iter().map(|filler| filler.cap).max().unwrap_or(0).saturating_add(1);
    while too_high - level > 1 {
        let middle = level + (too_high - level) / 2;
        if sum_at(middle) <= capacity {
            level = middle;
        } else {
            too_high = middle;
        }
    }
    let mut rates: Vec<u64> = fillers.iter().map(|filler| filler.at(level)).collect();
    hand_out(capacity - sum_at(level), &fillers, &mut rates);
    rates.into_iter().map(BitsPerSec).collect()
}

/// The steps between the last whole level that fits and the next one, lowest first, until one does not fit.
fn hand_out(mut left: u128, fillers: &[Filler], rates: &mut [u64]) {
    let step = |index: usize, rate: u64| {
        let filler = fillers.get(index)?;
        let to = filler.after(rate)?;
        Some(Reverse(Step { to, claim: filler.claim, index }))
    };
    let mut steps: BinaryHeap<Reverse<Step>> =
        rates.iter().enumerate().filter_map(|(index, rate)| step(index, *rate)).collect();
    while let Some(Reverse(next)) = steps.pop() {
        let Some(rate) = rates.get_mut(next.index) else { return };
        let size = u128::from(next.to - *rate);
        if size > left {
            return;
        }
        left -= size;
        *rate = next.to;
        steps.extend(step(next.index, next.to));
    }
}

/// A claim made consistent: `floor <= cap`.
struct Filler {
    claim: MaxMinClaim,
    weight: u64,
    floor: u64,
    cap: u64,
    granule: u64,
}

impl Filler {
    fn new(claim: MaxMinClaim, granule: BitsPerSec) -> Self {
        let granule = granule.0.max(1);
        let want = claim.want.0 - claim.want.0 % granule;
        let cap = if claim.ceiling <= claim.want { claim.ceiling.0 } else { want };
        let floor = claim.floor.0;
        Self { claim, weight: u64::from(claim.weight.max(1)), floor, cap: cap.max(floor), granule }
    }

    /// The rate once every step up to `level` (bit/s for each unit of weight) is taken.
    fn at(&self, level: u64) -> u64 {
        let rate = level.saturating_mul(self.weight);
        if rate >= self.cap { self.cap } else { self.floor.max(rate - rate % self.granule) }
    }

    /// Where the step from `rate` leads; `None` once full.
    fn after(&self, rate: u64) -> Option<u64> {
        let next = (rate - rate % self.granule).saturating_add(self.granule);
        (rate < self.cap).then_some(next.min(self.cap))
    }
}

#[derive(PartialEq, Eq)]
struct Step {
    to: u64,
    claim: MaxMinClaim,
    index: usize,
}

impl Step {
    fn weight(&self) -> u128 {
        u128::from(self.claim.weight.max(1))
    }
}

impl Ord for Step {
    fn cmp(&self, other: &Self) -> Ordering {
        // to ÷ weight, compared without dividing.
        let (mine, others) = (u128::from(self.to) * other.weight(), u128::from(other.to) * self.weight());
        mine.cmp(&others).then_with(|| self.claim.cmp(&other.claim)).then_with(|| self.index.cmp(&other.index))
    }
}

impl PartialOrd for Step {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn claim(weight: u32, floor: u64, want: u64, ceiling: u64) -> MaxMinClaim {
        let [floor, want, ceiling] = [floor, want, ceiling].map(BitsPerSec);
        MaxMinClaim { weight, floor, want, ceiling }
    }

    fn rates(capacity: u64, claims: &[MaxMinClaim], granule: u64) -> Vec<u64> {
        max_min(BitsPerSec(capacity), claims, BitsPerSec(granule)).into_iter().map(|rate| rate.0).collect()
    }

    #[test]
    fn what_one_leaves_goes_to_the_others_by_weight() {
        let claims = [claim(10, 0, 80, 1000), claim(10, 0, 1000, 1000), claim(20, 0, 1000, 1000)];
        assert_eq!(rates(680, &claims, 8), vec![80, 200, 400]);
    }

    #[test]
    fn floors_come_before_fairness_and_wants_bound_it() {
        let claims = [claim(1, 300, 1000, 1000), claim(1, 0, 1000, 1000), claim(1, 0, 40, 1000)];
        assert_eq!(rates(500, &claims, 1), vec![300, 160, 40]);
    }

    #[test]
    fn floors_that_do_not_fit_are_still_floors() {
        assert_eq!(rates(100, &[claim(1, 80, 200, 200), claim(1, 70, 200, 200)], 8), vec![80, 70]);
    }

    #[test]
    fn a_ceiling_is_used_as_it_is_and_a_want_in_granules() {
        assert_eq!(rates(1000, &[claim(1, 0, 100, 99), claim(1, 0, 100, 500)], 8), vec![99, 96]);
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let most = u64::MAX;
        assert_eq!(rates(most, &[claim(u32::MAX, 0, most, most)], 8), vec![most]);
        let two = rates(most, &[claim(1000, 0, most, most), claim(1, 0, most, most)], 8_000);
        assert!(u128::from(two[0]) + u128::from(two[1]) <= u128::from(most));
        assert!(rates(0, &[], 8).is_empty());
    }
}
