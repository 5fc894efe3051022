//! In and out, and what a browser remembers of language and theme.

use axum::{
    extract::{Query as Params, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use takar_web::{
    auth::{Account, DEVICE_LIFETIME_MS, Device, cookie, password},
    pages::{Login, Refusal},
};

use super::{
    Site,
    person::{Form, Person, Visitor, choice_cookie, own_path},
};
use crate::{
    api::query::{ApiError, Caller, Query, Via},
    clock,
};

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    next: String,
}

pub async fn show(State(site): State<Site>, visitor: Visitor, Params(asked): Params<Asked>) -> Response {
    let page = Login { name: String::new(), next: own_path(&asked.next).into(), refusal: None };
    Html(page.render(&visitor.shell(&site))).into_response()
}

pub async fn log_in(State(site): State<Site>, visitor: Visitor, form: Form) -> Response {
    let name = form.text("name");
    match try_log_in(&site, &visitor, &name, &form).await {
        Ok(cookies) => {
            let mut answer = Redirect::to(own_path(&form.text("next"))).into_response();
            for value in cookies {
                if let Ok(value) = HeaderValue::from_str(&value) {
                    answer.headers_mut().append(header::SET_COOKIE, value);
                }
            }
            answer
        }
        Err(refusal) => {
            let next = own_path(&form.text("next")).to_owned();
            let page = Login { name, next, refusal: Some(refusal) };
            let status = match refusal {
                Refusal::Wait { .. } => StatusCode::TOO_MANY_REQUESTS,
                _ => StatusCode::FORBIDDEN,
            };
            let mut headers = HeaderMap::new();
            if let Refusal::Wait { seconds } = refusal {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            (status, headers, Html(page.render(&visitor.shell(&site)))).into_response()
        }
    }
}

/// The cookies of a session that was opened. Which of name, password and code was wrong is not told.
async fn try_log_in(site: &Site, visitor: &Visitor, name: &str, form: &Form) -> Result<Vec<String>, Refusal> {
    if !visitor.is_from_here(site) {
        return Err(Refusal::Expired);
    }
    let (now, from) = (clock::now(), visitor.address.ip());
    let device = cookie::find(&visitor.cookies, cookie::DEVICE);
    let device = device.and_then(|value| Device::open(&site.key, name, value, now));
    site.guard().throttle.attempt(now, name, from, device).map_err(|wait| Refusal::Wait { seconds: wait.seconds() })?;
    let caller = Caller { name: name.to_owned(), via: Via::Page { address: from.to_string() } };
    let stored = site.ask(&caller, Query::Credentials { account: name.to_owned() }).await.ok();
    let account = stored.and_then(|stored| serde_json::from_value::<Account>(stored).ok());
    let account = account.filter(|account| !account.disabled);
    // An account that is not there takes as long.
    let (hashed, given) = (account.as_ref().and_then(|account| account.password.clone()), form.secret("password"));
    let verify = move || password::verify(&given, hashed.as_ref(), password::Cost::STANDARD);
    let is_right = tokio::task::spawn_blocking(verify).await.unwrap_or(false);
    let account = account.filter(|_| is_right).ok_or(Refusal::Wrong)?;
    let totp_step = match &account.totp {
        None => None,
        Some(seed) => Some(seed.check(&form.text("code"), now, account.totp_last).ok_or(Refusal::Wrong)?),
    };
    // Written down first: a code that was used is used, also after a crash.
    let logged_in = Query::LoggedIn { account: name.to_owned(), totp_step };
    site.ask(&caller, logged_in).await.map_err(|_| Refusal::Wrong)?;
    let (token, id) = (clock::random::<32>(), clock::random::<16>());
    let (Ok(token), Ok(id)) = (token, id) else { return Err(Refusal::Expired) };
    let mut guard = site.guard();
    guard.throttle.succeeded(name, from, device);
    let (value, _) = guard.sessions.open(now, name, from, token);
    let device = Device::issue(&site.key, name, now, id);
    Ok(vec![cookie::set(cookie::SESSION, &value, None), cookie::set(cookie::DEVICE, &device, Some(DEVICE_LIFETIME_MS))])
}

pub async fn log_out(State(site): State<Site>, person: Person, form: Form) -> Response {
    if let Err(error) = person.check(&site, &form) {
        return person.refused(&site, &error, "/").await;
    }
    if let Some(value) = cookie::find(&person.visitor.cookies, cookie::SESSION) {
        site.guard().sessions.close(value);
    }
    with_cookie(Redirect::to("/login").into_response(), &cookie::clear(cookie::SESSION))
}

pub async fn language(State(site): State<Site>, visitor: Visitor, form: Form) -> Response {
    choose(&site, &visitor, &form, form.text("lang").parse::<takar_web::Lang>().map(|lang| lang.as_str()), true)
}

pub async fn theme(State(site): State<Site>, visitor: Visitor, form: Form) -> Response {
    choose(&site, &visitor, &form, form.text("theme").parse::<takar_web::Theme>().map(|theme| theme.as_str()), false)
}

fn choose(
    site: &Site,
    visitor: &Visitor,
    form: &Form,
    chosen: Result<&'static str, takar_web::Unknown>,
    is_language: bool,
) -> Response {
    match chosen {
        Ok(chosen) => {
            let answer = Redirect::to(own_path(&form.text("back"))).into_response();
            with_cookie(answer, &choice_cookie(is_language, chosen))
        }
        Err(unknown) => {
            let error = ApiError::Invalid(vec![unknown.to_string()]);
            super::person::message(&visitor.shell(site), &error, own_path(&form.text("back")))
        }
    }
}

fn with_cookie(mut answer: Response, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().append(header::SET_COOKIE, value);
    }
    answer
}
