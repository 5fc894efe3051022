//! The RouterOS backend, the poller and `takar-agent probe` against a router simulator in a process of its own.
// A test that cannot go on has failed; the programs run in real time.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::{collections::BTreeSet, fs, path::PathBuf, process::Command, thread, time::Duration};

use serde_json::Value;
use takar_agent::{
    queue::{
        QueueBackend as _, QueueError, ShaperKey,
        contract::{contract, reads_in_order},
        routeros::{Access, Certificate, RouterQueues},
    },
    snmp::{Credentials, Outcome, Target, TargetConfig},
};
use takar_e2e::process::{Process, binaries, wait_for};
use takar_shared::{
    BitsPerSec, Direction, Name,
    id::name,
    queue::{Setting, Shaper},
};

const LOW: BitsPerSec = BitsPerSec(2_000_000);
const HIGH: BitsPerSec = BitsPerSec(8_000_000);

struct Router {
    dir: tempfile::TempDir,
    process: Process,
    ready: Value,
}

impl Router {
    /// A site behind 60M/30M with a simple queue of 10M down and 5M up, and whatever `words` add.
    fn start(words: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = |file: &str| dir.path().join(file);
        for (file, secret) in [("community", "takes-care"), ("password", "secret"), ("other", "watch it")] {
            fs::write(path(file), secret).unwrap();
            fs::set_permissions(path(file), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        }
        let mut command = Command::new(binaries().unwrap().join("router-sim"));
        command.args(["--name", "r1", "--capacity-down-bps", "60000000", "--capacity-up-bps", "30000000"]);
        command.args(["--day-s", "60", "--profile", "fair", "--user", "takar", "--queue", "site"]);
        command.args(["--max-limit", "5M/10M", "--community-file"]).arg(path("community"));
        command.arg("--password-file").arg(path("password")).arg("--ready").arg(path("ready"));
        command.args(words.iter().map(|word| word.replace("DIR", &dir.path().display().to_string())));
        let mut process = Process::start("router-sim", command, &path("router.log")).unwrap();
        let ready = wait_for("router-sim to listen", Duration::from_secs(10), || {
            process.check()?;
            let Ok(text) = fs::read(path("ready")) else { return Ok(None) };
            Ok(Some(serde_json::from_slice::<Value>(&text)?))
        })
        .unwrap();
        Self { dir, process, ready }
    }

    fn access(&self) -> Access {
        Access {
            address: self.ready["api"].as_str().unwrap().into(),
            user: "takar".into(),
            password: "secret".into(),
            certificate: None,
            timeout: Duration::from_secs(5),
        }
    }

    fn certificate(&self) -> PathBuf {
        self.ready["certificate"].as_str().unwrap().into()
    }

    fn probe(&self, words: &[&str]) -> std::process::Output {
        let mut command = Command::new(binaries().unwrap().join("takar-agent"));
        command.arg("probe").args(words).current_dir(self.dir.path()).output().unwrap()
    }
}

fn key(queue: &str, direction: Direction) -> ShaperKey {
    ShaperKey { shaper: Shaper::Queue(name(queue).unwrap()), direction }
}

fn trees<const N: usize>(names: [&str; N]) -> BTreeSet<Name> {
    names.into_iter().map(|text| name(text).unwrap()).collect()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_simulated_router_fulfils_the_contract_and_its_counters_rise() {
    let mut router = Router::start(&["--extra-queue", "guests"]);
    let allow = vec![key("guests", Direction::Up), key("site", Direction::Down), key("site", Direction::Up)];
    runtime().block_on(async {
        let mut queues = RouterQueues::new(router.access(), allow.clone(), BTreeSet::new());
        reads_in_order(&mut queues, &allow).await.unwrap();
        contract(&mut queues, LOW, HIGH).await.unwrap();
        reads_in_order(&mut queues, &allow).await.unwrap();
        counters_rise(router.ready["snmp"].as_str().unwrap()).await;
    });
    router.process.check().unwrap();
}

#[test]
fn tree_queues_fulfil_the_contract_over_tls_and_by_the_old_login() {
    let tree = [
        "--tree",
        "name=down,parent=bridge-lan,max-limit=20M",
        "--tree",
        "name=site,parent=ether1,max-limit=10M",
        "--api-ssl",
        "127.0.0.1:0",
    ];
    for login in [&["--ros-version", "7.18"][..], &["--ros-version", "6.42.12"]] {
        let router = Router::start(&[&tree[..], login].concat());
        let pem = fs::read(router.certificate()).unwrap();
        let address = router.ready["api_ssl"].as_str().unwrap().to_owned();
        let mut access = Access { address, certificate: Some(certificate(&pem)), ..router.access() };
        // "site" is a simple queue too: the config says which is meant.
        let allow = vec![key("down", Direction::Down), key("site", Direction::Up)];
        runtime().block_on(async {
            let mut queues = RouterQueues::new(access.clone(), allow.clone(), trees(["down", "site"]));
            reads_in_order(&mut queues, &allow).await.unwrap();
            contract(&mut queues, LOW, HIGH).await.unwrap();
            let mut simple = RouterQueues::new(access.clone(), vec![key("site", Direction::Up)], BTreeSet::new());
            assert_eq!(simple.read().await.unwrap()[0].reading.mir, BitsPerSec(5_000_000), "left as it was");

            access.certificate = Some(certificate(ANOTHER.as_bytes()));
            let mut deceived = RouterQueues::new(access.clone(), allow.clone(), trees(["down", "site"]));
            let error = deceived.read().await.unwrap_err();
            assert!(matches!(error, QueueError::Unreachable { .. }), "{error:?}");
        });
    }
}

#[test]
fn a_queue_that_shapes_nothing_is_told_and_what_is_wrong_is_one_line() {
    // The simulator puts --simple behind --queue, whose target is 192.168.88.0/24.
    let router = Router::start(&[
        "--simple",
        "name=late,target=192.168.88.10/32,max-limit=1M/1M",
        "--simple",
        "name=off,target=10.9.0.0/24,max-limit=1M/1M,disabled=yes",
        "--simple",
        "name=twin,target=10.8.0.0/24,max-limit=1M/1M",
        "--simple",
        "name=twin,target=10.7.0.0/24,max-limit=1M/1M,same-name=yes",
        "--simple",
        "name=ppp,target=10.6.0.0/24,max-limit=1M/1M,dynamic=yes",
        "--simple",
        "name=burst,target=10.5.0.0/24,max-limit=1M/1M,burst-limit=2M/2M,burst-threshold=1M/1M,burst-time=8s/8s",
        "--more-user",
        "watcher:DIR/other:api,read",
    ]);
    runtime().block_on(async {
        let names = ["site", "late", "off", "burst"];
        let allow: Vec<ShaperKey> = names.map(|queue| key(queue, Direction::Down)).into();
        let mut queues = RouterQueues::new(router.access(), allow, BTreeSet::new());
        let read = queues.read().await.unwrap();
        let disabled: Vec<bool> = read.iter().map(|one| one.reading.disabled).collect();
        assert_eq!(disabled, [false, true, true, false], "behind another, disabled");
        assert_eq!(read[3].reading.burst, BitsPerSec(2_000_000));
        let lower = [setting("burst", 900_000)];
        queues.apply(&lower).await.unwrap();
        assert_eq!(queues.read().await.unwrap()[3].reading.burst, BitsPerSec(2_000_000), "left as it was");

        for (queue, said) in [
            ("twin", "queue twin is on the device 2 times, expected once"),
            ("gone", "queue gone is not on the device"),
            (
                "ppp",
                "cannot be done: queue ppp is dynamic: whatever made it will make it anew, expected a static queue",
            ),
        ] {
            let mut queues = RouterQueues::new(router.access(), vec![key(queue, Direction::Down)], BTreeSet::new());
            assert_eq!(queues.read().await.unwrap_err().to_string(), said);
            assert_eq!(queues.apply(&[setting(queue, 1_000_000)]).await.unwrap_err().to_string(), said);
        }

        let watcher = Access { user: "watcher".into(), password: "watch it".into(), ..router.access() };
        let mut queues = RouterQueues::new(watcher.clone(), vec![key("site", Direction::Down)], BTreeSet::new());
        queues.read().await.unwrap();
        let refused = queues.apply(&[setting("site", 9_000_000)]).await.unwrap_err().to_string();
        assert_eq!(refused, "/queue/simple/set refused by the device: not enough permissions (9)");
        let wrong = Access { password: "wrong".into(), ..watcher };
        let mut queues = RouterQueues::new(wrong, vec![key("site", Direction::Down)], BTreeSet::new());
        assert!(matches!(queues.read().await, Err(QueueError::Authentication { .. })));
    });
}

#[test]
fn fast_track_passes_by_what_it_passes_by() {
    let router = Router::start(&[
        "--fasttrack",
        "--tree",
        "name=all,parent=global,max-limit=20M",
        "--tree",
        "name=out,parent=ether1,max-limit=10M",
    ]);
    runtime().block_on(async {
        let allow = vec![key("site", Direction::Down), key("all", Direction::Down), key("out", Direction::Up)];
        let mut queues = RouterQueues::new(router.access(), allow, trees(["all", "out"]));
        let disabled: Vec<bool> = queues.read().await.unwrap().iter().map(|one| one.reading.disabled).collect();
        assert_eq!(disabled, [true, true, false]);
    });
    let text = router.probe(&["--api", router.ready["api"].as_str().unwrap(), "--api-password-file", "password"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("odd: connections are fast-tracked"), "{text}");
}

#[test]
fn a_probe_tells_what_a_router_has() {
    let router = Router::start(&["--tree", "name=out,parent=ether1,max-limit=10M", "--api-ssl", "127.0.0.1:0"]);
    let (snmp, api) = (router.ready["snmp"].as_str().unwrap(), router.ready["api_ssl"].as_str().unwrap());
    let certificate = router.certificate();
    let asked = router.probe(&[
        "--target",
        snmp,
        "--community-file",
        "community",
        "--api",
        api,
        "--api-password-file",
        "password",
        "--api-certificate",
        certificate.to_str().unwrap(),
        "--json",
    ]);
    assert!(asked.status.success(), "{asked:?}");
    let told: Value = serde_json::from_slice(&asked.stdout).unwrap();
    assert_eq!(told["identity"]["sys_name"], "r1");
    assert_eq!(told["router"]["name"], "r1");
    let ether1 = told["interfaces"].as_array().unwrap().iter().find(|one| one["if_name"] == "ether1").unwrap();
    assert!(ether1["hc_in_octets"].is_u64() && ether1["oper_status"] == "up", "{ether1}");
    let queue = |name: &str, direction: Value| {
        let queues = told["queues"].as_array().unwrap();
        queues.iter().find(|one| one["name"] == name && one["direction"] == direction).unwrap().clone()
    };
    assert_eq!(queue("site", "down".into())["mir_bps"], 10_000_000);
    assert_eq!(queue("site", "up".into())["mir_bps"], 5_000_000);
    assert_eq!(
        (queue("out", Value::Null)["mir_bps"].clone(), queue("out", Value::Null)["kind"].clone()),
        (10_000_000.into(), "tree".into())
    );
    let by_mib: Vec<&str> =
        told["mib_queues"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(by_mib, ["site", "out"]);

    let wrong = router.probe(&[
        "--api",
        api,
        "--api-password-file",
        "other",
        "--api-certificate",
        certificate.to_str().unwrap(),
    ]);
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    assert_eq!(said, format!("takar-agent: queues cannot be read: {api} refused the login of takar\n"));
    let misused = router.probe(&["--target", "x:y", "--v3", "me", "--auth", "sha3"]);
    assert_eq!((misused.status.code(), String::from_utf8(misused.stderr).unwrap().lines().count()), (Some(2), 4));
}

fn setting(queue: &str, mir: u64) -> Setting {
    let ShaperKey { shaper, direction } = key(queue, Direction::Down);
    Setting { shaper, direction, cir: Some(BitsPerSec(0)), mir: BitsPerSec(mir) }
}

/// The first certificate of a PEM text.
fn certificate(pem: &[u8]) -> Certificate {
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};
    Certificate(CertificateDer::from_pem_slice(pem).unwrap())
}

/// Some other certificate.
const ANOTHER: &str = include_str!("../../agent/src/tls/testdata/ca.pem");

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
