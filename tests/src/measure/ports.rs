//! A namespace with nine interfaces, as a router has them: four cables, both ends here, and loopback.

use std::{
    net::{SocketAddr, UdpSocket},
    thread,
    time::Duration,
};

use anyhow::{Context as _, ensure};

use super::station::Station;
use crate::{netlab::Namespace, process::Process};

const CABLES: u8 = 4;
pub const INTERFACES: usize = 9;
/// Packets of this size, so often, on each cable: 10 Mbit/s. What counters then move by between two polls five seconds
/// apart takes as many bytes on the wire as of 2 to 100 Mbit/s.
const PACKET: usize = 62_500;
const EVERY: Duration = Duration::from_millis(50);

/// Makes them; fails where the kernel adds interfaces of its own, since then it would not be nine.
pub fn make() -> anyhow::Result<Namespace> {
    let namespace = Namespace::make("ports")?;
    for cable in 0..CABLES {
        let (near, far) = (format!("a{cable}"), format!("b{cable}"));
        let address = format!("02:00:00:00:00:0{cable}");
        namespace.run(&format!("ip link add {near} mtu 65000 type veth peer name {far} mtu 65000"))?;
        namespace.run(&format!("ip link set {far} address {address} up"))?;
        namespace.run(&format!("ip link set {near} up"))?;
        namespace.run(&format!("ip addr add 10.97.{cable}.1/24 dev {near}"))?;
        // Nobody has that address: packets cross the cable, are counted at both ends, and end there.
        namespace.run(&format!("ip neigh add 10.97.{cable}.2 lladdr {address} dev {near} nud permanent"))?;
    }
    let found = namespace.run("cat /proc/net/dev")?.lines().filter(|line| line.contains(':')).count();
    ensure!(found == INTERFACES, "a new namespace here has {found} interfaces with four cables; expected {INTERFACES}");
    Ok(namespace)
}

/// For an agent's config: counted by SNMP.
pub fn snmp(access: &str) -> String {
    format!("[device.snmp]\naddress = \"127.0.0.1:161\"\ninterfaces = {}\n{access}", names())
}

/// The same nine by the kernel of this machine.
pub fn kernel() -> String {
    format!("[device.kernel]\ninterfaces = {}\n", names())
}

fn names() -> String {
    let cables = (0..CABLES).flat_map(|cable| [format!("\"a{cable}\""), format!("\"b{cable}\"")]);
    let names: Vec<_> = std::iter::once("\"lo\"".to_owned()).chain(cables).collect();
    format!("[{}]", names.join(", "))
}

/// Traffic on all of them until dropped, so that counters move. Sockets belong to the namespace of their process, so
/// this program starts itself once more inside.
pub fn traffic(station: &Station) -> anyhow::Result<Process> {
    let own = std::env::current_exe().context("this program's own path")?;
    let mut command = station.namespace()?.command(own);
    for cable in 0..CABLES {
        command.args(["--traffic-to", &format!("10.97.{cable}.2:9")]);
    }
    let mut sender = Process::start("traffic", command, &station.place.join("traffic.log"))?;
    thread::sleep(EVERY * 4);
    sender.check()?;
    Ok(sender)
}

/// What the program inside does, until it is ended.
pub fn send(to: &[SocketAddr]) -> anyhow::Result<()> {
    let socket = UdpSocket::bind(("0.0.0.0", 0)).context("a UDP socket")?;
    let packet = vec![0u8; PACKET];
    loop {
        for address in to {
            socket.send_to(&packet, address).with_context(|| format!("cannot send to {address}"))?;
        }
        thread::sleep(EVERY);
    }
}
