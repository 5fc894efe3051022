//! Facts: what an interface says of itself besides its octet counters, for people and for verification: is it up, since
//! when, how fast, in which duplex, how many errors. Sent at every connect, when one changed, and once a minute; only
//! the newest counts, so it is neither numbered nor spooled, and no Grant answers it.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::{BootEpoch, MonoMillis, Name};

/// A device with more sends them in several messages.
pub const MAX_INTERFACES: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub boot_epoch: BootEpoch,
    /// When they were read, on the agent's clock; tells a newer message of the same boot from an older one.
    pub read_at: MonoMillis,
    /// Position of the device in the Birth.
    pub device: u8,
    /// At most [`MAX_INTERFACES`]: more is neither encoded nor decoded.
    #[serde(with = "bounded")]
    pub interfaces: Vec<InterfaceFacts>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceFacts {
    /// As the Birth's meter has it: ifName (RFC 2863).
    pub name: Name,
    pub admin: Switch,
    pub oper: Switch,
    /// ifHighSpeed, in Mbit/s; `None` where it says 0 or nothing.
    pub high_speed_mbps: Option<u32>,
    /// dot3StatsDuplexStatus (RFC 3635).
    pub duplex: Duplex,
    /// How long ago ifOperStatus last changed: sysUpTime − ifLastChange. `None` where the device does not say.
    pub unchanged_for_ms: Option<u64>,
    /// ifInErrors, ifOutErrors, ifInDiscards, ifOutDiscards: packets since the device's counters began, modulo 2³²;
    /// 0 where the device has no such counter.
    pub in_errors: u32,
    pub out_errors: u32,
    pub in_discards: u32,
    pub out_discards: u32,
}

/// ifAdminStatus and ifOperStatus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Switch {
    Up,
    Down,
    /// Testing, dormant, not present, lower layer down.
    Other,
    #[default]
    Unknown,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Duplex {
    #[default]
    Unknown,
    Half,
    Full,
}

/// The count is judged before the interfaces are read, so that a short message cannot claim much memory.
mod bounded {
    use alloc::vec::Vec;
    use core::fmt;
    use serde::{
        Deserializer, Serialize, Serializer,
        de::{Error as _, SeqAccess, Visitor},
        ser::Error as _,
    };

    use super::{InterfaceFacts, MAX_INTERFACES};

    pub fn serialize<S: Serializer>(interfaces: &[InterfaceFacts], serializer: S) -> Result<S::Ok, S::Error> {
        if interfaces.len() > MAX_INTERFACES {
            return Err(S::Error::custom("more interfaces than a message may hold"));
        }
        interfaces.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<InterfaceFacts>, D::Error> {
        deserializer.deserialize_seq(AtMost)
    }

    struct AtMost;

    impl<'de> Visitor<'de> for AtMost {
        type Value = Vec<InterfaceFacts>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {MAX_INTERFACES} interfaces")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let claimed = seq.size_hint().unwrap_or_default();
            if claimed > MAX_INTERFACES {
                return Err(A::Error::invalid_length(claimed, &self));
            }
            let mut interfaces = Vec::with_capacity(claimed);
            while let Some(interface) = seq.next_element()? {
                if interfaces.len() == MAX_INTERFACES {
                    return Err(A::Error::invalid_length(MAX_INTERFACES + 1, &self));
                }
                interfaces.push(interface);
            }
            Ok(interfaces)
        }
    }
}
