//! The one signature check, and the signature of keysets by the offline root.

use alloc::vec::Vec;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::{
    KeyId, NetworkId,
    envelope::{Refused, decode_exact},
    keyset::{Keyset, MAX_KEYSET, PublicKey, Root, RootSignature, SignedKeyset},
    version,
};

/// Ed25519, strict: small-order keys and non-canonical signatures fail (RFC 8032 §5.1.7).
pub fn verify(public: &PublicKey, signed: &[u8], signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(public)
        .is_ok_and(|key| key.verify_strict(signed, &Signature::from_bytes(signature)).is_ok())
}

pub fn sign(key: &SigningKey, signed: &[u8]) -> [u8; 64] {
    key.sign(signed).to_bytes()
}

/// Signs a keyset for the whole network with every root key given. `None` when it is too large.
pub fn seal_keyset(keyset: &Keyset, network: NetworkId, roots: &[&SigningKey]) -> Option<Vec<u8>> {
    let body = postcard::to_allocvec(keyset).ok()?;
    let signed = keyset_preimage(version::CURRENT, network, &body);
    let signatures = roots
        .iter()
        .map(|root| RootSignature {
            key: KeyId::of_key(root.verifying_key().as_bytes()),
            signature: sign(root, &signed),
        })
        .collect();
    let bytes = postcard::to_allocvec(&SignedKeyset { version: version::CURRENT, network, body, signatures }).ok()?;
    (bytes.len() <= MAX_KEYSET).then_some(bytes)
}

/// Takes a keyset only from enough *different* root keys, for this network, with a version above `above`.
pub fn open_keyset(bytes: &[u8], network: NetworkId, root: &Root, above: u32) -> Result<Keyset, KeysetRefused> {
    if bytes.len() > MAX_KEYSET {
        return Err(Refused::Oversize { limit: MAX_KEYSET }.into());
    }
    match bytes.first() {
        Some(&newer) if newer > version::CURRENT => return Err(Refused::NewerVersion(newer).into()),
        Some(&older) if older < version::MIN => return Err(Refused::OlderVersion(older).into()),
        _ => {}
    }
    let signed: SignedKeyset = decode_exact(bytes, Refused::Truncated)?;
    if signed.network != network {
        return Err(KeysetRefused::OtherNetwork(signed.network));
    }
    let preimage = keyset_preimage(signed.version, network, &signed.body);
    // Counted by root key, not by signature: one key that signs twice is one voice.
    let agreeing = root
        .keys
        .iter()
        .enumerate()
        .filter(|(at, public)| {
            let first = root.keys.iter().position(|other| other == *public) == Some(*at);
            let id = KeyId::of_key(public);
            first && signed.signatures.iter().any(|one| one.key == id && verify(public, &preimage, &one.signature))
        })
        .count();
    let threshold = usize::from(root.threshold.max(1));
    if agreeing < threshold {
        return Err(KeysetRefused::Threshold { agreeing, threshold });
    }
    let keyset: Keyset = decode_exact(&signed.body, Refused::NotCanonical)?;
    if keyset.version <= above {
        return Err(KeysetRefused::NotNewer { have: above, got: keyset.version });
    }
    Ok(keyset)
}

/// Why a keyset was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeysetRefused {
    Bytes(Refused),
    OtherNetwork(NetworkId),
    Threshold { agreeing: usize, threshold: usize },
    NotNewer { have: u32, got: u32 },
}

impl From<Refused> for KeysetRefused {
    fn from(refused: Refused) -> Self {
        Self::Bytes(refused)
    }
}

impl core::fmt::Display for KeysetRefused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Bytes(refused) => write!(f, "keyset: {refused}"),
            Self::OtherNetwork(network) => write!(f, "keyset is of network {network}"),
            Self::Threshold { agreeing, threshold } => {
                write!(f, "keyset is signed by {agreeing} root keys; {threshold} must agree")
            }
            Self::NotNewer { have, got } => write!(f, "keyset version {got} is not above {have}"),
        }
    }
}

impl core::error::Error for KeysetRefused {}

fn keyset_preimage(version: u8, network: NetworkId, body: &[u8]) -> Vec<u8> {
    let mut signed = Vec::with_capacity(body.len() + 40);
    signed.extend_from_slice(b"takar/1\0keyset\0");
    signed.push(version);
    signed.extend_from_slice(&network.0);
    signed.extend_from_slice(body);
    signed
}

/// serde has arrays up to 32; a signature is two of them, without a length on the wire.
pub(crate) mod bytes64 {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8; 64], serializer: S) -> Result<S::Ok, S::Error> {
        let mut halves = ([0; 32], [0; 32]);
        halves.0.copy_from_slice(&bytes[..32]);
        halves.1.copy_from_slice(&bytes[32..]);
        halves.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 64], D::Error> {
        let (head, tail) = <([u8; 32], [u8; 32])>::deserialize(deserializer)?;
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&head);
        bytes[32..].copy_from_slice(&tail);
        Ok(bytes)
    }
}
