//! Maintenance: what is worked on, from when until when, and why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A row of `GET /v1/maintenance`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MaintenanceView {
    pub id: u64,
    /// link, site, uplink
    pub of: String,
    pub name: String,
    /// The links that it covers, by the register in force.
    pub links: Vec<String>,
    pub from: u64,
    pub until: u64,
    pub reason: String,
    /// to-come, on, over, ended
    pub state: String,
    pub added_at: u64,
    pub added_by: String,
    /// Where somebody ended it before its time.
    pub ended_at: Option<u64>,
    pub ended_by: Option<String>,
}

/// `POST /v1/maintenance`: of exactly one of link, site and uplink.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceBody {
    #[serde(default)]
    pub link: Option<String>,
    #[serde(default)]
    pub site: Option<String>,
    #[serde(default)]
    pub uplink: Option<String>,
    /// Absent: now.
    #[serde(default)]
    pub from: Option<u64>,
    pub until: u64,
    #[schemars(length(min = 1))]
    pub reason: String,
}
