//! A router as a batch meets it: one rate for each queue, a serial, at most one unconfirmed change, and moods.

use std::collections::BTreeMap;
use takar_shared::{
    BitsPerSec, BootEpoch, ChangeId, Digest, Direction, MonoMillis, Name, Serial,
    birth::{DeviceState, Pending, PendingPhase, QueueSet},
    command::{Command, Confirm},
    queue::{QueueReading, Setting, Shaper, queue_digest},
    receipt::{Phase, Receipt, Refusal, RollbackCause},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Well,
    Refuses,
    FailsToApply,
    /// Cut off: hears nothing and is not heard. Its timer runs all the same.
    Deaf,
}

#[derive(Clone, Debug)]
pub struct Queue {
    pub shaper: Shaper,
    /// In force. Zero is unlimited.
    pub mir: BitsPerSec,
    /// What would be in force had no hand ever touched it: the work of Takar's commands and their rollbacks alone.
    pub takars: BitsPerSec,
}

/// Applied and not confirmed.
pub struct Unconfirmed {
    change: ChangeId,
    serial: Serial,
    set: Vec<Setting>,
    /// The named queues as they were.
    pub old: Vec<Queue>,
    deadline: MonoMillis,
}

pub struct Device {
    pub name: Name,
    pub queues: Vec<Queue>,
    pub mood: Mood,
    pub unconfirmed: Option<Unconfirmed>,
    /// One entry for each serial, from 1.
    pub consumed: Vec<ChangeId>,
    /// How each change ended here: what the collector is to find out.
    pub ended: BTreeMap<ChangeId, Phase>,
    last_receipt: Option<Receipt>,
}

impl Device {
    pub fn new(name: Name) -> Self {
        Self {
            name,
            queues: vec![],
            mood: Mood::Well,
            unconfirmed: None,
            consumed: vec![],
            ended: BTreeMap::new(),
            last_receipt: None,
        }
    }

    pub fn last_serial(&self) -> Serial {
        Serial(self.consumed.len() as u64)
    }

    pub fn handle_command(&mut self, command: &Command, now: MonoMillis) -> Option<Receipt> {
        if command.serial <= self.last_serial() {
            return self.stored(command.serial);
        }
        if command.serial > self.last_serial().next() || self.unconfirmed.is_some() {
            return None;
        }
        self.consumed.push(command.change);
        if let Some(why) = self.refusal(command, now) {
            return Some(self.answer(command.change, command.serial, Phase::Refused(why), now));
        }
        if self.mood == Mood::FailsToApply {
            let phase = Phase::RolledBack(RollbackCause::ApplyFailed);
            return Some(self.answer(command.change, command.serial, phase, now));
        }
        let named = |queue: &&Queue| command.set.iter().any(|setting| setting.shaper == queue.shaper);
        self.unconfirmed = Some(Unconfirmed {
            change: command.change,
            serial: command.serial,
            set: command.set.clone(),
            old: self.queues.iter().filter(named).cloned().collect(),
            deadline: now.plus(u64::from(command.confirm_within_s) * 1000),
        });
        for setting in &command.set {
            for queue in self.queues.iter_mut().filter(|queue| queue.shaper == setting.shaper) {
                (queue.mir, queue.takars) = (setting.mir, setting.mir);
            }
        }
        Some(self.answer(command.change, command.serial, Phase::Applied, now))
    }

    pub fn handle_confirm(&mut self, confirm: &Confirm, now: MonoMillis) -> Option<Receipt> {
        let Some(open) = &self.unconfirmed else { return self.stored(confirm.serial) };
        if (open.change, open.serial) != (confirm.change, confirm.serial) {
            return None;
        }
        let stands = |setting: &Setting| {
            self.queues.iter().any(|queue| queue.shaper == setting.shaper && queue.mir == setting.mir)
        };
        if !open.set.iter().all(stands) {
            return self.roll_back(RollbackCause::ReadBackDiffers, now);
        }
        self.unconfirmed = None;
        Some(self.answer(confirm.change, confirm.serial, Phase::Confirmed, now))
    }

    pub fn handle_timeout(&mut self, now: MonoMillis) -> Option<Receipt> {
        let due = self.unconfirmed.as_ref().is_some_and(|open| now >= open.deadline);
        if due { self.roll_back(RollbackCause::NotConfirmed, now) } else { None }
    }

    pub fn restart(&mut self, now: MonoMillis) -> Option<Receipt> {
        self.roll_back(RollbackCause::Restarted, now)
    }

    pub fn report(&self, now: MonoMillis) -> DeviceState {
        let pending = self.unconfirmed.as_ref().map(|open| Pending {
            change: open.change,
            serial: open.serial,
            phase: PendingPhase::Applied,
        });
        DeviceState {
            device: self.name.clone(),
            last_serial: self.last_serial(),
            pending,
            receipt_head: Digest([0; 32]),
            queues: Some(self.read(now)),
            keyset_version: 1,
        }
    }

    fn roll_back(&mut self, cause: RollbackCause, now: MonoMillis) -> Option<Receipt> {
        let open = self.unconfirmed.take()?;
        for queue in &mut self.queues {
            if let Some(old) = open.old.iter().find(|old| old.shaper == queue.shaper) {
                queue.clone_from(old);
            }
        }
        Some(self.answer(open.change, open.serial, Phase::RolledBack(cause), now))
    }

    fn refusal(&self, command: &Command, now: MonoMillis) -> Option<Refusal> {
        if now.0 >= command.expires_at.0 {
            return Some(Refusal::Expired);
        }
        if self.mood == Mood::Refuses {
            return Some(Refusal::TooManyChanges);
        }
        (self.read(now).digest != command.expects).then_some(Refusal::UnexpectedQueues)
    }

    fn answer(&mut self, change: ChangeId, serial: Serial, phase: Phase, now: MonoMillis) -> Receipt {
        let observed = if matches!(phase, Phase::Refused(_)) { None } else { Some(self.read(now)) };
        let previous = Digest([0; 32]);
        let device = self.name.clone();
        let receipt = Receipt { change, device, serial, phase, observed, boot_epoch: BootEpoch(1), previous };
        if phase != Phase::Applied {
            self.ended.insert(change, phase);
        }
        self.last_receipt = Some(receipt.clone());
        receipt
    }

    fn stored(&self, serial: Serial) -> Option<Receipt> {
        self.last_receipt.clone().filter(|receipt| receipt.serial == serial)
    }

    fn read(&self, now: MonoMillis) -> QueueSet {
        let reading = |queue: &Queue| QueueReading {
            shaper: queue.shaper.clone(),
            direction: Direction::Down,
            cir: None,
            mir: queue.mir,
            burst: BitsPerSec::ZERO,
            disabled: false,
        };
        let readings: Vec<QueueReading> = self.queues.iter().map(reading).collect();
        QueueSet { read_at: now, digest: queue_digest(&readings), readings }
    }
}
