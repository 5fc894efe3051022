//! Enrolment by file: what an agent asks with and what it is answered. Written as JSON, since
//! people carry these files; keys and signatures are hex text.

use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

use crate::{NetworkId, birth::Bound};

/// The most an agent may ask for; its own config is held to the same.
pub const MAX_DEVICES: usize = 64;
/// Of all devices together: interfaces and shapers.
pub const MAX_METERS: usize = 256;
pub const MAX_CHANGES_PER_HOUR: u16 = 240;

/// `takar-agent enrol --request FILE`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// 1; anything else is of another version.
    pub takar_request: u32,
    /// What the agent is asked to be called.
    pub name: String,
    pub public_key: String,
    /// The agent id, which is derived from the key: for people to compare over the telephone.
    pub fingerprint: String,
    pub devices: Vec<RequestedDevice>,
    /// By the agent's key over [`request_preimage`]: proves that the sender holds it and asks for just this.
    pub signature: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestedDevice {
    pub device: String,
    pub changes_per_hour: u16,
    pub bounds: Vec<Bound>,
}

/// `takar device approve FILE --out BUNDLE`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    pub takar_bundle: u32,
    pub network: String,
    /// The agent id the bundle was made for.
    pub agent: String,
    pub name: String,
    /// The collector's clock, in ms since 1970, as the bundle was made: a router that boots in 1970
    /// judges certificates by at least this.
    pub server_time: u64,
    pub root_keys: Vec<String>,
    pub root_threshold: u8,
    /// The signed keyset, hex of its bytes.
    pub keyset: String,
    /// `mqtts://host:port`, or `mqtt://127.0.0.1:port` for the embedded broker.
    pub broker: String,
    /// PEM; absent where the broker is on loopback without TLS.
    pub ca: Option<String>,
    /// PEM, for the agent's own Ed25519 key, CN = agent id.
    pub certificate: Option<String>,
}

/// What the request's signature covers: everything but itself, in the order of the fields. It is the
/// values that are signed and not the file, so that a file may be laid out anew on its way.
pub fn request_preimage(request: &Request) -> Vec<u8> {
    // Named one by one: a field to come must be signed too, or this does not compile.
    let Request { takar_request, name, public_key, fingerprint, devices, signature: _ } = request;
    let mut signed = b"takar/1\0request\0".to_vec();
    // Plain data: encoding it cannot fail.
    let fields = postcard::to_allocvec(&(takar_request, name, public_key, fingerprint, devices));
    signed.extend(fields.unwrap_or_default());
    signed
}

/// The network id of a bundle, if it is one.
pub fn network_of(bundle: &Bundle) -> Option<NetworkId> {
    bundle.network.parse().ok()
}
