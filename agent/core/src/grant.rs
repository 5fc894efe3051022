//! Time without a clock: how long the collector's newest Grant lives, and what time it may be at most.
//!
//! The age of a Grant runs on the boot-time clock from the first send of the challenge it echoes,
//! so delay only shortens it and an old Grant cannot be replayed into a fresh one.

use alloc::collections::VecDeque;
use takar_shared::{Challenge, MonoMillis, UnixMillis, grant::Grant};

/// Challenges remembered; an answer to an older one would be stale anyway.
const REMEMBERED: usize = 256;

#[derive(Clone, Debug, Default)]
pub struct GrantClock {
    /// Oldest first: challenge, when it was first sent, its order.
    sent: VecDeque<(Challenge, MonoMillis, u64)>,
    sent_count: u64,
    newest_answered: u64,
    living: Option<Living>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Living {
    first_sent: MonoMillis,
    valid_ms: u64,
    server_time: UnixMillis,
    keyset_min: u32,
}

/// What a living grant allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// It is certainly not later than this.
    pub now_at_most: UnixMillis,
    pub keyset_min: u32,
    pub expires_in_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantOutcome {
    Taken,
    /// Echoes a challenge older than the newest answered one.
    Stale,
    /// Echoes a challenge that this boot never sent, or forgot.
    Unknown,
}

impl GrantClock {
    /// Call once per challenge, at its first send or earlier.
    pub fn challenge_sent(&mut self, challenge: Challenge, now: MonoMillis) {
        self.sent_count += 1;
        self.sent.push_back((challenge, now, self.sent_count));
        if self.sent.len() > REMEMBERED {
            self.sent.pop_front();
        }
    }

    pub fn handle_grant(&mut self, grant: &Grant) -> GrantOutcome {
        let Some(&(_, first_sent, order)) = self.sent.iter().find(|sent| sent.0 == grant.challenge) else {
            return GrantOutcome::Unknown;
        };
        if order < self.newest_answered {
            return GrantOutcome::Stale;
        }
        self.newest_answered = order;
        self.living = Some(Living {
            first_sent,
            valid_ms: u64::from(grant.valid_s) * 1000,
            server_time: grant.server_time,
            keyset_min: grant.keyset_min,
        });
        GrantOutcome::Taken
    }

    /// `None`: without a living grant commands are refused (Confirm needs none).
    pub fn living(&self, now: MonoMillis) -> Option<Granted> {
        let living = self.living?;
        let age = now.since(living.first_sent);
        (age < living.valid_ms).then(|| Granted {
            // The server wrote its time after the challenge left, so adding the whole age can only be late.
            now_at_most: living.server_time.plus(age),
            keyset_min: living.keyset_min,
            expires_in_ms: living.valid_ms - age,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use takar_shared::{BootEpoch, Seq};

    fn grant(challenge: u8, valid_s: u32) -> Grant {
        Grant {
            challenge: Challenge([challenge; 16]),
            valid_s,
            server_time: UnixMillis(1_000_000),
            stored_up_to: (BootEpoch(1), Seq(0)),
            receipts_stored: alloc::vec::Vec::new(),
            keyset_min: 1,
            tell_states: false,
        }
    }

    #[test]
    fn delay_only_shortens_a_grant() {
        let mut clock = GrantClock::default();
        clock.challenge_sent(Challenge([1; 16]), MonoMillis(500));
        assert_eq!(clock.handle_grant(&grant(1, 10)), GrantOutcome::Taken);
        assert_eq!(clock.living(MonoMillis(10_499)).map(|granted| granted.expires_in_ms), Some(1));
        assert_eq!(clock.living(MonoMillis(10_500)), None);
    }

    #[test]
    fn an_older_challenge_is_ignored_after_a_newer_answer() {
        let mut clock = GrantClock::default();
        clock.challenge_sent(Challenge([1; 16]), MonoMillis(0));
        clock.challenge_sent(Challenge([2; 16]), MonoMillis(5_000));
        assert_eq!(clock.handle_grant(&grant(2, 10)), GrantOutcome::Taken);
        assert_eq!(clock.handle_grant(&grant(1, 100)), GrantOutcome::Stale);
        assert_eq!(clock.handle_grant(&grant(3, 100)), GrantOutcome::Unknown);
        assert_eq!(clock.living(MonoMillis(15_000)), None);
    }

    #[test]
    fn now_at_most_is_never_early() {
        let mut clock = GrantClock::default();
        clock.challenge_sent(Challenge([1; 16]), MonoMillis(1_000));
        clock.handle_grant(&grant(1, 60));
        assert_eq!(clock.living(MonoMillis(31_000)).map(|granted| granted.now_at_most), Some(UnixMillis(1_030_000)));
    }
}
