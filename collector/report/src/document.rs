//! A paper in one language: every word and number is final text, so that whatever draws it (typst, HTML) decides about
//! looks only. Schema of the `document.json` that an office's own template reads.

use serde::{Deserialize, Serialize};

use crate::{
    Lang, Zone,
    model::{CaseReport, ProviderRequest, SummaryReport},
    office::Office,
    write,
};

/// *Laporan Alokasi/Re-alokasi Bandwidth*, of one case.
pub fn case_report(model: &CaseReport, office: &Office, zone: &Zone, lang: Lang) -> Document {
    write::report(model, office, zone, lang)
}

/// Of a month or a year.
pub fn summary(model: &SummaryReport, office: &Office, zone: &Zone, lang: Lang) -> Document {
    write::summary(model, office, zone, lang)
}

/// To a provider.
pub fn letter(model: &ProviderRequest, office: &Office, zone: &Zone, lang: Lang) -> Document {
    write::letter(model, office, zone, lang)
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// `id` or `en`.
    pub lang: String,
    pub kind: Kind,
    pub kop: Kop,
    /// Lines of the heading: `LAPORAN`, `TENTANG`, … Empty for a letter.
    pub title: Vec<String>,
    pub number: String,
    /// Of a letter: number, attachments, subject, as label and text.
    pub reference: Vec<Labelled>,
    /// Of a letter: to whom, line by line.
    pub addressee: Vec<String>,
    /// Of a letter, over the reference: place and date.
    pub dateline: Option<String>,
    pub blocks: Vec<Block>,
    /// Over the signatures of a report: place and date.
    pub place_date: Option<String>,
    pub signatures: Vec<Signature>,
    /// *Tembusan*, at a letter's end.
    pub copies: Vec<String>,
    /// At the foot of every page: number, and how to verify.
    pub footer: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    CaseReport,
    Summary,
    Letter,
}

/// The letterhead.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kop {
    /// The institution, the largest first.
    pub lines: Vec<String>,
    /// Street, telephone, e-mail, in small print.
    pub contact: Vec<String>,
    /// File name of the emblem beside the template; absent: none.
    pub logo: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labelled {
    pub label: String,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Block {
    /// Level 1: `A. PENDAHULUAN`; level 2: `1. Umum`.
    Heading {
        level: u8,
        label: String,
        text: String,
    },
    Paragraph {
        text: String,
    },
    /// Numbered or lettered items.
    List {
        items: Vec<Labelled>,
    },
    /// Label and value, one below the other.
    Facts {
        rows: Vec<Labelled>,
    },
    Table(Table),
    Plot(PlotBlock),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    pub caption: String,
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
    /// Rather wide: small print, landscape where there is no other way.
    pub wide: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub title: String,
    pub align: Align,
    /// Share of the width, in relation to the other columns'.
    pub weight: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Align {
    Start,
    Centre,
    End,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub cells: Vec<String>,
    pub tone: Tone,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    #[default]
    Plain,
    /// A sum or what matters most.
    Strong,
    Good,
    /// A limit is broken.
    Bad,
    /// What is not known.
    Faint,
}

/// A curve with its axes' ticks put into words. Coordinates are Unix milliseconds and bit/s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlotBlock {
    pub caption: String,
    pub from: u64,
    pub to: u64,
    pub top_bps: u64,
    pub x_ticks: Vec<Tick>,
    pub y_ticks: Vec<Tick>,
    /// What was carried: stretches without a gap.
    pub curve: Vec<Vec<(u64, u64)>>,
    /// The ceiling, as steps.
    pub ceiling: Vec<Vec<(u64, u64)>>,
    /// Lettered moments at which something was changed.
    pub marks: Vec<Tick>,
    pub legend_carried: String,
    pub legend_ceiling: String,
    pub legend_change: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    pub at: u64,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// `Ketua Tim Kerja …`
    pub role: String,
    pub name: String,
    /// *NIP*; absent where there is none.
    pub id: Option<String>,
    /// `Diterima 24 November 2026 09.12 WIB` of a report that was received.
    pub note: Option<String>,
}
