//! Every paper in both languages: all of it is words and figures, well-formed, and the same numbers in every form.
#![allow(clippy::unwrap_used)] // helpers of tests may unwrap as tests do

use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx};
use takar_report::{
    Lang, Zone,
    document::{self, Document},
    html,
    model::{CaseKind, CaseReport, Outcome, Why},
    office::Office,
    sample, xlsx,
};

fn reports() -> Vec<CaseReport> {
    let mut all = vec![sample::case_report(), sample::refused(), undone()];
    for kind in [CaseKind::Reallocation, CaseKind::Addition, CaseKind::Bod, CaseKind::Deferral] {
        let mut model = sample::case_report();
        model.kind = kind;
        if kind == CaseKind::Bod {
            model.outcome = Outcome::Returned;
            model.sites[2].why = Why::Lent { wanted_bps: 15_240_000 };
        }
        all.push(model.clone());
        model.outcome = Outcome::NotCarriedOut { why: "The case has not ended.".into() };
        model.commands.clear();
        all.push(model);
    }
    all
}

/// A change did not hold and was made again; the head has received the report.
fn undone() -> CaseReport {
    let mut model = sample::case_report();
    let step = |number: u8, round: u16, result: &str| {
        let mut step = model.steps[0].clone();
        (step.number, step.round, step.result, step.ended_at) =
            (number, round, result.into(), Some(sample::MORNING + 60_000));
        step.overdue = number == 3;
        step
    };
    model.steps = [
        step(1, 1, "done"),
        step(2, 1, "done"),
        step(3, 1, "done"),
        step(4, 1, "rolled-back"),
        step(3, 2, "done"),
        step(4, 2, "done"),
        step(5, 2, "done"),
        step(6, 2, "done"),
    ]
    .into();
    model.sites[2].after_bps = 12_000_000;
    model.worked_ms = 300 * 60_000;
    model
}

fn documents() -> Vec<Document> {
    let office = sample::office();
    let mut all = Vec::new();
    for lang in Lang::ALL {
        all.extend(reports().iter().map(|model| document::case_report(model, &office, &Zone::WIB, lang)));
        all.push(document::summary(&sample::summary(40), &office, &Zone::WIT, lang));
        all.push(document::letter(&sample::provider_request(), &office, &Zone::WITA, lang));
    }
    all
}

fn strings(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => found.push(text.clone()),
        serde_json::Value::Array(all) => all.iter().for_each(|one| strings(one, found)),
        serde_json::Value::Object(all) => all.values().for_each(|one| strings(one, found)),
        _ => {}
    }
}

/// How keys begin.
const KEYS: [&str; 16] = [
    "told",
    "why",
    "column",
    "table",
    "outcome",
    "part",
    "letter",
    "label",
    "step",
    "check",
    "said",
    "did",
    "result",
    "state",
    "advice",
    "conclusion",
];

#[test]
fn nothing_but_words_and_figures_is_in_a_paper() {
    for document in documents() {
        let mut found = Vec::new();
        strings(&serde_json::to_value(&document).unwrap(), &mut found);
        assert!(found.len() > 20);
        for text in found {
            assert!(!text.trim().is_empty());
            for leak in ["{", "}", "$", "None", "Some(", "\u{2068}"] {
                assert!(!text.contains(leak), "{leak:?} in {text:?}");
            }
            // A key without its word.
            let is_key = text.split_once('-').is_some_and(|(one, other)| {
                KEYS.contains(&one) && other.chars().all(|c| c.is_ascii_lowercase() || c == '-')
            });
            assert!(!is_key, "{text:?}");
            // What Takar keeps in English is put into words.
            let is_english = [" the ", " its ", " is ", " was "].iter().any(|word| text.contains(word));
            assert!(document.lang == "en" || !is_english, "{text:?}");
        }
    }
}

#[test]
fn the_form_is_the_offices() {
    let document = document::case_report(&sample::case_report(), &sample::office(), &Zone::WIB, Lang::Id);
    assert_eq!(document.title[..2], ["LAPORAN", "TENTANG"]);
    let headings: Vec<String> = document
        .blocks
        .iter()
        .filter_map(|block| match block {
            document::Block::Heading { level: 1, label, text } => Some(format!("{label} {text}")),
            _ => None,
        })
        .collect();
    let expected = [
        "A. PENDAHULUAN",
        "B. KEGIATAN YANG DILAKSANAKAN",
        "C. HASIL YANG DICAPAI",
        "D. SIMPULAN DAN SARAN",
        "E. PENUTUP",
    ];
    assert_eq!(headings, expected);
    assert_eq!(document.place_date.as_deref(), Some("Kota Mungkid, 24 November 2026"));
    assert!(document.footer.contains("02f0d3b66ffe243e"), "{}", document.footer);
}

fn table<'a>(document: &'a Document, caption: &str) -> &'a document::Table {
    let mut tables = document.blocks.iter().filter_map(|block| match block {
        document::Block::Table(table) => Some(table),
        _ => None,
    });
    tables.find(|table| table.caption.starts_with(caption)).unwrap()
}

#[test]
fn all_six_steps_stand_in_the_table() {
    for model in reports() {
        let document = document::case_report(&model, &sample::office(), &Zone::WIB, Lang::Id);
        let steps = table(&document, "Pelaksanaan langkah");
        for number in 1..=6 {
            // Of a second round: 5.2.
            let is_it = |cell: &str| cell.split('.').next() == Some(&number.to_string());
            assert!(steps.rows.iter().any(|row| is_it(&row.cells[0])), "{number}");
        }
    }
    let document = document::case_report(&sample::case_report(), &sample::office(), &Zone::WIB, Lang::Id);
    let last = table(&document, "Pelaksanaan langkah").rows.last().unwrap();
    // What is left of three and a half hours.
    assert_eq!(last.cells[4], "30 menit");
    assert_eq!(last.cells[6], "belum dimulai");
}

#[test]
fn every_row_fills_its_columns() {
    for document in documents() {
        for block in &document.blocks {
            let document::Block::Table(table) = block else { continue };
            assert!(table.rows.iter().all(|row| row.cells.len() == table.columns.len()), "{}", table.caption);
        }
    }
}

#[test]
fn whoever_did_the_work_signs_where_the_office_names_nobody() {
    let office = Office { member: None, ..sample::office() };
    let sign = |model: &CaseReport| document::case_report(model, &office, &Zone::WIB, Lang::Id).signatures;
    let mut model = sample::case_report();
    assert_eq!(sign(&model).len(), 1);
    model.steps[1].owner = "budi".into();
    let signatures = sign(&model);
    assert_eq!(signatures.len(), 2);
    assert_eq!(signatures[0].name, "budi");
    assert_eq!(signatures[1].note, None);
    let signatures = document::case_report(&undone(), &sample::office(), &Zone::WIB, Lang::Id).signatures;
    assert_eq!(signatures[1].note.as_deref(), Some("Diterima 24 November 2026 08.01 WIB"));
}

/// Tags that open are closed in order.
fn is_balanced(page: &str) -> bool {
    let mut open: Vec<&str> = Vec::new();
    let without_style = page.split("<style>").next().unwrap().to_owned() + page.split("</style>").nth(1).unwrap();
    let mut rest = without_style.as_str();
    while let Some((_, after)) = rest.split_once('<') {
        let (tag, after) = after.split_once('>').unwrap();
        rest = after;
        let leaked: &'static str = Box::leak(tag.to_owned().into_boxed_str());
        let name = leaked.split_whitespace().next().unwrap();
        if tag.starts_with('!') || tag.ends_with('/') || ["meta", "br"].contains(&name) {
            continue;
        }
        match name.strip_prefix('/') {
            Some(name) => {
                if open.pop() != Some(name) {
                    return false;
                }
            }
            None => open.push(name),
        }
    }
    open.is_empty()
}

#[test]
fn pages_are_whole_and_what_people_wrote_is_text() {
    for document in documents() {
        let page = html::page(&document);
        assert!(is_balanced(&page), "{page}");
        assert!(page.contains(&format!("<html lang=\"{}\">", document.lang)));
        assert_eq!(page.matches("<h1").count(), 1);
        assert!(!page.contains("<script") && !page.contains(" style=") && !page.contains("src="));
    }
    let mut model = sample::case_report();
    let evil = "<script>alert('x')</script>\"&";
    model.number = evil.into();
    model.remarks[0].text = evil.into();
    model.sites[0].site_title = evil.into();
    model.plots[0].link = evil.into();
    let page = html::page(&document::case_report(&model, &sample::office(), &Zone::WIB, Lang::En));
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;") && is_balanced(&page));
}

#[test]
fn a_workbook_has_the_same_numbers() {
    for lang in Lang::ALL {
        for model in reports() {
            let bytes = xlsx::case_report(&model, &Zone::WIB, lang).unwrap();
            let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
            let names = book.sheet_names();
            assert_eq!(names.len(), 6, "{names:?}");
            let sites = book.worksheet_range(&names[1]).unwrap();
            assert_eq!(sites.height(), model.sites.len() + 1);
            for (row, site) in sites.rows().skip(1).zip(&model.sites) {
                assert_eq!(row[0], Data::String(site.site_title.clone()));
                assert_eq!(row[2], Data::Float(site.before_bps as f64 / 1e6));
                assert_eq!(row[3], Data::Float(site.after_bps as f64 / 1e6));
            }
            let steps = book.worksheet_range(&names[2]).unwrap();
            assert_eq!(steps.height(), model.steps.len() + 1);
            let commands = book.worksheet_range(&names[4]).unwrap();
            let word = if lang == Lang::Id { "terkonfirmasi" } else { "confirmed" };
            for row in commands.rows().skip(1) {
                assert_eq!(row[6], Data::String(word.into()));
            }
        }
        let bytes = xlsx::summary(&sample::summary(200), &Zone::WIB, lang).unwrap();
        let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
        let names = book.sheet_names();
        assert_eq!(book.worksheet_range(&names[2]).unwrap().height(), 201);
    }
}

#[test]
fn a_model_reads_back() {
    for model in reports() {
        let text = takar_report::json::pretty(&model).unwrap();
        assert_eq!(serde_json::from_str::<CaseReport>(&text).unwrap(), model);
    }
}
