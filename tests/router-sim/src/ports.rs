//! The router's two interfaces: ether1 to the provider and bridge-lan to the site. What comes in on one goes out on
//! the other, so every octet of one is mirrored on the other.

use crate::{
    pair::{BitsPerSec, Pair},
    shaper::{Counters, Packets},
};

pub const WAN: &str = "ether1";
pub const LAN: &str = "bridge-lan";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// ifIndex; also the number in the API's `.id`.
    pub index: u32,
    pub name: &'static str,
    /// The word of `/interface print`: `ether` or `bridge`.
    pub kind: &'static str,
    /// ifType (IANAifType-MIB): 6 ethernetCsmacd, 209 bridge.
    pub if_type: u32,
    pub mac: [u8; 6],
    /// Zero on a bridge, as RouterOS has it.
    pub speed: BitsPerSec,
    pub received: Packets,
    pub sent: Packets,
    /// Outgoing packets that the queue gave up.
    pub out_dropped: Packets,
}

/// What both ports read, given each direction's totals.
pub fn read(totals: &Pair<Counters>, first_index: u32, mac_tail: u16, capacity: &Pair<BitsPerSec>) -> [Port; 2] {
    let fastest = capacity.up.max(capacity.down);
    let [high, low] = mac_tail.to_be_bytes();
    // 02 is the locally administered bit: no manufacturer owns these addresses.
    let mac = |port: u8| [0x02, 0x4d, 0x54, high, low, port];
    let wan = Port {
        index: first_index,
        name: WAN,
        kind: "ether",
        if_type: 6,
        mac: mac(1),
        speed: if fastest > GIGABIT { BitsPerSec(10 * GIGABIT.0) } else { GIGABIT },
        received: totals.down.served,
        sent: totals.up.served,
        out_dropped: totals.up.dropped,
    };
    let lan = Port {
        index: first_index.saturating_add(1),
        name: LAN,
        kind: "bridge",
        if_type: 209,
        mac: mac(2),
        speed: BitsPerSec(0),
        received: totals.up.served,
        sent: totals.down.served,
        out_dropped: totals.down.dropped,
    };
    [wan, lan]
}

const GIGABIT: BitsPerSec = BitsPerSec(1_000_000_000);
