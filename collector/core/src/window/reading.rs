//! Reading: what one link did in one direction during one slice of server time.

use serde::{Deserialize, Serialize};
use takar_shared::{BitsPerSec, UnixMillis};

use crate::rate::mean_rate;

/// A closed slice of time. It never changes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// A multiple of `length_ms`.
    pub start: UnixMillis,
    pub length_ms: u64,
    /// What the counters say passed, during `covered_ms` of it.
    pub octets: u64,
    pub covered_ms: u64,
    /// `None`: the shaper's own counters were not read.
    pub queue: Option<QueueCounts>,
    /// In force at the end; `None` where none is known or where there is no limit.
    pub ceiling: Option<BitsPerSec>,
    /// The ceiling became another one in it, so that a share of "the" ceiling means nothing.
    pub ceiling_changed: bool,
    /// A counter restarted in it.
    pub broken: bool,
    /// The reading before was not covered well enough: its octets may have come along in this one.
    pub gap_before: bool,
    /// Covered well enough, covered once, and not broken.
    pub valid: bool,
}

/// What a shaper's own counters did during a reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueCounts {
    /// Packets.
    pub drops: u64,
    /// Packets that had to wait for the shaper's rate; zero where the backend has no such counter.
    pub overlimits: u64,
    /// Octets waiting: the most that was seen.
    pub backlog_max: u64,
}

impl Reading {
    pub fn end(&self) -> UnixMillis {
        self.start.plus(self.length_ms)
    }

    /// Over the covered part; `None` where nothing was covered.
    pub fn mean(&self) -> Option<BitsPerSec> {
        mean_rate(self.octets, self.covered_ms)
    }

    /// The mean as a share of the ceiling, rounded down; `None` unless the reading is valid and one ceiling was in
    /// force all through it. It may pass 1000.
    pub fn utilisation_per_mille(&self) -> Option<u32> {
        let ceiling = self.ceiling.filter(|_| self.valid && !self.ceiling_changed)?;
        let share = (u128::from(self.mean()?.0) * 1000).checked_div(u128::from(ceiling.0))?;
        Some(u32::try_from(share).unwrap_or(u32::MAX))
    }
}

impl QueueCounts {
    /// Did anything wait or get lost?
    pub fn shows_pressure(&self) -> bool {
        self.drops > 0 || self.overlimits > 0 || self.backlog_max > 0
    }

    /// Both together: counts add up, the backlog is the larger one.
    pub fn and(self, other: Self) -> Self {
        Self {
            drops: self.drops.saturating_add(other.drops),
            overlimits: self.overlimits.saturating_add(other.overlimits),
            backlog_max: self.backlog_max.max(other.backlog_max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READING: Reading = Reading {
        start: UnixMillis(300_000),
        length_ms: 300_000,
        octets: 37_500_000,
        covered_ms: 300_000,
        queue: None,
        ceiling: Some(BitsPerSec(2_000_000)),
        ceiling_changed: false,
        broken: false,
        gap_before: false,
        valid: true,
    };

    #[test]
    fn mean_and_utilisation() {
        assert_eq!(READING.mean(), Some(BitsPerSec(1_000_000)));
        assert_eq!(READING.utilisation_per_mille(), Some(500));
        assert_eq!(READING.end(), UnixMillis(600_000));
    }

    #[test]
    fn the_mean_is_over_what_was_covered() {
        assert_eq!(Reading { covered_ms: 150_000, ..READING }.mean(), Some(BitsPerSec(2_000_000)));
        assert_eq!(Reading { covered_ms: 0, ..READING }.mean(), None);
    }

    #[test]
    fn no_utilisation_without_one_ceiling_and_a_valid_reading() {
        for reading in [
            Reading { ceiling: None, ..READING },
            Reading { ceiling: Some(BitsPerSec::ZERO), ..READING },
            Reading { ceiling_changed: true, ..READING },
            Reading { valid: false, ..READING },
        ] {
            assert_eq!(reading.utilisation_per_mille(), None, "{reading:?}");
        }
        let flood = Reading { octets: u64::MAX, ceiling: Some(BitsPerSec(1)), ..READING };
        assert_eq!(flood.utilisation_per_mille(), Some(u32::MAX));
    }
}
