//! Carrying approved proposals out: signed once, stored, sent, re-sent as identical bytes, confirmed.

use takar_collector_core::{
    audit::AuditEvent,
    batch::{self, Step},
    ledger::{Actor, Batch, BatchState, Change, ChangeState, ChangeTimes, LinkMove, ProposalId, ProposalState},
    plan::Move,
    reserve,
};
use takar_shared::{
    AgentId, BatchId, ChangeId, Digest, UnixMillis,
    command::{Command, Confirm},
    envelope::Message,
    queue::Setting,
    receipt::Receipt,
    topic::Down,
};
use takar_store::{OutboxRow, Write};

use super::{Allocation, Engine, Sent};
use crate::{api::query::ApiError, clock};

/// An unanswered command or Confirm is sent again, as identical bytes, after this.
const RESEND_MS: u64 = 5_000;
/// A change that cannot be sent for so long (its agent is away) is withdrawn.
const WAIT_MS: u64 = 15 * 60_000;

impl Engine {
    pub(super) fn approve(&mut self, id: ProposalId, by: Actor, now: UnixMillis) -> Result<(), ApiError> {
        let position = self.position(id)?;
        let mut record = self.proposals[position].clone();
        if record.state != ProposalState::Proposed {
            return Err(ApiError::Conflict(format!(
                "proposal {id} is {} already",
                super::answer::proposal_state(&record.state).0
            )));
        }
        if let Some(why) = self.stale(&record) {
            return Err(ApiError::Conflict(format!("proposal {id} is stale: {why}")));
        }
        let batch_id = BatchId(random()?);
        let changes = self.changes_for(&record.proposal.moves, record.proposal.direction, batch_id, id, now)?;
        record.state = ProposalState::Approved { by: by.clone() };
        record.decided_at = Some(now);
        record.batch = Some(batch_id);
        let batch = Batch {
            id: batch_id,
            proposal: id,
            uplink: record.proposal.uplink.clone(),
            direction: record.proposal.direction,
            sum_at_start: record.proposal.sum_before,
            state: BatchState::Running,
            started_at: now,
            ended_at: None,
        };
        let mut writes = vec![Write::Proposal(record.clone()), Write::Batch(batch.clone())];
        writes.extend(changes.iter().cloned().map(Write::Change));
        self.decide(writes, vec![(by.clone(), AuditEvent::Approved { proposal: id })])?;
        tracing::info!(%id, %by, changes = changes.len(), "approved");
        self.publish_event("approved", serde_json::json!({"proposal": id.0, "by": by.to_string()}));
        self.proposals[position] = record;
        self.batches.insert(batch_id, batch);
        self.changes.extend(changes.into_iter().map(|change| (change.id, change)));
        self.advance_batch(batch_id, now);
        Ok(())
    }

    pub(super) fn decline(
        &mut self,
        id: ProposalId,
        by: Actor,
        reason: String,
        now: UnixMillis,
    ) -> Result<(), ApiError> {
        let position = self.position(id)?;
        let mut record = self.proposals[position].clone();
        if record.state != ProposalState::Proposed {
            return Err(ApiError::Conflict(format!(
                "proposal {id} is {} already",
                super::answer::proposal_state(&record.state).0
            )));
        }
        record.state = ProposalState::Declined { by: by.clone(), reason: reason.clone() };
        record.decided_at = Some(now);
        let event = AuditEvent::Declined { proposal: id, reason: reason.clone() };
        self.decide(vec![Write::Proposal(record.clone())], vec![(by.clone(), event)])?;
        tracing::info!(%id, %by, "declined: {reason}");
        self.publish_event("declined", serde_json::json!({"proposal": id.0, "by": by.to_string(), "reason": reason}));
        self.proposals[position] = record;
        Ok(())
    }

    pub(super) fn position(&self, id: ProposalId) -> Result<usize, ApiError> {
        let found = self.proposals.iter().position(|record| record.id == id);
        found.ok_or_else(|| ApiError::NotFound(format!("there is no proposal {id}")))
    }

    /// One change per device and sense: decreases first.
    fn changes_for(
        &self,
        moves: &[Move],
        direction: takar_shared::Direction,
        batch: BatchId,
        proposal: ProposalId,
        now: UnixMillis,
    ) -> Result<Vec<Change>, ApiError> {
        let inventory = self.inventory.as_ref().ok_or_else(|| ApiError::Conflict("there is no inventory".into()))?;
        let mut changes: Vec<Change> = Vec::new();
        let mut sorted: Vec<&Move> = moves.iter().collect();
        sorted.sort_by_key(|one| one.is_raise());
        for one in sorted {
            let link =
                inventory.link(&one.link).ok_or_else(|| ApiError::Conflict(format!("link {} is gone", one.link)))?;
            let (agent, _) = self.device(link.device.as_str()).ok_or_else(|| {
                ApiError::Conflict(format!("no agent serves device {} of link {}", link.device, link.name))
            })?;
            let side = link.side(direction);
            let set = Setting { shaper: side.shaper.clone(), direction, cir: one.cir, mir: one.to };
            let moved = LinkMove { link: link.name.clone(), from: one.from, set };
            let raises = one.is_raise();
            let same = changes.iter_mut().find(|change| {
                change.agent == agent.record.id && change.device == link.device && change.raises() == raises
            });
            match same {
                Some(change) => change.moves.push(moved),
                None => changes.push(Change {
                    id: ChangeId(random()?),
                    batch,
                    proposal,
                    step: 0,
                    steps: 0,
                    agent: agent.record.id,
                    device: link.device.clone(),
                    serial: None,
                    moves: vec![moved],
                    state: ChangeState::Waiting,
                    times: ChangeTimes { made: now, ..ChangeTimes::default() },
                }),
            }
        }
        let steps = u16::try_from(changes.len()).unwrap_or(u16::MAX);
        for (step, change) in (1..).zip(&mut changes) {
            (change.step, change.steps) = (step, steps);
        }
        Ok(changes)
    }

    pub(super) fn advance_batches(&mut self, now: UnixMillis) {
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
        if now.since(change.times.made) > WAIT_MS {
            tracing::warn!(change = %id, device = %change.device, "could not be sent for too long; withdrawn");
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
                .map(|one| format!("{} {} mir={}", one.set.shaper, one.set.direction, one.set.mir.0))
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

    /// The next serial and the digest to expect; `None` while the device cannot take a command.
    fn ready_to_take(&self, change: &Change, now: UnixMillis) -> Option<(takar_shared::Serial, Digest)> {
        // The signer stops when its own clock is behind the mark it stored.
        if now < self.server_time {
            tracing::error!("the clock is behind what was already stored; nothing is signed until it catches up");
            return None;
        }
        let agent = self.agents.get(&change.agent).filter(|agent| agent.online && agent.distrusted.is_none())?;
        let state = agent.device(change.device.as_str())?.state.as_ref()?;
        let other_open = self.changes.values().any(|other| {
            other.id != change.id
                && other.agent == change.agent
                && other.device == change.device
                && !other.state.is_final()
                && other.state != ChangeState::Waiting
        });
        if other_open || state.pending.is_some() {
            return None;
        }
        let drawn = self.store.device_serial(change.agent, &change.device).ok()?.unwrap_or_default();
        Some((drawn.max(state.last_serial).next(), state.queues.as_ref()?.digest))
    }

    fn may_dispatch(&self, change: &Change) -> Result<(), reserve::Over> {
        let batch = self.batches.get(&change.batch);
        let uplink = batch.and_then(|batch| self.inventory.as_ref()?.uplink(&batch.uplink));
        let (Some(batch), Some(uplink)) = (batch, uplink) else { return Ok(()) };
        let holds = self.holds(&batch.uplink, batch.direction);
        let open: Vec<&Change> = self.changes.values().filter(|other| !other.state.is_final()).collect();
        let limit = uplink.mir_budget(batch.direction).max(batch.sum_at_start);
        // A decrease needs no room: it only ends lower.
        if !change.raises() {
            return Ok(());
        }
        reserve::may_dispatch(change, &holds, uplink.capacity(batch.direction), &open, limit)
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
        self.decide(vec![Write::Batch(batch.clone())], Vec::new())?;
        tracing::info!(batch = %id, proposal = %batch.proposal, ?state, "batch ended");
        self.publish_event(
            "batch-ended",
            serde_json::json!({"batch": id.to_string(), "proposal": batch.proposal.0, "state": batch.state}),
        );
        self.batches.insert(id, batch);
        Ok(())
    }

    /// Stores a receipt and what it means; `false` where it concerns no change of ours.
    pub(super) fn take_receipt(&mut self, id: AgentId, receipt: &Receipt, now: UnixMillis) -> bool {
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

    /// Signs Confirm for every applied change that fresh telemetry shows to hold.
    pub(super) fn confirm_what_holds(&mut self, id: AgentId, now: UnixMillis) {
        if self.config.change.withhold_confirm {
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

    fn confirm(&mut self, change: &Change, now: UnixMillis) -> Result<(), ApiError> {
        let Some(device) = self.agents.get(&change.agent).and_then(|agent| agent.device(change.device.as_str())) else {
            return Ok(());
        };
        let Some(state) = &device.state else { return Ok(()) };
        let receipts = self.store.receipts_of(change.id).map_err(|error| ApiError::Failed(error.to_string()))?;
        let holds = receipts.iter().any(|row| batch::may_confirm(&row.receipt, device.polled_ok_at, state));
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

    /// "Ask" is re-sending the identical bytes, also after expiry, until a receipt says what became of it.
    pub(super) fn resend_outbox(&mut self, now: UnixMillis, at_once: bool) {
        if !self.connected {
            return;
        }
        let mut due = Vec::new();
        for sent in self.outbox.values_mut() {
            let online = self.agents.get(&sent.row.agent).is_some_and(|agent| agent.online);
            if online && (at_once || now.since(sent.sent_at) >= RESEND_MS) {
                sent.sent_at = now;
                let bytes = sent.row.confirm.clone().unwrap_or_else(|| sent.row.command.clone());
                due.push((sent.row.agent, bytes));
            }
        }
        for (agent, bytes) in due {
            self.send_bytes(agent, Down::Command, bytes);
        }
    }

    fn expire(&mut self, now: UnixMillis) {
        let expired: Vec<Change> = self
            .changes
            .values()
            .filter_map(|change| {
                let expires_at = self.outbox.get(&change.id)?.row.expires_at;
                let state = batch::expire(change, expires_at, now)?;
                Some(Change { state, ..change.clone() })
            })
            .collect();
        for change in expired {
            if self.decide(vec![Write::Change(change.clone())], Vec::new()).is_ok() {
                tracing::warn!(change = %change.id, device = %change.device, "no receipt before it expired; still asking");
                let id = change.id;
                self.changes.insert(id, change);
                self.publish_change(id);
            }
        }
    }
}

fn random<const N: usize>() -> Result<[u8; N], ApiError> {
    clock::random().map_err(|error| ApiError::Failed(format!("no random source: {error}")))
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
