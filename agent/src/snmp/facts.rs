//! Which cells tell the facts of the configured interfaces, and what their values say. Nothing here is a problem: what
//! a device does not tell is unknown.

use takar_shared::facts::{Duplex, InterfaceFacts, Switch};

use super::{
    fetch::Found,
    message::Value,
    names::{Map, Place},
    oid::{self, Column, Oid},
    table::has_name,
};

const COLUMNS: [Column; 9] = [
    oid::IF_ADMIN_STATUS,
    oid::IF_OPER_STATUS,
    oid::IF_LAST_CHANGE,
    oid::IF_IN_DISCARDS,
    oid::IF_IN_ERRORS,
    oid::IF_OUT_DISCARDS,
    oid::IF_OUT_ERRORS,
    oid::DUPLEX_STATUS,
    oid::IF_HIGH_SPEED,
];

/// Per interface its name (a row that moved tells of another) and the columns; sysUpTime last, so that it is never
/// before an ifLastChange in the same answers.
pub(super) fn cells(map: &Map) -> Vec<Oid> {
    let mut cells = Vec::new();
    for (_, place) in &map.entries {
        let Place::At { if_index, .. } = place else { continue };
        let columns = [map.names.column()].into_iter().chain(COLUMNS);
        cells.extend(columns.map(|column| Oid::cell(column, *if_index)));
    }
    cells.push(Oid::scalar(oid::SYS_UP_TIME));
    cells
}

/// `before`: what was judged last, for the counters that are missing now. A device that left one out for once must not
/// look as if it had counted from zero.
pub(super) fn judge(map: &Map, found: &Found, before: &[InterfaceFacts]) -> Vec<InterfaceFacts> {
    let up_time = ticks(found, oid::SYS_UP_TIME, 0);
    let mut judged = Vec::new();
    for (name, place) in &map.entries {
        let Place::At { if_index, .. } = *place else { continue };
        if !has_name(found, map.names, if_index, name) {
            continue;
        }
        let was = before.iter().find(|was| was.name == *name);
        let counter = |column, of: fn(&InterfaceFacts) -> u32| {
            packets(found, column, if_index).or(was.map(of)).unwrap_or_default()
        };
        let last_change = ticks(found, oid::IF_LAST_CHANGE, if_index);
        judged.push(InterfaceFacts {
            name: name.clone(),
            admin: switch(found, oid::IF_ADMIN_STATUS, if_index),
            oper: switch(found, oid::IF_OPER_STATUS, if_index),
            high_speed_mbps: high_speed(found, if_index),
            duplex: duplex(found, if_index),
            unchanged_for_ms: up_time.zip(last_change).and_then(|(up_time, change)| unchanged_for_ms(up_time, change)),
            in_errors: counter(oid::IF_IN_ERRORS, |was| was.in_errors),
            out_errors: counter(oid::IF_OUT_ERRORS, |was| was.out_errors),
            in_discards: counter(oid::IF_IN_DISCARDS, |was| was.in_discards),
            out_discards: counter(oid::IF_OUT_DISCARDS, |was| was.out_discards),
        });
    }
    judged
}

fn switch(found: &Found, column: Column, if_index: u32) -> Switch {
    match found.get(column, if_index) {
        Some(Value::Integer(1)) => Switch::Up,
        Some(Value::Integer(2)) => Switch::Down,
        // testing, dormant, notPresent, lowerLayerDown; 4 is unknown.
        Some(Value::Integer(3 | 5 | 6 | 7)) => Switch::Other,
        _ => Switch::Unknown,
    }
}

fn duplex(found: &Found, if_index: u32) -> Duplex {
    match found.get(oid::DUPLEX_STATUS, if_index) {
        Some(Value::Integer(2)) => Duplex::Half,
        Some(Value::Integer(3)) => Duplex::Full,
        _ => Duplex::Unknown,
    }
}

/// Bridges and tunnels say 0, which is no speed.
fn high_speed(found: &Found, if_index: u32) -> Option<u32> {
    match found.get(oid::IF_HIGH_SPEED, if_index) {
        Some(Value::Gauge32(mbps)) => Some(*mbps).filter(|mbps| *mbps > 0),
        _ => None,
    }
}

fn packets(found: &Found, column: Column, if_index: u32) -> Option<u32> {
    match found.get(column, if_index) {
        Some(Value::Counter32(count) | Value::Gauge32(count)) => Some(*count),
        // Some switches count these in 64 bits: modulo 2³², as the others do.
        Some(Value::Counter64(count)) => u32::try_from(count & u64::from(u32::MAX)).ok(),
        _ => None,
    }
}

fn ticks(found: &Found, column: Column, index: u32) -> Option<u32> {
    match found.get(column, index) {
        Some(Value::TimeTicks(ticks)) => Some(*ticks),
        _ => None,
    }
}

/// `None` where the change comes after now: sysUpTime wrapped since (497 days), or the device contradicts itself.
fn unchanged_for_ms(up_time: u32, last_change: u32) -> Option<u64> {
    up_time.checked_sub(last_change).map(|hundredths| u64::from(hundredths) * 10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use takar_shared::{Name, id::name};

    use super::*;
    use crate::snmp::{fetch::Fetch, message::Reply, names::NameColumn};

    fn map() -> Map {
        let wanted: [Name; 2] = ["wan", "ppp0"].map(|wanted| name(wanted).unwrap());
        Map::new(NameColumn::IfName, &[(5, b"wan".to_vec())], &wanted)
    }

    /// In the order of [`cells`], which must ask for exactly these.
    fn wan() -> Vec<(Oid, Value)> {
        let values = [
            Value::Bytes(b"wan".to_vec()),
            Value::Integer(1),
            Value::Integer(2),
            Value::TimeTicks(4_000),
            Value::Counter32(1),
            Value::Counter64(0x7_0000_0002),
            Value::Counter32(3),
            Value::Counter32(4),
            Value::Integer(3),
            Value::Gauge32(100),
            Value::TimeTicks(4_200),
        ];
        cells(&map()).into_iter().zip(values).collect()
    }

    fn found(cells: &[(Oid, Value)]) -> Found {
        let mut fetch = Fetch::new(cells.iter().map(|(oid, _)| oid.clone()).collect());
        fetch.request().unwrap();
        fetch.on_reply(Reply { varbinds: cells.to_vec(), ..Reply::default() }).unwrap();
        assert_eq!(fetch.request(), None, "one request");
        fetch.into_found()
    }

    #[test]
    fn every_field_is_read_from_its_column() {
        let cells = wan();
        assert_eq!(cells.len(), 11, "what is not found is not asked for");
        let expected = InterfaceFacts {
            name: name("wan").unwrap(),
            admin: Switch::Up,
            oper: Switch::Down,
            high_speed_mbps: Some(100),
            duplex: Duplex::Full,
            unchanged_for_ms: Some(2_000),
            in_errors: 2,
            out_errors: 4,
            in_discards: 1,
            out_discards: 3,
        };
        assert_eq!(judge(&map(), &found(&cells), &[]), [expected]);
    }

    #[test]
    fn what_is_missing_is_unknown_and_a_counter_stays_as_it_was() {
        let all = wan();
        let only_its_name = found(&all[..1]);
        let unknown = InterfaceFacts {
            name: name("wan").unwrap(),
            admin: Switch::Unknown,
            oper: Switch::Unknown,
            high_speed_mbps: None,
            duplex: Duplex::Unknown,
            unchanged_for_ms: None,
            in_errors: 0,
            out_errors: 0,
            in_discards: 0,
            out_discards: 0,
        };
        assert_eq!(judge(&map(), &only_its_name, &[]), std::slice::from_ref(&unknown));
        let before = judge(&map(), &found(&all), &[]);
        let kept = InterfaceFacts { in_errors: 2, out_errors: 4, in_discards: 1, out_discards: 3, ..unknown };
        assert_eq!(judge(&map(), &only_its_name, &before), [kept]);
    }

    #[test]
    fn another_interfaces_row_tells_nothing() {
        let mut cells = wan();
        cells[0].1 = Value::Bytes(b"lan".to_vec());
        assert!(judge(&map(), &found(&cells), &[]).is_empty());
    }

    #[test]
    fn a_change_after_now_is_not_told() {
        assert_eq!(unchanged_for_ms(7, 7), Some(0));
        assert_eq!(unchanged_for_ms(7, 8), None);
        assert_eq!(unchanged_for_ms(u32::MAX, 0), Some(42_949_672_950));
    }

    proptest! {
        /// Whatever the types, a field has its column's value in its type, or says that it does not know.
        #[test]
        fn any_types_are_judged(kinds in prop::collection::vec(0_u8..8, 11), number in any::<u64>()) {
            let low = number as u32;
            let mut have = wan();
            for ((_, value), kind) in have.iter_mut().zip(&kinds).skip(1) {
                *value = match kind {
                    0 => Value::Integer(number as i64),
                    1 => Value::Bytes(b"wan".to_vec()),
                    2 => Value::Counter32(low),
                    3 => Value::Gauge32(low),
                    4 => Value::TimeTicks(low),
                    5 => Value::Absent,
                    6 => Value::Other,
                    _ => Value::Counter64(number),
                };
            }
            let judged = judge(&map(), &found(&have), &[]);
            let [wan] = judged.as_slice() else { panic!("{judged:?}") };
            prop_assert_eq!(wan.unchanged_for_ms, (kinds[3] == 4 && kinds[10] == 4).then_some(0));
            prop_assert_eq!(wan.high_speed_mbps, (kinds[9] == 3 && low > 0).then_some(low));
            let counted = |kind: u8| if matches!(kind, 2 | 3 | 7) { low } else { 0 };
            let counters = [wan.in_discards, wan.in_errors, wan.out_discards, wan.out_errors];
            prop_assert_eq!(counters, [kinds[4], kinds[5], kinds[6], kinds[7]].map(counted));
            prop_assert!(kinds[8] == 0 || wan.duplex == Duplex::Unknown);
        }
    }
}
