//! The envelope: the only encode and the only decode of everything that is signed by one key.
//!
//! `version | kind | key | body | signature` in postcard. The signature covers
//! `"takar/1\0" || version || kind || network || agent || key || body`, over the body bytes *as
//! received*, before the body is decoded. A failed check changes nothing at the receiver.

use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    AgentId, Digest, KeyId, NetworkId,
    birth::Birth,
    command::{Cancel, Command, Confirm},
    facts::Facts,
    grant::Grant,
    keyset::PublicKey,
    receipt::Receipt,
    signing,
    telemetry::{Gap, Telemetry},
    version,
};

/// Largest envelope with a Grant, Command, Confirm, Cancel or Receipt, in bytes.
pub const MAX_CONTROL: usize = 4 * 1024;
/// Largest envelope with a Birth, Telemetry, Gap or Facts, in bytes.
pub const MAX_TELEMETRY: usize = 64 * 1024;

/// What an envelope carries. The numbers are the wire; a new kind is appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Birth,
    Telemetry,
    Gap,
    Grant,
    Command,
    Confirm,
    Cancel,
    Receipt,
    Facts,
}

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::Birth,
        Self::Telemetry,
        Self::Gap,
        Self::Grant,
        Self::Command,
        Self::Confirm,
        Self::Cancel,
        Self::Receipt,
        Self::Facts,
    ];

    pub const fn number(self) -> u8 {
        match self {
            Self::Birth => 1,
            Self::Telemetry => 2,
            Self::Gap => 3,
            Self::Grant => 4,
            Self::Command => 5,
            Self::Confirm => 6,
            Self::Cancel => 7,
            Self::Receipt => 8,
            Self::Facts => 9,
        }
    }

    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// Largest whole envelope of this kind, in bytes.
    pub const fn limit(self) -> usize {
        match self {
            Self::Birth | Self::Telemetry | Self::Gap | Self::Facts => MAX_TELEMETRY,
            Self::Grant | Self::Command | Self::Confirm | Self::Cancel | Self::Receipt => MAX_CONTROL,
        }
    }
}

/// A decoded body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    Birth(Birth),
    Telemetry(Telemetry),
    Gap(Gap),
    Grant(Grant),
    Command(Command),
    Confirm(Confirm),
    Cancel(Cancel),
    Receipt(Receipt),
    Facts(Facts),
}

impl Message {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Birth(_) => Kind::Birth,
            Self::Telemetry(_) => Kind::Telemetry,
            Self::Gap(_) => Kind::Gap,
            Self::Grant(_) => Kind::Grant,
            Self::Command(_) => Kind::Command,
            Self::Confirm(_) => Kind::Confirm,
            Self::Cancel(_) => Kind::Cancel,
            Self::Receipt(_) => Kind::Receipt,
            Self::Facts(_) => Kind::Facts,
        }
    }
}

/// A message whose signature held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    pub message: Message,
    pub key: KeyId,
    /// SHA-256 of the body bytes as received: what tells a re-send from a forgery of one's own.
    pub body_digest: Digest,
}

/// Between whom a message travels; signed over, never sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    pub network: NetworkId,
    pub agent: AgentId,
}

/// Why bytes were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    Oversize {
        limit: usize,
    },
    Truncated,
    NewerVersion(u8),
    OlderVersion(u8),
    UnknownKind(u8),
    /// The kind may not come this way.
    WrongKind(Kind),
    UnknownKey(KeyId),
    BadSignature,
    BadBody(Kind),
    /// Bytes after the envelope or the body, or a number not in its shortest form.
    NotCanonical,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Oversize { limit } => write!(f, "message is larger than {limit} bytes"),
            Self::Truncated => f.write_str("message ends before it should"),
            Self::NewerVersion(got) => {
                write!(f, "message is of wire version {got}; this program reads up to {}", version::CURRENT)
            }
            Self::OlderVersion(got) => {
                write!(f, "message is of wire version {got}; this program reads from {}", version::MIN)
            }
            Self::UnknownKind(kind) => write!(f, "message is of unknown kind {kind}"),
            Self::WrongKind(kind) => write!(f, "a {kind:?} may not come on this topic"),
            Self::UnknownKey(key) => write!(f, "key {key} may not sign this"),
            Self::BadSignature => f.write_str("signature does not hold"),
            Self::BadBody(kind) => write!(f, "body is not a {kind:?}"),
            Self::NotCanonical => f.write_str("message has bytes that do not belong to it"),
        }
    }
}

impl core::error::Error for Refused {}

/// Encodes and signs. `None` when the message is larger than its kind may be.
pub fn seal(message: &Message, route: Route, key: &ed25519_dalek::SigningKey) -> Option<Vec<u8>> {
    let kind = message.kind();
    let body = encode_body(message)?;
    let key_id = KeyId::of_key(key.verifying_key().as_bytes());
    let signature = signing::sign(key, &preimage(version::CURRENT, kind.number(), route, key_id, &body));
    let envelope = Envelope { version: version::CURRENT, kind: kind.number(), key: key_id, body, signature };
    let bytes = postcard::to_allocvec(&envelope).ok()?;
    (bytes.len() <= kind.limit()).then_some(bytes)
}

/// Checks, then decodes. `key_for` says which public key, if any, may sign that kind.
pub fn open(
    bytes: &[u8],
    route: Route,
    key_for: impl FnOnce(Kind, KeyId) -> Option<PublicKey>,
) -> Result<Opened, Refused> {
    let (envelope, kind) = read_header(bytes)?;
    let public = key_for(kind, envelope.key).ok_or(Refused::UnknownKey(envelope.key))?;
    let signed = preimage(envelope.version, envelope.kind, route, envelope.key, &envelope.body);
    if !signing::verify(&public, &signed, &envelope.signature) {
        return Err(Refused::BadSignature);
    }
    let message = decode_body(kind, &envelope.body)?;
    Ok(Opened { message, key: envelope.key, body_digest: Digest::of(&envelope.body) })
}

/// The kind an envelope claims, without trusting it: to refuse what may not come on a topic.
pub fn peek_kind(bytes: &[u8]) -> Result<Kind, Refused> {
    read_header(bytes).map(|(_, kind)| kind)
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    version: u8,
    kind: u8,
    key: KeyId,
    body: Vec<u8>,
    #[serde(with = "signing::bytes64")]
    signature: [u8; 64],
}

fn read_header(bytes: &[u8]) -> Result<(Envelope, Kind), Refused> {
    if bytes.len() > MAX_TELEMETRY {
        return Err(Refused::Oversize { limit: MAX_TELEMETRY });
    }
    // The version comes first, so that a newer one is named and not called garbage.
    let [version, kind, ..] = *bytes else { return Err(Refused::Truncated) };
    if version > version::CURRENT {
        return Err(Refused::NewerVersion(version));
    }
    if version < version::MIN {
        return Err(Refused::OlderVersion(version));
    }
    let kind = Kind::from_number(kind).ok_or(Refused::UnknownKind(kind))?;
    if bytes.len() > kind.limit() {
        return Err(Refused::Oversize { limit: kind.limit() });
    }
    let envelope = decode_exact::<Envelope>(bytes, Refused::Truncated)?;
    Ok((envelope, kind))
}

fn preimage(version: u8, kind: u8, route: Route, key: KeyId, body: &[u8]) -> Vec<u8> {
    let mut signed = Vec::with_capacity(body.len() + 64);
    signed.extend_from_slice(b"takar/1\0");
    signed.extend_from_slice(&[version, kind]);
    signed.extend_from_slice(&route.network.0);
    signed.extend_from_slice(&route.agent.0);
    signed.extend_from_slice(&key.0);
    signed.extend_from_slice(body);
    signed
}

fn encode_body(message: &Message) -> Option<Vec<u8>> {
    match message {
        Message::Birth(body) => postcard::to_allocvec(body),
        Message::Telemetry(body) => postcard::to_allocvec(body),
        Message::Gap(body) => postcard::to_allocvec(body),
        Message::Grant(body) => postcard::to_allocvec(body),
        Message::Command(body) => postcard::to_allocvec(body),
        Message::Confirm(body) => postcard::to_allocvec(body),
        Message::Cancel(body) => postcard::to_allocvec(body),
        Message::Receipt(body) => postcard::to_allocvec(body),
        Message::Facts(body) => postcard::to_allocvec(body),
    }
    .ok()
}

fn decode_body(kind: Kind, body: &[u8]) -> Result<Message, Refused> {
    let bad = Refused::BadBody(kind);
    Ok(match kind {
        Kind::Birth => Message::Birth(decode_exact(body, bad)?),
        Kind::Telemetry => Message::Telemetry(decode_exact(body, bad)?),
        Kind::Gap => Message::Gap(decode_exact(body, bad)?),
        Kind::Grant => Message::Grant(decode_exact(body, bad)?),
        Kind::Command => Message::Command(decode_exact(body, bad)?),
        Kind::Confirm => Message::Confirm(decode_exact(body, bad)?),
        Kind::Cancel => Message::Cancel(decode_exact(body, bad)?),
        Kind::Receipt => Message::Receipt(decode_exact(body, bad)?),
        Kind::Facts => Message::Facts(decode_exact(body, bad)?),
    })
}

/// postcard takes trailing bytes and long varints silently; this does not: what was decoded must
/// encode to exactly the bytes that came.
pub(crate) fn decode_exact<T: Serialize + DeserializeOwned>(bytes: &[u8], bad: Refused) -> Result<T, Refused> {
    let (value, rest) = postcard::take_from_bytes::<T>(bytes).map_err(|_| bad)?;
    if !rest.is_empty() || postcard::to_allocvec(&value).ok().as_deref() != Some(bytes) {
        return Err(Refused::NotCanonical);
    }
    Ok(value)
}
