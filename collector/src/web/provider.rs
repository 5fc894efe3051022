//! The provider's page: whoever has the link of one request may answer it, once. Looking changes nothing.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse as _, Response},
};
use takar_collector_core::case::{Answer, Case, Dialogue};
use takar_web::{
    auth::{LinkError, ProviderToken},
    pages::{Provider, Reply, Request, Standing},
};

use super::{
    Site, cases,
    person::{Form, Visitor, message, read, told},
};
use crate::{
    api::query::{ApiError, Caller, Query, Via},
    clock,
    view::{CaseDetailView, CheckView},
};

/// The case of a link that holds, and who that makes of the visitor.
struct Opened {
    caller: Caller,
    case: Case,
    dialogue: Dialogue,
    expires_at: u64,
}

pub async fn show(State(site): State<Site>, visitor: Visitor, Path(token): Path<String>) -> Response {
    match open(&site, &visitor, &token).await {
        Ok(opened) => draw(&site, &visitor, &token, &opened, Reply::default(), Vec::new()).await,
        Err(error) => refused(&site, &visitor, &error),
    }
}

pub async fn answer(State(site): State<Site>, visitor: Visitor, Path(token): Path<String>, form: Form) -> Response {
    let opened = match open(&site, &visitor, &token).await {
        Ok(opened) => opened,
        Err(error) => return refused(&site, &visitor, &error),
    };
    let typed = Reply {
        name: form.text("name"),
        ticket: form.text("ticket"),
        promised: form.text("promised"),
        answer: form.text("answer"),
        remark: form.text("remark"),
    };
    let body = match cases::answer(&site, &form) {
        Ok(body) => body,
        Err(problem) => return draw(&site, &visitor, &token, &opened, typed, vec![problem]).await,
    };
    match site.ask(&opened.caller, Query::CaseAct { id: opened.case.id.0, body }).await {
        // Shows what was answered now.
        Ok(_) => match open(&site, &visitor, &token).await {
            Ok(opened) => draw(&site, &visitor, &token, &opened, Reply::default(), Vec::new()).await,
            Err(error) => refused(&site, &visitor, &error),
        },
        Err(error) => {
            let (status, problems) = told(&error);
            (status, draw(&site, &visitor, &token, &opened, typed, problems).await).into_response()
        }
    }
}

/// The link is checked before anything is asked; what the case says of it decides then.
async fn open(site: &Site, visitor: &Visitor, text: &str) -> Result<Opened, ApiError> {
    let token = ProviderToken::open(&site.key, text, clock::now()).map_err(|error| match error {
        LinkError::Expired => ApiError::Conflict(error.to_string()),
        LinkError::Forged | LinkError::Malformed => ApiError::NotFound(error.to_string()),
    })?;
    let via = Via::Link { case: token.case, address: visitor.address.ip().to_string() };
    // Which provider that is the case says: a link names no name.
    let mut caller = Caller { name: String::new(), via };
    let case: Case = read(site.ask(&caller, Query::ProviderRequest { case: token.case }).await?)?;
    let dialogue = case.provider.clone().filter(|dialogue| token.is_for(&dialogue.number));
    let dialogue = dialogue.ok_or_else(|| ApiError::NotFound("the link is of a request that is no more".into()))?;
    caller.name = dialogue.provider.to_string();
    Ok(Opened { caller, case, dialogue, expires_at: token.expires_at.0 })
}

async fn draw(
    site: &Site,
    visitor: &Visitor,
    token: &str,
    opened: &Opened,
    typed: Reply,
    problems: Vec<String>,
) -> Response {
    let Opened { caller, case, dialogue, expires_at } = opened;
    let standing = match &dialogue.answer {
        Some(Answer { agreed, by, at, ticket, promised, .. }) => Standing::Answered {
            number: dialogue.number.clone(),
            agreed: *agreed,
            by: by.clone(),
            at: at.0,
            ticket: ticket.clone(),
            promised: promised.map(|at| at.0),
        },
        None => {
            let detail = site.ask(caller, Query::Case { id: case.id.0 }).await.and_then(read::<CaseDetailView>);
            let frozen = detail.ok().and_then(|detail| {
                let check = detail.evidence.iter().find(|one| one.kind == "check")?.what.clone();
                serde_json::from_value::<Vec<CheckView>>(check).ok()
            });
            let rows = frozen.unwrap_or_default();
            let of_case = rows.iter().filter(|row| case.links.iter().any(|link| link.as_str() == row.link));
            Standing::Open(Box::new(Request {
                token: token.to_owned(),
                number: dialogue.number.clone(),
                provider: dialogue.title.clone(),
                contract: None,
                uplink: case.uplink.to_string(),
                direction: case.direction.as_str().into(),
                capacity_bps: dialogue.capacity.0,
                wanted_bps: dialogue.wanted.0,
                from: case.loan.as_ref().map(|loan| loan.from.0),
                until: case.loan.as_ref().map(|loan| loan.until.0),
                price_idr: dialogue.price_idr,
                sites: of_case.map(|row| row.site_title.clone()).collect(),
                asked_at: dialogue.asked_at.0,
                asked_by: dialogue.asked_by.to_string(),
                expires_at: *expires_at,
            }))
        }
    };
    let page = Provider { standing, typed, problems };
    Html(page.render(&visitor.shell(site))).into_response()
}

fn refused(site: &Site, visitor: &Visitor, error: &ApiError) -> Response {
    let mut answer = message(&visitor.shell(site), error, "/login");
    if matches!(error, ApiError::Conflict(_)) {
        *answer.status_mut() = StatusCode::GONE;
    }
    answer
}
