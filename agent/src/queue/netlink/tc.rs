//! What traffic control's messages about classes and about queues have in common.
//!
//! The layouts are those of include/uapi/linux/{rtnetlink,gen_stats}.h.

use super::message::{Fields, Malformed, attributes};
use crate::queue::QueueCounters;

pub const TCA_KIND: u16 = 1;
pub const TCA_OPTIONS: u16 = 2;
pub const TCA_STATS2: u16 = 7;
pub const TCA_STAB: u16 = 8;
const TCA_STATS_BASIC: u16 = 1;
const TCA_STATS_QUEUE: u16 = 3;

/// What `struct tcmsg` says; attributes follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub if_index: u32,
    pub handle: u32,
    pub parent: u32,
}

impl Header {
    /// With the attributes' bytes.
    pub fn parse(payload: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let mut fields = Fields::new("tcmsg", payload);
        fields.skip(4)?;
        let (if_index, handle, parent) = (fields.u32()?, fields.u32()?, fields.u32()?);
        fields.skip(4)?;
        Ok((Self { if_index, handle, parent }, fields.rest()))
    }

    /// `struct tcmsg`: family and padding, interface, handle, parent, info.
    pub fn bytes(self) -> Vec<u8> {
        [0, self.if_index, self.handle, self.parent, 0].into_iter().flat_map(u32::to_ne_bytes).collect()
    }
}

/// The counters in a TCA_STATS2: `struct gnet_stats_basic` and `gnet_stats_queue`. What is absent counts as zero. All
/// but bytes are 32 bits wide in the kernel.
pub fn counters(stats: &[u8]) -> Result<QueueCounters, Malformed> {
    let mut counters = QueueCounters::default();
    for found in attributes(stats) {
        match found? {
            (TCA_STATS_BASIC, payload) => counters.bytes = Fields::new("gnet_stats_basic", payload).u64()?,
            (TCA_STATS_QUEUE, payload) => {
                let mut fields = Fields::new("gnet_stats_queue", payload);
                let (_packets, backlog, drops) = (fields.u32()?, fields.u32()?, fields.u32()?);
                let (_requeues, overlimits) = (fields.u32()?, fields.u32()?);
                counters.backlog = backlog.into();
                counters.drops = drops.into();
                counters.overlimits = overlimits.into();
            }
            _ => {}
        }
    }
    Ok(counters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::netlink::message::attribute;

    #[test]
    fn a_header_is_read_as_it_is_written() {
        let header = Header { if_index: 3, handle: 0x1_0010, parent: 0x1_0001 };
        let bytes = [header.bytes(), vec![7; 4]].concat();
        assert_eq!(Header::parse(&bytes), Ok((header, [7; 4].as_slice())));
        assert_eq!(Header::parse(&[0; 19]).unwrap_err(), Malformed { what: "tcmsg", expected: 20, got: 19 });
    }

    #[test]
    fn what_is_not_counted_is_zero_and_what_is_cut_short_an_error() {
        assert_eq!(counters(&[]), Ok(QueueCounters::default()));
        let basic = attribute(TCA_STATS_BASIC, &u64::MAX.to_ne_bytes());
        assert_eq!(counters(&basic), Ok(QueueCounters { bytes: u64::MAX, ..QueueCounters::default() }));
        let short = counters(&attribute(TCA_STATS_QUEUE, &[0; 16])).unwrap_err();
        assert_eq!(short.to_string(), "gnet_stats_queue: expected at least 20 bytes, got 16");
    }
}
