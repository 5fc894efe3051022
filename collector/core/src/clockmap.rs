//! Where an agent's boot-time clock stands against the collector's wall clock.
//!
//! A Birth says what time its agent had as it left. From then on the map lasts as long as the connection, and two
//! things move it: the collector's clock is put right, and two clocks drift. Every message tells when it was made,
//! but it may have waited in the spool. It cannot have come before it was made, though, and that gives two rules.
//!
//! A message that seems to come from the future proves that the map is ahead: it moves back at once. A message that
//! seems old proves nothing. Only where messages go on coming as fast as they are made, each as late as the one
//! before, they were all made just now, and the map moves ahead. A spool that empties sends faster than it was
//! filled: its messages come less and less late. Messages that are held up for long and evenly look like a clock that
//! was put ahead; what that costs is that the map moves back with the first one that is not.

use takar_shared::{MonoMillis, UnixMillis};

/// Messages that must agree before the map moves ahead.
const AGREE: u32 = 3;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockMap {
    /// What to add to the agent's clock to get the collector's, in ms.
    offset_ms: i64,
    late: Option<Late>,
}

/// Messages in a row that came late, and all about as late.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Late {
    count: u32,
    first_made: MonoMillis,
    /// The offsets by which they would have come without delay.
    least_ms: i64,
    most_ms: i64,
}

impl ClockMap {
    /// The agent's clock stood at `told` as this left, and it came at `now`.
    pub fn new(told: MonoMillis, now: UnixMillis) -> Self {
        Self { offset_ms: offset(told, now), late: None }
    }

    pub fn to_unix(&self, at: MonoMillis) -> UnixMillis {
        UnixMillis(at.0.saturating_add_signed(self.offset_ms))
    }

    /// A message made at `made` came at `now`, after all that were made before it. `true`: the map moved, so that no
    /// time across this moment can be measured. Less than `tolerance_ms` never moves it.
    #[must_use]
    pub fn hear(&mut self, made: MonoMillis, now: UnixMillis, tolerance_ms: u64) -> bool {
        let tolerance = i64::try_from(tolerance_ms).unwrap_or(i64::MAX);
        let heard = offset(made, now);
        let late_ms = heard.saturating_sub(self.offset_ms);
        if late_ms < -tolerance {
            *self = Self { offset_ms: heard, late: None };
            return true;
        }
        if late_ms <= tolerance {
            self.late = None;
            return false;
        }
        let begun = Late { count: 0, first_made: made, least_ms: heard, most_ms: heard };
        let known = self.late.take().unwrap_or_else(|| begun.clone());
        let (least_ms, most_ms) = (known.least_ms.min(heard), known.most_ms.max(heard));
        let agrees = most_ms.saturating_sub(least_ms) <= tolerance;
        let late = if agrees { Late { least_ms, most_ms, ..known } } else { begun };
        let late = Late { count: late.count.saturating_add(1), ..late };
        if late.count >= AGREE && made.since(late.first_made) >= tolerance_ms.saturating_mul(2) {
            // Of what it may be, the one with the least delay in it.
            self.offset_ms = late.least_ms;
            return true;
        }
        self.late = Some(late);
        false
    }
}

fn offset(told: MonoMillis, now: UnixMillis) -> i64 {
    now.0.cast_signed().saturating_sub(told.0.cast_signed())
}
