//! Which cells a poll asks for, and what their values say about the configured interfaces.

use std::fmt;

use takar_shared::Name;

use super::{
    CounterWidth, InterfaceReading, Ticks,
    fetch::Found,
    message::Value,
    names::{Map, NameColumn, Place, unpadded},
    oid::{self, Column, Oid},
};

const WIDE_OCTETS: [Column; 2] = [oid::IF_HC_IN_OCTETS, oid::IF_HC_OUT_OCTETS];
const NARROW_OCTETS: [Column; 2] = [oid::IF_IN_OCTETS, oid::IF_OUT_OCTETS];
const IN_DROPS: [(Column, &str); 2] = [(oid::IF_IN_DISCARDS, "ifInDiscards"), (oid::IF_IN_ERRORS, "ifInErrors")];
const OUT_DROPS: [(Column, &str); 2] = [(oid::IF_OUT_DISCARDS, "ifOutDiscards"), (oid::IF_OUT_ERRORS, "ifOutErrors")];
const STATE: [Column; 3] = [oid::IF_OPER_STATUS, oid::IF_HIGH_SPEED, oid::IF_COUNTER_DISCONTINUITY_TIME];

/// Everything a poll needs: sysUpTime, then per interface its name (a moved ifIndex shows at once) and counters.
pub(super) fn cells(map: &Map) -> Vec<Oid> {
    let mut cells = vec![Oid::scalar(oid::SYS_UP_TIME)];
    for (_, place) in &map.entries {
        let Place::At { if_index, narrow } = place else { continue };
        let drops = IN_DROPS.iter().chain(&OUT_DROPS).map(|(column, _)| column);
        let octets = WIDE_OCTETS.iter().chain(NARROW_OCTETS.iter().filter(|_| *narrow));
        let columns = [map.names.column()].into_iter().chain(octets.chain(drops).chain(&STATE).copied());
        cells.extend(columns.map(|column| Oid::cell(column, *if_index)));
    }
    cells
}

/// The 32-bit octet counters of interfaces that turn out to have no 64-bit ones; `map` remembers to ask for both.
pub(super) fn narrow_cells(map: &mut Map, found: &Found) -> Vec<Oid> {
    let mut cells = Vec::new();
    let names = map.names;
    for (name, place) in &mut map.entries {
        let Place::At { if_index, narrow } = place else { continue };
        if !*narrow && has_name(found, names, *if_index, name) && wide_octets(found, *if_index).is_none() {
            *narrow = true;
            cells.extend(NARROW_OCTETS.iter().map(|column| Oid::cell(column, *if_index)));
        }
    }
    cells
}

/// What the found cells say.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    pub(super) up_time: Option<Ticks>,
    pub(super) interfaces: Vec<InterfaceReading>,
    pub(super) problems: Vec<Problem>,
    /// A row is not where the map has it.
    pub(super) moved: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    NoUpTime,
    Absent { name: Name, names: NameColumn },
    Ambiguous { name: Name, names: NameColumn, times: usize },
    Moved { name: Name, if_index: u32 },
    Lacks { name: Name, what: &'static str, got: &'static str, expected: &'static str },
    OutOfOrder { times: usize },
}

pub(super) fn judge(map: &Map, found: &Found) -> Judgement {
    let mut judged = Judgement::default();
    match found.get(oid::SYS_UP_TIME, 0) {
        Some(Value::TimeTicks(ticks)) => judged.up_time = Some(Ticks(*ticks)),
        _ => judged.problems.push(Problem::NoUpTime),
    }
    for (name, place) in &map.entries {
        let names = map.names;
        match *place {
            Place::Absent => judged.problems.push(Problem::Absent { name: name.clone(), names }),
            Place::Ambiguous(times) => judged.problems.push(Problem::Ambiguous { name: name.clone(), names, times }),
            Place::At { if_index, .. } if !has_name(found, names, if_index, name) => {
                judged.moved = true;
                judged.problems.push(Problem::Moved { name: name.clone(), if_index });
            }
            Place::At { if_index, .. } => judge_interface(&mut judged, found, name, if_index),
        }
    }
    if found.out_of_order > 0 {
        judged.problems.push(Problem::OutOfOrder { times: found.out_of_order });
    }
    judged
}

impl Judgement {
    /// Nothing could be read and what came contradicts the MIB or the protocol.
    pub(super) fn is_garbage(&self) -> bool {
        self.interfaces.is_empty()
            && self.problems.iter().any(|problem| match problem {
                Problem::OutOfOrder { .. } => true,
                Problem::Lacks { got, .. } => *got != NOTHING,
                _ => false,
            })
    }
}

const NOTHING: &str = "nothing";

fn judge_interface(judged: &mut Judgement, found: &Found, name: &Name, if_index: u32) {
    let octets = wide_octets(found, if_index)
        .map(|octets| (CounterWidth::Bits64, octets))
        .or_else(|| narrow_octets(found, if_index).map(|octets| (CounterWidth::Bits32, octets)));
    let Some((width, (in_octets, out_octets))) = octets else {
        // Say of the counter that a device of today should have what came in its place.
        let (what, column) = match found.get(oid::IF_HC_IN_OCTETS, if_index) {
            Some(Value::Counter64(_)) => ("ifHCOutOctets", oid::IF_HC_OUT_OCTETS),
            _ => ("ifHCInOctets", oid::IF_HC_IN_OCTETS),
        };
        let got = found.get(column, if_index).map_or(NOTHING, Value::kind);
        judged.problems.push(Problem::Lacks {
            name: name.clone(),
            what,
            got,
            expected: "Counter64, or 32-bit octet counters",
        });
        return;
    };
    let mut drops = |columns: &[(Column, &'static str)]| {
        columns.iter().fold(0_u64, |sum, (column, what)| match found.get(column, if_index) {
            // Some switches count these in 64 bits.
            Some(Value::Counter64(count)) => sum.saturating_add(*count),
            Some(Value::Counter32(count) | Value::Gauge32(count)) => sum.saturating_add(u64::from(*count)),
            other => {
                let got = other.map_or(NOTHING, Value::kind);
                judged.problems.push(Problem::Lacks { name: name.clone(), what, got, expected: "Counter32" });
                sum
            }
        })
    };
    let in_drops = drops(&IN_DROPS);
    let out_drops = drops(&OUT_DROPS);
    let oper_up = match found.get(oid::IF_OPER_STATUS, if_index) {
        Some(Value::Integer(1)) => Some(true),
        // down, testing, dormant, notPresent, lowerLayerDown; 4 is unknown.
        Some(Value::Integer(2 | 3 | 5 | 6 | 7)) => Some(false),
        _ => None,
    };
    let discontinuity = match found.get(oid::IF_COUNTER_DISCONTINUITY_TIME, if_index) {
        Some(Value::TimeTicks(ticks)) => Some(*ticks),
        _ => None,
    };
    let high_speed_mbps = match found.get(oid::IF_HIGH_SPEED, if_index) {
        Some(Value::Gauge32(mbps)) => Some(*mbps),
        _ => None,
    };
    judged.interfaces.push(InterfaceReading {
        name: name.clone(),
        if_index,
        width,
        in_octets,
        out_octets,
        in_drops,
        out_drops,
        oper_up,
        discontinuity,
        high_speed_mbps,
    });
}

pub(super) fn has_name(found: &Found, names: NameColumn, if_index: u32, name: &Name) -> bool {
    matches!(found.get(names.column(), if_index), Some(Value::Bytes(bytes)) if unpadded(bytes) == name.as_bytes())
}

/// In and out; both or none, for a reading has one width.
fn wide_octets(found: &Found, if_index: u32) -> Option<(u64, u64)> {
    match WIDE_OCTETS.map(|column| found.get(column, if_index)) {
        [Some(Value::Counter64(octets_in)), Some(Value::Counter64(octets_out))] => Some((*octets_in, *octets_out)),
        _ => None,
    }
}

fn narrow_octets(found: &Found, if_index: u32) -> Option<(u64, u64)> {
    match NARROW_OCTETS.map(|column| found.get(column, if_index)) {
        [Some(Value::Counter32(octets_in)), Some(Value::Counter32(octets_out))] => {
            Some((u64::from(*octets_in), u64::from(*octets_out)))
        }
        _ => None,
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUpTime => f.write_str("sysUpTime is missing, expected TimeTicks"),
            Self::Absent { name, names } => write!(f, "no interface has {} {name:?}, expected one", names.as_str()),
            Self::Ambiguous { name, names, times } => {
                write!(f, "{times} interfaces have {} {name:?}, expected one", names.as_str())
            }
            Self::Moved { name, if_index } => {
                write!(f, "{name:?} is no longer at ifIndex {if_index}, expected it there")
            }
            Self::Lacks { name, what, got, expected } => write!(f, "{name:?}: {what} is {got}, expected {expected}"),
            Self::OutOfOrder { times } => {
                write!(f, "{times} answers come before what was asked, expected it or a later object")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snmp::{fetch::Fetch, message::Reply};
    use proptest::prelude::*;
    use takar_shared::id::name;

    fn map(names: &[&str], rows: &[(u32, &str)]) -> Map {
        let wanted: Vec<Name> = names.iter().map(|wanted| name(wanted).unwrap()).collect();
        let rows: Vec<(u32, Vec<u8>)> = rows.iter().map(|(index, row)| (*index, row.as_bytes().to_vec())).collect();
        Map::new(NameColumn::IfName, &rows, &wanted)
    }

    fn found(cells: &[(Oid, Value)]) -> Found {
        let mut fetch = Fetch::new(cells.iter().map(|(oid, _)| oid.clone()).collect());
        let mut rest = cells;
        while let Some(_request) = fetch.request() {
            let (now, later) = rest.split_at(rest.len().min(40));
            fetch.on_reply(Reply { varbinds: now.to_vec(), ..Reply::default() }).unwrap();
            rest = later;
        }
        fetch.into_found()
    }

    fn wan(index: u32) -> Vec<(Oid, Value)> {
        vec![
            (Oid::scalar(oid::SYS_UP_TIME), Value::TimeTicks(4_200)),
            (Oid::cell(oid::IF_NAME, index), Value::Bytes(b"wan".to_vec())),
            (Oid::cell(oid::IF_HC_IN_OCTETS, index), Value::Counter64(u64::MAX)),
            (Oid::cell(oid::IF_HC_OUT_OCTETS, index), Value::Counter64(2)),
            (Oid::cell(oid::IF_IN_DISCARDS, index), Value::Counter32(3)),
            (Oid::cell(oid::IF_IN_ERRORS, index), Value::Counter64(4)),
            (Oid::cell(oid::IF_OUT_DISCARDS, index), Value::Counter32(u32::MAX)),
            (Oid::cell(oid::IF_OUT_ERRORS, index), Value::Counter32(6)),
            (Oid::cell(oid::IF_OPER_STATUS, index), Value::Integer(7)),
            (Oid::cell(oid::IF_HIGH_SPEED, index), Value::Gauge32(1_000)),
            (Oid::cell(oid::IF_COUNTER_DISCONTINUITY_TIME, index), Value::TimeTicks(17)),
        ]
    }

    fn replace(cells: &mut [(Oid, Value)], column: Column, with: Value) {
        for (oid, value) in cells {
            if oid.within(column).is_some() {
                *value = with.clone();
            }
        }
    }

    #[test]
    fn asks_for_exactly_what_it_judges() {
        let map = map(&["wan"], &[(5, "wan")]);
        let mut asked = cells(&map);
        let mut judged: Vec<Oid> = wan(5).into_iter().map(|(oid, _)| oid).collect();
        asked.sort();
        judged.sort();
        assert_eq!(asked, judged);
    }

    #[test]
    fn reads_every_field() {
        let judged = judge(&map(&["wan"], &[(5, "wan")]), &found(&wan(5)));
        assert!(judged.problems.is_empty(), "{:?}", judged.problems);
        assert_eq!(judged.up_time, Some(Ticks(4_200)));
        let expected = InterfaceReading {
            name: name("wan").unwrap(),
            if_index: 5,
            width: CounterWidth::Bits64,
            in_octets: u64::MAX,
            out_octets: 2,
            in_drops: 7,
            out_drops: u64::from(u32::MAX) + 6,
            oper_up: Some(false),
            discontinuity: Some(17),
            high_speed_mbps: Some(1_000),
        };
        assert_eq!(judged.interfaces, [expected]);
    }

    #[test]
    fn falls_back_to_32_bits_for_both_directions() {
        let mut map = map(&["wan"], &[(5, "wan")]);
        let mut have = wan(5);
        replace(&mut have, oid::IF_HC_OUT_OCTETS, Value::Absent);
        let wanted = narrow_cells(&mut map, &found(&have));
        assert_eq!(wanted, [Oid::cell(oid::IF_IN_OCTETS, 5), Oid::cell(oid::IF_OUT_OCTETS, 5)]);
        assert!(cells(&map).contains(&wanted[0]), "the next poll asks at once");
        have.push((Oid::cell(oid::IF_IN_OCTETS, 5), Value::Counter32(10)));
        have.push((Oid::cell(oid::IF_OUT_OCTETS, 5), Value::Counter32(11)));
        let judged = judge(&map, &found(&have));
        let reading = &judged.interfaces[0];
        assert_eq!((reading.width, reading.in_octets, reading.out_octets), (CounterWidth::Bits32, 10, 11));
    }

    #[test]
    fn a_wrong_type_is_missing_and_alone_is_garbage() {
        let mut have = wan(5);
        replace(&mut have, oid::IF_HC_IN_OCTETS, Value::Bytes(b"12".to_vec()));
        let judged = judge(&map(&["wan"], &[(5, "wan")]), &found(&have));
        assert!(judged.interfaces.is_empty());
        assert!(judged.is_garbage());
        let line = judged.problems[0].to_string();
        assert_eq!(line, "\"wan\": ifHCInOctets is OCTET STRING, expected Counter64, or 32-bit octet counters");
    }

    #[test]
    fn a_missing_drop_counter_is_told_and_counts_nothing() {
        let mut have = wan(5);
        replace(&mut have, oid::IF_IN_ERRORS, Value::Absent);
        let judged = judge(&map(&["wan"], &[(5, "wan")]), &found(&have));
        assert_eq!(judged.interfaces[0].in_drops, 3);
        assert!(matches!(judged.problems[..], [Problem::Lacks { what: "ifInErrors", got: NOTHING, .. }]));
        assert!(!judged.is_garbage());
    }

    #[test]
    fn a_moved_row_gives_no_reading() {
        let mut have = wan(5);
        replace(&mut have, oid::IF_NAME, Value::Bytes(b"lan".to_vec()));
        let mut map = map(&["wan"], &[(5, "wan")]);
        let judged = judge(&map, &found(&have));
        assert!(judged.moved && judged.interfaces.is_empty());
        replace(&mut have, oid::IF_HC_IN_OCTETS, Value::Absent);
        assert!(narrow_cells(&mut map, &found(&have)).is_empty(), "nothing is learnt from another's row");
    }

    #[test]
    fn absent_and_ambiguous_names_are_told_apart() {
        let map = map(&["ppp0", "ath0"], &[(1, "ath0"), (2, "ath0")]);
        let lines: Vec<String> = judge(&map, &found(&wan(5)[..1])).problems.iter().map(Problem::to_string).collect();
        assert_eq!(
            lines,
            ["no interface has ifName \"ppp0\", expected one", "2 interfaces have ifName \"ath0\", expected one"]
        );
    }

    proptest! {
        /// Whatever the types, a reading has its counters from the right columns or is not there.
        #[test]
        fn any_types_are_judged(kinds in prop::collection::vec(0_u8..9, 11), number in any::<u64>()) {
            let low = number as u32;
            let mut have = wan(5);
            for ((_, value), kind) in have.iter_mut().zip(&kinds) {
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
            let judged = judge(&map(&["wan"], &[(5, "wan")]), &found(&have));
            let wide = kinds[1] == 1 && kinds[2] > 6 && kinds[3] > 6;
            prop_assert_eq!(judged.interfaces.len(), usize::from(wide));
            prop_assert_eq!(judged.moved, kinds[1] != 1);
        }
    }
}
