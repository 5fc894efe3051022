//! Carrying approved proposals out: signed once, stored, sent, re-sent as identical bytes, confirmed.

mod decide;
mod outbox;
mod receipts;

use takar_collector_core::{
    audit::AuditEvent,
    batch::{self, Step},
    ledger::{Actor, BatchState, Change, ChangeState},
    reserve,
};
use takar_shared::{
    BatchId, BitsPerSec, ChangeId, Digest, Serial, UnixMillis, command::Command, envelope::Message, topic::Down,
};
use takar_store::{OutboxRow, Write};

use super::{Engine, Sent};
use crate::api::query::ApiError;

/// A change that cannot be sent for so long (its agent is away) is withdrawn.
const WAIT_MS: u64 = 15 * 60_000;

impl Engine {
    pub(super) fn advance_batches(&mut self, now: UnixMillis) {
        self.watch_clock(now);
        self.expire(now);
        let running: Vec<BatchId> =
            self.batches.values().filter(|batch| batch.ended_at.is_none()).map(|batch| batch.id).collect();
        for id in running {
            self.advance_batch(id, now);
        }
    }

    fn advance_batch(&mut self, id: BatchId, now: UnixMillis) {
        let mut changes: Vec<Change> = self.changes.values().filter(|change| change.batch == id).cloned().collect();
        changes.sort_by_key(|change| change.step);
        for step in batch::next(&changes) {
            let done = match step {
                Step::Dispatch(change) => self.dispatch(change, now),
                Step::Withdraw(change) => self.withdraw(change, now),
                Step::End(state) => self.end_batch(id, state, now),
            };
            if let Err(error) = done {
                tracing::error!(batch = %id, ?error, "a batch could not go on");
            }
        }
    }

    /// Signs and sends one change, if everything it depends on is known and the reservation allows it.
    fn dispatch(&mut self, id: ChangeId, now: UnixMillis) -> Result<(), ApiError> {
        let Some(change) = self.changes.get(&id).cloned() else { return Ok(()) };
        if now.since(self.free_since(&change)) > WAIT_MS {
            tracing::warn!(change = %id, device = %change.device, "could not be sent for too long; withdrawn");
            return self.withdraw(id, now);
        }
        // What was approved before its link was taken out of plans is not signed any more.
        if let Some(why) = change.moves.iter().find_map(|one| self.kept_out(&one.link)) {
            tracing::warn!(change = %id, device = %change.device, "withdrawn: {why}");
            return self.withdraw(id, now);
        }
        let Some((serial, expects)) = self.ready_to_take(&change, now) else { return Ok(()) };
        if let Err(over) = self.may_dispatch(&change) {
            tracing::debug!(change = %id, "waits: {over}");
            return Ok(());
        }
        let expires_at = now.plus(u64::from(self.config.change.expires_in_s) * 1000);
        let command = Command {
            change: id,
            device: change.device.clone(),
            serial,
            expires_at,
            batch: change.batch,
            step: change.step,
            steps: change.steps,
            expects,
            set: change.moves.iter().map(|one| one.set.clone()).collect(),
            confirm_within_s: self.config.change.confirm_within_s,
        };
        let Some(bytes) = self.signer.seal(&Message::Command(command), change.agent) else {
            return Err(ApiError::Failed(format!("change {id} is larger than a command may be")));
        };
        let mut dispatched = change.clone();
        dispatched.serial = Some(serial);
        dispatched.state = ChangeState::Dispatched;
        dispatched.times.dispatched = Some(now);
        let row = OutboxRow {
            change: id,
            agent: change.agent,
            device: change.device.clone(),
            serial,
            expires_at,
            command: bytes.clone(),
            confirm: None,
        };
        let event = AuditEvent::Dispatched {
            change: id.to_string(),
            proposal: change.proposal,
            agent: change.agent.to_string(),
            device: change.device.as_str().into(),
            serial: serial.0,
            command: Digest::of(&bytes).to_string(),
            set: change
                .moves
                .iter()
                .map(|one| {
                    let cir = one.set.cir.map_or_else(String::new, |cir| format!(" cir={}", cir.0));
                    format!("{} {}{cir} mir={}", one.set.shaper, one.set.direction, one.set.mir.0)
                })
                .collect(),
        };
        let writes = vec![
            Write::Change(dispatched.clone()),
            Write::DeviceSerial { agent: change.agent, device: change.device.clone(), serial },
            Write::Outbox {
                change: id,
                agent: row.agent,
                device: row.device.clone(),
                serial,
                expires_at,
                command: bytes.clone(),
            },
        ];
        self.decide(writes, vec![(Actor::Takar, event)])?;
        tracing::info!(change = %id, device = %change.device, serial = serial.0, step = change.step, "command sent");
        self.outbox.insert(id, Sent { row, sent_at: now });
        self.changes.insert(id, dispatched);
        self.send_bytes(change.agent, Down::Command, bytes);
        self.publish_change(id);
        Ok(())
    }

    /// The signer stops while its own clock is behind the mark that it stored: no Command, no Confirm, and Grants that
    /// allow nothing.
    pub(super) fn is_behind(&self, now: UnixMillis) -> bool {
        now < self.server_time
    }

    /// Told once when it begins and once when it ends.
    fn watch_clock(&mut self, now: UnixMillis) {
        let is = self.is_behind(now);
        if std::mem::replace(&mut self.clock_behind, is) == is {
            return;
        }
        if is {
            tracing::error!(
                "the clock is behind what was already stored; no command and no Confirm is signed until it catches up"
            );
        } else {
            tracing::info!("the clock has caught up with what was stored; signing goes on");
        }
    }

    /// When nothing of its batch was before it any more: an increase waits for its decreases first.
    fn free_since(&self, change: &Change) -> UnixMillis {
        let earlier = self.changes.values().filter(|other| other.batch == change.batch);
        earlier.filter_map(|other| other.times.ended).fold(change.times.made, UnixMillis::max)
    }

    /// The next serial and the digest to expect; `None` while the device cannot take a command.
    fn ready_to_take(&self, change: &Change, now: UnixMillis) -> Option<(Serial, Digest)> {
        if self.is_behind(now) {
            return None;
        }
        let agent = self.agents.get(&change.agent).filter(|agent| agent.is_commanded())?;
        let state = agent.device(change.device.as_str())?.state.as_ref()?;
        let open: Vec<&Change> = self.open_changes().collect();
        let drawn = self.store.device_serial(change.agent, &change.device).ok()?.unwrap_or_default();
        batch::ready(change, &open, drawn, state, |one| self.observed(&one.link, one.set.direction))
    }

    fn may_dispatch(&self, change: &Change) -> Result<(), reserve::Over> {
        // A decrease needs no room: it only ends lower.
        if !change.raises() {
            return Ok(());
        }
        let batch = self.batches.get(&change.batch);
        let uplink = batch.and_then(|batch| self.inventory.as_ref()?.uplink(&batch.uplink));
        let (Some(batch), Some(uplink)) = (batch, uplink) else {
            // An import is refused while a batch runs, so this is a fault; what has no budget gets nothing.
            tracing::error!(change = %change.id, "its batch or uplink is gone; an increase is not signed");
            let sum = change.moves.iter().map(|one| one.set.mir).sum();
            return Err(reserve::Over { sum, allowed: BitsPerSec::ZERO });
        };
        let holds = self.holds(&batch.uplink, batch.direction);
        let open: Vec<&Change> = self.open_changes().collect();
        let limit = uplink.mir_budget(batch.direction).max(batch.sum_at_start);
        reserve::may_dispatch(change, &holds, batch.direction, uplink.capacity(batch.direction), &open, limit)
    }

    fn withdraw(&mut self, id: ChangeId, now: UnixMillis) -> Result<(), ApiError> {
        let Some(mut change) = self.changes.get(&id).cloned() else { return Ok(()) };
        change.state = ChangeState::Withdrawn;
        change.times.ended = Some(now);
        let event = AuditEvent::Withdrawn { change: id.to_string(), proposal: change.proposal };
        self.decide(vec![Write::Change(change.clone())], vec![(Actor::Takar, event)])?;
        self.changes.insert(id, change);
        self.publish_change(id);
        Ok(())
    }

    fn end_batch(&mut self, id: BatchId, state: BatchState, now: UnixMillis) -> Result<(), ApiError> {
        let Some(mut batch) = self.batches.get(&id).cloned().filter(|batch| batch.ended_at.is_none()) else {
            return Ok(());
        };
        batch.state = state;
        batch.ended_at = Some(now);
        let moved = self.end_of_batch(&batch, state, now)?;
        let mut writes = vec![Write::Batch(batch.clone())];
        let mut events = Vec::new();
        if let Some(moved) = &moved {
            writes.extend(moved.writes.clone());
            events.extend(moved.events.clone());
        }
        self.decide(writes, events)?;
        moved.into_iter().for_each(|moved| self.adopt(moved));
        tracing::info!(batch = %id, proposal = %batch.proposal, ?state, "batch ended");
        self.publish_event(
            "batch-ended",
            serde_json::json!({"batch": id.to_string(), "proposal": batch.proposal.0, "state": batch.state}),
        );
        // Whoever asks for it later reads the store, and a receipt that comes late is kept as before.
        self.batches.remove(&id);
        self.changes.retain(|_, change| change.batch != id);
        Ok(())
    }
}
