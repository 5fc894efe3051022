//! Step 1: one verdict for whatever is known, the gravest that holds, and a sentence with it.
#![allow(clippy::unwrap_used)] // helpers of tests may unwrap as tests do

use proptest::prelude::*;
use takar_collector_core::check::{Known, Measured, Verdict, check};
use takar_shared::{BitsPerSec, Direction};

fn rate() -> impl Strategy<Value = BitsPerSec> {
    (0u64..6).prop_map(|one| BitsPerSec(one * 1_000_000))
}

fn measured() -> impl Strategy<Value = Measured> {
    let p95 = || prop::option::of(rate());
    prop_oneof![
        Just(Measured::Not),
        (p95(), rate()).prop_map(|(p95, lacking)| Measured::Short { p95, lacking }),
        (p95(), rate()).prop_map(|(p95, unused)| Measured::Idle { p95, unused }),
        p95().prop_map(|p95| Measured::Fits { p95 }),
    ]
}

fn known() -> impl Strategy<Value = Known> {
    let rates = (rate(), prop::option::of(rate()), rate(), rate(), prop::option::of(rate()));
    (rates, any::<(bool, bool)>(), measured()).prop_map(
        |((recorded, observed, promised, budget, need), (needs_are_kept, is_valid), measured)| Known {
            link: "sd-02".parse().unwrap(),
            direction: Direction::Down,
            recorded,
            observed,
            promised,
            budget,
            need,
            needs_are_kept,
            is_valid,
            measured,
        },
    )
}

/// Which verdicts hold, each by itself.
fn holds(known: &Known, verdict: Verdict) -> bool {
    let need = known.need;
    match verdict {
        Verdict::Drifted => matches!(known.observed, Some(observed) if observed != known.recorded),
        Verdict::OverPromised => known.promised.0 > known.budget.0,
        Verdict::Starved => matches!(known.measured, Measured::Short { .. }),
        Verdict::NeedWithoutAllocation => match need {
            Some(need) => need.0 > known.recorded.0 || !known.is_valid,
            None => false,
        },
        Verdict::NotMeasured => known.measured == Measured::Not,
        Verdict::AllocationWithoutNeed => !known.is_valid || (need.is_none() && known.needs_are_kept),
        Verdict::Idle => matches!(known.measured, Measured::Idle { .. }),
        Verdict::Fits => true,
    }
}

proptest! {
    #[test]
    fn the_gravest_that_holds_is_told_with_its_numbers(known in known()) {
        let checked = check(&known);
        let gravest = Verdict::ALL.into_iter().find(|verdict| holds(&known, *verdict));
        prop_assert_eq!(Some(checked.verdict), gravest);
        prop_assert!(!checked.why.is_empty(), "{checked:?} of {known:?}");
    }
}
