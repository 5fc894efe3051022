//! Papers: the list, and their files.

use std::path::{Component, Path as FilePath};

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, header},
    response::{Html, IntoResponse as _, Response},
};
use takar_web::pages::Reports;

use super::{
    Site,
    person::{Person, read},
    show,
};
use crate::{
    api::query::{ApiError, Query},
    view::PaperView,
};

pub async fn list(State(site): State<Site>, person: Person) -> Response {
    match page(&site, &person).await {
        Ok(page) => page,
        Err(error) => person.refused(&site, &error, "/").await,
    }
}

async fn page(site: &Site, person: &Person) -> Result<Response, ApiError> {
    let papers: Vec<PaperView> = read(site.ask(&person.caller, Query::Papers).await?)?;
    let page = Reports { papers: papers.iter().map(|paper| show::paper(paper, None)).collect(), more: false };
    Ok(Html(page.render(&person.shell(site).await?)).into_response())
}

pub async fn file(State(site): State<Site>, person: Person, Path(path): Path<String>) -> Response {
    match download(&site, &person, &path).await {
        Ok(answer) => answer,
        Err(error) => person.refused(&site, &error, "/reports").await,
    }
}

/// Only what the papers on record name, however the path is written.
async fn download(site: &Site, person: &Person, path: &str) -> Result<Response, ApiError> {
    let papers: Vec<PaperView> = read(site.ask(&person.caller, Query::Papers).await?)?;
    let is_known = papers.iter().flat_map(|paper| &paper.files).any(|file| file.path == path);
    let is_plain = FilePath::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    let missing = || ApiError::NotFound(format!("there is no paper {path}"));
    if !is_known || !is_plain {
        return Err(missing());
    }
    let bytes = tokio::fs::read(site.archive.join(path)).await.map_err(|_| missing())?;
    let (mime, shown) = match path.rsplit('.').next() {
        Some("pdf") => ("application/pdf", true),
        Some("xlsx") => ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", false),
        Some("json") => ("application/json", false),
        // A page of its own style: it would be shown without, so it is saved.
        Some("html") => ("text/html; charset=utf-8", false),
        _ => ("application/octet-stream", false),
    };
    let name = path.rsplit('/').next().unwrap_or("paper");
    let way = if shown { "inline" } else { "attachment" };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(mime));
    if let Ok(value) = HeaderValue::from_str(&format!("{way}; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok((headers, bytes).into_response())
}
