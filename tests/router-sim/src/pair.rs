//! Values that a simple queue holds twice, written `upload/download`, and the rate that most of them are.

use std::{fmt, str::FromStr};

/// The site's view: `Up` leaves the site, `Down` comes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Up,
    Down,
}

impl Direction {
    pub const BOTH: [Self; 2] = [Self::Up, Self::Down];

    /// `up` or `down`, as the log writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    /// What RouterOS's messages write before a property of one direction.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Up => "upload-",
            Self::Down => "download-",
        }
    }
}

/// One value each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pair<T> {
    pub up: T,
    pub down: T,
}

impl<T> Pair<T> {
    pub fn of(mut value: impl FnMut(Direction) -> T) -> Self {
        Self { up: value(Direction::Up), down: value(Direction::Down) }
    }
    pub fn get(&self, direction: Direction) -> &T {
        match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        }
    }
    pub fn get_mut(&mut self, direction: Direction) -> &mut T {
        match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        }
    }
}

impl<T: Clone> Pair<T> {
    /// Reads `up/down`, or one value that stands for both, as RouterOS does.
    pub fn read(text: &str, item: impl Fn(&str) -> Option<T>) -> Option<Self> {
        match text.split_once('/') {
            Some((up, down)) => Some(Self { up: item(up)?, down: item(down)? }),
            None => item(text).map(|value| Self { up: value.clone(), down: value }),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Pair<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.up, self.down)
    }
}

/// A rate in bit/s. Prints as a bare integer, as the binary API does. Zero as a max-limit means unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct BitsPerSec(pub u64);

impl fmt::Display for BitsPerSec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Text that is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotARate;

impl fmt::Display for NotARate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a rate: expected bit/s such as 10000000, 512k, 10M or 1G")
    }
}
impl std::error::Error for NotARate {}

/// Reads `10000000`, `512k`, `10M`, `1G`; the suffixes are decimal.
impl FromStr for BitsPerSec {
    type Err = NotARate;

    fn from_str(text: &str) -> Result<Self, NotARate> {
        let (digits, scale) = match text.char_indices().last() {
            Some((at, 'k' | 'K')) => (text.get(..at), 1_000),
            Some((at, 'M')) => (text.get(..at), 1_000_000),
            Some((at, 'G')) => (text.get(..at), 1_000_000_000),
            _ => (Some(text), 1),
        };
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit())).ok_or(NotARate)?;
        let value: u64 = digits.parse().map_err(|_| NotARate)?;
        value.checked_mul(scale).map(Self).ok_or(NotARate)
    }
}

/// Reads a pair of rates such as `5M/20M`.
pub fn read_rates(text: &str) -> Result<Pair<BitsPerSec>, NotARate> {
    Pair::read(text, |item| item.parse().ok()).ok_or(NotARate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_read_with_and_without_suffix() {
        for (text, up, down) in [
            ("10M/10M", 10_000_000, 10_000_000),
            ("10000000/20000000", 10_000_000, 20_000_000),
            ("5k/0", 5_000, 0),
            ("1G/512K", 1_000_000_000, 512_000),
            ("3M", 3_000_000, 3_000_000),
        ] {
            assert_eq!(read_rates(text), Ok(Pair { up: BitsPerSec(up), down: BitsPerSec(down) }), "{text}");
        }
    }

    #[test]
    fn other_text_is_no_rate() {
        for text in ["", "/", "M/M", "-1/1", "+1/1", "1/2/3", "1.5M/1M", "10m/10m", "99999999999999999999/1", "é/1"] {
            assert_eq!(read_rates(text), Err(NotARate), "{text}");
        }
        assert_eq!("18446744073709551615G".parse::<BitsPerSec>(), Err(NotARate));
    }

    #[test]
    fn a_pair_prints_upload_first() {
        assert_eq!(Pair { up: BitsPerSec(5), down: BitsPerSec(7) }.to_string(), "5/7");
    }
}
