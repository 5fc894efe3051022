//! Whoever asks for a page: by a session's cookie, or nobody yet. And what every page is drawn in.

use std::{collections::HashMap, convert::Infallible, net::SocketAddr};

use axum::{
    body::Bytes,
    extract::{ConnectInfo, FromRequest, FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    middleware::Next,
    response::{Html, IntoResponse, Redirect, Response},
};
use takar_web::{
    Lang, Shell, Theme, User,
    auth::{Account, cookie},
    pages,
};

use super::Site;
use crate::{
    api::{
        CSRF_HEADER,
        query::{ApiError, Caller, Query, Via},
        server,
    },
    clock,
    view::{AccountView, CaseView},
};

const LANGUAGE: &str = "takar-lang";
const THEME: &str = "takar-theme";

/// What a request says of whoever sent it, before anything is believed.
pub struct Visitor {
    pub address: SocketAddr,
    pub cookies: String,
    pub path: String,
    headers: HeaderMap,
}

/// Somebody who has logged in.
pub struct Person {
    pub visitor: Visitor,
    pub caller: Caller,
    pub csrf: String,
}

/// A form, as it was filled in.
pub struct Form {
    fields: HashMap<String, String>,
}

impl Form {
    pub fn text(&self, name: &str) -> String {
        self.fields.get(name).map(|text| text.trim().to_owned()).unwrap_or_default()
    }

    pub fn filled(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// As typed: blanks belong to a password.
    pub fn secret(&self, name: &str) -> String {
        self.fields.get(name).cloned().unwrap_or_default()
    }

    /// What is shown again where a form was not taken; no secret is among it.
    pub fn typed(&self) -> Vec<(String, String)> {
        let shown = self.fields.iter().filter(|(name, _)| !matches!(name.as_str(), "csrf" | "password" | "code"));
        shown.map(|(name, text)| (name.clone(), text.clone())).collect()
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let bytes = Bytes::from_request(request, state).await.map_err(IntoResponse::into_response)?;
        let fields = form_urlencoded::parse(&bytes).into_owned().collect();
        Ok(Self { fields })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map_or(unknown, |ConnectInfo(from)| *from);
        let cookies: Vec<&str> =
            parts.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).collect();
        let path = parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
        Ok(Self { address, cookies: cookies.join("; "), path, headers: parts.headers.clone() })
    }
}

impl Visitor {
    fn person(&self, site: &Site) -> Option<(Caller, String)> {
        let value = cookie::find(&self.cookies, cookie::SESSION)?;
        let mut guard = site.guard();
        let session = guard.sessions.find(clock::now(), value)?;
        let via = Via::Page { address: self.address.ip().to_string() };
        Some((Caller { name: session.account.clone(), via }, session.csrf()))
    }

    pub fn lang(&self) -> Option<Lang> {
        cookie::find(&self.cookies, LANGUAGE)?.parse().ok()
    }

    /// A page for somebody who has not logged in.
    pub fn shell(&self, site: &Site) -> Shell {
        Shell {
            lang: self.lang().unwrap_or_default(),
            theme: cookie::find(&self.cookies, THEME).and_then(|text| text.parse().ok()).unwrap_or(Theme::Auto),
            user: None,
            csrf: String::new(),
            path: self.path.clone(),
            now: clock::now().0,
            zone: site.zone.clone(),
            overdue: 0,
            office: site.office.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
        }
    }

    /// By a link on another site, in a mail that is read in a browser say: strict cookies do not come along.
    fn comes_from_elsewhere(&self) -> bool {
        self.headers.get("sec-fetch-site").is_some_and(|from| from == "cross-site")
    }

    /// A form of this site, as browsers say; those too old to say are let through, since their cookies are strict.
    pub fn is_from_here(&self, site: &Site) -> bool {
        let said = |name: &str| self.headers.get(name).and_then(|value| value.to_str().ok());
        match (said("sec-fetch-site"), said("origin")) {
            (Some(from), _) => matches!(from, "same-origin" | "none"),
            (None, Some(origin)) => origin == site.url,
            (None, None) => true,
        }
    }
}

impl FromRequestParts<Site> for Person {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Response> {
        let Ok(visitor) = Visitor::from_request_parts(parts, site).await;
        match visitor.person(site) {
            Some((caller, csrf)) => Ok(Self { visitor, caller, csrf }),
            None if parts.method == Method::GET && visitor.comes_from_elsewhere() => Err(once_more(&visitor.path)),
            // Whoever wanted to look comes back here; a form that was sent too late is filled in again.
            None if parts.method == Method::GET => Err(Redirect::to(&login_for(&visitor.path)).into_response()),
            None => Err(Redirect::to("/login").into_response()),
        }
    }
}

impl Person {
    pub async fn account(&self, site: &Site) -> Result<Account, ApiError> {
        let stored = site.ask(&self.caller, Query::Credentials { account: self.caller.name.clone() }).await?;
        serde_json::from_value(stored).map_err(|_| ApiError::Forbidden("the account is not there any more".into()))
    }

    pub async fn shell(&self, site: &Site) -> Result<Shell, ApiError> {
        let account = self.account(site).await?;
        let overdue = match site.ask(&self.caller, Query::Cases { all: false }).await {
            Ok(cases) => read::<Vec<CaseView>>(cases)?.iter().filter(|case| case.overdue).count(),
            // A role that may not read has no numbers either.
            Err(_) => 0,
        };
        let mut shell = self.visitor.shell(site);
        shell.lang = self.visitor.lang().unwrap_or_else(|| account.lang.parse().unwrap_or_default());
        shell.overdue = u32::try_from(overdue).unwrap_or(u32::MAX);
        shell.csrf = self.csrf.clone();
        shell.user = Some(User { name: account.name, title: account.title, role: account.role.as_str().to_owned() });
        Ok(shell)
    }

    /// Before anything is done: the form is this session's.
    pub fn check(&self, site: &Site, form: &Form) -> Result<(), ApiError> {
        let holds = cookie::find(&self.visitor.cookies, cookie::SESSION).is_some_and(|value| {
            let mut guard = site.guard();
            guard.sessions.find(clock::now(), value).is_some_and(|session| session.csrf_holds(&form.text("csrf")))
        });
        if holds && self.visitor.is_from_here(site) {
            return Ok(());
        }
        Err(ApiError::Forbidden("the form is not of this session; load the page again".into()))
    }

    /// What was refused, as a page.
    pub async fn refused(&self, site: &Site, error: &ApiError, back: &str) -> Response {
        let shell = self.shell(site).await.unwrap_or_else(|_| self.visitor.shell(site));
        message(&shell, error, back)
    }
}

/// The API for programs over TLS: a session's cookie, and its CSRF token with whatever changes something.
pub async fn for_programs(State(site): State<Site>, request: Request, next: Next) -> Response {
    // How to ask is no secret.
    if request.uri().path() == server::DOCUMENT {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let Ok(visitor) = Visitor::from_request_parts(&mut parts, &site).await;
    let Some((caller, csrf)) = visitor.person(&site) else {
        let problem = "log in first: POST /login with name, password and code; then send the cookie";
        return server::refusal(StatusCode::UNAUTHORIZED, problem);
    };
    let given = parts.headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok());
    if parts.method != Method::GET && given != Some(csrf.as_str()) {
        let problem = format!("{CSRF_HEADER}: expected the session's token, as GET /v1/session tells it");
        return server::refusal(StatusCode::FORBIDDEN, problem);
    }
    parts.extensions.insert(caller);
    parts.extensions.insert(server::Token(csrf));
    next.run(Request::from_parts(parts, body)).await
}

pub async fn nowhere(State(site): State<Site>, visitor: Visitor, uri: Uri) -> Response {
    message(&visitor.shell(&site), &ApiError::NotFound(format!("there is no page {}", uri.path())), "/")
}

pub fn message(shell: &Shell, error: &ApiError, back: &str) -> Response {
    let (status, details) = told(error);
    let page = pages::Message { status: status.as_u16(), details, back: back.into() };
    (status, Html(page.render(shell))).into_response()
}

pub fn told(error: &ApiError) -> (StatusCode, Vec<String>) {
    match error {
        ApiError::Forbidden(problem) => (StatusCode::FORBIDDEN, vec![problem.clone()]),
        ApiError::NotFound(problem) => (StatusCode::NOT_FOUND, vec![problem.clone()]),
        ApiError::Conflict(problem) => (StatusCode::CONFLICT, vec![problem.clone()]),
        ApiError::Invalid(problems) => (StatusCode::UNPROCESSABLE_ENTITY, problems.clone()),
        ApiError::Failed(problem) => (StatusCode::INTERNAL_SERVER_ERROR, vec![problem.clone()]),
    }
}

pub fn read<T: serde::de::DeserializeOwned>(view: serde_json::Value) -> Result<T, ApiError> {
    serde_json::from_value(view).map_err(|error| ApiError::Failed(format!("an answer of another shape: {error}")))
}

/// A path of this site, and nothing that leads elsewhere.
pub fn own_path(path: &str) -> &str {
    let is_own = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\n', '\r', '\t']);
    if is_own { path } else { "/" }
}

/// The same page again, asked for by this site: now the cookies come along, if there are any.
fn once_more(path: &str) -> Response {
    let mut answer = StatusCode::OK.into_response();
    if let Ok(refresh) = HeaderValue::from_str(&format!("0;url={}", own_path(path))) {
        answer.headers_mut().insert(header::REFRESH, refresh);
    }
    answer
}

fn login_for(path: &str) -> String {
    let next: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
    format!("/login?next={next}")
}

/// A cookie that tells nothing of anybody.
pub fn choice_cookie(is_language: bool, value: &str) -> String {
    let name = if is_language { LANGUAGE } else { THEME };
    format!("{name}={value}; Path=/; Secure; SameSite=Lax; Max-Age=31536000")
}

/// Whom a step can be given to.
pub fn team(accounts: &[AccountView]) -> Vec<pages::TeamMember> {
    let of_team = accounts.iter().filter(|one| !one.disabled && matches!(one.role.as_str(), "member" | "head"));
    of_team.map(|one| pages::TeamMember { name: one.name.clone(), title: one.title.clone() }).collect()
}
