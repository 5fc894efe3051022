//! What it takes to change a queue: an HTB class, by the agent's backend over netlink and by a `tc` process.

use std::{path::Path, process::Command, time::Instant};

use anyhow::{Context as _, bail, ensure};
use takar_agent::queue::{QueueBackend as _, ShaperKey, htb::Htb};
use takar_shared::{
    BitsPerSec, Direction,
    id::name,
    queue::{ClassId, Setting, Shaper},
};

use super::{
    args::Figure,
    report::{Beside, Row, Spread},
    tell,
};
use crate::netlab::Namespace;

const INTERFACE: &str = "q0";
const CLASS: &str = "1:10";
/// As many classes as an edge of a small office has: each is read before one is changed.
const CLASSES: u32 = 8;

pub fn measure(_place: &Path, quick: bool) -> anyhow::Result<Vec<Row>> {
    let times = if quick { 200 } else { 5_000 };
    tell(&format!("queue: {times} changes, and a tenth as many by tc"));
    let namespace = Namespace::make("queue")?;
    namespace.run(&format!("ip link add {INTERFACE} type veth peer name q1"))?;
    namespace.run(&format!("ip link set {INTERFACE} up"))?;
    namespace.run(&format!("tc qdisc add dev {INTERFACE} root handle 1: htb default 10"))?;
    for class in 0..CLASSES {
        let class = format!("classid 1:{:x} htb rate 1mbit ceil 8mbit", 0x10 + class);
        namespace.run(&format!("tc class add dev {INTERFACE} parent 1: {class}"))?;
    }
    // Sockets belong to the namespace of their process.
    let own = std::env::current_exe().context("this program's own path")?;
    let output = namespace.command(own).arg("--change-queue").arg(times.to_string()).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let [netlink, tc]: [Vec<f64>; 2] = serde_json::from_slice(&output.stdout).context("what the inside says")?;
    let median = |values: &[f64]| Spread::of(values).map(|spread| spread.median).context("nothing was measured");
    let row = Row {
        figure: Figure::Queue,
        case: format!("HTB, {CLASSES} classes read, one changed"),
        value: median(&netlink)?,
        unit: "µs a change",
        n: format!("{} changes", netlink.len()),
        spread: Spread::of(&netlink),
        beside: Some(Beside::one("a tc process", median(&tc)?)),
        note: "each after another: two values by turns".into(),
    };
    Ok(vec![row])
}

/// Inside: times in microseconds, of the backend and of `tc`.
pub fn change(times: usize) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let (Some(interface), Some(classid)) = (name(INTERFACE), ClassId::parse(CLASS)) else { bail!("no such class") };
    let shaper = Shaper::Class { interface, classid };
    let direction = Direction::Down;
    let mut htb = Htb::new(vec![ShaperKey { shaper: shaper.clone(), direction }]);
    let setting = |at: usize| Setting {
        shaper: shaper.clone(),
        direction,
        cir: Some(BitsPerSec(1_000_000)),
        mir: BitsPerSec(if at.is_multiple_of(2) { 4_000_000 } else { 8_000_000 }),
    };
    let mut netlink = Vec::with_capacity(times);
    for at in 0..times {
        let settings = [setting(at)];
        let begun = Instant::now();
        runtime.block_on(htb.apply(&settings))?;
        netlink.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    let mut tc = Vec::new();
    for at in 0..times / 10 {
        let ceil = format!("{}bit", setting(at).mir.0);
        let words =
            ["class", "change", "dev", INTERFACE, "parent", "1:", "classid", CLASS, "htb", "rate", "1mbit", "ceil"];
        let begun = Instant::now();
        let done = Command::new("tc").args(words).arg(ceil).output()?;
        tc.push(begun.elapsed().as_secs_f64() * 1e6);
        ensure!(done.status.success(), "tc: {}", String::from_utf8_lossy(&done.stderr));
    }
    println!("{}", serde_json::to_string(&[netlink, tc])?);
    Ok(())
}
