use proptest::prelude::*;

use super::*;

const MINUTE: u64 = 60_000;

fn settings(keep: usize) -> WindowSettings {
    WindowSettings { reading_ms: MINUTE, keep, ..WindowSettings::default() }
}

fn window(keep: usize) -> Window {
    Window::new(settings(keep), UnixMillis(0)).unwrap()
}

fn at(ms: u64) -> UnixMillis {
    UnixMillis(ms)
}

/// Whole minutes, one after the other.
fn push_minutes(window: &mut Window, minutes: core::ops::Range<u64>, octets: u64) {
    for minute in minutes {
        window.push_interval(at(minute * MINUTE), at((minute + 1) * MINUTE), octets);
    }
}

#[test]
fn an_interval_is_split_over_the_border() {
    let mut window = window(10);
    window.push_interval(at(0), at(55_000), 0);
    window.push_interval(at(55_000), at(65_000), 1_001);
    window.push_interval(at(65_000), at(120_000), 0);
    let closed = window.close_until(at(2 * MINUTE));
    assert_eq!(closed.iter().map(|reading| reading.octets).collect::<Vec<_>>(), [500, 501]);
    assert!(closed.iter().all(|reading| reading.valid && reading.covered_ms == MINUTE));
}

#[test]
fn a_reading_closes_when_it_is_over() {
    let mut window = window(10);
    push_minutes(&mut window, 0..1, 7);
    assert!(window.close_until(at(MINUTE - 1)).is_empty());
    assert_eq!(window.close_until(at(MINUTE)).len(), 1);
    assert!(window.close_until(at(MINUTE)).is_empty());
    assert_eq!(window.newest().unwrap().octets, 7);
}

#[test]
fn coverage_below_80_percent_is_not_valid() {
    for (covered_ms, valid) in [(47_999, false), (48_000, true)] {
        let mut window = window(10);
        window.push_interval(at(0), at(covered_ms), 1_000);
        assert_eq!(window.close_until(at(MINUTE))[0].valid, valid, "{covered_ms} ms");
    }
}

#[test]
fn data_counted_twice_is_not_valid() {
    let mut window = window(10);
    push_minutes(&mut window, 0..1, 7);
    push_minutes(&mut window, 0..1, 7);
    assert!(!window.close_until(at(MINUTE))[0].valid);
}

#[test]
fn a_break_voids_its_reading_only() {
    let mut window = window(10);
    push_minutes(&mut window, 0..3, 7);
    window.mark_break(at(MINUTE + 5));
    let valid: Vec<bool> = window.close_until(at(3 * MINUTE)).iter().map(|reading| reading.valid).collect();
    assert_eq!(valid, [true, false, true]);
}

#[test]
fn a_ceiling_that_changes_within_a_reading_leaves_no_utilisation() {
    let mut window = window(10);
    push_minutes(&mut window, 0..4, 7_500_000); // 1 Mbit/s
    window.set_ceiling(at(5), BitsPerSec(2_000_000));
    window.set_ceiling(at(MINUTE + 10_000), BitsPerSec(2_000_000)); // read again, the same
    window.set_ceiling(at(2 * MINUTE + 10_000), BitsPerSec(4_000_000));
    let closed = window.close_until(at(4 * MINUTE));
    let shares: Vec<Option<u32>> = closed.iter().map(Reading::utilisation_per_mille).collect();
    assert_eq!(shares, [Some(500), Some(500), None, Some(250)]);
    assert!(closed[2].ceiling_changed && closed[2].valid);
    assert_eq!(closed[2].ceiling, Some(BitsPerSec(4_000_000)));
}

#[test]
fn a_ceiling_that_changes_on_the_border_is_no_change_within() {
    let mut window = window(10);
    push_minutes(&mut window, 0..2, 7_500_000);
    window.set_ceiling(at(0), BitsPerSec(2_000_000));
    window.set_ceiling(at(MINUTE), BitsPerSec(4_000_000));
    let closed = window.close_until(at(2 * MINUTE));
    let shares: Vec<Option<u32>> = closed.iter().map(Reading::utilisation_per_mille).collect();
    assert_eq!(shares, [Some(500), Some(250)]);
}

#[test]
fn zero_means_unlimited() {
    let mut window = window(10);
    push_minutes(&mut window, 0..1, 7);
    window.set_ceiling(at(0), BitsPerSec::ZERO);
    assert_eq!(window.close_until(at(MINUTE))[0].ceiling, None);
}

#[test]
fn a_late_ceiling_counts_from_the_next_reading_on() {
    let mut window = window(10);
    push_minutes(&mut window, 0..2, 7_500_000);
    assert_eq!(window.close_until(at(MINUTE))[0].ceiling, None);
    window.set_ceiling(at(30_000), BitsPerSec(2_000_000));
    window.set_ceiling(at(20_000), BitsPerSec(9_000_000)); // older: what is known stays
    assert_eq!(window.close_until(at(2 * MINUTE))[0].utilisation_per_mille(), Some(500));
}

#[test]
fn queue_counts_add_up_and_the_backlog_is_the_largest() {
    let mut window = window(10);
    let delta = |drops, backlog| QueueDelta { drops, overlimits: 1, backlog };
    window.push_queue(at(30_000), delta(2, 900));
    window.push_queue(at(MINUTE), delta(3, 400)); // counted until the border
    window.push_queue(at(MINUTE + 1), delta(50, 0));
    let closed = window.close_until(at(3 * MINUTE));
    assert_eq!(closed[0].queue, Some(QueueCounts { drops: 5, overlimits: 2, backlog_max: 900 }));
    assert_eq!(closed[1].queue, Some(QueueCounts { drops: 50, overlimits: 1, backlog_max: 0 }));
    assert_eq!(closed[2].queue, None);
}

#[test]
fn the_reading_after_a_gap_says_so_but_not_the_one_after_the_first() {
    let mut window = window(10);
    window.push_interval(at(MINUTE + 50_000), at(2 * MINUTE), 1); // measuring begins late in the second reading
    push_minutes(&mut window, 2..3, 1);
    push_minutes(&mut window, 5..7, 1);
    let gaps: Vec<bool> = window.close_until(at(7 * MINUTE)).iter().map(|reading| reading.gap_before).collect();
    assert_eq!(gaps, [false, false, false, false, true, true, false]);
}

#[test]
fn a_leap_in_time_costs_no_more_than_the_window() {
    let mut window = window(5);
    push_minutes(&mut window, 0..1, 7);
    let closed = window.close_until(at(u64::MAX));
    assert_eq!(closed.len(), 6, "the open one, and the newest five");
    assert_eq!(closed[0].octets, 7);
    assert!(closed[1].gap_before);
    assert_eq!(window.readings().len(), 5);
    assert!(window.open.is_empty());
}

#[test]
fn an_endless_interval_costs_no_more_than_the_window() {
    let mut window = window(5);
    window.push_interval(at(0), at(u64::MAX), u64::MAX);
    assert_eq!(window.open.len(), 5);
    window.push_interval(at(9), at(9), 3);
    window.push_interval(at(9), at(8), 3);
    assert!(window.open.len() <= 5);
}

#[test]
fn every_wrong_setting_is_told() {
    let wrong = WindowSettings { reading_ms: 0, keep: 0, min_coverage_per_mille: 1_001, counter_step_ms: 1 };
    assert_eq!(wrong.validate().unwrap_err().0.len(), 4);
    assert!(Window::new(wrong, at(0)).is_err());
    assert_eq!(WindowSettings::default().validate(), Ok(()));
}

#[test]
fn a_reading_too_short_for_the_counters_is_refused() {
    let fast = WindowSettings { reading_ms: 10_000, ..WindowSettings::default() };
    assert!(fast.validate().is_err());
    assert_eq!(WindowSettings { counter_step_ms: 0, ..fast }.validate(), Ok(()));
}

fn octets_held(window: &Window) -> u64 {
    window.open.values().map(|slot| slot.octets).sum::<u64>() + window.unplaced_octets()
}

proptest! {
    /// Every octet pushed is in a reading that was returned, in an open one, or counted as not placed.
    #[test]
    fn octets_are_conserved(
        intervals in proptest::collection::vec((0u64..4_000_000, 0u64..900_000, 0u64..1_000_000_000_000), 0..40),
        close_every in 1usize..10,
        keep in 1usize..40,
    ) {
        let mut window = window(keep);
        let (mut pushed, mut returned) = (0, 0);
        for (index, (from, length, octets)) in intervals.into_iter().enumerate() {
            window.push_interval(at(from), at(from + length), octets);
            pushed += octets;
            if index % close_every == 0 {
                returned += window.close_until(at(from)).iter().map(|reading| reading.octets).sum::<u64>();
            }
            prop_assert_eq!(returned + octets_held(&window), pushed);
            prop_assert!(window.readings().len() <= keep && window.open.len() <= keep);
        }
    }

    /// Gapless intervals, however they lie, cover every reading exactly.
    #[test]
    fn gapless_intervals_cover_exactly(lengths in proptest::collection::vec(1u64..100_000, 1..60)) {
        let mut window = window(200);
        let mut now = 0;
        for length in lengths {
            window.push_interval(at(now), at(now + length), length * 125); // 1 Mbit/s
            now += length;
        }
        for reading in window.close_until(at(now)) {
            prop_assert!(reading.valid && !reading.gap_before);
            prop_assert_eq!(reading.covered_ms, MINUTE);
            prop_assert_eq!(reading.octets, MINUTE * 125);
        }
    }

    /// Any times and values: no panic, bounded memory, one reading after the other.
    #[test]
    fn nothing_pushed_can_panic(
        steps in proptest::collection::vec((0u8..5, any::<u64>(), any::<u64>(), any::<u64>()), 0..60),
        from in any::<u64>(),
    ) {
        let mut window = Window::new(settings(8), at(from)).unwrap();
        for (what, first, second, value) in steps {
            match what {
                0 => window.push_interval(at(first), at(second), value),
                1 => window.push_queue(at(first), QueueDelta { drops: value, overlimits: value, backlog: second }),
                2 => window.set_ceiling(at(first), BitsPerSec(value)),
                3 => window.mark_break(at(first)),
                _ => { window.close_until(at(first)); }
            }
            prop_assert!(window.readings().len() <= 8 && window.open.len() <= 8);
            for (earlier, later) in window.readings().zip(window.readings().skip(1)) {
                prop_assert!(earlier.start < later.start);
            }
        }
    }
}
