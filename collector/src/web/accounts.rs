//! Accounts by their administrator, and everybody's own.

use axum::{
    extract::{Path, State},
    response::{Html, IntoResponse as _, Redirect, Response},
};
use takar_web::{
    Lang,
    auth::{password, totp::Seed},
    pages::{self, AccountRow, Totp},
};

use super::{
    Site,
    person::{Form, Person, read, told},
};
use crate::{
    api::query::{ApiError, Query},
    clock,
    view::{AccountBody, AccountView},
};

pub async fn list(State(site): State<Site>, person: Person) -> Response {
    match page(&site, &person, AccountRow::default(), Vec::new(), None).await {
        Ok(page) => page,
        Err(error) => person.refused(&site, &error, "/").await,
    }
}

async fn page(
    site: &Site,
    person: &Person,
    typed: AccountRow,
    problems: Vec<String>,
    done: Option<String>,
) -> Result<Response, ApiError> {
    let accounts: Vec<AccountView> = read(site.ask(&person.caller, Query::Accounts).await?)?;
    let providers: Vec<String> = read(site.ask(&person.caller, Query::Providers).await?)?;
    let rows = accounts.into_iter().map(row).collect();
    let page = pages::Accounts { rows, providers, typed, problems, done };
    Ok(Html(page.render(&person.shell(site).await?)).into_response())
}

fn row(view: AccountView) -> AccountRow {
    AccountRow {
        name: view.name,
        title: view.title,
        role: view.role,
        email: view.email,
        lang: view.lang,
        os_user: view.os_user,
        provider: view.provider,
        has_password: view.has_password,
        has_totp: view.has_totp,
        disabled: view.disabled,
        changed_at: view.changed_at,
    }
}

pub async fn add(State(site): State<Site>, person: Person, form: Form) -> Response {
    let body = AccountBody {
        name: form.text("name"),
        add: true,
        title: form.filled("title"),
        role: form.filled("role"),
        provider: form.filled("provider"),
        email: form.filled("email"),
        lang: form.filled("lang"),
        os_user: form.filled("os_user"),
        password: Some(form.secret("password")).filter(|text| !text.is_empty()),
        ..AccountBody::default()
    };
    let typed = AccountRow {
        name: body.name.clone(),
        title: form.text("title"),
        role: form.text("role"),
        email: body.email.clone(),
        lang: form.text("lang"),
        os_user: body.os_user.clone(),
        provider: body.provider.clone(),
        ..AccountRow::default()
    };
    edit(&site, &person, &form, body, typed).await
}

pub async fn change(
    State(site): State<Site>,
    person: Person,
    Path((name, act)): Path<(String, String)>,
    form: Form,
) -> Response {
    let mut body = AccountBody { name, ..AccountBody::default() };
    match act.as_str() {
        "role" => {
            body.role = form.filled("role");
            // One that is no provider's any more belongs to none.
            body.provider =
                Some(form.text("provider")).filter(|_| form.text("role") == "provider").or(Some(String::new()));
        }
        "reset" => {
            body.password = Some(form.secret("password")).filter(|text| !text.is_empty());
            body.reset_totp = form.text("totp") == "forget";
        }
        "disable" => body.disabled = Some(true),
        "enable" => body.disabled = Some(false),
        _ => {
            let error = ApiError::NotFound(format!("there is no act {act}"));
            return person.refused(&site, &error, "/accounts").await;
        }
    }
    edit(&site, &person, &form, body, AccountRow::default()).await
}

async fn edit(site: &Site, person: &Person, form: &Form, body: AccountBody, typed: AccountRow) -> Response {
    if let Err(error) = person.check(site, form) {
        return person.refused(site, &error, "/accounts").await;
    }
    let name = body.name.clone();
    let logs_out = body.role.is_some() || body.password.is_some() || body.disabled == Some(true);
    let done = site.ask(&person.caller, Query::AccountEdit(body)).await;
    if done.is_ok() && logs_out {
        // What it was allowed before it is not allowed any more.
        site.guard().sessions.close_all(&name);
    }
    let shown = match &done {
        Ok(_) => page(site, person, AccountRow::default(), Vec::new(), Some(name)).await,
        Err(error @ (ApiError::Invalid(_) | ApiError::Conflict(_))) => {
            let (status, problems) = told(error);
            page(site, person, typed, problems, None).await.map(|page| (status, page).into_response())
        }
        Err(error) => return person.refused(site, error, "/accounts").await,
    };
    match shown {
        Ok(page) => page,
        // Who changed its own role is logged out now.
        Err(_) => Redirect::to("/login").into_response(),
    }
}

pub async fn own(State(site): State<Site>, person: Person) -> Response {
    match own_page(&site, &person, None, Vec::new(), None).await {
        Ok(page) => page,
        Err(error) => person.refused(&site, &error, "/").await,
    }
}

async fn own_page(
    site: &Site,
    person: &Person,
    enrolling: Option<Seed>,
    problems: Vec<String>,
    done: Option<&str>,
) -> Result<Response, ApiError> {
    let account = person.account(site).await?;
    let totp = match (enrolling, &account.totp) {
        (Some(seed), _) => Totp::Enrolling { secret: seed.text(), url: seed.url(&account.name) },
        (None, Some(_)) => Totp::On,
        (None, None) => Totp::Off,
    };
    let page = pages::Account {
        lang: account.lang.parse::<Lang>().unwrap_or_default(),
        email: account.email,
        totp,
        problems,
        done: done.map(str::to_owned),
    };
    Ok(Html(page.render(&person.shell(site).await?)).into_response())
}

pub async fn change_own(State(site): State<Site>, person: Person, Path(act): Path<String>, form: Form) -> Response {
    if let Err(error) = person.check(&site, &form) {
        return person.refused(&site, &error, "/account").await;
    }
    match try_change_own(&site, &person, &act, &form).await {
        Ok(page) => page,
        Err(error @ (ApiError::Invalid(_) | ApiError::Conflict(_))) => {
            let (status, problems) = told(&error);
            let seed = enrolment(&site, &person.caller.name).filter(|_| act == "totp-confirm");
            match own_page(&site, &person, seed, problems, None).await {
                Ok(page) => (status, page).into_response(),
                Err(error) => person.refused(&site, &error, "/").await,
            }
        }
        Err(error) => person.refused(&site, &error, "/account").await,
    }
}

async fn try_change_own(site: &Site, person: &Person, act: &str, form: &Form) -> Result<Response, ApiError> {
    let name = person.caller.name.clone();
    let mut body = AccountBody { name: name.clone(), ..AccountBody::default() };
    let done = match act {
        "language" => {
            body.lang = form.filled("lang");
            "language"
        }
        "password" => {
            same_person(site, person, &form.secret("current")).await?;
            if form.secret("password") != form.secret("again") {
                return Err(ApiError::Invalid(vec!["again: expected the new password once more".into()]));
            }
            body.password = Some(form.secret("password"));
            "password"
        }
        "totp-begin" => {
            let random = clock::random().map_err(|error| ApiError::Failed(error.to_string()))?;
            let seed = Seed::new(random);
            site.guard().enrolments.insert(name, seed);
            return own_page(site, person, Some(seed), Vec::new(), None).await;
        }
        "totp-confirm" => {
            let seed = enrolment(site, &name).ok_or_else(|| ApiError::Conflict("begin again".into()))?;
            let text = serde_json::to_value(seed).ok().and_then(|text| text.as_str().map(str::to_owned));
            (body.totp_seed, body.totp_code) = (text, Some(form.text("code")));
            "totp"
        }
        "totp-remove" => {
            same_person(site, person, &form.secret("password")).await?;
            let problem = "an admin forgets the codes of a telephone that was lost".to_owned();
            return Err(ApiError::Conflict(problem));
        }
        _ => return Err(ApiError::NotFound(format!("there is no act {act}"))),
    };
    site.ask(&person.caller, Query::AccountEdit(body)).await?;
    if done == "totp" {
        site.guard().enrolments.remove(&name);
    }
    own_page(site, person, None, Vec::new(), Some(done)).await
}

fn enrolment(site: &Site, name: &str) -> Option<Seed> {
    site.guard().enrolments.get(name).copied()
}

/// Whoever found a browser open does not change its owner's password.
async fn same_person(site: &Site, person: &Person, given: &str) -> Result<(), ApiError> {
    let hashed = person.account(site).await?.password;
    let given = given.to_owned();
    let verify = move || password::verify(&given, hashed.as_ref(), password::Cost::STANDARD);
    let from = person.visitor.address.ip();
    let waits = site.guard().throttle.attempt(clock::now(), &person.caller.name, from, None);
    waits.map_err(|wait| ApiError::Conflict(wait.to_string()))?;
    if tokio::task::spawn_blocking(verify).await.unwrap_or(false) {
        site.guard().throttle.succeeded(&person.caller.name, from, None);
        return Ok(());
    }
    Err(ApiError::Invalid(vec!["current: this is not the password that you log in with".into()]))
}
