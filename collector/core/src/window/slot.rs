//! Slot: a reading that is still being filled.

use takar_shared::BitsPerSec;

use super::{QueueCounts, QueueDelta};

#[derive(Clone, Debug, Default)]
pub(super) struct Slot {
    pub(super) octets: u64,
    pub(super) covered_ms: u64,
    pub(super) queue: Option<QueueCounts>,
    pub(super) broken: bool,
    ceiling: Option<Seen>,
}

/// The ceilings read during a slot; zero means unlimited.
#[derive(Clone, Copy, Debug)]
struct Seen {
    first: Ceiling,
    last: Ceiling,
    differing: bool,
}

/// A ceiling and when it was read, in milliseconds of server time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ceiling {
    pub(super) at: u64,
    pub(super) mir: BitsPerSec,
}

impl Slot {
    pub(super) fn add_octets(&mut self, octets: u64, covered_ms: u64) {
        self.octets = self.octets.saturating_add(octets);
        self.covered_ms = self.covered_ms.saturating_add(covered_ms);
    }

    pub(super) fn add_queue(&mut self, delta: QueueDelta) {
        let counts = QueueCounts { drops: delta.drops, overlimits: delta.overlimits, backlog_max: delta.backlog };
        self.queue = Some(self.queue.unwrap_or_default().and(counts));
    }

    pub(super) fn add_ceiling(&mut self, new: Ceiling) {
        let Some(seen) = &mut self.ceiling else {
            self.ceiling = Some(Seen { first: new, last: new, differing: false });
            return;
        };
        seen.differing |= new.mir != seen.last.mir;
        if new.at < seen.first.at {
            seen.first = new;
        }
        if new.at >= seen.last.at {
            seen.last = new;
        }
    }

    /// The ceiling in force at the end, and whether it was another one before; `before` was in force when the slot
    /// began, at `start`.
    pub(super) fn ceiling_after(&self, before: Option<Ceiling>, start: u64) -> (Option<Ceiling>, bool) {
        let Some(seen) = self.ceiling else { return (before, false) };
        // The first ceiling ever read says what was in force when measuring began: no change.
        let other_before = before.is_some_and(|before| before.mir != seen.first.mir && seen.first.at > start);
        (Some(seen.last), seen.differing || other_before)
    }
}
