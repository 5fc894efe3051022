//! The qdisc at an interface's root as rtnetlink shows it, and the requests about CAKE.
//!
//! The layouts are those of include/uapi/linux/{rtnetlink,pkt_sched}.h, held against Linux 6.1 and iproute2 6.1 (see
//! `captured`).

use crate::queue::{
    QueueCounters,
    netlink::{
        message::{Builder, Fields, Malformed, NLM_F_ACK, NLM_F_DUMP, attribute, attributes},
        rate::ByteRate,
        tc::{Header, TCA_KIND, TCA_OPTIONS, TCA_STAB, TCA_STATS2, counters as read_counters},
    },
};

pub const RTM_NEWQDISC: u16 = 36;
const RTM_GETQDISC: u16 = 38;
/// The parent of what stands at the root of an interface.
const TC_H_ROOT: u32 = 0xffff_ffff;
const TCA_STAB_BASE: u16 = 1;
const TCA_CAKE_BASE_RATE64: u16 = 2;
const TCA_CAKE_AUTORATE: u16 = 9;
const KIND: &[u8] = b"cake\0";
/// Bytes of a `struct tc_sizespec` before its last field, the length of the size table.
const BEFORE_TSIZE: usize = 20;

/// What stands at the root of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    pub if_index: u32,
    pub qdisc: Qdisc,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Qdisc {
    Cake(Cake),
    /// Of another kind, by its name.
    Other(String),
}

/// A CAKE with what a change of its rate needs; of its many other options none is sent, so that none changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cake {
    if_index: u32,
    /// Zero where the kernel made it by itself (net.core.default_qdisc): such a one cannot be changed.
    pub handle: u32,
    /// Zero is without a limit.
    pub rate: ByteRate,
    /// It sets its rate itself (autorate-ingress).
    pub autorate: bool,
    pub size_table: SizeTable,
    pub counters: QueueCounters,
}

/// Traffic control's own way to count a packet longer than it is (`stab`), beside CAKE's. A change without it takes
/// it away (`qdisc_change` in net/sched/sch_api.c), so it is sent back as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SizeTable {
    None,
    /// An overhead only: the whole attribute's payload.
    Plain(Vec<u8>),
    /// With a table, which the kernel takes but never shows.
    Hidden,
}

impl Root {
    /// Reads the payload of an RTM_NEWQDISC; `None` for what is not at the root.
    pub fn parse(payload: &[u8]) -> Result<Option<Self>, Malformed> {
        let (Header { if_index, handle, parent }, rest) = Header::parse(payload)?;
        if parent != TC_H_ROOT {
            return Ok(None);
        }
        let (mut kind, mut options): (&[u8], &[u8]) = (&[], &[]);
        let (mut size_table, mut counters) = (SizeTable::None, QueueCounters::default());
        for found in attributes(rest) {
            match found? {
                (TCA_KIND, name) => kind = name,
                (TCA_OPTIONS, nested) => options = nested,
                (TCA_STAB, nested) => size_table = SizeTable::parse(nested)?,
                (TCA_STATS2, nested) => counters = read_counters(nested)?,
                _ => {}
            }
        }
        if kind != KIND {
            let name = kind.split(|byte| *byte == 0).next().unwrap_or_default();
            let name = String::from_utf8_lossy(name).into_owned();
            return Ok(Some(Self { if_index, qdisc: Qdisc::Other(name) }));
        }
        let (rate, autorate) = read_options(options)?;
        Ok(Some(Self { if_index, qdisc: Qdisc::Cake(Cake { if_index, handle, rate, autorate, size_table, counters }) }))
    }
}

impl Cake {
    /// The request that gives the CAKE that is there this rate. Without NLM_F_CREATE, and with its handle and kind, none
    /// can be made by it and nothing else be changed by it (`tc_modify_qdisc`).
    pub fn change(&self, rate: ByteRate, sequence: u32) -> Vec<u8> {
        let header = Header { if_index: self.if_index, handle: self.handle, parent: TC_H_ROOT };
        let request = Builder::new(RTM_NEWQDISC, NLM_F_ACK, sequence)
            .bytes(&header.bytes())
            .attribute(TCA_KIND, KIND)
            .attribute(TCA_OPTIONS, &attribute(TCA_CAKE_BASE_RATE64, &rate.0.to_ne_bytes()));
        match &self.size_table {
            SizeTable::Plain(payload) => request.attribute(TCA_STAB, payload).finish(),
            SizeTable::None | SizeTable::Hidden => request.finish(),
        }
    }
}

impl SizeTable {
    fn parse(nested: &[u8]) -> Result<Self, Malformed> {
        for found in attributes(nested) {
            if let (TCA_STAB_BASE, spec) = found? {
                let mut fields = Fields::new("tc_sizespec", spec);
                fields.skip(BEFORE_TSIZE)?;
                let entries = fields.u32()?;
                return Ok(if entries == 0 { Self::Plain(nested.to_vec()) } else { Self::Hidden });
            }
        }
        Ok(Self::None)
    }
}

/// The request for the qdiscs of all interfaces: which one to show the kernel does not let itself be told in a dump.
pub fn dump(sequence: u32) -> Vec<u8> {
    let header = Header { if_index: 0, handle: 0, parent: 0 };
    Builder::new(RTM_GETQDISC, NLM_F_DUMP, sequence).bytes(&header.bytes()).finish()
}

fn read_options(options: &[u8]) -> Result<(ByteRate, bool), Malformed> {
    let (mut rate, mut autorate) = (None, false);
    for found in attributes(options) {
        match found? {
            (TCA_CAKE_BASE_RATE64, payload) => rate = Some(Fields::new("TCA_CAKE_BASE_RATE64", payload).u64()?),
            (TCA_CAKE_AUTORATE, payload) => autorate = Fields::new("TCA_CAKE_AUTORATE", payload).u32()? != 0,
            _ => {}
        }
    }
    // Absent it must not read as "without a limit".
    let rate = rate.ok_or(Malformed { what: "TCA_CAKE_BASE_RATE64", expected: 8, got: 0 })?;
    Ok((ByteRate(rate), autorate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::{
        cake::captured,
        netlink::{captured::damaged, message::messages},
    };
    use proptest::prelude::*;

    /// A message's payload as the kernel would show it.
    fn parsed(message: &[u8]) -> Option<Root> {
        Root::parse(messages(message).next().unwrap().unwrap().payload).unwrap()
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn a_cake_is_what_tc_shows_of_it() {
        let busy = captured::BUSY.cake();
        assert_eq!((busy.if_index, busy.handle), (6, 0x1_0000));
        assert_eq!((busy.rate, busy.autorate, &busy.size_table), (ByteRate(8_000), false, &SizeTable::None));
        assert_eq!(busy.counters, QueueCounters { bytes: 3126, drops: 356, overlimits: 402, backlog: 42_722 });

        assert_eq!(captured::FAST.cake().rate, ByteRate(5_000_000_000));
        assert_eq!(captured::UNLIMITED.cake().rate, ByteRate::ZERO);
        let automatic = captured::AUTORATE.cake();
        assert_eq!((automatic.rate, automatic.autorate), (ByteRate(1_250_000), true));
        assert_eq!(captured::BY_DEFAULT.cake().handle, 0);
        assert!(matches!(captured::OVERHEAD.cake().size_table, SizeTable::Plain(_)));
        assert_eq!(captured::TABLE.cake().size_table, SizeTable::Hidden);
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn other_kinds_are_named_and_what_is_not_at_the_root_is_passed_over() {
        let other = parsed(&captured::NOQUEUE.bytes()).unwrap();
        assert_eq!(other, Root { if_index: 1, qdisc: Qdisc::Other("noqueue".into()) });
        assert_eq!(parsed(&captured::INGRESS.bytes()), None);
    }

    /// Requests that this kernel accepted, and whose values `tc` then showed.
    #[cfg(target_endian = "little")]
    #[test]
    fn requests_are_the_bytes_the_kernel_accepted() {
        assert_eq!(dump(7), captured::DUMP.bytes());
        assert_eq!(captured::BUSY.cake().change(ByteRate(12_500), 9), captured::RAISE.bytes());
        assert_eq!(captured::BUSY.cake().change(ByteRate(10_000_000_000), 9), captured::RAISE_WIDE.bytes());
        assert_eq!(captured::OVERHEAD.cake().change(ByteRate(12_500), 9), captured::LOWER_WITH_OVERHEAD.bytes());
    }

    #[test]
    fn a_cake_without_a_rate_is_an_error_not_unlimited() {
        let header = Header { if_index: 3, handle: 0x1_0000, parent: TC_H_ROOT };
        let message = [header.bytes(), attribute(TCA_KIND, KIND)].concat();
        let error = Root::parse(&message).unwrap_err();
        assert_eq!(error.to_string(), "TCA_CAKE_BASE_RATE64: expected at least 8 bytes, got 0");
        assert_eq!(Root::parse(&[0; 19]).unwrap_err(), Malformed { what: "tcmsg", expected: 20, got: 19 });
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(data in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = Root::parse(&data);
            // As at the root, so that more than the header is read.
            let header = Header { if_index: 3, handle: 0x1_0000, parent: TC_H_ROOT };
            let _ = Root::parse(&[header.bytes(), attribute(TCA_KIND, KIND), data.clone()].concat());
            let _ = Root::parse(&[header.bytes(), attribute(TCA_KIND, KIND), attribute(TCA_OPTIONS, &data)].concat());
            let _ = Root::parse(&[header.bytes(), attribute(TCA_STAB, &data)].concat());
        }

        #[test]
        fn no_damage_to_what_the_kernel_sends_makes_reading_panic(bytes in damaged(&captured::ALL)) {
            for message in messages(&bytes).flatten() {
                let _ = Root::parse(message.payload);
            }
        }

        /// Byte order does not matter here: what is sent reads back as it was.
        #[test]
        fn what_is_sent_reads_back(if_index: u32, handle: u32, rate: u64, overhead: Option<[u8; BEFORE_TSIZE]>) {
            let size_table = match overhead {
                Some(spec) => SizeTable::Plain(attribute(TCA_STAB_BASE, &[spec.as_slice(), &[0; 4]].concat())),
                None => SizeTable::None,
            };
            let (autorate, counters) = (false, QueueCounters::default());
            let cake = Cake { if_index, handle, rate: ByteRate(rate), autorate, size_table, counters };
            let sent = parsed(&cake.change(ByteRate(rate), 1));
            prop_assert_eq!(sent, Some(Root { if_index, qdisc: Qdisc::Cake(cake) }));
        }
    }
}
