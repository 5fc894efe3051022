//! In which language a paper is written, and which clock hangs on the office's wall.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    #[default]
    Id,
    En,
}

/// Text that is no language of Takar's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownLang;

/// Time of the office, which has no summer time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// `WIB`
    pub name: &'static str,
    pub offset_minutes: i32,
}

impl Lang {
    pub const ALL: [Self; 2] = [Self::Id, Self::En];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::En => "en",
        }
    }
}

impl FromStr for Lang {
    type Err = UnknownLang;
    fn from_str(text: &str) -> Result<Self, UnknownLang> {
        Self::ALL.into_iter().find(|lang| lang.as_str() == text).ok_or(UnknownLang)
    }
}

impl fmt::Display for UnknownLang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected \"id\" or \"en\"")
    }
}

impl std::error::Error for UnknownLang {}

impl Zone {
    pub const WIB: Self = Self { name: "WIB", offset_minutes: 7 * 60 };
    pub const WITA: Self = Self { name: "WITA", offset_minutes: 8 * 60 };
    pub const WIT: Self = Self { name: "WIT", offset_minutes: 9 * 60 };

    pub fn named(name: &str) -> Option<Self> {
        [Self::WIB, Self::WITA, Self::WIT].into_iter().find(|zone| zone.name == name)
    }
}
