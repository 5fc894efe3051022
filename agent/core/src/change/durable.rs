//! The journal: what is promised there before it is done, and what its success or failure allows.

use alloc::{vec, vec::Vec};
use takar_shared::{
    ChangeId, Digest, MonoMillis, Serial,
    receipt::{self, Phase, Receipt, RollbackCause},
};

use super::{Effect, Machine, RETRY_MS, Step};
use crate::journal::{Record, State};

impl Machine {
    /// The records of the last `Journal` are durable, or could not be made so.
    #[must_use]
    pub fn handle_journalled(&mut self, durable: bool, now: MonoMillis) -> Vec<Effect> {
        let records = core::mem::take(&mut self.journalling);
        if !durable {
            return self.journal_failed(now);
        }
        let mut state = State { devices: vec![self.record.clone()], ..Default::default() };
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

    pub(super) fn journal(&mut self, records: Vec<Record>) -> Vec<Effect> {
        self.journalling.clone_from(&records);
        vec![Effect::Journal(records)]
    }

    pub(super) fn receipt(&self, change: ChangeId, serial: Serial, phase: Phase) -> Receipt {
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
            Step::Verifying => self.keep_and_finish(),
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
}
