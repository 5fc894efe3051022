//! Bundles, as people carry them to the router.

use std::fs;

use serde_json::{Value, json};

use crate::{
    place::Collector,
    table::{Snapshot, Table},
};

#[test]
fn a_bad_bundle_is_told_key_by_key_and_changes_nothing() {
    let (collector, other) = (Collector::with_tls(), Collector::with_tls());
    let (_serve, _other_serve) = (collector.serve(), other.serve());
    for name in ["kantor-a", "kantor-b"] {
        collector.observer(name, name);
    }
    let good = collector.approve("kantor-a");
    let of_other_agent = fs::read_to_string(collector.approve("kantor-b")).unwrap();
    // Another network lets the same agent in.
    let of_other_network = other.place.at("kantor-a.bundle");
    let request = collector.place.at("kantor-a.request");
    other.takar(&["device", "approve", &request, "--out", &of_other_network]).done();

    let text = fs::read_to_string(&good).unwrap();
    let read = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
    let (sound, theirs) = (read(&text), read(&fs::read_to_string(&of_other_network).unwrap()));
    let with = |key: &str, value: Value| {
        let mut changed = sound.clone();
        changed[key] = value;
        changed.to_string()
    };
    let mut trial =
        Trial { before: Snapshot::of(&collector.place.dir().join("kantor-a")), collector, table: Table::default() };

    trial.take("empty", "", &[&["is no bundle", "line 1"]]);
    trial.take("no JSON", "hello\n", &[&["is no bundle", "line 1"]]);
    trial.take("cut short", &text[..300], &[&["is no bundle", "EOF"]]);
    trial.take("no UTF-8", b"\xff\xfe{}", &[&["is no bundle", "line 1"]]);
    trial.take("unknown key", with("colour", json!(1)), &[&["is no bundle", "`colour`", "expected one of"]]);
    trial.take("version", with("takar_bundle", json!(2)), &[&["version 2", "expected 1"]]);
    trial.take("another agent's", of_other_agent.clone(), &[&["was made for agent", "this agent is"]]);
    trial.take("another network's id", with("network", theirs["network"].clone()), &[&["keyset", "of network"]]);
    trial.take("no network id", with("network", json!("zz")), &[&["\"network\"", "expected 32"]]);
    trial.take("another root", with("root_keys", theirs["root_keys"].clone()), &[&["keyset", "root"]]);
    trial.take("no root", with("root_keys", json!([])), &[&["root"]]);
    trial.take("a root that need not sign", with("root_threshold", json!(0)), &[&["root_threshold", "expected"]]);
    trial.take("another keyset", with("keyset", theirs["keyset"].clone()), &[&["keyset", "of network"]]);
    trial.take("no keyset", with("keyset", json!("zz")), &[&["\"keyset\"", "expected hexadecimal digits"]]);
    let keyset = sound["keyset"].as_str().unwrap();
    trial.take("a keyset cut short", with("keyset", json!(&keyset[..20])), &[&["keyset"]]);
    let url = "expected mqtts://";
    trial.take("no MQTT", with("broker", json!("http://x:1")), &[&["\"broker\"", "http://x:1", url]]);
    trial.take(
        "far and without TLS",
        with("broker", json!("mqtt://10.0.0.1:1883")),
        &[&["\"broker\"", "10.0.0.1", url]],
    );
    trial.take("no CA", with("ca", Value::Null), &[&["\"ca\"", "mqtts://"]]);
    trial.take("no certificate", with("certificate", Value::Null), &[&["\"certificate\"", "mqtts://"]]);
    trial.take("a name of 1 MB", with("name", json!("n".repeat(1_000_000))), &[&["\"name\"", "expected 1 to 64"]]);

    // What only TLS looks into is looked into now, not when the broker is far and the person gone.
    let pem = sound["certificate"].as_str().unwrap();
    let half = &pem[..pem.len() / 2];
    let own = &["\"certificate\""];
    trial.take("a certificate cut short", with("certificate", json!(half)), &[own]);
    let closed = format!("{half}\n-----END CERTIFICATE-----\n");
    trial.take("half a certificate", with("certificate", json!(closed)), &[own]);
    trial.take("a garbage certificate", with("certificate", json!("hello")), &[own]);
    let foreign = read(&of_other_agent)["certificate"].clone();
    trial.take(
        "another key's certificate",
        with("certificate", foreign),
        &[&["\"certificate\"", "does not fit", "key"]],
    );
    trial.take("a garbage CA", with("ca", json!("hello")), &[&["\"ca\""]]);
    trial.take("half a CA", with("ca", json!(closed)), &[&["\"ca\""]]);

    let Trial { collector, before, mut table } = trial;
    let (missing, folder) = (collector.place.at("missing.bundle"), collector.place.at(""));
    let told = collector.agent("kantor-a", &["enrol", "--bundle", &missing]);
    table.refused("missing", &told, 1, &missing, &[&["cannot read", "No such file"]]);
    let told = collector.agent("kantor-a", &["enrol", "--bundle", &folder]);
    table.refused("a folder", &told, 1, &folder, &[&["cannot read", "directory"]]);
    table.unchanged("afterwards", &before, &collector.place.dir().join("kantor-a"));

    // A good one still does; after that the agent is of that network, whoever else would have it.
    collector.agent("kantor-a", &["enrol", "--bundle", &good]).done();
    let enrolled = Snapshot::of(&collector.place.dir().join("kantor-a"));
    let told = collector.agent("kantor-a", &["enrol", "--bundle", &of_other_network]);
    let (ours, other) = (sound["network"].as_str().unwrap(), theirs["network"].as_str().unwrap());
    table.refused("another network's", &told, 1, &of_other_network, &[&[ours, other, "expected"]]);
    table.unchanged("another network's", &enrolled, &collector.place.dir().join("kantor-a"));
}

#[test]
fn without_a_key_or_a_bundle_an_agent_says_how_to_enrol() {
    let (collector, mut table) = (Collector::embedded(), Table::default());
    let _serve = collector.serve();
    collector.observer("kantor-a", "kantor-a");
    let told = collector.agent("kantor-a", &["run"]);
    table.refused("no bundle", &told, 1, "", &[&["bundle.json is missing", "enrol --request", "--bundle"]]);
    collector.observer("kantor-b", "kantor-b");
    let (bundle, key) = (collector.approve("kantor-b"), collector.place.at("kantor-a/agent.key"));
    let told = collector.agent("kantor-a", &["enrol", "--bundle", &bundle]);
    table.refused("no key", &told, 1, &key, &[&["no key to enrol", "enrol --request"]]);
    table.holds("afterwards", "no state folder was made", !collector.place.has("kantor-a"));

    let told = collector.agent("kantor-b", &["enrol", "--bundle", &bundle]);
    told.done();
    let stored = collector.place.at("kantor-b/bundle.json");
    for (case, text) in [("garbage", "hello"), ("empty", ""), ("another shape", "[]")] {
        fs::write(&stored, text).unwrap();
        let told = collector.agent("kantor-b", &["run"]);
        table.refused(case, &told, 1, &stored, &[&["is no bundle", "line 1"]]);
    }
}

struct Trial {
    collector: Collector,
    before: Snapshot,
    table: Table,
}

impl Trial {
    fn take(&mut self, case: &str, text: impl AsRef<[u8]>, lines: &[&[&str]]) {
        let file = self.collector.place.write("bad.bundle", text);
        let told = self.collector.agent("kantor-a", &["enrol", "--bundle", &file]);
        self.table.refused(case, &told, 1, &file, lines);
        let state = self.collector.place.dir().join("kantor-a");
        self.table.unchanged(case, &self.before, &state);
        // So that one that was taken in does not spoil the rows that follow.
        let _ = fs::remove_file(state.join("bundle.json"));
    }
}
