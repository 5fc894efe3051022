//! Proposals: what would move, why, and what became of it.

use serde_json::Value;
use takar_collector_core::ledger::{ProposalId, ProposalRecord, ProposalState};

use super::show;
use crate::{
    api::query::ApiError,
    engine::Engine,
    view::{MoveView, OtherView, ProposalView},
};

impl Engine {
    pub(in crate::engine) fn proposal_view(&self, record: &ProposalRecord) -> ProposalView {
        let (state, decided_by, reason) = proposal_state(&record.state);
        let proposal = &record.proposal;
        let batch =
            record.batch.and_then(|id| self.batches.get(&id).cloned().or_else(|| self.store.batch(id).ok().flatten()));
        ProposalView {
            id: record.id.0,
            made_at: record.made_at.0,
            made_by: record.made_by.to_string(),
            uplink: proposal.uplink.as_str().into(),
            direction: proposal.direction.as_str().into(),
            state: state.into(),
            decided_by,
            decided_at: record.decided_at.map(|at| at.0),
            reason: reason.or_else(|| record.reason.clone()),
            finding: record.finding,
            moves: proposal
                .moves
                .iter()
                .map(|one| MoveView {
                    link: one.link.as_str().into(),
                    from_bps: one.from.0,
                    to_bps: one.to.0,
                    why: one.why.to_string(),
                })
                .collect(),
            others: record
                .others
                .iter()
                .map(|(link, why)| OtherView { link: link.as_str().into(), why: why.clone() })
                .collect(),
            sum_before_bps: proposal.sum_before.0,
            sum_after_bps: proposal.sum_after.0,
            budget_bps: proposal.budget.0,
            batch: batch.map(|batch| format!("{:?}", batch.state).to_lowercase()),
        }
    }

    pub(super) fn show_proposal(&self, id: ProposalId) -> Result<Value, ApiError> {
        let position = self.position(id)?;
        show(&self.proposal_view(&self.proposals[position]))
    }
}

/// The word, who decided, and why.
pub(in crate::engine) fn proposal_state(state: &ProposalState) -> (&'static str, Option<String>, Option<String>) {
    match state {
        ProposalState::Proposed => ("proposed", None, None),
        ProposalState::Approved { by } => ("approved", Some(by.to_string()), None),
        ProposalState::Declined { by, reason } => ("declined", Some(by.to_string()), Some(reason.clone())),
        ProposalState::Superseded { why } => ("superseded", None, Some(why.clone())),
    }
}
