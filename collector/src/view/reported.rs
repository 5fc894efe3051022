//! What devices have, as their agents say: what a register is drafted from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A row of `GET /v1/devices/reported`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReportedView {
    pub agent: String,
    pub device: String,
    pub interfaces: Vec<ReportedInterface>,
    /// Those on the agent's list, each for one direction.
    pub shapers: Vec<ReportedShaper>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReportedInterface {
    pub name: String,
    /// up, down, other, unknown; absent where it was not heard of since the collector started.
    pub oper: Option<String>,
    pub speed_bps: Option<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReportedShaper {
    /// queue, class, root
    pub kind: String,
    /// Of a queue its name, of a class `1:10`, of a root its interface.
    pub name: String,
    /// Of a class.
    pub interface: Option<String>,
    #[schemars(extend("enum" = ["down", "up"]))]
    pub direction: String,
    /// In the agent's own config.
    pub floor_bps: u64,
    pub ceiling_bps: u64,
    /// Absent where it could not be read.
    pub in_force: Option<InForce>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct InForce {
    pub cir_bps: Option<u64>,
    /// 0 is unlimited.
    pub mir_bps: u64,
    pub burst_bps: u64,
    pub disabled: bool,
}
