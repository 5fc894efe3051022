//! The outside of a v3 message (RFC 3412, RFC 3414): read before anything is believed, and written where nothing is
//! secret.

use std::fmt;

use snmp2::{AsnReader, Varbinds, asn1, snmp};

use super::{
    ber::{self, integer, tlv},
    fault::Fault,
    message,
    oid::{Oid, USM_STATS},
};

/// What a v3 message says about itself. Nothing here is authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) message_id: i64,
    /// The message carries a digest; whether a good one is for `usm` to say.
    pub(super) authenticated: bool,
    /// At most 32 bytes.
    pub(super) engine_id: Vec<u8>,
    /// snmpEngineBoots, at most 2^31 - 1.
    pub(super) boots: u32,
    /// snmpEngineTime in seconds, at most 2^31 - 1.
    pub(super) time: u32,
    /// Of a Report that is not encrypted.
    pub(super) report: Option<Report>,
}

/// Why a device did not answer (usmStats, RFC 3414, 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    UnsupportedSecurityLevel,
    NotInTimeWindow,
    UnknownUser,
    UnknownEngine,
    WrongDigest,
    Decryption,
    Other,
}

impl Header {
    pub(super) fn read(message: &[u8]) -> Result<Self, Fault> {
        let raw = parse(message).map_err(|error| match error {
            snmp2::Error::UnsupportedVersion => Fault::Version,
            other => Fault::Rejected(other),
        })?;
        if raw.engine_id.len() > 32 {
            return Err(Fault::EngineId(raw.engine_id.len()));
        }
        let (Some(boots), Some(time)) = (engine_number(raw.boots), engine_number(raw.time)) else {
            return Err(Fault::EngineClock { boots: raw.boots, time: raw.time });
        };
        Ok(Self {
            message_id: raw.message_id,
            authenticated: raw.flags & snmp::V3_MSG_FLAGS_AUTH != 0,
            engine_id: raw.engine_id.to_vec(),
            boots,
            time,
            report: raw.report,
        })
    }
}

impl Report {
    pub(super) fn of(mut varbinds: Varbinds<'_>) -> Self {
        let counter = varbinds.next().and_then(|(oid, _)| Oid::from_ber(oid.as_bytes()));
        match counter.as_ref().and_then(|oid| oid.within(USM_STATS)) {
            Some([1, ..]) => Self::UnsupportedSecurityLevel,
            Some([2, ..]) => Self::NotInTimeWindow,
            Some([3, ..]) => Self::UnknownUser,
            Some([4, ..]) => Self::UnknownEngine,
            Some([5, ..]) => Self::WrongDigest,
            Some([6, ..]) => Self::Decryption,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnsupportedSecurityLevel => "unsupported security level, expected the user to have this one",
            Self::NotInTimeWindow => "not in time window, expected the engine's boots and time",
            Self::UnknownUser => "unknown user name",
            Self::UnknownEngine => "unknown engine id, expected the one it announced",
            Self::WrongDigest => "wrong digest, expected another authentication protocol or password",
            Self::Decryption => "decryption error, expected another privacy protocol or password",
            Self::Other => "something other than a usmStats counter",
        })
    }
}

/// The request that a v3 message answers. Not the PDU's request id: a device that could not read the request reports
/// with request id 0.
pub(super) fn id_v3(message: &[u8]) -> Result<i64, Fault> {
    Header::read(message).map(|header| header.message_id)
}

/// Asks a device for its engine id (RFC 3414, 4).
pub(super) fn discovery(id: i32) -> Vec<u8> {
    plain(id, snmp::V3_MSG_FLAGS_REPORTABLE, &[], &message::pdu(snmp::MSG_GET, id, 0, 0, &[]))
}

/// A v3 message of nobody: no user, no digest, no privacy.
pub(super) fn plain(id: i32, flags: u8, engine_id: &[u8], pdu: &[u8]) -> Vec<u8> {
    let nothing = tlv(ber::OCTET_STRING, &[]);
    let global = [integer(i64::from(id)), integer(MAX_SIZE), tlv(ber::OCTET_STRING, &[flags]), integer(USM)].concat();
    let security =
        [tlv(ber::OCTET_STRING, engine_id), integer(0), integer(0), nothing.clone(), nothing.clone(), nothing.clone()]
            .concat();
    let scoped = [tlv(ber::OCTET_STRING, engine_id), nothing, pdu.to_vec()].concat();
    let contents = [
        integer(snmp2::Version::V3 as i64),
        tlv(ber::SEQUENCE, &global),
        tlv(ber::OCTET_STRING, &tlv(ber::SEQUENCE, &security)),
        tlv(ber::SEQUENCE, &scoped),
    ]
    .concat();
    tlv(ber::SEQUENCE, &contents)
}

/// The largest UDP payload over IPv4.
const MAX_SIZE: i64 = 65_507;
/// The user-based security model's number.
const USM: i64 = 3;

struct Raw<'a> {
    message_id: i64,
    flags: u8,
    engine_id: &'a [u8],
    boots: i64,
    time: i64,
    report: Option<Report>,
}

fn parse(message: &[u8]) -> Result<Raw<'_>, snmp2::Error> {
    let mut outer = AsnReader::from_bytes(AsnReader::from_bytes(message).read_raw(asn1::TYPE_SEQUENCE)?);
    if outer.read_asn_integer()? != snmp2::Version::V3 as i64 {
        return Err(snmp2::Error::UnsupportedVersion);
    }
    let mut global = AsnReader::from_bytes(outer.read_raw(asn1::TYPE_SEQUENCE)?);
    let message_id = global.read_asn_integer()?;
    let _max_size = global.read_asn_integer()?;
    let flags = global.read_asn_octetstring()?.first().copied().unwrap_or_default();

    let security = outer.read_asn_octetstring()?;
    let mut security = AsnReader::from_bytes(AsnReader::from_bytes(security).read_raw(asn1::TYPE_SEQUENCE)?);
    let engine_id = security.read_asn_octetstring()?;
    let boots = security.read_asn_integer()?;
    let time = security.read_asn_integer()?;
    Ok(Raw { message_id, flags, engine_id, boots, time, report: read_report(&mut outer) })
}

/// `None` for any other PDU and for an encrypted one, which is an OCTET STRING.
fn read_report(rest: &mut AsnReader<'_>) -> Option<Report> {
    let mut scoped = AsnReader::from_bytes(rest.read_raw(asn1::TYPE_SEQUENCE).ok()?);
    scoped.read_asn_octetstring().ok()?;
    scoped.read_asn_octetstring().ok()?;
    let mut pdu = AsnReader::from_bytes(scoped.read_raw(snmp::MSG_REPORT).ok()?);
    for _ in 0..3 {
        pdu.read_asn_integer().ok()?;
    }
    Some(Report::of(Varbinds::from_bytes(pdu.read_raw(asn1::TYPE_SEQUENCE).ok()?)))
}

fn engine_number(number: i64) -> Option<u32> {
    i32::try_from(number).ok().and_then(|number| u32::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What net-snmp 5.9.3 answered to a discovery with message id 99.
    const NET_SNMP: &str = "306b020103300e020163020300ffe30401000201030421301f041180001f8880a9851805370d056b00000000\
                            0201010201020400040004003033041180001f8880a9851805370d056b000000000400a81c0201630201000201\
                            003011300f060a2b060106030f01010400410101";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
        digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
    }

    #[test]
    fn a_discovery_is_answered_with_the_engine() {
        let header = Header::read(&bytes(NET_SNMP)).unwrap();
        assert_eq!(header.message_id, 99);
        assert!(!header.authenticated);
        assert_eq!(header.engine_id, bytes("80001f8880a9851805370d056b00000000"));
        assert_eq!((header.boots, header.time), (1, 2));
        assert_eq!(header.report, Some(Report::UnknownEngine));
    }

    #[test]
    fn our_own_messages_are_read() {
        let header = Header::read(&discovery(1_234_567)).unwrap();
        assert_eq!((header.message_id, header.engine_id.len(), header.report), (1_234_567, 0, None));
    }

    #[test]
    fn engine_numbers_outside_their_range_are_refused() {
        let good = bytes(NET_SNMP);
        let mut bad = good.clone();
        // engineBoots is the first INTEGER after the engine id: 02 01 01.
        let at = good.windows(6).position(|window| window == [2, 1, 1, 2, 1, 2]).unwrap();
        bad[at + 2] = 0xff;
        assert!(matches!(Header::read(&bad), Err(Fault::EngineClock { boots: -1, time: 2 })));
    }

    #[test]
    fn v2c_is_not_v3() {
        let message = message::seal_v2c(b"public", &message::pdu(snmp::MSG_RESPONSE, 1, 0, 0, &[]));
        assert!(matches!(Header::read(&message), Err(Fault::Version)));
    }

    proptest! {
        #[test]
        fn a_damaged_message_is_read_or_refused(at in 0_usize..109, byte in any::<u8>(), cut in 0_usize..109) {
            let mut message = bytes(NET_SNMP);
            let at = at % message.len();
            message[at] = byte;
            message.truncate(message.len() - cut % message.len());
            let _ = Header::read(&message);
        }

        #[test]
        fn any_bytes_are_read_or_refused(message in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Header::read(&message);
        }
    }
}
