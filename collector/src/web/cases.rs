//! Today, cases, a case, and what people do to it.

use axum::{
    extract::{Path, Query as Params, State},
    response::{Html, IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use serde_json::Value;
use takar_web::pages;

use super::{
    Site,
    person::{Form, Person, read, team, told},
    show,
};
use crate::{
    api::query::{ApiError, Query},
    view::{AccountView, CaseActBody, CaseDetailView, CaseView, ChangeView, CheckView, PaperView},
};

/// Rows that a page shows.
const SHOWN: usize = 200;
/// Deeds on the first page.
const DEEDS: usize = 12;

pub async fn today(State(site): State<Site>, person: Person) -> Response {
    match today_page(&site, &person).await {
        Ok(page) => page,
        Err(error) => person.refused(&site, &error, "/account").await,
    }
}

async fn today_page(site: &Site, person: &Person) -> Result<Response, ApiError> {
    let ask = |query| site.ask(&person.caller, query);
    let cases: Vec<CaseView> = read(ask(Query::Cases { all: false }).await?)?;
    let checks: Vec<CheckView> = read(ask(Query::Check).await?)?;
    let links: Value = ask(Query::Links).await?;
    let changes: Vec<ChangeView> = read(ask(Query::Changes).await?)?;
    let papers: Vec<PaperView> = read(ask(Query::Papers).await?)?;
    let shell = person.shell(site).await?;
    let page = pages::Today {
        cases: cases.iter().map(|case| show::case_row(case, &checks, shell.user.as_ref())).collect(),
        links: checks.iter().map(|check| show::link_row(check, &links, &cases)).collect(),
        uplinks: show::uplinks(&checks),
        deeds: show::deeds(&changes, &papers, &cases, DEEDS),
    };
    Ok(Html(page.render(&shell)).into_response())
}

#[derive(Deserialize)]
pub struct Asked {
    state: Option<String>,
    kind: Option<String>,
}

pub async fn list(State(site): State<Site>, person: Person, Params(asked): Params<Asked>) -> Response {
    match list_page(&site, &person, asked).await {
        Ok(page) => page,
        Err(error) => person.refused(&site, &error, "/").await,
    }
}

async fn list_page(site: &Site, person: &Person, asked: Asked) -> Result<Response, ApiError> {
    let known = |given: Option<String>, all: &[&str]| given.filter(|text| all.contains(&text.as_str()));
    let (state, kind) = (known(asked.state, &pages::STATES), known(asked.kind, &pages::KINDS));
    let wanted = state.as_deref().unwrap_or("open");
    let cases: Vec<CaseView> = read(site.ask(&person.caller, Query::Cases { all: wanted != "open" }).await?)?;
    let checks: Vec<CheckView> = read(site.ask(&person.caller, Query::Check).await?)?;
    let shell = person.shell(site).await?;
    let passes = |case: &&CaseView| {
        (matches!(wanted, "open" | "all") || case.state == wanted)
            && kind.as_deref().is_none_or(|kind| case.kind == kind)
    };
    let rows: Vec<_> =
        cases.iter().filter(passes).map(|case| show::case_row(case, &checks, shell.user.as_ref())).collect();
    let more = rows.len() > SHOWN;
    let rows = rows.into_iter().take(SHOWN).collect();
    let page = pages::Cases { rows, filter: pages::Filter { state, kind }, more };
    Ok(Html(page.render(&shell)).into_response())
}

pub async fn show(State(site): State<Site>, person: Person, Path(id): Path<u64>) -> Response {
    match case_page(&site, &person, id, None).await {
        Ok(page) => page,
        Err(error) => person.refused(&site, &error, "/cases").await,
    }
}

async fn case_page(site: &Site, person: &Person, id: u64, draft: Option<pages::Draft>) -> Result<Response, ApiError> {
    let case: CaseDetailView = read(site.ask(&person.caller, Query::Case { id }).await?)?;
    let checks: Vec<CheckView> = read(site.ask(&person.caller, Query::Check).await?)?;
    // Who manages no accounts sees no list of them; the team is then whoever owns a step.
    let accounts: Vec<AccountView> = match site.ask(&person.caller, Query::Team).await {
        Ok(accounts) => read(accounts)?,
        Err(_) => Vec::new(),
    };
    let shell = person.shell(site).await?;
    let page = show::case(&case, &checks, team(&accounts), draft, &shell);
    Ok(Html(page.render(&shell)).into_response())
}

pub async fn act(
    State(site): State<Site>,
    person: Person,
    Path((id, act)): Path<(u64, String)>,
    form: Form,
) -> Response {
    let back = format!("/cases/{id}");
    let done = match person.check(&site, &form) {
        Ok(()) => try_act(&site, &person, id, &act, &form).await,
        Err(error) => return person.refused(&site, &error, &back).await,
    };
    match done {
        // Loading the page again repeats nothing.
        Ok(()) => Redirect::to(&back).into_response(),
        Err(error @ (ApiError::Forbidden(_) | ApiError::NotFound(_) | ApiError::Failed(_))) => {
            person.refused(&site, &error, &back).await
        }
        Err(error) => {
            let (status, problems) = told(&error);
            let draft = pages::Draft { act, typed: form.typed(), problems };
            match case_page(&site, &person, id, Some(draft)).await {
                Ok(page) => (status, page).into_response(),
                Err(error) => person.refused(&site, &error, "/cases").await,
            }
        }
    }
}

async fn try_act(site: &Site, person: &Person, id: u64, act: &str, form: &Form) -> Result<(), ApiError> {
    if let ("approve" | "decline", Some(seen)) = (act, form.filled("proposal")) {
        let case: CaseDetailView = read(site.ask(&person.caller, Query::Case { id }).await?)?;
        // What was decided is what was looked at.
        if case.row.proposal.map(|open| open.to_string()) != Some(seen) {
            let problem = "the proposal is not the one that you looked at any more; look again".to_owned();
            return Err(ApiError::Conflict(problem));
        }
    }
    let body = body(site, act, form)?;
    site.ask(&person.caller, Query::CaseAct { id, body }).await.map(drop)
}

/// What a form says, with every field that does not read.
fn body(site: &Site, act: &str, form: &Form) -> Result<CaseActBody, ApiError> {
    let reason = form.text("reason");
    let rate = |name: &str| mbps(&form.text(name)).ok_or_else(|| format!("{name}: expected a rate in Mbit/s above 0"));
    let date = |name: &str| day(site, &form.text(name)).ok_or_else(|| format!("{name}: expected a date"));
    let built: Result<CaseActBody, String> = match act {
        "confirm" => Ok(CaseActBody::Confirm { reason }),
        "dismiss" => Ok(CaseActBody::Dismiss { reason }),
        "approve" => Ok(CaseActBody::Approve),
        "decline" => Ok(CaseActBody::Decline { reason }),
        "grant" => Ok(CaseActBody::Grant),
        "replan" => Ok(CaseActBody::Replan),
        "conclude" => Ok(CaseActBody::Conclude { reason }),
        "end-loan" => Ok(CaseActBody::EndLoan { reason }),
        "resume" => Ok(CaseActBody::Resume),
        "remark" => Ok(CaseActBody::Remark { text: form.text("text") }),
        "assign" => Ok(CaseActBody::Assign { to: form.text("to") }),
        "sent" => Ok(CaseActBody::Sent { how: form.text("how") }),
        "defer" => date("until").map(|until| CaseActBody::Defer { until, reason }),
        "accept" => rate("measured_mbps").map(|measured_bps| CaseActBody::Accept { measured_bps }),
        "ask-provider" => rate("wanted_mbps").and_then(|wanted_bps| {
            let price_idr = form.filled("price_idr").map(|text| text.parse::<u64>()).transpose();
            let price_idr = price_idr.map_err(|_| "price_idr: expected whole rupiah".to_owned())?;
            Ok(CaseActBody::AskProvider { wanted_bps, price_idr })
        }),
        "answered" => answer(site, form),
        _ => return Err(ApiError::NotFound(format!("there is no act {act}"))),
    };
    built.map_err(|problem| ApiError::Invalid(vec![problem]))
}

/// A provider's answer, written down here or given by its link.
pub fn answer(site: &Site, form: &Form) -> Result<CaseActBody, String> {
    let agreed = match form.text("answer").as_str() {
        "agree" => true,
        "refuse" => false,
        _ => return Err("answer: expected to agree or to refuse".into()),
    };
    let name = form.filled("name").ok_or("name: expected who answers")?;
    let promised = form.filled("promised").map(|text| day(site, &text).ok_or("promised: expected a date"));
    Ok(CaseActBody::Answered {
        agreed,
        name,
        ticket: form.filled("ticket"),
        promised: promised.transpose()?,
        remark: form.filled("remark"),
    })
}

pub async fn receive(State(site): State<Site>, person: Person, Path(id): Path<u64>) -> Response {
    match receive_page(&site, &person, id, String::new(), Vec::new()).await {
        Ok(page) => page,
        Err(error) => person.refused(&site, &error, &format!("/cases/{id}")).await,
    }
}

async fn receive_page(
    site: &Site,
    person: &Person,
    id: u64,
    remark: String,
    problems: Vec<String>,
) -> Result<Response, ApiError> {
    let case: CaseDetailView = read(site.ask(&person.caller, Query::Case { id }).await?)?;
    let checks: Vec<CheckView> = read(site.ask(&person.caller, Query::Check).await?)?;
    let shell = person.shell(site).await?;
    let report = case.papers.iter().rev().find(|paper| paper.kind == "report");
    let report = report.ok_or_else(|| ApiError::Conflict("there is no report to receive yet".into()))?;
    let page = pages::Receive {
        case: show::case_row(&case.row, &checks, shell.user.as_ref()),
        report: show::paper(report, None),
        worked_ms: case.steps.iter().map(|step| step.worked_ms).sum(),
        standard_minutes: site.standard_minutes,
        remark,
        problems,
    };
    Ok(Html(page.render(&shell)).into_response())
}

pub async fn received(State(site): State<Site>, person: Person, Path(id): Path<u64>, form: Form) -> Response {
    let back = format!("/cases/{id}");
    if let Err(error) = person.check(&site, &form) {
        return person.refused(&site, &error, &back).await;
    }
    let body = CaseActBody::Receive { remark: form.filled("remark") };
    match site.ask(&person.caller, Query::CaseAct { id, body }).await {
        Ok(_) => Redirect::to(&back).into_response(),
        Err(error) => person.refused(&site, &error, &back).await,
    }
}

/// `12.5` or `12,5` Mbit/s, in whole multiples of 8 bit/s.
fn mbps(text: &str) -> Option<u64> {
    let (whole, fraction) = match text.split_once([',', '.']) {
        Some((whole, fraction)) => (whole, fraction),
        None => (text, ""),
    };
    if fraction.len() > 6 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let micro = format!("{fraction:0<6}").parse::<u64>().ok()?;
    let bps = whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(micro)?;
    Some(bps - bps % 8).filter(|bps| *bps > 0)
}

/// The beginning of a day at the office.
fn day(site: &Site, text: &str) -> Option<u64> {
    let date: takar_collector_core::calendar::Date = text.parse().ok()?;
    let zone: takar_collector_core::calendar::Zone = site.zone.name.parse().ok()?;
    Some(zone.instant(date, 0).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_people_write_them() {
        assert_eq!(mbps("12"), Some(12_000_000));
        assert_eq!((mbps("12,5"), mbps("12.5")), (Some(12_500_000), Some(12_500_000)));
        for wrong in ["", "0", "-1", "1e3", "1,2,3", "1.0000001", "99999999999999999999"] {
            assert_eq!(mbps(wrong), None, "{wrong}");
        }
    }
}
