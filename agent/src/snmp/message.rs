//! Requests and replies as owned values, and the v2c envelope (RFC 1901) around them.

use snmp2::{MessageType, Pdu, Version, snmp};

use super::{
    ber::{self, integer, tlv},
    fault::Fault,
    oid::Oid,
};

/// Error statuses (RFC 3416, 3) that mean more than "no".
pub(super) const TOO_BIG: u32 = 1;
pub(super) const NO_SUCH_NAME: u32 = 2;
pub(super) const NO_ACCESS: u32 = 6;
pub(super) const AUTHORIZATION_ERROR: u32 = 16;

/// What is asked of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// GETBULK (RFC 3416, 4.2.3).
    Bulk { after: Vec<Oid>, non_repeaters: u32, max_repetitions: u32 },
    /// GET (4.2.1): for devices whose tables are not in order, so that nothing is known to follow anything.
    Exact(Vec<Oid>),
}

impl Request {
    /// Asks once for each of `cells`, in their order.
    pub(super) fn cells<'a>(cells: impl IntoIterator<Item = &'a Oid>) -> Self {
        let after: Vec<Oid> = cells.into_iter().map(Oid::predecessor).collect();
        let non_repeaters = u32::try_from(after.len()).unwrap_or(u32::MAX);
        // One repetition, so that a device that overlooks the non-repeaters answers the same.
        Self::Bulk { after, non_repeaters, max_repetitions: 1 }
    }

    pub(super) fn exact<'a>(cells: impl IntoIterator<Item = &'a Oid>) -> Self {
        Self::Exact(cells.into_iter().cloned().collect())
    }

    /// Asks for up to `repetitions` objects that follow `after`.
    pub(super) fn rows(after: Oid, repetitions: u32) -> Self {
        Self::Bulk { after: vec![after], non_repeaters: 0, max_repetitions: repetitions }
    }

    pub(super) fn pdu(&self, id: i32) -> Vec<u8> {
        let (tag, oids, first, second) = match self {
            Self::Bulk { after, non_repeaters, max_repetitions } => {
                (snmp::MSG_GET_BULK, after, *non_repeaters, *max_repetitions)
            }
            Self::Exact(cells) => (snmp::MSG_GET, cells, 0, 0),
        };
        let varbinds: Vec<u8> = oids
            .iter()
            .flat_map(|oid| {
                let mut varbind = tlv(ber::OBJECT_IDENTIFIER, &oid.to_ber());
                varbind.extend_from_slice(&ber::NULL);
                tlv(ber::SEQUENCE, &varbind)
            })
            .collect();
        pdu(tag, id, first, second, &varbinds)
    }
}

/// A PDU of any kind; in a Response the two numbers are error status and error index.
pub(super) fn pdu(tag: u8, id: i32, first: u32, second: u32, varbinds: &[u8]) -> Vec<u8> {
    let mut contents = integer(i64::from(id));
    contents.extend_from_slice(&integer(i64::from(first)));
    contents.extend_from_slice(&integer(i64::from(second)));
    contents.extend_from_slice(&tlv(ber::SEQUENCE, varbinds));
    tlv(tag, &contents)
}

/// The value of one varbind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Integer(i64),
    Bytes(Vec<u8>),
    Counter32(u32),
    Gauge32(u32),
    TimeTicks(u32),
    Counter64(u64),
    ObjectId(Oid),
    /// noSuchObject, noSuchInstance.
    Absent,
    EndOfView,
    /// A type that nothing here reads.
    Other,
}

impl Value {
    /// For people.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Integer(_) => "INTEGER",
            Self::Bytes(_) => "OCTET STRING",
            Self::Counter32(_) => "Counter32",
            Self::Gauge32(_) => "Gauge32",
            Self::TimeTicks(_) => "TimeTicks",
            Self::Counter64(_) => "Counter64",
            Self::ObjectId(_) => "OBJECT IDENTIFIER",
            Self::Absent => "nothing",
            Self::EndOfView => "the end of the view",
            Self::Other => "another type",
        }
    }
}

impl From<snmp2::Value<'_>> for Value {
    fn from(value: snmp2::Value<'_>) -> Self {
        match value {
            snmp2::Value::Integer(number) => Self::Integer(number),
            snmp2::Value::OctetString(bytes) => Self::Bytes(bytes.to_vec()),
            snmp2::Value::Counter32(count) => Self::Counter32(count),
            snmp2::Value::Unsigned32(number) => Self::Gauge32(number),
            snmp2::Value::Timeticks(ticks) => Self::TimeTicks(ticks),
            snmp2::Value::Counter64(count) => Self::Counter64(count),
            snmp2::Value::ObjectIdentifier(oid) => Oid::from_ber(oid.as_bytes()).map_or(Self::Other, Self::ObjectId),
            snmp2::Value::NoSuchObject | snmp2::Value::NoSuchInstance => Self::Absent,
            snmp2::Value::EndOfMibView => Self::EndOfView,
            _ => Self::Other,
        }
    }
}

/// A Response, as it came: nothing says yet that it answers what was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reply {
    /// Ends before the first varbind that does not decode.
    pub(super) varbinds: Vec<(Oid, Value)>,
    pub(super) error_status: u32,
    pub(super) error_index: u32,
}

impl Reply {
    pub(super) fn read(pdu: &Pdu<'_>, expected_id: i32) -> Result<Self, Fault> {
        if pdu.message_type != MessageType::Response {
            return Err(Fault::Kind(pdu.message_type));
        }
        if pdu.req_id != expected_id {
            return Err(Fault::RequestId { got: pdu.req_id, expected: expected_id });
        }
        let mut varbinds = Vec::new();
        for (oid, value) in pdu.varbinds.clone() {
            let Some(oid) = Oid::from_ber(oid.as_bytes()) else { break };
            varbinds.push((oid, Value::from(value)));
        }
        Ok(Self { varbinds, error_status: pdu.error_status, error_index: pdu.error_index })
    }
}

pub(super) fn seal_v2c(community: &[u8], pdu: &[u8]) -> Vec<u8> {
    let mut contents = integer(Version::V2C as i64);
    contents.extend_from_slice(&tlv(ber::OCTET_STRING, community));
    contents.extend_from_slice(pdu);
    tlv(ber::SEQUENCE, &contents)
}

/// The request that a v2c message answers.
pub(super) fn id_v2c(message: &[u8]) -> Result<i64, Fault> {
    read_v2c(message).map(|pdu| i64::from(pdu.req_id))
}

pub(super) fn open_v2c(message: &[u8], community: &[u8], expected_id: i32) -> Result<Reply, Fault> {
    let pdu = read_v2c(message)?;
    if pdu.community != community {
        return Err(Fault::Community);
    }
    Reply::read(&pdu, expected_id)
}

fn read_v2c(message: &[u8]) -> Result<Pdu<'_>, Fault> {
    let pdu = Pdu::from_bytes(message).map_err(|error| match error {
        // snmp2's words for a v3 message without v3 credentials.
        snmp2::Error::AuthFailure(_) | snmp2::Error::UnsupportedVersion => Fault::Version,
        other => Fault::Rejected(other),
    })?;
    match pdu.version() {
        Ok(Version::V2C) => Ok(pdu),
        _ => Err(Fault::Version),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snmp::oid::{IF_NAME, SYS_UP_TIME};
    use proptest::prelude::*;

    fn varbind(oid: &Oid, value: &[u8]) -> Vec<u8> {
        let mut varbind = tlv(ber::OBJECT_IDENTIFIER, &oid.to_ber());
        varbind.extend_from_slice(value);
        tlv(ber::SEQUENCE, &varbind)
    }

    #[test]
    fn a_request_is_read_by_the_library_as_it_was_meant() {
        let request = Request::cells([&Oid::scalar(SYS_UP_TIME), &Oid::cell(IF_NAME, 700)]);
        let message = seal_v2c(b"public", &request.pdu(77));
        let pdu = Pdu::from_bytes(&message).unwrap();
        assert_eq!(pdu.message_type, MessageType::GetBulkRequest);
        assert_eq!((pdu.req_id, pdu.error_status, pdu.error_index), (77, 2, 1));
        let after: Vec<Oid> = pdu.varbinds.map(|(oid, _)| Oid::from_ber(oid.as_bytes()).unwrap()).collect();
        assert_eq!(after, [Oid::of(SYS_UP_TIME), Oid::cell(IF_NAME, 699)]);
    }

    #[test]
    fn a_reply_keeps_what_decodes() {
        let name = Oid::cell(IF_NAME, 1);
        let mut varbinds = varbind(&name, &tlv(ber::OCTET_STRING, &[0xff, b'x']));
        varbinds.extend(varbind(&Oid::cell(IF_NAME, 2), &[0x46, 0x0a, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]));
        varbinds.extend(varbind(&Oid::cell(IF_NAME, 3), &ber::NULL));
        let message = seal_v2c(b"public", &pdu(snmp::MSG_RESPONSE, 5, 0, 0, &varbinds));
        let reply = open_v2c(&message, b"public", 5).unwrap();
        assert_eq!(reply.varbinds, [(name, Value::Bytes(vec![0xff, b'x']))], "a Counter64 of ten octets ends it");
    }

    #[test]
    fn an_answer_to_something_else_is_refused() {
        let message = seal_v2c(b"public", &pdu(snmp::MSG_RESPONSE, 5, 0, 0, &[]));
        assert!(matches!(open_v2c(&message, b"private", 5), Err(Fault::Community)));
        assert!(matches!(open_v2c(&message, b"public", 6), Err(Fault::RequestId { got: 5, expected: 6 })));
        let trap = seal_v2c(b"public", &pdu(snmp::MSG_TRAP, 5, 0, 0, &[]));
        assert!(matches!(open_v2c(&trap, b"public", 5), Err(Fault::Kind(MessageType::Trap))));
        let mut v1 = message;
        v1[4] = 0;
        assert!(matches!(open_v2c(&v1, b"public", 5), Err(Fault::Version)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = open_v2c(&bytes, b"public", 5);
        }

        #[test]
        fn a_damaged_reply_is_read_or_refused(at in 0_usize..64, byte in any::<u8>()) {
            let varbinds = varbind(&Oid::cell(IF_NAME, 1), &tlv(ber::OCTET_STRING, b"ether1"));
            let mut message = seal_v2c(b"public", &pdu(snmp::MSG_RESPONSE, 5, 0, 0, &varbinds));
            let at = at % message.len();
            message[at] = byte;
            if let Ok(reply) = open_v2c(&message, b"public", 5) {
                prop_assert!(reply.varbinds.len() <= 1);
            }
        }
    }
}
