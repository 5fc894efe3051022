//! The decoders of SNMP datagrams, read as source: they are private to the agent. Its public types are the agent's.
#![allow(dead_code)] // only decoding, and encoding what was decoded, are called

#[path = "../../agent/src/snmp/ber.rs"]
mod ber;
#[path = "../../agent/src/snmp/fault.rs"]
mod fault;
#[path = "../../agent/src/snmp/header.rs"]
mod header;
#[path = "../../agent/src/snmp/message.rs"]
mod message;
#[path = "../../agent/src/snmp/oid.rs"]
mod oid;
#[path = "../../agent/src/snmp/usm.rs"]
mod usm;

use snmp2::snmp;
use takar_agent::snmp::{Auth, Credentials, Outcome, Privacy};
use tokio::time::Instant;

use self::{
    ber::{integer, tlv},
    fault::Fault,
    header::{Header, id_v3, plain},
    message::{Reply, Value, id_v2c, open_v2c, pdu, seal_v2c},
    usm::{Account, Keyring, Usm},
};

const COMMUNITY: &[u8] = b"public";
/// The engine of the seeds.
const ENGINE: &[u8] = b"\x80\x00\x1f\x88\x80\xa9\x85\x18\x05\x37\x0d\x05\x6b\x00\x00\x00\x00";
const BOOTS: u32 = 1;

/// A reply is what it says: for its own request and community only, never larger than its message, and read again
/// from its own encoding as it was.
pub fn v2c(message: &[u8]) {
    let Ok(id) = id_v2c(message) else {
        assert!(open_v2c(message, COMMUNITY, 5).is_err());
        return;
    };
    let id = i32::try_from(id).expect("request ids are of 32 bits");
    assert!(open_v2c(message, COMMUNITY, id ^ 1).is_err(), "an answer to something else");
    let Ok(reply) = open_v2c(message, COMMUNITY, id).map_err(|fault| told(&fault)) else { return };
    assert!(matches!(open_v2c(message, b"private", id), Err(Fault::Community)));
    assert!(reply.varbinds.len() <= message.len());
    let varbinds: Vec<u8> = reply.varbinds.iter().flat_map(|(oid, value)| varbind(&oid.to_ber(), value)).collect();
    let pdu = pdu(snmp::MSG_RESPONSE, id, reply.error_status, reply.error_index, &varbinds);
    let again: Reply = open_v2c(&seal_v2c(COMMUNITY, &pdu), COMMUNITY, id).expect("our own reply");
    assert_eq!(again, reply);
}

/// A message that our key did not authenticate opens never, and leaves the engine's clock alone.
pub fn v3(message: &[u8], usm: &mut Device) {
    let Ok(header) = Header::read(message).map_err(|fault| told(&fault)) else { return };
    assert_eq!(id_v3(message).ok(), Some(header.message_id));
    assert!(header.engine_id.len() <= 32);
    assert!(header.boots <= i32::MAX as u32 && header.time <= i32::MAX as u32);
    // snmp2 blanks the digest in the message itself, which the fuzzer does not allow in its own bytes.
    let copy = message.to_vec();
    let id = i32::try_from(header.message_id).unwrap_or_default();
    let opened = usm.0.open(&header, &copy, id, Instant::now());
    let fault = opened.expect_err("no message of the fuzzer's has our digest");
    told(&fault);
    assert_eq!(usm.0.engine_boots(), BOOTS);
}

/// Makes its keys once: a megabyte of hashing.
pub struct Device(Usm);

impl Device {
    pub fn new() -> Self {
        let credentials = Credentials::V3 {
            user: "takar".into(),
            auth: Auth::Sha256,
            auth_password: "no seed was made with this".into(),
            privacy: Privacy::Aes128,
            privacy_password: "nor with this".into(),
        };
        let account = Account::of(&credentials).expect("v3");
        let discovered = Header::read(&plain(1, 0, ENGINE, &pdu(snmp::MSG_REPORT, 0, 0, 0, &[]))).expect("our own");
        let engine = Header { boots: BOOTS, time: 2, ..discovered };
        Self(Usm::new(account, &mut Keyring::default(), &engine, Instant::now()).expect("sound credentials"))
    }
}

/// One line for the log, whatever the device sent.
fn told(fault: &Fault) {
    assert!(!fault.line().contains('\n'), "{fault:?}");
    assert!(!matches!(fault.outcome(), Outcome::Ok));
}

fn varbind(oid: &[u8], value: &Value) -> Vec<u8> {
    let value = match value {
        Value::Integer(number) => integer(*number),
        Value::Bytes(bytes) => tlv(ber::OCTET_STRING, bytes),
        Value::Counter32(count) => tlv(snmp::TYPE_COUNTER32, &unsigned(u64::from(*count))),
        Value::Gauge32(number) => tlv(snmp::TYPE_UNSIGNED32, &unsigned(u64::from(*number))),
        Value::TimeTicks(ticks) => tlv(snmp::TYPE_TIMETICKS, &unsigned(u64::from(*ticks))),
        Value::Counter64(count) => tlv(snmp::TYPE_COUNTER64, &unsigned(*count)),
        Value::ObjectId(oid) => tlv(ber::OBJECT_IDENTIFIER, &oid.to_ber()),
        Value::Absent => vec![snmp::SNMP_NOSUCHOBJECT, 0],
        Value::EndOfView => vec![snmp::SNMP_ENDOFMIBVIEW, 0],
        Value::Other => ber::NULL.to_vec(),
    };
    tlv(ber::SEQUENCE, &[tlv(ber::OBJECT_IDENTIFIER, oid), value].concat())
}

/// The shortest octets of a number that is not negative: a zero before a first bit that would be a sign.
fn unsigned(value: u64) -> Vec<u8> {
    let bytes = [&[0][..], &value.to_be_bytes()].concat();
    let redundant = bytes.windows(2).take_while(|pair| pair[0] == 0 && pair[1] & 0x80 == 0).count();
    bytes[redundant..].to_vec()
}
