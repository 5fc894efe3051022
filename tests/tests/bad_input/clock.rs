//! A collector's machine that boots in 1970 and is put right later, as one without a battery does. The clock is turned
//! by a library that is loaded before the C library; the agent, which never reads that clock, keeps the real one.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;
use takar_e2e::{
    lab::{Lab, Traffic},
    process::{Process, wait_for},
};

use crate::{
    place::{Place, inventory_of},
    table::{PATIENCE, Snapshot, Table, run},
};

/// As long as the file in CLOCK_BACK_WHILE is there, the wall clock is CLOCK_BACK_S seconds behind.
const LIBRARY: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(id, now);
    const char *file = getenv("CLOCK_BACK_WHILE"), *back = getenv("CLOCK_BACK_S");
    if (!failed && id == CLOCK_REALTIME && file && back && access(file, F_OK) == 0) now->tv_sec -= atoll(back);
    return failed;
}
"#;

/// Four days: a clock that has run for a while, wrongly.
const SINCE_1970: Duration = Duration::from_secs(4 * 86_400);

struct WrongClock {
    library: PathBuf,
    while_there: PathBuf,
    back_s: u64,
}

impl WrongClock {
    fn made_in(folder: &Path) -> Self {
        let (source, library) = (folder.join("clock.c"), folder.join("clock.so"));
        fs::write(&source, LIBRARY).unwrap();
        let mut compile = Command::new("cc");
        let made = compile.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg("-ldl").status();
        assert!(made.unwrap().success(), "cc, which also built the programs, cannot make {}", library.display());
        let while_there = folder.join("clock-is-wrong");
        fs::write(&while_there, "").unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Self { library, while_there, back_s: (now - SINCE_1970).as_secs() }
    }

    fn on(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.library).env("CLOCK_BACK_WHILE", &self.while_there);
        command.env("CLOCK_BACK_S", self.back_s.to_string());
    }

    fn put_right(&self) {
        fs::remove_file(&self.while_there).unwrap();
    }
}

/// Certificates made in 1970 would have ended in 1972.
#[test]
fn in_1970_no_network_is_made() {
    let (place, elsewhere, mut table) = (Place::new(), Place::new(), Table::default());
    let clock = WrongClock::made_in(elsewhere.dir());
    let (state, root, config) = (place.at("state"), place.at("root.key"), place.at("takar.toml"));
    let words = ["init", "--state-dir", &state, "--root-out", &root, "--config", &config];
    let before = Snapshot::of(place.dir());
    let mut command = place.command("takar", &words);
    clock.on(&mut command);
    table.refused("init", &run(command), 1, "", &[&["the clock says", "1970", "expected"]]);
    table.unchanged("init", &before, place.dir());
    table.holds("the right clock", "the network is made", place.run("takar", &words).code == Some(0));
}

#[test]
fn in_1970_nothing_is_signed_and_when_the_clock_is_right_all_goes_on() {
    let (folder, mut table) = (tempfile::tempdir().unwrap(), Table::default());
    let clock = WrongClock::made_in(folder.path());
    let traffic = Traffic { profile: "fair", seed: 1, sites: 1, capacity_bps: 8_000_000 };
    let (lab, mut serve) = Lab::start(folder.path(), traffic, "[change]\nconfirm_within_s = 6\nexpires_in_s = 20\n");
    let mut site = lab.site("kantor-a", 0);
    let inventory = lab.dir.join("inventory.toml");
    fs::write(&inventory, inventory_of(&["kantor-a"])).unwrap();
    lab.takar(&["import", inventory.to_str().unwrap()]);
    lab.wait_links("the device is read", |links| links.iter().all(|row| row["observed_bps"].is_u64()));
    let stored = || lab.takar(&["status"])["samples_stored"].as_u64();
    let before = stored();
    serve.end();

    let mut serve = serve_with(&lab, &clock);
    let behind = || {
        let notices = lab.takar(&["status"])["notices"].to_string();
        notices.contains("the clock is behind what was already stored")
    };
    table.holds("1970", "status says that the clock is behind", behind());
    table.holds("1970", "it is 1970", lab.takar(&["status"])["now"].as_u64() < Some(86_400_000 * 30));
    table.holds("1970", "what was stored is there", stored() >= before);
    let taken = stored();
    let more = wait_for("samples", PATIENCE, || Ok((stored() > taken).then_some(())));
    table.holds("1970", "samples are still taken in", more.is_ok());
    lab.wait_links("the device is read", |links| links.iter().all(|row| row["observed_bps"].is_u64()));
    // Three seconds are a dozen rounds in which the change could have left.
    let changes = approved(&lab, "kantor-a:up:6M");
    std::thread::sleep(Duration::from_secs(3));
    let waiting = |change: &Value| change["state"] == "waiting" && change["serial"].is_null();
    table.holds("1970", "an approved change waits, unsigned", changes(&lab).iter().all(waiting));
    let lines = serve.log().lines().filter(|line| line.contains("the clock is behind")).count();
    table.holds("1970", &format!("the log says it once, not {lines} times"), lines == 1);

    clock.put_right();
    let right = wait_for("the clock", PATIENCE, || Ok((!behind()).then_some(())));
    table.holds("put right", "the notice is gone", right.is_ok());
    // Too old to be carried out now; it was never sent, so nothing has to be undone.
    let ended = wait_for("the change to end", PATIENCE, || {
        serve.check()?;
        let ended = |change: &Value| change["state"] == "withdrawn" || change["state"] == "confirmed";
        Ok(changes(&lab).iter().all(ended).then_some(()))
    });
    table.holds("put right", &format!("the change ends: {:?}", changes(&lab)), ended.is_ok());
    let measured = wait_for("a new reading", PATIENCE, || {
        site.agent.check()?;
        let links = lab.takar(&["links"]);
        let is_new = |row: &Value| row["used_bps"].is_u64() && row["read_at"].as_u64() > Some(86_400_000 * 365);
        Ok(links.as_array().unwrap().iter().all(is_new).then_some(()))
    });
    table.holds("put right", "links are measured again, no agent restarted", measured.is_ok());
    if measured.is_ok() {
        let changes = approved(&lab, "kantor-a:down:6M");
        let ended = wait_for("a change", PATIENCE, || {
            Ok(changes(&lab).iter().all(|change| change["state"] == "confirmed").then_some(()))
        });
        table.holds("put right", &format!("changes are made again: {:?}", changes(&lab)), ended.is_ok());
    }
    table.holds("put right", "the audit log holds", lab.takar(&["audit", "verify"])["ok"] == true);
}

fn serve_with(lab: &Lab, clock: &WrongClock) -> Process {
    let config = lab.dir.join("takar.toml");
    let mut command = Command::new(lab.programs.join("takar"));
    command.arg("--config").arg(&config).arg("serve");
    clock.on(&mut command);
    let mut serve = Process::start("takar serve", command, &lab.dir.join("serve-in-1970.log")).unwrap();
    wait_for("takar serve in 1970", PATIENCE, || {
        serve.check()?;
        let mut status = Command::new(lab.programs.join("takar"));
        let answered = status.arg("--config").arg(&config).arg("status").output()?;
        Ok(answered.status.success().then_some(()))
    })
    .unwrap();
    serve
}

/// Proposes a move by hand and approves it; what becomes of its changes.
fn approved(lab: &Lab, asked: &str) -> impl Fn(&Lab) -> Vec<Value> + use<> {
    let plan = lab.takar(&["propose", "--move", asked, "--reason", "test"]);
    let proposal = plan["proposals"][0]["id"].clone();
    lab.takar(&["approve", &proposal.to_string()]);
    move |lab: &Lab| {
        let all = lab.takar(&["changes"]);
        let own: Vec<Value> =
            all.as_array().unwrap().iter().filter(|change| change["proposal"] == proposal).cloned().collect();
        assert!(!own.is_empty(), "an approved proposal has changes: {all:#}");
        own
    }
}
