//! The HTB backend against this kernel's queues, in a namespace that is thrown away. Needs root, so
//! it runs only when it is asked for by name (`tests/run` does, as root).
// A test that cannot go on has failed; the programs run in real time.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use takar_agent::queue::{
    ShaperKey,
    contract::{contract, reads_in_order},
    htb::Htb,
};
use takar_e2e::netlab::{Namespace, run_inside};
use takar_shared::{
    BitsPerSec, Direction,
    id::name,
    queue::{ClassId, Shaper},
};

#[test]
fn this_kernels_queues_fulfil_the_contract() {
    run_inside("htb", "this_kernels_queues_fulfil_the_contract", |namespace| inside(&namespace));
}

fn inside(namespace: &Namespace) {
    let run = |line: String| namespace.run(&line).unwrap();
    run("ip link add e-wan type veth peer name e-far".into());
    for device in ["e-wan", "e-far"] {
        run(format!("ip link set {device} up"));
        run(format!("tc qdisc add dev {device} root handle 1: htb default 10"));
        run(format!("tc class add dev {device} parent 1: classid 1:1 htb rate 100mbit"));
        run(format!("tc class add dev {device} parent 1:1 classid 1:10 htb rate 2mbit ceil 10mbit"));
    }
    let key = |(device, direction)| {
        let classid = ClassId::parse("1:10").unwrap();
        ShaperKey { shaper: Shaper::Class { interface: name(device).unwrap(), classid }, direction }
    };
    let allow = [("e-wan", Direction::Up), ("e-far", Direction::Down)].map(key);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut queues = Htb::new(allow.to_vec());
        reads_in_order(&mut queues, &allow).await.unwrap();
        contract(&mut queues, BitsPerSec(3_000_000), BitsPerSec(8_000_000)).await.unwrap();
        reads_in_order(&mut queues, &allow).await.unwrap();
    });
}
