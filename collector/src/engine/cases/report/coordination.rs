//! Step 3 on paper: what was weighed, who proposed and decided, and what the provider said.

use takar_collector_core::{
    case::{Case, Dialogue},
    ledger::{Actor, ProposalRecord},
};
use takar_report::model;
use takar_store::EvidenceRow;

use super::newest;
use crate::engine::{Engine, answer};

impl Engine {
    pub(super) fn coordination(
        &self,
        case: &Case,
        last: Option<&ProposalRecord>,
        evidence: &[EvidenceRow],
    ) -> model::Coordination {
        let ways = newest(evidence, "options").and_then(|what| serde_json::from_value(what).ok()).unwrap_or_default();
        let decided = last.map(|record| answer::proposal_state(&record.state));
        let granted = case.loan.as_ref().and_then(|loan| loan.granted_by.as_ref()).map(ToString::to_string);
        let by = granted.or_else(|| decided.as_ref().and_then(|(_, by, _)| by.clone()));
        model::Coordination {
            options: ways,
            proposal: last.map(|record| record.id.0),
            proposed_by: last.map(|record| self.name_of(&record.made_by)),
            decided_by: by.map(|name| self.full_name(&name)),
            decided_at: last.and_then(|record| record.decided_at).map(|at| at.0),
            reason: decided.and_then(|(_, _, reason)| reason),
            provider: case.provider.as_ref().map(dialogue),
        }
    }

    /// On paper.
    pub(super) fn name_of(&self, actor: &Actor) -> String {
        match actor {
            Actor::Person(name) => self.full_name(name),
            Actor::Policy | Actor::Takar => actor.to_string(),
        }
    }
}

fn dialogue(dialogue: &Dialogue) -> model::ProviderDialogue {
    let answer = dialogue.answer.as_ref();
    model::ProviderDialogue {
        letter_number: dialogue.number.clone(),
        sent_at: dialogue.sent.as_ref().map(|(at, _)| at.0),
        sent_by: dialogue.sent.as_ref().map(|(_, how)| how.clone()),
        ticket: answer.and_then(|answer| answer.ticket.clone()),
        promised_at: answer.and_then(|answer| answer.promised).map(|at| at.0),
        answer: answer.map(|answer| if answer.agreed { "agreed".into() } else { "refused".into() }),
        answered_by: answer.map(|answer| answer.by.clone()),
        answered_at: answer.map(|answer| answer.at.0),
        remark: answer.and_then(|answer| answer.remark.clone()),
        accepted_bps: dialogue.accepted.as_ref().map(|accepted| accepted.measured.0),
        accepted_at: dialogue.accepted.as_ref().map(|accepted| accepted.at.0),
    }
}
