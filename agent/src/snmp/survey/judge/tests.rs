use super::*;
use crate::snmp::{message::Reply, oid::Oid, survey::cells::COLUMNS, walk::Walk};
use proptest::prelude::*;

/// Cells as walks would bring them.
fn cells(rows: &[(Column, u32, Value)]) -> Cells {
    let mut cells = Cells::default();
    for (at, column) in COLUMNS.iter().enumerate() {
        let of_column = rows.iter().filter(|(oid, ..)| *oid == column.oid);
        let varbinds = of_column.map(|(oid, row, value)| (Oid::cell(oid, *row), value.clone())).collect();
        let mut walk = Walk::new(column.oid);
        let _ = walk.on_reply(Reply { varbinds, ..Reply::default() });
        cells.take(at, walk);
    }
    cells
}

fn bytes(text: &[u8]) -> Value {
    Value::Bytes(text.to_vec())
}

fn survey(rows: &[(Column, u32, Value)]) -> Survey {
    judge(Identity::default(), cells(rows))
}

fn sound(row: u32, name: &[u8]) -> Vec<(Column, u32, Value)> {
    vec![
        (oid::IF_DESCR, row, bytes(name)),
        (oid::IF_NAME, row, bytes(name)),
        (oid::IF_ALIAS, row, bytes(b"to the provider")),
        (oid::IF_TYPE, row, Value::Integer(6)),
        (oid::IF_SPEED, row, Value::Gauge32(u32::MAX)),
        (oid::IF_HIGH_SPEED, row, Value::Gauge32(10_000)),
        (oid::IF_ADMIN_STATUS, row, Value::Integer(1)),
        (oid::IF_OPER_STATUS, row, Value::Integer(7)),
        (oid::IF_HC_IN_OCTETS, row, Value::Counter64(1 << 40)),
        (oid::IF_HC_OUT_OCTETS, row, Value::Counter64(2)),
        (oid::IF_IN_OCTETS, row, Value::Counter32(3)),
        (oid::IF_OUT_OCTETS, row, Value::Counter32(4)),
    ]
}

#[test]
fn a_sound_interface_is_read_and_nothing_is_odd() {
    let read = survey(&sound(600_000_000, b"ether1"));
    assert_eq!(read.oddities, [] as [String; 0]);
    let [interface] = read.interfaces.as_slice() else { panic!("{read:?}") };
    assert_eq!((interface.if_index, interface.name.as_deref()), (600_000_000, Some("ether1")));
    assert_eq!(interface.if_alias.as_deref(), Some("to the provider"));
    assert_eq!((interface.high_speed_bps, interface.speed_bps), (Some(10_000_000_000), Some(4_294_967_295)));
    assert_eq!((interface.hc_in_octets, interface.out_octets), (Some(1 << 40), Some(4)));
    assert_eq!((interface.admin_status, interface.oper_status), (Some("up"), Some("lowerLayerDown")));
    assert_eq!(interface.in_errors, None, "not told is not zero");
}

#[test]
fn names_that_cannot_be_relied_on_are_told() {
    let mut rows = Vec::new();
    let names: [&[u8]; 6] = [b"eth0\0\0\0", b"a\nb", b"\xff\xfe", b"ath0", b"ath0", b""];
    for (row, name) in (1..).zip(names) {
        rows.extend(sound(row, name));
    }
    let read = survey(&rows);
    let shown: Vec<Option<&str>> = read.interfaces.iter().map(|one| one.name.as_deref()).collect();
    assert_eq!(shown, [Some("eth0"), Some("a\nb"), Some("\u{fffd}\u{fffd}"), Some("ath0"), Some("ath0"), None]);
    for line in [
        "ifName ends in zero octets, which are left out: ifIndex 1",
        "ifName holds control characters: ifIndex 2",
        "ifName is no UTF-8; replaced by U+FFFD what is none: ifIndex 3",
        "2 interfaces have ifName \"ath0\", cannot be polled by name: ifIndex 4, 5",
        "without ifName, cannot be polled by name: ifIndex 6",
    ] {
        assert!(read.oddities.iter().any(|oddity| oddity == line), "{line}: {:#?}", read.oddities);
    }
    assert!(read.oddities.iter().all(|oddity| !oddity.contains('\n')), "{:?}", read.oddities);
}

#[test]
fn counters_and_speeds_that_cannot_be_relied_on_are_told() {
    let mut rows = sound(1, b"a");
    for (column, _, value) in &mut rows {
        if *column == oid::IF_HIGH_SPEED {
            *value = Value::Gauge32(1_000_000_000);
        } else if *column == oid::IF_HC_IN_OCTETS {
            *value = Value::Counter64(u64::MAX);
        }
    }
    rows.extend(
        sound(2, b"b").into_iter().filter(|(column, ..)| ![oid::IF_HC_OUT_OCTETS, oid::IF_HIGH_SPEED].contains(column)),
    );
    rows.push((oid::IF_NAME, 3, bytes(b"c")));
    rows.push((oid::IF_IN_ERRORS, 3, Value::Counter64(5)));
    rows.push((oid::IF_OPER_STATUS, 3, Value::Integer(1)));
    let read = survey(&rows);
    assert_eq!(read.interfaces[0].high_speed_bps, Some(1_000_000_000_000_000), "as told");
    assert_eq!(read.interfaces[2].in_errors, Some(5), "as told");
    for line in [
        "ifHighSpeed of 10 Tbit/s and more, probably in bit/s instead of Mbit/s: ifIndex 1",
        "64-bit octet counter above 2^63, a negative number on its way: ifIndex 1",
        "only 32-bit octet counters, which wrap in 34 s at 1 Gbit/s: ifIndex 2",
        "ifHighSpeed is missing or zero though ifSpeed is not: ifIndex 2",
        "no octet counters of both directions, cannot be measured: ifIndex 3",
        "up, and tells no speed: ifIndex 3",
        "ifInErrors is Counter64, expected Counter32: ifIndex 3",
    ] {
        assert!(read.oddities.iter().any(|oddity| oddity == line), "{line}: {:#?}", read.oddities);
    }
}

#[test]
fn without_any_if_name_the_description_is_the_name() {
    let rows: Vec<_> = sound(1, b"lo").into_iter().filter(|(column, ..)| *column != oid::IF_NAME).collect();
    let read = survey(&rows);
    assert_eq!((read.interfaces[0].name.as_deref(), read.interfaces[0].if_name.as_deref()), (Some("lo"), None));
    assert!(read.oddities.contains(&"no interface has an ifName; they are known by ifDescr".to_owned()));
}

#[test]
fn queues_of_the_mikrotik_mib_are_read() {
    let read = survey(&[
        (oid::QUEUE_SIMPLE_NAME, 1, bytes(b"WAN")),
        (oid::QUEUE_SIMPLE_BYTES_IN, 1, Value::Counter64(7)),
        (oid::QUEUE_SIMPLE_BYTES_OUT, 1, Value::Counter64(8)),
        (oid::QUEUE_TREE_NAME, 16_777_216, bytes(b"ETHER4")),
        (oid::QUEUE_TREE_FLOW, 16_777_216, bytes(b"")),
        (oid::QUEUE_TREE_PARENT, 16_777_216, Value::Integer(4)),
        (oid::QUEUE_TREE_HC_BYTES, 16_777_216, Value::Counter64(9)),
    ]);
    let [simple, tree] = read.queues.as_slice() else { panic!("{read:?}") };
    assert_eq!((simple.kind, simple.up_bytes, simple.down_bytes), ("simple", Some(7), Some(8)));
    assert_eq!((tree.kind, tree.bytes, tree.parent_index), ("tree", Some(9), Some(4)));
    assert_eq!(tree.packet_mark, None);
}

proptest! {
    /// Whatever a device tells, a survey is one line an oddity, and no interface is lost or made up.
    #[test]
    fn any_cells_are_judged(
        rows in prop::collection::vec((0..COLUMNS.len(), 0_u32..6, 0_u8..8, prop::collection::vec(any::<u8>(), 0..80), any::<u64>()), 0..60)
    ) {
        let rows: Vec<(Column, u32, Value)> = rows
            .into_iter()
            .map(|(at, row, kind, text, number)| {
                let value = match kind {
                    0 => Value::Integer(number as i64),
                    1 => Value::Bytes(text),
                    2 => Value::Counter32(number as u32),
                    3 => Value::Gauge32(number as u32),
                    4 => Value::TimeTicks(number as u32),
                    5 => Value::Absent,
                    6 => Value::Other,
                    _ => Value::Counter64(number),
                };
                (COLUMNS[at].oid, row, value)
            })
            .collect();
        let cells = cells(&rows);
        let expected: Vec<u32> = cells.interfaces().into_iter().collect();
        let read = judge(Identity::default(), cells);
        let found: Vec<u32> = read.interfaces.iter().map(|one| one.if_index).collect();
        prop_assert_eq!(found, expected);
        prop_assert!(read.oddities.iter().all(|oddity| !oddity.contains('\n')));
    }
}
