//! Birth: how an agent introduces itself at every connect, and the state it carries.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::{
    BitsPerSec, BootEpoch, Challenge, ChangeId, Digest, Direction, MonoMillis, Name, Seq, Serial,
    envelope::{Kind, Refused, decode_exact},
    queue::{QueueReading, Shaper},
};

/// Sent at every connect; has no `seq`: it opens its epoch, and what was not stored of older
/// epochs counts as lost unless it still arrives from the spool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Birth {
    pub boot_epoch: BootEpoch,
    /// Random per boot: a known epoch with another nonce is restored state.
    pub boot_nonce: [u8; 16],
    pub challenge: Challenge,
    /// The agent's boot-time clock as this was sent; the collector maps samples to its own clock by it.
    pub now: MonoMillis,
    /// The program's version, for people.
    pub software: Name,
    pub mode: Mode,
    /// The oldest message the spool still holds: what is older and not stored is lost.
    pub spooled_from: (BootEpoch, Seq),
    pub devices: Vec<DeviceBirth>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Reports; refuses every command.
    Observe,
    Live,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceBirth {
    pub device: Name,
    /// What Telemetry's readings refer to, by position over *all* devices of the Birth.
    pub meters: Vec<Meter>,
    /// The allow-list with its local bounds.
    pub bounds: Vec<Bound>,
    pub changes_per_hour: u16,
    pub state: DeviceState,
}

/// Where a counter is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Meter {
    /// IF-MIB counters of an interface, by ifName (RFC 2863).
    Interface(Name),
    /// The queue's own counters.
    Shaper { shaper: Shaper, direction: Direction },
}

/// A shaper the device's own config allows to be changed, and how far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    pub shaper: Shaper,
    pub direction: Direction,
    pub floor: BitsPerSec,
    pub ceiling: BitsPerSec,
}

/// How both sides find each other again after any loss. In Birth and in Telemetry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceState {
    pub device: Name,
    pub last_serial: Serial,
    pub pending: Option<Pending>,
    /// Digest of the newest receipt of this device; zero before the first.
    pub receipt_head: Digest,
    /// `None`: the queues could not be read.
    pub queues: Option<QueueSet>,
    pub keyset_version: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    pub change: ChangeId,
    pub serial: Serial,
    pub phase: PendingPhase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PendingPhase {
    Accepted,
    Applied,
    Confirming,
    Reverting,
}

/// The allow-listed queues as read at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueSet {
    pub read_at: MonoMillis,
    pub digest: Digest,
    pub readings: Vec<QueueReading>,
}

/// A Birth as it is kept beside the samples that refer to its meters.
pub fn to_bytes(birth: &Birth) -> Vec<u8> {
    // Plain data of bounded names: encoding it cannot fail.
    postcard::to_allocvec(birth).unwrap_or_default()
}

/// `None` for bytes that are not exactly a Birth.
pub fn from_bytes(bytes: &[u8]) -> Option<Birth> {
    decode_exact(bytes, Refused::BadBody(Kind::Birth)).ok()
}
