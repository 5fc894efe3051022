//! A walk down one column, as a pure machine: what to ask next, and what an answer adds.
//!
//! A walk ends at the column's end, or with a fault: rows are counted, and none may come twice. Object identifiers
//! should increase; a device that keeps its rows in another order is followed as it goes, and told.

use std::collections::BTreeSet;

use super::{
    fault::Fault,
    message::{AUTHORIZATION_ERROR, NO_ACCESS, NO_SUCH_NAME, Reply, Request, TOO_BIG, Value},
    oid::{Column, Oid},
};

/// More interfaces than any device here has; what goes on longer is no table.
pub(super) const MAX_ROWS: usize = 10_000;

/// As many names of usual length as fit into an unfragmented answer.
const REPETITIONS: u32 = 25;

pub(super) struct Walk {
    column: Column,
    last: Oid,
    repetitions: u32,
    seen: BTreeSet<Oid>,
    rows: Vec<(u32, Value)>,
    /// Rows whose index is not one number.
    pub(super) odd_rows: usize,
    /// Times that a row came after one with a higher index.
    pub(super) out_of_order: usize,
    done: bool,
}

impl Walk {
    pub(super) fn new(column: Column) -> Self {
        Self {
            column,
            last: Oid::of(column),
            repetitions: REPETITIONS,
            seen: BTreeSet::new(),
            rows: Vec::new(),
            odd_rows: 0,
            out_of_order: 0,
            done: false,
        }
    }

    /// `None` at the end.
    pub(super) fn request(&self) -> Option<Request> {
        (!self.done).then(|| Request::rows(self.last.clone(), self.repetitions))
    }

    /// The rows so far, by ifIndex.
    pub(super) fn into_rows(self) -> Vec<(u32, Value)> {
        self.rows
    }

    /// Of the rows so far those that hold a string.
    pub(super) fn into_names(self) -> Vec<(u32, Vec<u8>)> {
        let name = |(index, value)| match value {
            Value::Bytes(name) => Some((index, name)),
            _ => None,
        };
        self.rows.into_iter().filter_map(name).collect()
    }

    pub(super) fn on_reply(&mut self, reply: Reply) -> Result<(), Fault> {
        match reply.error_status {
            0 => {}
            // Version 1's way to say that nothing follows; some proxies keep it.
            NO_SUCH_NAME => {
                self.done = true;
                return Ok(());
            }
            TOO_BIG if self.repetitions > 1 => {
                self.repetitions /= 2;
                return Ok(());
            }
            NO_ACCESS | AUTHORIZATION_ERROR => return Err(Fault::NotAuthorized),
            status => return Err(Fault::Status { status, index: reply.error_index }),
        }
        if reply.varbinds.is_empty() {
            if self.repetitions > 1 {
                self.repetitions = 1;
                return Ok(());
            }
            return Err(Fault::EmptyWalk { after: self.last.clone() });
        }
        for (oid, value) in reply.varbinds {
            let Some(instance) = oid.within(self.column).filter(|_| value != Value::EndOfView) else {
                self.done = true;
                return Ok(());
            };
            if self.seen.contains(&oid) {
                return Err(Fault::Looped { after: self.last.clone(), got: oid });
            }
            if self.seen.len() >= MAX_ROWS {
                return Err(Fault::TooManyRows { column: Oid::of(self.column), rows: MAX_ROWS });
            }
            if oid < self.last {
                self.out_of_order += 1;
            }
            match instance {
                [index] => self.rows.push((*index, value)),
                _ => self.odd_rows += 1,
            }
            self.seen.insert(oid.clone());
            self.last = oid;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snmp::oid::{IF_HC_IN_OCTETS, IF_NAME};
    use proptest::prelude::*;

    fn name(index: u32, name: &str) -> (Oid, Value) {
        (Oid::cell(IF_NAME, index), Value::Bytes(name.into()))
    }

    fn reply(varbinds: Vec<(Oid, Value)>) -> Reply {
        Reply { varbinds, ..Reply::default() }
    }

    #[test]
    fn ends_where_the_column_ends() {
        let mut walk = Walk::new(IF_NAME);
        walk.on_reply(reply(vec![name(1, "lo"), name(700, "ether1")])).unwrap();
        assert_eq!(walk.request(), Some(Request::rows(Oid::cell(IF_NAME, 700), REPETITIONS)));
        let next = (Oid::cell(IF_HC_IN_OCTETS, 1), Value::Counter64(0));
        walk.on_reply(reply(vec![name(701, "ether2"), next])).unwrap();
        assert_eq!(walk.request(), None);
        assert_eq!(walk.into_names(), [(1, b"lo".to_vec()), (700, b"ether1".to_vec()), (701, b"ether2".to_vec())]);
    }

    #[test]
    fn ends_with_the_view() {
        let mut walk = Walk::new(IF_NAME);
        walk.on_reply(reply(vec![name(1, "lo"), (Oid::cell(IF_NAME, 1), Value::EndOfView)])).unwrap();
        assert_eq!(walk.request(), None);
    }

    #[test]
    fn a_row_that_comes_again_is_a_fault() {
        for again in [2, 1] {
            let mut walk = Walk::new(IF_NAME);
            walk.on_reply(reply(vec![name(1, "lo"), name(2, "ether1")])).unwrap();
            let looped = walk.on_reply(reply(vec![name(again, "lo")]));
            assert!(matches!(looped, Err(Fault::Looped { .. })), "{looped:?}");
        }
    }

    #[test]
    fn a_table_in_another_order_is_followed() {
        let mut walk = Walk::new(IF_NAME);
        walk.on_reply(reply(vec![name(1, "lo"), name(9, "wan"), name(2, "lan")])).unwrap();
        assert_eq!(walk.request(), Some(Request::rows(Oid::cell(IF_NAME, 2), REPETITIONS)));
        walk.on_reply(reply(vec![name(3, "ppp0"), (Oid::cell(IF_NAME, 1), Value::EndOfView)])).unwrap();
        assert_eq!(walk.out_of_order, 1);
        let indexes: Vec<u32> = walk.into_names().into_iter().map(|(index, _)| index).collect();
        assert_eq!(indexes, [1, 9, 2, 3]);
    }

    #[test]
    fn an_endless_table_is_a_fault() {
        let mut walk = Walk::new(IF_NAME);
        let mut index = 0;
        let fault = loop {
            index += 1;
            if let Err(fault) = walk.on_reply(reply(vec![name(index, "x")])) {
                break fault;
            }
        };
        assert!(matches!(fault, Fault::TooManyRows { .. }));
        assert_eq!(index as usize, MAX_ROWS + 1);
    }

    #[test]
    fn rows_of_another_type_or_index_are_passed_over() {
        let mut walk = Walk::new(IF_NAME);
        let mut two_arcs = IF_NAME.to_vec();
        two_arcs.extend([2, 9]);
        let odd = (Oid::of(&two_arcs), Value::Bytes(b"odd".to_vec()));
        walk.on_reply(reply(vec![(Oid::cell(IF_NAME, 1), Value::Integer(4)), odd, name(3, "ether1")])).unwrap();
        assert_eq!(walk.odd_rows, 1);
        assert_eq!(walk.into_names(), [(3, b"ether1".to_vec())]);
    }

    #[test]
    fn asks_for_less_when_it_was_too_much_and_then_gives_up() {
        let mut walk = Walk::new(IF_NAME);
        let too_big = Reply { error_status: TOO_BIG, ..Reply::default() };
        let mut replies = 0;
        while walk.on_reply(too_big.clone()).is_ok() {
            replies += 1;
        }
        assert_eq!(replies, 4, "25, 12, 6, 3, 1");
        let mut walk = Walk::new(IF_NAME);
        walk.on_reply(Reply::default()).unwrap();
        assert_eq!(walk.request(), Some(Request::rows(Oid::of(IF_NAME), 1)));
        assert!(matches!(walk.on_reply(Reply::default()), Err(Fault::EmptyWalk { .. })));
    }

    proptest! {
        /// Whatever a device answers, a walk is over after as many answers as rows are allowed.
        #[test]
        fn always_ends(indexes in prop::collection::vec(0_u32..50, 1..200)) {
            let mut walk = Walk::new(IF_NAME);
            let mut answers = 0;
            for index in indexes.iter().cycle() {
                if walk.request().is_none() || walk.on_reply(reply(vec![name(*index, "x")])).is_err() {
                    break;
                }
                answers += 1;
                prop_assert!(answers <= 50, "an index cannot come twice");
            }
        }
    }
}
