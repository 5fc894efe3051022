//! The counters of this machine's own interfaces, from the kernel by rtnetlink: for an agent that runs on the router.
//! A dump costs the kernel and us some microseconds an interface; an SNMP daemon beside it would cost many times more.
//!
//! VLANs, bridges, PPPoE and tunnels are interfaces like any other. One that goes and comes back (PPPoE after a failure)
//! has another index and begins to count anew, which a poll tells as SNMP's does.

mod link;

use std::{fs, path::Path};

use takar_shared::{
    Name,
    facts::{Duplex, InterfaceFacts, Switch},
};

use self::link::Link;
use crate::{
    chain::chain,
    queue::netlink::socket::RouteSocket,
    snmp::{CounterWidth, InterfaceReading, Outcome, Poll},
};

/// Where the kernel tells speed and duplex.
const INTERFACES: &str = "/sys/class/net";

pub struct Kernel {
    interfaces: Vec<Name>,
    /// Kept between polls, and opened anew after any error.
    socket: Option<RouteSocket>,
}

impl Kernel {
    pub fn new(interfaces: Vec<Name>) -> Self {
        Self { interfaces, socket: None }
    }

    /// Never errs, as [`crate::snmp::Target::poll`]: what went wrong is the outcome.
    pub fn poll(&mut self) -> Poll {
        match self.links() {
            Ok(links) => judge(&self.interfaces, &links),
            Err(detail) => Poll {
                outcome: Outcome::Unreachable,
                detail: Some(detail),
                up_time: None,
                engine_boots: None,
                interfaces: Vec::new(),
            },
        }
    }

    /// `None` where no configured interface is there.
    pub fn facts(&mut self) -> Option<Vec<InterfaceFacts>> {
        let links = self.links().ok()?;
        let facts: Vec<InterfaceFacts> = of_names(&self.interfaces, &links).flatten().map(facts).collect();
        (!facts.is_empty()).then_some(facts)
    }

    fn links(&mut self) -> Result<Vec<Link>, String> {
        let mut socket = RouteSocket::take(&mut self.socket).map_err(|error| chain(&error))?;
        let mut links = Vec::new();
        socket
            .exchange(link::dump, |message| {
                if message.kind == link::RTM_NEWLINK {
                    links.push(Link::parse(message.payload)?);
                }
                Ok(())
            })
            .map_err(|error| chain(&error.reading("RTM_GETLINK".into())))?;
        self.socket = Some(socket);
        Ok(links)
    }
}

/// In the order of `names`; a kernel has no two interfaces of one name.
fn of_names<'a>(names: &'a [Name], links: &'a [Link]) -> impl Iterator<Item = Option<&'a Link>> {
    names.iter().map(|name| links.iter().find(|link| link.name == name.as_bytes()))
}

fn judge(names: &[Name], links: &[Link]) -> Poll {
    let mut missing = Vec::new();
    let mut interfaces = Vec::new();
    for (name, link) in names.iter().zip(of_names(names, links)) {
        match link {
            Some(link) => interfaces.push(reading(name, link)),
            None => missing.push(format!("no interface is called {name:?}")),
        }
    }
    let (outcome, detail) = match missing.is_empty() {
        true => (Outcome::Ok, None),
        false => (Outcome::Partial, Some(missing.join("; "))),
    };
    Poll { outcome, detail, up_time: None, engine_boots: None, interfaces }
}

fn reading(name: &Name, link: &Link) -> InterfaceReading {
    let counters = link.counters;
    InterfaceReading {
        name: name.clone(),
        if_index: link.if_index,
        width: CounterWidth::Bits64,
        in_octets: counters.rx_bytes,
        out_octets: counters.tx_bytes,
        in_drops: counters.rx_dropped.saturating_add(counters.rx_errors),
        out_drops: counters.tx_dropped.saturating_add(counters.tx_errors),
        oper_up: match link.oper() {
            Switch::Up => Some(true),
            Switch::Down | Switch::Other => Some(false),
            Switch::Unknown => None,
        },
        discontinuity: None,
        // A file for each interface: with the facts is often enough.
        high_speed_mbps: None,
    }
}

fn facts(link: &Link) -> InterfaceFacts {
    let counters = link.counters;
    // Modulo 2³², as the wire has them.
    let low = |count: u64| (count & u64::from(u32::MAX)) as u32;
    InterfaceFacts {
        name: link.plain_name(),
        admin: if link.is_up() { Switch::Up } else { Switch::Down },
        oper: link.oper(),
        high_speed_mbps: speed_of(link),
        duplex: match sysfs(link, "duplex").as_deref() {
            Some("full") => Duplex::Full,
            Some("half") => Duplex::Half,
            _ => Duplex::Unknown,
        },
        // The kernel does not keep it.
        unchanged_for_ms: None,
        in_errors: low(counters.rx_errors),
        out_errors: low(counters.tx_errors),
        in_discards: low(counters.rx_dropped),
        out_discards: low(counters.tx_dropped),
    }
}

/// In Mbit/s. Where there is no link, and for what has no speed of its own, the kernel says -1 or refuses.
fn speed_of(link: &Link) -> Option<u32> {
    sysfs(link, "speed")?.parse().ok().filter(|mbps| *mbps > 0)
}

fn sysfs(link: &Link, attribute: &str) -> Option<String> {
    let name = std::str::from_utf8(&link.name).ok()?;
    let text = fs::read_to_string(Path::new(INTERFACES).join(name).join(attribute)).ok()?;
    Some(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use takar_shared::id::name;

    #[test]
    fn the_loopback_is_read_and_what_is_missing_is_told() {
        let mut kernel = Kernel::new(["lo", "takar-none0"].map(|text| name(text).unwrap()).into());
        // Something to count, both ways.
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let before = kernel.poll();
        socket.send_to(&[0; 1000], socket.local_addr().unwrap()).unwrap();
        let after = kernel.poll();
        assert_eq!(
            (after.outcome, after.detail.as_deref()),
            (Outcome::Partial, Some("no interface is called \"takar-none0\""))
        );
        let ([before], [after]) = (before.interfaces.as_slice(), after.interfaces.as_slice()) else {
            panic!("{after:?}")
        };
        assert_eq!((after.if_index, after.width), (1, CounterWidth::Bits64));
        assert!(
            after.in_octets >= before.in_octets + 1000 && after.out_octets >= before.out_octets + 1000,
            "{after:?}"
        );
        let facts = kernel.facts().unwrap();
        assert_eq!((facts.len(), facts[0].admin, facts[0].duplex), (1, Switch::Up, Duplex::Unknown));
        assert_eq!(Kernel::new(vec![name("takar-none0").unwrap()]).facts(), None);
    }
}
