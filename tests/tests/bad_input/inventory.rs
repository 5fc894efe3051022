//! The inventory, checked without the daemon and by it.

use crate::{place::Collector, table::Table};

const GOOD: &str = "\
[[provider]]
name = \"isp\"
title = \"ISP\"
[[uplink]]
name = \"utama\"
provider = \"isp\"
down_bps = 100_000_000
up_bps = 50_000_000
[[site]]
name = \"sd-02\"
title = \"SD Negeri 02\"
[[link]]
name = \"sd-02\"
site = \"sd-02\"
uplink = \"utama\"
device = \"core-1\"
down = { class = \"1:10\", interface = \"e-lan\", cir_bps = 2_000_000, mir_bps = 10_000_000 }
up = { class = \"1:10\", interface = \"e-wan\", cir_bps = 1_000_000, mir_bps = 5_000_000 }
";

#[test]
fn a_bad_inventory_is_told_row_by_row_and_the_old_one_stays_in_force() {
    let collector = Collector::embedded();
    let _serve = collector.serve();
    let good = collector.place.write("good.toml", GOOD);
    collector.takar(&["import", &good]).done();
    let records = collector.ask(&["status"])["audit_size"].clone();
    let mut trial = Trial { collector, table: Table::default() };

    trial.import("syntax", GOOD.replace("up_bps = 50", "up_bps = = 50"), &[&["line 8", "expected"]]);
    trial.import("no TOML", "hello world\n", &[&["line 1", "expected `=`"]]);
    trial.import("JSON", "{\"uplinks\": []}\n", &[&["line 1", "expected key"]]);
    trial.import("no UTF-8", b"title = \"Caf\xe9\"\n", &[&["cannot be read", "UTF-8"]]);
    trial.import(
        "unknown table and key",
        format!("{GOOD}colour = 1\n[[links]]\nname = \"x\"\n"),
        &[
            &["link[0] (line 19, link \"sd-02\")", "`colour`", "expected"],
            &["links (line 20)", "unknown; expected [[provider]]"],
        ],
    );
    trial.import(
        "name twice",
        format!("{GOOD}[[site]]\nname = \"sd-02\"\ntitle = \"other\"\n"),
        &[&["site[1].name (line 20, site \"sd-02\")", "expected a name of its own", "site[0]"]],
    );
    let link = &GOOD[GOOD.find("[[link]]").unwrap()..];
    trial.import(
        "shaper twice",
        format!("{GOOD}{}", link.replacen("name = \"sd-02\"", "name = \"sd-03\"", 1)),
        &[
            &["link[1].down (line 24", "expected a shaper of its own", "link[0].down"],
            &["link[1].up (line 25", "expected a shaper of its own", "link[0].up"],
        ],
    );
    trial.import(
        "unknown references",
        GOOD.replace("uplink = \"utama\"", "uplink = \"ghost\"").replace("provider = \"isp\"", "provider = \"nobody\""),
        &[
            &["uplink[0].provider (line 6, uplink \"utama\")", "expected the name of a [[provider]]", "\"nobody\""],
            &["link[0].uplink (line 15, link \"sd-02\")", "expected the name of a [[uplink]]", "\"ghost\""],
        ],
    );
    trial.import(
        "guarantee above the ceiling",
        GOOD.replace("cir_bps = 2_000_000", "cir_bps = 20_000_000"),
        &[&["link[0].down.cir_bps (line 17, link \"sd-02\")", "expected at most mir_bps (10 Mbit/s)", "20 Mbit/s"]],
    );
    trial.import(
        "guarantees above the capacity",
        GOOD.replace("down_bps = 100_000_000", "down_bps = 1_000_000")
            .replace("mir_bps = 10_000_000", "mir_bps = 2_000_000, ceiling_bps = 2_000_000"),
        &[&["uplink[0].down_bps (line 7, uplink \"utama\")", "add up to 2 Mbit/s", "found 1 Mbit/s"]],
    );
    trial.import(
        "a ceiling above the capacity",
        GOOD.replace("mir_bps = 10_000_000", "mir_bps = 200_000_000"),
        &[&[
            "link[0].down.mir_bps (line 17, link \"sd-02\")",
            "expected at most",
            "capacity (100 Mbit/s)",
            "200 Mbit/s",
        ]],
    );
    trial.import(
        "no multiple of 8",
        GOOD.replace("mir_bps = 10_000_000", "mir_bps = 10_000_001"),
        &[&["link[0].down.mir_bps (line 17, link \"sd-02\")", "expected a multiple of 8 bit/s", "10000001"]],
    );
    trial.import(
        "rates that are none",
        GOOD.replace("= 100_000_000", "= -1").replace("= 10_000_000", "= 99999999999999999999"),
        &[
            &["uplink[0] (line 7, uplink \"utama\")", "`-1`", "expected u64", "down_bps"],
            &["link[0] (line 17, link \"sd-02\")"],
        ],
    );
    trial.import(
        "names that break a topic or a terminal",
        GOOD.replace("name = \"utama\"", "name = \"a/b\"")
            .replace("title = \"ISP\"", "title = \" \"")
            .replace("uplink = \"utama\"", "uplink = \"a/b\""),
        &[
            &["provider[0].title (line 3", "expected a title"],
            &["uplink[0].name (line 5", "expected only A-Z a-z 0-9 . _ -", "'/'"],
        ],
    );

    let Trial { collector, mut table } = trial;
    let status = collector.ask(&["status"]);
    table.holds("afterwards", "one link is in force", status["links"] == 1);
    table.holds("afterwards", "nothing was recorded", status["audit_size"] == records);
    table.holds("afterwards", "the old one is in force", collector.ask(&["import", &good])["changed"] == false);
    // What is in force is what is loaded again.
    for bytes in [format!("\u{feff}{GOOD}"), GOOD.replace('\n', "\r\n")] {
        let same = collector.place.write("same.toml", bytes);
        table.holds("BOM, CRLF", "reads", collector.takar(&["import", "--dry-run", &same]).code == Some(0));
    }
}

#[test]
fn an_inventory_that_is_not_there_is_named_and_nobody_is_asked() {
    let (collector, mut table) = (Collector::embedded(), Table::default());
    let (missing, folder) = (collector.place.at("missing.toml"), collector.place.at(""));
    for command in [&["import"][..], &["import", "--dry-run"], &["check-config", "--inventory"]] {
        let told = collector.takar(&[command, &[missing.as_str()]].concat());
        table.refused("missing", &told, 1, &missing, &[&["cannot be read", "No such file"]]);
        let told = collector.takar(&[command, &[folder.as_str()]].concat());
        table.refused("a folder", &told, 1, &folder, &[&["cannot be read", "directory"]]);
    }
}

/// Of junk as of any other file: an answer soon, not a line for each of its lines, and a daemon that goes on.
#[test]
fn a_megabyte_of_junk_is_refused_at_once() {
    let (collector, mut table) = (Collector::embedded(), Table::default());
    let _serve = collector.serve();
    let million = |text: &str| text.repeat(1_000_000 / text.len());
    let mut seed = 1u32;
    let mut random = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed.to_le_bytes()[3]
    };
    let random: Vec<u8> = (0..1_000_000).map(|_| random()).collect();
    let junk = [
        ("random bytes", random),
        ("one word", million("x").into_bytes()),
        ("brackets", million("[").into_bytes()),
        ("nested lists", format!("a = {}", million("[")).into_bytes()),
        ("one good row and brackets", format!("{GOOD}{}", million("[[link]]")).into_bytes()),
        ("lines", million("?!x\n").into_bytes()),
    ];
    for (case, bytes) in junk {
        let file = collector.place.write("junk.toml", bytes);
        for words in [["check-config", "--inventory", &file], ["import", "--dry-run", &file]] {
            let told = collector.takar(&words);
            let lines = told.err.lines().count();
            table.holds(case, &format!("{words:?} ends with 1, not {:?}", told.code), told.code == Some(1));
            table.holds(case, &format!("1 to 100 lines, not {lines}"), (1..=100).contains(&lines));
            let fit = |line: &str| line.contains(&file) && line.len() < 2_000;
            table.holds(case, "each line names the file and is short", told.err.lines().all(fit));
        }
        table.holds(case, "the daemon still answers", collector.takar(&["status"]).code == Some(0));
    }
}

struct Trial {
    collector: Collector,
    table: Table,
}

impl Trial {
    fn import(&mut self, case: &str, text: impl AsRef<[u8]>, lines: &[&[&str]]) {
        let file = self.collector.place.write("bad.toml", text);
        for words in [["check-config", "--inventory"].as_slice(), &["import", "--dry-run"], &["import"]] {
            let told = self.collector.takar(&[words, &[file.as_str()]].concat());
            self.table.refused(case, &told, 1, &file, lines);
        }
    }
}
