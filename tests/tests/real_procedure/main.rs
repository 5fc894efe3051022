//! The procedure's stories on real parts: agents, this kernel's queues and Debian's snmpd in network namespaces,
//! Mosquitto with TLS, a mail server, the pages over TLS, `takar-pdf`. Three people and a provider.
//!
//! What is the test's: the past (twenty days loaded into the store, since nobody waits three weeks), and the collector's
//! wall clock, which is turned to a Saturday and to the Monday after it. What happens between people and queues happens
//! in real time. Needs root, so it runs only when it is asked for by name (`tests/run` does, as root).
//!
//! `TAKAR_KEEP=FOLDER` keeps the laboratory's files, its reports among them, in a new folder.
// A test that cannot go on has failed; the programs run in real time.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod history;
mod office;
mod stories;

use std::path::{Path, PathBuf};

use office::Office;
use serde_json::Value;
use takar_e2e::netlab::{Namespace, lacking, run_inside};
use takar_shared::Direction::{Down, Up};

#[test]
fn the_procedure_is_carried_out_on_real_queues() {
    let missing = lacking(&["ip", "tc", "ethtool", "snmpd", "mosquitto", "iperf3"]);
    assert!(missing.is_empty(), "not installed: {missing:?}");
    run_inside("hub", "the_procedure_is_carried_out_on_real_queues", |namespace| {
        let kept = std::env::var_os("TAKAR_KEEP").map(PathBuf::from);
        let folder = tempfile::tempdir().unwrap();
        if let Some(kept) = &kept {
            std::fs::create_dir(kept).unwrap();
        }
        tell_all(namespace, kept.as_deref().unwrap_or(folder.path()));
    });
}

fn tell_all(namespace: Namespace, place: &Path) {
    let mut office = Office::open(namespace, place);
    stories::a_school_starves_on_monday_morning(&office);
    // Nobody looks at this one; it is found late at the end.
    let forgotten = office.opened("puskesmas:down", "antrean daring lambat");
    stories::a_provider_is_needed(&office);
    stories::one_is_dismissed_and_one_declined(&office);
    stories::a_rollback_reopens_the_case(&mut office);
    stories::a_weekend_is_lent(&office);
    stories::a_step_is_overdue(&office, forgotten);
    stories::the_month_and_the_year_are_summed_up(&office);
    nothing_is_left_unproved(&office);
}

fn nothing_is_left_unproved(office: &Office) {
    // A member has no right to it; the head reads it by the API.
    let head = office.head();
    for path in ["/v1/audit/verify", "/v1/archive/verify"] {
        let (status, text) = head.browser.get(path);
        assert_eq!(status, 200, "{path}: {text}");
        let verified: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(verified["ok"], true, "{path}: {verified:#}");
    }
    let links = office.takar(&["links"]);
    for row in links.as_array().unwrap() {
        let direction = if row["direction"] == "up" { Up } else { Down };
        let link = row["link"].as_str().unwrap();
        assert_eq!(row["recorded_bps"], office.in_force(link, direction), "on record, and in the kernel: {row:#}");
    }
}

/// Names of the steps that were gone through, in order.
fn steps(case: &Value) -> Vec<&str> {
    case["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect()
}
