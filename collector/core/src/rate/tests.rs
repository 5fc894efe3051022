use alloc::string::ToString;
use proptest::prelude::*;

use super::*;

const GBIT: BitsPerSec = BitsPerSec(1_000_000_000);

/// Without a counter step, so that bounds are exact.
fn limits(max_bps: BitsPerSec) -> RateLimits {
    RateLimits { max_bps, max_gap_ms: 300_000, counter_step_ms: 0 }
}

fn sample(at: u64, value: u64, width: Width) -> CounterSample {
    CounterSample { at: MonoMillis(at), value, width, break_before: false }
}

fn between(earlier: CounterSample, later: CounterSample) -> Result<Interval, NoRate> {
    rate(&earlier, &later, &limits(GBIT))
}

#[test]
fn octets_and_mean_of_two_samples() {
    let interval = between(sample(1_000, 500, Width::Bits64), sample(11_000, 1_250_500, Width::Bits64)).unwrap();
    assert_eq!(interval, Interval { from: MonoMillis(1_000), to: MonoMillis(11_000), octets: 1_250_000 });
    assert_eq!(interval.mean(), Some(BitsPerSec(1_000_000)));
}

#[test]
fn a_32_bit_counter_wraps_once() {
    let interval = between(sample(0, WRAP_32 - 100, Width::Bits32), sample(10_000, 150, Width::Bits32)).unwrap();
    assert_eq!(interval.octets, 250);
}

#[test]
fn a_reset_taken_for_a_wrap_is_implausible() {
    let outcome = between(sample(0, 1_000_000_000, Width::Bits32), sample(10_000, 100, Width::Bits32));
    assert_eq!(
        outcome,
        Err(NoRate::Implausible { octets: WRAP_32 - 1_000_000_000 + 100, elapsed_ms: 10_000, max_bps: GBIT })
    );
}

#[test]
fn a_32_bit_counter_that_may_have_turned_twice_says_nothing() {
    let (earlier, later) = (sample(0, 5, Width::Bits32), sample(60_000, 10, Width::Bits32));
    let said = between(earlier, later);
    assert_eq!(said, Err(NoRate::Ambiguous { elapsed_ms: 60_000, longest_ms: 34_359 }));
    assert_eq!(rate(&earlier, &later, &limits(BitsPerSec(100_000_000))).unwrap().octets, 5);
}

#[test]
fn a_64_bit_counter_that_goes_down_was_reset() {
    let outcome = between(sample(0, 1_000, Width::Bits64), sample(10_000, 999, Width::Bits64));
    assert_eq!(outcome, Err(NoRate::Discontinuity(Break::WentDown)));
}

#[test]
fn no_time_a_gap_and_time_back() {
    let at = |at| sample(at, 7, Width::Bits64);
    assert_eq!(between(at(5), at(5)), Err(NoRate::NoTime));
    assert_eq!(between(at(5), at(4)), Err(NoRate::TimeBack { by_ms: 1 }));
    assert_eq!(between(at(0), at(300_001)), Err(NoRate::Gap { elapsed_ms: 300_001, max_ms: 300_000 }));
    assert!(between(at(0), at(300_000)).is_ok());
}

#[test]
fn another_width_and_an_impossible_value() {
    let outcome = between(sample(0, 7, Width::Bits32), sample(10, 8, Width::Bits64));
    assert_eq!(outcome, Err(NoRate::Discontinuity(Break::WidthChanged)));
    let outcome = between(sample(0, 7, Width::Bits32), sample(10, WRAP_32, Width::Bits32));
    assert_eq!(outcome, Err(NoRate::OutOfRange { value: WRAP_32 }));
}

#[test]
fn one_counter_step_more_than_the_line_is_allowed() {
    // Three seconds of a full 100 Mbit/s line seen within one second, as net-snmp shows it.
    let limits = RateLimits::for_line(BitsPerSec(100_000_000));
    let octets = 37_500_000;
    assert!(rate(&sample(0, 0, Width::Bits64), &sample(1_000, octets, Width::Bits64), &limits).is_ok());
    assert!(rate(&sample(0, 0, Width::Bits64), &sample(1_000, octets * 2, Width::Bits64), &limits).is_err());
}

#[test]
fn a_late_sample_does_not_count_octets_twice() {
    let mut tracker = RateTracker::new(limits(GBIT));
    assert_eq!(tracker.push(sample(10_000, 100, Width::Bits64)), Err(NoRate::First));
    assert_eq!(tracker.push(sample(30_000, 300, Width::Bits64)).unwrap().octets, 200);
    assert_eq!(tracker.push(sample(20_000, 200, Width::Bits64)), Err(NoRate::TimeBack { by_ms: 10_000 }));
    assert_eq!(tracker.push(sample(40_000, 400, Width::Bits64)).unwrap().octets, 100);
}

#[test]
fn after_a_break_counting_starts_anew() {
    let mut tracker = RateTracker::new(limits(GBIT));
    let _ = tracker.push(sample(10_000, 100, Width::Bits64));
    let broken = CounterSample { break_before: true, ..sample(500, 5_000, Width::Bits64) };
    assert_eq!(tracker.push(broken), Err(NoRate::Discontinuity(Break::Flagged)));
    assert_eq!(tracker.push(sample(1_500, 5_001, Width::Bits64)).unwrap().octets, 1);
}

#[test]
fn every_wrong_limit_is_told() {
    let wrong = RateLimits { max_bps: BitsPerSec(0), max_gap_ms: 0, counter_step_ms: 60_001 };
    let problems = wrong.validate().unwrap_err();
    assert_eq!(problems.0.len(), 3, "{problems}");
    assert_eq!(RateLimits::for_line(GBIT).validate(), Ok(()));
}

#[test]
fn a_reason_reads_as_a_sentence() {
    assert_eq!(
        NoRate::Gap { elapsed_ms: 5, max_ms: 4 }.to_string(),
        "5 ms since the sample before, at most 4 ms may pass"
    );
    assert_eq!(NoRate::Discontinuity(Break::WentDown).to_string(), "discontinuity: a 64-bit counter went down");
}

fn any_sample() -> impl Strategy<Value = CounterSample> {
    // Half of the values are near where things go wrong: zero, the 32-bit turn, the end of 64 bits.
    let value = prop_oneof![any::<u64>(), 0u64..1_000, WRAP_32 - 1_000..WRAP_32 + 1_000, u64::MAX - 1_000..=u64::MAX];
    let at = prop_oneof![any::<u64>(), 0u64..1_000_000];
    (at, value, any::<bool>(), proptest::bool::weighted(0.1)).prop_map(|(at, value, wide, break_before)| {
        let width = if wide { Width::Bits64 } else { Width::Bits32 };
        CounterSample { at: MonoMillis(at), value, width, break_before }
    })
}

proptest! {
    /// Whatever comes, nothing panics, and no interval carries more than the line could have.
    #[test]
    fn arbitrary_samples_never_exceed_the_line(
        samples in proptest::collection::vec(any_sample(), 0..60),
        max_bps in prop_oneof![any::<u64>(), 0u64..10_000_000_000],
        max_gap_ms in any::<u64>(),
        counter_step_ms in 0u64..10_000,
    ) {
        let limits = RateLimits { max_bps: BitsPerSec(max_bps), max_gap_ms, counter_step_ms };
        let mut tracker = RateTracker::new(limits);
        for sample in samples {
            let Ok(interval) = tracker.push(sample) else { continue };
            prop_assert!(!sample.break_before, "a discontinuity never yields a rate");
            prop_assert!(interval.from < interval.to && interval.elapsed_ms() <= max_gap_ms);
            let bits = u128::from(interval.octets) * 8_000;
            let longest = u128::from(interval.elapsed_ms()) + u128::from(counter_step_ms);
            prop_assert!(bits <= u128::from(max_bps).saturating_mul(longest));
            // The mean is rounded down, so it never says more than the octets.
            let mean = u128::from(interval.mean().unwrap().0);
            prop_assert!(mean * u128::from(interval.elapsed_ms()) <= bits);
        }
    }

    /// A 32-bit counter read often enough loses nothing, however often it wraps.
    #[test]
    fn wraps_lose_nothing(
        start in 0..WRAP_32,
        steps in proptest::collection::vec((1u64..30_000, 0u64..=1_000), 1..60),
    ) {
        let mut tracker = RateTracker::new(limits(GBIT));
        let _ = tracker.push(sample(0, start, Width::Bits32));
        let (mut at, mut total, mut counted) = (0, 0, 0);
        for (elapsed_ms, load_per_mille) in steps {
            at += elapsed_ms;
            total += elapsed_ms * 125 * load_per_mille; // octets of a 1 Gbit/s line
            counted += tracker.push(sample(at, (start + total) % WRAP_32, Width::Bits32)).unwrap().octets;
        }
        prop_assert_eq!(counted, total);
    }
}
