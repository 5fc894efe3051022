//! A person, or a provider's, as it is stored: JSON, one account a row.

use serde::{Deserialize, Serialize};

use super::{Role, password::Hashed, totp::Seed};

/// Never removed, so that a name on record stays whose it was; an account that is no longer wanted is disabled.
/// Its secrets keep themselves out of `Debug`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// A plain name ([`takar_shared::id::plain_name`]): how it is called in the audit log.
    pub name: String,
    /// The full name: how papers call it.
    pub title: String,
    pub role: Role,
    pub email: Option<String>,
    /// `id` or `en`.
    pub lang: String,
    /// The account of the collector's machine that is the same person on the command line.
    pub os_user: Option<String>,
    /// Of [`Role::Provider`], and of no other: which one.
    pub provider: Option<String>,
    /// `None`: it does not log in by page.
    pub password: Option<Hashed>,
    /// One-time codes are asked for where there is one.
    pub totp: Option<Seed>,
    /// The last step whose one-time code was used.
    pub totp_last: u64,
    pub disabled: bool,
    /// Unix milliseconds, as is `changed_at`.
    pub created_at: u64,
    pub changed_at: u64,
}

impl Account {
    pub fn is_enabled_admin(&self) -> bool {
        self.role == Role::Admin && !self.disabled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::password::{self, Cost};

    #[test]
    fn it_reads_back_as_stored_and_shows_no_secret() {
        let password = "kuda laut di Selat Sunda";
        let account = Account {
            name: "siti".into(),
            title: "Siti Rahma".into(),
            role: Role::Head,
            email: Some("siti@office.example".into()),
            lang: "id".into(),
            os_user: None,
            provider: None,
            password: Some(password::new("siti", password, [7; 16], Cost::CHEAP).unwrap()),
            totp: Some(Seed::new([9; 20])),
            totp_last: 59_000_000,
            disabled: false,
            created_at: 1_795_000_000_000,
            changed_at: 1_795_000_000_001,
        };
        let stored = serde_json::to_string(&account).unwrap();
        assert_eq!(serde_json::from_str::<Account>(&stored).unwrap(), account);

        let shown = format!("{account:?}");
        let stored: serde_json::Value = serde_json::from_str(&stored).unwrap();
        for secret in ["password", "totp"] {
            let secret = stored[secret].as_str().unwrap();
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("Siti Rahma"), "{shown}");
    }
}
