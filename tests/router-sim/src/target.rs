//! Whom queues are for: the targets of a simple queue, and the one subscriber whose traffic passes the router.

use std::{fmt, net::IpAddr};

use crate::{
    pair::{Direction, Pair},
    ports,
};

/// An address with its prefix length, kept as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    pub address: IpAddr,
    pub length: u8,
}

impl Prefix {
    /// A bare address gets its full prefix length.
    pub fn read(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let full = full_length(&address);
        let length: u8 = match length {
            Some(length) => length.parse().ok().filter(|length| *length <= full)?,
            None => full,
        };
        Some(Self { address, length })
    }

    pub fn covers(&self, address: &IpAddr) -> bool {
        let shift = u32::from(full_length(&self.address) - self.length);
        let network = |bits: u128| bits.checked_shr(shift).unwrap_or(0);
        self.address.is_ipv4() == address.is_ipv4() && network(bits(&self.address)) == network(bits(address))
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// One target of a simple queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Prefix(Prefix),
    Interface(&'static str),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix(prefix) => fmt::Display::fmt(prefix, f),
            Self::Interface(name) => f.write_str(name),
        }
    }
}

/// Addresses, prefixes and interface names with commas between.
pub fn read_targets(text: &str) -> Option<Vec<Target>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    text.split(',').map(read_target).collect()
}

/// Whose traffic it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// One of the site's addresses; all its traffic is taken to be of this one.
    pub address: IpAddr,
    /// What the firewall's mangle rules write on its packets; an empty one is none.
    pub marks: Pair<String>,
}

impl Subscriber {
    /// The first host of the first prefix among a queue's targets.
    pub fn behind(targets: &[Target]) -> Option<IpAddr> {
        targets.iter().find_map(|target| match target {
            Target::Prefix(prefix) if prefix.length == full_length(&prefix.address) => Some(prefix.address),
            Target::Prefix(Prefix { address: IpAddr::V4(address), length }) => {
                let host = u32::MAX.checked_shr(u32::from(*length)).unwrap_or(0);
                Some(IpAddr::V4(((u32::from(*address) & !host) | 1).into()))
            }
            Target::Prefix(Prefix { address: IpAddr::V6(address), length }) => {
                let host = u128::MAX.checked_shr(u32::from(*length)).unwrap_or(0);
                Some(IpAddr::V6(((u128::from(*address) & !host) | 1).into()))
            }
            Target::Interface(_) => None,
        })
    }

    /// Whether one of these is its. No target at all is everybody's: a public sample of a queue with `target=""` shows
    /// rate=17424/62464. An interface stands for what is behind it, so only the LAN's is the subscriber's.
    pub fn is_among(&self, targets: &[Target]) -> bool {
        targets.is_empty()
            || targets.iter().any(|target| match target {
                Target::Prefix(prefix) => prefix.covers(&self.address),
                Target::Interface(name) => *name == ports::LAN,
            })
    }

    /// Whether a packet in this direction has one of these marks, with commas between: no list takes every packet,
    /// `no-mark` those without (MikroTik manual, "Queues", packet-marks).
    pub fn is_marked(&self, direction: Direction, marks: &str) -> bool {
        let own = self.marks.get(direction);
        marks.is_empty() || marks.split(',').any(|mark| mark == own || (mark == NO_MARK && own.is_empty()))
    }
}

const NO_MARK: &str = "no-mark";

fn read_target(text: &str) -> Option<Target> {
    let interface = [ports::WAN, ports::LAN].into_iter().find(|name| *name == text).map(Target::Interface);
    interface.or_else(|| Prefix::read(text).map(Target::Prefix))
}

fn full_length(address: &IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn bits(address: &IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(*address)),
        IpAddr::V6(address) => u128::from(*address),
    }
}

#[cfg(test)]
pub(crate) fn subscriber(address: &str, up: &str, down: &str) -> Subscriber {
    Subscriber { address: address.parse().unwrap(), marks: Pair { up: up.to_owned(), down: down.to_owned() } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_covers_its_own_addresses_only() {
        let covers = |prefix: &str, address: &str| Prefix::read(prefix).unwrap().covers(&address.parse().unwrap());
        assert!(covers("192.168.88.0/24", "192.168.88.255") && !covers("192.168.88.0/24", "192.168.89.0"));
        assert!(covers("0.0.0.0/0", "203.0.113.9") && !covers("0.0.0.0/0", "2001:db8::1"));
        assert!(covers("::/0", "2001:db8::1") && covers("2001:db8::/32", "2001:db8:ffff::1"));
        assert!(covers("10.0.0.1", "10.0.0.1") && !covers("10.0.0.1", "10.0.0.2"));
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "ether1"] {
            assert_eq!(Prefix::read(text), None, "{text}");
        }
    }

    #[test]
    fn the_subscriber_is_the_first_host_of_its_queue() {
        for (targets, host) in [
            ("192.168.88.0/24", "192.168.88.1"),
            ("ether1,10.0.0.7", "10.0.0.7"),
            ("10.20.30.40/8", "10.0.0.1"),
            ("0.0.0.0/0", "0.0.0.1"),
            ("2001:db8::/32", "2001:db8::1"),
        ] {
            assert_eq!(Subscriber::behind(&read_targets(targets).unwrap()), Some(host.parse().unwrap()), "{targets}");
        }
        assert_eq!(Subscriber::behind(&read_targets("bridge-lan").unwrap()), None);
    }

    #[test]
    fn targets_and_marks_choose_the_subscribers_packets() {
        let subscriber = subscriber("192.168.88.1", "", "site-down");
        let among = |targets: &str| subscriber.is_among(&read_targets(targets).unwrap());
        assert!(among("") && among("bridge-lan") && among("10.0.0.0/8,192.168.0.0/16"));
        assert!(!among("ether1") && !among("10.0.0.0/8"));
        let marked = |direction, marks| subscriber.is_marked(direction, marks);
        assert!(marked(Direction::Down, "") && marked(Direction::Down, "voip,site-down"));
        assert!(!marked(Direction::Down, "no-mark") && marked(Direction::Up, "no-mark"));
        assert!(!marked(Direction::Up, "site-down"));
    }
}
