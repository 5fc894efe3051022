//! An edge: a router of this kernel. What its site sends is shaped on `e-wan`, what the site receives
//! on an ifb; an snmpd tells its counters, an agent reads and sets its queues.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use takar_shared::Direction;

use super::{CLASS, IFB, Namespace, Snmpd, Version, WAN, hub::Hub};
use crate::process::{Process, binaries, wait_for};

/// What an edge begins with, and how far its agent may go.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub cir_bps: u64,
    pub mir_bps: u64,
    pub floor_bps: u64,
    pub ceiling_bps: u64,
    pub snmp: Version,
    pub poll_every_ms: u64,
    pub changes_per_hour: u16,
}

pub struct Edge {
    pub name: String,
    pub settings: Settings,
    pub namespace: Namespace,
    /// The hub's end of the cable, where uploads arrive.
    pub hub_port: String,
    /// The hub's address on it.
    pub hub_address: String,
    agent: Option<Process>,
    folder: PathBuf,
    _snmpd: Snmpd,
    _kernel: Process,
}

impl Edge {
    /// Namespace, cable, queues and snmpd; the agent is not started.
    pub fn make(name: &str, number: u8, settings: Settings, hub: &Hub, place: &Path) -> anyhow::Result<Self> {
        let folder = place.join(name);
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let namespace = Namespace::make(&format!("edge{number}"))?;
        let hub_port = format!("h-edge{number}");
        let hub_address = format!("10.98.{number}.1");
        let wire = format!("ip link add {hub_port} type veth peer name {WAN} netns {}", namespace.name());
        hub.namespace.run(&wire)?;
        hub.namespace.run(&format!("ip addr add {hub_address}/24 dev {hub_port}"))?;
        hub.namespace.run(&format!("ip link set {hub_port} up"))?;
        hub.namespace.without_offloads(&hub_port)?;
        namespace.run(&format!("ip addr add 10.98.{number}.2/24 dev {WAN}"))?;
        namespace.run(&format!("ip link set {WAN} up"))?;
        namespace.without_offloads(WAN)?;
        namespace.run(&format!("ip route add {} via {hub_address}", Hub::ADDRESS))?;
        shape(&namespace, settings)?;
        // The kernel's own account of every class that is set: no Takar code in it.
        let mut monitor = namespace.command("tc");
        monitor.args(["-ts", "monitor"]);
        let kernel = Process::start("tc monitor", monitor, &folder.join("kernel.log"))?;
        let snmpd = Snmpd::start(&namespace, &folder)?;
        let name = name.to_owned();
        let edge = Self {
            name,
            settings,
            namespace,
            hub_port,
            hub_address,
            agent: None,
            folder,
            _snmpd: snmpd,
            _kernel: kernel,
        };
        edge.write_config()?;
        Ok(edge)
    }

    /// Enrols by file, as two people would.
    pub fn enrol(&self, hub: &Hub) -> anyhow::Result<()> {
        let (request, bundle) = (self.folder.join("request"), self.folder.join("bundle"));
        self.enrol_with(&["--name", &self.name, "--request"], &request)?;
        hub.takar(&["device", "approve", &request.display().to_string(), "--out", &bundle.display().to_string()])?;
        self.enrol_with(&["--bundle"], &bundle)
    }

    pub fn start_agent(&mut self) -> anyhow::Result<()> {
        let mut command = self.namespace.command(binaries()?.join("takar-agent"));
        command.arg("--config").arg(self.config()).arg("run");
        self.agent = Some(Process::start(&format!("agent of {}", self.name), command, &self.folder.join("agent.log"))?);
        Ok(())
    }

    /// SIGKILL.
    pub fn kill_agent(&mut self) -> anyhow::Result<()> {
        let mut agent = self.agent.take().with_context(|| format!("no agent runs on {}", self.name))?;
        agent.kill().map(drop).context("SIGKILL")
    }

    pub fn agent_log(&self) -> String {
        fs::read_to_string(self.folder.join("agent.log")).unwrap_or_default()
    }

    /// Every ceiling that the kernel was told for the site's class since the edge was made, in bit/s, in order.
    pub fn ceilings_set(&self, direction: Direction) -> anyhow::Result<Vec<u64>> {
        Ok(self.ceilings_by_time(direction)?.into_iter().map(|(_, rate)| rate).collect())
    }

    /// As [`Edge::ceilings_set`], each with its time: text that sorts by time.
    pub fn ceilings_by_time(&self, direction: Direction) -> anyhow::Result<Vec<(String, u64)>> {
        let path = self.folder.join("kernel.log");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let lines = text.lines().filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (time, words) = words.split_first()?;
            let after = |word: &str| words.iter().position(|other| *other == word).and_then(|at| words.get(at + 1));
            let ours = words.starts_with(&["class", "htb", CLASS]) && after("dev") == Some(&shaped_on(direction));
            ours.then(|| Some(((*time).to_owned(), after("ceil").and_then(|rate| bits(rate))?)))
        });
        lines.map(|set| set.context("a line of tc monitor without ceil")).collect()
    }

    /// Waits until the kernel is told a ceiling that was not among the first `known`.
    pub fn wait_set(&self, direction: Direction, known: usize) -> anyhow::Result<u64> {
        wait_for(&format!("a new ceiling of {} {direction}", self.name), Duration::from_secs(30), || {
            Ok(self.ceilings_set(direction)?.get(known).copied())
        })
    }

    fn config(&self) -> PathBuf {
        self.folder.join("agent.toml")
    }

    fn enrol_with(&self, words: &[&str], file: &Path) -> anyhow::Result<()> {
        let mut command = self.namespace.command(binaries()?.join("takar-agent"));
        let output = command.arg("--config").arg(self.config()).arg("enrol").args(words).arg(file).output()?;
        ensure!(output.status.success(), "enrol {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    fn write_config(&self) -> anyhow::Result<()> {
        let Settings { floor_bps, ceiling_bps, snmp, poll_every_ms, changes_per_hour, .. } = self.settings;
        let folder = self.folder.display();
        let access = snmp.access(&self.folder)?;
        let mut text = format!(
            "mode = \"live\"\nstate_dir = \"{folder}/state\"\nspool_dir = \"{folder}/spool\"\n\
             poll_every_ms = {poll_every_ms}\npolls_per_message = 1\n\
             [[device]]\nname = \"{}\"\nchanges_per_hour = {changes_per_hour}\n\
             [device.snmp]\naddress = \"127.0.0.1:161\"\ninterfaces = [\"{WAN}\", \"{IFB}\"]\n{access}\
             [device.queues]\nbackend = \"htb\"\n",
            self.name
        );
        for direction in Direction::BOTH {
            text += &format!(
                "[[device.shaper]]\nclass = \"{CLASS}\"\ninterface = \"{}\"\ndirection = \"{direction}\"\n\
                 floor_bps = {floor_bps}\nceiling_bps = {ceiling_bps}\n",
                shaped_on(direction)
            );
        }
        fs::write(self.config(), text).with_context(|| self.config().display().to_string())
    }
}

/// Where an edge's queue of a direction is.
pub fn shaped_on(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => WAN,
        Direction::Down => IFB,
    }
}

/// HTB both ways. What the agent itself says has a class of its own, which no change touches.
fn shape(namespace: &Namespace, settings: Settings) -> anyhow::Result<()> {
    let Settings { cir_bps, mir_bps, .. } = settings;
    namespace.run(&format!("ip link add {IFB} type ifb"))?;
    namespace.run(&format!("ip link set {IFB} up"))?;
    for (device, broker) in [(WAN, "dport"), (IFB, "sport")] {
        let tc = |line: String| namespace.run(&format!("tc {line}"));
        tc(format!("qdisc add dev {device} root handle 1: htb default 10"))?;
        tc(format!("class add dev {device} parent 1: classid 1:1 htb rate 1gbit quantum 1514"))?;
        tc(format!("class add dev {device} parent 1:1 classid 1:5 htb rate 10mbit ceil 1gbit quantum 1514"))?;
        tc(format!(
            "class add dev {device} parent 1:1 classid {CLASS} htb rate {cir_bps} ceil {mir_bps} quantum 1514"
        ))?;
        // A queue of a router's length: the default of 1,000 packets would be seconds.
        tc(format!("qdisc add dev {device} parent {CLASS} pfifo limit 50"))?;
        tc(format!(
            "filter add dev {device} parent 1: protocol ip prio 1 u32 match ip {broker} {} 0xffff flowid 1:5",
            Hub::PORT
        ))?;
    }
    namespace.run(&format!("tc qdisc add dev {WAN} handle ffff: ingress"))?;
    namespace.run(&format!(
        "tc filter add dev {WAN} parent ffff: protocol ip prio 1 u32 match u32 0 0 action mirred egress redirect dev {IFB}"
    ))?;
    Ok(())
}

/// `4504Kbit`, as tc prints it: three or more digits, cut off.
fn bits(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..)? {
        "bit" => 1,
        "Kbit" => 1_000,
        "Mbit" => 1_000_000,
        "Gbit" => 1_000_000_000,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}
