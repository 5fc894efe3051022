//! One direction of one queue: a token bucket at the limit and a FIFO buffer before it, in whole packets.
//!
//! The bucket holds 10 ms of the limit (RouterOS's default `bucket-size` is 100 ms), so that what is served in any
//! second stays within a few per cent of the limit and a log of seconds is easy to judge.

use crate::pair::BitsPerSec;

/// Every simulated packet has this size.
pub const PACKET_BYTES: u64 = 1250;

/// A count of packets of [`PACKET_BYTES`] each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Packets(pub u64);

impl Packets {
    pub fn bytes(self) -> u64 {
        self.0.saturating_mul(PACKET_BYTES)
    }
}

/// Totals since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub offered: Packets,
    pub served: Packets,
    pub dropped: Packets,
}

impl Counters {
    /// What was counted after `earlier`.
    pub fn since(self, earlier: Self) -> Self {
        let less = |now: Packets, then: Packets| Packets(now.0.saturating_sub(then.0));
        Self {
            offered: less(self.offered, earlier.offered),
            served: less(self.served, earlier.served),
            dropped: less(self.dropped, earlier.dropped),
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Shaper {
    counters: Counters,
    backlog: Packets,
    /// What may be sent, in thousandths of a bit: bit/s × ms gives exactly that, without a remainder to lose.
    tokens: u64,
    /// The part of a packet that has arrived, in thousandths of a bit.
    arriving: u64,
}

impl Shaper {
    pub fn counters(&self) -> Counters {
        self.counters
    }
    pub fn backlog(&self) -> Packets {
        self.backlog
    }

    /// Lets `ms` milliseconds pass, in which traffic arrives evenly at `offered` and leaves at `limit` at most.
    /// Here a limit of zero means that nothing passes.
    pub fn advance(&mut self, offered: BitsPerSec, limit: BitsPerSec, ms: u64) {
        self.arriving = self.arriving.saturating_add(offered.0.saturating_mul(ms));
        let arrived = self.arriving / PACKET;
        self.arriving %= PACKET;
        self.tokens = self.tokens.saturating_add(limit.0.saturating_mul(ms));

        let waiting = self.backlog.0.saturating_add(arrived);
        let served = waiting.min(self.tokens / PACKET);
        self.tokens = self.tokens.saturating_sub(served.saturating_mul(PACKET)).min(bucket(limit));
        let left = waiting - served;
        let kept = left.min(buffer(limit).0);
        let dropped = left - kept;

        self.backlog = Packets(kept);
        self.counters.offered.0 = self.counters.offered.0.saturating_add(arrived);
        self.counters.served.0 = self.counters.served.0.saturating_add(served);
        self.counters.dropped.0 = self.counters.dropped.0.saturating_add(dropped);
    }
}

/// The FIFO holds 50 ms at the limit, at least 30 kB.
pub fn buffer(limit: BitsPerSec) -> Packets {
    let bytes = (limit.0 / 8).saturating_mul(BUFFER_MS) / 1000;
    Packets(bytes.max(BUFFER_MIN_BYTES) / PACKET_BYTES)
}

const BUFFER_MS: u64 = 50;
const BUFFER_MIN_BYTES: u64 = 30_000;
const BUCKET_MS: u64 = 10;
/// A packet in thousandths of a bit.
const PACKET: u64 = PACKET_BYTES * 8 * 1000;

/// Unspent tokens that are kept; two packets at least, or a slow queue could never send one.
fn bucket(limit: BitsPerSec) -> u64 {
    limit.0.saturating_mul(BUCKET_MS).max(2 * PACKET)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(shaper: &mut Shaper, offered: u64, limit: u64, step_ms: u64) -> Counters {
        let before = shaper.counters();
        for _ in 0..1000 / step_ms {
            shaper.advance(BitsPerSec(offered), BitsPerSec(limit), step_ms);
        }
        shaper.counters().since(before)
    }

    #[test]
    fn below_the_limit_everything_passes() {
        let mut shaper = Shaper::default();
        for _ in 0..5 {
            let counted = second(&mut shaper, 4_000_000, 5_000_000, 100);
            assert_eq!(counted.served, Packets(400));
            assert_eq!(counted.dropped, Packets(0));
        }
    }

    #[test]
    fn above_the_limit_the_limit_passes_and_the_rest_is_dropped() {
        for step_ms in [1, 10, 100] {
            let mut shaper = Shaper::default();
            second(&mut shaper, 8_000_000, 5_000_000, step_ms);
            let counted = second(&mut shaper, 8_000_000, 5_000_000, step_ms);
            assert_eq!(counted.served, Packets(500), "steps of {step_ms} ms");
            assert_eq!(counted.dropped, Packets(300), "steps of {step_ms} ms");
            assert_eq!(shaper.backlog(), buffer(BitsPerSec(5_000_000)));
        }
    }

    #[test]
    fn offered_is_served_dropped_or_waiting_whatever_happens() {
        // A linear congruential generator is enough to wander through rates, limits and step lengths.
        let mut state = 1_u64;
        let mut pick = |modulus: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % modulus
        };
        for _ in 0..200 {
            let mut shaper = Shaper::default();
            let mut arrived_millibits = 0;
            for _ in 0..200 {
                let (offered, limit, ms) = (pick(50_000_000), pick(40_000_000), pick(400));
                arrived_millibits += offered * ms;
                let before = (shaper.counters(), shaper.backlog());
                shaper.advance(BitsPerSec(offered), BitsPerSec(limit), ms);
                let moved = shaper.counters().since(before.0);
                assert_eq!(
                    moved.offered.0 + before.1.0,
                    moved.served.0 + moved.dropped.0 + shaper.backlog().0,
                    "offered {offered} limit {limit} ms {ms}"
                );
                assert!(shaper.backlog() <= buffer(BitsPerSec(limit)));
            }
            assert_eq!(shaper.counters().offered.0, arrived_millibits / PACKET, "arrivals are lost or invented");
        }
    }

    #[test]
    fn an_idle_hour_saves_up_no_more_than_the_bucket() {
        let mut shaper = Shaper::default();
        shaper.advance(BitsPerSec(0), BitsPerSec(10_000_000), 3_600_000);
        let counted = second(&mut shaper, 20_000_000, 10_000_000, 100);
        assert!(counted.served <= Packets(1010), "{counted:?}");
    }

    #[test]
    fn a_lowered_limit_drops_what_no_longer_fits_the_buffer() {
        let mut shaper = Shaper::default();
        second(&mut shaper, 80_000_000, 40_000_000, 100);
        assert_eq!(shaper.backlog(), Packets(200));
        shaper.advance(BitsPerSec(0), BitsPerSec(1_000_000), 1);
        assert_eq!(shaper.backlog(), buffer(BitsPerSec(1_000_000)));
        assert!(shaper.counters().dropped > Packets(0));
    }

    #[test]
    fn the_buffer_is_fifty_milliseconds_but_never_below_thirty_kilobytes() {
        assert_eq!(buffer(BitsPerSec(100_000_000)), Packets(500));
        assert_eq!(buffer(BitsPerSec(64_000)), Packets(24));
    }
}
