//! Version 3's user-based security (RFC 3414) for one device: seals requests, opens answers, keeps the engine's clock.
//!
//! The keys, digests and ciphers are snmp2's. Around them: an answer is opened on a copy of the state, so that a
//! forged one changes nothing; the engine's clock is taken from authenticated answers only (after the discovery) and
//! is carried forward by our own, so that a device polled seldom stays inside the time window of 150 s.

use snmp2::{
    Error, MessageType, Pdu,
    v3::{Auth as Level, AuthErrorKind, AuthProtocol, Cipher, KeyExtension, Security},
};
use tokio::time::Instant;

use super::{
    Auth, Credentials, Privacy,
    fault::Fault,
    header::{Header, Report, plain},
    message::Reply,
};

/// The v3 side of [`Credentials`], borrowed.
#[derive(Clone, Copy)]
pub(super) struct Account<'a> {
    user: &'a str,
    auth: Auth,
    auth_password: &'a str,
    privacy: Privacy,
    privacy_password: &'a str,
}

impl<'a> Account<'a> {
    /// `None` for v2c.
    pub(super) fn of(credentials: &'a Credentials) -> Option<Self> {
        match credentials {
            Credentials::V2c { .. } => None,
            Credentials::V3 { user, auth, auth_password, privacy, privacy_password } => {
                Some(Self { user, auth: *auth, auth_password, privacy: *privacy, privacy_password })
            }
        }
    }

    pub(super) fn without_privacy(self) -> Self {
        Self { privacy: Privacy::None, ..self }
    }

    pub(super) fn has_privacy(self) -> bool {
        self.privacy != Privacy::None
    }

    /// Without keys yet: those depend on the engine id.
    fn security(self) -> Result<Security, Fault> {
        if !(1..=32).contains(&self.user.len()) {
            return Err(Fault::UserName(self.user.len()));
        }
        // snmp2 indexes into the password.
        if self.auth_password.is_empty() {
            return Err(Fault::EmptyPassword("authentication password"));
        }
        if self.has_privacy() && self.privacy_password.is_empty() {
            return Err(Fault::EmptyPassword("privacy password"));
        }
        let protocol = match self.auth {
            Auth::Md5 => AuthProtocol::Md5,
            Auth::Sha1 => AuthProtocol::Sha1,
            Auth::Sha224 => AuthProtocol::Sha224,
            Auth::Sha256 => AuthProtocol::Sha256,
            Auth::Sha384 => AuthProtocol::Sha384,
            Auth::Sha512 => AuthProtocol::Sha512,
        };
        let cipher = match self.privacy {
            Privacy::None => None,
            Privacy::Des => Some(Cipher::Des),
            Privacy::Aes128 => Some(Cipher::Aes128),
            Privacy::Aes192 => Some(Cipher::Aes192),
            Privacy::Aes256 => Some(Cipher::Aes256),
        };
        let level = cipher.map_or(Level::AuthNoPriv, |cipher| Level::AuthPriv {
            cipher,
            privacy_password: self.privacy_password.as_bytes().to_vec(),
        });
        Ok(Security::new(self.user.as_bytes(), self.auth_password.as_bytes())
            .with_auth(level)
            .with_auth_protocol(protocol)
            .with_key_extension_method(KeyExtension::Blumenthal))
    }
}

/// Keys for one engine. They take a megabyte of hashing each to make, so they outlive a session.
#[derive(Default)]
pub(super) struct Keyring(Option<Security>);

/// The security of one session.
pub(super) struct Usm {
    security: Security,
    clock: EngineClock,
}

#[derive(Clone, Copy)]
struct EngineClock {
    boots: u32,
    /// Seconds since the engine's last boot, at `read_at`.
    time: u32,
    read_at: Instant,
}

/// What an authenticated answer holds.
#[derive(Debug)]
pub(super) enum Opened {
    Reply(Reply),
    /// The device did not accept our notion of its clock, which is now its own: ask again.
    OutOfStep,
}

impl Usm {
    /// `engine` is the answer to a discovery.
    pub(super) fn new(
        account: Account<'_>,
        keyring: &mut Keyring,
        engine: &Header,
        now: Instant,
    ) -> Result<Self, Fault> {
        let known = keyring.0.as_ref().filter(|known| known.engine_id() == engine.engine_id.as_slice());
        let security = match known {
            Some(known) => known.clone(),
            None => {
                let fresh = account.security()?;
                if engine.engine_id.is_empty() {
                    return Err(Fault::EngineId(0));
                }
                let keyed = fresh.with_engine_id(&engine.engine_id).map_err(Fault::Seal)?;
                keyring.0 = Some(keyed.clone());
                keyed
            }
        };
        Ok(Self { security, clock: EngineClock { boots: engine.boots, time: engine.time, read_at: now } })
    }

    /// The same engine for the same user without privacy.
    pub(super) fn without_privacy(&self, account: Account<'_>) -> Result<Self, Fault> {
        let security = account.without_privacy().security()?;
        let security = security.with_engine_id(self.security.engine_id()).map_err(Fault::Seal)?;
        Ok(Self { security, clock: self.clock })
    }

    pub(super) fn engine_boots(&self) -> u32 {
        self.clock.boots
    }

    /// The message that carries `pdu`, whose request id is also the message id.
    pub(super) fn seal(&self, pdu: &[u8], now: Instant) -> Result<Vec<u8>, Fault> {
        // snmp2 seals what it has parsed as v3, so the PDU is put into a message of nobody and read back.
        let carrier = plain(0, 0, CARRIER_ENGINE, pdu);
        let nobody = Security::new(&[], &[]).with_auth(Level::NoAuthNoPriv);
        let mut nobody = nobody.with_engine_id(CARRIER_ENGINE).map_err(Fault::Seal)?;
        let parsed = Pdu::from_bytes_with_security(&carrier, Some(&mut nobody)).map_err(Fault::Seal)?;
        parsed.to_bytes_with_security(Some(&self.at(now))).map_err(Fault::Seal)
    }

    /// `header` is the header of `message`, and its message id has been found to be `expected_id`.
    pub(super) fn open(
        &mut self,
        header: &Header,
        message: &[u8],
        expected_id: i32,
        now: Instant,
    ) -> Result<Opened, Fault> {
        if !header.authenticated {
            return Err(header.report.map_or(Fault::Unauthenticated, Fault::Report));
        }
        let mut report = header.report;
        let mut trial = self.at(now);
        let reply = match Pdu::from_bytes_with_security(message, Some(&mut trial)) {
            Ok(pdu) if pdu.message_type == MessageType::Report => {
                report = Some(Report::of(pdu.varbinds));
                None
            }
            Ok(pdu) => Some(Reply::read(&pdu, expected_id)?),
            // snmp2 says each of these only after the digest was found to be right.
            Err(
                Error::AuthUpdated
                | Error::AuthFailure(AuthErrorKind::EngineBootsMismatch | AuthErrorKind::EngineTimeMismatch),
            ) => None,
            Err(Error::AuthFailure(AuthErrorKind::ReplyNotEncrypted)) if report.is_some() => None,
            Err(Error::AuthFailure(AuthErrorKind::ReplyNotEncrypted)) => return Err(Fault::Unencrypted),
            Err(error) => return Err(Fault::Rejected(error)),
        };
        self.clock = EngineClock { boots: header.boots, time: header.time, read_at: now };
        match (reply, report) {
            (Some(reply), _) => Ok(Opened::Reply(reply)),
            (None, None | Some(Report::NotInTimeWindow)) => Ok(Opened::OutOfStep),
            (None, Some(report)) => Err(Fault::Report(report)),
        }
    }

    /// The security with the engine's clock as it should read by now.
    fn at(&self, now: Instant) -> Security {
        let passed = now.saturating_duration_since(self.clock.read_at).as_secs();
        let time = i64::from(self.clock.time).saturating_add(i64::try_from(passed).unwrap_or(i64::MAX));
        let time = time.min(i64::from(i32::MAX));
        self.security.clone().with_engine_boots_and_time(i64::from(self.clock.boots), time)
    }
}

/// Any engine id will do for a message that is never sent.
const CARRIER_ENGINE: &[u8] = b"carry";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snmp::message::{self, Request, Value};
    use crate::snmp::{
        ber::{self, tlv},
        oid::{IF_NAME, Oid, SYS_UP_TIME, USM_STATS},
    };
    use snmp2::snmp;
    use std::time::Duration;

    fn credentials(auth_password: &str, privacy: Privacy) -> Credentials {
        Credentials::V3 {
            user: "takar".into(),
            auth: Auth::Sha256,
            auth_password: auth_password.into(),
            privacy,
            privacy_password: "privacy-password".into(),
        }
    }

    fn engine(boots: u32, time: u32) -> Header {
        let engine_id = b"\x80\x00\x1f\x88\x04router".to_vec();
        Header { message_id: 1, authenticated: false, engine_id, boots, time, report: None }
    }

    /// Both ends are made the same way: a device seals its answers with the keys that we open them with.
    fn usm(credentials: &Credentials, boots: u32, time: u32) -> Usm {
        let account = Account::of(credentials).unwrap();
        Usm::new(account, &mut Keyring::default(), &engine(boots, time), Instant::now()).unwrap()
    }

    fn response(id: i32) -> Vec<u8> {
        let varbind =
            [tlv(ber::OBJECT_IDENTIFIER, &Oid::cell(IF_NAME, 1).to_ber()), tlv(ber::OCTET_STRING, b"ether1")].concat();
        message::pdu(snmp::MSG_RESPONSE, id, 0, 0, &tlv(ber::SEQUENCE, &varbind))
    }

    fn open(ours: &mut Usm, message: &[u8], id: i32) -> Result<Opened, Fault> {
        let header = Header::read(message).unwrap();
        ours.open(&header, message, id, Instant::now())
    }

    #[test]
    fn what_one_end_seals_the_other_opens() {
        for privacy in [Privacy::None, Privacy::Des, Privacy::Aes128, Privacy::Aes192, Privacy::Aes256] {
            let credentials = credentials("auth-password", privacy);
            let device = usm(&credentials, 3, 1_000);
            let mut ours = usm(&credentials, 3, 1_000);
            let message = device.seal(&response(42), Instant::now()).unwrap();
            let Opened::Reply(reply) = open(&mut ours, &message, 42).unwrap() else { panic!("{privacy:?}") };
            assert_eq!(reply.varbinds, [(Oid::cell(IF_NAME, 1), Value::Bytes(b"ether1".to_vec()))]);
        }
    }

    #[test]
    fn a_request_hides_its_objects_and_names_its_id() {
        let ours = usm(&credentials("auth-password", Privacy::Aes128), 3, 1_000);
        let request = Request::cells([&Oid::scalar(SYS_UP_TIME)]);
        let message = ours.seal(&request.pdu(77), Instant::now()).unwrap();
        let header = Header::read(&message).unwrap();
        assert_eq!((header.message_id, header.authenticated, header.boots), (77, true, 3));
        let object = Oid::of(SYS_UP_TIME).to_ber();
        assert!(!message.windows(object.len()).any(|window| window == object.as_slice()));
    }

    #[test]
    fn a_changed_byte_or_another_password_is_refused_and_changes_nothing() {
        let credentials_ok = credentials("auth-password", Privacy::Aes128);
        let device = usm(&credentials_ok, 3, 1_000);
        let mut message = device.seal(&response(42), Instant::now()).unwrap();
        let mut ours = usm(&credentials_ok, 3, 1_000);
        let last = message.len() - 1;
        message[last] ^= 1;
        let refused = open(&mut ours, &message, 42);
        let wrong_digest = Error::AuthFailure(AuthErrorKind::SignatureMismatch);
        assert!(matches!(refused, Err(Fault::Rejected(ref error)) if *error == wrong_digest), "{refused:?}");

        let stranger = usm(&credentials("other-password", Privacy::Aes128), i32::MAX as u32, 9);
        let message = stranger.seal(&response(42), Instant::now()).unwrap();
        assert!(open(&mut ours, &message, 42).is_err());
        assert_eq!(ours.engine_boots(), 3, "a stranger's clock is not taken");
    }

    #[test]
    fn a_plain_answer_is_refused() {
        let credentials = credentials("auth-password", Privacy::Aes128);
        let mut ours = usm(&credentials, 3, 1_000);
        let nobody = plain(42, 0, &engine(3, 1_000).engine_id, &response(42));
        assert!(matches!(open(&mut ours, &nobody, 42), Err(Fault::Unauthenticated)));
        let device = ours.without_privacy(Account::of(&credentials).unwrap()).unwrap();
        let bare = device.seal(&response(42), Instant::now()).unwrap();
        assert!(matches!(open(&mut ours, &bare, 42), Err(Fault::Unencrypted)));
    }

    #[test]
    fn a_restarted_device_sets_our_notion_of_its_clock() {
        let credentials = credentials("auth-password", Privacy::Aes128);
        let mut ours = usm(&credentials, 3, 1_000);
        let restarted = usm(&credentials, 4, 5).without_privacy(Account::of(&credentials).unwrap()).unwrap();
        let mut counter = USM_STATS.to_vec();
        counter.extend([2, 0]);
        let varbind = [tlv(ber::OBJECT_IDENTIFIER, &Oid::of(&counter).to_ber()), vec![0x41, 1, 1]].concat();
        let report = message::pdu(snmp::MSG_REPORT, 0, 0, 0, &tlv(ber::SEQUENCE, &varbind));
        let mut message = restarted.seal(&report, Instant::now()).unwrap();
        assert!(matches!(open(&mut ours, &message, 0), Ok(Opened::OutOfStep)));
        assert_eq!(ours.engine_boots(), 4);

        // The same from an engine that lost count: an authenticated answer may also set it back.
        let mut ours = usm(&credentials, 9, 1_000);
        message = restarted.seal(&report, Instant::now()).unwrap();
        assert!(matches!(open(&mut ours, &message, 0), Ok(Opened::OutOfStep)));
        assert_eq!(ours.engine_boots(), 4);
    }

    #[test]
    fn the_engines_clock_runs_between_polls() {
        let ours = usm(&credentials("auth-password", Privacy::None), 3, 1_000);
        let message = ours.seal(&response(1), ours.clock.read_at + Duration::from_secs(600)).unwrap();
        assert_eq!(Header::read(&message).unwrap().time, 1_600);
    }

    #[test]
    fn credentials_that_would_not_work_are_named() {
        let make = |credentials: &Credentials| {
            Usm::new(Account::of(credentials).unwrap(), &mut Keyring::default(), &engine(1, 1), Instant::now()).err()
        };
        assert!(matches!(make(&credentials("", Privacy::None)), Some(Fault::EmptyPassword(_))));
        let mut long = credentials("auth-password", Privacy::None);
        if let Credentials::V3 { user, .. } = &mut long {
            *user = "u".repeat(33);
        }
        assert!(matches!(make(&long), Some(Fault::UserName(33))));
    }
}
