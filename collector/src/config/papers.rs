//! The office's papers: who it is, in which languages it reports, and what draws them.

use std::path::PathBuf;

use serde::Deserialize;
use takar_report::{
    Lang,
    office::{self, Office, Signatory},
};

use super::check::Check;

#[derive(Clone, Debug, PartialEq)]
pub struct Papers {
    pub office: Office,
    /// The first is the one that counts.
    pub languages: Vec<Lang>,
    /// The office's own templates and emblem; what is not there is Takar's.
    pub templates: Option<PathBuf>,
    /// `takar-pdf`; `None`: beside this program. Where it is not, papers are HTML, XLSX and JSON.
    pub pdf_program: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPapers {
    languages: Option<Vec<String>>,
    templates: Option<PathBuf>,
    pdf_program: Option<PathBuf>,
}

pub(super) fn papers(raw: RawPapers, office: Option<Office>, check: &mut Check) -> Papers {
    let office = office.unwrap_or_else(unnamed);
    for (key, pattern) in [("report_number", &office.report_number), ("letter_number", &office.letter_number)] {
        for problem in office::check(pattern) {
            check.say(format!("office.{key}"), problem);
        }
    }
    if office.letterhead.is_empty() {
        check.say("office.letterhead", "empty; expected the lines of the letterhead");
    }
    let mut languages = Vec::new();
    for (row, text) in raw.languages.unwrap_or_else(|| vec!["id".into(), "en".into()]).iter().enumerate() {
        match text.parse::<Lang>() {
            Ok(lang) if !languages.contains(&lang) => languages.push(lang),
            Ok(_) => check.say(format!("papers.languages[{row}]"), format!("\"{text}\" is there twice")),
            Err(_) => check.say(format!("papers.languages[{row}]"), "expected \"id\" or \"en\""),
        }
    }
    if languages.is_empty() {
        check.say("papers.languages", "empty; expected at least one of \"id\" and \"en\"");
    }
    for (key, path) in [("papers.templates", &raw.templates), ("papers.pdf_program", &raw.pdf_program)] {
        if let Some(path) = path {
            check.absolute(key, path);
        }
    }
    Papers { office, languages, templates: raw.templates, pdf_program: raw.pdf_program }
}

/// Until somebody writes `[office]`: the team by its name in the procedure, and dots to sign on.
fn unnamed() -> Office {
    let signatory = |role: &str| Signatory { role: role.into(), name: String::new(), id: None };
    Office {
        letterhead: vec!["TIM KERJA PENGELOLAAN SISTEM INFORMASI".into()],
        contact: Vec::new(),
        logo: None,
        place: "Jakarta".into(),
        report_number: "LAP-{n:3}/TAKAR/{roman-month}/{year}".into(),
        letter_number: "B-{n:3}/TAKAR/{roman-month}/{year}".into(),
        head: signatory("Ketua Tim Kerja Pengelolaan Sistem Informasi"),
        member: Some(signatory("Anggota Tim Kerja Pengelolaan Sistem Informasi")),
        basis: Vec::new(),
        copies: Vec::new(),
    }
}
