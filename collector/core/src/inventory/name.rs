//! Names that become MQTT topic levels, so that a link cannot be passed for a site.
//!
//! A plain name as [`id::plain_name`] has it: no `/`, `+` or `#` can reach a topic or an ACL (MQTT 5,
//! section 4.7). JSON and postcard show a name as plain text and check it when they read it.

use alloc::string::String;
use core::{error::Error, fmt, str::FromStr};
use serde::{Deserialize, Serialize};
use takar_shared::{Name, id};

/// Text that cannot be a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadName {
    Empty,
    /// Longer than [`Name`] holds.
    TooLong {
        bytes: usize,
    },
    /// Outside `A-Z a-z 0-9 . _ -`.
    Character {
        name: String,
        found: char,
    },
    /// `.` or `..`.
    Dots,
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("expected a name, found empty text"),
            Self::TooLong { bytes } => write!(f, "expected at most 64 bytes, found {bytes}"),
            Self::Character { name, found } => {
                write!(
                    f,
                    "expected only A-Z a-z 0-9 . _ - (it becomes an MQTT topic level), found {found:?} in {name:?}"
                )
            }
            Self::Dots => f.write_str("expected a name other than . and .., which lead elsewhere in a path"),
        }
    }
}

impl Error for BadName {}

macro_rules! topic_name {
    ($(#[$doc:meta])* $id:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "Name", into = "Name")]
        pub struct $id(Name);

        impl $id {
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }
        impl FromStr for $id {
            type Err = BadName;
            fn from_str(text: &str) -> Result<Self, BadName> {
                topic_level(text).map(Self)
            }
        }
        impl TryFrom<Name> for $id {
            type Error = BadName;
            fn try_from(name: Name) -> Result<Self, BadName> {
                name.as_str().parse()
            }
        }
        impl From<$id> for Name {
            fn from(name: $id) -> Name {
                name.0
            }
        }
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

topic_name!(
    /// A link: one site's path through one uplink.
    LinkName
);
topic_name!(
    /// A site: an office, a school, a shop.
    SiteName
);
topic_name!(
    /// An uplink: the capacity that links share.
    UplinkName
);
topic_name!(
    /// Who sells uplinks.
    ProviderName
);
topic_name!(
    /// A contract on an uplink.
    ContractName
);
topic_name!(
    /// A kind of user.
    ProfileName
);
topic_name!(
    /// What a site asked for.
    NeedName
);

/// A name fit to be one level of a topic. The rule is the shared one; here is only what was wrong.
pub(super) fn topic_level(text: &str) -> Result<Name, BadName> {
    id::plain_name(text).map_err(|_| match device_side(text) {
        Err(bad) => bad,
        Ok(_) => match text.chars().find(|&c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))) {
            Some(found) => BadName::Character { name: text.into(), found },
            None => BadName::Dots,
        },
    })
}

/// A name as a device has it (interface, queue): any characters, but not empty and not too long.
pub(super) fn device_side(text: &str) -> Result<Name, BadName> {
    if text.is_empty() {
        return Err(BadName::Empty);
    }
    id::name(text).ok_or(BadName::TooLong { bytes: text.len() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn only_topic_safe_names_are_taken() {
        assert_eq!("sd-02.A_x".parse::<LinkName>().unwrap().to_string(), "sd-02.A_x");
        assert_eq!("".parse::<SiteName>(), Err(BadName::Empty));
        assert_eq!("a".repeat(65).parse::<SiteName>(), Err(BadName::TooLong { bytes: 65 }));
        for bad in ["a/b", "#", "+", "a b", "é", "a\n"] {
            assert!(matches!(bad.parse::<UplinkName>(), Err(BadName::Character { .. })), "{bad:?}");
        }
    }

    #[test]
    fn the_rule_is_the_shared_one_and_what_is_wrong_is_told() {
        assert_eq!(".".parse::<LinkName>(), Err(BadName::Dots));
        assert_eq!("..".parse::<SiteName>(), Err(BadName::Dots));
        assert_eq!(topic_level("...").unwrap().as_str(), "...");
        let long = "a/".repeat(33);
        for text in ["", ".", "..", "...", "a", "a..b", "a b", "é", "a\n", "\u{1b}[2J", long.as_str()] {
            let taken = topic_level(text);
            assert_eq!(taken.clone().ok(), id::plain_name(text).ok(), "{text:?}");
            if let Err(bad) = taken {
                let shown = bad.to_string();
                assert!(!shown.contains(char::is_control), "{shown:?}");
            }
        }
    }

    #[test]
    fn reading_a_stored_name_checks_it() {
        assert!(ProviderName::try_from(id::name("isp").unwrap()).is_ok());
        assert!(ProviderName::try_from(id::name("isp/1").unwrap()).is_err());
    }
}
