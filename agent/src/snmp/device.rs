//! For tests: answers v2c GET and GETBULK from a table over a real socket (RFC 3416, 4.2.3), and misbehaves on demand.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, Mutex},
};

use snmp2::{MessageType, Pdu, snmp};
use tokio::net::UdpSocket;

use super::{
    ber::{self, integer, tlv},
    message::{TOO_BIG, pdu, seal_v2c},
    oid::{self, Column, Oid},
};

pub(super) struct Device {
    pub(super) address: String,
    state: Arc<Mutex<State>>,
}

pub(super) struct State {
    /// Values as BER, with their tags.
    pub(super) table: BTreeMap<Oid, Vec<u8>>,
    /// Requests to leave unanswered.
    pub(super) silent: u32,
    /// Answers hold no more varbinds than this.
    pub(super) limit: usize,
    /// An answer that would hold more varbinds is an error instead: tooBig.
    pub(super) too_big: usize,
    /// Rows are told in this order where it names them, as a table that is not kept sorted is.
    pub(super) order: Vec<Oid>,
    /// Every answer comes twice: the second is a late answer to the next request.
    pub(super) twice: bool,
    /// Answers are these bytes instead.
    pub(super) garbage: Option<Vec<u8>>,
    pub(super) requests: u32,
}

impl Device {
    pub(super) async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap().to_string();
        let mut empty = State {
            table: BTreeMap::new(),
            silent: 0,
            limit: usize::MAX,
            too_big: usize::MAX,
            order: Vec::new(),
            twice: false,
            garbage: None,
            requests: 0,
        };
        empty.up_time(1_000);
        let state = Arc::new(Mutex::new(empty));
        tokio::spawn(serve(socket, Arc::clone(&state)));
        Self { address, state }
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }
}

impl State {
    pub(super) fn up_time(&mut self, ticks: i64) {
        self.table.insert(Oid::scalar(oid::SYS_UP_TIME), number(snmp::TYPE_TIMETICKS, ticks));
    }

    /// An interface with 64-bit counters; all its drop counters are 1.
    pub(super) fn interface(&mut self, index: u32, name: &str, octets: [i64; 2]) {
        self.set(oid::IF_NAME, index, tlv(ber::OCTET_STRING, name.as_bytes()));
        self.set(oid::IF_HC_IN_OCTETS, index, number(snmp::TYPE_COUNTER64, octets[0]));
        self.set(oid::IF_HC_OUT_OCTETS, index, number(snmp::TYPE_COUNTER64, octets[1]));
        for column in [oid::IF_IN_DISCARDS, oid::IF_IN_ERRORS, oid::IF_OUT_DISCARDS, oid::IF_OUT_ERRORS] {
            self.set(column, index, number(snmp::TYPE_COUNTER32, 1));
        }
        self.set(oid::IF_OPER_STATUS, index, integer(1));
    }

    pub(super) fn set(&mut self, column: Column, index: u32, value: Vec<u8>) {
        self.table.insert(Oid::cell(column, index), value);
    }

    pub(super) fn remove(&mut self, column: Column) {
        self.table.retain(|oid, _| oid.within(column).is_none());
    }

    fn answer(&self, request: &[u8]) -> Option<Vec<u8>> {
        let request = Pdu::from_bytes(request).ok()?;
        if request.message_type == MessageType::GetRequest {
            let oids = request.varbinds.clone().filter_map(|(oid, _)| Oid::from_ber(oid.as_bytes()));
            let absent = vec![snmp::SNMP_NOSUCHINSTANCE, 0];
            let told = oids.map(|oid| varbind(&oid, self.table.get(&oid).unwrap_or(&absent)).1).collect::<Vec<_>>();
            return Some(seal_v2c(request.community, &pdu(snmp::MSG_RESPONSE, request.req_id, 0, 0, &told.concat())));
        }
        if request.message_type != MessageType::GetBulkRequest {
            return None;
        }
        let non_repeaters = request.error_status as usize;
        let mut oids: Vec<Oid> =
            request.varbinds.clone().filter_map(|(oid, _)| Oid::from_ber(oid.as_bytes())).collect();
        let mut repeaters = oids.split_off(non_repeaters.min(oids.len()));
        let mut varbinds: Vec<Vec<u8>> = oids.iter().map(|oid| self.next(oid).1).collect();
        for _ in 0..request.error_index {
            for repeater in &mut repeaters {
                let (next, varbind) = self.next(repeater);
                *repeater = next;
                varbinds.push(varbind);
            }
        }
        if varbinds.len() > self.too_big {
            return Some(seal_v2c(request.community, &pdu(snmp::MSG_RESPONSE, request.req_id, TOO_BIG, 0, &[])));
        }
        varbinds.truncate(self.limit);
        Some(seal_v2c(request.community, &pdu(snmp::MSG_RESPONSE, request.req_id, 0, 0, &varbinds.concat())))
    }

    fn next(&self, after: &Oid) -> (Oid, Vec<u8>) {
        let in_order = self.order.iter().position(|oid| oid == after).and_then(|at| self.order.get(at + 1));
        if let Some((oid, value)) = in_order.and_then(|oid| self.table.get_key_value(oid)) {
            return varbind(oid, value);
        }
        let later = self.table.range::<Oid, _>((Bound::Excluded(after), Bound::Unbounded)).next();
        let end = vec![snmp::SNMP_ENDOFMIBVIEW, 0];
        let (oid, value) = later.unwrap_or((after, &end));
        varbind(oid, value)
    }
}

fn varbind(oid: &Oid, value: &[u8]) -> (Oid, Vec<u8>) {
    let varbind = [&tlv(ber::OBJECT_IDENTIFIER, &oid.to_ber()), value].concat();
    (oid.clone(), tlv(ber::SEQUENCE, &varbind))
}

/// A value of one of SNMP's own integer types.
pub(super) fn number(tag: u8, number: i64) -> Vec<u8> {
    let mut value = integer(number);
    value[0] = tag;
    value
}

async fn serve(socket: UdpSocket, state: Arc<Mutex<State>>) {
    let mut buffer = vec![0; 65_535];
    loop {
        // A client that went away is reported here on some systems; the next one is still to be served.
        let Ok((length, client)) = socket.recv_from(&mut buffer).await else { continue };
        let answers = {
            let mut state = state.lock().unwrap();
            state.requests += 1;
            let silent = state.silent > 0;
            state.silent = state.silent.saturating_sub(1);
            let answer = state.garbage.clone().or_else(|| state.answer(&buffer[..length])).filter(|_| !silent);
            vec![answer; if state.twice { 2 } else { 1 }]
        };
        for answer in answers.into_iter().flatten() {
            let _ = socket.send_to(&answer, client).await;
        }
    }
}
