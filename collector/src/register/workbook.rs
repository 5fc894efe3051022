//! The register as a workbook of XLSX: a sheet each table, by its name. Values only: a formula may come to something
//! else tomorrow, and of merged cells nobody knows which row they are of.

use std::io::Cursor;

use calamine::{DataRef, Reader as _, Xlsx, XlsxError};
use rust_xlsxwriter::{DataValidation, ExcelDateTime, Format, Formula, Workbook, Worksheet};
use serde_json::Value;
use takar_collector_core::inventory::RawInventory;

use super::{
    cell::Cell,
    schema::{Kind, TABLES, Table},
    sheet::{self, Cells},
    tables, template,
};

/// Digits that spreadsheets keep of a number.
const EXACT_BELOW: u64 = 1_000_000_000_000_000;
/// Rows for which a column offers its choices.
const OFFERED_ROWS: u32 = 2_000;

/// The sheets of the tables, each with its cells or with why they cannot be read; and every sheet that is none.
pub fn read(bytes: Vec<u8>) -> Result<Vec<(&'static Table, Cells)>, Vec<String>> {
    let book: Result<Xlsx<Cursor<Vec<u8>>>, XlsxError> = calamine::open_workbook_from_rs(Cursor::new(bytes));
    let mut book = book.map_err(|error| vec![format!("expected a workbook of XLSX: {error}")])?;
    let (mut sheets, mut problems) = (Vec::new(), Vec::new());
    for name in book.sheet_names() {
        if super::is_readme(&name) {
            continue;
        }
        let Some(table) = Table::named(name.trim()) else {
            let tables = TABLES.iter().map(|table| table.name).collect::<Vec<_>>().join(", ");
            problems.push(format!("sheet {name:?}: no table of the register; expected {tables}"));
            continue;
        };
        if sheets.iter().any(|(known, _): &(&Table, Cells)| known.name == table.name) {
            problems.push(format!("sheet {name:?}: stands there twice"));
            continue;
        }
        match cells(&mut book, &name) {
            Ok(cells) => sheets.push((table, cells)),
            Err(error) => problems.push(format!("sheet {name:?} cannot be read: {error}")),
        }
    }
    if problems.is_empty() { Ok(sheets) } else { Err(problems) }
}

/// A sheet each table, with header and choices; the last one explains them.
pub fn write(raw: &RawInventory) -> Result<Vec<u8>, rust_xlsxwriter::XlsxError> {
    let mut book = Workbook::new();
    for table in &TABLES {
        let sheet = book.add_worksheet();
        sheet.set_name(table.name)?;
        header(sheet, table)?;
        for (row, values) in (1_u32..).zip(tables::values(raw, table.name)) {
            for (at, column) in (0_u16..).zip(table.columns) {
                if let Some(value) = sheet::get(&values, column.key) {
                    put(sheet, (row, at), value, column.kind)?;
                }
            }
        }
    }
    explain(book.add_worksheet())?;
    book.save_to_buffer()
}

/// Only what is there: a sheet's used range may be a million rows of nothing.
fn cells(book: &mut Xlsx<Cursor<Vec<u8>>>, sheet: &str) -> Result<Cells, XlsxError> {
    let merged = book.merge_cells_by_sheet_name(sheet)?;
    let mut reader = book.worksheet_cells_reader(sheet)?;
    let mut cells = Cells::new();
    while let Some(found) = reader.next_cell_with_formula_metadata()? {
        let cell = if found.formula.is_some() { Some(Cell::Refused("a formula")) } else { cell(found.value) };
        let (row, column) = found.pos;
        if let Some(cell) = cell.filter(|cell| !cell.is_blank()) {
            cells.insert((row.saturating_add(1), column), cell);
        }
    }
    for area in merged {
        let (row, column) = area.start;
        cells.insert((row.saturating_add(1), column), Cell::Refused("merged with other cells"));
    }
    Ok(cells)
}

fn cell(value: DataRef<'_>) -> Option<Cell> {
    Some(match value {
        DataRef::Empty => return None,
        DataRef::String(text) | DataRef::DurationIso(text) => Cell::Text(text),
        DataRef::SharedString(text) => Cell::Text(text.to_owned()),
        DataRef::Int(number) => Cell::Text(number.to_string()),
        DataRef::Float(number) => Cell::Number(number),
        DataRef::Bool(truth) => Cell::Text(truth.to_string()),
        DataRef::DateTime(at) => {
            let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
            let date = format!("{year:04}-{month:02}-{day:02}");
            Cell::Moment { date, time: format!("{hour:02}:{minute:02}:{second:02}") }
        }
        DataRef::DateTimeIso(text) => match text.split_once('T') {
            Some((date, time)) => Cell::Moment { date: date.to_owned(), time: time.to_owned() },
            None => Cell::Text(text),
        },
        DataRef::Error(_) => Cell::Refused("an error of a calculation"),
    })
}

fn header(sheet: &mut Worksheet, table: &Table) -> Result<(), rust_xlsxwriter::XlsxError> {
    let bold = Format::new().set_bold();
    for (at, column) in (0_u16..).zip(table.columns) {
        sheet.set_column_width(at, width(column.kind).max(column.key.len() as f64 + 2.0))?;
        sheet.set_column_format(at, &format(column.kind))?;
        sheet.write_string_with_format(0, at, column.key, &bold)?;
        if let Some(offered) = offered(column.key)? {
            sheet.add_data_validation(1, at, OFFERED_ROWS, at, &offered)?;
        }
    }
    sheet.set_freeze_panes(1, 1)?;
    Ok(())
}

/// What may be chosen in a column: a time zone, or the names on the sheet that the column refers to.
fn offered(key: &str) -> Result<Option<DataValidation>, rust_xlsxwriter::XlsxError> {
    if key == "zone" {
        return DataValidation::new().allow_list_strings(&["WIB", "WITA", "WIT"]).map(Some);
    }
    let names = |table: &Table| Formula::new(format!("={}!$A$2:$A${}", table.name, OFFERED_ROWS + 1));
    Ok(Table::named(key).map(|table| DataValidation::new().allow_list_formula(names(table))))
}

fn put(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    value: &Value,
    kind: Kind,
) -> Result<(), rust_xlsxwriter::XlsxError> {
    let format = format(kind);
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let number = value.as_i64().filter(|number| number.unsigned_abs() < EXACT_BELOW);
    if let Some(number) = number {
        sheet.write_number_with_format(row, column, number as f64, &format)?;
    } else if let Some(date) = (kind == Kind::Date).then(|| date(&text)).flatten() {
        sheet.write_datetime_with_format(row, column, date, &format)?;
    } else {
        sheet.write_string_with_format(row, column, text, &format)?;
    }
    Ok(())
}

/// A date that spreadsheets have; they count from 1900 and take that for a leap year.
fn date(text: &str) -> Option<ExcelDateTime> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if (year.len(), month.len(), day.len()) != (4, 2, 2) {
        return None;
    }
    let year = year.parse::<u16>().ok().filter(|year| *year > 1900)?;
    ExcelDateTime::from_ymd(year, month.parse().ok()?, day.parse().ok()?).ok()
}

fn format(kind: Kind) -> Format {
    Format::new().set_num_format(match kind {
        // Else a spreadsheet makes a time of the class 1:10.
        Kind::Name | Kind::Text | Kind::Time => "@",
        Kind::Rate | Kind::Count | Kind::Rupiah => "#,##0",
        Kind::Date => "yyyy-mm-dd",
    })
}

fn width(kind: Kind) -> f64 {
    match kind {
        Kind::Text => 28.0,
        Kind::Name => 16.0,
        Kind::Rate | Kind::Rupiah => 15.0,
        Kind::Count | Kind::Date | Kind::Time => 12.0,
    }
}

fn explain(sheet: &mut Worksheet) -> Result<(), rust_xlsxwriter::XlsxError> {
    sheet.set_name(template::README)?;
    let (bold, plain) = (Format::new().set_bold(), Format::new());
    for (row, cells) in (0_u32..).zip(template::explained()) {
        let format = if row == 0 { &bold } else { &plain };
        for (column, text) in (0_u16..).zip(cells) {
            sheet.write_string_with_format(row, column, text, format)?;
        }
    }
    for (column, width) in (0_u16..).zip([12.0, 26.0, 10.0, 28.0, 28.0, 44.0, 40.0, 28.0]) {
        sheet.set_column_width(column, width)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{super::sheet::address, *};

    /// A workbook of one sheet, filled by hand.
    fn book(fill: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
        let mut book = Workbook::new();
        fill(book.add_worksheet());
        book.save_to_buffer().unwrap()
    }

    #[test]
    fn formulas_and_merged_cells_are_no_values() {
        let bytes = book(|sheet| {
            sheet.set_name("site").unwrap();
            sheet.write_string(0, 0, "name").unwrap();
            sheet.write_formula(1, 0, Formula::new("=A1").set_result("x")).unwrap();
            sheet.merge_range(3, 1, 4, 2, "both", &Format::new()).unwrap();
            sheet.write_number(5, 3, 27.0).unwrap();
        });
        let (table, cells) = read(bytes).unwrap().remove(0);
        assert_eq!(table.name, "site");
        let found: Vec<_> = cells.into_iter().map(|((row, column), cell)| (address(row, column), cell)).collect();
        let expected = [
            ("A1", Cell::Text("name".into())),
            ("A2", Cell::Refused("a formula")),
            ("B4", Cell::Refused("merged with other cells")),
            ("D6", Cell::Number(27.0)),
        ];
        assert_eq!(found, expected.map(|(at, cell)| (at.to_owned(), cell)));
    }

    #[test]
    fn sheets_that_are_no_tables_are_named_and_what_explains_is_passed_over() {
        let mut book = Workbook::new();
        for name in ["Petunjuk", "README", "links", "site"] {
            book.add_worksheet().set_name(name).unwrap();
        }
        let problems = read(book.save_to_buffer().unwrap()).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(
            problems[0].starts_with("sheet \"links\": no table of the register; expected provider, "),
            "{problems:?}"
        );
    }

    #[test]
    fn what_is_no_workbook_is_told() {
        for bytes in [b"".to_vec(), b"PK\x03\x04".to_vec(), b"name,title\n".to_vec()] {
            assert!(read(bytes).unwrap_err()[0].starts_with("expected a workbook of XLSX: "));
        }
    }
}
