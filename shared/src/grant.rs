//! Grant: the collector's answer to a challenge. Time without a clock.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::{BootEpoch, Challenge, Digest, Name, Seq, UnixMillis};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The challenge this answers. Its age runs on the agent's clock from the first send of that
    /// challenge, so that delay only shortens a grant.
    pub challenge: Challenge,
    pub valid_s: u32,
    pub server_time: UnixMillis,
    /// Everything up to here is durable; compared lexicographically, never falls.
    pub stored_up_to: (BootEpoch, Seq),
    /// The newest receipt stored, per device.
    pub receipts_stored: Vec<(Name, Digest)>,
    /// An agent below this refuses commands until it has the keyset.
    pub keyset_min: u32,
    /// The collector does not know where the devices stand, as after its restart: the next Telemetry is to tell
    /// every state, not only what changed.
    pub tell_states: bool,
}
