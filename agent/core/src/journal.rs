//! The journal's meaning: records, and the state they fold to. How they lie on disk is in `disk`.

mod disk;

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use takar_shared::{
    BootEpoch, ChangeId, Digest, Name, Serial, UnixMillis,
    bundle::MAX_CHANGES_PER_HOUR,
    queue::Setting,
    receipt::{self, Phase, Receipt},
};

pub use disk::{Damaged, MAX_FRAME, Recovered, Unwritable, frame, recover, snapshot};

/// Receipts kept that the collector has not reported stored. It asks for one at a time, so more
/// than a few means it lost its store; then the newest tell the most.
const KEPT_RECEIPTS: usize = 32;
/// Acceptance times kept: as many as a device may ever be allowed in an hour, or the limit would not hold.
pub const KEPT_ACCEPTANCES: usize = MAX_CHANGES_PER_HOUR as usize;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    Boot {
        epoch: BootEpoch,
    },
    /// The collector's clock was at least here.
    HighWater(UnixMillis),
    /// A command was refused and its serial consumed.
    Refused {
        device: Name,
        serial: Serial,
        command: Digest,
    },
    Accepted {
        device: Name,
        command: Digest,
        at: UnixMillis,
        open: OpenChange,
    },
    Applied {
        device: Name,
    },
    /// From here on a crash redoes; before it, a crash undoes.
    Confirmed {
        device: Name,
    },
    Done {
        device: Name,
    },
    RolledBack {
        device: Name,
    },
    Receipt(Receipt),
    ReceiptsStored {
        device: Name,
        up_to: Digest,
    },
}

/// Everything the journal remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub epoch: BootEpoch,
    pub high_water: UnixMillis,
    pub devices: Vec<DeviceRecord>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRecord {
    pub device: Name,
    pub last_serial: Serial,
    /// Body digest of the command that consumed `last_serial`.
    pub last_command: Digest,
    pub open: Option<OpenChange>,
    pub receipts: Vec<Receipt>,
    /// The newest receipt, kept after it was stored, to answer a re-sent command.
    pub last_receipt: Option<Receipt>,
    pub receipt_head: Digest,
    /// What the last confirmed changes left in force, for backends that forget at reboot.
    pub confirmed: Vec<Setting>,
    pub accepted_at: Vec<UnixMillis>,
}

/// A change between ACCEPTED and DONE or ROLLED BACK.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenChange {
    pub change: ChangeId,
    pub serial: Serial,
    pub old: Vec<Setting>,
    pub new: Vec<Setting>,
    pub confirm_within_s: u32,
    pub phase: OpenPhase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OpenPhase {
    Accepted,
    Applied,
    Confirmed,
}

impl DeviceRecord {
    pub fn new(device: Name) -> Self {
        Self {
            device,
            last_serial: Serial(0),
            last_command: Digest([0; 32]),
            open: None,
            receipts: Vec::new(),
            last_receipt: None,
            receipt_head: Digest([0; 32]),
            confirmed: Vec::new(),
            accepted_at: Vec::new(),
        }
    }
}

impl State {
    /// The record of `device`, created empty where there is none.
    pub fn device_mut(&mut self, device: &Name) -> &mut DeviceRecord {
        let at = match self.devices.iter().position(|record| record.device == *device) {
            Some(at) => at,
            None => {
                self.devices.push(DeviceRecord::new(device.clone()));
                self.devices.len() - 1
            }
        };
        &mut self.devices[at]
    }

    pub fn device(&self, device: &Name) -> Option<&DeviceRecord> {
        self.devices.iter().find(|record| record.device == *device)
    }

    pub fn fold(&mut self, record: &Record) {
        match record {
            Record::Boot { epoch } => self.epoch = *epoch,
            Record::HighWater(at) => self.high_water = self.high_water.max(*at),
            Record::Refused { device, serial, command } => {
                let record = self.device_mut(device);
                record.last_serial = *serial;
                record.last_command = *command;
            }
            Record::Accepted { device, command, at, open } => {
                let record = self.device_mut(device);
                record.last_serial = open.serial;
                record.last_command = *command;
                record.accepted_at.push(*at);
                let surplus = record.accepted_at.len().saturating_sub(KEPT_ACCEPTANCES);
                record.accepted_at.drain(..surplus);
                record.open = Some(open.clone());
            }
            Record::Applied { device } => self.set_phase(device, OpenPhase::Applied),
            Record::Confirmed { device } => self.set_phase(device, OpenPhase::Confirmed),
            Record::Done { device } => {
                let record = self.device_mut(device);
                if let Some(open) = record.open.take() {
                    remember_confirmed(&mut record.confirmed, &open.new);
                }
            }
            Record::RolledBack { device } => self.device_mut(device).open = None,
            Record::Receipt(receipt) => {
                let record = self.device_mut(&receipt.device);
                record.receipt_head = receipt::digest(receipt);
                record.last_receipt = Some(receipt.clone());
                record.receipts.push(receipt.clone());
                let surplus = record.receipts.len().saturating_sub(KEPT_RECEIPTS);
                record.receipts.drain(..surplus);
            }
            Record::ReceiptsStored { device, up_to } => {
                let receipts = &mut self.device_mut(device).receipts;
                if let Some(at) = receipts.iter().position(|kept| receipt::digest(kept) == *up_to) {
                    receipts.drain(..=at);
                }
            }
        }
    }

    fn set_phase(&mut self, device: &Name, phase: OpenPhase) {
        if let Some(open) = &mut self.device_mut(device).open {
            open.phase = phase;
        }
    }
}

fn remember_confirmed(confirmed: &mut Vec<Setting>, new: &[Setting]) {
    for setting in new {
        confirmed.retain(|old| old.shaper != setting.shaper || old.direction != setting.direction);
        confirmed.push(setting.clone());
    }
}

/// Is this the end of a change, after which the next command may come?
pub fn is_final(phase: Phase) -> bool {
    !matches!(phase, Phase::Applied)
}
