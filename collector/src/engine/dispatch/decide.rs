//! Decisions on proposals: declined, or approved into a batch of changes.

use takar_collector_core::{
    audit::AuditEvent,
    batch::{self, Assigned, Part},
    case::{Act, By},
    inventory::Inventory,
    ledger::{Batch, BatchState, Change, LinkMove, ProposalId, ProposalRecord, ProposalState},
    plan::Move,
};
use takar_shared::{BatchId, ChangeId, Direction, UnixMillis, queue::Setting};
use takar_store::Write;

use crate::{
    api::query::ApiError,
    clock,
    engine::{Engine, answer},
};

impl Engine {
    pub(in crate::engine) fn approve(&mut self, id: ProposalId, by: &By, now: UnixMillis) -> Result<(), ApiError> {
        let (position, mut record) = self.undecided(id)?;
        if let Some(why) = self.stale(&record) {
            return Err(ApiError::Conflict(format!("proposal {id} is stale: {why}")));
        }
        let batch_id = BatchId(random()?);
        let changes = self.changes_for(&record.proposal.moves, record.proposal.direction, batch_id, id, now)?;
        // A loan was granted as a whole: what it moves at its beginning and end is not asked for again.
        let case = self.cases.of_proposal(id).filter(|case| case.loan.is_none()).map(|case| case.id);
        let act = Act::Approve { proposal: id };
        let moved = case.map(|case| self.prepare(case, &act, by, None, now)).transpose()?;
        record.state = ProposalState::Approved { by: by.actor.clone() };
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
        let mut events = vec![(by.actor.clone(), AuditEvent::Approved { proposal: id })];
        if let Some(moved) = &moved {
            writes.extend(moved.writes.clone());
            events.extend(moved.events.clone());
        }
        self.decide(writes, events)?;
        tracing::info!(%id, by = %by.actor, changes = changes.len(), "approved");
        self.publish_event("approved", serde_json::json!({"proposal": id.0, "by": by.actor.to_string()}));
        self.proposals[position] = record;
        moved.into_iter().for_each(|moved| self.adopt(moved));
        self.batches.insert(batch_id, batch);
        self.changes.extend(changes.into_iter().map(|change| (change.id, change)));
        self.advance_batch(batch_id, now);
        Ok(())
    }

    pub(in crate::engine) fn decline(
        &mut self,
        id: ProposalId,
        by: &By,
        reason: String,
        now: UnixMillis,
    ) -> Result<(), ApiError> {
        let (position, mut record) = self.undecided(id)?;
        record.state = ProposalState::Declined { by: by.actor.clone(), reason: reason.clone() };
        record.decided_at = Some(now);
        let event = AuditEvent::Declined { proposal: id, reason: reason.clone() };
        let act = Act::Decline { proposal: id, reason: reason.clone() };
        self.decide_on(record, position, event, &act, by, now)?;
        let by = by.actor.to_string();
        tracing::info!(%id, by, "declined: {reason}");
        self.publish_event("declined", serde_json::json!({"proposal": id.0, "by": by, "reason": reason}));
        Ok(())
    }

    pub(in crate::engine) fn position(&self, id: ProposalId) -> Result<usize, ApiError> {
        let found = self.proposals.iter().position(|record| record.id == id);
        found.ok_or_else(|| ApiError::NotFound(format!("there is no proposal {id}")))
    }

    /// Where the proposal stands and a copy of it, if nobody decided on it yet.
    fn undecided(&self, id: ProposalId) -> Result<(usize, ProposalRecord), ApiError> {
        let position = self.position(id)?;
        let record = self.proposals[position].clone();
        if record.state != ProposalState::Proposed {
            return Err(ApiError::Conflict(format!(
                "proposal {id} is {} already",
                answer::proposal_state(&record.state).0
            )));
        }
        Ok((position, record))
    }

    /// The changes that carry the moves out, none of them signed yet.
    fn changes_for(
        &self,
        moves: &[Move],
        direction: Direction,
        batch: BatchId,
        proposal: ProposalId,
        now: UnixMillis,
    ) -> Result<Vec<Change>, ApiError> {
        let inventory = self.inventory.as_ref().ok_or_else(|| ApiError::Conflict("there is no inventory".into()))?;
        let assigned: Result<Vec<Assigned>, ApiError> =
            moves.iter().map(|one| self.assigned(inventory, one, direction)).collect();
        let change = |part: Part| Ok(part.into_change(ChangeId(random()?), batch, proposal, now));
        batch::split(assigned?).into_iter().map(change).collect()
    }

    /// Who carries a move out, and what it is there.
    fn assigned(&self, inventory: &Inventory, one: &Move, direction: Direction) -> Result<Assigned, ApiError> {
        let link = inventory.link(&one.link).ok_or_else(|| ApiError::Conflict(format!("link {} is gone", one.link)))?;
        let (agent, _) = self.device(link.device.as_str()).ok_or_else(|| {
            ApiError::Conflict(format!("no agent serves device {} of link {}", link.device, link.name))
        })?;
        let set = Setting { shaper: link.side(direction).shaper.clone(), direction, cir: one.cir, mir: one.to };
        let moved = LinkMove { link: link.name.clone(), from: one.from, set };
        Ok(Assigned { agent: agent.record.id, device: link.device.clone(), moved })
    }
}

fn random<const N: usize>() -> Result<[u8; N], ApiError> {
    clock::random().map_err(|error| ApiError::Failed(format!("no random source: {error}")))
}
