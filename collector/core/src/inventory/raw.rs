//! The register as it is written down, row by row, before anything about it was checked. What every office has:
//!
//! ```toml
//! [[provider]]
//! name = "lintasarta"
//! title = "Lintasarta"
//!
//! [[uplink]]
//! name = "ast-01"
//! provider = "lintasarta"
//! down_bps = 100_000_000
//! up_bps = 50_000_000
//! contention_per_mille = 1000 # the default: ceilings add up to the capacity, not more
//!
//! [[site]]
//! name = "sd-02"
//! title = "SD Negeri 02"
//!
//! [[link]]
//! name = "sd-02"
//! site = "sd-02"
//! uplink = "ast-01"
//! device = "core-1"
//! interface = "ether2" # absent: the queues' own counters
//! weight = 10          # the default; 1 to 1000
//! mode = "observe"     # or propose, or live; absent: as it was set
//! down = { queue = "sd-02", cir_bps = 2_000_000, mir_bps = 10_000_000 }
//! up = { class = "1:10", interface = "e-wan", cir_bps = 1_000_000, mir_bps = 5_000_000, ceiling_bps = 20_000_000 }
//! ```
//!
//! Contracts, profiles, needs and holidays are in [`terms`].

mod terms;

use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

pub use terms::{RawContract, RawHoliday, RawNeed, RawProfile};

/// All rows in the order in which they were written; problems are numbered by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawInventory {
    pub providers: Vec<Row<RawProvider>>,
    pub uplinks: Vec<Row<RawUplink>>,
    pub sites: Vec<Row<RawSite>>,
    pub links: Vec<Row<RawLink>>,
    pub contracts: Vec<Row<RawContract>>,
    pub profiles: Vec<Row<RawProfile>>,
    pub needs: Vec<Row<RawNeed>>,
    pub holidays: Vec<Row<RawHoliday>>,
}

/// A row that could be read, or one that could not and keeps its place: its neighbours keep their numbers, and what
/// refers to it is not called unknown as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row<T> {
    Read(T),
    Unread {
        /// Its `name`, where at least that could be read.
        name: Option<String>,
        /// What was wrong, as the reader says it.
        why: String,
    },
}

impl<T> From<T> for Row<T> {
    fn from(row: T) -> Self {
        Self::Read(row)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawProvider {
    pub name: String,
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Whom to ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Where requests are posted to; https, or http on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawUplink {
    pub name: String,
    pub provider: String,
    pub down_bps: u64,
    pub up_bps: u64,
    /// Allowed Σ mir ÷ capacity in thousandths; absent is 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contention_per_mille: Option<u32>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSite {
    pub name: String,
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<u32>,
    /// What its users do, by the name of a `[[profile]]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// WIB, WITA or WIT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawLink {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    pub site: String,
    pub uplink: String,
    pub device: String,
    /// The ifName whose counters are the link's traffic; absent: the queues' own counters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// Absent is 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
    /// First and last day of the allocation; absent: without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<String>,
    /// observe, propose or live; absent: as it was set, and live where it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    // Tables come last, or TOML would read the keys after them as theirs.
    pub down: RawSide,
    pub up: RawSide,
}

/// One direction: exactly one of `queue`, `class` with `interface`, or `root`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSide {
    /// A RouterOS queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// An HTB class, `1:10`, on `interface`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// The interface whose root qdisc (CAKE) shapes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Wanted with `queue` and `class`, refused with `root`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cir_bps: Option<u64>,
    pub mir_bps: u64,
    /// Absent is `cir_bps`, or 0 without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor_bps: Option<u64>,
    /// Absent is the uplink's capacity (for a class in whole bytes, rounded down).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling_bps: Option<u64>,
}
