//! Which language a recipient reads, and which clock hangs on the office's wall.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    #[default]
    Id,
    En,
}

/// Time of the office, which has no summer time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// `WIB`
    pub name: String,
    pub offset_minutes: i32,
}

/// Text that is no language of Takar's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownLang;

impl Lang {
    pub const ALL: [Self; 2] = [Self::Id, Self::En];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::En => "en",
        }
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
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
    /// `None` for a name that no zone of Indonesia has.
    pub fn named(name: &str) -> Option<Self> {
        let hours = match name {
            "WIB" => 7,
            "WITA" => 8,
            "WIT" => 9,
            _ => return None,
        };
        Some(Self { name: name.into(), offset_minutes: hours * 60 })
    }
}
