//! Enrolment requests, as people carry them to the collector.

use std::fs;

use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use takar_shared::{
    Digest,
    bundle::{Request, request_preimage},
    signing,
};

use crate::{
    place::Collector,
    table::{Snapshot, Table},
};

#[test]
fn a_bad_request_is_told_key_by_key_and_lets_nobody_in() {
    let collector = Collector::embedded();
    let _serve = collector.serve();
    collector.observer("kantor-a", "kantor-a");
    let good = collector.request("kantor-a");
    let text = fs::read_to_string(&good).unwrap();
    let sound: Request = serde_json::from_str(&text).unwrap();
    let seed: Digest =
        fs::read_to_string(collector.place.at("kantor-a/agent.key")).unwrap().trim_end().parse().unwrap();
    let key = SigningKey::from_bytes(&seed.0);
    // Signed anew, so that the change is all that is wrong.
    let with = |change: &dyn Fn(&mut Request)| {
        let mut request = sound.clone();
        change(&mut request);
        let signature = signing::sign(&key, &request_preimage(&request));
        request.signature = signature.iter().map(|byte| format!("{byte:02x}")).collect();
        serde_json::to_string(&request).unwrap()
    };
    let unsigned = |key: &str, value: Value| {
        let mut request = serde_json::to_value(&sound).unwrap();
        request[key] = value;
        request.to_string()
    };
    let mut trial = Trial { collector, table: Table::default() };
    let carried = "expected the file that takar-agent enrol --request wrote";

    trial.add("empty", "", &[&["line 1", carried]]);
    trial.add("no JSON", "hello\n", &[&["line 1", carried]]);
    trial.add("cut short", &text[..100], &[&["EOF", carried]]);
    trial.add("no UTF-8", b"\xff\xfe{}", &[&["cannot be read", "UTF-8"]]);
    trial.add("another shape", "[]", &[&["line 1", carried]]);
    trial.add("unknown key", unsigned("colour", json!(1)), &[&["`colour`", carried]]);
    let broken = &["signature: ", "does not hold", "expected one by public_key"];
    trial.add("wrong signature", unsigned("signature", json!("00".repeat(64))), &[broken]);
    trial.add("another name", unsigned("name", json!("kantor-b")), &[broken]);
    trial.add("short signature", unsigned("signature", json!("00")), &[&["signature: ", "expected 128"]]);
    let version = with(&|request| request.takar_request = 2);
    trial.add("version", version, &[&["takar_request: ", "version 2", "expected 1"]]);
    let zeros = "00".repeat(16);
    let fingerprint = with(&|request| request.fingerprint.clone_from(&zeros));
    trial.add("wrong fingerprint", fingerprint, &[&["fingerprint: ", &zeros, "not the key's"]]);
    let fingerprint = with(&|request| request.fingerprint = "x".into());
    trial.add("no fingerprint", fingerprint, &[&["fingerprint: ", "expected 32"]]);
    let no_key = with(&|request| request.public_key = "zz".into());
    trial.add("no key", no_key, &[&["public_key: ", "expected 64"]]);
    trial.add("no devices", with(&|request| request.devices.clear()), &[&["devices: ", "expected 1 to 64"]]);
    let name = with(&|request| request.name = "a/b".into());
    trial.add("a name for topics", name, &[&["name: ", "\"a/b\"", "expected 1 to 64"]]);
    let several = with(&|request| (request.takar_request, request.name) = (2, String::new()));
    trial.add("several at once", several, &[&["takar_request: ", "expected 1"], &["name: ", "expected 1 to 64"]]);
    let long = with(&|request| request.name = "n".repeat(1_000_000));
    trial.add("a name of 1 MB", long, &[&["name: ", "expected 1 to 64"]]);
    let huge = with(&|request| request.name = "n".repeat(9_000_000));
    trial.add("9 MB", huge, &[&["expected at most 8 MiB"]]);
    trial.add("9 MB of junk", "x".repeat(9_000_000), &[&["line 1", carried]]);

    let Trial { collector, mut table } = trial;
    let (missing, out) = (collector.place.at("missing.request"), collector.place.at("kantor-a.bundle"));
    let told = collector.takar(&["device", "add", &missing]);
    table.refused("missing", &told, 1, &missing, &[&["cannot be read", "No such file"]]);
    let told = collector.takar(&["device", "approve", &missing, "--out", &out]);
    table.refused("missing", &told, 1, &missing, &[&["expected a request file or a name"]]);
    let told = collector.takar(&["device", "approve", "nobody", "--out", &out]);
    table.refused("nobody", &told, 1, "", &[&["\"nobody\"", "takar device list"]]);
    table.holds("afterwards", "nobody waits", collector.ask(&["device", "list"]) == json!([]));
    table.holds("afterwards", "no bundle is there", !collector.place.has("kantor-a.bundle"));

    // Nor is anything written over: not by the bundle, not by a request.
    collector.place.write("precious", "precious");
    let precious = collector.place.at("precious");
    let before = Snapshot::of(collector.place.dir());
    let told = collector.takar(&["device", "approve", &good, "--out", &precious]);
    table.refused("bundle over a file", &told, 1, &precious, &[&["is there already", "expected a new file"]]);
    let told = collector.agent("kantor-a", &["enrol", "--request", &precious, "--name", "kantor-a"]);
    table.refused("request over a file", &told, 1, &precious, &[&["is there", "expected"]]);
    let told = collector.agent("kantor-a", &["enrol", "--request", &collector.place.at("new"), "--name", "a/b"]);
    table.refused("a name for topics", &told, 1, "", &[&["\"a/b\"", "expected 1 to 64"]]);
    table.unchanged("nothing is written over", &before, collector.place.dir());
    table.holds("afterwards", "still nobody is in", collector.ask(&["status"])["agents"] == 0);
    collector.takar(&["device", "approve", &good, "--out", &out]).done();
}

#[test]
fn names_that_clash_are_told_and_the_first_keeps_his() {
    let (collector, mut table) = (Collector::embedded(), Table::default());
    let _serve = collector.serve();
    collector.observer("kantor-a", "core-1");
    collector.approve("kantor-a");

    collector.observer("kantor-b", "core-1");
    let (clash, out) = (collector.request("kantor-b"), collector.place.at("kantor-b.bundle"));
    let told = collector.takar(&["device", "approve", &clash, "--out", &out]);
    table.refused("device", &told, 1, &clash, &[&["device \"core-1\"", "agent kantor-a", "expected"]]);
    table.holds("device", "no bundle is there", !collector.place.has("kantor-b.bundle"));

    // Two that ask by one name: neither is taken for the other.
    for (agent, device) in [("one", "core-2"), ("two", "core-3")] {
        collector.observer(agent, device);
        let request = collector.place.at(&format!("{agent}.request"));
        collector.agent(agent, &["enrol", "--request", &request, "--name", "core"]).done();
        collector.takar(&["device", "add", &request]).done();
    }
    let told = collector.takar(&["device", "approve", "core", "--out", &out]);
    table.refused("name", &told, 1, "", &[&["2 requests are named \"core\"", "fingerprint"]]);
    table.holds("name", "no bundle is there", !collector.place.has("kantor-b.bundle"));
    table.holds("afterwards", "one agent is in", collector.ask(&["status"])["agents"] == 1);
}

struct Trial {
    collector: Collector,
    table: Table,
}

impl Trial {
    fn add(&mut self, case: &str, text: impl AsRef<[u8]>, lines: &[&[&str]]) {
        let file = self.collector.place.write("bad.request", text);
        let out = self.collector.place.at("bad.bundle");
        for words in [["device", "add", &file].as_slice(), &["device", "approve", &file, "--out", &out]] {
            self.table.refused(case, &self.collector.takar(words), 1, &file, lines);
        }
        self.table.holds(case, "no bundle is there", !self.collector.place.has("bad.bundle"));
    }
}
