//! Papers that were written: reports, letters, summaries, with their files.

use askama::Template;

use super::draw;
use crate::{
    shell::{Lang, Shell},
    tongue::Tongue,
};

/// `GET /reports`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reports {
    /// The newest first.
    pub papers: Vec<Paper>,
    /// More than are shown.
    pub more: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paper {
    pub number: String,
    /// report, letter, summary
    pub kind: String,
    pub case: Option<u64>,
    pub at: u64,
    /// Of a report: when the head received it.
    pub received_at: Option<u64>,
    pub files: Vec<PaperFile>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaperFile {
    /// Below the archive's folder; fetched at `/papers/` and this path.
    pub path: String,
    pub bytes: u64,
    pub sha256: String,
}

/// A paper as the pages show it.
pub(super) struct PaperView {
    pub number: String,
    pub kind: String,
    pub at: String,
    pub case: Option<(String, String)>,
    /// Of a report.
    pub received: Option<String>,
    pub waits: bool,
    pub rows: Vec<Language>,
}

/// The files of one language, or those without any.
pub(super) struct Language {
    pub name: String,
    pub files: Vec<Download>,
}

pub(super) struct Download {
    pub path: String,
    pub form: String,
    pub size: String,
    pub digest: String,
}

#[derive(Template)]
#[template(path = "reports.html")]
struct Page<'a> {
    s: &'a Shell,
    t: Tongue,
    lead: String,
    papers: Vec<PaperView>,
    more: bool,
}

impl Reports {
    pub fn render(&self, shell: &Shell) -> String {
        let t = Tongue::of(shell);
        let page = Page {
            s: shell,
            lead: t.count("reports-count", self.papers.len(), &[]),
            papers: self.papers.iter().map(|paper| paper.view(&t)).collect(),
            more: self.more,
            t,
        };
        draw(&page)
    }
}

impl Paper {
    pub(super) fn view(&self, t: &Tongue) -> PaperView {
        let with_language = Lang::ALL.into_iter().map(|lang| (lang.own_name().to_owned(), Some(lang)));
        let groups = with_language.chain(std::iter::once((t.w("paper-data"), None)));
        let rows = groups.filter_map(|(name, lang)| {
            let files: Vec<Download> =
                self.files.iter().filter(|file| file.lang() == lang).map(|file| file.view(t)).collect();
            (!files.is_empty()).then_some(Language { name, files })
        });
        PaperView {
            number: self.number.clone(),
            kind: t.code("paper", &self.kind),
            at: t.moment(self.at),
            case: self.case.map(|id| (format!("/cases/{id}"), format!("K-{id}"))),
            received: self.received_at.map(|at| t.moment(at)),
            waits: self.kind == "report" && self.received_at.is_none(),
            rows: rows.collect(),
        }
    }
}

impl PaperFile {
    /// `report.id.pdf` is Indonesian.
    fn lang(&self) -> Option<Lang> {
        self.path.rsplit('.').nth(1).and_then(|part| part.parse().ok())
    }

    fn view(&self, t: &Tongue) -> Download {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let ending = name.rsplit_once('.').map_or(name, |(_, ending)| ending);
        Download {
            path: self.path.clone(),
            form: ending.to_uppercase(),
            size: t.bytes(self.bytes),
            digest: self.sha256.chars().take(16).collect(),
        }
    }
}
