//! The model as a workbook: real numbers, real dates, and the evidence as a chart of the spreadsheet's own.

mod sheets;

use rust_xlsxwriter::{Chart, ChartType, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use crate::{
    Lang, Zone,
    figures::Figures,
    model::{CaseReport, SummaryReport, Utilisation},
    words::Words,
    write::voice::Voice,
};

/// What is 1 in a cell, in bit/s.
const MBPS: f64 = 1e6;
/// Half of what a cell holds.
const MOST_CHARS: usize = 16_000;

pub fn case_report(model: &CaseReport, zone: &Zone, lang: Lang) -> Result<Vec<u8>, XlsxError> {
    let mut book = Book::new(zone, lang);
    book.case(model)?;
    book.sites(model)?;
    book.steps(model)?;
    book.checks(model)?;
    book.commands(model)?;
    book.evidence(model)?;
    book.finish()
}

pub fn summary(model: &SummaryReport, zone: &Zone, lang: Lang) -> Result<Vec<u8>, XlsxError> {
    let mut book = Book::new(zone, lang);
    let rows = [
        vec![book.label("label-number"), text(&model.number)],
        vec![book.label("label-from"), Cell::Time(model.from)],
        vec![book.label("label-to"), Cell::Time(model.to)],
        vec![book.label("label-made"), Cell::Time(model.made_at)],
        vec![book.label("total-cases"), count(model.cases.len())],
        vec![book.label("sheet-links"), count(model.links.len())],
        vec![book.label("label-root"), text(&model.audit.root)],
    ];
    book.sheet("sheet-summary", &[], &rows)?;
    book.cases(model)?;
    book.links(model)?;
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
    // A spreadsheet holds no longer ones; a character counts for two at most.
    Cell::Text(text.as_ref().chars().take(MOST_CHARS).collect())
}

fn count(number: usize) -> Cell {
    Cell::Number(number as f64)
}

fn minutes(ms: u64) -> Cell {
    Cell::Number(ms as f64 / 60_000.0)
}

fn time(at: Option<u64>) -> Cell {
    at.map_or(Cell::Empty, Cell::Time)
}

fn used(used: Option<&Utilisation>, pick: fn(&Utilisation) -> u64) -> Cell {
    used.map_or(Cell::Empty, |used| rate(pick(used)))
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

    fn voice(&self) -> Voice<'_> {
        Voice { words: &self.words, figures: self.figures }
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
        let (carried, ceiling, at) = (self.word("label-carried"), self.word("label-ceiling"), self.word("label-at"));
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
                chart.x_axis().set_num_format("hh:mm");
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
