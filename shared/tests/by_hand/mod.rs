//! Envelopes put together byte by byte from docs/wire.md, without the code under test: what an
//! attacker writes, and a second reading of the specification.

use ed25519_dalek::{Signer as _, SigningKey};
use takar_shared::{KeyId, envelope::Route};

/// Where the parts of an envelope begin.
pub const KIND_AT: usize = 1;
pub const KEY_AT: usize = 2;
pub const LENGTH_AT: usize = 10;

/// An envelope that claims whatever its maker likes.
#[derive(Clone, Copy, Debug)]
pub struct Forged<'a> {
    pub version: u8,
    pub kind: u8,
    /// The key id in the header, whoever signs.
    pub claims: KeyId,
    pub body: &'a [u8],
    pub route: Route,
}

impl Forged<'_> {
    pub fn preimage(&self) -> Vec<u8> {
        let mut signed = b"takar/1\0".to_vec();
        signed.extend([self.version, self.kind]);
        signed.extend(self.route.network.0);
        signed.extend(self.route.agent.0);
        signed.extend(self.claims.0);
        signed.extend(self.body);
        signed
    }

    pub fn with_signature(&self, signature: &[u8; 64]) -> Vec<u8> {
        let mut bytes = vec![self.version, self.kind];
        bytes.extend(self.claims.0);
        bytes.extend(varint(self.body.len()));
        bytes.extend(self.body);
        bytes.extend(signature);
        bytes
    }

    pub fn signed_by(&self, key: &SigningKey) -> Vec<u8> {
        self.with_signature(&key.sign(&self.preimage()).to_bytes())
    }
}

/// The body inside an honest envelope.
pub fn body_of(envelope: &[u8]) -> &[u8] {
    &envelope[body_at(envelope)..envelope.len() - 64]
}

pub fn body_at(envelope: &[u8]) -> usize {
    last_of_varint(envelope, LENGTH_AT) + 1
}

/// The same number with one byte more: seven zero bits on top.
pub fn lengthen_varint(bytes: &mut Vec<u8>, at: usize) {
    let last = last_of_varint(bytes, at);
    bytes[last] |= 0x80;
    bytes.insert(last + 1, 0);
}

fn last_of_varint(bytes: &[u8], at: usize) -> usize {
    at + bytes[at..].iter().position(|byte| byte & 0x80 == 0).unwrap()
}

/// Seven bits a byte, the lowest first; the top bit says that more follow.
fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 & 0x7f | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
