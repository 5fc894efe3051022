//! From a model to a document: what is said, in which order. Words are in `words/`, numbers in `figures`.

mod letter;
mod plot;
mod report;
pub(crate) mod speech;
mod summary;
pub(crate) mod voice;

use crate::{
    Lang, Zone,
    document::{Align, Block, Column, Document, Kind, Kop, Labelled, Row, Signature, Table, Tone},
    figures::Figures,
    model::{AuditMark, CaseReport, ProviderRequest, SummaryReport, Utilisation},
    office::{Office, Signatory},
    words::Words,
};
use voice::Voice;

/// Hexadecimal digits of the audit log's root that are printed.
const ROOT_DIGITS: usize = 16;

pub(crate) fn report(model: &CaseReport, office: &Office, zone: &Zone, lang: Lang) -> Document {
    report::write(model, &Writer::new(office, zone, lang))
}

pub(crate) fn summary(model: &SummaryReport, office: &Office, zone: &Zone, lang: Lang) -> Document {
    summary::write(model, &Writer::new(office, zone, lang))
}

pub(crate) fn letter(model: &ProviderRequest, office: &Office, zone: &Zone, lang: Lang) -> Document {
    letter::write(model, &Writer::new(office, zone, lang))
}

/// A word by its key, with what it mentions.
macro_rules! t {
    ($writer:expr, $key:expr $(, $name:ident = $value:expr)* $(,)?) => {
        $writer.words.with($key, &[$((stringify!($name), AsRef::<str>::as_ref(&$value))),*])
    };
}
pub(crate) use t;

pub(crate) struct Writer<'a> {
    pub words: Words,
    pub figures: Figures<'a>,
    pub office: &'a Office,
    pub lang: Lang,
}

impl<'a> Writer<'a> {
    fn new(office: &'a Office, zone: &'a Zone, lang: Lang) -> Self {
        Self { words: Words::new(lang), figures: Figures { lang, zone }, office, lang }
    }

    fn document(&self, kind: Kind, number: &str, footer: String) -> Document {
        Document {
            lang: self.lang.as_str().into(),
            kind,
            kop: Kop {
                lines: self.office.letterhead.clone(),
                contact: self.office.contact.clone(),
                logo: self.office.logo.clone(),
            },
            title: Vec::new(),
            number: number.into(),
            reference: Vec::new(),
            addressee: Vec::new(),
            dateline: None,
            blocks: Vec::new(),
            place_date: None,
            signatures: Vec::new(),
            copies: Vec::new(),
            footer,
        }
    }

    fn footer(&self, number: &str, audit: &AuditMark) -> String {
        let root = audit.root.get(..ROOT_DIGITS).unwrap_or(&audit.root);
        t!(self, "footer", number = number, size = audit.size.to_string(), root = root)
    }

    fn place_date(&self, at: u64) -> String {
        format!("{}, {}", self.office.place, self.figures.date(at))
    }

    fn signature(&self, signatory: &Signatory, note: Option<String>) -> Signature {
        let id = signatory.id.as_ref().map(|id| t!(self, "nip", id = id));
        Signature { role: signatory.role.clone(), name: signatory.name.clone(), id, note }
    }

    fn voice(&self) -> Voice<'_> {
        Voice { words: &self.words, figures: self.figures }
    }

    fn direction(&self, direction: &str) -> String {
        self.voice().direction(direction)
    }

    fn who(&self, name: &str) -> String {
        self.voice().who(name)
    }

    fn columns(&self, columns: &[(&str, Align, u16)]) -> Vec<Column> {
        let column = |(key, align, weight): &(&str, Align, u16)| Column {
            title: self.words.text(key),
            align: *align,
            weight: *weight,
        };
        columns.iter().map(column).collect()
    }

    /// Mean, 95th percentile, peak, share of the ceiling.
    fn utilisation(&self, utilisation: Option<&Utilisation>) -> String {
        let Some(used) = utilisation else { return t!(self, "not-measured") };
        let figures = &self.figures;
        t!(
            self,
            "utilisation",
            mean = figures.rate(used.mean_bps),
            p95 = figures.rate(used.p95_bps),
            peak = figures.rate(used.peak_bps),
            share = figures.per_mille(used.p95_per_mille),
            gaps = used.gaps.to_string(),
        )
    }
}

/// Blocks one after the other, with headings that count.
#[derive(Default)]
pub(crate) struct Page {
    blocks: Vec<Block>,
    part: u8,
    section: u8,
}

impl Page {
    pub fn part(&mut self, text: String) {
        let label = char::from(b'A'.saturating_add(self.part));
        self.part = self.part.saturating_add(1);
        self.section = 0;
        self.blocks.push(Block::Heading { level: 1, label: format!("{label}."), text });
    }

    pub fn section(&mut self, text: String) {
        self.section = self.section.saturating_add(1);
        self.blocks.push(Block::Heading { level: 2, label: format!("{}.", self.section), text });
    }

    pub fn say(&mut self, text: String) {
        self.blocks.push(Block::Paragraph { text });
    }

    pub fn list(&mut self, items: Vec<String>) {
        let label = |index: usize| match u8::try_from(index) {
            Ok(index @ 0..26) => format!("{})", char::from(b'a' + index)),
            _ => format!("{})", index + 1),
        };
        let items: Vec<Labelled> =
            items.into_iter().enumerate().map(|(index, text)| Labelled { label: label(index), text }).collect();
        if !items.is_empty() {
            self.blocks.push(Block::List { items });
        }
    }

    pub fn facts(&mut self, rows: Vec<(String, String)>) {
        let rows = rows.into_iter().map(|(label, text)| Labelled { label, text }).collect();
        self.blocks.push(Block::Facts { rows });
    }

    pub fn table(&mut self, caption: String, columns: Vec<Column>, rows: Vec<Row>, wide: bool) {
        self.blocks.push(Block::Table(Table { caption, columns, rows, wide }));
    }

    pub fn push(&mut self, block: Block) {
        self.blocks.push(block);
    }

    pub fn into_blocks(self) -> Vec<Block> {
        self.blocks
    }
}

pub(crate) fn row(tone: Tone, cells: Vec<String>) -> Row {
    Row { cells, tone }
}
