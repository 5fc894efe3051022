//! Time that passed, by a wall clock that people may set.

use takar_shared::UnixMillis;

/// Only ever grows. A step back counts as no time, so nothing ends early by it, and from there on time goes on as
/// before, so nothing that was to end by then lasts for ever.
#[derive(Clone, Copy, Debug, Default)]
pub struct Elapsed {
    last: Option<UnixMillis>,
    ms: u64,
}

impl Elapsed {
    pub fn at(&mut self, now: UnixMillis) -> u64 {
        let since = self.last.map_or(0, |last| now.since(last));
        self.last = Some(now);
        self.ms = self.ms.saturating_add(since);
        self.ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_sum_of_what_went_forward(times in prop::collection::vec(0u64..1000, 1..50)) {
            let mut elapsed = Elapsed::default();
            let mut sum = 0;
            let mut last = times[0];
            for time in times {
                sum += time.saturating_sub(last);
                last = time;
                prop_assert_eq!(elapsed.at(UnixMillis(time)), sum);
            }
        }
    }
}
