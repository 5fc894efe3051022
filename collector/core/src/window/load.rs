//! Load: the three numbers that sum up a series of rates. Integers; no interpolation.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use takar_shared::BitsPerSec;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    pub p95: BitsPerSec,
    pub peak: BitsPerSec,
    pub mean: BitsPerSec,
}

impl Load {
    /// `None` for no rates.
    pub fn of(rates: &[BitsPerSec]) -> Option<Self> {
        Some(Self { p95: p95(rates)?, peak: peak(rates)?, mean: mean(rates)? })
    }
}

/// The 95th percentile by nearest rank: the smallest of the rates that at least 95 % of them do not exceed. With fewer
/// than 20 rates that is the peak.
pub fn p95(rates: &[BitsPerSec]) -> Option<BitsPerSec> {
    let mut sorted: Vec<BitsPerSec> = rates.to_vec();
    sorted.sort_unstable();
    sorted.get(p95_rank(sorted.len()).checked_sub(1)?).copied()
}

/// The 1-based place of the 95th percentile among so many sorted rates: ⌈0.95 n⌉.
pub fn p95_rank(count: usize) -> usize {
    count.saturating_sub(count / 20)
}

/// The largest.
pub fn peak(rates: &[BitsPerSec]) -> Option<BitsPerSec> {
    rates.iter().copied().max()
}

/// Rounded down.
pub fn mean(rates: &[BitsPerSec]) -> Option<BitsPerSec> {
    let sum: u128 = rates.iter().map(|rate| u128::from(rate.0)).sum();
    let count = u128::try_from(rates.len()).ok()?;
    // A mean of u64 is a u64, so the fallback is never taken.
    sum.checked_div(count).map(|mean| BitsPerSec(u64::try_from(mean).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rates(values: &[u64]) -> Vec<BitsPerSec> {
        values.iter().copied().map(BitsPerSec).collect()
    }

    #[test]
    fn nearest_rank() {
        let hundred: Vec<u64> = (1..=100).rev().collect();
        assert_eq!(p95(&rates(&hundred)), Some(BitsPerSec(95)));
        let twenty: Vec<u64> = (1..=20).collect();
        assert_eq!(p95(&rates(&twenty)), Some(BitsPerSec(19)));
        let nineteen: Vec<u64> = (1..=19).collect();
        assert_eq!(p95(&rates(&nineteen)), Some(BitsPerSec(19)));
        assert_eq!(p95(&rates(&[7])), Some(BitsPerSec(7)));
    }

    #[test]
    fn nothing_has_no_load() {
        assert_eq!(Load::of(&[]), None);
    }

    #[test]
    fn the_mean_does_not_overflow() {
        let load = Load::of(&rates(&[u64::MAX, u64::MAX, u64::MAX - 3])).unwrap();
        assert_eq!(load.mean, BitsPerSec(u64::MAX - 1));
        assert_eq!(load.peak, BitsPerSec(u64::MAX));
    }

    proptest! {
        #[test]
        fn p95_is_the_smallest_that_95_percent_do_not_exceed(values in proptest::collection::vec(0u64..50, 1..200)) {
            let rates = rates(&values);
            let p95 = p95(&rates).unwrap();
            let within = |limit: BitsPerSec| rates.iter().filter(|rate| **rate <= limit).count();
            let enough = |limit: BitsPerSec| within(limit) * 100 >= rates.len() * 95;
            prop_assert!(rates.contains(&p95) && enough(p95));
            prop_assert!(rates.iter().filter(|rate| **rate < p95).all(|lower| !enough(*lower)));
        }
    }
}
