//! Identifiers. A newtype for every look-alike, so that a serial cannot be passed for a sequence.

use alloc::vec::Vec;
use core::{fmt, str::FromStr};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A name as a person or a device gives it: ifName, queue name, device name. At most 64 bytes of UTF-8.
pub type Name = heapless::String<64>;

/// `None` when `text` is longer than a [`Name`] can hold.
pub fn name(text: &str) -> Option<Name> {
    Name::try_from(text).ok()
}

/// What an agent or a device may be called: such a name becomes a level of topics and of paths, so
/// it is held to fewer characters than a device's own names (ifName, queue), and is neither `.` nor
/// `..`, which lead elsewhere in a path. The one place that says it.
pub fn plain_name(text: &str) -> Result<Name, NotPlain> {
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    name(text).filter(|name| plain && !matches!(name.as_str(), "" | "." | "..")).ok_or(NotPlain)
}

/// Text that does not do as a name of an agent or device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotPlain;

impl fmt::Display for NotPlain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected 1 to 64 of A-Z a-z 0-9 . _ -, but not . or ..")
    }
}

impl core::error::Error for NotPlain {}

/// Foreign text for a message: in quotes, its control characters escaped, and cut off after 70 characters.
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 70;
        match self.0.char_indices().nth(LONGEST) {
            Some((end, _)) => write!(f, "{:?}…", self.0.get(..end).unwrap_or_default()),
            None => write!(f, "{:?}", self.0),
        }
    }
}

/// Hexadecimal digits of either case, two a byte; `None` for anything else.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes: Option<Vec<u8>> = pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect();
    bytes.filter(|_| rest.is_empty())
}

/// Hex text that is not the identifier it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotHex {
    pub bytes: usize,
}

impl fmt::Display for NotHex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} lower-case hexadecimal digits", self.bytes * 2)
    }
}

impl core::error::Error for NotHex {}

macro_rules! bytes_id {
    ($(#[$doc:meta])* $id:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $id(pub [u8; $len]);

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl FromStr for $id {
            type Err = NotHex;
            fn from_str(text: &str) -> Result<Self, NotHex> {
                let mut bytes = [0; $len];
                read_hex(text, &mut bytes).map(|()| Self(bytes))
            }
        }
    };
}

bytes_id!(
    /// 16 random bytes drawn by `takar init`; signed over, so that no message crosses networks.
    NetworkId, 16);
bytes_id!(
    /// The first 16 bytes of SHA-256 of the agent's Ed25519 public key.
    AgentId, 16);
bytes_id!(
    /// The first 8 bytes of SHA-256 of a public key.
    KeyId, 8);
bytes_id!(
    /// One change of one device's queues; random.
    ChangeId, 16);
bytes_id!(
    /// The changes that together carry one proposal out; random.
    BatchId, 16);
bytes_id!(
    /// SHA-256.
    Digest, 32);
bytes_id!(
    /// Fresh random bytes that a Grant must echo.
    Challenge, 16);

impl AgentId {
    pub fn of_key(public_key: &[u8; 32]) -> Self {
        Self(head(public_key))
    }
}

impl KeyId {
    pub fn of_key(public_key: &[u8; 32]) -> Self {
        Self(head(public_key))
    }
}

impl Digest {
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

/// Counts the boots of an agent's state; persisted before anything is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BootEpoch(pub u32);

/// Counts Telemetry and Gap messages of one boot epoch, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

/// Counts the commands a device consumed. Never falls, never skips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Serial(pub u64);

impl Serial {
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

fn head<const N: usize>(public_key: &[u8; 32]) -> [u8; N] {
    let hash: [u8; 32] = Sha256::digest(public_key).into();
    let mut out = [0; N];
    out.copy_from_slice(&hash[..N]);
    out
}

fn read_hex(text: &str, out: &mut [u8]) -> Result<(), NotHex> {
    let wrong = NotHex { bytes: out.len() };
    let digits = text.as_bytes();
    if digits.len() != out.len() * 2 {
        return Err(wrong);
    }
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        let (Some(high), Some(low)) = (nibble(pair[0]), nibble(pair[1])) else { return Err(wrong) };
        *byte = high << 4 | low;
    }
    Ok(())
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
