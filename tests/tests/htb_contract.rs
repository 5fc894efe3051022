//! The HTB backend against this kernel's queues, in a namespace that is thrown away. Needs root.

use takar_agent::queue::{
    ShaperKey,
    contract::{contract, reads_in_order},
    htb::Htb,
};
use takar_e2e::lab::{net::Namespace, require_root, run};
use takar_shared::{
    BitsPerSec, Direction,
    id::name,
    queue::{ClassId, Shaper},
};

const DEVICES: [(&str, Direction); 2] = [("e-wan", Direction::Up), ("ifb4w", Direction::Down)];

/// Netlink speaks to the namespace of the process, so the other test runs in a process inside.
#[test]
fn this_kernels_queues_fulfil_the_contract() {
    require_root().unwrap();
    let namespace = Namespace::make(&format!("tk{}-htb", std::process::id())).unwrap();
    namespace.ip("link add e-wan type veth peer name e-far").unwrap();
    for device in ["e-wan", "e-far"] {
        namespace.ip(&format!("link set {device} up")).unwrap();
    }
    namespace.redirect_ingress("e-wan", "ifb4w").unwrap();
    for (device, _) in DEVICES {
        namespace.shape(device, 2_000_000, 10_000_000).unwrap();
    }
    let own = std::env::current_exe().unwrap().display().to_string();
    let mut inside = namespace.command(&own);
    inside.args(["inside_the_namespace", "--exact", "--ignored", "--nocapture"]);
    let said = run(&mut inside).unwrap();
    assert!(said.contains("1 passed"), "{said}");
    for (device, _) in DEVICES {
        assert_eq!(namespace.ceiling(device).unwrap(), 10_000_000, "{device}: the contract puts back what was there");
    }
}

#[test]
#[ignore = "started by the other test, in a namespace"]
fn inside_the_namespace() {
    let allow = DEVICES.map(|(device, direction)| {
        let classid = ClassId::parse("1:10").unwrap();
        ShaperKey { shaper: Shaper::Class { interface: name(device).unwrap(), classid }, direction }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut queues = Htb::new(allow.to_vec());
        reads_in_order(&mut queues, &allow).await.unwrap();
        contract(&mut queues, BitsPerSec(3_000_000), BitsPerSec(8_000_000)).await.unwrap();
        reads_in_order(&mut queues, &allow).await.unwrap();
    });
}
