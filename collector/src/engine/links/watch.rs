//! One link in one direction: what its counters fed, and what was found in that.

use takar_collector_core::{
    assess::{Assessor, NoFinding},
    demand::{Demand, DemandSettings, demand},
    passing::{Bypass, Passing},
    rate::{RateLimits, RateTracker},
    window::{QueueDelta, Window},
};
use takar_shared::{UnixMillis, queue::QueueReading};
use takar_store::SampleRow;

use crate::engine::ingest::counter;

/// Of a shaper, at one moment.
struct QueueCounts {
    at: UnixMillis,
    bytes: u64,
    drops: u64,
    overlimits: u64,
}

pub struct Watch {
    pub window: Window,
    pub assessor: Assessor,
    /// The finding in the store that stands, if one does.
    pub finding: Option<u64>,
    pub no_finding: Option<NoFinding>,
    pub observed: Option<QueueReading>,
    octets: RateTracker,
    queue: Option<QueueCounts>,
    passing: Passing,
}

impl Watch {
    pub(super) fn new(window: Window, assessor: Assessor, limits: RateLimits) -> Self {
        Self {
            window,
            assessor,
            finding: None,
            no_finding: None,
            observed: None,
            octets: RateTracker::new(limits),
            queue: None,
            passing: Passing::default(),
        }
    }

    pub(super) fn feed_octets(&mut self, row: &SampleRow, value: usize) {
        match self.octets.push(counter(row, value)) {
            Ok(interval) => {
                let (from, to) = (UnixMillis(interval.from.0), UnixMillis(interval.to.0));
                self.window.push_interval(from, to, interval.octets);
                self.passing.push_link(from, to, interval.octets);
            }
            Err(why) => {
                if why.is_break() {
                    self.window.mark_break(row.at);
                }
                self.passing.mark_break();
            }
        }
    }

    pub(super) fn feed_queue(&mut self, row: &SampleRow) {
        let [bytes, drops, overlimits, backlog] = row.values;
        let Some(old) = self.queue.replace(QueueCounts { at: row.at, bytes, drops, overlimits }) else { return };
        // Counters that fell were reset: what happened in between is not known.
        let fell = bytes < old.bytes || drops < old.drops || overlimits < old.overlimits;
        if row.break_before || fell || row.at <= old.at {
            self.passing.mark_break();
            return;
        }
        let delta = QueueDelta { drops: drops - old.drops, overlimits: overlimits - old.overlimits, backlog };
        self.window.push_queue(row.at, delta);
        self.passing.push_queue(bytes - old.bytes);
    }

    /// Traffic that does not pass the queue, where that is what was last seen.
    pub fn bypass(&self) -> Option<Bypass> {
        self.passing.found()
    }

    pub fn demand(&self) -> Demand {
        demand(self.window.readings(), &DemandSettings::default())
    }
}
