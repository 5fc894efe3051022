//! An agent that was built for another processor, run by qemu: it enrols, polls by SNMP, publishes over TLS to
//! Mosquitto, applies a signed change on a (simulated) RouterOS router and has it confirmed; what nobody confirms it takes
//! back; killed and started again, it goes on.
//!
//! Which agent: `TAKAR_FOREIGN_AGENT=FILE`, and who runs it: `TAKAR_FOREIGN_RUNNER=qemu-mipsel-static`. So it runs only when
//! it is asked for by name (`tests/run` does, for some processors; `tests/run --cross` for all). Without a runner it is
//! this machine's own processor, and what the agent holds of its memory is judged too.
// A test that cannot go on has failed; the programs run in real time.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::{fs, path::PathBuf, time::Instant};

use serde_json::Value;
use takar_e2e::{
    lab::{Broker, Lab, Traffic},
    measure::pss_kb,
};

const RULES: &str = "[change]\nconfirm_within_s = 8\nexpires_in_s = 30\n";

/// PSS, in octets.
const MOST_MEMORY: u64 = 3_000_000;

#[test]
fn a_foreign_agent_closes_the_loop() {
    let asked = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let program = asked("TAKAR_FOREIGN_AGENT").expect("TAKAR_FOREIGN_AGENT");
    let runner = asked("TAKAR_FOREIGN_RUNNER");
    let is_native = runner.is_none();
    let begun = Instant::now();
    let folder = tempfile::tempdir().unwrap();
    let traffic = Traffic { profile: "fair", seed: 1, sites: 2, capacity_bps: 20_000_000 };
    let (mut lab, mut serve) = Lab::start_with(Broker::Mosquitto, folder.path(), traffic, RULES);
    lab.agent = runner.into_iter().chain([program.clone()]).collect();
    let mut sites = [lab.site("kantor-a", 0), lab.site("kantor-b", 1)];
    let begins = || lab.import(&sites);
    if let Err(failed) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(begins)) {
        eprintln!("the agent said: {}", sites[0].agent.log());
        std::panic::resume_unwind(failed);
    }

    let moves = ["--move", "kantor-a:up:6M", "--move", "kantor-b:up:14M"];
    let confirmed = change(&lab, &moves, "confirmed");
    assert_eq!(confirmed.len(), 2, "{confirmed:#?}");
    lab.wait_links("the new ceilings", |links| in_force(links) == [Some(6_000_000), Some(14_000_000)]);

    // A drill: nobody confirms.
    serve.end();
    let config = lab.dir.join("takar.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("[change]\n", "[change]\nwithhold_confirm = true\n")).unwrap();
    let _serve = lab.serve();
    lab.wait_links("the devices heard again", |links| links.iter().all(|row| row["observed_bps"].is_u64()));
    let ended = change(&lab, &["--move", "kantor-a:up:4M"], "rolled-back");
    assert_eq!(ended.len(), 1, "{ended:#?}");
    lab.wait_links("the old ceiling", |links| in_force(links) == [Some(6_000_000), Some(14_000_000)]);

    sites[0].agent.kill().unwrap();
    sites[0].agent = lab.run_agent("kantor-a");
    let stored = || lab.takar(&["status"])["samples_stored"].as_u64();
    let before = stored();
    lab.wait_links("the agent that was killed", |links| {
        links.iter().all(|row| row["poll"] == "ok") && stored() > before
    });
    assert_eq!(lab.takar(&["audit", "verify"])["ok"], true);
    if is_native {
        let held = pss_kb(sites[1].agent.pid()).unwrap() * 1024;
        println!("memory of the agent that went through all of it, with TLS: {held} octets (PSS)");
        assert!(held <= MOST_MEMORY, "expected at most {MOST_MEMORY}");
    }
    println!(
        "{}: {} octets; enrolled, polled, published over TLS, applied, confirmed, rolled back, restarted in {:.1} s",
        program.display(),
        fs::metadata(&program).unwrap().len(),
        begun.elapsed().as_secs_f64()
    );
}

/// Proposed by hand and approved; its changes, when all are in that state.
fn change(lab: &Lab, moves: &[&str], state: &str) -> Vec<Value> {
    let plan = lab.takar(&[&["propose"], moves, &["--reason", "uji"]].concat());
    let proposal = plan["proposals"][0]["id"].clone();
    lab.takar(&["approve", &proposal.to_string()]);
    let of_it = |change: &&Value| change["proposal"] == proposal;
    let all = lab.wait_changes(&format!("changes to be {state}"), |changes| {
        let mut own = changes.iter().filter(of_it).peekable();
        own.peek().is_some() && own.all(|change| change["state"] == state)
    });
    all.into_iter().filter(|change| change["proposal"] == proposal).collect()
}

/// Of kantor-a and kantor-b, up.
fn in_force(links: &[Value]) -> [Option<u64>; 2] {
    ["kantor-a", "kantor-b"].map(|link| {
        let row = links.iter().find(|row| row["link"] == link && row["direction"] == "up")?;
        row["observed_bps"].as_u64()
    })
}
