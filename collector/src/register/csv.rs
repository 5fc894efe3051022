//! Tables as CSV: a file each, by the table's name. Comma, semicolon or tab; UTF-8.

use std::{
    fs,
    path::{Path, PathBuf},
};

use csv::{ReaderBuilder, StringRecord, WriterBuilder};
use serde_json::Value;
use takar_collector_core::inventory::RawInventory;

use super::{
    cell::{self, Cell},
    schema::{Kind, TABLES, Table},
    sheet::{self, Cells},
    tables,
};

const BOM: char = '\u{feff}';
const EXTENSION: &str = "csv";

/// The files of the tables in a folder, in the order of the tables; or what else is called `.csv` there.
pub fn files(folder: &Path) -> Result<Vec<(&'static Table, PathBuf)>, Vec<String>> {
    let unreadable = |error: std::io::Error| vec![format!("{} cannot be read: {error}", folder.display())];
    let mut files = Vec::new();
    let mut unknown = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if !super::has_extension(&path, EXTENSION) || super::is_readme(&stem(&path)) {
            continue;
        }
        match Table::named(&stem(&path)) {
            Some(table) if files.iter().any(|(known, _): &(&Table, PathBuf)| known.name == table.name) => {
                unknown.push(format!("{}: table {} stands there twice", path.display(), table.name));
            }
            Some(table) => files.push((table, path)),
            None => unknown.push(format!("{}: no table of the register; expected {}", path.display(), names())),
        }
    }
    unknown.sort();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    if files.is_empty() {
        let shown = folder.display();
        return Err(vec![format!("{shown} cannot be read: a directory without tables; expected {}", names())]);
    }
    files.sort_by_key(|(table, _)| TABLES.iter().position(|known| known.name == table.name));
    Ok(files)
}

/// The table that this one file is.
pub fn table_of(file: &Path) -> Result<&'static Table, Vec<String>> {
    let none = || vec![format!("{}: expected to be called after its table: {}", file.display(), names())];
    Table::named(&stem(file)).ok_or_else(none)
}

/// The cells of a file, by row as a spreadsheet counts them: blank lines are rows, line breaks within quotes are none.
pub fn cells(bytes: Vec<u8>) -> Result<Cells, String> {
    let text = String::from_utf8(bytes).map_err(|error| format!("expected UTF-8, found other bytes: {error}"))?;
    let text = text.strip_prefix(BOM).unwrap_or(&text);
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter(text)).from_reader(text.as_bytes());
    let (mut cells, mut record) = (Cells::new(), StringRecord::new());
    let (mut row, mut start) = (0_u32, 0_usize);
    while reader.read_record(&mut record).map_err(|error| error.to_string())? {
        let end = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        row = row.saturating_add(1).saturating_add(blank_lines(text, start, end));
        start = end;
        for (column, field) in (0_u32..).zip(record.iter()) {
            let cell = Cell::Text(cell::unguarded(field).to_owned());
            if !cell.is_blank() {
                cells.insert((row, column), cell);
            }
        }
    }
    Ok(cells)
}

/// The file of a table: its header, and a row each.
pub fn file(raw: &RawInventory, table: &Table) -> Result<Vec<u8>, String> {
    let keys: Vec<String> = table.columns.iter().map(|column| column.key.to_owned()).collect();
    let rows = tables::values(raw, table.name).into_iter().map(|row| {
        let cells = table.columns.iter().map(|column| match sheet::get(&row, column.key) {
            None => String::new(),
            Some(Value::String(text)) if matches!(column.kind, Kind::Name | Kind::Text) => cell::guarded(text),
            Some(Value::String(text)) => text.clone(),
            Some(number) => number.to_string(),
        });
        cells.collect::<Vec<String>>()
    });
    records(std::iter::once(keys).chain(rows))
}

pub fn records(rows: impl Iterator<Item = Vec<String>>) -> Result<Vec<u8>, String> {
    let mut writer = WriterBuilder::new().from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).map_err(|error| error.to_string())?;
    }
    writer.into_inner().map_err(|error| error.to_string())
}

/// The lines between two records, which the reader passes over.
fn blank_lines(text: &str, start: usize, end: usize) -> u32 {
    let before = text.get(..start).unwrap_or_default();
    let record = text.get(start..end).unwrap_or_default();
    let skipped = record.get(..record.len() - record.trim_start_matches(['\r', '\n']).len()).unwrap_or_default();
    // A record ends with the first character of its line's end.
    let skipped = if before.ends_with('\r') { skipped.strip_prefix('\n').unwrap_or(skipped) } else { skipped };
    u32::try_from(skipped.replace("\r\n", "\n").len()).unwrap_or(u32::MAX)
}

/// The one that the header has most of; a comma where it has none.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().find(|line| !line.is_empty()).unwrap_or_default();
    let count = |delimiter: u8| header.bytes().filter(|byte| *byte == delimiter).count();
    // Of equals the last is taken.
    [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn names() -> String {
    TABLES.iter().map(|table| format!("{}.{EXTENSION}", table.name)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(u32, u32, String)> {
        let cells = cells(text.as_bytes().to_vec()).unwrap().into_iter();
        let texts = cells.map(|((row, column), cell)| match cell {
            Cell::Text(text) => (row, column, text),
            other => panic!("{other:?}"),
        });
        texts.collect()
    }

    fn at(cells: &[(u32, u32, String)]) -> Vec<(u32, u32, &str)> {
        cells.iter().map(|(row, column, text)| (*row, *column, text.as_str())).collect()
    }

    #[test]
    fn rows_are_counted_as_a_spreadsheet_counts_them() {
        let expected = [(1, 0, "name"), (1, 1, "title"), (2, 0, "a"), (2, 1, "x\ny"), (5, 0, "b"), (6, 1, "c")];
        let text = "name,title\na,\"x\ny\"\n\n\nb,\n,c\n";
        assert_eq!(at(&rows(text)), expected);
        let windows = text.replace('\n', "\r\n");
        let expected = expected.map(|(row, column, text)| (row, column, text.replace('\n', "\r\n")));
        assert_eq!(rows(&windows), expected);
        assert_eq!(at(&rows("\n\nname\n,\na")), [(3, 0, "name"), (5, 0, "a")]);
        assert_eq!(at(&rows("\r\n\r\nname\r\na")), [(3, 0, "name"), (4, 0, "a")]);
    }

    #[test]
    fn whichever_delimiter_the_header_has_is_taken() {
        for text in ["name,title\na,b", "name;title\na;b", "name\ttitle\na\tb", "\u{feff}name,title\na,b"] {
            assert_eq!(at(&rows(text)), [(1, 0, "name"), (1, 1, "title"), (2, 0, "a"), (2, 1, "b")], "{text:?}");
        }
        assert_eq!(at(&rows("name;up\na;2,5M")), [(1, 0, "name"), (1, 1, "up"), (2, 0, "a"), (2, 1, "2,5M")]);
    }

    #[test]
    fn other_bytes_are_no_text() {
        assert!(cells(b"name\n\xe9".to_vec()).unwrap_err().contains("UTF-8"));
    }
}
