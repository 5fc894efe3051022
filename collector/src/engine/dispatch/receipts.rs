//! Receipts: each is stored with what it means, and an Applied that holds is confirmed.

use takar_collector_core::{
    audit::AuditEvent,
    batch,
    ledger::{Actor, Change, ChangeState},
};
use takar_shared::{
    AgentId, UnixMillis, command::Confirm, envelope::Message, queue::Setting, receipt::Receipt, topic::Down,
};
use takar_store::Write;

use crate::{
    api::query::ApiError,
    engine::{Allocation, Engine},
};

impl Engine {
    /// Stores a receipt and what it means; `false` where it concerns no change of ours.
    pub(in crate::engine) fn take_receipt(&mut self, id: AgentId, receipt: &Receipt, now: UnixMillis) -> bool {
        let Some(change) = self
            .changes
            .get(&receipt.change)
            .filter(|change| change.agent == id && change.device == receipt.device)
            .cloned()
        else {
            // Of a change that ended long ago: kept all the same, so that the agent may free it.
            self.store_receipt(id, receipt, Vec::new(), now);
            return false;
        };
        let Some(next) = batch::receive(&change, receipt) else {
            self.store_receipt(id, receipt, Vec::new(), now);
            return false;
        };
        let mut after = change.clone();
        after.state = next;
        match next {
            ChangeState::Applied => after.times.applied = Some(now),
            _ => after.times.ended = Some(now),
        }
        let mut writes = vec![Write::Change(after.clone())];
        if next.is_final() {
            writes.push(Write::OutboxDone { change: change.id });
        }
        if next == ChangeState::Confirmed {
            for one in &change.moves {
                let Setting { direction, cir, mir, .. } = one.set;
                let allocation =
                    Write::Allocation { link: one.link.clone(), direction, cir, mir, at: now, change: Some(change.id) };
                writes.push(allocation);
            }
        }
        if !self.store_receipt(id, receipt, writes, now) {
            return false;
        }
        if next == ChangeState::Confirmed {
            for one in &change.moves {
                let Setting { direction, mir, .. } = one.set;
                self.allocation.insert((one.link.clone(), direction), Allocation { mir, changed_at: Some(now) });
            }
        }
        tracing::info!(change = %change.id, device = %change.device, "{next}");
        if next.is_final() {
            self.outbox.remove(&change.id);
        }
        let (batch, change_id) = (change.batch, change.id);
        self.changes.insert(change_id, after);
        self.publish_change(change_id);
        self.advance_batch(batch, now);
        true
    }

    /// Signs Confirm for every applied change that fresh telemetry shows to hold.
    pub(in crate::engine) fn confirm_what_holds(&mut self, id: AgentId, now: UnixMillis) {
        if self.config.change.withhold_confirm || self.is_behind(now) {
            return;
        }
        let waiting: Vec<Change> = self
            .changes
            .values()
            .filter(|change| {
                change.agent == id && change.state == ChangeState::Applied && change.times.confirm_sent.is_none()
            })
            .cloned()
            .collect();
        for change in waiting {
            if let Err(error) = self.confirm(&change, now) {
                tracing::error!(change = %change.id, ?error, "Confirm could not be stored, so it is not sent");
            }
        }
    }

    fn store_receipt(&mut self, id: AgentId, receipt: &Receipt, mut writes: Vec<Write>, now: UnixMillis) -> bool {
        let digest = takar_shared::receipt::digest(receipt);
        let news = !writes.is_empty();
        writes.insert(0, Write::Receipt { agent: id, at: now, digest, receipt: receipt.clone() });
        let event = AuditEvent::Received {
            change: receipt.change.to_string(),
            serial: receipt.serial.0,
            phase: phase_words(receipt),
            receipt: digest.to_string(),
        };
        // A receipt sent again is no event.
        let events = if news { vec![(Actor::Takar, event)] } else { Vec::new() };
        self.decide(writes, events).is_ok()
    }

    fn confirm(&mut self, change: &Change, now: UnixMillis) -> Result<(), ApiError> {
        let Some(device) = self.agents.get(&change.agent).and_then(|agent| agent.device(change.device.as_str())) else {
            return Ok(());
        };
        let Some(state) = &device.state else { return Ok(()) };
        let receipts = self.store.receipts_of(change.id).map_err(|error| ApiError::Failed(error.to_string()))?;
        // What traffic passes by has no effect, and is to be put back: without effect is no success.
        let passed_by = change.moves.iter().any(|one| self.bypass(&one.link, one.set.direction).is_some());
        let holds =
            !passed_by && receipts.iter().any(|row| batch::may_confirm(&row.receipt, device.polled_ok_at, state));
        let (Some(serial), true) = (change.serial, holds) else { return Ok(()) };
        let confirm = Confirm { change: change.id, device: change.device.clone(), serial };
        let Some(bytes) = self.signer.seal(&Message::Confirm(confirm), change.agent) else { return Ok(()) };
        let mut after = change.clone();
        after.times.confirm_sent = Some(now);
        let writes =
            vec![Write::Change(after.clone()), Write::OutboxConfirm { change: change.id, confirm: bytes.clone() }];
        let event = AuditEvent::ConfirmSigned { change: change.id.to_string(), serial: serial.0 };
        self.decide(writes, vec![(Actor::Takar, event)])?;
        self.changes.insert(change.id, after);
        if let Some(sent) = self.outbox.get_mut(&change.id) {
            sent.row.confirm = Some(bytes.clone());
            sent.sent_at = now;
        }
        self.send_bytes(change.agent, Down::Command, bytes);
        Ok(())
    }
}

fn phase_words(receipt: &Receipt) -> String {
    serde_json::to_value(receipt.phase).map_or_else(
        |_| String::new(),
        |value| match value {
            serde_json::Value::String(word) => word.to_lowercase(),
            other => other.to_string(),
        },
    )
}
