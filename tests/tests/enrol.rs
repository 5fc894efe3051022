//! A router that lost its agent's state comes back under its device name: the agent enrolled anew takes the place of
//! the one before, which only a person can decide, and which a person can take back.
#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;
use takar_e2e::lab::{Lab, Traffic};

const NAME: &str = "kantor-a";

/// For what is to be looked at whether it succeeds or not.
fn run(lab: &Lab, program: &str, config: &str, words: &[&str]) -> Output {
    let mut command = Command::new(lab.programs.join(program));
    command.arg("--config").arg(lab.dir.join(config)).args(words).output().unwrap()
}

fn succeed(lab: &Lab, program: &str, config: &str, words: &[&str]) {
    let output = run(lab, program, config, words);
    assert!(output.status.success(), "{program} {words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Agent ids by what their enrolment is, in this order.
fn agents(lab: &Lab, enrolments: &[&str]) -> Vec<String> {
    let listed = lab.takar(&["device", "list"]);
    let rows = listed.as_array().unwrap();
    assert_eq!(rows.len(), enrolments.len(), "{listed:#}");
    let find = |enrolment: &&str| {
        let row = rows.iter().find(|row| row["enrolment"] == **enrolment && row["device"] == NAME);
        row.unwrap_or_else(|| panic!("none is {enrolment}: {listed:#}"))["agent"].as_str().unwrap().to_owned()
    };
    enrolments.iter().map(find).collect()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn an_agent_enrolled_anew_takes_the_device_over() {
    let folder = tempfile::tempdir().unwrap();
    let traffic = Traffic { profile: "fair", seed: 1, sites: 1, capacity_bps: 20_000_000 };
    let (lab, _serve) = Lab::start(folder.path(), traffic, "");
    let mut sites = [lab.site(NAME, 0)];
    lab.import(&sites);
    let first = agents(&lab, &["approved"]).remove(0);

    // The flash is gone. What the spool holds is of a key that nobody has any more.
    sites[0].agent.kill().unwrap();
    fs::remove_dir_all(lab.dir.join(NAME)).unwrap();
    let agent_config = format!("{NAME}.toml");
    let (request, bundle) = (lab.dir.join("anew.request"), lab.dir.join("anew.bundle"));
    succeed(&lab, "takar-agent", &agent_config, &["enrol", "--request", text(&request), "--name", NAME]);

    // Without being told so, nobody is taken out.
    let approve = ["device", "approve", text(&request), "--out", text(&bundle)];
    let refused = run(&lab, "takar", "takar.toml", &approve);
    let said = String::from_utf8_lossy(&refused.stderr);
    let line =
        format!("device \"{NAME}\" is served by agent {NAME} already; expected --replace, which takes {NAME} out");
    assert_eq!((refused.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.trim_end().ends_with(&line), "{said}");
    assert!(!bundle.exists());
    assert_eq!(agents(&lab, &["approved"]), [first.as_str()]);

    let replaced_at = lab.takar(&["status"])["now"].as_u64().unwrap();
    succeed(&lab, "takar", "takar.toml", &[approve.as_slice(), &["--replace"]].concat());
    succeed(&lab, "takar-agent", &agent_config, &["enrol", "--bundle", text(&bundle)]);
    sites[0].agent = lab.run_agent(NAME);
    lab.wait_links("the link measured by the new agent", |links| {
        let is_new = |row: &Value| row["read_at"].as_u64() > Some(replaced_at);
        links.len() == 2 && links.iter().all(|row| row["poll"] == "ok" && row["used_bps"].is_u64() && is_new(row))
    });
    let [second, revoked]: [String; 2] = agents(&lab, &["approved", "revoked"]).try_into().unwrap();
    assert_eq!(revoked, first);
    assert_ne!(second, first);
    let status = lab.takar(&["status"]);
    assert_eq!((&status["agents"], &status["agents_online"]), (&Value::from(1), &Value::from(1)), "{status:#}");

    // Taken back: the request of the first is there still.
    let old = lab.dir.join(format!("{NAME}.request"));
    let again = lab.dir.join("again.bundle");
    lab.takar(&["device", "approve", text(&old), "--out", text(&again), "--replace"]);
    assert_eq!(agents(&lab, &["approved", "revoked"]), [first.clone(), second.clone()]);
    let log = lab.takar(&["audit", "list"]);
    let told = |row: &Value| format!("{} {}", row["event"], row["record"]["what"]["agent"]).replace('"', "");
    let decided: Vec<String> =
        log.as_array().unwrap().iter().map(told).filter(|line| line.starts_with("device-")).collect();
    let expected = [
        format!("device-approved {first}"),
        format!("device-revoked {first}"),
        format!("device-approved {second}"),
        format!("device-revoked {second}"),
        format!("device-approved {first}"),
    ];
    assert_eq!(decided, expected);
    assert_eq!(lab.takar(&["audit", "verify"])["ok"], Value::from(true));
}
