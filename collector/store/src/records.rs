//! The rows of the store that are not already records of the core.

use takar_collector_core::{
    assess::Finding,
    case::CaseId,
    inventory::{LinkMode, LinkName},
    ledger::Actor,
};
use takar_shared::{
    AgentId, BitsPerSec, BootEpoch, ChangeId, Digest, Direction, Name, Seq, Serial, UnixMillis, birth::Meter,
    bundle::RequestedDevice, queue::Shaper, receipt::Receipt, telemetry::PollOutcome,
};

/// An agent that a person approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentRecord {
    pub id: AgentId,
    pub name: String,
    pub public_key: [u8; 32],
    pub approved_at: UnixMillis,
    pub approved_by: Actor,
    pub revoked: bool,
    /// As asked for at enrolment.
    pub devices: Vec<RequestedDevice>,
}

/// The newest Birth of one epoch of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BirthRow {
    pub agent: AgentId,
    pub at: UnixMillis,
    pub epoch: BootEpoch,
    pub nonce: [u8; 16],
    /// The Birth's body as received, in postcard.
    pub body: Vec<u8>,
}

/// A meter's short name within the store; it outlives restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeterId(pub u32);

/// Where a counter is read, over all agents.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeterKey {
    pub agent: AgentId,
    pub device: Name,
    pub meter: Meter,
}

/// One reading of one meter: four samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleRow {
    /// On the collector's clock.
    pub at: UnixMillis,
    pub meter: MeterId,
    /// As [`takar_shared::telemetry::Reading::values`].
    pub values: [u64; 4],
    /// Octet counters are 32 bits wide and wrap.
    pub narrow: bool,
    /// Rates must not be taken between the reading before this one and this one.
    pub break_before: bool,
}

/// How a poll of a device ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollRow {
    pub at: UnixMillis,
    pub agent: AgentId,
    pub device: Name,
    pub outcome: PollOutcome,
}

/// Messages `from..=to` of an agent that will never come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LossRow {
    pub agent: AgentId,
    pub from: (BootEpoch, Seq),
    pub to: (BootEpoch, Seq),
    /// Counter values lost; `None` where nobody knows.
    pub samples: Option<u64>,
    pub at: UnixMillis,
}

/// An agent whose state was restored from a copy: nothing of it is taken, nothing is signed for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineRow {
    pub agent: AgentId,
    pub at: UnixMillis,
    /// For people, with what to do.
    pub why: String,
}

/// The highest serial that a device reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedSerialRow {
    pub agent: AgentId,
    pub device: Name,
    /// The first in which it was reported.
    pub epoch: BootEpoch,
    pub serial: Serial,
}

/// What a shaper was read to have in force, from `at` until the next row of the same shaper and direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CeilingRow {
    pub at: UnixMillis,
    pub agent: AgentId,
    pub device: Name,
    pub shaper: Shaper,
    pub direction: Direction,
    pub cir: Option<BitsPerSec>,
    /// Zero means unlimited.
    pub mir: BitsPerSec,
    pub disabled: bool,
}

/// An inventory as it was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredInventory {
    pub at: UnixMillis,
    pub by: Actor,
    pub text: String,
    pub digest: Digest,
}

/// The ceiling on record of one link in one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllocationRow {
    pub link: LinkName,
    pub direction: Direction,
    pub cir: Option<BitsPerSec>,
    pub mir: BitsPerSec,
    pub at: UnixMillis,
    /// The change that made it so; `None` where it was read or imported.
    pub change: Option<ChangeId>,
}

/// How far Takar may go with a link, who said so and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkModeRow {
    pub link: LinkName,
    pub mode: LinkMode,
    pub at: UnixMillis,
    pub by: Actor,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingRecord {
    /// Counts findings, from 1.
    pub id: u64,
    pub opened_at: UnixMillis,
    /// `None` while it stands.
    pub closed_at: Option<UnixMillis>,
    pub finding: Finding,
}

/// A signed command that awaits the last receipt of its change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    pub change: ChangeId,
    pub agent: AgentId,
    pub device: Name,
    pub serial: Serial,
    pub expires_at: UnixMillis,
    /// The Command's envelope as signed; sent again as these bytes.
    pub command: Vec<u8>,
    /// The Confirm's envelope, once it is signed.
    pub confirm: Option<Vec<u8>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptRow {
    pub agent: AgentId,
    pub at: UnixMillis,
    /// Of the receipt's body as received: what the next receipt names as `previous`.
    pub digest: Digest,
    pub receipt: Receipt,
}

/// Something frozen into a case: it shows the same in a year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceRow {
    /// Of `body`.
    pub digest: Digest,
    pub case: CaseId,
    pub at: UnixMillis,
    /// What it is: `check`, `verification`, `options`, `allocation`, …
    pub kind: String,
    /// JSON.
    pub body: String,
}

/// Someone who may log in. What an account is made of is the web room's affair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    pub name: String,
    /// JSON.
    pub body: String,
}

/// A paper that was written: a report, a letter, a summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaperRow {
    /// As the office numbers it.
    pub number: String,
    pub kind: PaperKind,
    /// The year that it counts in, and its place in it, from 1.
    pub year: u32,
    pub count: u32,
    /// `None` of a summary.
    pub case: Option<CaseId>,
    pub at: UnixMillis,
    pub files: Vec<PaperFile>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaperKind {
    Report,
    Letter,
    Summary,
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PaperFile {
    /// Below the archive's folder.
    pub path: String,
    pub bytes: u64,
    /// SHA-256.
    pub digest: Digest,
}

impl PaperKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Letter => "letter",
            Self::Summary => "summary",
        }
    }
}

/// A notice on its way to one recipient. What it says is the notice room's affair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Counts deliveries, from 1.
    pub id: u64,
    /// Neither sent nor given up.
    pub open: bool,
    /// JSON.
    pub body: String,
}
