//! Object identifiers: what this room reads, its BER form, and the order that walks rely on.

use std::fmt;

/// An object identifier, arc by arc. It compares as SNMP does (RFC 3416, 4.2.2): arc by arc, the shorter first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Oid(Vec<u32>);

/// A column of a table, or an object without its instance.
pub(super) type Column = &'static [u32];

// SNMPv2-MIB (RFC 3418).
pub(super) const SYS_DESCR: Column = &[1, 3, 6, 1, 2, 1, 1, 1];
pub(super) const SYS_OBJECT_ID: Column = &[1, 3, 6, 1, 2, 1, 1, 2];
pub(super) const SYS_UP_TIME: Column = &[1, 3, 6, 1, 2, 1, 1, 3];
pub(super) const SYS_NAME: Column = &[1, 3, 6, 1, 2, 1, 1, 5];
pub(super) const SYS_LOCATION: Column = &[1, 3, 6, 1, 2, 1, 1, 6];

// ifTable (IF-MIB, RFC 2863).
pub(super) const IF_DESCR: Column = &[1, 3, 6, 1, 2, 1, 2, 2, 1, 2];
pub(super) const IF_TYPE: Column = &[1, 3, 6, 1, 2, 1, 2, 2, 1, 3];
pub(super) const IF_SPEED: Column = &[1, 3, 6, 1, 2, 1, 2, 2, 1, 5];
pub(super) const IF_ADMIN_STATUS: Column = &[1, 3, 6, 1, 2, 1, 2, 2, 1, 7];
pub(super) const IF_OPER_STATUS: Column = &[1, 3, 6, 1, 2, 1, 2, 2, 1, 8];
pub(super) const IF_LAST_CHANGE: Column = &[1, 3, 6, 1, 2, 1, 2, 2, 1, 9];
pub(super) const IF_IN_OCTETS: Column = &[1, 3, 6, 1, 2, 1, 2, 2, 1, 10];
pub(super) const IF_IN_DISCARDS: Column = &[1, 3, 6, 1, 2, 1, 2, 2, 1, 13];
pub(super) const IF_IN_ERRORS: Column = &[1, 3, 6, 1, 2, 1, 2, 2, 1, 14];
pub(super) const IF_OUT_OCTETS: Column = &[1, 3, 6, 1, 2, 1, 2, 2, 1, 16];
pub(super) const IF_OUT_DISCARDS: Column = &[1, 3, 6, 1, 2, 1, 2, 2, 1, 19];
pub(super) const IF_OUT_ERRORS: Column = &[1, 3, 6, 1, 2, 1, 2, 2, 1, 20];

/// dot3StatsDuplexStatus (EtherLike-MIB, RFC 3635); its rows are by ifIndex.
pub(super) const DUPLEX_STATUS: Column = &[1, 3, 6, 1, 2, 1, 10, 7, 2, 1, 19];

// ifXTable (IF-MIB).
pub(super) const IF_NAME: Column = &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1];
pub(super) const IF_HC_IN_OCTETS: Column = &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6];
pub(super) const IF_HC_OUT_OCTETS: Column = &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 10];
pub(super) const IF_HIGH_SPEED: Column = &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 15];
pub(super) const IF_ALIAS: Column = &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 18];
pub(super) const IF_COUNTER_DISCONTINUITY_TIME: Column = &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 19];

// MIKROTIK-MIB: mtxrQueueSimpleTable, whose "in" is what the target sent (upload), and mtxrQueueTreeTable.
pub(super) const QUEUE_SIMPLE_NAME: Column = &[1, 3, 6, 1, 4, 1, 14988, 1, 1, 2, 1, 1, 2];
pub(super) const QUEUE_SIMPLE_BYTES_IN: Column = &[1, 3, 6, 1, 4, 1, 14988, 1, 1, 2, 1, 1, 8];
pub(super) const QUEUE_SIMPLE_BYTES_OUT: Column = &[1, 3, 6, 1, 4, 1, 14988, 1, 1, 2, 1, 1, 9];
pub(super) const QUEUE_SIMPLE_DROPPED_IN: Column = &[1, 3, 6, 1, 4, 1, 14988, 1, 1, 2, 1, 1, 14];
pub(super) const QUEUE_SIMPLE_DROPPED_OUT: Column = &[1, 3, 6, 1, 4, 1, 14988, 1, 1, 2, 1, 1, 15];
pub(super) const QUEUE_TREE_NAME: Column = &[1, 3, 6, 1, 4, 1, 14988, 1, 1, 2, 2, 1, 2];
pub(super) const QUEUE_TREE_FLOW: Column = &[1, 3, 6, 1, 4, 1, 14988, 1, 1, 2, 2, 1, 3];
pub(super) const QUEUE_TREE_PARENT: Column = &[1, 3, 6, 1, 4, 1, 14988, 1, 1, 2, 2, 1, 4];
pub(super) const QUEUE_TREE_HC_BYTES: Column = &[1, 3, 6, 1, 4, 1, 14988, 1, 1, 2, 2, 1, 7];
pub(super) const QUEUE_TREE_DROPPED: Column = &[1, 3, 6, 1, 4, 1, 14988, 1, 1, 2, 2, 1, 9];

/// usmStats (SNMP-USER-BASED-SM-MIB, RFC 3414): what v3 reports point at.
pub(super) const USM_STATS: Column = &[1, 3, 6, 1, 6, 3, 15, 1, 1];

/// RFC 2578, 3.5.
const MAX_ARCS: usize = 128;

impl Oid {
    pub(super) fn of(arcs: &[u32]) -> Self {
        Self(arcs.to_vec())
    }

    /// The instance of a table's column in the row `index`.
    pub(super) fn cell(column: Column, index: u32) -> Self {
        let mut arcs = column.to_vec();
        arcs.push(index);
        Self(arcs)
    }

    /// The only instance of an object outside any table.
    pub(super) fn scalar(object: Column) -> Self {
        Self::cell(object, 0)
    }

    /// Something whose successor is `self`, if `self` exists: GETBULK asks for successors.
    ///
    /// The row before need not exist. Before row 1 comes the column itself, for row 0 is no ifIndex (RFC 2863).
    pub(super) fn predecessor(&self) -> Self {
        let mut arcs = self.0.clone();
        match arcs.pop() {
            Some(last) if last > 1 => arcs.push(last - 1),
            _ => {}
        }
        Self(arcs)
    }

    /// What follows `column`; `None` outside of it.
    pub(super) fn within(&self, column: Column) -> Option<&[u32]> {
        self.0.strip_prefix(column)
    }

    /// The contents octets (X.690, 8.19), without tag and length.
    pub(super) fn to_ber(&self) -> Vec<u8> {
        let (head, tail) = match self.0.as_slice() {
            [first, second, tail @ ..] => (u64::from(*first) * 40 + u64::from(*second), tail),
            [only] => (u64::from(*only) * 40, &[][..]),
            [] => (0, &[][..]),
        };
        let mut out = Vec::with_capacity(self.0.len() + 4);
        push_base128(&mut out, head);
        for arc in tail {
            push_base128(&mut out, u64::from(*arc));
        }
        out
    }

    /// `None` for contents octets that are no SNMP object identifier: cut off, an arc over 32 bits, too many arcs.
    pub(super) fn from_ber(contents: &[u8]) -> Option<Self> {
        let mut arcs = Vec::with_capacity(contents.len().saturating_add(1).min(MAX_ARCS));
        let mut arc: u32 = 0;
        let mut open = true;
        for byte in contents {
            arc = arc.checked_mul(128)?.checked_add(u32::from(byte & 0x7f))?;
            open = byte & 0x80 != 0;
            if open {
                continue;
            }
            if arcs.is_empty() {
                let first = (arc / 40).min(2);
                arcs.push(first);
                arcs.push(arc - first * 40);
            } else {
                arcs.push(arc);
            }
            arc = 0;
        }
        (!open && arcs.len() <= MAX_ARCS).then_some(Self(arcs))
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, arc) in self.0.iter().enumerate() {
            let dot = if at == 0 { "" } else { "." };
            write!(f, "{dot}{arc}")?;
        }
        Ok(())
    }
}

fn push_base128(out: &mut Vec<u8>, value: u64) {
    // A head over 32 bits cannot come from `from_ber`, but must not be cut either.
    let mut shift = 63;
    while shift > 0 && value >> shift == 0 {
        shift -= 7;
    }
    while shift > 0 {
        out.push((value >> shift & 0x7f) as u8 | 0x80);
        shift -= 7;
    }
    out.push((value & 0x7f) as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn predecessors_are_followed_by_what_is_wanted() {
        assert_eq!(Oid::scalar(SYS_UP_TIME).predecessor(), Oid::of(SYS_UP_TIME));
        assert_eq!(Oid::cell(IF_NAME, 1).predecessor(), Oid::of(IF_NAME));
        assert_eq!(Oid::cell(IF_NAME, 2).predecessor(), Oid::cell(IF_NAME, 1));
        assert_eq!(Oid::cell(IF_NAME, u32::MAX).predecessor(), Oid::cell(IF_NAME, u32::MAX - 1));
    }

    #[test]
    fn ber_is_that_of_the_standard() {
        // As net-snmp writes ifName.3 and an index over 14 bits.
        assert_eq!(Oid::cell(IF_NAME, 3).to_ber(), [0x2b, 6, 1, 2, 1, 31, 1, 1, 1, 1, 3]);
        assert_eq!(Oid::cell(IF_NAME, 16_777_317).to_ber()[10..], [0x88, 0x80, 0x80, 0x65]);
    }

    #[test]
    fn what_is_no_object_identifier_is_refused() {
        assert_eq!(Oid::from_ber(&[]), None);
        assert_eq!(Oid::from_ber(&[0x2b, 0x86]), None, "cut off");
        assert_eq!(Oid::from_ber(&[0x2b, 0x90, 0x80, 0x80, 0x80, 0x00]), None, "2^32");
        assert_eq!(Oid::from_ber(&[1; 200]), None, "too many arcs");
    }

    #[test]
    fn order_is_that_of_walks() {
        let column = Oid::of(IF_NAME);
        assert!(column < Oid::cell(IF_NAME, 0));
        assert!(Oid::cell(IF_NAME, 9) < Oid::cell(IF_NAME, 10));
        assert!(Oid::cell(IF_NAME, u32::MAX) < Oid::cell(IF_HC_IN_OCTETS, 1));
        assert_eq!(Oid::cell(IF_NAME, 7).within(IF_NAME), Some(&[7][..]));
        assert_eq!(Oid::cell(IF_NAME, 7).within(IF_DESCR), None);
    }

    proptest! {
        #[test]
        fn ber_round_trips(first in 0_u32..2, second in 0_u32..40, tail in prop::collection::vec(any::<u32>(), 0..20)) {
            let mut arcs = vec![first, second];
            arcs.extend(tail);
            let oid = Oid::of(&arcs);
            prop_assert_eq!(Oid::from_ber(&oid.to_ber()), Some(oid));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..160)) {
            if let Some(oid) = Oid::from_ber(&bytes) {
                prop_assert_eq!(Oid::from_ber(&oid.to_ber()), Some(oid));
            }
        }
    }
}
