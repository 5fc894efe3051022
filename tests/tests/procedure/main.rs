//! The procedure, with real programs: collector with its embedded broker, agents, simulated RouterOS routers. Readings
//! are of two seconds and the office works around the clock, so that what takes a morning there takes a minute here;
//! nothing else is shortened.
// A test that cannot go on has failed; the programs run in real time.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod archive;
mod by_people;
mod late;
mod loan;
mod register;
mod six_steps;

use std::{path::Path, process::Command, time::Duration};

use serde_json::Value;
use takar_e2e::{
    lab::{Lab, Site, Traffic},
    process::{Process, wait_for},
};

/// Around the clock.
const PROCEDURE: &str = "\
[procedure]
week = { mon = \"00:00-24:00\", tue = \"00:00-24:00\", wed = \"00:00-24:00\", thu = \"00:00-24:00\", fri = \"00:00-24:00\", sat = \"00:00-24:00\", sun = \"00:00-24:00\" }
";

/// A change that is not confirmed comes back within seconds.
const CHANGE: &str = "\
[change]
confirm_within_s = 8
expires_in_s = 20
";

struct Office {
    lab: Lab,
    _serve: Process,
    _sites: Vec<Site>,
    _folder: tempfile::TempDir,
}

/// Two offices of equal share on an uplink of 20 Mbit/s either way, measured.
fn office(profile: &'static str, rules: &str) -> Office {
    office_with(profile, "", rules)
}

/// With more of `[procedure]`, and more after `[change]`.
fn office_with(profile: &'static str, procedure: &str, rules: &str) -> Office {
    let folder = tempfile::tempdir().unwrap();
    let traffic = Traffic { profile, seed: 1, sites: 2, capacity_bps: 20_000_000 };
    let (lab, serve) = Lab::start(folder.path(), traffic, &format!("{PROCEDURE}{procedure}{CHANGE}{rules}"));
    let sites = vec![lab.site("kantor-a", 0), lab.site("kantor-b", 1)];
    lab.import(&sites);
    Office { lab, _serve: serve, _sites: sites, _folder: folder }
}

impl Office {
    fn case(&self, id: u64) -> Value {
        self.lab.takar(&["case", &id.to_string()])
    }

    fn act(&self, id: u64, words: &[&str]) -> Value {
        let id = id.to_string();
        self.lab.takar(&[&["case", id.as_str()], words].concat())
    }

    /// What takar says against it.
    fn refused(&self, words: &[&str]) -> String {
        let mut command = Command::new(self.lab.programs.join("takar"));
        let output = command.arg("--config").arg(self.lab.dir.join("takar.toml")).args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "takar {words:?}: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).unwrap()
    }

    /// A case by hand: open, checked, in step 2.
    fn opened(&self, link: &str) -> u64 {
        let place = format!("{link}:up");
        self.lab.takar(&["open-case", "--link", &place, "--reason", "lambat"])["id"].as_u64().unwrap()
    }

    fn wait_case(&self, id: u64, state: &str) -> Value {
        wait_for(&format!("case {id} to be {state}"), Duration::from_secs(90), || {
            let case = self.case(id);
            Ok((case["state"] == state).then_some(case))
        })
        .unwrap_or_else(|error| panic!("{error}\n{:#}\n{}", self.case(id), self.log()))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.lab.dir.join("serve.log")).unwrap_or_default()
    }

    fn archive(&self) -> std::path::PathBuf {
        self.lab.dir.join("state/archive")
    }
}

/// Names of the steps that were gone through, in order.
fn steps(case: &Value) -> Vec<&str> {
    case["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect()
}

fn evidence<'a>(case: &'a Value, kind: &str) -> &'a Value {
    let all = case["evidence"].as_array().unwrap();
    let found = all.iter().rev().find(|one| one["kind"] == kind);
    &found.unwrap_or_else(|| panic!("no evidence of the kind {kind} in {case:#}"))["what"]
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
