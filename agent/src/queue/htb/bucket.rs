//! HTB's rates and token buckets, in the kernel's units.
//!
//! A bucket (burst, cburst) is kept as a *time*: the ticks of 64 ns that its bytes take at the class's rate
//! (`PSCHED_SHIFT` in the kernel's include/net/pkt_sched.h). Sent unchanged with another rate it would shrink or grow
//! with it, and a bucket below one packet caps the throughput; so a bucket is carried over in bytes.

use crate::queue::netlink::rate::ByteRate;

/// The largest packet, as `tc` takes it (iproute2, tc/q_htb.c), in bytes.
const MTU: u64 = 1600;
const TICK_NS: u128 = 64;
const NS_PER_S: u128 = 1_000_000_000;

/// How often the kernel's packet timer can fire a second: 10⁹ with high-resolution timers, else its HZ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerHz(pub u64);

impl TimerHz {
    /// The slowest tick a kernel is built with: its buckets hold the rate on every kernel.
    pub const SLOWEST: Self = Self(100);

    /// Reads /proc/net/psched as iproute2 does (`__get_hz`): four hexadecimal words, of which the third is 10⁶
    /// (µs a second) and the fourth the frequency.
    pub fn parse(psched: &str) -> Option<Self> {
        let mut words = psched.split_ascii_whitespace().map(|word| u64::from_str_radix(word, 16).ok());
        let unit = words.nth(2)??;
        let hz = words.next()??;
        (unit == 1_000_000 && hz != 0).then_some(Self(hz))
    }
}

/// A bucket as the kernel keeps it. At most 275 s of its rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticks(pub u32);

impl Ticks {
    /// The bucket of the same bytes at another rate, but never below what `tc` would give that rate. One that was
    /// `tc`'s default stays the default, so that changes back and forth do not add up.
    pub fn carried(self, from: ByteRate, to: ByteRate, timer: TimerHz) -> Self {
        let smallest = Self::at_least(default_bytes(to, timer), to);
        let was_default = self <= Self::at_least(default_bytes(from, timer), from);
        if was_default { smallest } else { Self::nearest(self.bytes(from), to).max(smallest) }
    }

    /// To the nearest byte.
    pub fn bytes(self, rate: ByteRate) -> u64 {
        let scaled = u128::from(self.0) * per_tick(rate);
        u64::try_from((scaled + NS_PER_S / 2) / NS_PER_S).unwrap_or(u64::MAX)
    }

    fn nearest(bytes: u64, rate: ByteRate) -> Self {
        Self::saturating((u128::from(bytes) * NS_PER_S + per_tick(rate) / 2) / per_tick(rate))
    }

    fn at_least(bytes: u64, rate: ByteRate) -> Self {
        Self::saturating((u128::from(bytes) * NS_PER_S).div_ceil(per_tick(rate)))
    }

    fn saturating(ticks: u128) -> Self {
        Self(u32::try_from(ticks).unwrap_or(u32::MAX))
    }
}

/// What passes in one tick, in byte·ns/s; at least 1, so that it can divide.
fn per_tick(rate: ByteRate) -> u128 {
    (u128::from(rate.0) * TICK_NS).max(1)
}

/// One packet, and what passes until the timer can fire again (iproute2, tc/q_htb.c).
fn default_bytes(rate: ByteRate, timer: TimerHz) -> u64 {
    (rate.0 / timer.0.max(1)).saturating_add(MTU)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HIGH_RESOLUTION: TimerHz = TimerHz(1_000_000_000);

    #[test]
    fn the_timer_is_read_from_psched() {
        assert_eq!(TimerHz::parse("000003e8 00000040 000f4240 3b9aca00\n"), Some(HIGH_RESOLUTION));
        assert_eq!(TimerHz::parse("000003e8 00000040 000f4240 000000fa\n"), Some(TimerHz(250)));
        for odd in ["", "1 2 3 4", "000003e8 00000040 000f4240 00000000", "000003e8 00000040 000f4240 x", "zz"] {
            assert_eq!(TimerHz::parse(odd), None, "{odd:?}");
        }
    }

    /// `tc class add … htb rate 1mbit ceil 2mbit burst 15k` came back as 1,920,000 and 100,000 ticks.
    #[test]
    fn ticks_are_the_ones_tc_sets() {
        assert_eq!(Ticks(1_920_000).bytes(ByteRate(125_000)), 15 * 1024);
        assert_eq!(Ticks(100_000).bytes(ByteRate(250_000)), 1600);
        assert_eq!(Ticks::nearest(15 * 1024, ByteRate(125_000)), Ticks(1_920_000));
        assert_eq!(Ticks::at_least(1600, ByteRate(250_000)), Ticks(100_000));
    }

    #[test]
    fn a_raise_keeps_the_bytes_of_the_bucket() {
        let (slow, fast) = (ByteRate(125_000), ByteRate(500_000));
        assert_eq!(Ticks(1_920_000).carried(slow, fast, HIGH_RESOLUTION), Ticks(480_000));
        assert_eq!(Ticks(100_000).carried(ByteRate(250_000), ByteRate(1_000_000), HIGH_RESOLUTION), Ticks(25_000));
        // Without high-resolution timers 1/250 s of the rate must fit in.
        assert_eq!(
            Ticks(1_920_000).carried(slow, ByteRate(12_500_000), TimerHz(250)).bytes(ByteRate(12_500_000)),
            51_600
        );
        // tc rounds 1600 bytes at 5 GB/s to zero ticks.
        assert_eq!(Ticks(0).carried(ByteRate(5_000_000_000), slow, HIGH_RESOLUTION).bytes(slow), 1600);
    }

    fn rate() -> impl Strategy<Value = ByteRate> {
        (1u64..=20_000_000_000).prop_map(ByteRate)
    }

    proptest! {
        #[test]
        fn no_bucket_is_below_one_packet(ticks: u32, from in rate(), to in rate(), hz in 100u64..=1_000_000_000) {
            let carried = Ticks(ticks).carried(from, to, TimerHz(hz));
            prop_assert!(carried.bytes(to) >= MTU || carried == Ticks(u32::MAX));
        }

        #[test]
        fn the_default_stays_the_default(rates in proptest::collection::vec(rate(), 2..20)) {
            let default = |rate| Ticks::at_least(default_bytes(rate, HIGH_RESOLUTION), rate);
            let mut bucket = default(rates[0]);
            for pair in rates.windows(2) {
                bucket = bucket.carried(pair[0], pair[1], HIGH_RESOLUTION);
                prop_assert_eq!(bucket, default(pair[1]));
            }
        }

        #[test]
        fn there_and_back_costs_a_few_bytes_at_most(
            bytes in 10_000u64..1_000_000, from in 100_000u64..100_000_000, to in 100_000u64..100_000_000,
        ) {
            let (from, to) = (ByteRate(from), ByteRate(to));
            let bucket = Ticks::nearest(bytes, from);
            let back = bucket.carried(from, to, HIGH_RESOLUTION).carried(to, from, HIGH_RESOLUTION);
            // Three conversions to ticks, each off by half a tick (3.2 bytes at 100 MB/s), three to whole bytes.
            prop_assert!(back.bytes(from).abs_diff(bytes) <= 12, "{} became {}", bytes, back.bytes(from));
        }

        #[test]
        fn any_number_is_carried(ticks: u32, from: u64, to: u64, hz: u64) {
            let carried = Ticks(ticks).carried(ByteRate(from), ByteRate(to), TimerHz(hz));
            prop_assert!(carried.0 >= 1);
        }
    }
}
