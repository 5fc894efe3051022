//! The columns of a survey, and what was read of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::snmp::{
    fetch::Found,
    message::Value,
    oid::{self, Column},
    walk::Walk,
};

/// What a column holds by its MIB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Text,
    Counter32,
    Gauge32,
    Counter64,
}

pub(super) struct Known {
    pub(super) oid: Column,
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Not walked where this column has no row.
    pub(super) only_with: Option<Column>,
}

const fn known(oid: Column, name: &'static str, kind: Kind, only_with: Option<Column>) -> Known {
    Known { oid, name, kind, only_with }
}

pub(super) const COLUMNS: [Known; 26] = [
    known(oid::IF_DESCR, "ifDescr", Kind::Text, None),
    known(oid::IF_NAME, "ifName", Kind::Text, None),
    known(oid::IF_ALIAS, "ifAlias", Kind::Text, None),
    known(oid::IF_TYPE, "ifType", Kind::Integer, None),
    known(oid::IF_SPEED, "ifSpeed", Kind::Gauge32, None),
    known(oid::IF_HIGH_SPEED, "ifHighSpeed", Kind::Gauge32, None),
    known(oid::IF_ADMIN_STATUS, "ifAdminStatus", Kind::Integer, None),
    known(oid::IF_OPER_STATUS, "ifOperStatus", Kind::Integer, None),
    known(oid::IF_HC_IN_OCTETS, "ifHCInOctets", Kind::Counter64, None),
    known(oid::IF_HC_OUT_OCTETS, "ifHCOutOctets", Kind::Counter64, None),
    known(oid::IF_IN_OCTETS, "ifInOctets", Kind::Counter32, None),
    known(oid::IF_OUT_OCTETS, "ifOutOctets", Kind::Counter32, None),
    known(oid::IF_IN_DISCARDS, "ifInDiscards", Kind::Counter32, None),
    known(oid::IF_OUT_DISCARDS, "ifOutDiscards", Kind::Counter32, None),
    known(oid::IF_IN_ERRORS, "ifInErrors", Kind::Counter32, None),
    known(oid::IF_OUT_ERRORS, "ifOutErrors", Kind::Counter32, None),
    known(oid::QUEUE_SIMPLE_NAME, "mtxrQueueSimpleName", Kind::Text, None),
    known(oid::QUEUE_SIMPLE_BYTES_IN, "mtxrQueueSimpleBytesIn", Kind::Counter64, Some(oid::QUEUE_SIMPLE_NAME)),
    known(oid::QUEUE_SIMPLE_BYTES_OUT, "mtxrQueueSimpleBytesOut", Kind::Counter64, Some(oid::QUEUE_SIMPLE_NAME)),
    known(oid::QUEUE_SIMPLE_DROPPED_IN, "mtxrQueueSimpleDroppedIn", Kind::Counter32, Some(oid::QUEUE_SIMPLE_NAME)),
    known(oid::QUEUE_SIMPLE_DROPPED_OUT, "mtxrQueueSimpleDroppedOut", Kind::Counter32, Some(oid::QUEUE_SIMPLE_NAME)),
    known(oid::QUEUE_TREE_NAME, "mtxrQueueTreeName", Kind::Text, None),
    known(oid::QUEUE_TREE_FLOW, "mtxrQueueTreeFlow", Kind::Text, Some(oid::QUEUE_TREE_NAME)),
    known(oid::QUEUE_TREE_PARENT, "mtxrQueueTreeParentIndex", Kind::Integer, Some(oid::QUEUE_TREE_NAME)),
    known(oid::QUEUE_TREE_HC_BYTES, "mtxrQueueTreeHCBytes", Kind::Counter64, Some(oid::QUEUE_TREE_NAME)),
    known(oid::QUEUE_TREE_DROPPED, "mtxrQueueTreeDropped", Kind::Counter32, Some(oid::QUEUE_TREE_NAME)),
];

/// ifTable and ifXTable are the first; the queues' rows have other indexes.
const OF_INTERFACES: usize = 16;

fn position(column: Column) -> Option<usize> {
    COLUMNS.iter().position(|known| known.oid == column)
}

/// By position in [`COLUMNS`] and row.
#[derive(Default)]
pub(super) struct Cells {
    values: BTreeMap<(usize, u32), Value>,
    pub(super) oddities: Vec<String>,
}

impl Cells {
    pub(super) fn say(&mut self, oddity: String) {
        self.oddities.push(oddity);
    }

    pub(super) fn take(&mut self, at: usize, walk: Walk) {
        let name = COLUMNS.get(at).map_or("", |column| column.name);
        if walk.odd_rows > 0 {
            self.say(format!("{name}: {} rows whose index is not one number; passed over", walk.odd_rows));
        }
        if walk.out_of_order > 0 {
            self.say(format!("{name}: {} rows come after one with a higher index", walk.out_of_order));
        }
        for (index, value) in walk.into_rows() {
            if value != Value::Absent {
                self.values.insert((at, index), value);
            }
        }
    }

    /// The rows that other columns of the same kind have and this one lacks.
    pub(super) fn missing(&self, at: usize) -> impl Iterator<Item = u32> {
        let same = |other: usize| (other < OF_INTERFACES) == (at < OF_INTERFACES);
        let rows: BTreeSet<u32> = self.values.keys().filter(|(other, _)| same(*other)).map(|(_, row)| *row).collect();
        rows.into_iter().filter(move |row| !self.values.contains_key(&(at, *row)))
    }

    pub(super) fn fill(&mut self, at: usize, found: &Found) {
        let Some(column) = COLUMNS.get(at) else { return };
        let missing: Vec<u32> = self.missing(at).collect();
        for row in missing {
            if let Some(value) = found.get(column.oid, row) {
                self.values.insert((at, row), value.clone());
            }
        }
    }

    pub(super) fn is_empty(&self, column: Column) -> bool {
        self.rows(column).next().is_none()
    }

    /// The indexes of a column's rows, rising.
    pub(super) fn rows(&self, column: Column) -> impl Iterator<Item = u32> {
        let at = position(column).unwrap_or(usize::MAX);
        self.values.range((at, 0)..=(at, u32::MAX)).map(|((_, row), _)| *row)
    }

    /// The indexes of all interfaces, rising.
    pub(super) fn interfaces(&self) -> BTreeSet<u32> {
        self.values.keys().filter(|(at, _)| *at < OF_INTERFACES).map(|(_, row)| *row).collect()
    }

    pub(super) fn get(&self, column: Column, row: u32) -> Option<&Value> {
        self.values.get(&(position(column)?, row))
    }

    /// Every value, with what its column should hold.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'static Known, u32, &Value)> {
        self.values.iter().filter_map(|((at, row), value)| COLUMNS.get(*at).map(|column| (column, *row, value)))
    }
}
