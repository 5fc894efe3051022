//! The RouterOS backend and the poller against a router simulator in a process of its own.
// A test that cannot go on has failed; the programs run in real time.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::{collections::BTreeSet, fs, process::Command, thread, time::Duration};

use serde_json::Value;
use takar_agent::{
    queue::{
        ShaperKey,
        contract::{contract, reads_in_order},
        routeros::{Access, RouterQueues},
    },
    snmp::{Credentials, Outcome, Target, TargetConfig},
};
use takar_e2e::process::{Process, binaries, wait_for};
use takar_shared::{BitsPerSec, Direction, id::name, queue::Shaper};

#[test]
fn a_simulated_router_fulfils_the_contract_and_its_counters_rise() {
    let dir = tempfile::tempdir().unwrap();
    let path = |file: &str| dir.path().join(file);
    fs::write(path("community"), "takes-care").unwrap();
    fs::write(path("password"), "secret").unwrap();
    let mut command = Command::new(binaries().unwrap().join("router-sim"));
    command.args(["--name", "r1", "--capacity-down-bps", "60000000", "--capacity-up-bps", "30000000"]);
    command.args(["--day-s", "60", "--profile", "fair", "--user", "takar", "--queue", "site", "--max-limit", "5M/10M"]);
    command.args(["--extra-queue", "guests", "--community-file"]).arg(path("community"));
    command.arg("--password-file").arg(path("password")).arg("--ready").arg(path("ready"));
    let mut router = Process::start("router-sim", command, &path("router.log")).unwrap();
    let ready = wait_for("router-sim to listen", Duration::from_secs(10), || {
        router.check()?;
        let Ok(text) = fs::read(path("ready")) else { return Ok(None) };
        Ok(Some(serde_json::from_slice::<Value>(&text)?))
    });
    let ready = ready.unwrap();
    let (api, snmp) = (ready["api"].as_str().unwrap(), ready["snmp"].as_str().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        queues_fulfil_the_contract(api).await;
        counters_rise(snmp).await;
    });
    router.check().unwrap();
}

async fn queues_fulfil_the_contract(api: &str) {
    let allow: Vec<ShaperKey> = [("guests", Direction::Up), ("site", Direction::Down), ("site", Direction::Up)]
        .map(|(queue, direction)| ShaperKey { shaper: Shaper::Queue(name(queue).unwrap()), direction })
        .into();
    let access = Access {
        address: api.into(),
        user: "takar".into(),
        password: "secret".into(),
        certificate: None,
        timeout: Duration::from_secs(5),
    };
    let mut queues = RouterQueues::new(access, allow.clone(), BTreeSet::new());
    reads_in_order(&mut queues, &allow).await.unwrap();
    contract(&mut queues, BitsPerSec(2_000_000), BitsPerSec(8_000_000)).await.unwrap();
    reads_in_order(&mut queues, &allow).await.unwrap();
}

async fn counters_rise(snmp: &str) {
    let mut target = Target::new(TargetConfig {
        address: snmp.into(),
        credentials: Credentials::V2c { community: "takes-care".into() },
        timeout: Duration::from_secs(1),
        retries: 1,
        interfaces: vec![name("ether1").unwrap()],
    });
    let mut octets = Vec::new();
    for _ in 0..3 {
        let poll = target.poll().await;
        assert_eq!(poll.outcome, Outcome::Ok, "{:?}", poll.detail);
        let interface = poll.interfaces.first().unwrap();
        octets.push((interface.in_octets, interface.out_octets));
        thread::sleep(Duration::from_secs(1));
    }
    assert!(octets.is_sorted(), "{octets:?}");
    let (first, last) = (octets[0], octets[2]);
    assert!(last.0 > first.0 && last.1 > first.1, "{octets:?}");
}
