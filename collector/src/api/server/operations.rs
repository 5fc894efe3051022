//! Every operation of the API, once: the router is made of this table, and so is the document that describes it.

use axum::{
    Extension, Json,
    extract::State,
    routing::{MethodRouter, get, post},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Answer, Engine, ask,
    document::{self, document},
    input::{Body, Device, Id, Params},
    operation::Operation,
    refusal::Refusal,
};
use crate::{
    api::query::{Caller, Query},
    view::*,
};

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get::<Value>(document::PATH, "This document.", get(async || Json(document(&operations())))),
        Operation::get::<SessionView>(
            "/v1/session",
            "Who asks, and the token that over TLS goes with whatever changes something.",
            get(session),
        ),
        Operation::get::<StatusView>(
            "/v1/status",
            "What runs, and what the person on duty should know.",
            view(|| Query::Status),
        ),
        Operation::get::<Vec<LinkView>>(
            "/v1/links",
            "Every link in each direction, as it is now.",
            view(|| Query::Links),
        ),
        Operation::post::<LinkModeView>("/v1/links/mode", "Says how far Takar may go with a link.", post(link_mode))
            .body::<LinkModeBody>(),
        Operation::get::<Vec<MaintenanceView>>(
            "/v1/maintenance",
            "What is worked on or will be; all: what is over too.",
            get(maintenance),
        )
        .params::<AllParams>(),
        Operation::post::<MaintenanceView>(
            "/v1/maintenance",
            "Says that a link, a site or an uplink is worked on.",
            post(maintenance_add),
        )
        .body::<MaintenanceBody>(),
        Operation::post::<MaintenanceView>(
            "/v1/maintenance/{id}/end",
            "Ends maintenance before its time.",
            post(maintenance_end),
        ),
        Operation::get::<Vec<FindingView>>("/v1/findings", "What was found on links.", get(findings))
            .params::<AllParams>(),
        Operation::get::<Vec<ProposalView>>("/v1/proposals", "Proposals, the newest first.", view(|| Query::Proposals)),
        Operation::post::<ProposalView>("/v1/proposals/{id}/approve", "Approves a proposal that waits.", post(approve)),
        Operation::post::<ProposalView>("/v1/proposals/{id}/decline", "Declines a proposal that waits.", post(decline))
            .body::<DeclineBody>(),
        Operation::post::<PlanView>("/v1/propose", "Plans by the planner, or proposes moves by hand.", post(propose))
            .body::<ProposeBody>(),
        Operation::get::<Vec<ChangeView>>(
            "/v1/changes",
            "Changes of queues, the newest first.",
            view(|| Query::Changes),
        ),
        Operation::get::<Vec<DeviceView>>(
            "/v1/devices",
            "Devices, and requests that wait for approval.",
            view(|| Query::Devices),
        ),
        Operation::get::<Vec<ReportedView>>(
            "/v1/devices/reported",
            "What devices have, as their agents say: interfaces, shapers and what is in force on them.",
            view(|| Query::Reported),
        ),
        Operation::post::<Map<String, Value>>("/v1/devices", "Adds an agent's enrolment request.", post(device_add))
            .body::<DeviceBody>(),
        Operation::post::<Map<String, Value>>(
            "/v1/devices/approve",
            "Approves a request; answers with the agent's bundle.",
            post(device_approve),
        )
        .body::<DeviceBody>(),
        Operation::get::<Vec<AuditView>>("/v1/audit", "The audit log's records.", get(audit)).params::<AuditParams>(),
        Operation::get::<VerifyView>(
            "/v1/audit/verify",
            "Is the audit log whole, and does every change trace to a decision?",
            view(|| Query::AuditVerify),
        ),
        Operation::post::<ImportView>(
            "/v1/import",
            "Takes a register, or names every fault and changes nothing.",
            post(import),
        )
        .body::<ImportBody>(),
        Operation::get::<RegisterView>("/v1/register", "The register, as it is or was.", get(register))
            .params::<RegisterParams>(),
        Operation::get::<Vec<CheckView>>(
            "/v1/check",
            "Step 1: register, devices and measurements side by side.",
            view(|| Query::Check),
        ),
        Operation::get::<Vec<CaseView>>("/v1/cases", "Cases, the overdue on top, then the newest.", get(cases))
            .params::<AllParams>(),
        Operation::post::<CaseDetailView>("/v1/cases", "Opens a case for a link.", post(open_case))
            .body::<OpenCaseBody>(),
        Operation::get::<CaseDetailView>("/v1/cases/{id}", "All of a case.", get(case)),
        Operation::post::<CaseDetailView>("/v1/cases/{id}", "Does something to a case.", post(case_act))
            .body::<CaseActBody>(),
        Operation::post::<CaseDetailView>("/v1/bod", "Asks for bandwidth on demand: a loan.", post(bod))
            .body::<BodBody>(),
        Operation::get::<Vec<PaperView>>(
            "/v1/papers",
            "Reports, letters and summaries that were written.",
            view(|| Query::Papers),
        ),
        Operation::post::<SummaryView>("/v1/summaries", "Has a month or a year summed up as a paper.", post(summary))
            .body::<SummaryBody>(),
        Operation::get::<ArchiveView>(
            "/v1/archive/verify",
            "Are the archive's files as they were written?",
            view(|| Query::ArchiveVerify),
        ),
        Operation::get::<Vec<AccountView>>(
            "/v1/accounts",
            "Accounts, without their secrets.",
            view(|| Query::Accounts),
        ),
        Operation::post::<Vec<AccountView>>("/v1/accounts", "Adds or changes an account.", post(account_edit))
            .body::<AccountBody>(),
    ]
}

/// Of a session over TLS, put into the request's extensions by this program itself.
#[derive(Clone)]
pub struct Token(pub String);

async fn session(caller: Caller, token: Option<Extension<Token>>) -> Answer {
    Ok(Json(json!(SessionView { account: caller.name, csrf: token.map(|Extension(Token(token))| token) })))
}

/// A view that takes no parameters.
fn view(query: fn() -> Query) -> MethodRouter<Engine> {
    get(move |State(engine): State<Engine>, caller: Caller| async move { ask(&engine, caller, query()).await })
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AllParams {
    /// Also those that are over.
    #[serde(default)]
    all: bool,
}

async fn findings(State(engine): State<Engine>, caller: Caller, Params(params): Params<AllParams>) -> Answer {
    ask(&engine, caller, Query::Findings { all: params.all }).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AuditParams {
    /// The first record's number.
    #[serde(default)]
    from: u64,
}

async fn audit(State(engine): State<Engine>, caller: Caller, Params(params): Params<AuditParams>) -> Answer {
    ask(&engine, caller, Query::Audit { from: params.from }).await
}

async fn link_mode(State(engine): State<Engine>, caller: Caller, Body(body): Body<LinkModeBody>) -> Answer {
    ask(&engine, caller, Query::LinkMode(body)).await
}

async fn maintenance(State(engine): State<Engine>, caller: Caller, Params(params): Params<AllParams>) -> Answer {
    ask(&engine, caller, Query::Maintenance { all: params.all }).await
}

async fn maintenance_add(State(engine): State<Engine>, caller: Caller, Body(body): Body<MaintenanceBody>) -> Answer {
    ask(&engine, caller, Query::MaintenanceAdd(body)).await
}

async fn maintenance_end(State(engine): State<Engine>, caller: Caller, Id(id): Id) -> Answer {
    ask(&engine, caller, Query::MaintenanceEnd { id }).await
}

async fn import(State(engine): State<Engine>, caller: Caller, Body(body): Body<ImportBody>) -> Answer {
    ask(&engine, caller, Query::Import(body)).await
}

async fn propose(State(engine): State<Engine>, caller: Caller, Body(body): Body<ProposeBody>) -> Answer {
    ask(&engine, caller, Query::Propose(body)).await
}

async fn approve(State(engine): State<Engine>, caller: Caller, Id(proposal): Id) -> Answer {
    ask(&engine, caller, Query::Approve { proposal }).await
}

async fn decline(
    State(engine): State<Engine>,
    caller: Caller,
    Id(proposal): Id,
    Body(body): Body<DeclineBody>,
) -> Answer {
    ask(&engine, caller, Query::Decline { proposal, body }).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RegisterParams {
    /// Unix milliseconds. Absent: as it is now.
    as_of: Option<u64>,
}

async fn register(State(engine): State<Engine>, caller: Caller, Params(params): Params<RegisterParams>) -> Answer {
    ask(&engine, caller, Query::Register { as_of: params.as_of }).await
}

async fn cases(State(engine): State<Engine>, caller: Caller, Params(params): Params<AllParams>) -> Answer {
    ask(&engine, caller, Query::Cases { all: params.all }).await
}

async fn open_case(State(engine): State<Engine>, caller: Caller, Body(body): Body<OpenCaseBody>) -> Answer {
    ask(&engine, caller, Query::OpenCase(body)).await
}

async fn case(State(engine): State<Engine>, caller: Caller, Id(id): Id) -> Answer {
    ask(&engine, caller, Query::Case { id }).await
}

async fn case_act(State(engine): State<Engine>, caller: Caller, Id(id): Id, Body(body): Body<CaseActBody>) -> Answer {
    ask(&engine, caller, Query::CaseAct { id, body }).await
}

async fn bod(State(engine): State<Engine>, caller: Caller, Body(body): Body<BodBody>) -> Answer {
    ask(&engine, caller, Query::Bod(body)).await
}

async fn summary(State(engine): State<Engine>, caller: Caller, Body(body): Body<SummaryBody>) -> Answer {
    ask(&engine, caller, Query::Summary(body)).await
}

async fn account_edit(State(engine): State<Engine>, caller: Caller, Body(body): Body<AccountBody>) -> Answer {
    ask(&engine, caller, Query::AccountEdit(body)).await
}

async fn device_add(State(engine): State<Engine>, caller: Caller, Device(body): Device) -> Answer {
    // Only a request can be added; what was added before can only be approved.
    match body {
        DeviceBody::Request { replace: false, .. } => ask(&engine, caller, Query::DeviceAdd(body)).await,
        DeviceBody::Request { replace: true, .. } => {
            Err(Refusal::invalid("replace: expected with an approval only; adding a request replaces nothing"))
        }
        DeviceBody::Added { .. } => Err(Refusal::invalid("expected {\"request\": …}, the content of a request file")),
    }
}

async fn device_approve(State(engine): State<Engine>, caller: Caller, Device(body): Device) -> Answer {
    ask(&engine, caller, Query::DeviceApprove(body)).await
}
