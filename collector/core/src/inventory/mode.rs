//! How far Takar may go with a link.

use core::{error::Error, fmt, str::FromStr};
use serde::{Deserialize, Serialize};

/// From the most careful on. A link of which nobody ever said anything is [`LinkMode::Live`]: its agent observes only
/// until its own config says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkMode {
    /// Measured and judged; it neither gives nor gets.
    Observe,
    /// Planned; a plan that moves it is approved by a person.
    Propose,
    /// Planned; policy may approve.
    #[default]
    Live,
}

/// Text that names no mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadMode;

impl LinkMode {
    pub const ALL: [Self; 3] = [Self::Observe, Self::Propose, Self::Live];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Propose => "propose",
            Self::Live => "live",
        }
    }
}

impl fmt::Display for LinkMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for LinkMode {
    type Err = BadMode;
    fn from_str(text: &str) -> Result<Self, BadMode> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text).ok_or(BadMode)
    }
}

impl fmt::Display for BadMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected observe, propose or live")
    }
}

impl Error for BadMode {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_reads_back_and_nothing_else_does() {
        for mode in LinkMode::ALL {
            assert_eq!(mode.as_str().parse(), Ok(mode));
        }
        for wrong in ["", "Live", "live ", "off"] {
            assert_eq!(wrong.parse::<LinkMode>(), Err(BadMode), "{wrong:?}");
        }
        assert_eq!(LinkMode::default(), LinkMode::Live);
    }
}
