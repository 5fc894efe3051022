//! Command, Confirm, Cancel: what the collector may tell a device (all three on `down/command`).

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::{BatchId, ChangeId, Digest, Name, Serial, UnixMillis, queue::Setting};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    pub change: ChangeId,
    pub device: Name,
    pub serial: Serial,
    pub expires_at: UnixMillis,
    pub batch: BatchId,
    /// 1-based position in the batch, and how many there are.
    pub step: u16,
    pub steps: u16,
    /// Digest of the device's current queue set; anything else is refused as drift.
    pub expects: Digest,
    pub set: Vec<Setting>,
    pub confirm_within_s: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirm {
    pub change: ChangeId,
    pub device: Name,
    pub serial: Serial,
}

/// Takes a command back. A Cancel that comes before its Command consumes that serial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    pub change: ChangeId,
    pub device: Name,
    pub serial: Serial,
}
