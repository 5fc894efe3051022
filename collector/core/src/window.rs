//! Window: the last readings of one link in one direction.
//!
//! Server time is cut into readings at multiples of their length, so that all links and all restarts agree on the
//! borders. An interval of octets is split over the readings it touches in proportion to time; the parts always add
//! up to the whole. Where a device moves its counters in steps, a border is wrong by up to one step; hence the rule
//! that a reading lasts at least [`STEPS_A_READING`] steps.
//!
//! What arrives for a reading that is closed, or further ahead than the window is long, is not placed, and counted as
//! such. So memory is bounded by `keep`, whatever times come in.

mod load;
mod reading;
mod slot;

use alloc::{
    collections::{BTreeMap, VecDeque, vec_deque},
    vec::Vec,
};
use serde::{Deserialize, Serialize};
use takar_shared::{BitsPerSec, UnixMillis};

pub use load::{Load, mean, p95, p95_rank, peak};
pub use reading::{QueueCounts, Reading};

use crate::setting::{Checks, Problems, count};
use slot::{Ceiling, Slot};

/// A border is then wrong by at most 5 % of a reading, and a reading that lost a step at one end mostly won one at the
/// other.
pub const STEPS_A_READING: u64 = 20;

/// Builds readings and keeps the newest of them.
#[derive(Clone, Debug)]
pub struct Window {
    settings: WindowSettings,
    /// Open readings by their number (start ÷ length); never before `next`, never `keep` or more after it.
    open: BTreeMap<u64, Slot>,
    /// The number of the next reading to close.
    next: u64,
    closed: VecDeque<Reading>,
    /// Read last before the reading `next`.
    ceiling: Option<Ceiling>,
    /// Where the first interval began; what lies before it was not missed.
    measuring_since: Option<u64>,
    /// Was the reading before `next` covered too little?
    gap: bool,
    unplaced_octets: u64,
}

/// What a shaper's counters did since they were read before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueDelta {
    /// Packets.
    pub drops: u64,
    /// Packets; zero where the backend does not count them.
    pub overlimits: u64,
    /// Octets waiting at this moment.
    pub backlog: u64,
}

impl Window {
    /// Readings begin with the one that holds `from`.
    ///
    /// # Errors
    /// Settings that cannot be worked with.
    pub fn new(settings: WindowSettings, from: UnixMillis) -> Result<Self, Problems> {
        settings.validate()?;
        Ok(Self {
            settings,
            open: BTreeMap::new(),
            next: from.0 / settings.reading_ms,
            closed: VecDeque::new(),
            ceiling: None,
            measuring_since: None,
            gap: false,
            unplaced_octets: 0,
        })
    }

    /// Octets that passed evenly between two moments. An interval without any length cannot be placed.
    pub fn push_interval(&mut self, from: UnixMillis, to: UnixMillis, octets: u64) {
        let (from, to) = (from.0, to.0);
        let elapsed = u128::from(to.saturating_sub(from));
        // Octets until a moment in the interval; differences of this sum up to `octets` exactly.
        let until = |at: u64| {
            let passed = u128::from(octets) * u128::from(at.saturating_sub(from));
            u64::try_from(passed.checked_div(elapsed).unwrap_or(0)).unwrap_or(octets)
        };
        let length = self.settings.reading_ms;
        let first = self.next.max(from / length);
        let last = self.last_open().min(to.saturating_sub(1) / length);
        let mut placed = 0;
        if elapsed > 0 && first <= last {
            self.measuring_since.get_or_insert(from);
            for number in first..=last {
                let start = number.saturating_mul(length);
                let (start, end) = (start.max(from), start.saturating_add(length).min(to));
                let share = until(end).saturating_sub(until(start));
                self.open.entry(number).or_default().add_octets(share, end.saturating_sub(start));
                placed += share;
            }
        }
        self.unplaced_octets = self.unplaced_octets.saturating_add(octets.saturating_sub(placed));
    }

    /// What the shaper's counters did until `at`.
    pub fn push_queue(&mut self, at: UnixMillis, delta: QueueDelta) {
        // What was counted until a border belongs to the reading that ends there.
        if let Some(slot) = self.slot(at.0.saturating_sub(1)) {
            slot.add_queue(delta);
        }
    }

    /// The ceiling read at `at`; zero means unlimited.
    pub fn set_ceiling(&mut self, at: UnixMillis, mir: BitsPerSec) {
        let new = Ceiling { at: at.0, mir };
        if at.0 / self.settings.reading_ms < self.next {
            // Its reading is closed, but it still says what the next one begins with.
            if self.ceiling.is_none_or(|known| known.at <= new.at) {
                self.ceiling = Some(new);
            }
        } else if let Some(slot) = self.slot(at.0) {
            slot.add_ceiling(new);
        }
    }

    /// A counter restarted: the reading that holds `at` is void.
    pub fn mark_break(&mut self, at: UnixMillis) {
        if let Some(slot) = self.slot(at.0) {
            slot.broken = true;
        }
    }

    /// Closes every reading that ends at `until` or before, also those that nothing was pushed into, and returns them,
    /// oldest first. Data of a reading must have come before, so stay behind the clock by as much as messages take.
    /// After a leap longer than the window the readings between are left out.
    pub fn close_until(&mut self, until: UnixMillis) -> Vec<Reading> {
        let due = until.0 / self.settings.reading_ms;
        let keep = count(self.settings.keep);
        let mut closed = Vec::new();
        while self.next < due && !self.open.is_empty() {
            closed.push(self.close_next());
        }
        let kept_from = due.saturating_sub(keep);
        if self.next < kept_from {
            self.next = kept_from; // nothing is open before it, and it would fall out of the window at once
            self.gap = self.measuring_since.is_some();
        }
        while self.next < due {
            closed.push(self.close_next());
        }
        closed
    }

    /// Closed readings, oldest first, at most `keep`.
    pub fn readings(&self) -> vec_deque::Iter<'_, Reading> {
        self.closed.iter()
    }

    pub fn newest(&self) -> Option<&Reading> {
        self.closed.back()
    }

    pub fn settings(&self) -> &WindowSettings {
        &self.settings
    }

    /// Octets that came too late, too far ahead, or without a length of time.
    pub fn unplaced_octets(&self) -> u64 {
        self.unplaced_octets
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowSettings {
    pub reading_ms: u64,
    /// How many closed readings are kept, and how many may be open.
    pub keep: usize,
    /// A reading covered less than this is not valid.
    pub min_coverage_per_mille: u32,
    /// How rarely the device moves its counters; 0 for counters that are always current (tc, RouterOS queues).
    pub counter_step_ms: u64,
}

impl Default for WindowSettings {
    /// A day of 5-minute readings from an agent that moves its counters every 3 s.
    fn default() -> Self {
        Self { reading_ms: 300_000, keep: 288, min_coverage_per_mille: 800, counter_step_ms: 3_000 }
    }
}

impl WindowSettings {
    /// # Errors
    /// Every field that cannot be worked with.
    pub fn validate(&self) -> Result<(), Problems> {
        let mut checks = Checks::default();
        checks.between("reading_ms", self.reading_ms, 1_000, 3_600_000);
        checks.between("keep", count(self.keep), 1, 10_000);
        checks.between("min_coverage_per_mille", self.min_coverage_per_mille.into(), 500, 1_000);
        let least = self.counter_step_ms.saturating_mul(STEPS_A_READING);
        checks.require(
            self.reading_ms >= least,
            "reading_ms",
            self.reading_ms,
            format_args!("at least {least} with counters that move every {} ms", self.counter_step_ms),
        );
        checks.finish()
    }
}

impl Window {
    /// The number of the last reading that may be open.
    fn last_open(&self) -> u64 {
        self.next.saturating_add(count(self.settings.keep)).saturating_sub(1)
    }

    fn slot(&mut self, at: u64) -> Option<&mut Slot> {
        let number = at / self.settings.reading_ms;
        if !(self.next..=self.last_open()).contains(&number) {
            return None;
        }
        Some(self.open.entry(number).or_default())
    }

    fn close_next(&mut self) -> Reading {
        let length_ms = self.settings.reading_ms;
        let start = self.next.saturating_mul(length_ms);
        let slot = self.open.remove(&self.next).unwrap_or_default();
        let (ceiling, ceiling_changed) = slot.ceiling_after(self.ceiling, start);
        let needed = u128::from(length_ms) * u128::from(self.settings.min_coverage_per_mille);
        let covered = u128::from(slot.covered_ms) * 1000 >= needed;
        // The map between the agent's clock and the server's may move by a little; more is data counted twice.
        let once = slot.covered_ms <= length_ms.saturating_add(length_ms / 50);
        let reading = Reading {
            start: UnixMillis(start),
            length_ms,
            octets: slot.octets,
            covered_ms: slot.covered_ms,
            queue: slot.queue,
            ceiling: ceiling.map(|ceiling| ceiling.mir).filter(|mir| *mir > BitsPerSec::ZERO),
            ceiling_changed,
            broken: slot.broken,
            gap_before: self.gap,
            valid: covered && once && !slot.broken,
        };
        self.ceiling = ceiling;
        // The reading in which measuring began is no gap: nothing was missed.
        self.gap = !covered && self.measuring_since.is_some_and(|since| since <= start);
        self.next = self.next.saturating_add(1);
        if self.closed.len() >= self.settings.keep {
            self.closed.pop_front();
        }
        self.closed.push_back(reading);
        reading
    }
}

#[cfg(test)]
mod tests;
