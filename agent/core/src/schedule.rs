//! When to poll, when to publish what was polled, and when to read interface facts.

use takar_shared::MonoMillis;

/// Polls at a fixed beat: a late poll does not shift the ones after it, and missed beats are skipped.
#[derive(Clone, Copy, Debug)]
pub struct Beat {
    every_ms: u64,
    next: MonoMillis,
}

impl Beat {
    pub fn new(every_ms: u64, now: MonoMillis) -> Self {
        Self { every_ms: every_ms.max(1), next: now }
    }

    pub fn next(&self) -> MonoMillis {
        self.next
    }

    /// True at most once a beat.
    pub fn is_due(&mut self, now: MonoMillis) -> bool {
        if now < self.next {
            return false;
        }
        let missed = now.since(self.next) / self.every_ms;
        self.next = self.next.plus((missed + 1).saturating_mul(self.every_ms));
        true
    }
}

/// Several polls a message; at once when something is pinned or a device's state changed.
#[derive(Clone, Copy, Debug)]
pub struct Publish {
    pub polls_per_message: u16,
    waiting: u16,
}

impl Publish {
    pub fn new(polls_per_message: u16) -> Self {
        Self { polls_per_message: polls_per_message.max(1), waiting: 0 }
    }

    /// Call after each round of polls; true when a message is to be made of what waits.
    pub fn polled(&mut self, urgent: bool) -> bool {
        self.waiting = self.waiting.saturating_add(1);
        let due = urgent || self.waiting >= self.polls_per_message;
        if due {
            self.waiting = 0;
        }
        due
    }
}

/// Facts are read this often, and at most so often where polls see one change again and again.
const FACTS_EVERY_MS: u64 = 60_000;
const FACTS_APART_MS: u64 = 10_000;

/// When to read a device's interface facts: once a minute, and soon after a poll saw an interface come, go or change its
/// speed.
#[derive(Clone, Copy, Debug)]
pub struct FactsDue {
    beat: Beat,
    changed: bool,
    not_before: MonoMillis,
}

impl FactsDue {
    pub fn new(now: MonoMillis) -> Self {
        Self { beat: Beat::new(FACTS_EVERY_MS, now), changed: false, not_before: now }
    }

    /// Call after each poll that the device answered; true when they are to be read now.
    pub fn polled(&mut self, changed: bool, now: MonoMillis) -> bool {
        self.changed |= changed;
        if now < self.not_before {
            return false;
        }
        // The beat is asked first: a change that is read in the same moment needs no second read.
        let due = self.beat.is_due(now) || self.changed;
        if due {
            self.changed = false;
            self.not_before = now.plus(FACTS_APART_MS);
        }
        due
    }
}

/// *Pinned*: traffic at 98 % of the ceiling or more.
pub fn is_pinned(bytes: u64, over_ms: u64, mir_bps: u64) -> bool {
    over_ms > 0 && mir_bps > 0 && {
        let served = u128::from(bytes) * 8 * 1000 / u128::from(over_ms);
        served * 100 >= u128::from(mir_bps) * 98
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_skips_what_it_missed() {
        let mut beat = Beat::new(1_000, MonoMillis(0));
        assert!(beat.is_due(MonoMillis(0)));
        assert!(!beat.is_due(MonoMillis(999)));
        assert!(beat.is_due(MonoMillis(3_500)));
        assert_eq!(beat.next(), MonoMillis(4_000));
    }

    #[test]
    fn publishes_every_nth_poll_or_at_once() {
        let mut publish = Publish::new(3);
        assert_eq!([publish.polled(false), publish.polled(false), publish.polled(false)], [false, false, true]);
        assert!(publish.polled(true));
    }

    #[test]
    fn facts_are_due_once_a_minute_and_soon_after_a_change() {
        let mut facts = FactsDue::new(MonoMillis(0));
        let mut polled = |changed, at| facts.polled(changed, MonoMillis(at));
        assert!(polled(true, 1_000), "the first answer");
        assert!(!polled(false, 59_000));
        assert!(polled(false, 61_000));
        assert!(polled(true, 75_000));
        // A change within ten seconds of the last read waits, and is not forgotten.
        assert!(!polled(true, 80_000));
        assert!(!polled(false, 84_999));
        assert!(polled(false, 85_000));
        assert!(!polled(false, 96_000));
        assert!(polled(false, 120_000), "the minutes go on as they did");
    }

    #[test]
    fn pinned_is_98_percent_of_the_ceiling() {
        assert!(is_pinned(1_225_000, 1_000, 10_000_000));
        assert!(!is_pinned(1_224_999, 1_000, 10_000_000));
        assert!(!is_pinned(1, 0, 1));
        assert!(!is_pinned(u64::MAX, 1, 0));
    }
}
