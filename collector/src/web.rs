//! Pages for people, over TLS: the same questions to the engine as the socket's, asked by whoever has logged in. The
//! engine knows no page: what may be done it says itself.

mod accounts;
mod cases;
mod headers;
mod login;
mod papers;
mod person;
mod provider;
mod show;
mod tls;

use std::{
    collections::HashMap,
    future::Future,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Path, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse as _, Response},
    routing::{any, get, post},
};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use takar_web::{
    Zone, assets,
    auth::{Lifetimes, Limits, ServerKey, Sessions, Throttle, totp::Seed},
};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    api::{
        query::{ApiError, Asked, Caller, Query},
        server,
    },
    config::{Config, Web},
};

/// Forms are small.
const MOST_FORM: usize = 64 * 1024;

/// What the handlers share.
#[derive(Clone)]
pub struct Site {
    engine: mpsc::Sender<Asked>,
    guard: Arc<Mutex<Guard>>,
    key: ServerKey,
    archive: PathBuf,
    zone: Zone,
    office: String,
    url: String,
    /// Of the whole procedure.
    standard_minutes: u32,
}

/// Who is logged in, and who tried.
struct Guard {
    sessions: Sessions,
    throttle: Throttle,
    /// Seeds of one-time codes that were shown and not proved yet; one an account.
    enrolments: HashMap<String, Seed>,
}

impl Site {
    async fn ask(&self, caller: &Caller, query: Query) -> Result<Value, ApiError> {
        let (reply, answer) = oneshot::channel();
        let stopped = || ApiError::Failed("takar serve is stopping".into());
        let asked = Asked { query, caller: caller.clone(), reply };
        self.engine.send(asked).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// Held for a moment only, never across a wait.
    fn guard(&self) -> MutexGuard<'_, Guard> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Binds now, so that a taken address ends the start; what it gives serves until it is dropped.
pub async fn start(
    page: &Web,
    config: &Config,
    archive: PathBuf,
    key: [u8; 32],
    engine: mpsc::Sender<Asked>,
) -> anyhow::Result<impl Future<Output = ()> + Send + use<>> {
    let certificate = match &page.certificate {
        Some((certificate, key)) => tls::Certificate::Files { certificate: certificate.clone(), key: key.clone() },
        None => tls::Certificate::Own { state: config.state_dir.clone(), host: page.host().to_owned() },
    };
    let https = tls::Https::bind(&page.listen, certificate).await?;
    let zone = config.procedure.zone;
    let guard = Guard {
        sessions: Sessions::new(Lifetimes::default()),
        throttle: Throttle::new(Limits::default()),
        enrolments: HashMap::new(),
    };
    let site = Site {
        engine: engine.clone(),
        guard: Arc::new(Mutex::new(guard)),
        key: ServerKey::new(key),
        archive,
        zone: Zone {
            name: zone.as_str().into(),
            offset_minutes: i32::try_from(zone.offset_ms() / 60_000).unwrap_or_default(),
        },
        office: config.papers.office.letterhead.last().cloned().unwrap_or_default(),
        url: page.url.clone(),
        standard_minutes: config.procedure.standard.total_minutes(),
    };
    let api = server::routes(engine, server::REQUEST_TIMEOUT);
    let router = routes(site, api);
    let (keep, stop) = watch::channel(false);
    tracing::info!(url = %page.url, listen = %page.listen, "pages are served");
    Ok(async move {
        https.serve(router, stop).await;
        drop(keep);
    })
}

fn routes(site: Site, api: Router) -> Router {
    let api = api.layer(middleware::from_fn_with_state(site.clone(), person::for_programs));
    Router::new()
        .route("/", get(cases::today))
        .route("/cases", get(cases::list))
        .route("/cases/{id}", get(cases::show))
        .route("/cases/{id}/receive", get(cases::receive).post(cases::received))
        .route("/cases/{id}/{act}", post(cases::act))
        .route("/provider/{token}", get(provider::show).post(provider::answer))
        .route("/reports", get(papers::list))
        .route("/papers/{*path}", get(papers::file))
        .route("/accounts", get(accounts::list))
        .route("/accounts/add", post(accounts::add))
        .route("/accounts/{name}/{act}", post(accounts::change))
        .route("/account", get(accounts::own))
        .route("/account/{act}", post(accounts::change_own))
        .route("/login", get(login::show).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/language", post(login::language))
        .route("/theme", post(login::theme))
        .route("/assets/{file}", get(asset))
        .fallback(person::nowhere)
        .layer(DefaultBodyLimit::max(MOST_FORM))
        .with_state(site)
        // With its own answers to what is not there.
        .route("/v1/{*rest}", any(move |request: Request| TowerToHyperService::new(api.clone()).call(request)))
        .layer(middleware::from_fn(headers::protect))
}

async fn asset(Path(file): Path<String>, asked: HeaderMap) -> Response {
    let Some(asset) = assets::find(&file) else { return StatusCode::NOT_FOUND.into_response() };
    let mut answer = HeaderMap::new();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.mime));
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600"));
    if let Ok(etag) = HeaderValue::from_str(&asset.etag) {
        if asked.get(header::IF_NONE_MATCH) == Some(&etag) {
            return (StatusCode::NOT_MODIFIED, answer).into_response();
        }
        answer.insert(header::ETAG, etag);
    }
    (answer, asset.bytes).into_response()
}
