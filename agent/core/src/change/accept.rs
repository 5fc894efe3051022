//! From a command to APPLIED: judged, journalled, set, read back.

use alloc::{vec, vec::Vec};
use takar_shared::{
    Digest, MonoMillis, Serial,
    birth::QueueSet,
    command::Command,
    queue::{QueueReading, Setting},
    receipt::{Phase, Receipt, Refusal},
};

use super::{Effect, Machine, Step, named, why_undone};
use crate::{
    admit::{Situation, admit},
    journal::{OpenChange, OpenPhase, Record},
};

impl Machine {
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

    pub(super) fn judge(
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

    pub(super) fn read_back(&mut self, set: Option<QueueSet>) -> Vec<Effect> {
        let Some(open) = self.record.open.clone() else { return Vec::new() };
        if let Some(cause) = why_undone(&open.new, set.as_ref()) {
            return self.restore(cause);
        }
        self.observed = set.map(|set| named(set, &open.new));
        self.step = Step::ReadingBack;
        let receipt = self.receipt(open.change, open.serial, Phase::Applied);
        self.journal(vec![Record::Applied { device: self.limits.device.clone() }, Record::Receipt(receipt)])
    }

    fn answer_again(&mut self, serial: Serial, digest: Digest) -> Vec<Effect> {
        if serial == self.record.last_serial && digest != self.record.last_command {
            return vec![Effect::Alarm("another command under a consumed serial")];
        }
        self.stored_receipt(serial).map(Effect::Send).into_iter().collect()
    }

    pub(super) fn stored_receipt(&self, serial: Serial) -> Option<Receipt> {
        let newest = self.record.receipts.iter().rev().find(|receipt| receipt.serial == serial);
        newest.or(self.record.last_receipt.as_ref().filter(|receipt| receipt.serial == serial)).cloned()
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
}
