//! One register, whatever it is kept in.

mod sample;

use std::{collections::BTreeSet, fs, path::PathBuf};

use proptest::prelude::*;
use rust_xlsxwriter::{Format, Formula, Workbook};
use serde_json::Value;
use takar_collector_core::inventory::{self, RawInventory};

use super::*;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

const SOUND: [(&str, &str); 4] = [
    ("provider.csv", "name,title\nisp,An ISP\n"),
    ("uplink.csv", "name,provider,down_bps,up_bps\nast-01,isp,100M,50M\n"),
    ("site.csv", "name,title,users,zone\nsd-02,SD Negeri 02,120,WIB\n"),
    (
        "link.csv",
        "name;site;uplink;device;down.queue;down.cir_bps;down.mir_bps;up.queue;up.cir_bps;up.mir_bps\n\
         sd-02;sd-02;ast-01;core-1;sd-02;2M;10M;sd-02;0;2,5M\n",
    ),
];

/// What is told of the sound folder with one of its files replaced, without the folder's name.
fn told(name: &str, text: &str) -> Vec<String> {
    let dir = folder(&SOUND);
    fs::write(dir.path().join(name), text).unwrap();
    let problems = read(dir.path()).and_then(|tables| tables.check()).unwrap_err();
    let shown = format!("{}: ", dir.path().display());
    problems.iter().map(|problem| problem.strip_prefix(&shown).unwrap_or(problem).to_owned()).collect()
}

#[test]
fn a_folder_of_csv_is_a_register() {
    let dir = folder(&SOUND);
    let tables = read(dir.path()).unwrap();
    assert_eq!(tables.absent(), ["contract", "profile", "need", "holiday"]);
    let inventory = tables.check().unwrap().inventory;
    assert_eq!(inventory.links()[0].up.mir.0, 2_500_000);
    assert_eq!(inventory.sites()[0].users, Some(120));
}

#[test]
fn every_bad_row_is_named_at_once_by_row_and_column() {
    let header = SOUND[3].1.lines().next().unwrap();
    let rows = "sd-02;sd-02;ast-01;core-1;sd-02;2M;1.5;sd-02;0;2M\n\
                ;;;;;;;;;\n\
                sd-03;nowhere;ast-01;core-1;sd-03;20M;10M;;0;2M\n\
                sd-04;sd-02;ast-01;;sd-04;x;;sd-04;0;2M;;extra\n\
                sd-03;sd-02;ast-01;core-1;sd-05;0;8M;sd-03;0;8M\n";
    let found = told("link.csv", &format!("{header}\n{rows}"));
    let expected = [
        "link row 2 (sd-02), column down.mir_bps: \"1.5\" is no rate; expected bit/s such as 10000000, 800k, 2.5M or 1G",
        "link row 4 (sd-03), column site: expected the name of a [[site]], found \"nowhere\"",
        "link row 4 (sd-03), column down.cir_bps: expected at most mir_bps (10 Mbit/s), found 20 Mbit/s",
        "link row 4 (sd-03), column up: expected exactly one of queue, class (with interface) or root, found none",
        "sheet link, cell L5: a value below no column's name",
        "link row 5 (sd-04), column down.cir_bps: \"x\" is no rate; expected bit/s such as 10000000, 800k, 2.5M or 1G",
        "link row 5 (sd-04), column device: expected a value, found none",
        "link row 5 (sd-04), column down.mir_bps: expected a value, found none",
        "link row 6 (sd-03), column name: expected a name of its own, link row 4 has it",
    ];
    let (found, expected): (BTreeSet<_>, BTreeSet<_>) = (found.iter().map(String::as_str).collect(), expected.into());
    assert_eq!(found, expected, "{found:#?}");
}

#[test]
fn headers_are_checked_before_rows_are_blamed() {
    let found = told("site.csv", "nama,title,title\nsd-02,SD Negeri 02,\n");
    let expected = [
        "site row 1, column \"nama\": unknown; expected one of name, title, users, profile, zone, head",
        "site row 1, column title: stands there twice",
        "site row 1, column name: missing; every row needs it",
    ];
    // That is all: neither the rows below nor whoever names that site is blamed.
    assert_eq!(found, expected);
    assert_eq!(told("site.csv", "").len(), 3, "an empty file has no header, and its site is missed");
}

#[test]
fn files_that_are_no_tables_are_named() {
    let found = told("links.csv", "name\n");
    assert_eq!(found.len(), 1);
    assert!(
        found[0].ends_with(
            "links.csv: no table of the register; expected provider.csv, uplink.csv, site.csv, \
         link.csv, contract.csv, profile.csv, need.csv, holiday.csv"
        ),
        "{found:?}"
    );
    let mut with_readme = SOUND.to_vec();
    with_readme.extend([("petunjuk.csv", "anything"), ("notes.txt", "anything")]);
    assert!(read(folder(&with_readme).path()).unwrap().check().is_ok());
}

#[test]
fn one_table_takes_the_others_from_what_is_in_force() {
    let whole = folder(&SOUND);
    let base = write_toml(read(whole.path()).unwrap().raw());
    let dir = folder(&[("need.csv", "name,site,down_bps,up_bps\nujian,sd-02,20M,\nrapat,sd-09,5M,5M\n")]);
    let path = dir.path().join("need.csv");
    let tables = read(&path).unwrap();
    assert_eq!(tables.absent().len(), 7);
    let found = tables.over(&base).unwrap().check().unwrap_err();
    let shown = path.display();
    assert_eq!(
        found,
        [format!("{shown}: need row 3 (rapat), column site: expected the name of a [[site]], found \"sd-09\"")]
    );

    fs::write(&path, "name,site,down_bps\nujian,sd-02,20M\n").unwrap();
    let tables = read(&path).unwrap().over(&base).unwrap();
    assert_eq!(tables.check().unwrap().inventory.needs().len(), 1);
    assert_eq!(rows(&write_toml(tables.raw())).unwrap(), *tables.raw());

    // What the new table breaks in the others is told as theirs.
    let path = dir.path().join("site.csv");
    fs::write(&path, "name,title\nsd-03,SD Negeri 03\n").unwrap();
    let found = read(&path).unwrap().over(&base).unwrap().check().unwrap_err();
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("the register in force, link[0].site (link \"sd-02\"): "), "{found:?}");
    assert!(read(&path).unwrap().over("= no TOML").unwrap_err()[0].starts_with("the register in force: line 1"));
}

#[test]
fn formulas_and_merged_cells_are_refused_by_name() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("site").unwrap();
    for (column, key) in (0..).zip(["name", "title", "users"]) {
        sheet.write_string(0, column, key).unwrap();
    }
    sheet.write_string(1, 0, "sd-02").unwrap();
    sheet.write_string(1, 1, "SD Negeri 02").unwrap();
    sheet.write_formula(1, 2, Formula::new("=100+20").set_result("120")).unwrap();
    sheet.write_string(2, 0, "sd-03").unwrap();
    sheet.merge_range(2, 1, 2, 2, "SD Negeri 03", &Format::new()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("register.xlsx");
    book.save(&path).unwrap();
    let found = read(&path).unwrap().check().unwrap_err();
    let shown = path.display();
    assert_eq!(
        found,
        [
            format!("{shown}: sheet site, cell C2: a formula; expected a value"),
            format!("{shown}: sheet site, cell B3: merged with other cells; expected a value"),
        ]
    );
}

#[test]
fn templates_bring_nothing_in_and_their_examples_are_sound() {
    let dir = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = ["r.toml", "r.xlsx", "r"].map(|name| dir.path().join(name)).into();
    for path in paths {
        write_template(&path).unwrap();
        assert_eq!(*read(&path).unwrap().raw(), RawInventory::default(), "{}", path.display());
        assert!(read(&path).unwrap().absent().is_empty());
    }
    let examples = template::toml();
    let wanted = examples.lines().filter_map(|line| line.strip_prefix('#')).filter(|line| !line.starts_with('#'));
    let inventory = parse(&wanted.collect::<Vec<_>>().join("\n")).unwrap().inventory;
    assert_eq!((inventory.links().len(), inventory.needs().len(), inventory.holidays().len()), (1, 1, 1));
}

#[test]
fn columns_are_the_keys_of_the_rows_and_all_are_documented() {
    let document = include_str!("../../../docs/register.md");
    for (table, name) in TABLES.iter().zip(super::toml::TABLES) {
        assert_eq!(table.name, name);
        assert!(document.contains(&format!("## {name}\n")), "{name}");
        let row = tables::values(&sample::full(), name).remove(0);
        let keys: BTreeSet<String> = keys_of(&row, "").into_iter().collect();
        let columns: BTreeSet<String> = table.columns.iter().map(|column| column.key.to_owned()).collect();
        assert_eq!(keys, columns, "{name}");
        let section = document.split(&format!("## {name}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
        for column in columns {
            assert!(section.contains(&format!("`{column}`")), "{name}: {column}");
        }
    }
}

fn keys_of(value: &Value, path: &str) -> Vec<String> {
    match value {
        Value::Object(table) if path.is_empty() => table.iter().flat_map(|(key, value)| keys_of(value, key)).collect(),
        Value::Object(table) => table.keys().map(|key| format!("{path}.{key}")).collect(),
        _ => vec![path.to_owned()],
    }
}

proptest! {
    // Each case writes ten files.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_register_is_the_same_in_every_form(raw in sample::register()) {
        let valid = inventory::validate(&raw).unwrap();
        let text = write_toml(&raw);
        prop_assert_eq!(&rows(&text).unwrap(), &raw, "{}", text);
        prop_assert_eq!(&write_toml(&rows(&text).unwrap()), &text);
        let dir = tempfile::tempdir().unwrap();
        for name in ["r.toml", "r.xlsx", "r"] {
            let path = dir.path().join(name);
            write_to(&text, &path).unwrap();
            let read = read(&path).unwrap();
            prop_assert_eq!(read.raw(), &raw, "{}", name);
            prop_assert!(read.absent().is_empty());
            prop_assert_eq!(&read.check().unwrap(), &valid);
        }
    }

    /// Whatever is in the cells, there is a register or at least one problem, each in a line; never a panic.
    #[test]
    fn any_cells_are_answered(
        lines in proptest::collection::vec("[a-z0-9.,;\"'=\\-\r ]{0,16}", 0..8),
        table in 0..4_usize,
    ) {
        let mut files = SOUND.map(|(name, text)| (name, text.to_owned()));
        files[table].1 += &lines.join("\n");
        let dir = folder(&files.each_ref().map(|(name, text)| (*name, text.as_str())));
        if let Err(problems) = read(dir.path()).and_then(|tables| tables.check()) {
            prop_assert!(!problems.is_empty());
            prop_assert!(problems.iter().all(|problem| !problem.contains(char::is_control)), "{problems:?}");
        }
    }
}
