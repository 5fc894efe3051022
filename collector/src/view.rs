//! What the API shows: the JSON of `--json`, of the HTTP API and of the page are these shapes.
//! Rates are integer bit/s, times are milliseconds since 1970 (UTC), states are lower-case words.

mod accounts;
mod cases;
mod maintenance;
mod reported;

pub use accounts::*;
pub use cases::*;
pub use maintenance::*;
pub use reported::*;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StatusView {
    pub version: String,
    pub network: String,
    pub started_at: u64,
    pub now: u64,
    pub broker: String,
    pub broker_connected: bool,
    pub agents_online: usize,
    pub agents: usize,
    pub uplinks: usize,
    pub links: usize,
    pub findings_open: usize,
    pub proposals_waiting: usize,
    pub changes_open: usize,
    /// Cases that are not over, and those of them whose step is beyond its standard time.
    pub cases_open: usize,
    pub cases_overdue: usize,
    pub samples_stored: u64,
    pub messages_refused: u64,
    pub audit_size: u64,
    pub audit_root: String,
    /// What the person on duty should know, one line each: no ACL on the embedded broker, an uplink promised above its
    /// capacity, an agent not heard of, a case that is overdue, a paper that cannot be drawn.
    pub notices: Vec<String>,
}

/// A row per link and direction.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LinkView {
    pub link: String,
    pub site: String,
    pub uplink: String,
    pub device: String,
    pub direction: String,
    /// The ceiling on record, and the one last read on the device.
    pub recorded_bps: u64,
    pub observed_bps: Option<u64>,
    pub cir_bps: Option<u64>,
    /// Mean of the newest valid reading; absent where nothing valid was measured.
    pub used_bps: Option<u64>,
    pub p95_bps: Option<u64>,
    pub peak_bps: Option<u64>,
    pub utilisation_per_mille: Option<u32>,
    /// shortage, idle, fits, drifted, changing, not-measured, not-reported, maintenance
    pub state: String,
    /// One sentence that says why it is in that state.
    pub why: String,
    pub poll: String,
    /// observe, propose, live
    pub mode: String,
    /// Newest reading's start.
    pub read_at: Option<u64>,
}

/// `POST /v1/links/mode`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkModeBody {
    pub link: String,
    #[schemars(extend("enum" = ["observe", "propose", "live"]))]
    pub mode: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LinkModeView {
    pub link: String,
    pub mode: String,
    pub was: String,
    /// Proposals that moved it and waited.
    pub superseded: Vec<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FindingView {
    pub id: u64,
    pub link: String,
    pub direction: String,
    pub kind: String,
    pub opened_at: u64,
    pub closed_at: Option<u64>,
    pub size_bps: u64,
    pub sentence: String,
    pub evidence: Value,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MoveView {
    pub link: String,
    pub from_bps: u64,
    pub to_bps: u64,
    pub why: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ProposalView {
    pub id: u64,
    pub made_at: u64,
    pub made_by: String,
    pub uplink: String,
    pub direction: String,
    /// proposed, approved, declined, superseded
    pub state: String,
    pub decided_by: Option<String>,
    pub decided_at: Option<u64>,
    /// Of a decline or of what superseded it.
    pub reason: Option<String>,
    pub finding: Option<u64>,
    pub moves: Vec<MoveView>,
    /// Links of the uplink that do not move, and why not.
    pub others: Vec<OtherView>,
    pub sum_before_bps: u64,
    pub sum_after_bps: u64,
    pub budget_bps: u64,
    /// running, done, partial, failed; absent before approval.
    pub batch: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OtherView {
    pub link: String,
    pub why: String,
}

/// What `propose --dry-run` answers, and why there is nothing to propose where there is not.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PlanView {
    pub proposals: Vec<ProposalView>,
    /// Per uplink and direction without a proposal: the reason of every link.
    pub reasons: Vec<ReasonView>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReasonView {
    pub uplink: String,
    pub direction: String,
    pub link: String,
    pub why: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ChangeView {
    pub id: String,
    pub proposal: u64,
    pub batch: String,
    pub step: u16,
    pub steps: u16,
    pub agent: String,
    pub device: String,
    pub serial: Option<u64>,
    /// waiting, withdrawn, dispatched, expired, refused, applied, confirmed, rolled-back, cancelled
    pub state: String,
    /// In words, with the reason of a refusal or rollback.
    pub sentence: String,
    pub moves: Vec<MoveView>,
    pub made_at: u64,
    pub dispatched_at: Option<u64>,
    pub applied_at: Option<u64>,
    pub confirm_sent_at: Option<u64>,
    pub ended_at: Option<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DeviceView {
    pub agent: String,
    pub name: String,
    /// Absent while the agent is only asked for.
    pub device: Option<String>,
    /// pending, approved, quarantined, revoked
    pub enrolment: String,
    pub online: bool,
    pub mode: Option<String>,
    pub software: Option<String>,
    pub poll: Option<String>,
    pub last_heard: Option<u64>,
    pub last_serial: Option<u64>,
    pub boot_epoch: Option<u32>,
    pub shapers: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AuditView {
    pub index: u64,
    pub at: u64,
    pub who: String,
    pub event: String,
    /// The record as hashed.
    pub record: Value,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct VerifyView {
    pub ok: bool,
    pub records: u64,
    pub changes: usize,
    pub root: String,
    pub faults: Vec<Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ImportView {
    pub uplinks: usize,
    pub sites: usize,
    pub links: usize,
    pub changed: bool,
    /// Not errors: what an admin should know of this inventory.
    pub notices: Vec<String>,
}

/// `POST /v1/import`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportBody {
    /// For messages only.
    pub file: String,
    pub text: String,
    #[serde(default)]
    pub dry_run: bool,
}

/// `POST /v1/propose`: by the planner (no moves), or by hand.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposeBody {
    #[serde(default)]
    pub uplink: Option<String>,
    #[serde(default)]
    pub moves: Vec<AskedMove>,
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default)]
    pub dry_run: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskedMove {
    pub link: String,
    #[schemars(extend("enum" = ["down", "up"]))]
    pub direction: String,
    pub to_bps: u64,
}

/// `POST /v1/proposals/{id}/decline`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclineBody {
    #[schemars(length(min = 1))]
    pub reason: String,
}

/// `POST /v1/devices` and `/v1/devices/approve`: the request file's content, or (approve) the name
/// or fingerprint of one that was added. `replace` (approve): agents that serve its devices are taken out.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum DeviceBody {
    Request {
        #[schemars(with = "serde_json::Map<String, Value>")]
        request: takar_shared::bundle::Request,
        #[serde(default)]
        replace: bool,
    },
    Added {
        added: String,
        #[serde(default)]
        replace: bool,
    },
}

/// `GET /v1/session`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SessionView {
    pub account: String,
    /// Absent on the socket, where none is needed.
    pub csrf: Option<String>,
}

/// Every refusal: one clear line a problem.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ErrorView {
    pub problems: Vec<String>,
}
