//! Surveys of a device over a real socket that keeps to the protocol more or less.

use std::time::Duration;

use snmp2::snmp;

use super::*;
use crate::snmp::{
    Credentials, TargetConfig,
    ber::{self, tlv},
    device::{Device, number},
    oid,
};

async fn survey(device: &Device) -> Result<Survey, String> {
    let mut target = Target::new(TargetConfig {
        address: device.address.clone(),
        credentials: Credentials::V2c { community: "public".into() },
        timeout: Duration::from_millis(500),
        retries: 0,
        interfaces: Vec::new(),
    });
    target.survey().await
}

async fn thirty() -> Device {
    let device = Device::start().await;
    device.change(|state| {
        for index in 1..=30 {
            state.interface(index, &format!("ether{index}"), [i64::from(index), 0]);
        }
        state.set(oid::SYS_NAME, 0, tlv(ber::OCTET_STRING, b"core-1"));
        state.set(oid::SYS_OBJECT_ID, 0, tlv(ber::OBJECT_IDENTIFIER, &Oid::of(oid::SYS_NAME).to_ber()));
    });
    device
}

fn octets(survey: &Survey) -> Vec<(u32, Option<u64>)> {
    survey.interfaces.iter().map(|one| (one.if_index, one.hc_in_octets)).collect()
}

fn expected() -> Vec<(u32, Option<u64>)> {
    (1..=30).map(|index| (index, Some(u64::from(index)))).collect()
}

#[tokio::test]
async fn everything_is_read_however_short_the_answers_are() {
    let device = thirty().await;
    let whole = survey(&device).await.unwrap();
    assert_eq!(octets(&whole), expected());
    assert_eq!(whole.identity.sys_name.as_deref(), Some("core-1"));
    assert_eq!(whole.identity.sys_object_id.as_deref(), Some("1.3.6.1.2.1.1.5"));
    assert_eq!(whole.identity.up_time_ticks, Some(1_000));
    device.change(|state| state.limit = 3);
    assert_eq!(survey(&device).await.unwrap(), whole, "short answers");
    device.change(|state| (state.limit, state.too_big) = (usize::MAX, 4));
    assert_eq!(survey(&device).await.unwrap(), whole, "tooBig");
}

#[tokio::test]
async fn a_table_out_of_order_is_read_whole_and_told() {
    let device = thirty().await;
    device.change(|state| {
        let rows = [3, 9, 5, 4, 6];
        state.order = rows.map(|row| Oid::cell(oid::IF_NAME, row)).into();
        // Row 6 is followed by 7, and 8 by 9, which was told already: a loop, if the rows between are not there.
        state.table.retain(|oid, _| oid.within(oid::IF_NAME).is_none_or(|row| ![7, 8].contains(&row[0])));
    });
    let read = survey(&device).await.unwrap();
    assert_eq!(octets(&read), expected());
    let names = read.interfaces.iter().filter(|one| one.if_name.is_some()).count();
    assert_eq!(names, 28, "what the walk did not reach was asked for row by row");
    assert!(read.oddities.iter().any(|oddity| oddity.starts_with("ifName: walk went from")), "{:?}", read.oddities);
    assert!(read.oddities.iter().any(|oddity| oddity.contains("come after one with a higher index")));
}

#[tokio::test]
async fn what_is_no_answer_is_one_line() {
    let device = thirty().await;
    device.change(|state| state.silent = 1);
    let silent = survey(&device).await.unwrap_err();
    assert_eq!(silent, format!("{}: no answer within 500 ms", device.address));
    device.change(|state| state.set(oid::IF_HC_IN_OCTETS, 4, number(snmp::TYPE_GAUGE32, 4)));
    let odd = survey(&device).await.unwrap();
    assert_eq!(octets(&odd), expected());
    assert!(odd.oddities.contains(&"ifHCInOctets is Gauge32, expected Counter64: ifIndex 4".to_owned()), "{odd:?}");
}
