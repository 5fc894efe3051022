//! MIKROTIK-MIB's mtxrQueueSimpleTable and mtxrQueueTreeTable, in the shape of LibreNMS's recording of an RB2011iL.
//!
//! The packet counters are there and stand still: "Packet counters are not updating" (LibreNMS, Routeros.php, pollQos).

use std::net::{IpAddr, Ipv4Addr};

use super::{Tree, Value, counter32};
use crate::{
    branch::{Branch, Parent},
    ports::Port,
    row::Row,
    table::Table,
    target::{Prefix, Target},
    tree::QueueTree,
};

impl Tree {
    pub(super) fn add_simple_queues(&mut self, table: &Table, ports: &[Port]) {
        for row in table.rows() {
            for (column, value) in simple_columns(row, ports) {
                self.put(&[SIMPLE_ENTRY.as_slice(), &[column]].concat(), row.id, value);
            }
        }
    }

    pub(super) fn add_tree_queues(&mut self, queues: &QueueTree, ports: &[Port]) {
        for row in queues.rows() {
            for (column, value) in tree_columns(row, ports) {
                self.put(&[TREE_ENTRY.as_slice(), &[column]].concat(), row.id, value);
            }
        }
    }
}

/// In and out are the upload and the download: where the manual of RouterOS 2.9 writes in/out, later ones write
/// upload/download. Source is the first target, which is all that one address can tell.
fn simple_columns(row: &Row, ports: &[Port]) -> [(u32, Value); 14] {
    let nowhere = Value::IpAddress(Ipv4Addr::UNSPECIFIED);
    let (address, mask) =
        row.targets.iter().find_map(network).unwrap_or((Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED));
    let interface = row.targets.iter().find_map(|target| match target {
        Target::Interface(name) => Some(index_of(name, ports)),
        Target::Prefix(_) => None,
    });
    [
        (2, text(&row.name)),
        (3, Value::IpAddress(address)),
        (4, Value::IpAddress(mask)),
        (5, nowhere.clone()),
        (6, nowhere),
        (7, Value::Integer(interface.unwrap_or(0))),
        (8, Value::Counter64(row.stats.up.bytes())),
        (9, Value::Counter64(row.stats.down.bytes())),
        (10, Value::Counter32(0)),
        (11, Value::Counter32(0)),
        (12, Value::Counter32(0)),
        (13, Value::Counter32(0)),
        (14, counter32(row.stats.up.dropped.0)),
        (15, counter32(row.stats.down.dropped.0)),
    ]
}

fn tree_columns(row: &Branch, ports: &[Port]) -> [(u32, Value); 8] {
    let parent = match row.parent {
        Parent::Global => GLOBAL_INDEX,
        Parent::Interface(name) => index_of(name, ports),
        Parent::Queue(id) => i64::from(id),
    };
    [
        (2, text(&row.name)),
        (3, text(&row.packet_mark)),
        (4, Value::Integer(parent)),
        (5, counter32(row.stats.bytes())),
        (6, Value::Counter32(0)),
        (7, Value::Counter64(row.stats.bytes())),
        (8, Value::Counter32(0)),
        (9, counter32(row.stats.dropped.0)),
    ]
}

const SIMPLE_ENTRY: [u32; 12] = [1, 3, 6, 1, 4, 1, 14988, 1, 1, 2, 1, 1];
const TREE_ENTRY: [u32; 12] = [1, 3, 6, 1, 4, 1, 14988, 1, 1, 2, 2, 1];
/// As recorded of a queue whose parent is `global`.
const GLOBAL_INDEX: i64 = 16_777_204;

fn text(text: &str) -> Value {
    Value::Text(text.as_bytes().to_vec())
}

fn index_of(name: &str, ports: &[Port]) -> i64 {
    ports.iter().find(|port| port.name == name).map_or(0, |port| i64::from(port.index))
}

fn network(target: &Target) -> Option<(Ipv4Addr, Ipv4Addr)> {
    match target {
        Target::Prefix(Prefix { address: IpAddr::V4(address), length }) => {
            let host = u32::MAX.checked_shr(u32::from(*length)).unwrap_or(0);
            Some((*address, Ipv4Addr::from(!host)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ber::Oid,
        pair::{BitsPerSec, Direction, Pair},
        ports,
        select::attributes,
        shaper::{Counters, Packets},
    };

    fn tree() -> Tree {
        let (mut simple, mut queues) = (Table::default(), QueueTree::default());
        let site = [("name", "WAN-QUEUE"), ("target", "bridge-lan,192.168.88.0/24")];
        simple.add(&attributes(&site)).unwrap();
        simple.add(&attributes(&[("name", "WAN-QUEUE-CHILD"), ("target", "2001:db8::/32")])).unwrap();
        for list in [
            [("name", "ETHER4"), ("parent", "ether1"), ("packet-mark", "")],
            [("name", "ETHER4-MARK"), ("parent", "ETHER4"), ("packet-mark", "ETHER3-MARK")],
            [("name", "QUEUE-GLOBAL"), ("parent", "global"), ("packet-mark", "no-mark")],
        ] {
            queues.add(&attributes(&list)).unwrap();
        }
        let moved = Counters { offered: Packets(0), served: Packets(4_000_000), dropped: Packets(7) };
        simple.rows_mut()[0].stats.get_mut(Direction::Down).count(moved, Packets(0));
        queues.rows_mut()[1].stats.count(moved, Packets(0));
        let capacity = Pair { up: BitsPerSec(1), down: BitsPerSec(1) };
        Tree::build("r1", 1000, &ports::read(&Pair::default(), 4, 1, &capacity), &simple, &queues)
    }

    fn get(tree: &Tree, table: &[u32], column: u32, index: u32) -> Value {
        tree.get(&Oid([table, &[column, index]].concat()))
    }

    #[test]
    fn both_tables_count_what_the_queues_count() {
        let tree = tree();
        assert_eq!(get(&tree, &SIMPLE_ENTRY, 2, 1), text("WAN-QUEUE"));
        assert_eq!(get(&tree, &SIMPLE_ENTRY, 3, 1), Value::IpAddress(Ipv4Addr::new(192, 168, 88, 0)));
        assert_eq!(get(&tree, &SIMPLE_ENTRY, 4, 1), Value::IpAddress(Ipv4Addr::new(255, 255, 255, 0)));
        assert_eq!([1, 2].map(|index| get(&tree, &SIMPLE_ENTRY, 7, index)), [Value::Integer(5), Value::Integer(0)]);
        assert_eq!(get(&tree, &SIMPLE_ENTRY, 8, 1), Value::Counter64(0));
        assert_eq!(get(&tree, &SIMPLE_ENTRY, 9, 1), Value::Counter64(5_000_000_000));
        assert_eq!(get(&tree, &SIMPLE_ENTRY, 15, 1), Value::Counter32(7));
        assert_eq!(get(&tree, &TREE_ENTRY, 5, 16_777_217), Value::Counter32(705_032_704));
        assert_eq!(get(&tree, &TREE_ENTRY, 7, 16_777_217), Value::Counter64(5_000_000_000));
    }

    #[test]
    fn parents_are_told_by_the_index_of_a_port_of_a_queue_or_of_global() {
        let tree = tree();
        let parents = [16_777_216, 16_777_217, 16_777_218].map(|index| get(&tree, &TREE_ENTRY, 4, index));
        assert_eq!(parents, [4, 16_777_216, 16_777_204].map(Value::Integer));
    }

    /// The columns that the recording has, with their types: those that LibreNMS reads.
    #[test]
    fn a_recorded_router_serves_the_same_columns_in_the_same_types() {
        let tree = tree();
        let kind = |entry: &[u32], column: u32, index: u32| match get(&tree, entry, column, index) {
            Value::Integer(_) => "INTEGER",
            Value::Text(_) => "OCTET STRING",
            Value::Counter32(_) => "Counter32",
            Value::Counter64(_) => "Counter64",
            other => panic!("{column}.{index} is {other:?}"),
        };
        for (column, recorded) in
            [(2, "OCTET STRING"), (8, "Counter64"), (9, "Counter64"), (14, "Counter32"), (15, "Counter32")]
        {
            assert_eq!([1, 2].map(|index| kind(&SIMPLE_ENTRY, column, index)), [recorded; 2], "{column}");
        }
        for (column, recorded) in
            [(2, "OCTET STRING"), (3, "OCTET STRING"), (4, "INTEGER"), (7, "Counter64"), (9, "Counter32")]
        {
            let queues = [16_777_216, 16_777_217, 16_777_218];
            assert_eq!(queues.map(|index| kind(&TREE_ENTRY, column, index)), [recorded; 3], "{column}");
        }
    }
}
