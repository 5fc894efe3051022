//! A newtype for every unit that crosses the wire. Integers only.

use core::fmt;
use serde::{Deserialize, Serialize};

/// A rate in bit/s, integer, never scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BitsPerSec(pub u64);

impl BitsPerSec {
    pub const ZERO: Self = Self(0);

    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
    /// `self × per_mille / 1000`, rounded down.
    pub fn per_mille(self, per_mille: u32) -> Self {
        let wide = u128::from(self.0) * u128::from(per_mille) / 1000;
        Self(u64::try_from(wide).unwrap_or(u64::MAX))
    }
}

impl core::iter::Sum for BitsPerSec {
    fn sum<I: Iterator<Item = Self>>(rates: I) -> Self {
        rates.fold(Self::ZERO, Self::saturating_add)
    }
}

/// People read `12.5 Mbit/s`; machines read the integer.
impl fmt::Display for BitsPerSec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, scale) = match self.0 {
            1_000_000_000.. => ("Gbit/s", 1_000_000_000),
            1_000_000.. => ("Mbit/s", 1_000_000),
            1_000.. => ("kbit/s", 1_000),
            rest => return write!(f, "{rest} bit/s"),
        };
        let hundredths = (self.0 % scale) * 100 / scale;
        match hundredths {
            0 => write!(f, "{} {unit}", self.0 / scale),
            h if h % 10 == 0 => write!(f, "{}.{} {unit}", self.0 / scale, h / 10),
            h => write!(f, "{}.{h:02} {unit}", self.0 / scale),
        }
    }
}

/// The subscriber's view: `Down` is towards the site, `Up` is away from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    Down,
    Up,
}

impl Direction {
    pub const BOTH: [Self; 2] = [Self::Down, Self::Up];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Up => "up",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Milliseconds on a boot-time clock: never steps back, runs through suspend, starts at any value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MonoMillis(pub u64);

impl MonoMillis {
    /// Zero when `earlier` is in fact later.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
    pub fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

/// Milliseconds since 1970-01-01 UTC, as the collector's clock tells them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
    pub fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}
