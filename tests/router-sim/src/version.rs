//! Releases of RouterOS, as far as a client sees that they differ.

use std::{fmt, str::FromStr};

/// The release that the router behaves like; ordered as released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RosVersion {
    major: u16,
    minor: u16,
    patch: u16,
}

impl RosVersion {
    /// Since this one a login carries the password itself (MikroTik API manual, "Initial login").
    pub const V6_43: Self = Self::new(6, 43, 0);
    /// "Old API authentication method will also no longer work" (its changelog).
    pub const V6_45_1: Self = Self::new(6, 45, 1);
    pub const V7_16: Self = Self::new(7, 16, 0);
    /// Since this one an empty result is `!empty`, then `!done` (MikroTik API manual, "Reply word").
    pub const V7_18: Self = Self::new(7, 18, 0);

    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch }
    }

    /// Whether an empty result says so.
    pub fn says_empty(self) -> bool {
        self >= Self::V7_18
    }
}

impl fmt::Display for RosVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { major, minor, patch } = self;
        write!(f, "{major}.{minor}")?;
        if *patch > 0 { write!(f, ".{patch}") } else { Ok(()) }
    }
}

/// Text that is no release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAVersion;

impl fmt::Display for NotAVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a release of RouterOS: expected one such as 6.42.7 or 7.18")
    }
}
impl std::error::Error for NotAVersion {}

impl FromStr for RosVersion {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let mut numbers = text.split('.').map(|digits| digits.parse::<u16>().map_err(|_| NotAVersion));
        let major = numbers.next().ok_or(NotAVersion)??;
        let minor = numbers.next().ok_or(NotAVersion)??;
        let patch = numbers.next().unwrap_or(Ok(0))?;
        if numbers.next().is_some() || !(6..=7).contains(&major) {
            return Err(NotAVersion);
        }
        Ok(Self::new(major, minor, patch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_ordered_by_their_numbers() {
        let read = |text: &str| text.parse::<RosVersion>().unwrap();
        assert!(read("6.42.12") < RosVersion::V6_43 && read("6.45") < RosVersion::V6_45_1);
        assert!(read("7.9") < read("7.16") && !read("7.17.2").says_empty() && read("7.20").says_empty());
        assert_eq!([read("7.18"), read("6.49.10")].map(|version| version.to_string()), ["7.18", "6.49.10"]);
    }

    #[test]
    fn other_text_is_no_release() {
        for text in ["", "7", "7.", "7.x", "5.26", "8.0", "7.1.2.3", "-7.1"] {
            assert_eq!(text.parse::<RosVersion>(), Err(NotAVersion), "{text}");
        }
    }
}
