//! The collector's config.

use std::fs;

use crate::{
    place::{Collector, Place},
    table::Table,
};

const BROKER: &str = "[broker]\nkind = \"embedded\"\naddress = \"127.0.0.1:1883\"\n";

#[test]
fn each_problem_of_a_collector_config_is_a_line_and_nothing_is_served() {
    let mut trial = Trial { place: Place::new(), table: Table::default() };
    let state = trial.place.at("state");
    let least = format!("state_dir = \"{state}\"\n");
    trial.config("syntax", format!("{least}[broker\nkind = 1\n"), &[&["line 2", "expected `]`"]]);
    trial.config(
        "unknown key",
        format!("{least}colour = 1\n{BROKER}"),
        &[&["line 2", "`colour`", "expected one of `state_dir`"]],
    );
    trial.config("key twice", format!("{least}{least}{BROKER}"), &[&["line 2", "duplicate key"]]);
    trial.config(
        "wrong type",
        format!("{least}[broker]\nkind = \"embedded\"\naddress = 7\n"),
        &[&["line 4", "integer `7`", "expected a string"]],
    );
    trial.config("empty", "", &[&["missing field `state_dir`"]]);
    trial.config("no UTF-8", b"state_dir = \"\xff\"\n", &[&["cannot be read", "UTF-8"]]);
    trial.config("control characters", "state_dir = \"/s\x1b[31m\"\n", &[&["line 1", "expected"]]);
    trial.config(
        "several at once",
        "state_dir = \"s\"\n[broker]\nkind = \"x\"\naddress = \"y\"\n[grant]\nvalid_s = 1\n[plan]\ngranule_bps = 9\n",
        &[
            &["state_dir: ", "\"s\"", "expected an absolute path"],
            &["broker.kind: ", "\"x\"", "expected \"embedded\" or \"mosquitto\""],
            &["broker.address: ", "\"y\"", "expected host:port"],
            &["grant.valid_s: ", "1 ", "expected 30 to 86400"],
            &["plan.granule_bps: ", "9 ", "expected a multiple of 8"],
        ],
    );
    trial.config(
        "open to the world",
        format!("{least}[broker]\nkind = \"embedded\"\naddress = \"0.0.0.0:1883\"\nname = \"127.0.0.1\"\n"),
        &[&["broker.address: ", "\"0.0.0.0\"", "expected a loopback address"]],
    );
    // A longer path can be served on by a detour, but no client can connect to it (unix(7)).
    let socket = trial.place.at(&"s".repeat(120));
    trial.config(
        "a socket that nobody could open",
        format!("{least}socket = \"{socket}\"\n{BROKER}"),
        &[&["socket: ", "expected at most 107 bytes"]],
    );
    assert!(!trial.place.has("state"), "a config that was refused made the state folder");
}

#[test]
fn a_collector_config_that_is_not_there_is_named() {
    let (place, mut table) = (Place::new(), Table::default());
    let (missing, folder) = (place.at("missing.toml"), place.at(""));
    for command in ["check-config", "serve"] {
        let told = place.run("takar", &["--config", &missing, command]);
        table.refused("missing", &told, 1, &missing, &[&["cannot be read", "No such file"]]);
        let told = place.run("takar", &["--config", &folder, command]);
        table.refused("a folder", &told, 1, &folder, &[&["cannot be read", "directory"]]);
    }
    // A client wants it for the socket only, so it says how to do without.
    let told = place.run("takar", &["--config", &missing, "status"]);
    table.refused("client", &told, 1, "", &[&["missing.toml", "cannot be read"], &["--config FILE or --socket PATH"]]);
}

#[test]
fn a_byte_order_mark_and_foreign_line_ends_are_no_problem() {
    let collector = Collector::embedded();
    let text = fs::read_to_string(collector.place.at("takar.toml")).unwrap();
    for bytes in [format!("\u{feff}{text}"), text.replace('\n', "\r\n")] {
        collector.place.write("takar.toml", bytes);
        collector.takar(&["check-config"]).done();
    }
}

struct Trial {
    place: Place,
    table: Table,
}

impl Trial {
    fn config(&mut self, case: &str, text: impl AsRef<[u8]>, lines: &[&[&str]]) {
        let config = self.place.write("takar.toml", text);
        for command in ["check-config", "serve"] {
            let told = self.place.run("takar", &["--config", &config, command]);
            self.table.refused(case, &told, 1, &config, lines);
        }
    }
}
