//! Problems at the places of the spreadsheet that somebody has open.

use std::collections::BTreeMap;

use takar_collector_core::inventory::{Problem, RawInventory};

use super::{
    schema::TABLES,
    sheet::Found,
    tables,
    toml::{self, cut},
};

/// Problems that are told; of a file that is no register at all nobody reads more.
const MOST: usize = 100;
/// Characters of a name that are told.
const LONGEST_NAME: usize = 64;

/// The number of each row in the spreadsheet, for the tables that were in it.
pub type Numbers = BTreeMap<&'static str, Vec<u32>>;

/// A line each, in the order of the tables and their rows: `link row 7 (sd-02), column down.mir_bps: …`.
pub fn told(raw: &RawInventory, numbers: &Numbers, found: &[Found], problems: &[Problem]) -> Vec<String> {
    let mut lines: Vec<(usize, u32, String)> = found.iter().map(of_sheet).collect();
    // A row that could not be read has nothing to say for itself here: why is among `found`.
    lines.extend(problems.iter().filter(|problem| !problem.what.is_empty()).map(|one| of_check(raw, numbers, one)));
    lines.sort_by_key(|(table, row, _)| (*table, *row));
    let all = lines.len();
    let mut told: Vec<String> = lines.into_iter().take(MOST).map(|(_, _, line)| cut(line)).collect();
    if all > told.len() {
        told.push(format!("and {} more", all - told.len()));
    }
    told
}

fn of_sheet(found: &Found) -> (usize, u32, String) {
    let Found { table, row, place, what, .. } = found;
    let line = if place.starts_with("cell ") {
        format!("sheet {table}, {place}: {what}")
    } else {
        let name = in_brackets(found.name.as_deref());
        let place = if place.is_empty() { String::new() } else { format!(", {place}") };
        format!("{table} row {row}{name}{place}: {what}")
    };
    (order(table), *row, line)
}

fn of_check(raw: &RawInventory, numbers: &Numbers, problem: &Problem) -> (usize, u32, String) {
    let what = translated(numbers, &problem.what);
    let path = problem.at.split(" (").next().unwrap_or_default();
    let (table, rest) = path.split_once('[').unwrap_or((path, ""));
    let (index, key) = rest.split_once(']').unwrap_or((rest, ""));
    let index = index.parse::<usize>().ok();
    let row = index.and_then(|index| numbers.get(table)?.get(index).copied());
    let (Some(index), Some(row)) = (index, row) else {
        return (order(table), u32::MAX, format!("the register in force, {}: {what}", problem.at));
    };
    let name = in_brackets(tables::name_in(raw, table, index));
    let column = key.strip_prefix('.').map_or_else(String::new, |key| format!(", column {key}"));
    (order(table), row, format!("{table} row {row}{name}{column}: {what}"))
}

/// What a check says of other rows, `link[3].down`, by their place in the spreadsheet.
fn translated(numbers: &Numbers, what: &str) -> String {
    let mut told = String::with_capacity(what.len());
    let mut rest = what;
    while let Some((before, after)) = rest.split_once('[') {
        told.push_str(before);
        let row = after.split_once(']').and_then(|(index, tail)| {
            let tables = toml::TABLES.into_iter().filter(|table| before.ends_with(table));
            // `uplink` ends with `link`.
            let rows = numbers.get(tables.max_by_key(|table| table.len())?)?;
            Some((rows.get(index.parse::<usize>().ok()?)?, tail))
        });
        match row {
            Some((row, tail)) => {
                told.push_str(&format!(" row {row}"));
                rest = tail.strip_prefix('.').inspect(|_| told.push_str(", column ")).unwrap_or(tail);
            }
            None => {
                told.push('[');
                rest = after;
            }
        }
    }
    told.push_str(rest);
    told
}

fn order(table: &str) -> usize {
    TABLES.iter().position(|known| known.name == table).unwrap_or(TABLES.len())
}

/// ` (sd-02)`: whatever it holds, it goes to a terminal.
fn in_brackets(name: Option<&str>) -> String {
    let name = name.filter(|name| !name.is_empty());
    name.map_or_else(String::new, |name| format!(" ({})", name.escape_debug().take(LONGEST_NAME).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_rows_are_told_by_their_place_too() {
        let numbers = Numbers::from([("link", vec![2, 9])]);
        let cases = [
            ("link[1] has it", "link row 9 has it"),
            ("link[0].down (link \"b\") has queue x", "link row 2, column down (link \"b\") has queue x"),
            // Not of this spreadsheet.
            ("uplink[0] has it", "uplink[0] has it"),
            ("link[2] has it", "link[2] has it"),
            ("the name of a [[site]], found \"x[\"", "the name of a [[site]], found \"x[\""),
        ];
        for (what, told) in cases {
            assert_eq!(translated(&numbers, what), told);
        }
    }
}
