//! Answers to queries: the engine's state as views. One room for each thing that can be asked about.

mod audit;
mod cases;
mod changes;
mod check;
mod devices;
mod findings;
mod inventory;
mod links;
mod proposals;
mod propose;
mod reported;
mod status;

use serde_json::Value;
use takar_collector_core::{
    case::{CaseId, Role},
    ledger::ProposalId,
    maintenance::MaintenanceId,
};
use takar_shared::UnixMillis;
use takar_web::auth::Act;

use self::audit::audit_view;
pub(super) use self::{
    cases::{origin, paper_view},
    changes::change_view,
    findings::finding_view,
    proposals::proposal_state,
};
use super::{Engine, people::Person};
use crate::{
    api::query::{ApiError, Caller, Query},
    clock,
    view::CaseActBody,
};

/// Rows a listing holds at most.
const LISTED: u32 = 500;

impl Engine {
    pub(super) fn answer(&mut self, query: Query, caller: &Caller) -> Result<Value, ApiError> {
        let now = clock::now();
        tracing::debug!(who = %caller.name, via = ?caller.via, ?query, "asked");
        let own = matches!(query, Query::Credentials { .. } | Query::LoggedIn { .. } | Query::ProviderRequest { .. });
        let person = if own { Person::page() } else { self.person(caller)? };
        self.acting_from = Some(caller.from());
        let answer = self.answer_to(query, &person, now);
        self.acting_from = None;
        answer
    }

    fn answer_to(&mut self, query: Query, person: &Person, now: UnixMillis) -> Result<Value, ApiError> {
        let by = &person.by;
        let actor = by.actor.clone();
        // A provider sees the case that it was asked about: whose it is is looked at there.
        let is_own = matches!((&query, &by.role), (Query::Case { .. }, Role::Provider(_)));
        person.may(if is_own { Act::DecideAsProvider } else { needed(&query) })?;
        match query {
            Query::Status => show(&self.status(now)),
            Query::Links => show(&self.link_views()),
            Query::Maintenance { all } => show(&self.maintenance_views(all, now)?),
            Query::MaintenanceAdd(body) => show(&self.add_maintenance(&body, actor, now)?),
            Query::MaintenanceEnd { id } => show(&self.end_maintenance(MaintenanceId(id), actor, now)?),
            Query::LinkMode(body) => show(&self.set_mode(&body, actor, now)?),
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
            Query::Reported => show(&self.reported_views()),
            Query::Audit { from } => {
                let leaves = self.store.leaves(from, LISTED * 20).map_err(failed)?;
                show(&leaves.iter().map(|(index, line)| audit_view(*index, line)).collect::<Vec<_>>())
            }
            Query::AuditVerify => self.audit_verify(),
            Query::Import(body) => self.import(&body, actor, now),
            Query::Propose(body) => {
                if !body.dry_run {
                    person.may(Act::Propose)?;
                }
                self.propose_query(&body, by, now)
            }
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
            Query::DeviceApprove(body) => show(&self.device_approve(body, actor, now)?),
            Query::Register { as_of } => self.register(as_of.map(UnixMillis)),
            Query::Check => show(&self.check_rows(None, now)),
            Query::Cases { all } => self.case_list(all, now),
            Query::Case { id } => self.case_detail(CaseId(id), by, now),
            Query::OpenCase(body) => {
                let id = self.open_by_person(&body, by, now)?;
                self.case_detail(id, by, now)
            }
            Query::Bod(body) => {
                let id = self.open_loan(&body, by, now)?;
                self.case_detail(id, by, now)
            }
            Query::CaseAct { id, body } => {
                self.act_on_case(CaseId(id), &body, by, now)?;
                self.case_detail(CaseId(id), by, now)
            }
            Query::Papers => {
                let papers = self.store.papers(LISTED).map_err(failed)?;
                show(&papers.iter().map(cases::paper_view).collect::<Vec<_>>())
            }
            Query::Summary(body) => self.ask_summary(&body, now),
            Query::ArchiveVerify => self.archive_verify(),
            Query::Accounts => show(&self.account_views()),
            Query::AccountEdit(body) => {
                self.edit_account(&body, person, now)?;
                show(&self.account_views())
            }
            Query::Credentials { account } => show(&self.accounts.get(&account)),
            Query::LoggedIn { account, totp_step } => {
                self.logged_in(&account, totp_step, now)?;
                Ok(Value::Null)
            }
            Query::Providers => {
                let providers = self.inventory.iter().flat_map(|inventory| inventory.providers());
                show(&providers.map(|provider| provider.name.to_string()).collect::<Vec<_>>())
            }
            Query::Team => {
                let mut team = self.account_views();
                team.retain(|one| matches!(one.role.as_str(), "member" | "head"));
                show(&team)
            }
            Query::ProviderRequest { case } => show(&self.case(CaseId(case))?),
        }
    }
}

/// The right that a question needs; what a case's state allows, and whose eyes, is the core's to say.
fn needed(query: &Query) -> Act {
    match query {
        Query::Status
        | Query::Links
        | Query::Maintenance { .. }
        | Query::Findings { .. }
        | Query::Proposals
        | Query::Changes
        | Query::Devices
        | Query::Reported
        | Query::Propose(_)
        | Query::Register { .. }
        | Query::Check
        | Query::Cases { .. }
        | Query::Case { .. }
        | Query::Papers => Act::Read,
        Query::Audit { .. } | Query::AuditVerify | Query::ArchiveVerify => Act::Audit,
        Query::LinkMode(_) => Act::SetMode,
        Query::MaintenanceAdd(_) | Query::MaintenanceEnd { .. } => Act::Maintain,
        Query::Import(_) | Query::DeviceAdd(_) | Query::DeviceApprove(_) => Act::Import,
        Query::Approve { .. } => Act::Approve,
        Query::Decline { .. } => Act::Propose,
        Query::OpenCase(_) | Query::Bod(_) => Act::OpenCase,
        Query::Summary(_) => Act::Remark,
        Query::Accounts => Act::ManageAccounts,
        // An account may change its own password and language; the rules of accounts say what else.
        Query::AccountEdit(body) if body.is_personal() => Act::Read,
        Query::AccountEdit(_) => Act::ManageAccounts,
        Query::Providers => Act::ManageAccounts,
        Query::Team => Act::Read,
        // The page's own questions, of nobody in particular: `answer` lets them through.
        Query::Credentials { .. } | Query::LoggedIn { .. } | Query::ProviderRequest { .. } => Act::Read,
        Query::CaseAct { body, .. } => match body {
            CaseActBody::Confirm { .. } | CaseActBody::Dismiss { .. } => Act::Verify,
            CaseActBody::Approve | CaseActBody::Grant => Act::Approve,
            CaseActBody::Decline { .. } => Act::Propose,
            CaseActBody::Receive { .. } => Act::Receive,
            CaseActBody::Remark { .. } => Act::Remark,
            // By the provider itself over its link, or written down by the team: the core looks at whose case it is.
            CaseActBody::Answered { .. } => Act::DecideAsProvider,
            _ => Act::Coordinate,
        },
    }
}

fn show(view: &impl serde::Serialize) -> Result<Value, ApiError> {
    serde_json::to_value(view).map_err(|error| ApiError::Failed(error.to_string()))
}

fn failed(error: takar_store::StoreError) -> ApiError {
    ApiError::Failed(error.to_string())
}
