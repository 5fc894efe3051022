//! The commit-confirm machine of one device (RFC 6241 §8.4 is its model).
//!
//! `ACCEPTED → apply → read back → APPLIED → (Confirm in time) → read back → CONFIRMED → DONE`, or
//! back to the old values from any point before CONFIRMED: no Confirm, a failed step, a crash, a
//! power cut. After CONFIRMED a crash redoes instead. Values are absolute, so doing a step twice is
//! harmless, and the machine needs only the journal to know what to do after a restart.
//!
//! Effects are carried out in order; the outcome of each comes back by the matching `handle_*`.
//! Nothing is sent and nothing is applied before the journal that promises it is durable.

mod accept;
mod begin;
mod close;
mod durable;
mod state;

use alloc::{vec, vec::Vec};
use takar_shared::{
    BootEpoch, Digest, MonoMillis,
    birth::QueueSet,
    command::Command,
    queue::{QueueReading, Setting, queue_digest},
    receipt::{Receipt, Refusal, RollbackCause},
};

use crate::{
    admit::{DeviceLimits, Situation, is_ineffective},
    journal::{DeviceRecord, Record},
};

pub use begin::reinstates;

/// Between two tries to put the old values back, in ms.
const RETRY_MS: u64 = 2_000;

/// What the edge does, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Read the allow-listed queues, then `handle_queues`.
    Read,
    /// Set absolute values, then `handle_applied`.
    Apply(Vec<Setting>),
    /// Write down beside the queues what is confirmed, where a backend has such a place: what sets queues from there, at
    /// a boot or a reload, must not undo it. Never before CONFIRMED is durable. What fails is told and not tried again.
    Keep(Vec<Setting>),
    /// Append and make durable, then `handle_journalled`.
    Journal(Vec<Record>),
    /// Publish; it stays in the journal until it is reported stored.
    Send(Receipt),
    /// Authentic but impossible: another command under a consumed serial. Counted and logged.
    Alarm(&'static str),
    /// Confirmed once and lost since, but today's bounds do not allow it: it stays as it is. Logged.
    NotReinstated(Setting, Refusal),
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one machine a device, and it is never moved in bulk")]
enum Step {
    Idle,
    /// Reading the queues before a command is judged.
    Judging {
        command: Command,
        digest: Digest,
        situation: Situation,
    },
    /// ACCEPTED (or the refusal) is being made durable.
    Accepting,
    Applying,
    ReadingBack,
    Unconfirmed,
    /// Confirmed by the collector: reading back before CONFIRMED is written.
    Verifying,
    /// CONFIRMED is durable: after a restart the values are set once more.
    Redoing,
    /// DONE is being made durable; `retry_at` when the disk refused.
    Finishing {
        retry_at: Option<MonoMillis>,
    },
    /// Setting or reading the old values; `retry_at` when a try failed.
    Restoring {
        cause: RollbackCause,
        retry_at: Option<MonoMillis>,
        reading: bool,
    },
    /// Setting what the last confirmed change left in force, at start.
    Reinstating,
}

#[derive(Clone, Debug)]
pub struct Machine {
    limits: DeviceLimits,
    epoch: BootEpoch,
    record: DeviceRecord,
    step: Step,
    deadline: Option<MonoMillis>,
    /// Read while a change was in progress, for its receipts: the digest of all, the readings of
    /// what the change names, so that a receipt stays small on a router with many queues.
    observed: Option<QueueSet>,
    journalling: Vec<Record>,
}

impl Machine {
    pub fn new(limits: DeviceLimits, epoch: BootEpoch, record: DeviceRecord) -> Self {
        Self { limits, epoch, record, step: Step::Idle, deadline: None, observed: None, journalling: Vec::new() }
    }

    /// The earliest moment at which `handle_timeout` has something to do.
    pub fn poll_timeout(&self) -> Option<MonoMillis> {
        match self.step {
            Step::Unconfirmed => self.deadline,
            Step::Restoring { retry_at, .. } | Step::Finishing { retry_at } => retry_at,
            _ => None,
        }
    }

    #[must_use]
    pub fn handle_timeout(&mut self, now: MonoMillis) -> Vec<Effect> {
        if self.poll_timeout().is_none_or(|at| now < at) {
            return Vec::new();
        }
        match self.step {
            Step::Restoring { cause, .. } => self.restore(cause),
            Step::Finishing { .. } => self.finish(),
            _ => self.restore(RollbackCause::NotConfirmed),
        }
    }

    #[must_use]
    pub fn handle_queues(&mut self, read: Option<Vec<QueueReading>>, now: MonoMillis) -> Vec<Effect> {
        let set = read.map(|readings| QueueSet { read_at: now, digest: queue_digest(&readings), readings });
        match core::mem::replace(&mut self.step, Step::Idle) {
            Step::Judging { command, digest, situation } => self.judge(command, digest, situation, set, now),
            Step::ReadingBack => self.read_back(set),
            Step::Verifying => self.verify(set),
            Step::Redoing => self.redone(set),
            Step::Restoring { cause, reading: true, .. } => self.restored(cause, set, now),
            Step::Reinstating => self.reinstate(set),
            other => {
                self.step = other;
                Vec::new()
            }
        }
    }

    #[must_use]
    pub fn handle_applied(&mut self, succeeded: bool, now: MonoMillis) -> Vec<Effect> {
        match self.step {
            Step::Applying if succeeded => {
                self.step = Step::ReadingBack;
                vec![Effect::Read]
            }
            Step::Applying => self.restore(RollbackCause::ApplyFailed),
            Step::Redoing => vec![Effect::Read],
            Step::Restoring { cause, .. } if succeeded => {
                self.step = Step::Restoring { cause, retry_at: None, reading: true };
                vec![Effect::Read]
            }
            Step::Restoring { cause, .. } => {
                self.step = Step::Restoring { cause, retry_at: Some(now.plus(RETRY_MS)), reading: false };
                Vec::new()
            }
            // Reinstating: what could not be set shows as drift in the next report.
            Step::Reinstating => {
                self.step = Step::Idle;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}

fn named(mut set: QueueSet, settings: &[Setting]) -> QueueSet {
    set.readings.retain(|reading| settings.iter().any(|setting| reading.is_for(setting)));
    set
}

/// Does every setting stand as given, enabled?
/// What speaks against keeping `settings`, as read back. Those that are undone are not asked whether they have an effect.
fn why_undone(settings: &[Setting], set: Option<&QueueSet>) -> Option<RollbackCause> {
    match set {
        Some(set) if in_force(settings, Some(set)) => {
            is_ineffective(settings, &set.readings).then_some(RollbackCause::Ineffective)
        }
        _ => Some(RollbackCause::ReadBackDiffers),
    }
}

fn in_force(settings: &[Setting], set: Option<&QueueSet>) -> bool {
    set.is_some_and(|set| {
        settings
            .iter()
            .all(|setting| set.readings.iter().any(|reading| reading.is_for(setting) && reading.setting() == *setting))
    })
}
