//! Bandwidth on demand: lent, and taken back by itself, also when the collector was down meanwhile.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use takar_e2e::process::wait_for;

use super::{office, steps};

fn local(in_s: u64) -> String {
    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + in_s;
    let (days, rest) = (at / 86_400, at % 86_400);
    // Civil date of a day number, by counting from 0000-03-01.
    let z = days + 719_468;
    let (era, doe) = (z / 146_097, z % 146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (day, month) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    let year = yoe + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

#[test]
fn a_loan_begins_at_its_time_and_comes_back_by_itself() {
    let mut office = office("fair", "");
    let recorded = |office: &super::Office| {
        let links = office.lab.takar(&["links"]);
        let row = links.as_array().unwrap().iter().find(|row| row["link"] == "kantor-a" && row["direction"] == "up");
        row.unwrap()["recorded_bps"].as_u64().unwrap()
    };
    let before = recorded(&office);
    let (from, until) = (local(6), local(26));
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
