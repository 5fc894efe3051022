//! The inventory file: TOML, read row by row, so that one bad row hides no other. Problems carry their lines.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use takar_collector_core::inventory::{self, Problem, RawInventory, Row, Validated};
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

const TABLES: [&str; 4] = ["provider", "uplink", "site", "link"];
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
    let (lines, all) = (Lines::of(text), problems.len());
    Err(told(problems.into_iter().map(|problem| problem.told(&lines)), all))
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
fn cut(mut line: String) -> String {
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

    #[test]
    fn of_very_many_problems_the_first_are_told_and_how_many_more_there_are() {
        let junk = "?!x\n".repeat(2_000);
        let rows = "[[site]]\n".repeat(2_000);
        let keys = (0..2_000).map(|key| format!("k{key} = 1\n")).collect::<String>();
        for text in [junk, rows, keys] {
            let found = problems(&text);
            assert_eq!(found.len(), MOST + 1, "{found:#?}");
            assert!(found[0].contains("line 1") && found[19].contains("line 20"), "{found:#?}");
            assert_eq!(found[20], "and 1980 more");
        }
    }

    /// Each took time by the square of its length.
    #[test]
    fn a_megabyte_is_answered_soon_and_in_short_lines() {
        let long = "x".repeat(1_000_000);
        let texts = [
            "?!x\n".repeat(250_000),
            "[[site]]\n".repeat(100_000),
            long.clone(),
            format!("{long} = 1\n"),
            format!("[[site]]\nname = \"{long}\"\ntitle = 7\n"),
            format!("[[site]]\nname = \"s\"\ntitle = \"t\"\n{long} = 1\n"),
        ];
        for text in texts {
            let found = problems(&text);
            assert!((1..=MOST + 1).contains(&found.len()) && found.iter().all(|line| line.len() < 2_000), "{found:#?}");
        }
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
