//! The API's server: routes, and how each becomes one question to the engine.
//!
//! Every answer that is not a view is an [`ErrorView`](crate::view::ErrorView), also for an unknown route, a body
//! that is no JSON and an engine that does not answer.

mod bind;
mod input;
mod peer;
mod refusal;

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{MethodRouter, get, post},
};
use serde::Deserialize;
use serde_json::Value;
use tokio::{
    net::UnixListener,
    sync::{mpsc, oneshot},
};

use crate::{
    api::{
        MAX_BODY,
        query::{Asked, Caller, Query},
    },
    view::{
        AccountBody, BodBody, CaseActBody, DeclineBody, DeviceBody, ImportBody, OpenCaseBody, ProposeBody, SummaryBody,
    },
};
use input::{Body, Device, Id, Params};
use peer::Peer;
use refusal::Refusal;

pub use bind::bind;

/// A request that takes longer is answered with 504. What it asked for may still be done.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Serves the API until the task is dropped.
pub async fn serve(listener: UnixListener, engine: mpsc::Sender<Asked>) -> anyhow::Result<()> {
    let routes = routes(engine, REQUEST_TIMEOUT);
    axum::serve(listener, routes.into_make_service_with_connect_info::<Peer>()).await?;
    Ok(())
}

type Engine = mpsc::Sender<Asked>;
type Answer = Result<Json<Value>, Refusal>;

/// The routes, for whatever transport says who asks: the socket by its peer, the page by a [`Caller`] in the request's
/// extensions.
pub fn routes(engine: Engine, timeout: Duration) -> Router {
    Router::new()
        .route("/v1/status", view(|| Query::Status))
        .route("/v1/links", view(|| Query::Links))
        .route("/v1/findings", get(findings))
        .route("/v1/proposals", view(|| Query::Proposals))
        .route("/v1/proposals/{id}/approve", post(approve))
        .route("/v1/proposals/{id}/decline", post(decline))
        .route("/v1/propose", post(propose))
        .route("/v1/changes", view(|| Query::Changes))
        .route("/v1/devices", view(|| Query::Devices).post(device_add))
        .route("/v1/devices/approve", post(device_approve))
        .route("/v1/audit", get(audit))
        .route("/v1/audit/verify", view(|| Query::AuditVerify))
        .route("/v1/import", post(import))
        .route("/v1/register", get(register))
        .route("/v1/check", view(|| Query::Check))
        .route("/v1/cases", get(cases).post(open_case))
        .route("/v1/cases/{id}", get(case).post(case_act))
        .route("/v1/bod", post(bod))
        .route("/v1/papers", view(|| Query::Papers))
        .route("/v1/summaries", post(summary))
        .route("/v1/archive/verify", view(|| Query::ArchiveVerify))
        .route("/v1/accounts", view(|| Query::Accounts).post(account_edit))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn(move |request: Request, next: Next| in_time(timeout, request, next)))
        .with_state(engine)
}

/// A view that takes no parameters.
fn view(query: fn() -> Query) -> MethodRouter<Engine> {
    get(move |State(engine): State<Engine>, caller: Caller| async move { ask(&engine, caller, query()).await })
}

#[derive(Deserialize)]
struct FindingsParams {
    #[serde(default)]
    all: bool,
}

async fn findings(State(engine): State<Engine>, caller: Caller, Params(params): Params<FindingsParams>) -> Answer {
    ask(&engine, caller, Query::Findings { all: params.all }).await
}

#[derive(Deserialize)]
struct AuditParams {
    #[serde(default)]
    from: u64,
}

async fn audit(State(engine): State<Engine>, caller: Caller, Params(params): Params<AuditParams>) -> Answer {
    ask(&engine, caller, Query::Audit { from: params.from }).await
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

#[derive(Deserialize)]
struct RegisterParams {
    as_of: Option<u64>,
}

async fn register(State(engine): State<Engine>, caller: Caller, Params(params): Params<RegisterParams>) -> Answer {
    ask(&engine, caller, Query::Register { as_of: params.as_of }).await
}

async fn cases(State(engine): State<Engine>, caller: Caller, Params(params): Params<FindingsParams>) -> Answer {
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

/// As every refusal of the API.
pub fn refusal(status: StatusCode, problem: impl Into<String>) -> Response {
    Refusal::new(status, problem).into_response()
}

async fn no_route(request: Request) -> Refusal {
    Refusal::no_route(request.uri().path())
}

async fn no_method(request: Request) -> Refusal {
    Refusal::no_method(request.method(), request.uri().path())
}

async fn ask(engine: &Engine, caller: Caller, query: Query) -> Answer {
    let (reply, answer) = oneshot::channel();
    engine.send(Asked { query, caller, reply }).await.map_err(|_| Refusal::stopped())?;
    let view = answer.await.map_err(|_| Refusal::stopped())??;
    Ok(Json(view))
}

async fn in_time(timeout: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Refusal::too_slow(timeout).into_response(),
    }
}

#[cfg(test)]
mod tests;
