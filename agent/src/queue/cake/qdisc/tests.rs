use proptest::prelude::*;

use super::*;
use crate::queue::{
    cake::captured,
    netlink::{captured::damaged, message::messages},
};

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
