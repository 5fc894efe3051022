//! Whether a link's traffic passes the queue that is to shape it: two counters of the same traffic, the interface's and the
//! queue's, are held against each other. On RouterOS FastTrack, an earlier queue or hardware offload take traffic past a
//! queue that is set and looks well; on Linux a filter that sends it to another class. What is set there has no effect.

use takar_shared::{BitsPerSec, UnixMillis};

use crate::rate::mean_rate;

/// Judged over at least this long: counters of SNMP and of queues move at different moments.
pub const SPAN_MS: u64 = 60_000;
/// Less than this on the link, as a mean, says nothing.
pub const LEAST: BitsPerSec = BitsPerSec(64_000);
/// A queue that less than one part in so many passes is passed by.
pub const PARTS: u64 = 10;

/// Traffic that does not pass its queue, as it was last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bypass {
    pub on_link: BitsPerSec,
    pub through_queue: BitsPerSec,
}

/// One link in one direction. Each poll brings the link's interval first and the queue's octets of the same time after it.
#[derive(Clone, Debug, Default)]
pub struct Passing {
    span: Option<(UnixMillis, UnixMillis)>,
    link: u64,
    queue: u64,
    found: Option<Bypass>,
}

impl Passing {
    pub fn push_link(&mut self, from: UnixMillis, to: UnixMillis, octets: u64) {
        let begun = self.span.map_or(from, |(begun, _)| begun);
        self.span = Some((begun, to));
        self.link = self.link.saturating_add(octets);
    }

    pub fn push_queue(&mut self, octets: u64) {
        self.queue = self.queue.saturating_add(octets);
        let Some((begun, until)) = self.span else { return };
        let lasted_ms = until.since(begun);
        if lasted_ms < SPAN_MS {
            return;
        }
        let rates = mean_rate(self.link, lasted_ms).zip(mean_rate(self.queue, lasted_ms));
        // An idle link says nothing of its queue, for or against what was seen before.
        if let Some((on_link, through_queue)) = rates.filter(|(on_link, _)| *on_link >= LEAST) {
            let passed_by = through_queue.0.saturating_mul(PARTS) < on_link.0;
            self.found = passed_by.then_some(Bypass { on_link, through_queue });
        }
        self.mark_break();
    }

    /// One of the counters was reset or missed: what was summed up cannot be compared.
    pub fn mark_break(&mut self) {
        *self = Self { found: self.found, ..Self::default() };
    }

    pub fn found(&self) -> Option<Bypass> {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Polls of five seconds, these of a long row, so many octets in each on the link and through the queue.
    fn polls(passing: &mut Passing, which: core::ops::Range<u64>, link: u64, queue: u64) {
        for poll in which {
            passing.push_link(UnixMillis(poll * 5_000), UnixMillis(poll * 5_000 + 5_000), link);
            passing.push_queue(queue);
        }
    }

    #[test]
    fn a_minute_past_the_queue_is_found_and_a_minute_through_it_ends_that() {
        let mut passing = Passing::default();
        polls(&mut passing, 0..11, 1_000_000, 0);
        assert_eq!(passing.found(), None, "not a minute yet");
        polls(&mut passing, 11..12, 1_000_000, 0);
        let found = Some(Bypass { on_link: BitsPerSec(1_600_000), through_queue: BitsPerSec(0) });
        assert_eq!(passing.found(), found);
        polls(&mut passing, 12..36, 10, 0);
        assert_eq!(passing.found(), found, "idle says nothing");
        polls(&mut passing, 36..48, 1_000_000, 900_000);
        assert_eq!(passing.found(), None);
    }

    #[test]
    fn polls_of_minutes_are_judged_one_by_one() {
        let mut passing = Passing::default();
        passing.push_link(UnixMillis(0), UnixMillis(300_000), 30_000_000);
        passing.push_queue(1_000);
        assert_eq!(passing.found(), Some(Bypass { on_link: BitsPerSec(800_000), through_queue: BitsPerSec(26) }));
    }

    #[test]
    fn without_the_queues_counter_nothing_is_said() {
        let mut passing = Passing::default();
        for poll in 0..100 {
            passing.push_link(UnixMillis(poll * 5_000), UnixMillis(poll * 5_000 + 5_000), 1_000_000);
        }
        assert_eq!(passing.found(), None);
    }

    proptest! {
        /// However the octets of one traffic are split among polls and breaks, a queue that all of it passes is never
        /// found passed by, whichever counter a poll sees one poll late.
        #[test]
        fn what_passes_is_never_found(octets in prop::collection::vec((0_u64..10_000_000, prop::bool::weighted(0.05)), 13..200)) {
            let mut passing = Passing::default();
            let mut late = 0;
            for (poll, (octets, breaks)) in (0_u64..).zip(&octets) {
                if *breaks {
                    passing.mark_break();
                }
                passing.push_link(UnixMillis(poll * 5_000), UnixMillis(poll * 5_000 + 5_000), *octets);
                // Half of it is counted with the next poll.
                passing.push_queue(late + octets / 2);
                late = octets - octets / 2;
                prop_assert_eq!(passing.found(), None);
            }
        }
    }
}
