//! `takar check`: step 1 in one table, for the terminal, as CSV, or as XLSX.

use std::{io, path::Path};

use rust_xlsxwriter::{Format, Workbook};

use super::{
    Failure, Printer, Tone, rate,
    table::{Table, UNKNOWN},
};
use crate::view::CheckView;

pub async fn show(socket: &Path, into: Option<&Path>, out: &mut Printer<'_>) -> Result<(), Failure> {
    let Some(rows) = super::get::<Vec<CheckView>>(socket, "/v1/check", out).await? else { return Ok(()) };
    let Some(file) = into else {
        print(&rows, out)?;
        return Ok(());
    };
    let bytes = match file.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => csv(&rows),
        Some("xlsx") => xlsx(&rows),
        _ => return Err(Failure::problem(format!("{}: expected a name that ends in .csv or .xlsx", file.display()))),
    };
    let bytes = bytes.map_err(|error| Failure::problem(format!("{}: {error}", file.display())))?;
    std::fs::write(file, bytes)
        .map_err(|error| Failure::problem(format!("{} cannot be written: {error}", file.display())))?;
    out.line(&format!("{}: {} rows", file.display(), rows.len()))?;
    Ok(())
}

const HEADER: &[&str] =
    &["link", "dir", "uplink", "verdict", "record", "device", "contract", "need", "p95", "peak", "unserved", "why"];

fn print(rows: &[CheckView], out: &mut Printer<'_>) -> io::Result<()> {
    let mut table = Table::new(HEADER, &[4, 5, 6, 7, 8, 9, 10]);
    for row in rows {
        let tone = match row.verdict.as_str() {
            "starved" | "over-promised" => Tone::Bad,
            "drifted" | "need-without-allocation" | "not-measured" => Tone::Warn,
            "fits" => Tone::Plain,
            _ => Tone::Quiet,
        };
        let shown = |bps: Option<u64>| bps.map_or_else(|| UNKNOWN.to_owned(), rate::show);
        let cells = vec![
            row.link.clone(),
            row.direction.clone(),
            row.uplink.clone(),
            row.verdict.clone(),
            rate::ceiling(row.recorded_bps),
            row.observed_bps.map_or_else(|| UNKNOWN.to_owned(), rate::ceiling),
            shown(row.contract_bps),
            shown(row.need_bps),
            shown(row.p95_bps),
            shown(row.peak_bps),
            shown(row.unserved_bps),
            row.why.clone(),
        ];
        table.row(tone, cells);
    }
    table.print("no links; takar import brings a register in", out)
}

/// For programs and spreadsheets: rates in bit/s.
const COLUMNS: [&str; 17] = [
    "site",
    "site_title",
    "link",
    "uplink",
    "direction",
    "recorded_bps",
    "observed_bps",
    "cir_bps",
    "contract_bps",
    "promised_bps",
    "budget_bps",
    "need_bps",
    "p95_bps",
    "peak_bps",
    "unserved_bps",
    "verdict",
    "why",
];

enum Cell<'a> {
    Text(&'a str),
    Rate(Option<u64>),
}

fn cells(row: &CheckView) -> [Cell<'_>; 17] {
    use Cell::{Rate, Text};
    [
        Text(&row.site),
        Text(&row.site_title),
        Text(&row.link),
        Text(&row.uplink),
        Text(&row.direction),
        Rate(Some(row.recorded_bps)),
        Rate(row.observed_bps),
        Rate(row.cir_bps),
        Rate(row.contract_bps),
        Rate(Some(row.promised_bps)),
        Rate(Some(row.budget_bps)),
        Rate(row.need_bps),
        Rate(row.p95_bps),
        Rate(row.peak_bps),
        Rate(row.unserved_bps),
        Text(&row.verdict),
        Text(&row.why),
    ]
}

fn csv(rows: &[CheckView]) -> Result<Vec<u8>, String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let written = writer.write_record(COLUMNS).and_then(|()| {
        rows.iter().try_for_each(|row| {
            writer.write_record(cells(row).iter().map(|cell| match cell {
                // A spreadsheet would take what begins like this for a formula.
                Cell::Text(text) if text.starts_with(['=', '+', '-', '@']) => format!("'{text}"),
                Cell::Text(text) => (*text).to_owned(),
                Cell::Rate(rate) => rate.map_or_else(String::new, |rate| rate.to_string()),
            }))
        })
    });
    written.map_err(|error| error.to_string())?;
    writer.into_inner().map_err(|error| error.to_string())
}

fn xlsx(rows: &[CheckView]) -> Result<Vec<u8>, String> {
    let build = || -> Result<Vec<u8>, rust_xlsxwriter::XlsxError> {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet().set_name("check")?;
        let (bold, number) = (Format::new().set_bold(), Format::new().set_num_format("#,##0"));
        for (column, title) in (0u16..).zip(COLUMNS) {
            sheet.write_string_with_format(0, column, title, &bold)?;
        }
        for (line, row) in (1u32..).zip(rows) {
            for (column, cell) in (0u16..).zip(cells(row)) {
                match cell {
                    Cell::Text(text) => sheet.write_string(line, column, text)?,
                    // Exact up to 2^53 bit/s.
                    Cell::Rate(Some(rate)) => sheet.write_number_with_format(line, column, rate as f64, &number)?,
                    Cell::Rate(None) => continue,
                };
            }
        }
        sheet.set_freeze_panes(1, 0)?;
        sheet.autofit();
        book.save_to_buffer()
    };
    build().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(why: &str) -> CheckView {
        CheckView {
            site: "sd-02".into(),
            site_title: "SD Negeri 02".into(),
            link: "sd-02".into(),
            uplink: "ast-01".into(),
            direction: "down".into(),
            recorded_bps: 10_000_000,
            observed_bps: None,
            cir_bps: None,
            contract_bps: Some(100_000_000),
            promised_bps: 30,
            budget_bps: 30,
            need_bps: None,
            p95_bps: None,
            peak_bps: None,
            unserved_bps: None,
            verdict: "fits".into(),
            why: why.into(),
        }
    }

    #[test]
    fn csv_says_what_is_not_known_with_nothing_and_is_no_formula() {
        let text = String::from_utf8(csv(&[row("=1+1, \"x\"")]).unwrap()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], COLUMNS.join(","));
        assert_eq!(
            lines[1],
            "sd-02,SD Negeri 02,sd-02,ast-01,down,10000000,,,100000000,30,30,,,,,fits,\"'=1+1, \"\"x\"\"\""
        );
    }

    #[test]
    fn xlsx_is_a_zip() {
        assert!(xlsx(&[row("ok")]).unwrap().starts_with(b"PK"));
    }
}
