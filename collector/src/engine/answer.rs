//! Answers to queries: the engine's state as views. One room for each thing that can be asked about.

mod audit;
mod changes;
mod devices;
mod findings;
mod inventory;
mod links;
mod proposals;
mod propose;
mod status;

use serde_json::Value;
use takar_collector_core::ledger::{Actor, ProposalId};

use self::audit::audit_view;
pub(super) use self::{changes::change_view, findings::finding_view, proposals::proposal_state};
use super::Engine;
use crate::{
    api::query::{ApiError, Caller, Query},
    clock,
};

/// Rows a listing holds at most.
const LISTED: u32 = 500;

impl Engine {
    pub(super) fn answer(&mut self, query: Query, caller: &Caller) -> Result<Value, ApiError> {
        let now = clock::now();
        let by = Actor::Person(caller.name.clone());
        tracing::debug!(who = %caller.name, uid = caller.uid, ?query, "asked");
        match query {
            Query::Status => show(&self.status(now)),
            Query::Links => show(&self.link_views()),
            Query::Findings { all } => {
                let findings = self.store.findings(!all, LISTED).map_err(failed)?;
                show(&findings.iter().map(finding_view).collect::<Vec<_>>())
            }
            Query::Proposals => {
                show(&self.proposals.iter().map(|record| self.proposal_view(record)).collect::<Vec<_>>())
            }
            Query::Changes => {
                let changes = self.store.changes(LISTED).map_err(failed)?;
                show(&changes.iter().map(change_view).collect::<Vec<_>>())
            }
            Query::Devices => show(&self.all_device_views()),
            Query::Audit { from } => {
                let leaves = self.store.leaves(from, LISTED * 20).map_err(failed)?;
                show(&leaves.iter().map(|(index, line)| audit_view(*index, line)).collect::<Vec<_>>())
            }
            Query::AuditVerify => self.audit_verify(),
            Query::Import(body) => self.import(&body, by, now),
            Query::Propose(body) => self.propose_query(&body, by, now),
            Query::Approve { proposal } => {
                self.approve(ProposalId(proposal), by, now)?;
                self.show_proposal(ProposalId(proposal))
            }
            Query::Decline { proposal, body } => {
                if body.reason.trim().is_empty() {
                    return Err(ApiError::Invalid(vec![
                        "the reason is empty; whoever proposed it should learn why".into(),
                    ]));
                }
                self.decline(ProposalId(proposal), by, body.reason, now)?;
                self.show_proposal(ProposalId(proposal))
            }
            Query::DeviceAdd(body) => show(&self.device_add(body)?),
            Query::DeviceApprove(body) => show(&self.device_approve(body, by, now)?),
        }
    }
}

fn show(view: &impl serde::Serialize) -> Result<Value, ApiError> {
    serde_json::to_value(view).map_err(|error| ApiError::Failed(error.to_string()))
}

fn failed(error: takar_store::StoreError) -> ApiError {
    ApiError::Failed(error.to_string())
}
