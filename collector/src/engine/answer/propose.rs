//! To propose, by the planner or by hand, or to see in a dry run what would be proposed.

use serde_json::Value;
use takar_collector_core::{
    case::By,
    inventory::Uplink,
    ledger::{Actor, ProposalId, ProposalRecord, ProposalState},
    plan,
};
use takar_shared::{Direction, UnixMillis};

use super::show;
use crate::{
    api::query::ApiError,
    engine::{Engine, planning::about},
    view::{PlanView, ProposeBody, ReasonView},
};

impl Engine {
    /// A dry run proposes nothing and says what would be; without one, what is worth it is proposed.
    pub(super) fn propose_query(&mut self, body: &ProposeBody, by: &By, now: UnixMillis) -> Result<Value, ApiError> {
        let mut view = PlanView { proposals: Vec::new(), reasons: Vec::new() };
        if !body.moves.is_empty() {
            if body.dry_run {
                let (_, proposal) = self.asked_proposal(body, now).map_err(ApiError::Invalid)?;
                view.proposals.push(self.proposal_view(&draft(proposal, by.actor.clone(), now)));
            } else {
                let id = self.propose_asked(body, by, now)?;
                let position = self.position(id)?;
                view.proposals.push(self.proposal_view(&self.proposals[position]));
            }
            return show(&view);
        }
        let Some(inventory) = self.inventory.clone() else {
            return Err(ApiError::Conflict("there is no inventory; import one first".into()));
        };
        let wanted: Vec<_> = inventory
            .uplinks()
            .iter()
            .filter(|uplink| body.uplink.as_ref().is_none_or(|name| name == uplink.name.as_str()))
            .collect();
        if wanted.is_empty() {
            return Err(ApiError::NotFound(format!(
                "there is no uplink \"{}\"",
                body.uplink.as_deref().unwrap_or_default()
            )));
        }
        for uplink in wanted {
            for direction in Direction::BOTH {
                self.plan_one(body, uplink, direction, by, now, &mut view)?;
            }
        }
        show(&view)
    }

    fn plan_one(
        &mut self,
        body: &ProposeBody,
        uplink: &Uplink,
        direction: Direction,
        by: &By,
        now: UnixMillis,
        view: &mut PlanView,
    ) -> Result<(), ApiError> {
        let Some(input) = self.plan_input(&uplink.name, direction, now) else { return Ok(()) };
        let outcome = plan::plan(&input);
        let reasons: Vec<ReasonView> = outcome
            .reasons
            .iter()
            .map(|one| ReasonView {
                uplink: uplink.name.as_str().into(),
                direction: direction.as_str().into(),
                link: one.link.as_str().into(),
                why: one.reason.to_string(),
            })
            .collect();
        match &outcome.proposal {
            None => view.reasons.extend(reasons),
            Some(proposal) if body.dry_run => {
                let mut record = draft(proposal.clone(), by.actor.clone(), now);
                record.others = outcome.reasons.iter().map(|one| (one.link.clone(), one.reason.to_string())).collect();
                view.proposals.push(self.proposal_view(&record));
            }
            Some(_) if self.is_busy(&uplink.name, direction) => view.reasons.push(ReasonView {
                uplink: uplink.name.as_str().into(),
                direction: direction.as_str().into(),
                link: "–".into(),
                why: "A proposal or batch of this uplink and direction is open already.".into(),
            }),
            Some(proposal) => {
                let links = about(proposal);
                let place = (uplink.name.clone(), direction);
                let case = self.case_to_propose_in(place, links, by, body.reason.as_deref(), now)?;
                let reason = body.reason.clone();
                if let Some(id) = self.take_outcome(case, &input, outcome, None, by, reason, now)? {
                    let position = self.position(id)?;
                    view.proposals.push(self.proposal_view(&self.proposals[position]));
                }
            }
        }
        Ok(())
    }
}

/// A proposal that exists only in an answer.
fn draft(proposal: plan::Proposal, by: Actor, now: UnixMillis) -> ProposalRecord {
    ProposalRecord {
        id: ProposalId(0),
        made_at: now,
        made_by: by,
        finding: None,
        case: None,
        reason: None,
        proposal,
        others: Vec::new(),
        state: ProposalState::Proposed,
        decided_at: None,
        batch: None,
    }
}
