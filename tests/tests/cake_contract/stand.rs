//! Inside the guest: a WAN whose two directions are shaped as SQM shapes them, and what the kernel says of it.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use serde_json::Value;
use takar_agent::queue::ShaperKey;
use takar_e2e::process::run;
use takar_shared::{
    BitsPerSec, Direction,
    id::name,
    queue::{Setting, Shaper},
};

/// Where uploads are shaped.
pub const WAN: &str = "e-wan";
/// Where downloads are shaped: what comes in at the WAN is redirected to it.
pub const IFB: &str = "ifb4e-wan";

/// Two CAKEs that differ in every option that a change might touch.
pub fn shaped() {
    // Else it says things of its own, which are counted. A kernel without it has no such file.
    for interfaces in ["all", "default"] {
        let _ = std::fs::write(format!("/proc/sys/net/ipv6/conf/{interfaces}/disable_ipv6"), "1");
    }
    sh("ip link add e-wan type veth peer name e-far");
    sh("ip link add ifb4e-wan type ifb");
    for device in [WAN, "e-far", IFB] {
        sh(&format!("ip link set {device} up"));
    }
    sh("tc qdisc add dev e-wan root handle 1: cake bandwidth 20mbit rtt 50ms diffserv4 dual-srchost nat ack-filter \
        overhead 18 mpu 64 memlimit 4mb");
    sh("tc qdisc add dev ifb4e-wan root cake bandwidth 50mbit besteffort wash ingress dual-dsthost");
}

/// Runs a line of words to its end; gives what it wrote.
pub fn sh(line: &str) -> String {
    let mut words = line.split_whitespace();
    run(Command::new(words.next().unwrap()).args(words)).unwrap()
}

pub fn key(interface: &str, direction: Direction) -> ShaperKey {
    ShaperKey { shaper: Shaper::Root(name(interface).unwrap()), direction }
}

pub fn setting(interface: &str, direction: Direction, mir: u64) -> Setting {
    let ShaperKey { shaper, direction } = key(interface, direction);
    Setting { shaper, direction, cir: None, mir: BitsPerSec(mir) }
}

/// All options of the CAKE at a device's root, as tc shows them.
pub fn options(device: &str) -> Value {
    let shown: Value = serde_json::from_str(&sh(&format!("tc -j qdisc show dev {device} root"))).unwrap();
    assert_eq!(shown[0]["kind"], "cake", "{shown}");
    shown[0]["options"].clone()
}

pub fn bandwidth(device: &str) -> Value {
    options(device)["bandwidth"].clone()
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// The kernel's own account of every queue that is set.
pub struct Monitor {
    child: Child,
    lines: Receiver<String>,
    told: Vec<String>,
}

impl Monitor {
    /// Returns once it listens.
    pub fn start() -> Self {
        let mut child = Command::new("tc").arg("monitor").stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok).filter(|line| !line.trim().is_empty()) {
                let _ = sender.send(line);
            }
        });
        // Changes of another device until one is told, and one more to know the last of them by.
        while lines.recv_timeout(Duration::from_millis(100)).is_err() {
            sh("tc qdisc replace dev e-far root pfifo limit 10");
        }
        sh("tc qdisc replace dev e-far root pfifo limit 77");
        while !lines.recv_timeout(Duration::from_secs(10)).unwrap().contains("limit 77") {}
        Self { child, lines, told: Vec::new() }
    }

    /// All that was told, once it is at least `count` lines.
    pub fn wait_for(&mut self, count: usize) -> Vec<String> {
        while self.told.len() < count {
            self.told.push(self.lines.recv_timeout(Duration::from_secs(10)).unwrap());
        }
        self.told.extend(self.lines.recv_timeout(Duration::from_millis(300)));
        self.told.clone()
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
