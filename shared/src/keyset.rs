//! Keyset: which keys may sign what, under the network's offline root.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::{KeyId, NetworkId, envelope::MAX_CONTROL};

pub type PublicKey = [u8; 32];

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyset {
    pub version: u32,
    pub command_keys: Vec<PublicKey>,
    pub grant_keys: Vec<PublicKey>,
    /// DER of the CA that follows the present one, when a change of CA is announced.
    pub next_ca: Option<Vec<u8>>,
    /// Who may sign the keyset after this one.
    pub root: Root,
}

/// The offline signers and how many of them must agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    pub keys: Vec<PublicKey>,
    pub threshold: u8,
}

/// A keyset as it travels: signed for the whole network, by any number of root keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedKeyset {
    pub version: u8,
    pub network: NetworkId,
    pub body: Vec<u8>,
    pub signatures: Vec<RootSignature>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootSignature {
    pub key: KeyId,
    #[serde(with = "crate::signing::bytes64")]
    pub signature: [u8; 64],
}

/// A keyset is control: nothing larger is looked at.
pub const MAX_KEYSET: usize = MAX_CONTROL;
