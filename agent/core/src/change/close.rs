//! How a change ends: confirmed, or with the old values back.

use alloc::{vec, vec::Vec};
use takar_shared::{
    MonoMillis,
    birth::QueueSet,
    command::Confirm,
    receipt::{Phase, RollbackCause},
};

use super::{Effect, Machine, RETRY_MS, Step, in_force, named, why_undone};
use crate::journal::Record;

impl Machine {
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

    pub(super) fn verify(&mut self, set: Option<QueueSet>) -> Vec<Effect> {
        let Some(open) = self.record.open.clone() else { return Vec::new() };
        if let Some(cause) = why_undone(&open.new, set.as_ref()) {
            return self.restore(cause);
        }
        self.observed = set.map(|set| named(set, &open.new));
        self.step = Step::Verifying;
        self.journal(vec![Record::Confirmed { device: self.limits.device.clone() }])
    }

    /// CONFIRMED is durable. Kept before DONE: if power fails in between, a restart does both once more.
    pub(super) fn keep_and_finish(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        effects.extend(self.record.open.as_ref().map(|open| Effect::Keep(open.new.clone())));
        effects.extend(self.finish());
        effects
    }

    pub(super) fn finish(&mut self) -> Vec<Effect> {
        let Some(open) = self.record.open.clone() else { return Vec::new() };
        self.step = Step::Finishing { retry_at: None };
        let receipt = self.receipt(open.change, open.serial, Phase::Confirmed);
        self.journal(vec![Record::Done { device: self.limits.device.clone() }, Record::Receipt(receipt)])
    }

    pub(super) fn restore(&mut self, cause: RollbackCause) -> Vec<Effect> {
        self.deadline = None;
        let old = self.record.open.as_ref().map(|open| open.old.clone()).unwrap_or_default();
        self.step = Step::Restoring { cause, retry_at: None, reading: false };
        vec![Effect::Apply(old)]
    }

    pub(super) fn restored(&mut self, cause: RollbackCause, set: Option<QueueSet>, now: MonoMillis) -> Vec<Effect> {
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
}
