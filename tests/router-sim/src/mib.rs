//! The tree that the simulated agent serves: SNMPv2-MIB's system group and IF-MIB's ifTable and ifXTable, in the
//! shape of a recorded RouterOS walk (ifSpeed 0 on a bridge, empty ifAlias, sysObjectID 1.3.6.1.4.1.14988.1), of
//! EtherLike-MIB the duplex of the Ethernet port, and MIKROTIK-MIB's tables of queues.

use std::{collections::BTreeMap, net::Ipv4Addr, ops::Bound};

use crate::{ber, ber::Oid, ports::Port, table::Table, tree::QueueTree};

mod queues;

/// What stands behind one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Integer(i64),
    Text(Vec<u8>),
    Oid(Oid),
    IpAddress(Ipv4Addr),
    Counter32(u32),
    Gauge32(u32),
    /// Hundredths of a second.
    TimeTicks(u32),
    Counter64(u64),
    NoSuchObject,
    NoSuchInstance,
    EndOfMibView,
}

impl Value {
    pub fn push_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::Integer(value) => ber::push_integer(out, ber::INTEGER, *value),
            Self::Text(bytes) => ber::push(out, ber::OCTET_STRING, bytes),
            Self::Oid(oid) => ber::push_oid(out, oid),
            Self::IpAddress(address) => ber::push(out, ber::IP_ADDRESS, &address.octets()),
            Self::Counter32(value) => ber::push_integer(out, ber::COUNTER32, *value),
            Self::Gauge32(value) => ber::push_integer(out, ber::GAUGE32, *value),
            Self::TimeTicks(value) => ber::push_integer(out, ber::TIME_TICKS, *value),
            Self::Counter64(value) => ber::push_integer(out, ber::COUNTER64, *value),
            Self::NoSuchObject => ber::push(out, ber::NO_SUCH_OBJECT, &[]),
            Self::NoSuchInstance => ber::push(out, ber::NO_SUCH_INSTANCE, &[]),
            Self::EndOfMibView => ber::push(out, ber::END_OF_MIB_VIEW, &[]),
        }
    }
}

/// Every readable instance at one moment.
#[derive(Clone, Debug, Default)]
pub struct Tree(BTreeMap<Oid, Value>);

impl Tree {
    pub fn build(name: &str, uptime_ms: u64, ports: &[Port], simple: &Table, queues: &QueueTree) -> Self {
        let mut tree = Self::default();
        tree.add_system(name, uptime_ms);
        tree.add_simple_queues(simple, ports);
        tree.add_tree_queues(queues, ports);
        tree.put(&IF_NUMBER, 0, Value::Integer(ports.len() as i64));
        for port in ports {
            tree.add_if_entry(port);
            tree.add_if_x_entry(port);
            if port.if_type == ETHERNET {
                tree.put(&DUPLEX_STATUS, port.index, Value::Integer(FULL_DUPLEX));
            }
        }
        tree
    }

    /// The value of exactly this name, or the exception that RFC 3416 §4.2.1 asks for.
    pub fn get(&self, oid: &Oid) -> Value {
        if let Some(value) = self.0.get(oid) {
            return value.clone();
        }
        if self.knows_object(oid) { Value::NoSuchInstance } else { Value::NoSuchObject }
    }

    /// The first name after this one.
    pub fn next(&self, oid: &Oid) -> Option<(&Oid, &Value)> {
        self.0.range::<Oid, _>((Bound::Excluded(oid), Bound::Unbounded)).next()
    }

    /// Whether some served instance is of the object that this name begins with. Every instance here has one arc.
    pub fn knows_object(&self, oid: &Oid) -> bool {
        self.0.keys().filter_map(|key| key.0.split_last()).any(|(_, object)| oid.0.starts_with(object))
    }

    fn put(&mut self, object: &[u32], instance: u32, value: Value) {
        self.0.insert(Oid(object.to_vec()).child(&[instance]), value);
    }

    fn add_system(&mut self, name: &str, uptime_ms: u64) {
        let text = |text: &str| Value::Text(text.as_bytes().to_vec());
        // TimeTicks wraps after 497 days.
        let ticks = (uptime_ms / 10 % (1 << 32)) as u32;
        for (arc, value) in [
            (1, text("RouterOS CHR")),
            (2, Value::Oid(Oid(MIKROTIK.to_vec()))),
            (3, Value::TimeTicks(ticks)),
            (4, text("")),
            (5, text(name)),
            (6, text("")),
        ] {
            self.put(&Oid(SYSTEM.to_vec()).child(&[arc]).0, 0, value);
        }
    }

    fn add_if_entry(&mut self, port: &Port) {
        for (column, value) in [
            (1, Value::Integer(i64::from(port.index))),
            (2, Value::Text(port.name.as_bytes().to_vec())),
            (3, Value::Integer(i64::from(port.if_type))),
            (4, Value::Integer(1500)),
            (5, Value::Gauge32(u32::try_from(port.speed.0).unwrap_or(u32::MAX))),
            (6, Value::Text(port.mac.to_vec())),
            (7, Value::Integer(1)),
            (8, Value::Integer(1)),
            (9, Value::TimeTicks(0)),
            (10, counter32(port.received.bytes())),
            (11, counter32(port.received.0)),
            (13, Value::Counter32(0)),
            (14, Value::Counter32(0)),
            (16, counter32(port.sent.bytes())),
            (17, counter32(port.sent.0)),
            (19, counter32(port.out_dropped.0)),
            (20, Value::Counter32(0)),
        ] {
            self.put(&Oid(IF_ENTRY.to_vec()).child(&[column]).0, port.index, value);
        }
    }

    fn add_if_x_entry(&mut self, port: &Port) {
        let high_speed = (port.speed.0 / 1_000_000).min(u64::from(u32::MAX)) as u32;
        for (column, value) in [
            (1, Value::Text(port.name.as_bytes().to_vec())),
            (6, Value::Counter64(port.received.bytes())),
            (7, Value::Counter64(port.received.0)),
            (10, Value::Counter64(port.sent.bytes())),
            (11, Value::Counter64(port.sent.0)),
            (15, Value::Gauge32(high_speed)),
            (18, Value::Text(Vec::new())),
            (19, Value::TimeTicks(0)),
        ] {
            self.put(&Oid(IF_X_ENTRY.to_vec()).child(&[column]).0, port.index, value);
        }
    }
}

const SYSTEM: [u32; 7] = [1, 3, 6, 1, 2, 1, 1];
const IF_NUMBER: [u32; 8] = [1, 3, 6, 1, 2, 1, 2, 1];
const IF_ENTRY: [u32; 9] = [1, 3, 6, 1, 2, 1, 2, 2, 1];
/// dot3StatsDuplexStatus (RFC 3635), and its word for full.
const DUPLEX_STATUS: [u32; 11] = [1, 3, 6, 1, 2, 1, 10, 7, 2, 1, 19];
const FULL_DUPLEX: i64 = 3;
/// ethernetCsmacd (IANAifType-MIB).
const ETHERNET: u32 = 6;
const IF_X_ENTRY: [u32; 10] = [1, 3, 6, 1, 2, 1, 31, 1, 1, 1];
const MIKROTIK: [u32; 8] = [1, 3, 6, 1, 4, 1, 14988, 1];

/// A Counter32 is the true count modulo 2^32.
fn counter32(count: u64) -> Value {
    Value::Counter32((count % (1 << 32)) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        pair::{BitsPerSec, Pair},
        ports,
        shaper::{Counters, Packets},
    };

    fn tree() -> Tree {
        let served = |packets| Counters { served: Packets(packets), ..Counters::default() };
        let totals = Pair { up: served(8), down: served(4_000_000) };
        let capacity = Pair { up: BitsPerSec(1), down: BitsPerSec(1) };
        Tree::build("r1", 4_304_000, &ports::read(&totals, 5, 1, &capacity), &Table::default(), &QueueTree::default())
    }

    fn oid(text: &str) -> Oid {
        Oid(text.split('.').map(|arc| arc.parse().unwrap()).collect())
    }

    #[test]
    fn counters_are_mirrored_between_the_ports() {
        let tree = tree();
        assert_eq!(tree.get(&oid("1.3.6.1.2.1.31.1.1.1.6.5")), Value::Counter64(5_000_000_000));
        assert_eq!(tree.get(&oid("1.3.6.1.2.1.31.1.1.1.10.5")), Value::Counter64(10_000));
        assert_eq!(tree.get(&oid("1.3.6.1.2.1.31.1.1.1.6.6")), Value::Counter64(10_000));
        assert_eq!(tree.get(&oid("1.3.6.1.2.1.31.1.1.1.10.6")), Value::Counter64(5_000_000_000));
        assert_eq!(tree.get(&oid("1.3.6.1.2.1.2.2.1.10.5")), Value::Counter32(705_032_704));
    }

    #[test]
    fn ports_are_up_and_only_the_ethernet_port_has_a_duplex() {
        let tree = tree();
        for status in ["1.3.6.1.2.1.2.2.1.7", "1.3.6.1.2.1.2.2.1.8"] {
            assert_eq!(
                [5, 6].map(|port| tree.get(&oid(&format!("{status}.{port}")))),
                [Value::Integer(1), Value::Integer(1)]
            );
        }
        assert_eq!(tree.get(&oid("1.3.6.1.2.1.2.2.1.9.5")), Value::TimeTicks(0));
        assert_eq!(tree.get(&oid("1.3.6.1.2.1.10.7.2.1.19.5")), Value::Integer(3));
        assert_eq!(tree.get(&oid("1.3.6.1.2.1.10.7.2.1.19.6")), Value::NoSuchInstance);
    }

    #[test]
    fn absent_names_say_what_is_absent() {
        let tree = tree();
        assert_eq!(tree.get(&oid("1.3.6.1.2.1.1.3.0")), Value::TimeTicks(430_400));
        assert_eq!(tree.get(&oid("1.3.6.1.2.1.2.2.1.10.1")), Value::NoSuchInstance);
        assert_eq!(tree.get(&oid("1.3.6.1.2.1.2.2.1.12.5")), Value::NoSuchObject);
        assert_eq!(tree.get(&oid("1.3.6.1.4.1")), Value::NoSuchObject);
    }

    #[test]
    fn a_walk_visits_every_name_in_order_and_ends() {
        let tree = tree();
        let mut at = oid("0.0");
        let mut visited = 0;
        while let Some((next, _)) = tree.next(&at) {
            assert!(*next > at);
            at = next.clone();
            visited += 1;
        }
        assert_eq!(visited, 6 + 1 + 2 * (17 + 8) + 1);
        assert_eq!(at, oid("1.3.6.1.2.1.31.1.1.1.19.6"));
    }
}
