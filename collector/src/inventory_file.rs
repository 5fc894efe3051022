//! The inventory file: TOML, read row by row, so that one bad row hides no other. Problems carry their lines.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use takar_collector_core::inventory::{self, Problem, RawInventory, Row, Validated};
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

const TABLES: [&str; 4] = ["provider", "uplink", "site", "link"];

/// The inventory in `text`, or all its problems in the order of the file: `link[3] (line 41): …`, rows counted from 0.
/// Where the text is no TOML, only that is told, by line.
pub fn parse(text: &str) -> Result<Validated, Vec<String>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(syntax(text, &errors));
    }
    let mut file = File { text, tables: document.into_inner(), unread: HashMap::new() };
    let raw = RawInventory {
        providers: file.rows(TABLES[0]),
        uplinks: file.rows(TABLES[1]),
        sites: file.rows(TABLES[2]),
        links: file.rows(TABLES[3]),
    };
    let mut problems = file.unknown_tables();
    match inventory::validate(&raw) {
        Ok(validated) if problems.is_empty() => return Ok(validated),
        Ok(_) => {}
        Err(found) => problems.extend(found.iter().map(|problem| file.located(problem))),
    }
    problems.sort_by_key(|problem| problem.offset);
    Err(problems.into_iter().map(|problem| problem.line).collect())
}

/// One problem a line: what follows a mistake on its line is mostly a consequence.
fn syntax(text: &str, errors: &[toml::de::Error]) -> Vec<String> {
    let mut told: Vec<(usize, String)> = errors
        .iter()
        .map(|error| (line_of(text, error.span().map_or(0, |span| span.start)), error.message().replace('\n', " ")))
        .collect();
    told.sort_by_key(|(line, _)| *line);
    told.dedup_by_key(|(line, _)| *line);
    told.into_iter().map(|(line, message)| format!("line {line}: {message}")).collect()
}

struct File<'a> {
    text: &'a str,
    tables: DeTable<'a>,
    /// Where the mistake is in a row that could not be read, by `link[3]`.
    unread: HashMap<String, usize>,
}

/// A problem ready to be told, and where in the file it is, in bytes.
struct Located {
    offset: usize,
    line: String,
}

impl File<'_> {
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
            let (offset, name) = (key.span().start, key.get_ref().escape_debug());
            let line = line_of(self.text, offset);
            let expected = TABLES.map(|table| format!("[[{table}]]")).join(", ");
            Located { offset, line: format!("{name} (line {line}): unknown; expected {expected}") }
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
        let line = line_of(self.text, offset);
        Located { offset, line: format!("{path} (line {line}{rest}: {}", problem.what) }
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
    let read: Result<T, toml::de::Error> = serde::Deserialize::deserialize(ValueDeserializer::from(row.clone()));
    match read {
        Ok(read) => (start, Row::Read(read)),
        Err(error) => {
            // As text it says which key it is about, in a line of its own.
            let why = error.to_string().trim_end().replace('\n', " ");
            (error.span().map_or(start, |span| span.start), Row::Unread { name: name_of(value), why })
        }
    }
}

fn name_of(row: &DeValue<'_>) -> Option<String> {
    row.get("name").and_then(|name| name.get_ref().as_str()).map(str::to_owned)
}

fn of_type(value: &DeValue<'_>) -> String {
    let name = value.type_str();
    let article = if name.starts_with(['a', 'i']) { "an" } else { "a" };
    format!("{article} {name}")
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SOUND: &str = "\
[[provider]]
name = \"isp\"
title = \"An ISP\"

[[uplink]]
name = \"ast-01\"
provider = \"isp\"
down_bps = 100_000_000
up_bps = 50_000_000

[[site]]
name = \"sd-02\"
title = \"SD Negeri 02\"

[[link]]
name = \"sd-02\"
site = \"sd-02\"
uplink = \"ast-01\"
device = \"core-1\"
down = { queue = \"sd-02\", cir_bps = 2_000_000, mir_bps = 10_000_000 }
up = { queue = \"sd-02\", cir_bps = 1_000_000, mir_bps = 5_000_000 }
";

    fn problems(text: &str) -> Vec<String> {
        parse(text).unwrap_err()
    }

    #[test]
    fn a_sound_file_is_an_inventory() {
        let validated = parse(SOUND).unwrap();
        assert!(validated.notices.is_empty());
        assert_eq!(validated.inventory.links().len(), 1);
        assert!(parse("").unwrap().inventory.links().is_empty());
    }

    #[test]
    fn all_problems_come_at_once_with_their_lines_in_the_order_of_the_file() {
        let text = format!(
            "{}\n[[links]]\n\n[[link]]\nname = \"x\"\ndevice = 7\n\n[[link]]\nname = \"sd-03\"\nsite = \"nowhere\"\n\
             uplink = \"ast-01\"\ndevice = \"core-1\"\nweight = 0\n\n[link.down]\nqueue = \"sd-03\"\ncir_bps = 0\n\
             mir_bps = 0\n\n[link.up]\nqueue = \"sd-03\"\nmir_bps = 8\n",
            SOUND.replace("up_bps = 50_000_000", "up_bps = -1").replace("title = \"An ISP\"", "title = \" \""),
        );
        let expected = [
            "provider[0].title (line 3, provider \"isp\"): expected a title, found empty text",
            "uplink[0] (line 9, uplink \"ast-01\"): invalid value: integer `-1`, expected u64 in `up_bps`",
            "links (line 23): unknown; expected [[provider]], [[uplink]], [[site]], [[link]]",
            "link[1] (line 27, link \"x\"): invalid type: integer `7`, expected a string in `device`",
            "link[2].site (line 31, link \"sd-03\"): expected the name of a [[site]], found \"nowhere\"",
            "link[2].weight (line 34, link \"sd-03\"): expected 1 to 1000, found 0",
            "link[2].down.mir_bps (line 39, link \"sd-03\"): expected a rate above 0 bit/s (routers take 0 for unlimited)",
            "link[2].up.cir_bps (line 41, link \"sd-03\"): expected the queue's limit-at (0 where it has none), found none",
        ];
        let found = problems(&text);
        assert_eq!(found, expected, "{found:#?}");
    }

    #[test]
    fn no_control_character_reaches_a_terminal() {
        let found = problems("\"\\u001B[2J\\nlinks\" = 1\n");
        let expected = r"\u{1b}[2J\nlinks (line 1): unknown; expected [[provider]], [[uplink]], [[site]], [[link]]";
        assert_eq!(found, [expected]);
        let (_, link) = SOUND.split_at(SOUND.find("[[link]]").unwrap());
        let again = link.replacen("name = \"sd-02\"", "name = \"sd-03\"", 1);
        let text = format!("{SOUND}\n{again}").replace("queue = \"sd-02\"", "queue = \"sd\\u001B[2J\"");
        let found = problems(&text);
        assert_eq!(found.len(), 2, "{found:#?}");
        for problem in found {
            assert!(problem.contains(r"has queue sd\u{1b}[2J on core-1"), "{problem:?}");
            assert!(!problem.contains(char::is_control), "{problem:?}");
        }
    }

    #[test]
    fn a_row_without_a_name_is_known_by_number_and_line() {
        let found = problems(&format!("{SOUND}\n[[site]]\ntitle = \"x\"\n"));
        assert_eq!(found, ["site[1] (line 23): missing field `name`"]);
    }

    #[test]
    fn a_table_that_is_no_list_of_rows_blames_nobody_else() {
        let found = problems(&SOUND.replace("[[uplink]]", "[uplink]"));
        assert_eq!(found, ["uplink[0] (line 5, uplink \"ast-01\"): expected [[uplink]] rows, found a table"]);
        assert_eq!(problems("site = [1]\n"), ["site[0] (line 1): expected a table, found an integer"]);
    }

    #[test]
    fn what_is_no_toml_is_told_by_line_and_alone() {
        let found =
            problems(&SOUND.replace("name = \"isp\"", "name = \"isp").replace("up_bps = 50_000_000", "up_bps = "));
        let lines: Vec<_> = found.iter().map(|problem| problem.split(':').next().unwrap()).collect();
        assert_eq!(lines, ["line 2", "line 9"], "{found:#?}");
        assert_eq!(problems("a = 1\na = 2\n"), ["line 2: duplicate key"]);
    }

    proptest! {
        /// Whatever the text, it is an inventory or there is at least one problem; it is never a panic.
        #[test]
        fn any_text_is_answered(
            lines in proptest::collection::vec("[\\[\\]a-z=\"{}.,0-9 #]{0,12}", 0..12),
            at in 0..22usize,
        ) {
            let mut text: Vec<&str> = SOUND.lines().collect();
            let at = at.min(text.len());
            drop(text.splice(at..at, lines.iter().map(String::as_str)));
            if let Err(problems) = parse(&text.join("\n")) {
                prop_assert!(!problems.is_empty());
            }
        }
    }
}
