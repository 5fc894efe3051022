//! A collector's machine that boots in 1970 and is put right later, as one without a battery does. The agent,
//! which never reads the wall clock, keeps the real one.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;
use takar_e2e::{
    clock::TurnedClock,
    lab::{Lab, Traffic},
    process::{Process, wait_for},
};

use crate::{
    place::{Place, inventory_of},
    table::{PATIENCE, Snapshot, Table, run},
};

/// Four days: a clock that has run for a while, wrongly.
const SINCE_1970: Duration = Duration::from_secs(4 * 86_400);

/// One that says 1970.
fn wrong_clock(folder: &Path) -> TurnedClock {
    let clock = TurnedClock::made_in(folder).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    clock.turn(-i64::try_from((now - SINCE_1970).as_secs()).unwrap()).unwrap();
    clock
}

/// Certificates made in 1970 would have ended in 1972.
#[test]
fn in_1970_no_network_is_made() {
    let (place, elsewhere, mut table) = (Place::new(), Place::new(), Table::default());
    let clock = wrong_clock(elsewhere.dir());
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
    let clock = wrong_clock(folder.path());
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

    clock.turn(0).unwrap();
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

fn serve_with(lab: &Lab, clock: &TurnedClock) -> Process {
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
