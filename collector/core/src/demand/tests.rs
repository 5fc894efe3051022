use alloc::{string::ToString, vec};
use proptest::prelude::*;
use takar_shared::UnixMillis;

use super::*;
use crate::window::QueueCounts;

const CEILING: BitsPerSec = BitsPerSec(10_000_000);

/// A minute at so many thousandths of the ceiling.
fn reading(per_mille: u32, drops: Option<u64>) -> Reading {
    Reading {
        start: UnixMillis(0),
        length_ms: 60_000,
        octets: CEILING.per_mille(per_mille).0 * 60 / 8,
        covered_ms: 60_000,
        queue: drops.map(|drops| QueueCounts { drops, ..QueueCounts::default() }),
        ceiling: Some(CEILING),
        ceiling_changed: false,
        broken: false,
        gap_before: false,
        valid: true,
    }
}

fn of(readings: &[Reading]) -> Demand {
    demand(readings, &DemandSettings::default())
}

#[test]
fn below_the_ceiling_demand_is_what_was_served() {
    let demand = of(&[reading(100, None), reading(300, None), reading(200, None), reading(400, None)]);
    assert_eq!(demand.estimate, Estimate::Known(BitsPerSec(4_000_000)));
    let served = demand.served.unwrap();
    assert_eq!((served.p95, served.peak), (BitsPerSec(4_000_000), BitsPerSec(4_000_000)));
    assert_eq!(served.mean, BitsPerSec(2_500_000));
    assert_eq!((demand.valid_readings, demand.unserved), (4, None));
}

#[test]
fn a_pinned_link_without_counters_wants_a_third_more() {
    let demand = of(&[reading(990, None); 4]);
    assert_eq!(demand.estimate, Estimate::AtLeast(BitsPerSec(13_000_000)));
}

#[test]
fn a_pinned_link_with_counters_wants_what_was_dropped_too() {
    // 15,000 packets of 1,000 octets in a minute: 2 Mbit/s.
    let demand = of(&[reading(1_000, Some(15_000)); 4]);
    assert_eq!(demand.estimate, Estimate::AtLeast(BitsPerSec(12_000_000)));
    assert_eq!(demand.unserved, Some(BitsPerSec(2_000_000)));
}

#[test]
fn what_was_dropped_is_believed_within_bounds() {
    assert_eq!(of(&[reading(1_000, Some(0)); 4]).estimate, Estimate::AtLeast(CEILING.per_mille(1_100)));
    assert_eq!(of(&[reading(1_000, Some(u64::MAX)); 4]).estimate, Estimate::AtLeast(CEILING.per_mille(2_000)));
}

#[test]
fn one_pinned_reading_in_a_hundred_does_not_censor_the_percentile() {
    let mut readings = vec![reading(500, None); 99];
    readings.push(reading(1_000, None));
    assert_eq!(of(&readings).estimate, Estimate::Known(BitsPerSec(5_000_000)));
}

#[test]
fn a_reading_pinned_at_a_lower_ceiling_censors_the_percentile() {
    // Its own demand may have been anything above 1.3 Mbit/s.
    let low = Reading { ceiling: Some(BitsPerSec(1_000_000)), ..reading(100, None) };
    let demand = of(&[low, reading(500, None), reading(500, None), reading(500, None)]);
    assert_eq!(demand.estimate, Estimate::AtLeast(BitsPerSec(5_000_000)));
}

#[test]
fn readings_that_say_nothing_are_left_out() {
    let void = Reading { valid: false, ..reading(900, None) };
    let changed = Reading { ceiling_changed: true, ..reading(900, None) };
    let impossible = reading(1_051, None);
    let demand = of(&[void, changed, impossible, reading(100, None), reading(100, None), reading(100, None)]);
    assert_eq!(demand.estimate, Estimate::Unknown(WhyUnknown::NotEnoughReadings { have: 3, need: 4 }));
    assert_eq!(demand.estimate.to_string(), "unknown: 3 of 4 usable readings");
    assert_eq!(demand.served.unwrap().peak, BitsPerSec(1_000_000));
}

#[test]
fn without_a_ceiling_it_is_a_lower_bound() {
    let demand = of(&[Reading { ceiling: None, ..reading(100, None) }; 4]);
    assert_eq!(demand.estimate, Estimate::AtLeast(BitsPerSec(1_000_000)));
}

#[test]
fn nothing_in_nothing_out() {
    let demand = of(&[]);
    assert_eq!(demand.estimate.rate(), None);
    assert_eq!((demand.served, demand.unserved), (None, None));
}

#[test]
fn every_wrong_setting_is_told() {
    let wrong = DemandSettings { min_readings: 0, pinned_per_mille: 0, implausible_per_mille: 1_000, packet_octets: 0 };
    assert_eq!(wrong.validate().unwrap_err().0.len(), 4);
    assert_eq!(DemandSettings::default().validate(), Ok(()));
}

proptest! {
    /// A pinned reading is lifted within bounds; any other one is taken as it is.
    #[test]
    fn a_reading_is_never_lifted_beyond_its_bounds(
        per_mille in 0u32..1_200,
        drops in proptest::option::of(any::<u64>()),
    ) {
        let reading = reading(per_mille, drops);
        match reading_demand(&reading, &DemandSettings::default()) {
            Some(demand) if demand.censored => {
                prop_assert!(per_mille >= 980);
                prop_assert!(demand.rate >= CEILING.per_mille(1_100) && demand.rate <= CEILING.per_mille(2_000));
            }
            Some(demand) => prop_assert_eq!(Some(demand.rate), reading.mean()),
            None => prop_assert!(per_mille > 1_050),
        }
    }
}
