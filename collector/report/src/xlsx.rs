//! The model as a workbook: real numbers, real dates, and the evidence as a chart of the spreadsheet's own.

use rust_xlsxwriter::{Chart, ChartType, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use crate::{
    Lang, Zone,
    figures::Figures,
    model::{CaseReport, Outcome, SummaryReport, Utilisation},
    words::Words,
};

/// What is 1 in a cell, in bit/s.
const MBPS: f64 = 1e6;

pub fn case_report(model: &CaseReport, zone: &Zone, lang: Lang) -> Result<Vec<u8>, XlsxError> {
    let mut book = Book::new(zone, lang);
    let outcome = match &model.outcome {
        Outcome::Allocated => book.word("short-allocated"),
        Outcome::Returned => book.word("short-returned"),
        Outcome::NotCarriedOut { why } => why.clone(),
    };
    let minutes = |ms: u64| Cell::Number(ms as f64 / 60_000.0);
    book.sheet(
        "sheet-summary",
        &[],
        &[
            vec![book.label("label-number"), text(&model.number)],
            vec![book.label("label-case"), Cell::Number(model.case as f64)],
            vec![book.label("column-uplink"), text(&model.uplink.name)],
            vec![book.label("column-direction"), text(&model.direction)],
            vec![book.label("label-opened"), Cell::Time(model.opened_at)],
            vec![book.label("label-made"), Cell::Time(model.made_at)],
            vec![book.label("column-outcome"), text(&outcome)],
            vec![book.label("label-took"), minutes(model.worked_ms)],
            vec![book.label("label-standard"), Cell::Number(model.standard_minutes as f64)],
            vec![book.label("label-root"), text(&model.audit.root)],
        ],
    )?;
    let used =
        |used: Option<&Utilisation>, pick: fn(&Utilisation) -> u64| used.map_or(Cell::Empty, |used| rate(pick(used)));
    let rows: Vec<Vec<Cell>> = model
        .sites
        .iter()
        .map(|site| {
            let (before, after) = (site.utilisation_before.as_ref(), site.utilisation_after.as_ref());
            vec![
                text(&site.site_title),
                text(&site.link),
                rate(site.before_bps),
                rate(site.after_bps),
                site.device_bps.map_or(Cell::Empty, rate),
                used(before, |used| used.mean_bps),
                used(before, |used| used.p95_bps),
                used(before, |used| used.peak_bps),
                used(after, |used| used.p95_bps),
            ]
        })
        .collect();
    let columns = [
        "column-site",
        "column-uplink",
        "column-before",
        "column-after",
        "column-device",
        "column-mean",
        "column-p95",
        "column-peak",
        "column-used-after",
    ];
    book.sheet("sheet-sites", &columns, &rows)?;
    let rows: Vec<Vec<Cell>> = model
        .steps
        .iter()
        .map(|step| {
            vec![
                Cell::Number(step.number.into()),
                text(book.word(&format!("step-{}", step.number.clamp(1, 6)))),
                text(&step.owner),
                Cell::Time(step.began_at),
                step.ended_at.map_or(Cell::Empty, Cell::Time),
                Cell::Number(step.standard_minutes as f64),
                minutes(step.worked_ms),
                text(&step.result),
            ]
        })
        .collect();
    let columns = [
        "column-no",
        "column-activity",
        "column-who",
        "label-began",
        "label-ended",
        "label-standard",
        "label-took",
        "column-result",
    ];
    book.sheet("sheet-steps", &columns, &rows)?;
    let rows: Vec<Vec<Cell>> = model
        .verification
        .iter()
        .map(|check| {
            vec![text(book.word(&format!("check-{}", check.what))), text(&check.outcome), text(&check.evidence)]
        })
        .collect();
    book.sheet("sheet-checks", &["column-check", "column-outcome", "column-evidence"], &rows)?;
    let rows: Vec<Vec<Cell>> = model
        .commands
        .iter()
        .map(|command| {
            let time = |at: Option<u64>| at.map_or(Cell::Empty, Cell::Time);
            vec![
                text(&command.change),
                text(&command.device),
                command.serial.map_or(Cell::Empty, |serial| Cell::Number(serial as f64)),
                time(command.dispatched_at),
                time(command.applied_at),
                time(command.ended_at),
                text(&command.state),
                text(command.read_back.join("; ")),
            ]
        })
        .collect();
    let columns = [
        "column-command",
        "column-device-name",
        "column-no",
        "column-sent",
        "column-applied",
        "column-ended",
        "column-state",
        "column-read-back",
    ];
    book.sheet("sheet-commands", &columns, &rows)?;
    book.evidence(model)?;
    book.finish()
}

pub fn summary(model: &SummaryReport, zone: &Zone, lang: Lang) -> Result<Vec<u8>, XlsxError> {
    let mut book = Book::new(zone, lang);
    let rows: Vec<Vec<Cell>> = model
        .cases
        .iter()
        .map(|case| {
            vec![
                Cell::Number(case.case as f64),
                text(&case.uplink),
                text(&case.direction),
                text(&case.state),
                Cell::Time(case.opened_at),
                case.closed_at.map_or(Cell::Empty, Cell::Time),
                rate(case.moved_bps),
                Cell::Number(case.worked_ms as f64 / 60_000.0),
                Cell::Number(case.overdue_steps.into()),
                case.report.as_deref().map_or(Cell::Empty, text),
            ]
        })
        .collect();
    let columns = [
        "label-case",
        "column-uplink",
        "column-direction",
        "column-state",
        "label-began",
        "label-ended",
        "column-moved",
        "label-took",
        "total-late",
        "column-report",
    ];
    book.sheet("sheet-cases", &columns, &rows)?;
    let rows: Vec<Vec<Cell>> = model
        .links
        .iter()
        .map(|link| {
            let used = link.utilisation;
            let value = |pick: fn(Utilisation) -> u64| used.map_or(Cell::Empty, |used| rate(pick(used)));
            vec![
                text(&link.site_title),
                text(&link.link),
                text(&link.uplink),
                text(&link.direction),
                rate(link.ceiling_bps),
                value(|used| used.mean_bps),
                value(|used| used.p95_bps),
                value(|used| used.peak_bps),
                Cell::Number(link.shortage_ms as f64 / 60_000.0),
                Cell::Number(link.changes.into()),
            ]
        })
        .collect();
    let columns = [
        "column-site",
        "sheet-links",
        "column-uplink",
        "column-direction",
        "column-ceiling",
        "column-mean",
        "column-p95",
        "column-peak",
        "column-shortage",
        "column-change",
    ];
    book.sheet("sheet-links", &columns, &rows)?;
    book.finish()
}

enum Cell {
    Text(String),
    Number(f64),
    /// Mbit/s.
    Rate(f64),
    /// Unix milliseconds.
    Time(u64),
    Empty,
}

fn text(text: impl AsRef<str>) -> Cell {
    Cell::Text(text.as_ref().to_owned())
}

fn rate(bps: u64) -> Cell {
    Cell::Rate(bps as f64 / MBPS)
}

struct Book<'a> {
    book: Workbook,
    words: Words,
    figures: Figures<'a>,
    bold: Format,
    rate: Format,
    time: Format,
}

impl<'a> Book<'a> {
    fn new(zone: &'a Zone, lang: Lang) -> Self {
        Self {
            book: Workbook::new(),
            words: Words::new(lang),
            figures: Figures { lang, zone },
            bold: Format::new().set_bold().set_border_bottom(rust_xlsxwriter::FormatBorder::Thin),
            rate: Format::new().set_num_format("#,##0.000"),
            time: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
        }
    }

    fn word(&self, key: &str) -> String {
        self.words.text(key)
    }

    fn label(&self, key: &str) -> Cell {
        Cell::Text(self.word(key))
    }

    fn sheet(&mut self, name: &str, columns: &[&str], rows: &[Vec<Cell>]) -> Result<(), XlsxError> {
        let name = self.word(name);
        let titles: Vec<String> = columns.iter().map(|key| self.word(key)).collect();
        let sheet = self.book.add_worksheet().set_name(name)?;
        for (column, title) in (0u16..).zip(&titles) {
            sheet.write_string_with_format(0, column, title, &self.bold)?;
        }
        let first = u32::from(!columns.is_empty());
        for (line, row) in (first..).zip(rows) {
            for (column, cell) in (0u16..).zip(row) {
                write(sheet, (line, column), cell, &self.figures, (&self.rate, &self.time))?;
            }
        }
        if first == 1 {
            sheet.set_freeze_panes(1, 0)?;
        }
        sheet.autofit();
        Ok(())
    }

    /// One curve below the other, and a chart of each.
    fn evidence(&mut self, model: &CaseReport) -> Result<(), XlsxError> {
        let name = self.word("sheet-evidence");
        let (carried, ceiling, at) = (self.word("legend-carried"), self.word("legend-ceiling"), self.word("label-at"));
        let sheet = self.book.add_worksheet().set_name(&name)?;
        let mut line = 0u32;
        for plot in &model.plots {
            sheet.write_string_with_format(line, 0, &plot.link, &self.bold)?;
            for (column, title) in (0u16..).zip([&at, &carried, &ceiling]) {
                sheet.write_string_with_format(line + 1, column, title, &self.bold)?;
            }
            let first = line + 2;
            let mut next = first;
            for point in &plot.points {
                let formats = (&self.rate, &self.time);
                write(sheet, (next, 0), &Cell::Time(point.at), &self.figures, formats)?;
                write(sheet, (next, 1), &rate(point.mean_bps), &self.figures, formats)?;
                let limit = point.ceiling_bps.map_or(Cell::Empty, rate);
                write(sheet, (next, 2), &limit, &self.figures, formats)?;
                next += 1;
            }
            if next > first {
                let mut chart = Chart::new(ChartType::Line);
                for (column, title) in [(1u16, &carried), (2, &ceiling)] {
                    chart
                        .add_series()
                        .set_name(title.as_str())
                        .set_categories((name.as_str(), first, 0, next - 1, 0))
                        .set_values((name.as_str(), first, column, next - 1, column));
                }
                chart.title().set_name(&plot.link);
                chart.y_axis().set_name("Mbit/s");
                sheet.insert_chart(line, 4, &chart)?;
            }
            // A chart is some fifteen rows high.
            line = next.max(line + 18) + 2;
        }
        sheet.autofit();
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<u8>, XlsxError> {
        self.book.save_to_buffer()
    }
}

fn write(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    cell: &Cell,
    figures: &Figures<'_>,
    (rate, time): (&Format, &Format),
) -> Result<(), XlsxError> {
    match cell {
        Cell::Text(text) => sheet.write_string(row, column, text.as_str())?,
        Cell::Number(number) => sheet.write_number(row, column, *number)?,
        Cell::Rate(mbps) => sheet.write_number_with_format(row, column, *mbps, rate)?,
        Cell::Time(at) => {
            let wall = figures.wall(*at);
            let part = |value: u64| u16::try_from(value).unwrap_or_default();
            let small = |value: u64| u8::try_from(value).unwrap_or_default();
            let date = ExcelDateTime::from_ymd(part(wall.year), u8::try_from(wall.month).unwrap_or(1), small(wall.day));
            let hms = date.and_then(|date| {
                date.and_hms(part(wall.hour), small(wall.minute), u8::try_from(at / 1000 % 60).unwrap_or_default())
            });
            match hms {
                Ok(date) => sheet.write_datetime_with_format(row, column, &date, time)?,
                // Outside of what a spreadsheet knows: 1900 to 9999.
                Err(_) => return Ok(()),
            }
        }
        Cell::Empty => return Ok(()),
    };
    Ok(())
}
