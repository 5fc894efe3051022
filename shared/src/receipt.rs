//! Receipt: what became of a command, chained per device.

use serde::{Deserialize, Serialize};

use crate::{BootEpoch, ChangeId, Digest, Name, Serial, birth::QueueSet};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub change: ChangeId,
    pub device: Name,
    pub serial: Serial,
    pub phase: Phase,
    /// What was read back; `None` where nothing was (a refusal before reading).
    pub observed: Option<QueueSet>,
    pub boot_epoch: BootEpoch,
    /// Digest of the receipt before this one on the same device; zero for the first.
    pub previous: Digest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    Refused(Refusal),
    Applied,
    Confirmed,
    RolledBack(RollbackCause),
    Cancelled,
}

/// Why a device refused. A refused command consumed its serial, except [`Refusal::SerialAhead`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The agent observes only.
    Observing,
    NoGrant,
    KeysetTooOld,
    Expired,
    /// The queues are not what the command expected (drift).
    UnexpectedQueues,
    ShaperNotAllowed,
    BelowFloor,
    AboveCeiling,
    /// cir outside floor..=mir, or present where the backend has none, or absent where it has one.
    BadCir,
    TooManyChanges,
    /// Another change of this device is pending.
    Busy,
    QueuesUnreadable,
    /// Empty `set`, a shaper named twice, or a confirm time of zero.
    Malformed,
    SerialAhead,
    /// A queue it names is disabled, invalid or passed by: set, it would have no effect.
    Ineffective,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RollbackCause {
    NotConfirmed,
    ApplyFailed,
    ReadBackDiffers,
    Restarted,
    KeyDropped,
    Cancelled,
    /// Set as told, but a queue it names is disabled, invalid or passed by: without effect is no success.
    Ineffective,
}

/// What a receipt is known by: in the chain, and in a Grant's `receipts_stored`.
pub fn digest(receipt: &Receipt) -> Digest {
    // Plain data of bounded names: encoding it cannot fail.
    Digest::of(&postcard::to_allocvec(receipt).unwrap_or_default())
}
