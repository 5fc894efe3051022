//! One table of a spreadsheet: from cells to rows. What is wrong is told by row, as the spreadsheet counts them (the
//! header is row 1), and by column.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use takar_collector_core::inventory::Row;

use super::{
    cell::Cell,
    schema::{Column, Table},
};

/// The cells of a table that are not blank, by row from 1 and column from 0.
pub type Cells = BTreeMap<(u32, u32), Cell>;

/// The columns by their place; `None` where the header has something else.
type Columns = BTreeMap<u32, Option<&'static Column>>;

const HEADER: u32 = 1;

/// What was read of one table.
pub struct Sheet {
    pub table: &'static Table,
    rows: Vec<(u32, Row<Value>)>,
    pub found: Vec<Found>,
}

/// A problem of this sheet alone.
#[derive(Debug)]
pub struct Found {
    pub table: &'static str,
    pub row: u32,
    /// The row's name, where it has one.
    pub name: Option<String>,
    /// `column down.mir_bps`, `cell D7`; empty: the row as a whole.
    pub place: String,
    pub what: String,
}

impl Sheet {
    pub fn read(table: &'static Table, cells: &Cells) -> Self {
        let mut sheet = Self { table, rows: Vec::new(), found: Vec::new() };
        let columns = sheet.header(cells);
        let mut rows: BTreeMap<u32, Vec<(u32, &Cell)>> = BTreeMap::new();
        for ((row, at), cell) in cells.range((HEADER + 1, 0)..) {
            rows.entry(*row).or_default().push((*at, cell));
        }
        for (number, cells) in rows {
            let row = sheet.row(number, &cells, &columns);
            sheet.rows.push((number, row));
        }
        sheet
    }

    /// The rows as their type has them, and the number of each in the spreadsheet.
    pub fn typed<T: DeserializeOwned>(&mut self) -> (Vec<Row<T>>, Vec<u32>) {
        let table = self.table.name;
        let mut numbers = Vec::with_capacity(self.rows.len());
        let mut typed = Vec::with_capacity(self.rows.len());
        for (number, row) in self.rows.drain(..) {
            numbers.push(number);
            typed.push(match row {
                Row::Unread { name, why } => Row::Unread { name, why },
                Row::Read(value) => {
                    let name = name_of(&value);
                    serde_json::from_value(value).map(Row::Read).unwrap_or_else(|error| {
                        let (what, place) = (error.to_string(), String::new());
                        self.found.push(Found { table, row: number, name: name.clone(), place, what });
                        Row::Unread { name, why: String::new() }
                    })
                }
            });
        }
        (typed, numbers)
    }

    /// Which column is at which place. Unknown, doubled and missing ones are noted, and nobody is blamed for what is
    /// below them.
    fn header(&mut self, cells: &Cells) -> Columns {
        let mut columns = Columns::new();
        let mut seen = BTreeSet::new();
        for ((_, at), cell) in cells.range((HEADER, 0)..(HEADER + 1, 0)) {
            let Cell::Text(text) = cell else {
                self.note_header(format!("cell {}", address(HEADER, *at)), "expected the name of a column".into());
                columns.insert(*at, None);
                continue;
            };
            let name = text.trim();
            let known = self.table.columns.iter().find(|column| column.key.eq_ignore_ascii_case(name));
            let fresh = known.filter(|column| seen.insert(column.key));
            columns.insert(*at, fresh);
            match known {
                Some(_) if fresh.is_some() => {}
                Some(column) => self.note_header(format!("column {}", column.key), "stands there twice".into()),
                None => {
                    let keys: Vec<_> = self.table.columns.iter().map(|column| column.key).collect();
                    let what = format!("unknown; expected one of {}", keys.join(", "));
                    self.note_header(format!("column {name:?}"), what);
                }
            }
        }
        for column in self.table.columns.iter().filter(|column| column.needed && !seen.contains(column.key)) {
            self.note_header(format!("column {}", column.key), "missing; every row needs it".into());
        }
        columns
    }

    fn note_header(&mut self, place: String, what: String) {
        self.found.push(Found { table: self.table.name, row: HEADER, name: None, place, what });
    }

    fn row(&mut self, number: u32, cells: &[(u32, &Cell)], columns: &Columns) -> Row<Value> {
        let mut problems = Vec::new();
        let mut value = inner_tables(self.table);
        let mut filled = BTreeSet::new();
        for (at, cell) in cells {
            let column = match columns.get(at) {
                Some(Some(column)) => column,
                Some(None) => continue,
                None => {
                    let cell = format!("cell {}", address(number, *at));
                    problems.push((cell, "a value below no column's name".to_owned()));
                    continue;
                }
            };
            filled.insert(column.key);
            match cell.value(column.kind) {
                Ok(read) => put(&mut value, column.key, read),
                // By the cell's own name too: that is where a formula is looked for.
                Err(what) if matches!(cell, Cell::Refused(_)) => {
                    problems.push((format!("cell {}", address(number, *at)), what));
                }
                Err(what) => problems.push((format!("column {}", column.key), what)),
            }
        }
        let there = || columns.values().flatten();
        let needed = there().filter(|column| column.needed && !filled.contains(column.key));
        let blank: Vec<_> = needed.map(|column| column.key).collect();
        problems.extend(blank.into_iter().map(|key| (format!("column {key}"), "expected a value, found none".into())));
        // A column that is missing altogether was told with the header; no row can be read without it.
        let known = |key: &str| there().any(|column| column.key == key);
        let whole = self.table.columns.iter().all(|column| !column.needed || known(column.key));
        let value = Value::Object(value);
        if problems.is_empty() && whole {
            return Row::Read(value);
        }
        let name = name_of(&value);
        let table = self.table.name;
        for (place, what) in problems {
            self.found.push(Found { table, row: number, name: name.clone(), place, what });
        }
        Row::Unread { name, why: String::new() }
    }
}

/// `D7`, as spreadsheets name the cell in the fourth column of row 7.
pub fn address(row: u32, column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = column;
    loop {
        letters.push(char::from(b'A' + u8::try_from(rest % 26).unwrap_or(0)));
        match (rest / 26).checked_sub(1) {
            Some(more) => rest = more,
            None => break,
        }
    }
    format!("{}{row}", letters.iter().rev().collect::<String>())
}

/// The value under a key, which may be one of an inner table: `down.mir_bps`.
pub fn get<'a>(row: &'a Value, key: &str) -> Option<&'a Value> {
    key.split('.').try_fold(row, |table, key| table.get(key))
}

fn put(row: &mut Map<String, Value>, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            row.insert(key.to_owned(), value);
        }
        Some((table, key)) => {
            if let Some(Value::Object(table)) = row.get_mut(table) {
                table.insert(key.to_owned(), value);
            }
        }
    }
}

/// Inner tables are there even where all of their cells are blank.
fn inner_tables(table: &Table) -> Map<String, Value> {
    let tables = table.columns.iter().filter_map(|column| column.key.split_once('.'));
    tables.map(|(table, _)| (table.to_owned(), Value::Object(Map::new()))).collect()
}

fn name_of(row: &Value) -> Option<String> {
    row.get("name").or_else(|| row.get("date")).and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_named_as_spreadsheets_do() {
        for (column, name) in [(0, "A7"), (3, "D7"), (25, "Z7"), (26, "AA7"), (701, "ZZ7"), (702, "AAA7")] {
            assert_eq!(address(7, column), name);
        }
        assert!(address(u32::MAX, u32::MAX).ends_with(&u32::MAX.to_string()));
    }
}
