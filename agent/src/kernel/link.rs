//! An interface as rtnetlink tells it: pure, bytes in, values out.
//!
//! Layouts: include/uapi/linux/{if_link,rtnetlink,if}.h; states: RFC 2863 by Documentation/networking/operstates.rst.

use takar_shared::{Name, facts::Switch, id};

use crate::queue::netlink::message::{Builder, Fields, Malformed, NLM_F_DUMP, attributes};

pub const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const IFLA_IFNAME: u16 = 3;
const IFLA_OPERSTATE: u16 = 16;
const IFLA_STATS64: u16 = 23;
const IFF_UP: u32 = 1;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    pub if_index: u32,
    /// At most 15 bytes; need not be UTF-8.
    pub name: Vec<u8>,
    pub counters: Counters,
    flags: u32,
    oper: u8,
}

/// The first of `struct rtnl_link_stats64`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub rx_bytes: u64,
    pub tx_bytes: u64,
    pub rx_errors: u64,
    pub tx_errors: u64,
    pub rx_dropped: u64,
    pub tx_dropped: u64,
}

/// The request for all interfaces.
pub fn dump(sequence: u32) -> Vec<u8> {
    // struct ifinfomsg: any family, any interface.
    Builder::new(RTM_GETLINK, NLM_F_DUMP, sequence).bytes(&[0; 16]).finish()
}

impl Link {
    /// Reads the payload of an RTM_NEWLINK.
    pub fn parse(payload: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::new("ifinfomsg", payload);
        fields.skip(4)?;
        let (if_index, flags) = (fields.u32()?, fields.u32()?);
        fields.skip(4)?;
        let mut link = Self { if_index, flags, ..Self::default() };
        let mut counted = false;
        for found in attributes(fields.rest()) {
            match found? {
                (IFLA_IFNAME, text) => {
                    link.name = text.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
                }
                (IFLA_OPERSTATE, state) => link.oper = Fields::new("IFLA_OPERSTATE", state).u8()?,
                (IFLA_STATS64, stats) => {
                    link.counters = Counters::parse(stats)?;
                    counted = true;
                }
                _ => {}
            }
        }
        // Absent they must not read as nothing counted.
        if counted { Ok(link) } else { Err(Malformed { what: "IFLA_STATS64", expected: 64, got: 0 }) }
    }

    /// ifAdminStatus.
    pub fn is_up(&self) -> bool {
        self.flags & IFF_UP != 0
    }

    /// ifOperStatus. What has no carrier to lose (loopback, tunnels, PPP) stays "unknown" and works all the same.
    pub fn oper(&self) -> Switch {
        match self.oper {
            0 if self.is_up() => Switch::Up,
            0 | 2 => Switch::Down,
            6 => Switch::Up,
            _ => Switch::Other,
        }
    }

    pub fn plain_name(&self) -> Name {
        std::str::from_utf8(&self.name).ok().and_then(id::name).unwrap_or_default()
    }
}

impl Counters {
    fn parse(stats: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::new("rtnl_link_stats64", stats);
        let (_rx_packets, _tx_packets) = (fields.u64()?, fields.u64()?);
        Ok(Self {
            rx_bytes: fields.u64()?,
            tx_bytes: fields.u64()?,
            rx_errors: fields.u64()?,
            tx_errors: fields.u64()?,
            rx_dropped: fields.u64()?,
            tx_dropped: fields.u64()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::netlink::message::attribute;
    use proptest::prelude::*;

    fn message(index: u32, flags: u32, oper: u8, name: &[u8], stats: &[u64]) -> Vec<u8> {
        let head: Vec<u8> = [0, index, flags, 0].into_iter().flat_map(u32::to_ne_bytes).collect();
        let stats: Vec<u8> = stats.iter().flat_map(|value| value.to_ne_bytes()).collect();
        let attributes = [(IFLA_IFNAME, name), (IFLA_OPERSTATE, &[oper]), (IFLA_STATS64, &stats)];
        head.into_iter().chain(attributes.into_iter().flat_map(|(kind, payload)| attribute(kind, payload))).collect()
    }

    #[test]
    fn an_interface_is_read_and_one_without_counters_is_an_error() {
        let stats: Vec<u64> = (1..=25).collect();
        let link = Link::parse(&message(7, IFF_UP, 6, b"pppoe-wan\0", &stats)).unwrap();
        assert_eq!((link.if_index, link.name.as_slice(), link.is_up()), (7, b"pppoe-wan".as_slice(), true));
        let Counters { rx_bytes, tx_bytes, rx_errors, tx_errors, rx_dropped, tx_dropped } = link.counters;
        assert_eq!([rx_bytes, tx_bytes, rx_errors, tx_errors, rx_dropped, tx_dropped], [3, 4, 5, 6, 7, 8]);
        let without = message(7, 0, 2, b"eth0\0", &[]);
        assert!(Link::parse(&without).is_err());
        assert_eq!(Link::parse(&message(7, 0, 2, b"eth0\0", &stats[..7])).unwrap_err().what, "rtnl_link_stats64");
    }

    #[test]
    fn states_are_those_of_the_mib() {
        let oper = |flags, oper| Link { flags, oper, ..Link::default() }.oper();
        assert_eq!(
            [oper(IFF_UP, 6), oper(IFF_UP, 0), oper(0, 0), oper(IFF_UP, 2)],
            [Switch::Up, Switch::Up, Switch::Down, Switch::Down]
        );
        assert_eq!(oper(IFF_UP, 5), Switch::Other, "dormant");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = Link::parse(&bytes);
        }
    }
}
