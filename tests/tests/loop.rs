//! The loop, with real programs: collector with its embedded broker, agents, simulated RouterOS
//! routers. A change proposed by hand is approved, applied, confirmed and proved.
// A test that cannot go on has failed; the programs run in real time.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use serde_json::Value;
use takar_e2e::lab::{Lab, Traffic};

fn observed(links: &[Value], link: &str) -> Option<u64> {
    let row = links.iter().find(|row| row["link"] == link && row["direction"] == "up")?;
    row["observed_bps"].as_u64()
}

#[test]
fn a_change_by_hand_is_confirmed_and_an_interrupted_one_rolls_back() {
    let folder = tempfile::tempdir().unwrap();
    let traffic = Traffic { profile: "fair", seed: 1, sites: 2, capacity_bps: 20_000_000 };
    let (lab, mut serve) = Lab::start(folder.path(), traffic, "[change]\nconfirm_within_s = 6\nexpires_in_s = 20\n");
    let mut sites = [lab.site("kantor-a", 0), lab.site("kantor-b", 1)];
    lab.import(&sites);

    // Four megabits move; the decrease is Confirmed before the increase leaves.
    let moves = ["--move", "kantor-a:up:6M", "--move", "kantor-b:up:14M", "--reason", "test"];
    let plan = lab.takar(&[&["propose"], &moves[..]].concat());
    let proposal = plan["proposals"][0]["id"].to_string();
    lab.takar(&["approve", &proposal]);
    let changes = lab.wait_changes("both changes confirmed", |changes| {
        changes.len() == 2 && changes.iter().all(|change| change["state"] == "confirmed")
    });
    let step = |step: u64| changes.iter().find(|change| change["step"] == step).unwrap();
    assert!(step(1)["ended_at"].as_u64() <= step(2)["dispatched_at"].as_u64(), "{changes:#?}");
    lab.wait_links("the new ceilings", |links| {
        observed(links, "kantor-a") == Some(6_000_000) && observed(links, "kantor-b") == Some(14_000_000)
    });

    // The agent dies as its change is applied and returns: nothing unconfirmed stays, nothing is applied twice.
    let plan = lab.takar(&["propose", "--move", "kantor-b:up:12M", "--reason", "test"]);
    let samples = lab.takar(&["status"])["samples_stored"].as_u64();
    lab.takar(&["approve", &plan["proposals"][0]["id"].to_string()]);
    sites[1].agent.kill().unwrap();
    sites[1].agent = lab.run_agent("kantor-b");
    let changes = lab.wait_changes("the interrupted change to end", |changes| {
        let ended = |change: &Value| matches!(change["state"].as_str(), Some("confirmed" | "rolled-back" | "refused"));
        changes.len() == 3 && changes.iter().all(ended)
    });
    let last = changes.iter().find(|change| change["proposal"] == plan["proposals"][0]["id"]).unwrap();
    let expected = if last["state"] == "confirmed" { 12_000_000 } else { 14_000_000 };
    lab.wait_links("record and device agree", |links| {
        links.iter().all(|row| row["observed_bps"] == row["recorded_bps"])
            && observed(links, "kantor-b") == Some(expected)
    });

    // The collector dies and returns: what was stored is there, and the log proves every change.
    serve.kill().unwrap();
    let _serve = lab.serve();
    assert!(lab.takar(&["status"])["samples_stored"].as_u64() >= samples);
    let verified = lab.takar(&["audit", "verify"]);
    assert_eq!((&verified["ok"], &verified["changes"]), (&Value::from(true), &Value::from(3)), "{verified:#}");
}
