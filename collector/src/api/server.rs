//! The API's server: routes, and how each becomes one question to the engine.
//!
//! Every answer that is not a view is an [`ErrorView`](crate::view::ErrorView), also for an unknown route, a body
//! that is no JSON and an engine that does not answer.

mod bind;
mod document;
mod input;
mod operation;
mod operations;
mod peer;
mod refusal;

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Request},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use serde_json::Value;
use tokio::{
    net::UnixListener,
    sync::{mpsc, oneshot},
};

use crate::api::{
    MAX_BODY,
    query::{Asked, Caller, Query},
};
use operations::operations;
use peer::Peer;
use refusal::Refusal;

pub use bind::bind;
pub use document::PATH as DOCUMENT;
pub use operations::Token;

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
    let of_table =
        operations().into_iter().fold(Router::new(), |router, operation| router.route(operation.path, operation.route));
    of_table
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn(move |request: Request, next: Next| in_time(timeout, request, next)))
        .with_state(engine)
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
