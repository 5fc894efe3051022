//! From the cells of a survey to what they say, and to what is odd about it.

use std::collections::BTreeMap;

use super::{
    Identity, Interface, MibQueue, Survey,
    cells::{Cells, Kind, Known},
};
use crate::snmp::{
    fetch::Found,
    message::Value,
    names::unpadded,
    oid::{self, Column},
};

pub(super) const SYSTEM: [Column; 5] =
    [oid::SYS_DESCR, oid::SYS_OBJECT_ID, oid::SYS_UP_TIME, oid::SYS_NAME, oid::SYS_LOCATION];

/// 10 Tbit/s in Mbit/s: no port is as fast, and a device that says so means bit/s.
const ABSURD_MBPS: u64 = 10_000_000;

/// The longest name that a config can hold, in bytes.
const LONGEST_NAME: usize = 64;

/// Interfaces named in one oddity; the others are counted.
const ROWS_TOLD: usize = 8;

pub(super) fn identity(found: &Found, engine_boots: Option<u32>) -> Identity {
    let text = |column| match found.get(column, 0) {
        Some(Value::Bytes(bytes)) => Some(shown(bytes)),
        _ => None,
    };
    Identity {
        sys_name: text(oid::SYS_NAME),
        sys_descr: text(oid::SYS_DESCR),
        sys_object_id: match found.get(oid::SYS_OBJECT_ID, 0) {
            Some(Value::ObjectId(oid)) => Some(oid.to_string()),
            _ => None,
        },
        sys_location: text(oid::SYS_LOCATION),
        up_time_ticks: match found.get(oid::SYS_UP_TIME, 0) {
            Some(Value::TimeTicks(ticks)) => Some(*ticks),
            _ => None,
        },
        engine_boots,
    }
}

pub(super) fn judge(identity: Identity, cells: Cells) -> Survey {
    let by_name =
        cells.rows(oid::IF_NAME).any(|row| text(&cells, oid::IF_NAME, row).is_some_and(|name| !name.is_empty()));
    let names = if by_name { oid::IF_NAME } else { oid::IF_DESCR };
    let interfaces: Vec<Interface> = cells.interfaces().into_iter().map(|row| interface(&cells, names, row)).collect();
    let mut oddities = cells.oddities.clone();
    wrong_types(&cells, &mut oddities);
    if interfaces.is_empty() {
        oddities.push("no interface has a row in ifTable or ifXTable".into());
    } else {
        odd_texts(&cells, &mut oddities);
        odd_names(&interfaces, by_name, &mut oddities);
        odd_counters(&interfaces, &mut oddities);
        odd_speeds(&interfaces, &mut oddities);
    }
    let queues = simple_queues(&cells).chain(tree_queues(&cells)).collect();
    Survey { identity, interfaces, queues, oddities }
}

fn interface(cells: &Cells, names: Column, row: u32) -> Interface {
    let number = |column| number(cells, column, row);
    let text = |column| text(cells, column, row);
    Interface {
        if_index: row,
        name: text(names).filter(|name| !name.is_empty()),
        if_name: text(oid::IF_NAME),
        if_descr: text(oid::IF_DESCR),
        if_alias: text(oid::IF_ALIAS),
        if_type: number(oid::IF_TYPE),
        high_speed_bps: number(oid::IF_HIGH_SPEED)
            .filter(|mbps| *mbps > 0)
            .and_then(|mbps| mbps.checked_mul(1_000_000)),
        speed_bps: number(oid::IF_SPEED).filter(|bps| *bps > 0),
        hc_in_octets: number(oid::IF_HC_IN_OCTETS),
        hc_out_octets: number(oid::IF_HC_OUT_OCTETS),
        in_octets: number(oid::IF_IN_OCTETS),
        out_octets: number(oid::IF_OUT_OCTETS),
        in_discards: number(oid::IF_IN_DISCARDS),
        out_discards: number(oid::IF_OUT_DISCARDS),
        in_errors: number(oid::IF_IN_ERRORS),
        out_errors: number(oid::IF_OUT_ERRORS),
        admin_status: number(oid::IF_ADMIN_STATUS).and_then(status),
        oper_status: number(oid::IF_OPER_STATUS).and_then(status),
    }
}

fn simple_queues(cells: &Cells) -> impl Iterator<Item = MibQueue> {
    cells.rows(oid::QUEUE_SIMPLE_NAME).map(|index| MibQueue {
        kind: "simple",
        index,
        name: text(cells, oid::QUEUE_SIMPLE_NAME, index).unwrap_or_default(),
        packet_mark: None,
        parent_index: None,
        up_bytes: number(cells, oid::QUEUE_SIMPLE_BYTES_IN, index),
        down_bytes: number(cells, oid::QUEUE_SIMPLE_BYTES_OUT, index),
        bytes: None,
        up_dropped: number(cells, oid::QUEUE_SIMPLE_DROPPED_IN, index),
        down_dropped: number(cells, oid::QUEUE_SIMPLE_DROPPED_OUT, index),
        dropped: None,
    })
}

fn tree_queues(cells: &Cells) -> impl Iterator<Item = MibQueue> {
    cells.rows(oid::QUEUE_TREE_NAME).map(|index| MibQueue {
        kind: "tree",
        index,
        name: text(cells, oid::QUEUE_TREE_NAME, index).unwrap_or_default(),
        packet_mark: text(cells, oid::QUEUE_TREE_FLOW, index).filter(|mark| !mark.is_empty()),
        parent_index: number(cells, oid::QUEUE_TREE_PARENT, index),
        up_bytes: None,
        down_bytes: None,
        bytes: number(cells, oid::QUEUE_TREE_HC_BYTES, index),
        up_dropped: None,
        down_dropped: None,
        dropped: number(cells, oid::QUEUE_TREE_DROPPED, index),
    })
}

fn status(value: u64) -> Option<&'static str> {
    let names = ["up", "down", "testing", "unknown", "dormant", "notPresent", "lowerLayerDown"];
    names.get(usize::try_from(value).ok()?.checked_sub(1)?).copied()
}

/// As UTF-8, what is none replaced; zero octets at the end are padding.
fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(unpadded(bytes)).into_owned()
}

fn text(cells: &Cells, column: Column, row: u32) -> Option<String> {
    match cells.get(column, row)? {
        Value::Bytes(bytes) => Some(shown(bytes)),
        _ => None,
    }
}

/// Any number, also of another type than the MIB's; [`wrong_types`] tells of those.
fn number(cells: &Cells, column: Column, row: u32) -> Option<u64> {
    match cells.get(column, row)? {
        Value::Integer(number) => u64::try_from(*number).ok(),
        Value::Counter32(number) | Value::Gauge32(number) | Value::TimeTicks(number) => Some(u64::from(*number)),
        Value::Counter64(number) => Some(*number),
        _ => None,
    }
}

fn wrong_types(cells: &Cells, oddities: &mut Vec<String>) {
    let mut wrong: BTreeMap<(&str, &str, &str), Vec<u32>> = BTreeMap::new();
    for (column, row, value) in cells.all() {
        if let Some(expected) = expected_instead(column, value) {
            wrong.entry((column.name, value.kind(), expected)).or_default().push(row);
        }
    }
    for ((name, got, expected), rows) in wrong {
        oddities.push(format!("{name} is {got}, expected {expected}: {}", told(&rows)));
    }
}

fn expected_instead(column: &Known, value: &Value) -> Option<&'static str> {
    let (fits, expected) = match column.kind {
        Kind::Integer => (matches!(value, Value::Integer(_)), "INTEGER"),
        Kind::Text => (matches!(value, Value::Bytes(_)), "OCTET STRING"),
        Kind::Counter32 => (matches!(value, Value::Counter32(_)), "Counter32"),
        Kind::Gauge32 => (matches!(value, Value::Gauge32(_)), "Gauge32"),
        Kind::Counter64 => (matches!(value, Value::Counter64(_)), "Counter64"),
    };
    (!fits).then_some(expected)
}

fn odd_texts(cells: &Cells, oddities: &mut Vec<String>) {
    for (column, name) in [(oid::IF_NAME, "ifName"), (oid::IF_DESCR, "ifDescr"), (oid::IF_ALIAS, "ifAlias")] {
        let rows = |odd: fn(&[u8]) -> bool| -> Vec<u32> {
            let is_odd = |row: &u32| matches!(cells.get(column, *row), Some(Value::Bytes(bytes)) if odd(bytes));
            cells.rows(column).filter(is_odd).collect()
        };
        for (what, rows) in [
            ("ends in zero octets, which are left out", rows(|bytes| bytes.last() == Some(&0))),
            ("is no UTF-8; replaced by U+FFFD what is none", rows(|bytes| std::str::from_utf8(bytes).is_err())),
            ("holds control characters", rows(|bytes| unpadded(bytes).iter().any(u8::is_ascii_control))),
            (
                "begins or ends with blanks",
                rows(|bytes| bytes.first() == Some(&b' ') || unpadded(bytes).last() == Some(&b' ')),
            ),
        ] {
            if !rows.is_empty() {
                oddities.push(format!("{name} {what}: {}", told(&rows)));
            }
        }
    }
}

fn odd_names(interfaces: &[Interface], by_name: bool, oddities: &mut Vec<String>) {
    let names = if by_name { "ifName" } else { "ifDescr" };
    if !by_name {
        oddities.push("no interface has an ifName; they are known by ifDescr".into());
    }
    let mut rows: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for interface in interfaces {
        rows.entry(interface.name.as_deref().unwrap_or_default()).or_default().push(interface.if_index);
    }
    for (name, rows) in rows {
        if name.is_empty() {
            oddities.push(format!("without {names}, cannot be polled by name: {}", told(&rows)));
            continue;
        }
        if rows.len() > 1 {
            oddities.push(format!(
                "{} interfaces have {names} {name:?}, cannot be polled by name: {}",
                rows.len(),
                told(&rows)
            ));
        }
        if name.len() > LONGEST_NAME {
            let long = name.len();
            oddities.push(format!("{names} of {long} bytes, a config holds {LONGEST_NAME}: {}", told(&rows)));
        }
    }
}

fn odd_counters(interfaces: &[Interface], oddities: &mut Vec<String>) {
    let wide = |interface: &Interface| interface.hc_in_octets.is_some() && interface.hc_out_octets.is_some();
    let narrow = |interface: &Interface| interface.in_octets.is_some() && interface.out_octets.is_some();
    let negative = |interface: &Interface| {
        [interface.hc_in_octets, interface.hc_out_octets].into_iter().flatten().any(|count| count >> 63 != 0)
    };
    let mut say = |what, odd: &dyn Fn(&Interface) -> bool| oddities.extend(oddity(what, interfaces, odd));
    say("no octet counters of both directions, cannot be measured", &|one| !wide(one) && !narrow(one));
    say("only 32-bit octet counters, which wrap in 34 s at 1 Gbit/s", &|one| !wide(one) && narrow(one));
    say("64-bit octet counter above 2^63, a negative number on its way", &negative);
}

fn odd_speeds(interfaces: &[Interface], oddities: &mut Vec<String>) {
    let mut say = |what, odd: &dyn Fn(&Interface) -> bool| oddities.extend(oddity(what, interfaces, odd));
    say("ifHighSpeed of 10 Tbit/s and more, probably in bit/s instead of Mbit/s", &|one| {
        one.high_speed_bps.is_some_and(|bps| bps / 1_000_000 >= ABSURD_MBPS)
    });
    say("ifHighSpeed is missing or zero though ifSpeed is not", &|one| {
        one.high_speed_bps.is_none() && one.speed_bps.is_some()
    });
    say("up, and tells no speed", &|one| {
        one.oper_status == Some("up") && one.high_speed_bps.is_none() && one.speed_bps.is_none()
    });
}

fn oddity(what: &str, interfaces: &[Interface], odd: &dyn Fn(&Interface) -> bool) -> Option<String> {
    let rows: Vec<u32> = interfaces.iter().filter(|one| odd(one)).map(|one| one.if_index).collect();
    (!rows.is_empty()).then(|| format!("{what}: {}", told(&rows)))
}

fn told(rows: &[u32]) -> String {
    let first: Vec<String> = rows.iter().take(ROWS_TOLD).map(u32::to_string).collect();
    match rows.len().saturating_sub(ROWS_TOLD) {
        0 => format!("ifIndex {}", first.join(", ")),
        more => format!("ifIndex {} and {more} more", first.join(", ")),
    }
}

#[cfg(test)]
mod tests;
