//! From findings to proposals: what the planner is told, what becomes of what it says.

mod asked;
mod claims;

pub(super) use asked::about;

use std::time::Duration;

use takar_collector_core::{
    audit::AuditEvent,
    case::{Act, By, CaseId},
    inventory::{Inventory, Link, LinkName, UplinkName},
    ledger::{Actor, ProposalId, ProposalRecord, ProposalState},
    plan::{self, Outcome, PlanInput, Proposal},
};
use takar_shared::{Direction, UnixMillis};
use takar_store::Write;

use super::Engine;
use crate::api::query::ApiError;

/// Longer than agents take to tell a collector that came back where their devices stand.
const HEARD_WITHIN: Duration = Duration::from_secs(60);

impl Engine {
    /// Every case that waits for a plan, where nothing is under way.
    pub(super) fn plan_all(&mut self, now: UnixMillis) {
        self.supersede_stale(now);
        let Some(inventory) = self.inventory.clone() else { return };
        for uplink in inventory.uplinks() {
            for direction in Direction::BOTH {
                if self.is_busy(&uplink.name, direction) {
                    continue;
                }
                let Some(case) = self.cases.to_plan(&uplink.name, direction, now) else { continue };
                let (id, is_need) = (case.id, case.findings.is_empty());
                if self.is_coming(&inventory, &uplink.name, direction) {
                    self.plan_due = true;
                    continue;
                }
                let finding = inventory.members(&uplink.name).find_map(|link| self.shortage(&link.name, direction));
                let finding = finding.map(|(id, _)| id);
                // A shortage that is over for now comes back, or a person ends its case.
                if finding.is_none() && !is_need {
                    continue;
                }
                let Some(input) = self.plan_input_for(id, &uplink.name, direction, now) else { continue };
                let outcome = plan::plan(&input);
                if let Err(error) = self.take_outcome(id, &input, outcome, finding, &By::takar(), None, now) {
                    tracing::error!(uplink = %uplink.name, ?error, "a proposal could not be stored");
                }
            }
        }
    }

    /// Right after a start devices have not said yet what they have; what is planned without them would be too little.
    fn is_coming(&self, inventory: &Inventory, uplink: &UplinkName, direction: Direction) -> bool {
        let unheard = |link: &Link| self.observed(&link.name, direction).is_none();
        self.began.elapsed() < HEARD_WITHIN && inventory.members(uplink).any(unheard)
    }

    /// A proposal waits for a decision, or a batch runs, on this uplink in this direction.
    pub(super) fn is_busy(&self, uplink: &UplinkName, direction: Direction) -> bool {
        let waiting = self
            .waiting_proposals()
            .any(|record| record.proposal.uplink == *uplink && record.proposal.direction == direction);
        waiting
            || self
                .batches
                .values()
                .any(|batch| batch.ended_at.is_none() && batch.uplink == *uplink && batch.direction == direction)
    }

    #[allow(clippy::too_many_arguments)] // what a proposal is made of
    pub(super) fn take_outcome(
        &mut self,
        case: CaseId,
        input: &PlanInput,
        outcome: Outcome,
        finding: Option<u64>,
        by: &By,
        reason: Option<String>,
        now: UnixMillis,
    ) -> Result<Option<ProposalId>, ApiError> {
        let others: Vec<_> = outcome.reasons.iter().map(|one| (one.link.clone(), one.reason.to_string())).collect();
        let key = (input.uplink.clone(), input.direction);
        let Some(proposal) = outcome.proposal else {
            if self.reasons.get(&key) != Some(&others) {
                tracing::info!(uplink = %key.0, direction = %key.1, "no proposal: {}", summary_of(&others));
            }
            self.reasons.insert(key, others);
            self.weigh_without_plan(case, input, now)?;
            return Ok(None);
        };
        self.reasons.remove(&key);
        // A second opinion that shares no code with the planner: what it objects to is never proposed.
        let violations = plan::check(&proposal, input);
        if !violations.is_empty() {
            let text: Vec<_> = violations.iter().map(ToString::to_string).collect();
            tracing::error!(uplink = %key.0, "the planner's proposal breaks its own rules and is dropped: {}", text.join("; "));
            return Ok(None);
        }
        let id = self.propose(case, proposal, others, finding, by, reason, now)?;
        if self.policy_allows(id) {
            self.approve(id, &By::policy(), now)?;
        } else if let Some(record) = self.proposal_record(id) {
            self.tell_waiting(&record, now);
        }
        Ok(Some(id))
    }

    #[allow(clippy::too_many_arguments)] // what a proposal is made of
    pub(super) fn propose(
        &mut self,
        case: CaseId,
        proposal: Proposal,
        others: Vec<(LinkName, String)>,
        finding: Option<u64>,
        by: &By,
        reason: Option<String>,
        now: UnixMillis,
    ) -> Result<ProposalId, ApiError> {
        let id = ProposalId(self.next_proposal);
        let record = ProposalRecord {
            id,
            made_at: now,
            made_by: by.actor.clone(),
            finding,
            case: Some(case),
            reason,
            proposal,
            others,
            state: ProposalState::Proposed,
            decided_at: None,
            batch: None,
        };
        let summary = summary(&record.proposal);
        let weighed = self.weighed(case, &record.proposal, now)?;
        let moved = self.prepare(case, &Act::Propose { proposal: id }, by, weighed, now)?;
        let mut writes = moved.writes.clone();
        writes.push(Write::Proposal(record.clone()));
        let proposed = AuditEvent::Proposed { proposal: id, summary: summary.clone(), case: Some(case) };
        let mut events = vec![(by.actor.clone(), proposed)];
        events.extend(moved.events.clone());
        self.decide(writes, events)?;
        self.adopt(moved);
        self.next_proposal += 1;
        tracing::info!(%id, "proposed: {summary}");
        self.publish_event("proposed", serde_json::json!({"proposal": self.proposal_view(&record)}));
        self.proposals.insert(0, record);
        self.forget_old_proposals();
        Ok(id)
    }

    /// As many as after a restart, and whatever is not decided; all are in the store.
    fn forget_old_proposals(&mut self) {
        let mut newest = 0;
        self.proposals.retain(|record| {
            newest += 1;
            newest <= super::PROPOSALS_AT_HAND || record.state == ProposalState::Proposed
        });
    }

    /// Inside the agreed policy no telephone call is needed.
    fn policy_allows(&self, id: ProposalId) -> bool {
        let Some(record) = self.proposals.iter().find(|record| record.id == id) else { return false };
        self.config.policy.allows(&record.proposal, |link| self.mode_of(link))
    }

    /// A proposal whose facts no longer hold is never decided upon.
    fn supersede_stale(&mut self, now: UnixMillis) {
        let stale: Vec<_> =
            self.waiting_proposals().filter_map(|record| Some((record.id, self.stale(record)?))).collect();
        for (id, why) in stale {
            self.supersede(id, why, now);
        }
    }

    /// True where it waited, and does not any more.
    pub(super) fn supersede(&mut self, id: ProposalId, why: String, now: UnixMillis) -> bool {
        let Some(position) = self.proposals.iter().position(|record| record.id == id) else { return false };
        let mut record = self.proposals[position].clone();
        record.state = ProposalState::Superseded { why: why.clone() };
        record.decided_at = Some(now);
        let event = AuditEvent::Superseded { proposal: id, why: why.clone() };
        let act = Act::Supersede { proposal: id };
        let done = self.decide_on(record, position, event, &act, &By::takar(), now).is_ok();
        if done {
            tracing::info!(%id, "proposal superseded: {why}");
            self.publish_event("superseded", serde_json::json!({"proposal": id.0, "why": why}));
        }
        done
    }

    /// What became of a proposal, and with it of its case, in one transaction.
    pub(super) fn decide_on(
        &mut self,
        record: ProposalRecord,
        position: usize,
        event: AuditEvent,
        act: &Act,
        by: &By,
        now: UnixMillis,
    ) -> Result<(), ApiError> {
        let case = self.cases.of_proposal(record.id).map(|case| case.id);
        let moved = case.map(|case| self.prepare(case, act, by, None, now)).transpose()?;
        let mut writes = vec![Write::Proposal(record.clone())];
        let mut events = vec![(by.actor.clone(), event)];
        if let Some(moved) = &moved {
            writes.extend(moved.writes.clone());
            events.extend(moved.events.clone());
        }
        self.decide(writes, events)?;
        self.proposals[position] = record;
        moved.into_iter().for_each(|moved| self.adopt(moved));
        Ok(())
    }

    pub(super) fn proposal_record(&self, id: ProposalId) -> Option<ProposalRecord> {
        let at_hand = self.proposals.iter().find(|record| record.id == id).cloned();
        at_hand.or_else(|| self.store.proposal(id).ok().flatten())
    }

    /// Why a proposal no longer fits the facts, if it does not.
    pub(super) fn stale(&self, record: &ProposalRecord) -> Option<String> {
        let proposal = &record.proposal;
        let Some(inventory) = &self.inventory else { return Some("there is no inventory any more".into()) };
        for one in &proposal.moves {
            if let Some(why) = self.kept_out(&one.link) {
                return Some(why);
            }
            let Some(link) = inventory.link(&one.link).filter(|link| link.uplink == proposal.uplink) else {
                return Some(format!("{} is not on {} any more", one.link, proposal.uplink));
            };
            if self.recorded(link, proposal.direction) != one.from {
                return Some(format!("the ceiling of {} is {} now", one.link, self.recorded(link, proposal.direction)));
            }
            if let Some(observed) =
                self.observed(&one.link, proposal.direction).filter(|observed| *observed != one.from)
            {
                return Some(format!("the device of {} reads back {observed} now", one.link));
            }
        }
        let planned = record.made_by == Actor::Takar && record.finding.is_some();
        let over = planned
            && !proposal
                .moves
                .iter()
                .any(|one| one.is_raise() && self.shortage(&one.link, proposal.direction).is_some());
        over.then(|| "the shortage it answers is over".into())
    }
}

/// One line for logs and the audit log.
pub(super) fn summary(proposal: &Proposal) -> String {
    let moves: Vec<_> = proposal.moves.iter().map(|one| format!("{} {} to {}", one.link, one.from, one.to)).collect();
    format!("{} {}: {}", proposal.uplink, proposal.direction, moves.join(", "))
}

fn summary_of(others: &[(LinkName, String)]) -> String {
    let lines: Vec<_> = others.iter().map(|(link, why)| format!("{link}: {why}")).collect();
    lines.join(" ")
}
