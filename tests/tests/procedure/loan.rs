//! Bandwidth on demand: lent, and taken back by itself, also when the collector was down meanwhile.

use std::time::Duration;

use takar_e2e::{client::in_seconds, process::wait_for};

use super::{office, steps};

#[test]
fn a_loan_begins_at_its_time_and_comes_back_by_itself() {
    let mut office = office("fair", "");
    let recorded = |office: &super::Office| {
        let links = office.lab.takar(&["links"]);
        let row = links.as_array().unwrap().iter().find(|row| row["link"] == "kantor-a" && row["direction"] == "up");
        row.unwrap()["recorded_bps"].as_u64().unwrap()
    };
    let before = recorded(&office);
    let (from, until) = (in_seconds(6).unwrap(), in_seconds(26).unwrap());
    let to = "kantor-a:up:12M";
    let refused = office.refused(&["bod", "--to", to, "--from", &until, "--until", &from, "--reason", "akhir pekan"]);
    assert!(refused.contains("until: expected a time after from"), "{refused}");
    let asked = ["bod", "--to", to, "--from", &from, "--until", &until, "--reason", "akhir pekan", "--letter", "S-12"];
    let case = office.lab.takar(&asked);
    let id = case["id"].as_u64().unwrap();
    assert_eq!((&case["kind"], &case["waits_for"]), (&"bod".into(), &"grant".into()));
    assert_eq!(office.act(id, &["grant"])["state"], "scheduled");
    assert_eq!(recorded(&office), before, "not before its time");
    let lent = office.wait_case(id, "on-loan");
    assert_eq!(recorded(&office), 12_000_000, "{lent:#}");

    // What was lent is not forgotten by a collector that was down as its time came.
    office._serve.kill().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    office._serve = office.lab.serve();
    let case = office.wait_case(id, "receive");
    assert_eq!(steps(&case), ["check", "identify", "coordinate", "allocate", "report", "receive"]);
    wait_for("the old ceiling", Duration::from_secs(10), || Ok((recorded(&office) == before).then_some(()))).unwrap();
    assert_eq!(case["case"]["outcome"]["is"], "returned");
    assert_eq!(case["proposals"].as_array().unwrap().len(), 2, "there and back");
    assert_eq!(office.lab.takar(&["audit", "verify"])["ok"], true);
}
