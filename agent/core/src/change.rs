//! The commit-confirm machine of one device (RFC 6241 §8.4 is its model).
//!
//! `ACCEPTED → apply → read back → APPLIED → (Confirm in time) → read back → CONFIRMED → DONE`, or
//! back to the old values from any point before CONFIRMED: no Confirm, a failed step, a crash, a
//! power cut. After CONFIRMED a crash redoes instead. Values are absolute, so doing a step twice is
//! harmless, and the machine needs only the journal to know what to do after a restart.
//!
//! Effects are carried out in order; the outcome of each comes back by the matching `handle_*`.
//! Nothing is sent and nothing is applied before the journal that promises it is durable.

use alloc::{vec, vec::Vec};
use takar_shared::{
    BootEpoch, ChangeId, Digest, MonoMillis, Name, Serial,
    birth::{Mode, Pending, PendingPhase, QueueSet},
    command::{Command, Confirm},
    queue::{QueueReading, Setting, queue_digest},
    receipt::{self, Phase, Receipt, Refusal, RollbackCause},
};

use crate::{
    admit::{DeviceLimits, Situation, admit},
    journal::{DeviceRecord, OpenChange, OpenPhase, Record, is_final},
};

/// Between two tries to put the old values back, in ms.
const RETRY_MS: u64 = 2_000;

/// What the edge does, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Read the allow-listed queues, then `handle_queues`.
    Read,
    /// Set absolute values, then `handle_applied`.
    Apply(Vec<Setting>),
    /// Append and make durable, then `handle_journalled`.
    Journal(Vec<Record>),
    /// Publish; it stays in the journal until it is reported stored.
    Send(Receipt),
    /// Authentic but impossible: another command under a consumed serial. Counted and logged.
    Alarm(&'static str),
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

    /// Once, before anything else: undo or redo what a crash left, then reinstate what a backend
    /// that forgets at reboot has lost.
    #[must_use]
    pub fn start(&mut self, reinstate: bool) -> Vec<Effect> {
        match &self.record.open {
            Some(open) if open.phase == OpenPhase::Confirmed => {
                self.step = Step::Redoing;
                vec![Effect::Apply(open.new.clone())]
            }
            Some(_) => self.restore(RollbackCause::Restarted),
            None if reinstate && !self.record.confirmed.is_empty() => {
                self.step = Step::Reinstating;
                vec![Effect::Read]
            }
            None => Vec::new(),
        }
    }

    /// An authentic command for this device. `digest` is that of its body bytes.
    #[must_use]
    pub fn handle_command(&mut self, command: Command, digest: Digest, situation: Situation) -> Vec<Effect> {
        let last = self.record.last_serial;
        if command.serial <= last {
            return self.answer_again(command.serial, digest);
        }
        if command.serial > last.next() {
            // Consumes nothing and is not receipted: the next state report shows our serial.
            return vec![Effect::Alarm("command's serial skips ahead")];
        }
        if self.step != Step::Idle {
            // One change is pending per device. The serial is not consumed: the collector re-sends.
            return Vec::new();
        }
        self.step = Step::Judging { command, digest, situation };
        vec![Effect::Read]
    }

    #[must_use]
    pub fn handle_confirm(&mut self, confirm: &Confirm) -> Vec<Effect> {
        let open =
            self.record.open.as_ref().filter(|open| open.serial == confirm.serial && open.change == confirm.change);
        match (open, &self.step) {
            (Some(_), Step::Unconfirmed) => {
                self.deadline = None;
                self.step = Step::Verifying;
                vec![Effect::Read]
            }
            (Some(_), _) => Vec::new(),
            (None, _) => self.stored_receipt(confirm.serial).map(Effect::Send).into_iter().collect(),
        }
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

    /// The records of the last `Journal` are durable, or could not be made so.
    #[must_use]
    pub fn handle_journalled(&mut self, durable: bool, now: MonoMillis) -> Vec<Effect> {
        let records = core::mem::take(&mut self.journalling);
        if !durable {
            return self.journal_failed(now);
        }
        let mut state = crate::journal::State { devices: vec![self.record.clone()], ..Default::default() };
        records.iter().for_each(|record| state.fold(record));
        if let Some(record) = state.devices.into_iter().next() {
            self.record = record;
        }
        let receipts = records.into_iter().filter_map(|record| match record {
            Record::Receipt(receipt) => Some(Effect::Send(receipt)),
            _ => None,
        });
        let mut effects: Vec<Effect> = receipts.collect();
        effects.extend(self.after_journal());
        effects
    }

    /// Frees receipts that the collector has stored.
    #[must_use]
    pub fn handle_receipts_stored(&mut self, up_to: Digest) -> Vec<Effect> {
        let known = self.record.receipts.iter().any(|kept| receipt::digest(kept) == up_to);
        // Not in the middle of a step: the collector repeats itself with every Grant.
        if !known || !self.is_quiet() {
            return Vec::new();
        }
        self.journal(vec![Record::ReceiptsStored { device: self.limits.device.clone(), up_to }])
    }

    /// Receipts not reported stored, oldest first: all are sent again at every connect.
    pub fn unstored_receipts(&self) -> &[Receipt] {
        &self.record.receipts
    }

    pub fn limits(&self) -> &DeviceLimits {
        &self.limits
    }

    pub fn last_serial(&self) -> Serial {
        self.record.last_serial
    }

    pub fn receipt_head(&self) -> Digest {
        self.record.receipt_head
    }

    pub fn pending(&self) -> Option<Pending> {
        let open = self.record.open.as_ref()?;
        let phase = match (&self.step, open.phase) {
            (Step::Restoring { .. }, _) => PendingPhase::Reverting,
            (Step::Verifying | Step::Redoing | Step::Finishing { .. }, _) | (_, OpenPhase::Confirmed) => {
                PendingPhase::Confirming
            }
            (_, OpenPhase::Applied) => PendingPhase::Applied,
            (_, OpenPhase::Accepted) => PendingPhase::Accepted,
        };
        Some(Pending { change: open.change, serial: open.serial, phase })
    }

    /// Nothing is being read, set or written: a poll may read the queues in between.
    pub fn is_quiet(&self) -> bool {
        matches!(self.step, Step::Idle | Step::Unconfirmed | Step::Restoring { retry_at: Some(_), .. })
    }

    fn answer_again(&mut self, serial: Serial, digest: Digest) -> Vec<Effect> {
        if serial == self.record.last_serial && digest != self.record.last_command {
            return vec![Effect::Alarm("another command under a consumed serial")];
        }
        self.stored_receipt(serial).map(Effect::Send).into_iter().collect()
    }

    fn stored_receipt(&self, serial: Serial) -> Option<Receipt> {
        let newest = self.record.receipts.iter().rev().find(|receipt| receipt.serial == serial);
        newest.or(self.record.last_receipt.as_ref().filter(|receipt| receipt.serial == serial)).cloned()
    }

    fn judge(
        &mut self,
        command: Command,
        digest: Digest,
        situation: Situation,
        set: Option<QueueSet>,
        now: MonoMillis,
    ) -> Vec<Effect> {
        let readings = set.as_ref().map(|set| set.readings.as_slice());
        let verdict = admit(&command, &self.limits, situation, &self.record.accepted_at, readings);
        let device = self.limits.device.clone();
        self.step = Step::Accepting;
        self.observed = set.map(|set| named(set, &command.set));
        match (verdict, situation.granted) {
            (Ok(()), Some(granted)) => {
                let old = self.old_values(&command.set);
                let open = OpenChange {
                    change: command.change,
                    serial: command.serial,
                    old,
                    new: command.set,
                    confirm_within_s: command.confirm_within_s,
                    phase: OpenPhase::Accepted,
                };
                self.deadline = Some(now.plus(u64::from(command.confirm_within_s) * 1000));
                self.journal(vec![Record::Accepted { device, command: digest, at: granted.now_at_most, open }])
            }
            (verdict, _) => {
                let refusal = verdict.err().unwrap_or(Refusal::NoGrant);
                let receipt = self.receipt(command.change, command.serial, Phase::Refused(refusal));
                self.journal(vec![
                    Record::Refused { device, serial: command.serial, command: digest },
                    Record::Receipt(receipt),
                ])
            }
        }
    }

    /// What stands now on each shaper that is to be set.
    fn old_values(&self, new: &[Setting]) -> Vec<Setting> {
        let readings = self.observed.as_ref().map(|set| set.readings.as_slice()).unwrap_or_default();
        readings
            .iter()
            .filter(|reading| new.iter().any(|setting| reading.is_for(setting)))
            .map(QueueReading::setting)
            .collect()
    }

    fn read_back(&mut self, set: Option<QueueSet>) -> Vec<Effect> {
        let Some(open) = self.record.open.clone() else { return Vec::new() };
        if !in_force(&open.new, set.as_ref()) {
            return self.restore(RollbackCause::ReadBackDiffers);
        }
        self.observed = set.map(|set| named(set, &open.new));
        self.step = Step::ReadingBack;
        let receipt = self.receipt(open.change, open.serial, Phase::Applied);
        self.journal(vec![Record::Applied { device: self.limits.device.clone() }, Record::Receipt(receipt)])
    }

    fn verify(&mut self, set: Option<QueueSet>) -> Vec<Effect> {
        let Some(open) = self.record.open.clone() else { return Vec::new() };
        if !in_force(&open.new, set.as_ref()) {
            return self.restore(RollbackCause::ReadBackDiffers);
        }
        self.observed = set.map(|set| named(set, &open.new));
        self.step = Step::Verifying;
        self.journal(vec![Record::Confirmed { device: self.limits.device.clone() }])
    }

    fn redone(&mut self, set: Option<QueueSet>) -> Vec<Effect> {
        self.observed = match &self.record.open {
            Some(open) => set.map(|set| named(set, &open.new)),
            None => None,
        };
        self.finish()
    }

    fn finish(&mut self) -> Vec<Effect> {
        let Some(open) = self.record.open.clone() else { return Vec::new() };
        self.step = Step::Finishing { retry_at: None };
        let receipt = self.receipt(open.change, open.serial, Phase::Confirmed);
        self.journal(vec![Record::Done { device: self.limits.device.clone() }, Record::Receipt(receipt)])
    }

    fn restore(&mut self, cause: RollbackCause) -> Vec<Effect> {
        self.deadline = None;
        let old = self.record.open.as_ref().map(|open| open.old.clone()).unwrap_or_default();
        self.step = Step::Restoring { cause, retry_at: None, reading: false };
        vec![Effect::Apply(old)]
    }

    fn restored(&mut self, cause: RollbackCause, set: Option<QueueSet>, now: MonoMillis) -> Vec<Effect> {
        let Some(open) = self.record.open.clone() else { return Vec::new() };
        if !in_force(&open.old, set.as_ref()) {
            self.step = Step::Restoring { cause, retry_at: Some(now.plus(RETRY_MS)), reading: false };
            return Vec::new();
        }
        self.observed = set.map(|set| named(set, &open.old));
        self.step = Step::Restoring { cause, retry_at: None, reading: true };
        let receipt = self.receipt(open.change, open.serial, Phase::RolledBack(cause));
        self.journal(vec![Record::RolledBack { device: self.limits.device.clone() }, Record::Receipt(receipt)])
    }

    fn reinstate(&mut self, set: Option<QueueSet>) -> Vec<Effect> {
        let readings = set.map(|set| set.readings).unwrap_or_default();
        // Only what is on the allow-list, is there, and stands otherwise.
        let lost: Vec<Setting> = self
            .record
            .confirmed
            .iter()
            .filter(|setting| readings.iter().any(|reading| reading.is_for(setting) && reading.setting() != **setting))
            .cloned()
            .collect();
        if lost.is_empty() {
            return Vec::new();
        }
        self.step = Step::Reinstating;
        vec![Effect::Apply(lost)]
    }

    fn after_journal(&mut self) -> Vec<Effect> {
        match self.step {
            Step::Accepting => match &self.record.open {
                Some(open) => {
                    self.step = Step::Applying;
                    vec![Effect::Apply(open.new.clone())]
                }
                None => self.rest(),
            },
            Step::ReadingBack => {
                self.step = Step::Unconfirmed;
                Vec::new()
            }
            Step::Verifying => self.finish(),
            Step::Finishing { .. } | Step::Restoring { .. } if self.record.open.is_none() => self.rest(),
            _ => Vec::new(),
        }
    }

    /// The disk refused. Nothing may be promised: a change not yet confirmed goes back, one that is
    /// confirmed is finished at the next try.
    fn journal_failed(&mut self, now: MonoMillis) -> Vec<Effect> {
        match self.step {
            // Nothing was consumed and nothing applied; the collector re-sends the same bytes.
            Step::Accepting => self.rest(),
            Step::ReadingBack | Step::Verifying => self.restore(RollbackCause::ApplyFailed),
            Step::Restoring { cause, .. } => {
                self.step = Step::Restoring { cause, retry_at: Some(now.plus(RETRY_MS)), reading: false };
                Vec::new()
            }
            Step::Finishing { .. } => {
                self.step = Step::Finishing { retry_at: Some(now.plus(RETRY_MS)) };
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn rest(&mut self) -> Vec<Effect> {
        self.step = Step::Idle;
        self.deadline = None;
        self.observed = None;
        Vec::new()
    }

    fn journal(&mut self, records: Vec<Record>) -> Vec<Effect> {
        self.journalling.clone_from(&records);
        vec![Effect::Journal(records)]
    }

    fn receipt(&self, change: ChangeId, serial: Serial, phase: Phase) -> Receipt {
        Receipt {
            change,
            device: self.limits.device.clone(),
            serial,
            phase,
            observed: self.observed.clone(),
            boot_epoch: self.epoch,
            previous: self.record.receipt_head,
        }
    }

    /// The name this machine answers to.
    pub fn device(&self) -> &Name {
        &self.limits.device
    }

    /// Did the device's last command come to its end?
    pub fn is_settled(&self) -> bool {
        self.record.open.is_none() && self.record.last_receipt.as_ref().is_none_or(|receipt| is_final(receipt.phase))
    }
}

fn named(mut set: QueueSet, settings: &[Setting]) -> QueueSet {
    set.readings.retain(|reading| settings.iter().any(|setting| reading.is_for(setting)));
    set
}

/// Does every setting stand as given, enabled?
fn in_force(settings: &[Setting], set: Option<&QueueSet>) -> bool {
    set.is_some_and(|set| {
        settings
            .iter()
            .all(|setting| set.readings.iter().any(|reading| reading.is_for(setting) && reading.setting() == *setting))
    })
}

/// A mode that sets nothing never reinstates either.
pub fn reinstates(mode: Mode, backend_forgets: bool) -> bool {
    mode == Mode::Live && backend_forgets
}
