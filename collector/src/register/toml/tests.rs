//! What is told of a file in TOML.

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
        "links (line 23): unknown; expected [[provider]], [[uplink]], [[site]], [[link]], [[contract]], [[profile]], \
         [[need]], [[holiday]]",
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
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with(r"\u{1b}[2J\nlinks (line 1): unknown; expected [[provider]], "), "{}", found[0]);
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
    let found = problems(&SOUND.replace("name = \"isp\"", "name = \"isp").replace("up_bps = 50_000_000", "up_bps = "));
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
