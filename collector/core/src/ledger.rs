//! What the collector keeps about decisions: proposals, batches, changes. Plain records; the moves
//! between their states are in [`crate::batch`].

use alloc::{string::String, vec::Vec};
use core::fmt;
use serde::{Deserialize, Serialize};
use takar_shared::{
    AgentId, BatchId, BitsPerSec, ChangeId, Direction, Name, Serial, UnixMillis,
    queue::Setting,
    receipt::{Refusal, RollbackCause},
};

use crate::{case::CaseId, inventory::LinkName, plan::Proposal};

/// Counts proposals, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProposalId(pub u64);

impl fmt::Display for ProposalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Who did something: a local account, the policy of the config, or Takar itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Actor {
    Person(String),
    Policy,
    Takar,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(name) => f.write_str(name),
            Self::Policy => f.write_str("policy"),
            Self::Takar => f.write_str("takar"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalRecord {
    pub id: ProposalId,
    pub made_at: UnixMillis,
    pub made_by: Actor,
    /// The finding it answers; absent where a person proposed by hand.
    pub finding: Option<u64>,
    /// The case that it was made for; absent in records of before there were cases.
    #[serde(default)]
    pub case: Option<CaseId>,
    /// A person's reason, where one was given.
    pub reason: Option<String>,
    pub proposal: Proposal,
    /// Why the links of the uplink that do not move do not, one sentence each.
    pub others: Vec<(LinkName, String)>,
    pub state: ProposalState,
    pub decided_at: Option<UnixMillis>,
    pub batch: Option<BatchId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProposalState {
    Proposed,
    Approved {
        by: Actor,
    },
    Declined {
        by: Actor,
        reason: String,
    },
    /// The facts it stood on changed before anybody decided.
    Superseded {
        why: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    pub id: BatchId,
    pub proposal: ProposalId,
    pub uplink: crate::inventory::UplinkName,
    pub direction: Direction,
    /// Σ mir that may have been in force as it began: an uplink found above its budget may not go above this.
    pub sum_at_start: BitsPerSec,
    pub state: BatchState,
    pub started_at: UnixMillis,
    pub ended_at: Option<UnixMillis>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BatchState {
    Running,
    Done,
    /// Some changes stand, some do not: capacity goes back by a new plan.
    Partial,
    Failed,
}

/// One command to one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub id: ChangeId,
    pub batch: BatchId,
    pub proposal: ProposalId,
    pub step: u16,
    pub steps: u16,
    pub agent: AgentId,
    pub device: Name,
    /// Drawn when the command is signed.
    pub serial: Option<Serial>,
    pub moves: Vec<LinkMove>,
    pub state: ChangeState,
    pub times: ChangeTimes,
}

/// What the change does to one link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkMove {
    pub link: LinkName,
    pub from: BitsPerSec,
    pub set: Setting,
}

impl Change {
    /// A change either lowers or raises: what does both is split into two.
    pub fn raises(&self) -> bool {
        self.moves.iter().any(|one| one.set.mir > one.from)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeTimes {
    pub made: UnixMillis,
    pub dispatched: Option<UnixMillis>,
    pub applied: Option<UnixMillis>,
    /// When the collector signed Confirm.
    pub confirm_sent: Option<UnixMillis>,
    pub ended: Option<UnixMillis>,
}

/// Waiting → Withdrawn | Dispatched; Dispatched → Refused | Applied | Cancelled | Expired (awaiting
/// a receipt; can still become any); Applied → Confirmed | RolledBack | Cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeState {
    /// Reserved, not signed.
    Waiting,
    Withdrawn,
    Dispatched,
    /// Past its expiry without a receipt: it may have been applied, so it keeps its reservation.
    Expired,
    Refused(Refusal),
    Applied,
    Confirmed,
    RolledBack(RollbackCause),
    Cancelled,
}

impl ChangeState {
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Waiting | Self::Dispatched | Self::Expired | Self::Applied)
    }

    /// May the device have, or come to have, the new values in force?
    pub fn may_be_in_force(self) -> bool {
        matches!(self, Self::Dispatched | Self::Expired | Self::Applied | Self::Confirmed)
    }
}

impl fmt::Display for ChangeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting => f.pad("waiting"),
            Self::Withdrawn => f.pad("withdrawn"),
            Self::Dispatched => f.pad("dispatched"),
            Self::Expired => f.pad("expired"),
            Self::Refused(why) => write!(f, "refused ({})", refusal_words(*why)),
            Self::Applied => f.pad("applied"),
            Self::Confirmed => f.pad("confirmed"),
            Self::RolledBack(cause) => write!(f, "rolled back ({})", rollback_words(*cause)),
            Self::Cancelled => f.pad("cancelled"),
        }
    }
}

/// What the person on duty reads.
pub fn refusal_words(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Observing => "the agent observes only; its config says mode = \"observe\"",
        Refusal::NoGrant => "the agent holds no living grant",
        Refusal::KeysetTooOld => "the agent's keyset is too old",
        Refusal::Expired => "the command came too late",
        Refusal::Ineffective => "the queue shapes nothing: disabled, invalid or passed by",
        Refusal::UnexpectedQueues => "the device's queues are not what was last read (drift)",
        Refusal::ShaperNotAllowed => "the agent's config does not list the shaper",
        Refusal::BelowFloor => "below the floor in the agent's config",
        Refusal::AboveCeiling => "above the ceiling in the agent's config",
        Refusal::BadCir => "the guarantee does not fit the device",
        Refusal::TooManyChanges => "more changes an hour than the agent's config allows",
        Refusal::Busy => "another change of the device is pending",
        Refusal::QueuesUnreadable => "the device's queues could not be read",
        Refusal::Malformed => "the command is malformed",
        Refusal::SerialAhead => "the serial skips ahead",
    }
}

pub fn rollback_words(cause: RollbackCause) -> &'static str {
    match cause {
        RollbackCause::NotConfirmed => "no confirmation in time",
        RollbackCause::ApplyFailed => "the device did not take the values",
        RollbackCause::Ineffective => "the queue shapes nothing: disabled, invalid or passed by",
        RollbackCause::ReadBackDiffers => "the device reads back other values",
        RollbackCause::Restarted => "the agent restarted before it was confirmed",
        RollbackCause::KeyDropped => "the signing key was dropped",
        RollbackCause::Cancelled => "cancelled",
    }
}
