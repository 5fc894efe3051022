//! The map of an agent's clock: followed where the collector's clock was moved, left alone where messages were late.
#![allow(clippy::unwrap_used)] // helpers of tests may unwrap as tests do

use proptest::{collection::vec, prelude::*};
use takar_collector_core::clockmap::ClockMap;
use takar_shared::{MonoMillis, UnixMillis};

const TOLERANCE_MS: u64 = 2_000;
const TEN_YEARS_MS: i64 = 10 * 365 * 86_400_000;
/// The collector's clock as the agent's said 0.
const ZERO_MS: u64 = 1_700_000_000_000;

/// What the collector's clock says at this moment of the agent's, `moved_ms` beside what it said before.
fn wall(at: u64, moved_ms: i64) -> UnixMillis {
    UnixMillis((ZERO_MS + at).saturating_add_signed(moved_ms))
}

/// How far the map is from the truth: above zero where it puts moments too late.
fn error_ms(map: &ClockMap, moved_ms: i64) -> i64 {
    let at = 1_000_000_000;
    map.to_unix(MonoMillis(at)).0.cast_signed() - wall(at, moved_ms).0.cast_signed()
}

#[test]
fn a_clock_put_right_is_followed_and_a_little_is_left_alone() {
    let mut map = ClockMap::new(MonoMillis(1_000), wall(1_000, 0));
    assert_eq!(map.to_unix(MonoMillis(5)), wall(5, 0));
    // Set back: the next message would come from the future.
    assert!(map.hear(MonoMillis(2_000), wall(2_000, -TEN_YEARS_MS), TOLERANCE_MS));
    assert_eq!(error_ms(&map, -TEN_YEARS_MS), 0);
    // And ahead again: three messages that agree, over twice the tolerance.
    for at in [3_000, 4_000, 5_000, 6_000] {
        assert!(!map.hear(MonoMillis(at), wall(at, 0), TOLERANCE_MS), "{at}");
    }
    assert!(map.hear(MonoMillis(7_000), wall(7_000, 0), TOLERANCE_MS));
    assert_eq!(error_ms(&map, 0), 0);
    for moved in [-2_000, 2_000] {
        for at in 8..30 {
            assert!(!map.hear(MonoMillis(at * 1_000), wall(at * 1_000, moved), TOLERANCE_MS), "{moved} {at}");
        }
    }
    assert_eq!(error_ms(&map, 0), 0);
}

proptest! {
    /// Whatever is late, and however long: a moment is never put before the truth, and never further behind it than
    /// the longest delay.
    #[test]
    fn delays_never_put_a_moment_too_early(
        birth_delay in 0..100_000u64,
        messages in vec((0..60_000u64, 0..600_000u64), 1..60),
    ) {
        let mut map = ClockMap::new(MonoMillis(0), wall(birth_delay, 0));
        let (mut made, mut came, mut longest) = (0, 0, birth_delay);
        for (after, delay) in messages {
            made += after;
            // In order only: what is held up holds up what comes after it.
            came = (made + delay).max(came);
            longest = longest.max(came - made);
            let _ = map.hear(MonoMillis(made), wall(came, 0), TOLERANCE_MS);
            let error = error_ms(&map, 0);
            prop_assert!(error >= 0 && error <= longest.cast_signed(), "{} ms, longest {}", error, longest);
        }
    }

    /// A spool that is emptied more than twice as fast as it was filled moves nothing.
    #[test]
    fn a_spool_that_empties_moves_nothing(
        every in 100..30_000u64,
        spooled in 1..300u64,
        faster in 3..1_000u64,
        fresh in 0..20u64,
    ) {
        let mut map = ClockMap::new(MonoMillis(0), wall(0, 0));
        // The first was made right after the Birth; all come when the connection is back.
        let back = every * spooled;
        for number in 0..spooled + fresh {
            let made = every * number;
            let came = (back + every * number / faster).max(made);
            prop_assert!(!map.hear(MonoMillis(made), wall(came, 0), TOLERANCE_MS), "message {}", number);
        }
        prop_assert_eq!(error_ms(&map, 0), 0);
    }

    /// However far the collector's clock is moved, and whatever came late before. The few are three, or as many as two
    /// tolerances take; twice that, since what came late before may look like the beginning of the step.
    #[test]
    fn a_step_is_followed_within_a_few_messages(
        moved_ms in -TEN_YEARS_MS..=TEN_YEARS_MS,
        every in 200..60_000u64,
        before in vec(0..20_000u64, 0..20),
        jitter in vec(0..1_000u64, 64),
    ) {
        let mut map = ClockMap::new(MonoMillis(0), wall(0, 0));
        let (mut made, mut came) = (0, 0);
        for delay in before {
            made += every;
            came = (made + delay).max(came);
            let _ = map.hear(MonoMillis(made), wall(came, 0), TOLERANCE_MS);
        }
        // What was held up is through.
        made = made.max(came);
        let few = 2 * (4 + TOLERANCE_MS * 2 / every);
        for delay in jitter.iter().take(usize::try_from(few).unwrap()) {
            made += every;
            let _ = map.hear(MonoMillis(made), wall(made + delay, moved_ms), TOLERANCE_MS);
        }
        let error = error_ms(&map, moved_ms);
        let most = TOLERANCE_MS.cast_signed() + 1_000;
        prop_assert!(error.abs() <= most, "{} ms after {} messages", error, few);
    }

    /// An agent may say what it likes.
    #[test]
    fn any_times_are_taken(times: Vec<(u64, u64)>, tolerance: u64) {
        let mut map = ClockMap::new(MonoMillis(u64::MAX), UnixMillis(0));
        for (made, now) in times {
            let _ = map.hear(MonoMillis(made), UnixMillis(now), tolerance);
            let _ = map.to_unix(MonoMillis(made));
        }
    }
}
