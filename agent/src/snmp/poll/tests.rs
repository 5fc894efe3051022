//! Polls of a device over a real socket: what is read, what is noticed, what is told when it fails.

use snmp2::snmp;
use takar_shared::{
    facts::{Duplex, Switch},
    id::name,
};
use tokio::net::UdpSocket;

use super::*;
use crate::snmp::{
    Auth, CounterWidth, Credentials, Privacy,
    ber::{self, integer, tlv},
    device::{Device, number},
    oid::{self, Oid},
};

fn target(device: &Device, interfaces: &[&str], timeout_ms: u64, retries: u8) -> Target {
    Target::new(TargetConfig {
        address: device.address.clone(),
        credentials: Credentials::V2c { community: "public".into() },
        timeout: Duration::from_millis(timeout_ms),
        retries,
        interfaces: interfaces.iter().map(|interface| name(interface).unwrap()).collect(),
    })
}

/// Name, ifIndex, octets in, octets out.
fn octets(poll: &Poll) -> Vec<(&str, u32, u64, u64)> {
    let readings = poll.interfaces.iter();
    readings.map(|reading| (reading.name.as_str(), reading.if_index, reading.in_octets, reading.out_octets)).collect()
}

#[tokio::test]
async fn reads_the_configured_interfaces_in_their_order() {
    let device = Device::start().await;
    device.change(|state| {
        state.interface(1, "lo", [5, 5]);
        state.interface(7, "wan", [100, 200]);
        state.interface(600_000_000, "lan", [300, 400]);
    });
    let poll = target(&device, &["lan", "wan"], 2_000, 0).poll().await;
    assert_eq!((poll.outcome, poll.detail.as_deref()), (Outcome::Ok, None));
    assert_eq!(poll.up_time, Some(Ticks(1_000)));
    assert_eq!(octets(&poll), [("lan", 600_000_000, 300, 400), ("wan", 7, 100, 200)]);
    assert_eq!((poll.interfaces[0].in_drops, poll.interfaces[0].oper_up), (2, Some(true)));
}

#[tokio::test]
async fn a_device_whose_tables_are_out_of_order_is_polled() {
    let device = Device::start().await;
    device.change(|state| {
        for index in 1..=5 {
            state.interface(index, &format!("ether{index}"), [i64::from(index), 0]);
        }
        for column in [oid::IF_NAME, oid::IF_HC_IN_OCTETS] {
            state.order.extend([4, 2, 5, 1, 3].map(|index| Oid::cell(column, index)));
        }
        // It begins where the order does.
        state.order.insert(0, Oid::of(oid::IF_NAME));
    });
    let poll = target(&device, &["ether2", "ether3"], 2_000, 0).poll().await;
    assert_eq!((poll.outcome, poll.detail.as_deref()), (Outcome::Ok, None));
    assert_eq!(octets(&poll), [("ether2", 2, 2, 0), ("ether3", 3, 3, 0)]);
}

#[tokio::test]
async fn asks_again_for_what_an_answer_left_out() {
    let device = Device::start().await;
    let names: Vec<String> = (1..=30).map(|index| format!("ether{index}")).collect();
    device.change(|state| {
        for (index, interface) in (1..).zip(&names) {
            state.interface(index, interface, [i64::from(index), 0]);
        }
        state.limit = 7;
    });
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let poll = target(&device, &names, 2_000, 0).poll().await;
    assert_eq!((poll.outcome, poll.detail), (Outcome::Ok, None));
    assert_eq!(poll.interfaces.len(), 30);
    assert!((1..).zip(&poll.interfaces).all(|(index, reading)| reading.in_octets == index));
}

#[tokio::test]
async fn late_answers_are_passed_over() {
    let device = Device::start().await;
    device.change(|state| {
        state.interface(1, "wan", [100, 200]);
        state.twice = true;
    });
    let mut target = target(&device, &["wan"], 2_000, 0);
    for count in 0_i64..4 {
        device.change(|state| state.interface(1, "wan", [count, 0]));
        let poll = target.poll().await;
        assert_eq!(octets(&poll), [("wan", 1, count.cast_unsigned(), 0)], "{poll:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_costs_a_retry_and_silence_is_a_timeout() {
    let device = Device::start().await;
    device.change(|state| {
        state.interface(1, "wan", [100, 200]);
        state.silent = 1;
    });
    let mut target = target(&device, &["wan"], 300, 1);
    assert_eq!(target.poll().await.outcome, Outcome::Ok);
    device.change(|state| state.silent = 2);
    let before = device.change(|state| state.requests);
    let poll = target.poll().await;
    assert_eq!(poll.outcome, Outcome::Timeout);
    assert_eq!(poll.detail, Some(format!("{}: no answer within 600 ms", device.address)));
    assert_eq!(device.change(|state| state.requests) - before, 2);
    assert_eq!(target.poll().await.outcome, Outcome::Ok);
}

#[tokio::test]
async fn shuffled_indexes_are_noticed_in_the_same_poll() {
    let device = Device::start().await;
    device.change(|state| {
        state.interface(1, "wan", [100, 200]);
        state.interface(2, "lan", [300, 400]);
    });
    let mut target = target(&device, &["wan", "lan"], 2_000, 0);
    assert_eq!(target.poll().await.outcome, Outcome::Ok);
    device.change(|state| {
        state.interface(2, "wan", [101, 201]);
        state.interface(1, "lan", [301, 401]);
    });
    let poll = target.poll().await;
    assert_eq!(poll.outcome, Outcome::Ok);
    assert_eq!(octets(&poll), [("wan", 2, 101, 201), ("lan", 1, 301, 401)]);
}

#[tokio::test]
async fn a_restart_walks_the_names_again() {
    let device = Device::start().await;
    device.change(|state| state.interface(1, "wan", [100, 200]));
    let mut target = target(&device, &["wan"], 2_000, 0);
    target.poll().await;
    let requests = |device: &Device| device.change(|state| std::mem::take(&mut state.requests));
    requests(&device);
    device.change(|state| state.up_time(2_000));
    target.poll().await;
    assert_eq!(requests(&device), 1, "all is known");
    // After the restart the name is there twice: only a walk can tell.
    device.change(|state| {
        state.up_time(3);
        state.interface(9, "wan", [1, 1]);
    });
    let poll = target.poll().await;
    assert_eq!((poll.outcome, poll.up_time), (Outcome::Partial, Some(Ticks(3))));
    assert_eq!(poll.detail, Some(format!("{}: 2 interfaces have ifName \"wan\", expected one", device.address)));
}

#[tokio::test]
async fn an_interface_that_comes_later_is_found() {
    let device = Device::start().await;
    device.change(|state| state.interface(1, "wan", [100, 200]));
    let mut target = target(&device, &["wan", "ppp0"], 2_000, 0);
    let poll = target.poll().await;
    assert_eq!((poll.outcome, poll.interfaces.len()), (Outcome::Partial, 1));
    device.change(|state| state.interface(50, "ppp0", [7, 8]));
    let poll = target.poll().await;
    assert_eq!(octets(&poll), [("wan", 1, 100, 200), ("ppp0", 50, 7, 8)], "{poll:?}");
}

#[tokio::test]
async fn without_64_bit_counters_the_32_bit_ones_are_read() {
    let device = Device::start().await;
    device.change(|state| {
        state.interface(1, "wan", [100, 200]);
        state.remove(oid::IF_HC_OUT_OCTETS);
        state.set(oid::IF_IN_OCTETS, 1, number(snmp::TYPE_COUNTER32, 11));
        state.set(oid::IF_OUT_OCTETS, 1, number(snmp::TYPE_COUNTER32, 4_294_967_295));
    });
    let mut target = target(&device, &["wan"], 2_000, 0);
    for _ in 0..2 {
        let poll = target.poll().await;
        assert_eq!(octets(&poll), [("wan", 1, 11, 4_294_967_295)]);
        assert_eq!((poll.outcome, poll.interfaces[0].width), (Outcome::Ok, CounterWidth::Bits32));
    }
}

#[tokio::test]
async fn empty_names_lead_to_descriptions() {
    let device = Device::start().await;
    device.change(|state| {
        state.interface(101, "", [100, 200]);
        state.set(oid::IF_DESCR, 101, tlv(ber::OCTET_STRING, b"RMON Port 01 on unit 1"));
    });
    let poll = target(&device, &["RMON Port 01 on unit 1"], 2_000, 0).poll().await;
    assert_eq!(octets(&poll), [("RMON Port 01 on unit 1", 101, 100, 200)], "{poll:?}");
}

#[tokio::test]
async fn facts_are_read_by_a_request_of_their_own() {
    let device = Device::start().await;
    device.change(|state| {
        state.interface(1, "wan", [100, 200]);
        state.up_time(5_000);
        state.set(oid::IF_ADMIN_STATUS, 1, integer(1));
        state.set(oid::IF_LAST_CHANGE, 1, number(snmp::TYPE_TIMETICKS, 2_000));
        state.set(oid::DUPLEX_STATUS, 1, integer(2));
        state.set(oid::IF_HIGH_SPEED, 1, number(snmp::TYPE_UNSIGNED32, 1_000));
    });
    let mut target = target(&device, &["wan", "ppp0"], 2_000, 0);
    assert_eq!(target.facts().await, None, "no poll has found an interface yet");
    assert_eq!(target.poll().await.outcome, Outcome::Partial);
    device.change(|state| state.requests = 0);
    let expected = InterfaceFacts {
        name: name("wan").unwrap(),
        admin: Switch::Up,
        oper: Switch::Up,
        high_speed_mbps: Some(1_000),
        duplex: Duplex::Half,
        unchanged_for_ms: Some(30_000),
        in_errors: 1,
        out_errors: 1,
        in_discards: 1,
        out_discards: 1,
    };
    assert_eq!(target.facts().await, Some(vec![expected.clone()]));
    assert_eq!(device.change(|state| state.requests), 1);
    for column in [oid::IF_ADMIN_STATUS, oid::IF_LAST_CHANGE, oid::DUPLEX_STATUS, oid::IF_OUT_ERRORS] {
        device.change(|state| state.remove(column));
    }
    let less = InterfaceFacts { admin: Switch::Unknown, duplex: Duplex::Unknown, unchanged_for_ms: None, ..expected };
    assert_eq!(target.facts().await, Some(vec![less]), "the counter that is gone is as it was");
}

#[tokio::test]
async fn facts_that_do_not_come_cost_one_request_and_no_poll() {
    let device = Device::start().await;
    device.change(|state| state.interface(1, "wan", [100, 200]));
    let mut target = target(&device, &["wan"], 300, 3);
    assert_eq!(target.poll().await.outcome, Outcome::Ok);
    device.change(|state| {
        state.silent = 1;
        state.requests = 0;
    });
    assert_eq!(target.facts().await, None);
    assert_eq!(device.change(|state| state.requests), 1);
    assert_eq!(target.poll().await.outcome, Outcome::Ok);
}

#[tokio::test]
async fn garbage_and_nobody_are_told_apart() {
    let device = Device::start().await;
    device.change(|state| state.garbage = Some(b"HTTP/1.1 400 Bad Request".to_vec()));
    let poll = target(&device, &["wan"], 50, 1).poll().await;
    assert_eq!(poll.outcome, Outcome::Garbage, "{poll:?}");

    let closed = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut nobody = target(&device, &["wan"], 50, 1);
    nobody.config.address = closed.to_string();
    let poll = nobody.poll().await;
    assert_eq!(poll.outcome, Outcome::Unreachable, "{poll:?}");
}

#[tokio::test]
async fn a_device_that_does_not_speak_v3_times_out() {
    let device = Device::start().await;
    let mut target = target(&device, &["wan"], 50, 0);
    target.config.credentials = Credentials::V3 {
        user: "takar".into(),
        auth: Auth::Sha1,
        auth_password: "auth-password".into(),
        privacy: Privacy::Aes128,
        privacy_password: "privacy-password".into(),
    };
    assert_eq!(target.poll().await.outcome, Outcome::Timeout);
}
