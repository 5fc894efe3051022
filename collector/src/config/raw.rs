//! The config file as it is written, before anything about it was checked.

use std::path::PathBuf;

use serde::Deserialize;

use super::{papers::RawPapers, procedure::RawProcedure, web::RawWeb};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    pub(super) state_dir: PathBuf,
    pub(super) socket: Option<PathBuf>,
    pub(super) socket_group: Option<String>,
    pub(super) broker: RawBroker,
    #[serde(default)]
    pub(super) grant: RawGrant,
    #[serde(default)]
    pub(super) readings: RawReadings,
    #[serde(default)]
    pub(super) assess: RawAssess,
    #[serde(default)]
    pub(super) plan: RawPlan,
    #[serde(default)]
    pub(super) policy: RawPolicy,
    #[serde(default)]
    pub(super) change: RawChange,
    #[serde(default)]
    pub(super) procedure: RawProcedure,
    pub(super) office: Option<takar_report::office::Office>,
    #[serde(default)]
    pub(super) papers: RawPapers,
    pub(super) web: Option<RawWeb>,
    pub(super) notice: Option<takar_notice::config::RawNotice>,
    #[serde(default)]
    pub(super) commit: RawCommit,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBroker {
    pub(super) kind: String,
    pub(super) address: String,
    pub(super) name: Option<String>,
    pub(super) tls: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGrant {
    pub(super) valid_s: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawReadings {
    pub(super) length_s: Option<u64>,
    pub(super) keep: Option<u64>,
    pub(super) max_gap_s: Option<u64>,
    pub(super) counter_step_ms: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAssess {
    pub(super) window: Option<usize>,
    pub(super) saturated_count: Option<usize>,
    pub(super) saturated_per_mille: Option<u32>,
    pub(super) peak_per_mille: Option<u32>,
    pub(super) implausible_per_mille: Option<u32>,
    pub(super) clear_count: Option<usize>,
    pub(super) clear_per_mille: Option<u32>,
    pub(super) idle_per_mille: Option<u32>,
    pub(super) look_back: Option<usize>,
    pub(super) require_queue_evidence: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPlan {
    pub(super) headroom_per_mille: Option<u64>,
    pub(super) min_gain_per_mille: Option<u64>,
    pub(super) min_gain_bps: Option<u64>,
    pub(super) granule_bps: Option<u64>,
    pub(super) max_gain_per_mille: Option<u64>,
    pub(super) hold_down_s: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPolicy {
    pub(super) approve: Option<bool>,
    pub(super) max_gain_per_mille: Option<u64>,
    pub(super) uplinks: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawChange {
    pub(super) confirm_within_s: Option<u64>,
    pub(super) expires_in_s: Option<u64>,
    pub(super) withhold_confirm: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCommit {
    pub(super) every_ms: Option<u64>,
}
