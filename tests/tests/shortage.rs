//! The loop by itself: routers with competing traffic behind a badly split uplink. The shortage is
//! found, proposed, approved by policy, applied and confirmed; the routers' own logs, written by a
//! program with no takar code in it, tell what came of it.

#![allow(clippy::disallowed_methods, reason = "the routers run in real time")]

use std::{collections::HashMap, fs, time::Duration};

use serde_json::Value;
use takar_e2e::{
    lab::{Lab, Traffic},
    process::wait_for,
};

const SITES: usize = 6;
const CAPACITY: u64 = 60_000_000;
const POLICY: &str = "[policy]\napprove = true\nmax_gain_per_mille = 1500\n[plan]\nmax_gain_per_mille = 1500\nhold_down_s = 10\n\
                      [change]\nconfirm_within_s = 8\nexpires_in_s = 20\n";

fn records(lab: &Lab) -> Vec<Value> {
    let texts = (0..SITES).map(|site| fs::read_to_string(lab.dir.join(format!("site-{site}.jsonl"))).unwrap());
    let mut records: Vec<Value> = texts
        .flat_map(|text| text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect::<Vec<Value>>())
        .collect();
    records.sort_by_key(|record| record["unix_ms"].as_u64());
    records
}

/// Offered and not served, in thousandths, between two moments.
fn unserved_per_mille(records: &[Value], from: u64, to: u64) -> u64 {
    let within =
        |record: &&Value| record["offered_bytes"].is_u64() && (from..to).contains(&record["unix_ms"].as_u64().unwrap());
    let sum = |key: &str| records.iter().filter(within).map(|record| record[key].as_u64().unwrap()).sum::<u64>();
    let (offered, served) = (sum("offered_bytes"), sum("served_bytes"));
    assert!(offered > 0, "no traffic between {from} and {to}");
    offered.saturating_sub(served) * 1000 / offered
}

/// The largest sum of ceilings that was ever in force.
fn largest_sum(records: &[Value], direction: &str) -> u64 {
    let (mut now, mut largest) = (HashMap::new(), 0);
    for record in records.iter().filter(|record| record["set"].is_object()) {
        now.insert(record["router"].to_string(), record["set"][direction].as_u64().unwrap());
        if now.len() == SITES {
            largest = largest.max(now.values().sum::<u64>());
        }
    }
    largest
}

#[test]
fn a_badly_split_uplink_is_mended_and_never_oversubscribed() {
    let folder = tempfile::tempdir().unwrap();
    let traffic = Traffic { profile: "skewed", seed: 7, sites: SITES, capacity_bps: CAPACITY };
    let (lab, _serve) = Lab::start(folder.path(), traffic, POLICY);
    let sites: Vec<_> = (0..SITES).map(|site| lab.site(&format!("site-{site}"), site)).collect();
    lab.import(&sites);
    wait_for("an approved proposal and its batch done", Duration::from_secs(60), || {
        let proposals = lab.takar(&["proposals"]).as_array().cloned().unwrap_or_default();
        Ok(proposals
            .iter()
            .any(|proposal| proposal["batch"] == "done" && proposal["decided_by"] == "policy")
            .then_some(()))
    })
    .unwrap_or_else(|error| panic!("{error}\n{:#}\n{:#}", lab.takar(&["links"]), lab.takar(&["changes"])));
    lab.wait_changes("every change to end", |changes| changes.iter().all(|change| change["ended_at"].is_u64()));
    std::thread::sleep(Duration::from_secs(6));

    let records = records(&lab);
    let moments: Vec<u64> = records
        .iter()
        .filter(|record| record["set"].is_object())
        .map(|record| record["unix_ms"].as_u64().unwrap())
        .collect();
    let (first, end) = (moments[SITES], records.last().unwrap()["unix_ms"].as_u64().unwrap());
    let before = unserved_per_mille(&records, first - 5_000, first);
    let after = unserved_per_mille(&records, end - 4_000, end);
    let (down, up) = (largest_sum(&records, "down_bps"), largest_sum(&records, "up_bps"));
    println!(
        "unserved before {before} and after {after} thousandths; at most {down} down and {up} up of {CAPACITY} in force"
    );
    assert!(after * 10 < before * 6, "unserved {before} before, {after} after");
    assert!(down <= CAPACITY && up <= CAPACITY, "P3: {down} down, {up} up of {CAPACITY} in force");
    let verified = lab.takar(&["audit", "verify"]);
    assert_eq!(verified["ok"], Value::from(true), "{verified:#}");
}

#[test]
fn a_fair_split_is_left_alone_and_the_reason_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let traffic = Traffic { profile: "fair", seed: 7, sites: SITES, capacity_bps: CAPACITY };
    let (lab, _serve) = Lab::start(folder.path(), traffic, POLICY);
    let sites: Vec<_> = (0..SITES).map(|site| lab.site(&format!("site-{site}"), site)).collect();
    lab.import(&sites);
    std::thread::sleep(Duration::from_secs(16));
    assert_eq!(lab.takar(&["proposals"]).as_array().map(Vec::len), Some(0));
    let plan = lab.takar(&["propose", "--dry-run"]);
    let reasons = plan["reasons"].as_array().cloned().unwrap_or_default();
    assert_eq!((reasons.len(), plan["proposals"].as_array().map(Vec::len)), (SITES * 2, Some(0)), "{plan:#}");
    assert!(reasons.iter().all(|reason| reason["why"].as_str().is_some_and(|why| why.len() > 10)), "{plan:#}");
}
