//! What one queue counts in one direction, of either menu.

use crate::{
    pair::BitsPerSec,
    shaper::{Counters, PACKET_BYTES, Packets},
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub served: Packets,
    pub dropped: Packets,
    pub queued: Packets,
    /// Over the last whole second.
    pub rate: BitsPerSec,
    /// Of `served`, when that second began.
    before: Packets,
}

impl Stats {
    /// What passed it and, where it is the queue that holds the traffic, what it gave up and what waits. Nothing waits
    /// before the first count of a step.
    pub fn count(&mut self, moved: Counters, queued: Packets) {
        self.served.0 = self.served.0.saturating_add(moved.served.0);
        self.dropped.0 = self.dropped.0.saturating_add(moved.dropped.0);
        self.queued.0 = self.queued.0.saturating_add(queued.0);
    }

    /// Before a step.
    pub fn forget_queued(&mut self) {
        self.queued = Packets(0);
    }

    /// Nothing waits and nothing moves; the totals stay.
    pub fn rest(&mut self) {
        *self = Self { served: self.served, dropped: self.dropped, before: self.served, ..Self::default() };
    }

    pub fn close_second(&mut self, took_ms: u64) {
        let moved = self.served.0.saturating_sub(self.before.0);
        let bits = moved.saturating_mul(PACKET_BYTES * 8);
        self.rate = BitsPerSec(bits.saturating_mul(1000) / took_ms.max(1));
        self.before = self.served;
    }

    pub fn bytes(&self) -> u64 {
        self.served.bytes()
    }
    pub fn packets(&self) -> u64 {
        self.served.0
    }
    pub fn packet_rate(&self) -> u64 {
        self.rate.0 / (PACKET_BYTES * 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_the_last_second_and_gone_at_rest() {
        let mut stats = Stats::default();
        let moved = Counters { served: Packets(100), ..Counters::default() };
        stats.count(moved, Packets(3));
        stats.close_second(1000);
        assert_eq!((stats.rate, stats.packet_rate()), (BitsPerSec(1_000_000), 100));
        stats.forget_queued();
        stats.count(moved, Packets(3));
        assert_eq!(stats.queued, Packets(3));
        stats.rest();
        assert_eq!((stats.rate, stats.queued, stats.served), (BitsPerSec(0), Packets(0), Packets(200)));
        stats.close_second(1000);
        assert_eq!(stats.rate, BitsPerSec(0));
    }
}
