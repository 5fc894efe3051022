//! The desk: draws papers and keeps the archive. A paper is drawn by programs that take their time, so it is a task of
//! its own; the engine hands it what to state and takes back digests.

mod archive;
mod pdf;

use std::{path::PathBuf, time::Duration};

use serde::Serialize;
use takar_report::{
    Lang, Zone, document, html, json,
    model::{CaseReport, ProviderRequest, SummaryReport},
    xlsx,
};
use takar_shared::Digest;
use takar_store::PaperFile;
use tokio::sync::mpsc;

use crate::config::Papers;

pub use archive::Archive;

/// What a paper states.
pub enum Content {
    Report(Box<CaseReport>),
    Letter(Box<ProviderRequest>),
    Summary(Box<SummaryReport>),
}

pub struct Job {
    /// Below the archive's folder: `2026/report-0001`.
    pub folder: String,
    pub content: Content,
}

/// What became of a job.
pub enum Drawn {
    Files {
        files: Vec<PaperFile>,
        /// Why there is no PDF among them, if so.
        without_pdf: Option<String>,
    },
    Failed(String),
}

/// A program that draws takes no longer, or is stopped.
const DRAW_FOR: Duration = Duration::from_secs(90);

/// Draws until the engine is gone.
pub async fn run(
    papers: Papers,
    zone: Zone,
    archive: PathBuf,
    mut jobs: mpsc::Receiver<Job>,
    drawn: mpsc::Sender<Drawn>,
) {
    while let Some(job) = jobs.recv().await {
        let done = draw(&papers, zone.clone(), &archive, job).await;
        if drawn.send(done.unwrap_or_else(Drawn::Failed)).await.is_err() {
            return;
        }
    }
}

impl Content {
    pub fn to_json(&self) -> Result<String, String> {
        match self {
            Self::Report(model) => json::pretty(model.as_ref()),
            Self::Letter(model) => json::pretty(model.as_ref()),
            Self::Summary(model) => json::pretty(model.as_ref()),
        }
        .map_err(|error| error.to_string())
    }

    fn document(&self, papers: &Papers, zone: &Zone, lang: Lang) -> document::Document {
        match self {
            Self::Report(model) => document::case_report(model, &papers.office, zone, lang),
            Self::Letter(model) => document::letter(model, &papers.office, zone, lang),
            Self::Summary(model) => document::summary(model, &papers.office, zone, lang),
        }
    }

    fn xlsx(&self, zone: &Zone, lang: Lang) -> Option<Result<Vec<u8>, String>> {
        match self {
            Self::Report(model) => Some(xlsx::case_report(model, zone, lang).map_err(|error| error.to_string())),
            Self::Summary(model) => Some(xlsx::summary(model, zone, lang).map_err(|error| error.to_string())),
            Self::Letter(_) => None,
        }
    }

    fn template(&self) -> &'static str {
        match self {
            Self::Report(_) => "report",
            Self::Letter(_) => "letter",
            Self::Summary(_) => "summary",
        }
    }
}

/// Every form in every language, in a folder that appears whole or not at all.
async fn draw(papers: &Papers, zone: Zone, archive: &std::path::Path, job: Job) -> Result<Drawn, String> {
    let model = job.content.to_json()?;
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let mut without_pdf = None;
    for lang in &papers.languages {
        let document = job.content.document(papers, &zone, *lang);
        let name = format!("{}.{}", job.content.template(), lang.as_str());
        match pdf::draw(papers, job.content.template(), &document, &model, DRAW_FOR).await {
            Ok(bytes) => files.push((format!("{name}.pdf"), bytes)),
            Err(pdf::NoPdf::NotThere(why)) => without_pdf = Some(why),
            Err(pdf::NoPdf::Failed(why)) => return Err(why),
        }
        files.push((format!("{name}.html"), html::page(&document).into_bytes()));
        if let Some(table) = job.content.xlsx(&zone, *lang) {
            files.push((format!("{name}.xlsx"), table?));
        }
    }
    files.push((format!("{}.json", job.content.template()), model.into_bytes()));
    let kept = files.iter().map(|(name, bytes)| PaperFile {
        path: format!("{}/{name}", job.folder),
        bytes: bytes.len() as u64,
        digest: Digest::of(bytes),
    });
    let kept = kept.collect();
    archive::put(archive, &job.folder, &files).map_err(|error| format!("cannot write {}: {error}", job.folder))?;
    Ok(Drawn::Files { files: kept, without_pdf })
}

/// What goes to a template beside its document.
#[derive(Serialize)]
struct Given<'a> {
    document: &'a document::Document,
    model: &'a serde_json::value::RawValue,
}
