//! What was agreed and what is wanted: contracts, the profiles of users, needs, and the days on which nobody works.
//!
//! ```toml
//! [[contract]]
//! name = "ast-2026"
//! provider = "lintasarta"
//! uplink = "ast-01"
//! number = "027/SPK/2026"
//! down_bps = 100_000_000
//! up_bps = 50_000_000
//! price_idr = 18_500_000 # a month
//! begins = "2026-01-01"
//! ends = "2026-12-31"
//!
//! [[profile]]
//! name = "school"
//! down_bps = 1_000_000 # a user
//! up_bps = 250_000
//! concurrent_per_mille = 300 # so many of a thousand at once; the default is 1000
//!
//! [[need]]
//! name = "exams"
//! site = "sd-02"
//! users = 120
//! profile = "school" # or down_bps and up_bps in place of both
//! begins = "2026-12-07"
//! ends = "2026-12-18"
//! weekdays = "mon-fri"
//! from = "07:00"
//! to = "12:00"
//! asked_by = "Kepala SD Negeri 02"
//! letter = "421/112/SD02/2026"
//!
//! [[holiday]]
//! date = "2026-12-25"
//! title = "Natal"
//! ```

use alloc::string::String;
use serde::{Deserialize, Serialize};

/// What a provider promised for an uplink, and what it costs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawContract {
    pub name: String,
    pub provider: String,
    pub uplink: String,
    /// As it stands on the paper.
    pub number: String,
    pub down_bps: u64,
    pub up_bps: u64,
    /// Where less is promised towards networks abroad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub international_down_bps: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub international_up_bps: Option<u64>,
    /// Whole rupiah a month; signed, so that a negative one can be named.
    pub price_idr: i64,
    /// What another Mbit/s would cost a month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_per_mbps_idr: Option<i64>,
    /// First and last day, `2026-01-31`.
    pub begins: String,
    pub ends: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

/// What one user of a kind needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawProfile {
    pub name: String,
    pub down_bps: u64,
    pub up_bps: u64,
    /// How many of a thousand users are active at once; absent is 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrent_per_mille: Option<u32>,
}

/// What a site asked for: rates, or users with a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawNeed {
    pub name: String,
    pub site: String,
    /// Absent: the site's links share it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down_bps: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_bps: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// First and last day; absent: without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<String>,
    /// `mon-fri`, `sat sun`; absent is every day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weekdays: Option<String>,
    /// `07:00`, in the site's zone; absent with `to` is the whole day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letter: Option<String>,
}

/// A day on which offices are closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawHoliday {
    pub date: String,
    pub title: String,
}
