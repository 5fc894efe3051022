//! A month or a year: totals, cases, links.

use super::{Page, Writer, row, t};
use crate::{
    document::{Align, Document, Kind, Row, Tone},
    model::{Outcome, SummaryCase, SummaryLink, SummaryReport},
};

/// More than this many days is a year's.
const MONTH_MS: u64 = 32 * 86_400_000;

pub(super) fn write(model: &SummaryReport, writer: &Writer<'_>) -> Document {
    let figures = &writer.figures;
    let is_year = model.to.saturating_sub(model.from) > MONTH_MS;
    let wall = figures.wall(model.from);
    let period = if is_year { wall.year.to_string() } else { format!("{} {}", figures.month(wall.month), wall.year) };
    let mut page = Page::default();
    page.part(t!(writer, "summary-totals"));
    page.facts(totals(model, writer));
    page.part(t!(writer, "summary-cases"));
    if model.cases.is_empty() {
        page.say(t!(writer, "summary-no-cases"));
    } else {
        let columns = [
            ("column-no", Align::End, 1),
            ("column-kind", Align::Start, 3),
            ("column-uplink", Align::Start, 3),
            ("column-opened", Align::Start, 3),
            ("column-outcome", Align::Start, 3),
            ("column-moved", Align::End, 2),
            ("column-took", Align::End, 2),
            ("column-late", Align::End, 2),
            ("column-report", Align::Start, 4),
        ];
        let rows = model.cases.iter().map(|case| case_row(case, writer)).collect();
        page.table(t!(writer, "table-cases"), writer.columns(&columns), rows, true);
    }
    page.part(t!(writer, "summary-links"));
    let columns = [
        ("column-site", Align::Start, 5),
        ("column-direction", Align::Start, 2),
        ("column-ceiling", Align::End, 2),
        ("column-mean", Align::End, 2),
        ("column-p95", Align::End, 2),
        ("column-peak", Align::End, 2),
        ("column-share", Align::End, 2),
        ("column-shortage", Align::End, 2),
    ];
    let rows = model.links.iter().map(|link| link_row(link, writer)).collect();
    page.table(t!(writer, "table-links"), writer.columns(&columns), rows, true);
    page.part(t!(writer, "part-conclusion"));
    page.list(advice(model, writer));
    let mut document = writer.document(Kind::Summary, &model.number, writer.footer(&model.number, &model.audit));
    let title = if is_year { t!(writer, "summary-yearly") } else { t!(writer, "summary-monthly") };
    document.title = vec![title, t!(writer, "summary-title"), period];
    document.blocks = page.into_blocks();
    document.place_date = Some(writer.place_date(model.made_at));
    document.signatures = vec![writer.signature(&writer.office.head, None)];
    document
}

fn totals(model: &SummaryReport, writer: &Writer<'_>) -> Vec<(String, String)> {
    let count =
        |holds: &dyn Fn(&SummaryCase) -> bool| model.cases.iter().filter(|case| holds(case)).count().to_string();
    let allocated = |case: &SummaryCase| matches!(case.outcome, Some(Outcome::Allocated | Outcome::Returned));
    let moved = model.cases.iter().filter(|case| allocated(case)).map(|case| case.moved_bps);
    let moved = moved.fold(0, u64::saturating_add);
    let late = model.cases.iter().map(|case| u64::from(case.overdue_steps)).fold(0, u64::saturating_add);
    let short = model.links.iter().filter(|link| link.shortage_ms > 0).count();
    vec![
        (t!(writer, "total-cases"), model.cases.len().to_string()),
        (t!(writer, "total-allocated"), count(&allocated)),
        (t!(writer, "total-open"), count(&|case| case.closed_at.is_none())),
        (t!(writer, "total-moved"), writer.figures.rate(moved)),
        (t!(writer, "total-late"), late.to_string()),
        (t!(writer, "total-short"), short.to_string()),
    ]
}

fn case_row(case: &SummaryCase, writer: &Writer<'_>) -> Row {
    let voice = writer.voice();
    let kind = voice.kind(case.kind);
    let outcome = voice.outcome(case.outcome.as_ref(), &case.state);
    let direction = writer.direction(&case.direction);
    row(
        if case.overdue_steps > 0 { Tone::Bad } else { Tone::Plain },
        vec![
            case.case.to_string(),
            kind,
            format!("{} {direction}", case.uplink),
            writer.figures.short(case.opened_at),
            outcome,
            writer.figures.rate(case.moved_bps),
            writer.figures.duration(case.worked_ms),
            case.overdue_steps.to_string(),
            case.report.clone().unwrap_or_else(|| "–".into()),
        ],
    )
}

fn link_row(link: &SummaryLink, writer: &Writer<'_>) -> Row {
    let figures = &writer.figures;
    let used = link.utilisation.as_ref();
    let rate = |value: Option<u64>| figures.rate_or_unknown(value);
    let tone = match used {
        _ if link.shortage_ms > 0 => Tone::Bad,
        None => Tone::Faint,
        Some(_) => Tone::Plain,
    };
    row(
        tone,
        vec![
            format!("{} ({})", link.site_title, link.link),
            writer.direction(&link.direction),
            figures.rate(link.ceiling_bps),
            rate(used.map(|used| used.mean_bps)),
            rate(used.map(|used| used.p95_bps)),
            rate(used.map(|used| used.peak_bps)),
            used.map_or_else(|| "–".to_owned(), |used| figures.per_mille(used.p95_per_mille)),
            if link.shortage_ms > 0 { figures.duration(link.shortage_ms) } else { "–".into() },
        ],
    )
}

fn advice(model: &SummaryReport, writer: &Writer<'_>) -> Vec<String> {
    let mut worst: Vec<&SummaryLink> = model.links.iter().filter(|link| link.shortage_ms > 0).collect();
    worst.sort_by_key(|link| std::cmp::Reverse(link.shortage_ms));
    let named = worst.iter().take(5).map(|link| {
        let (direction, time) = (writer.direction(&link.direction), writer.figures.duration(link.shortage_ms));
        t!(writer, "advice-short", site = link.site_title, direction = direction, time = time)
    });
    let mut advice: Vec<String> = named.collect();
    let idle = model.links.iter().filter(|link| link.utilisation.is_some_and(|used| used.p95_per_mille < 300)).count();
    if idle > 0 {
        advice.push(t!(writer, "advice-idle", count = idle.to_string()));
    }
    if advice.is_empty() {
        advice.push(t!(writer, "advice-keep"));
    }
    advice
}
