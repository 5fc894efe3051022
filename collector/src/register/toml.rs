//! The register in TOML, read row by row, so that one bad row hides no other. Problems carry their lines.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use takar_collector_core::inventory::{self, Problem, RawInventory, Row, Validated};
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

/// In the order in which they are read, told and written.
pub const TABLES: [&str; 8] = ["provider", "uplink", "site", "link", "contract", "profile", "need", "holiday"];
/// Problems that are told; of a file that is no inventory at all nobody reads more.
const MOST: usize = 20;
/// Characters of a problem that are told.
const LONGEST: usize = 400;

/// The inventory in `text`, or its problems in the order of the file: `link[3] (line 41): …`, rows counted from 0; of
/// very many the first, and how many more there are. Where the text is no TOML, only that is told, by line.
pub fn parse(text: &str) -> Result<Validated, Vec<String>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(syntax(&Lines::of(text), &errors));
    }
    let mut file = File { tables: document.into_inner(), unread: HashMap::new() };
    let raw = file.raw();
    let mut problems = file.unknown_tables();
    match inventory::validate(&raw) {
        Ok(validated) if problems.is_empty() => return Ok(validated),
        Ok(_) => {}
        Err(found) => problems.extend(found.iter().map(|problem| file.located(problem))),
    }
    problems.sort_by_key(|problem| problem.offset);
    let (lines, all) = (Lines::of(text), problems.len());
    Err(told(problems.into_iter().map(|problem| problem.told(&lines)), all))
}

/// The rows in `text`, checked no further than that they are rows; or what is no TOML in it, by line.
pub fn rows(text: &str) -> Result<RawInventory, Vec<String>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(syntax(&Lines::of(text), &errors));
    }
    Ok(File { tables: document.into_inner(), unread: HashMap::new() }.raw())
}

/// One problem a line: what follows a mistake on its line is mostly a consequence.
fn syntax(lines: &Lines, errors: &[toml::de::Error]) -> Vec<String> {
    let line = |error: &toml::de::Error| lines.number(error.span().map_or(0, |span| span.start));
    let mut found: Vec<(usize, &toml::de::Error)> = errors.iter().map(|error| (line(error), error)).collect();
    found.sort_by_key(|(line, _)| *line);
    found.dedup_by_key(|(line, _)| *line);
    let all = found.len();
    told(found.into_iter().map(|(line, error)| format!("line {line}: {}", error.message().replace('\n', " "))), all)
}

/// The first of them, and how many more there are.
fn told(problems: impl Iterator<Item = String>, all: usize) -> Vec<String> {
    let mut told: Vec<String> = problems.take(MOST).map(cut).collect();
    if all > told.len() {
        told.push(format!("and {} more", all - told.len()));
    }
    told
}

/// What somebody wrote into a file may be of any length.
pub fn cut(mut line: String) -> String {
    if let Some((end, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// Where the lines of a text end. It is read once, however many problems it has.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect())
    }

    /// Of the line that holds this byte, from 1.
    fn number(&self, offset: usize) -> usize {
        self.0.partition_point(|end| *end < offset) + 1
    }
}

struct File<'a> {
    tables: DeTable<'a>,
    /// Where the mistake is in a row that could not be read, by `link[3]`.
    unread: HashMap<String, usize>,
}

/// A problem ready to be told but for its line, and where in the file it is, in bytes.
struct Located {
    offset: usize,
    path: String,
    rest: String,
}

impl Located {
    fn told(self, lines: &Lines) -> String {
        format!("{} (line {}{}", self.path, lines.number(self.offset), self.rest)
    }
}

impl File<'_> {
    fn raw(&mut self) -> RawInventory {
        let [provider, uplink, site, link, contract, profile, need, holiday] = TABLES;
        RawInventory {
            providers: self.rows(provider),
            uplinks: self.rows(uplink),
            sites: self.rows(site),
            links: self.rows(link),
            contracts: self.rows(contract),
            profiles: self.rows(profile),
            needs: self.rows(need),
            holidays: self.rows(holiday),
        }
    }

    fn rows<T: DeserializeOwned>(&mut self, table: &str) -> Vec<Row<T>> {
        let Some((key, value)) = self.tables.get_key_value(table) else { return Vec::new() };
        let rows: Vec<(usize, Row<T>)> = match value.get_ref() {
            DeValue::Array(rows) => rows.iter().map(read).collect(),
            // As one row that could not be read: nobody is blamed for naming what may have been meant here.
            other => {
                let why = format!("expected [[{table}]] rows, found {}", of_type(other));
                vec![(key.span().start, Row::Unread { name: name_of(other), why })]
            }
        };
        let mut kept = Vec::with_capacity(rows.len());
        for (index, (offset, row)) in rows.into_iter().enumerate() {
            if matches!(row, Row::Unread { .. }) {
                self.unread.insert(format!("{table}[{index}]"), offset);
            }
            kept.push(row);
        }
        kept
    }

    fn unknown_tables(&self) -> Vec<Located> {
        let unknown = self.tables.keys().filter(|key| !TABLES.contains(&key.get_ref().as_ref()));
        let told = unknown.map(|key| {
            let expected = TABLES.map(|table| format!("[[{table}]]")).join(", ");
            let path = key.get_ref().escape_debug().take(LONGEST / 2).collect();
            Located { offset: key.span().start, path, rest: format!("): unknown; expected {expected}") }
        });
        told.collect()
    }

    /// With the line of the key where there is one, else of its row.
    fn located(&self, problem: &Problem) -> Located {
        let (path, rest) = match problem.at.split_once(" (") {
            Some((path, rest)) => (path, format!(", {rest}")),
            None => (problem.at.as_str(), ")".to_owned()),
        };
        let offset = self.unread.get(path).copied().or_else(|| self.offset(path)).unwrap_or(0);
        Located { offset, path: path.to_owned(), rest: format!("{rest}: {}", problem.what) }
    }

    /// Of `link[3].down.mir_bps`, or of as much of it as is written.
    fn offset(&self, path: &str) -> Option<usize> {
        let mut keys = path.split('.');
        let (table, index) = keys.next()?.strip_suffix(']')?.split_once('[')?;
        let mut here = self.tables.get(table)?.get_ref().get(index.parse::<usize>().ok()?)?;
        let mut offset = here.span().start;
        for key in keys {
            let Some((key, value)) = here.get_ref().as_table().and_then(|table| table.get_key_value(key)) else {
                break;
            };
            offset = key.span().start;
            here = value;
        }
        Some(offset)
    }
}

/// The row, and where in the file it, or the mistake in it, is.
fn read<T: DeserializeOwned>(row: &Spanned<DeValue<'_>>) -> (usize, Row<T>) {
    let (start, value) = (row.span().start, row.get_ref());
    if !value.is_table() {
        let why = format!("expected a table, found {}", of_type(value));
        return (start, Row::Unread { name: None, why });
    }
    let read: Result<T, toml::de::Error> = serde::Deserialize::deserialize(ValueDeserializer::from(dated(row.clone())));
    match read {
        Ok(read) => (start, Row::Read(read)),
        Err(error) => {
            // As text it says which key it is about, in a line of its own.
            let why = error.to_string().trim_end().replace('\n', " ");
            (error.span().map_or(start, |span| span.start), Row::Unread { name: name_of(value), why })
        }
    }
}

/// TOML has dates and times of its own, written without quotes; here they are text as any other.
fn dated(mut row: Spanned<DeValue<'_>>) -> Spanned<DeValue<'_>> {
    if let DeValue::Table(row) = row.get_mut() {
        for (_, value) in row.iter_mut() {
            if let DeValue::Datetime(at) = value.get_ref() {
                let text = at.to_string();
                *value.get_mut() = DeValue::String(text.into());
            }
        }
    }
    row
}

/// What the row calls itself; a holiday is known by its date.
fn name_of(row: &DeValue<'_>) -> Option<String> {
    row.get("name").or_else(|| row.get("date")).and_then(|name| name.get_ref().as_str()).map(str::to_owned)
}

fn of_type(value: &DeValue<'_>) -> String {
    let name = value.type_str();
    let article = if name.starts_with(['a', 'i']) { "an" } else { "a" };
    format!("{article} {name}")
}

#[cfg(test)]
mod tests;
