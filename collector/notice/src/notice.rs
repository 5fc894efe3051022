//! One notice: what is told to whom.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use takar_shared::UnixMillis;

use crate::{lang::Lang, topic::Topic};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub id: u64,
    pub made_at: UnixMillis,
    pub to: Recipient,
    pub topic: Topic,
    /// Goes at once, and never waits to share a mail with what is not.
    pub urgent: bool,
    pub case: Option<u64>,
    #[serde(default)]
    pub attachments: Vec<Attachment>,
}

/// Whoever is told. One with neither address nor webhook is told on the page only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// An account here, or `provider:` and the provider's name. Nothing for one recipient goes with another's.
    pub account: String,
    /// As a letter addresses it; empty where nobody knows.
    #[serde(default)]
    pub name: String,
    pub email: Option<String>,
    pub webhook: Option<String>,
    pub lang: Lang,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Of the file as the recipient sees it.
    pub name: String,
    /// `application/pdf`
    pub mime: String,
    pub content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// Read as the mail goes, so that papers are not stored twice.
    File(PathBuf),
    Bytes(#[serde(with = "hexadecimal")] Vec<u8>),
}

/// Bytes in JSON.
mod hexadecimal {
    use std::fmt::Write as _;

    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(bytes.len().saturating_mul(2));
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        serializer.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        takar_shared::id::unhex(&text).ok_or_else(|| D::Error::custom("expected hexadecimal digits, two a byte"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample;

    #[test]
    fn what_is_stored_comes_back() {
        for notice in sample::notices(Lang::Id) {
            let text = serde_json::to_string(&notice).unwrap();
            assert_eq!(serde_json::from_str::<Notice>(&text).unwrap(), notice, "{text}");
        }
    }

    proptest! {
        #[test]
        fn bytes_come_back(bytes: Vec<u8>) {
            let content = Content::Bytes(bytes);
            let text = serde_json::to_string(&content).unwrap();
            prop_assert_eq!(serde_json::from_str::<Content>(&text).unwrap(), content);
        }
    }
}
