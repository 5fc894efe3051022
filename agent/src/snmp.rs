//! SNMP: reads the IF-MIB counters (RFC 2863) of a device's interfaces over v2c or v3.
//!
//! [`Target::poll`] never errs: what went wrong is its [`Outcome`], with one line of detail for the log.
//! [`Target::facts`] brings what can be had and says nothing of the rest.
//! Rooms: `oid` and `ber` (identifiers, encoding), `message` (requests and replies as owned values),
//! `header` and `usm` (v3, RFC 3414), `session` (the only socket), `walk`, `names`, `fetch`, `table`
//! and `facts` (pure: what to ask, how to judge an answer), `poll` (retries and the order of things), `survey` (all
//! that a device tells, for `takar-agent probe`).
//!
//! Decoding, keys, authentication and privacy are snmp2's. Its `AsyncSession` is not used: it takes engine
//! boots and time from unauthenticated messages unchecked and adds to them (an overflow ends the process), takes a
//! v2c message for an answer to v3, and after one late reply answers every request with a mismatch.

mod ber;
#[cfg(test)]
mod device;
mod facts;
mod fault;
mod fetch;
mod header;
mod message;
mod names;
mod oid;
mod poll;
mod session;
pub mod survey;
mod table;
mod usm;
mod walk;

use std::{fmt, time::Duration};

use takar_shared::Name;

pub use poll::Target;

/// What to poll and how patiently.
#[derive(Clone, Debug)]
pub struct TargetConfig {
    /// `host:port`; resolved anew for every session.
    pub address: String,
    pub credentials: Credentials,
    /// How long the first try of a request waits for its answer; every further try waits twice as long (at most 60 s).
    pub timeout: Duration,
    /// Tries after the first, per request.
    pub retries: u8,
    /// ifName, or ifDescr where a device has no ifName. Compared byte by byte, without zero octets at its end.
    pub interfaces: Vec<Name>,
}

/// How a device lets us read. `Debug` hides the secrets.
#[derive(Clone)]
pub enum Credentials {
    V2c {
        community: String,
    },
    /// User-based security (RFC 3414).
    V3 {
        /// 1 to 32 bytes.
        user: String,
        auth: Auth,
        auth_password: String,
        privacy: Privacy,
        /// Not looked at with [`Privacy::None`].
        privacy_password: String,
    },
}

/// Authentication protocols: RFC 3414 (MD5, SHA-1) and RFC 7860 (SHA-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// Privacy protocols: RFC 3414 (DES), RFC 3826 (AES-128), draft-blumenthal-aes-usm-04 (AES-192, AES-256; its key
/// extension where the hash is shorter than the key, as net-snmp does).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    None,
    Des,
    Aes128,
    Aes192,
    Aes256,
}

impl Auth {
    /// As the config names them.
    pub const NAMES: [(&str, Self); 6] = [
        ("md5", Self::Md5),
        ("sha1", Self::Sha1),
        ("sha224", Self::Sha224),
        ("sha256", Self::Sha256),
        ("sha384", Self::Sha384),
        ("sha512", Self::Sha512),
    ];
}

impl Privacy {
    /// As the config names them.
    pub const NAMES: [(&str, Self); 5] = [
        ("none", Self::None),
        ("des", Self::Des),
        ("aes128", Self::Aes128),
        ("aes192", Self::Aes192),
        ("aes256", Self::Aes256),
    ];
}

/// What one poll brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poll {
    pub outcome: Outcome,
    /// For the log: what, where, expected. Always there unless the outcome is [`Outcome::Ok`].
    pub detail: Option<String>,
    /// sysUpTime; falls when the device restarted, and after 497 days.
    pub up_time: Option<Ticks>,
    /// snmpEngineBoots, as authenticated; v3 only.
    pub engine_boots: Option<u32>,
    /// Of the configured interfaces those that could be read, in their order.
    pub interfaces: Vec<InterfaceReading>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Ok,
    /// No answer. With v2c a wrong community looks the same.
    Timeout,
    /// v3: user, password or security level refused; v2c and v3: not authorised to read.
    Authentication,
    /// Some configured interface or counter is missing; the others are there.
    Partial,
    /// Answers that are no SNMP or contradict it.
    Garbage,
    /// No such host, no route, or nothing listens on the port.
    Unreachable,
}

/// Hundredths of a second (TimeTicks, RFC 2578).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticks(pub u32);

/// Where the octet counters wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CounterWidth {
    /// ifHCInOctets, ifHCOutOctets.
    Bits64,
    /// ifInOctets, ifOutOctets: 34 s at 1 Gbit/s.
    Bits32,
}

/// The counters of one interface, as the device tells them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceReading {
    pub name: Name,
    pub if_index: u32,
    pub width: CounterWidth,
    pub in_octets: u64,
    pub out_octets: u64,
    /// Packets: ifInDiscards + ifInErrors. A missing one counts as zero and makes the poll [`Outcome::Partial`].
    pub in_drops: u64,
    /// Packets: ifOutDiscards + ifOutErrors, likewise.
    pub out_drops: u64,
    /// ifOperStatus; `None` when unknown or not told.
    pub oper_up: Option<bool>,
    /// ifCounterDiscontinuityTime: sysUpTime in hundredths of a second at the last reset of the counters.
    pub discontinuity: Option<u32>,
    /// ifHighSpeed in Mbit/s.
    pub high_speed_mbps: Option<u32>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V2c { .. } => f.debug_struct("V2c").finish_non_exhaustive(),
            Self::V3 { user, auth, privacy, .. } => f
                .debug_struct("V3")
                .field("user", user)
                .field("auth", auth)
                .field("privacy", privacy)
                .finish_non_exhaustive(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let v2c = Credentials::V2c { community: "s3cret".into() };
        let v3 = Credentials::V3 {
            user: "takar".into(),
            auth: Auth::Sha256,
            auth_password: "s3cret-a".into(),
            privacy: Privacy::Aes128,
            privacy_password: "s3cret-p".into(),
        };
        let text = format!("{v2c:?} {v3:?}");
        assert!(!text.contains("s3cret"), "{text}");
        assert!(text.contains("takar"), "{text}");
    }
}
