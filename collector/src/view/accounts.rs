//! Accounts, without their secrets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A row of `GET /v1/accounts`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AccountView {
    pub name: String,
    pub title: String,
    /// member, head, provider, auditor, admin
    pub role: String,
    pub email: Option<String>,
    pub lang: String,
    pub os_user: Option<String>,
    pub provider: Option<String>,
    pub has_password: bool,
    pub has_totp: bool,
    pub disabled: bool,
    pub created_at: u64,
    pub changed_at: u64,
}

/// `POST /v1/accounts`: adds (`add`) or changes one; what is absent stays.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountBody {
    pub name: String,
    #[serde(default)]
    pub add: bool,
    #[serde(default)]
    pub title: Option<String>,
    #[serde(default)]
    pub role: Option<String>,
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default)]
    pub lang: Option<String>,
    #[serde(default)]
    pub os_user: Option<String>,
    #[serde(default)]
    pub provider: Option<String>,
    #[serde(default)]
    pub password: Option<String>,
    #[serde(default)]
    pub disabled: Option<bool>,
    #[serde(default)]
    pub reset_totp: bool,
    /// One-time codes from now on: the seed as it was shown, and the code that it gives now.
    #[serde(default)]
    pub totp_seed: Option<String>,
    #[serde(default)]
    pub totp_code: Option<String>,
}

impl AccountBody {
    /// What everybody may change of themselves; whether it is their own the rules of accounts say.
    pub fn is_personal(&self) -> bool {
        let others = [&self.title, &self.role, &self.email, &self.os_user, &self.provider];
        !self.add && self.disabled.is_none() && !self.reset_totp && others.iter().all(|field| field.is_none())
    }
}

impl std::fmt::Debug for AccountBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountBody").field("name", &self.name).field("add", &self.add).finish_non_exhaustive()
    }
}
