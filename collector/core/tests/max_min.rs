//! Shares against a filling that takes one step at a time, and against water at a real-valued level.
#![allow(clippy::unwrap_used)] // helpers of tests may unwrap as tests do

use proptest::{collection::vec, prelude::*};
use takar_collector_core::plan::{MaxMinClaim, max_min};
use takar_shared::BitsPerSec;

fn shares(capacity: u64, claims: &[MaxMinClaim], granule: u64) -> Vec<u64> {
    max_min(BitsPerSec(capacity), claims, BitsPerSec(granule)).into_iter().map(|rate| rate.0).collect()
}

fn claims() -> impl Strategy<Value = Vec<MaxMinClaim>> {
    let claim = (1u32..=5, 0u64..40, 0u64..200, 0u64..200).prop_map(|(weight, floor, want, ceiling)| {
        let [floor, want, ceiling] = [floor, want, ceiling].map(BitsPerSec);
        MaxMinClaim { weight, floor, want, ceiling }
    });
    vec(claim, 0..7)
}

/// The most a claim can come to.
fn cap(claim: &MaxMinClaim, granule: u64) -> u64 {
    let wanted = claim.want.0 / granule * granule;
    let cap = if claim.ceiling <= claim.want { claim.ceiling.0 } else { wanted };
    cap.max(claim.floor.0)
}

fn next(claim: &MaxMinClaim, rate: u64, granule: u64) -> Option<u64> {
    let cap = cap(claim, granule);
    (rate < cap).then(|| ((rate / granule + 1) * granule).min(cap))
}

/// Is `a` at weight `wa` a lower level than `b` at weight `wb`?
fn lower(a: u64, wa: u32, b: u64, wb: u32) -> bool {
    a * u64::from(wb) < b * u64::from(wa)
}

/// One step at a time to whoever ends lowest, until that step does not fit.
fn step_by_step(capacity: u64, claims: &[MaxMinClaim], granule: u64) -> Vec<u64> {
    let mut rates: Vec<u64> = claims.iter().map(|claim| claim.floor.0).collect();
    if rates.iter().sum::<u64>() > capacity {
        return rates;
    }
    loop {
        let mut best: Option<(usize, u64)> = None;
        for (index, claim) in claims.iter().enumerate() {
            let Some(to) = next(claim, rates[index], granule) else { continue };
            let better = best.is_none_or(|(other, other_to)| {
                let rival = &claims[other];
                let tied = to * u64::from(rival.weight) == other_to * u64::from(claim.weight);
                lower(to, claim.weight, other_to, rival.weight) || (tied && claim < rival)
            });
            if better {
                best = Some((index, to));
            }
        }
        let Some((index, to)) = best else { return rates };
        if rates.iter().sum::<u64>() + to - rates[index] > capacity {
            return rates;
        }
        rates[index] = to;
    }
}

/// Real-valued water: every claim at `level × weight` within its floor and cap, level by bisection.
fn water(capacity: u64, claims: &[MaxMinClaim], granule: u64) -> Vec<f64> {
    let at = |level: f64| -> Vec<f64> {
        claims
            .iter()
            .map(|claim| (level * f64::from(claim.weight)).clamp(claim.floor.0 as f64, cap(claim, granule) as f64))
            .collect()
    };
    let (mut low, mut high) = (0.0, 1000.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if at(middle).iter().sum::<f64>() <= capacity as f64 { low = middle } else { high = middle }
    }
    at(low)
}

proptest! {
    #[test]
    fn equals_filling_step_by_step(claims in claims(), capacity in 0u64..900, granule in 1u64..=16) {
        prop_assert_eq!(shares(capacity, &claims, granule), step_by_step(capacity, &claims, granule));
    }

    #[test]
    fn stays_within_a_granule_for_each_claim_of_real_water(
        claims in claims(), capacity in 300u64..900, granule in 1u64..=16,
    ) {
        let slack = ((claims.len() as u64 + 2) * granule) as f64;
        for (share, level) in shares(capacity, &claims, granule).into_iter().zip(water(capacity, &claims, granule)) {
            prop_assert!((share as f64 - level).abs() <= slack + 1e-6, "{share} against {level}");
        }
    }

    #[test]
    fn keeps_bounds_and_wastes_less_than_a_granule(
        claims in claims(), capacity in 300u64..900, granule in 1u64..=16,
    ) {
        let rates = shares(capacity, &claims, granule);
        let sum: u64 = rates.iter().sum();
        prop_assert!(sum <= capacity);
        for (rate, claim) in rates.iter().zip(&claims) {
            prop_assert!(*rate >= claim.floor.0 && *rate <= claim.floor.0.max(claim.want.0.min(claim.ceiling.0)));
            prop_assert!(rate % granule == 0 || *rate == claim.floor.0 || *rate == claim.ceiling.0);
            if next(claim, *rate, granule).is_some() {
                prop_assert!(capacity - sum < granule);
            }
        }
    }

    /// The certificate of max-min fairness: a step up for one would end no lower than anybody who was raised stands.
    #[test]
    fn nobody_gains_but_from_a_lower_or_equal_level(
        claims in claims(), capacity in 0u64..900, granule in 1u64..=16,
    ) {
        let rates = shares(capacity, &claims, granule);
        for (rate, claim) in rates.iter().zip(&claims) {
            let Some(to) = next(claim, *rate, granule) else { continue };
            for (other_rate, other) in rates.iter().zip(&claims).filter(|(rate, other)| **rate > other.floor.0) {
                prop_assert!(!lower(to, claim.weight, *other_rate, other.weight));
            }
        }
    }

    #[test]
    fn more_capacity_lowers_nobody(
        claims in claims(), capacity in 0u64..900, more in 0u64..50, granule in 1u64..=16,
    ) {
        let (before, after) = (shares(capacity, &claims, granule), shares(capacity + more, &claims, granule));
        prop_assert!(before.iter().zip(&after).all(|(before, after)| before <= after));
    }

    #[test]
    fn order_does_not_matter(
        (claims, shuffled) in claims().prop_flat_map(|claims| (Just(claims.clone()), Just(claims).prop_shuffle())),
        capacity in 0u64..900, granule in 1u64..=16,
    ) {
        let paired = |claims: Vec<MaxMinClaim>| {
            let rates = shares(capacity, &claims, granule);
            let mut pairs: Vec<(MaxMinClaim, u64)> = claims.into_iter().zip(rates).collect();
            pairs.sort();
            pairs
        };
        prop_assert_eq!(paired(claims), paired(shuffled));
    }
}
