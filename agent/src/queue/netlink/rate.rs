//! Rates as the kernel's shapers hold them: whole bytes a second.

use takar_shared::BitsPerSec;

/// A rate in bytes/s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteRate(pub u64);

impl ByteRate {
    pub const ZERO: Self = Self(0);

    /// `None` where it is no whole number of bytes a second.
    pub fn whole(rate: BitsPerSec) -> Option<Self> {
        rate.0.is_multiple_of(8).then_some(Self(rate.0 / 8))
    }

    pub fn bits(self) -> BitsPerSec {
        BitsPerSec(self.0.saturating_mul(8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_bytes_a_second_are_held() {
        assert_eq!(ByteRate::whole(BitsPerSec(1_000_000)), Some(ByteRate(125_000)));
        assert_eq!(ByteRate::whole(BitsPerSec(1_000_001)), None);
        assert_eq!(ByteRate::whole(BitsPerSec::ZERO), Some(ByteRate::ZERO));
        assert_eq!(ByteRate(u64::MAX).bits(), BitsPerSec(u64::MAX));
    }
}
