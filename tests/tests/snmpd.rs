//! The poller against Debian's snmpd, in a namespace of its own. Needs root, so it runs only when it
//! is asked for by name (`tests/run` does, as root).
// A test that cannot go on has failed; the programs run in real time.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::{thread, time::Duration};

use takar_agent::snmp::{Auth, CounterWidth, Credentials, Outcome, Poll, Privacy, Target, TargetConfig};
use takar_e2e::netlab::{Namespace, Snmpd, lacking, run_inside, snmpd};
use takar_shared::id::name;

/// net-snmp moves its counters every three seconds.
const COUNTERS_MOVE: Duration = Duration::from_millis(3_500);

#[test]
fn snmpd_is_read_as_it_is() {
    let missing = lacking(&["ip", "snmpd"]);
    assert!(missing.is_empty(), "not installed: {missing:?}");
    run_inside("snmp", "snmpd_is_read_as_it_is", |namespace| inside(&namespace));
}

fn inside(namespace: &Namespace) {
    let folder = tempfile::tempdir().unwrap();
    // Without IPv6 nothing is sent but what is asked for, so that counters stand still.
    namespace.run("sysctl -q -w net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1").unwrap();
    namespace.run("ip link add e-wan type veth peer name e-far").unwrap();
    for device in ["e-wan", "e-far"] {
        namespace.run(&format!("ip link set {device} up")).unwrap();
    }
    namespace.run("ip addr add 10.98.0.1/24 dev e-wan").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let poll = |credentials: Credentials, interfaces: &[&str]| {
        let mut target = Target::new(TargetConfig {
            address: "127.0.0.1:161".into(),
            credentials,
            timeout: Duration::from_millis(300),
            retries: 1,
            interfaces: interfaces.iter().map(|text| name(text).unwrap()).collect(),
        });
        runtime.block_on(target.poll())
    };

    let nobody = poll(v2c(snmpd::COMMUNITY), &["e-wan"]);
    assert_eq!(nobody.outcome, Outcome::Unreachable, "{nobody:?}");
    let mut device = Snmpd::start(namespace, folder.path()).unwrap();

    // An address that nobody has is asked for by ARP: octets to count.
    let socket = std::net::UdpSocket::bind("10.98.0.1:0").unwrap();
    socket.send_to(b"is anybody there?", "10.98.0.9:9").unwrap();
    thread::sleep(COUNTERS_MOVE);
    for (how, credentials) in [("v2c", v2c(snmpd::COMMUNITY)), ("v3", v3(snmpd::USER, snmpd::AUTH_PASSWORD))] {
        let read = poll(credentials, &["e-wan", "e-far", "lo"]);
        assert_eq!((read.outcome, read.interfaces.len()), (Outcome::Ok, 3), "{how}: {:?}", read.detail);
        assert_eq!(read.engine_boots.is_some(), how == "v3");
        counters_are_the_kernels(namespace, &read);
    }

    let refusals = [
        ("a wrong community", v2c("wrong"), Outcome::Timeout),
        ("a wrong password", v3(snmpd::USER, "not-the-password"), Outcome::Authentication),
        ("an unknown user", v3("nobody", snmpd::AUTH_PASSWORD), Outcome::Authentication),
    ];
    for (what, credentials, expected) in refusals {
        let refused = poll(credentials, &["e-wan"]);
        assert_eq!((refused.outcome, refused.interfaces.len()), (expected, 0), "{what}: {refused:?}");
        assert!(refused.detail.is_some_and(|detail| detail.contains("127.0.0.1:161")), "{what}");
    }
    let partial = poll(v2c(snmpd::COMMUNITY), &["e-wan", "e-gone"]);
    assert_eq!((partial.outcome, partial.interfaces.len()), (Outcome::Partial, 1), "{partial:?}");
    assert!(partial.detail.unwrap().contains("e-gone"));

    // One target through a restart: the session is made anew, and the restart shows.
    let mut target = Target::new(TargetConfig {
        address: "127.0.0.1:161".into(),
        credentials: v3(snmpd::USER, snmpd::AUTH_PASSWORD),
        timeout: Duration::from_millis(500),
        retries: 2,
        interfaces: vec![name("e-wan").unwrap()],
    });
    let before = runtime.block_on(target.poll());
    device.process.end();
    let gone = runtime.block_on(target.poll());
    assert!(matches!(gone.outcome, Outcome::Timeout | Outcome::Unreachable), "{gone:?}");
    drop(device);
    let _device = Snmpd::start(namespace, folder.path()).unwrap();
    let after = runtime.block_on(target.poll());
    assert_eq!((before.outcome, after.outcome), (Outcome::Ok, Outcome::Ok), "{before:?} {after:?}");
    assert!(after.engine_boots > before.engine_boots, "{before:?} {after:?}");
    assert!(after.up_time < before.up_time, "{before:?} {after:?}");
}

fn counters_are_the_kernels(namespace: &Namespace, poll: &Poll) {
    for interface in poll.interfaces.iter().filter(|interface| interface.name != "lo") {
        let kernel = |counter: &str| {
            let path = format!("cat /sys/class/net/{}/statistics/{counter}", interface.name);
            namespace.run(&path).unwrap().trim().parse::<u64>().unwrap()
        };
        let read = (interface.in_octets, interface.out_octets);
        assert_eq!(read, (kernel("rx_bytes"), kernel("tx_bytes")), "{}", interface.name);
        assert!(read.0 + read.1 > 0, "{} never carried anything", interface.name);
        assert_eq!(interface.width, CounterWidth::Bits64);
        assert_eq!(interface.oper_up, Some(true));
    }
}

fn v2c(community: &str) -> Credentials {
    Credentials::V2c { community: community.into() }
}

fn v3(user: &str, auth_password: &str) -> Credentials {
    Credentials::V3 {
        user: user.into(),
        auth: Auth::Sha256,
        auth_password: auth_password.into(),
        privacy: Privacy::Aes128,
        privacy_password: snmpd::PRIVACY_PASSWORD.into(),
    }
}
