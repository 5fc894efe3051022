//! The HTB backend against this kernel's queues, in a namespace that is thrown away. Needs root, so
//! it runs only when it is asked for by name (`tests/run` does, as root).
// A test that cannot go on has failed; the programs run in real time.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::process::Command;

use takar_agent::queue::{
    ShaperKey,
    contract::{contract, reads_in_order},
    htb::Htb,
};
use takar_shared::{
    BitsPerSec, Direction,
    id::name,
    queue::{ClassId, Shaper},
};

const INSIDE: &str = "TAKAR_TEST_INSIDE_NAMESPACE";

struct Namespace(String);

impl Namespace {
    fn make() -> Self {
        let namespace = Self(format!("tk{}-htb", std::process::id()));
        run(&["ip", "netns", "add", &namespace.0]);
        namespace
    }

    fn run(&self, words: &str) {
        run(&[&["ip", "netns", "exec", &self.0], words.split(' ').collect::<Vec<_>>().as_slice()].concat());
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

fn run(words: &[&str]) {
    let status = Command::new(words[0]).args(&words[1..]).status().unwrap();
    assert!(status.success(), "{words:?}");
}

/// Netlink speaks to the namespace of the process, so this test starts itself once more inside one.
#[test]
fn this_kernels_queues_fulfil_the_contract() {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    let namespace = Namespace::make();
    namespace.run("ip link add e-wan type veth peer name e-far");
    for device in ["e-wan", "e-far"] {
        namespace.run(&format!("ip link set {device} up"));
        namespace.run(&format!("tc qdisc add dev {device} root handle 1: htb default 10"));
        namespace.run(&format!("tc class add dev {device} parent 1: classid 1:1 htb rate 100mbit"));
        namespace.run(&format!("tc class add dev {device} parent 1:1 classid 1:10 htb rate 2mbit ceil 10mbit"));
    }
    let own = std::env::current_exe().unwrap();
    let status = Command::new("ip")
        .args(["netns", "exec", &namespace.0])
        .arg(own)
        .args(["this_kernels_queues_fulfil_the_contract", "--exact"])
        .env(INSIDE, "1")
        .status()
        .unwrap();
    assert!(status.success());
}

fn inside() {
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
