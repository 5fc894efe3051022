//! When to try again. Tries are counted, not days: a clock that jumps must not give up what could still arrive.

const MINUTE_MS: u64 = 60_000;
/// After the first failures; from then on every hour.
const FIRST_MINUTES: [u64; 5] = [1, 2, 5, 15, 30];
const THEN_MINUTES: u64 = 60;
/// Seven days of waiting in all.
const TRIED_FOR_MS: u64 = 7 * 24 * 60 * MINUTE_MS;
/// More than seven days' worth; a bound for what a stored number may say.
const MANY: u32 = 1_000;

/// How long to wait after so many failures.
pub(super) fn wait_ms(failures: u32) -> u64 {
    let Some(nth) = failures.checked_sub(1) else { return 0 };
    let minutes = usize::try_from(nth).ok().and_then(|nth| FIRST_MINUTES.get(nth)).copied();
    minutes.unwrap_or(THEN_MINUTES).saturating_mul(MINUTE_MS)
}

/// After so many failures enough was tried.
pub(super) fn is_enough(failures: u32) -> bool {
    let waited: u64 = (1..failures.min(MANY)).map(wait_ms).sum();
    waited >= TRIED_FOR_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_an_hour() {
        let minutes: Vec<u64> = (0..9).map(|failures| wait_ms(failures) / MINUTE_MS).collect();
        assert_eq!(minutes, [0, 1, 2, 5, 15, 30, 60, 60, 60]);
        assert_eq!(wait_ms(u32::MAX), 60 * MINUTE_MS);
    }

    #[test]
    fn seven_days_are_enough_and_less_is_not() {
        let last = (0..MANY).find(|failures| is_enough(*failures)).unwrap();
        let waited: u64 = (1..last).map(wait_ms).sum();
        assert!((TRIED_FOR_MS..TRIED_FOR_MS + 60 * MINUTE_MS).contains(&waited), "{last} tries, {waited} ms");
        assert!(is_enough(u32::MAX));
    }
}
