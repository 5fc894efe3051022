//! Getting a set of cells, as a pure machine: splits them into requests, checks that each answer covers what was asked
//! and asks for the rest again.
//!
//! An answer's varbind belongs to the request's at the same position (RFC 3416, 4.2.3) and holds the wanted object or
//! shows that the device has no such object. Every answer settles at least one cell or halves the request,
//! so that a fetch always ends.

use std::collections::{BTreeMap, VecDeque};

use super::{
    fault::Fault,
    message::{AUTHORIZATION_ERROR, NO_ACCESS, Reply, Request, TOO_BIG, Value},
    oid::{Column, Oid},
};

/// Fits an unfragmented answer of about 1400 bytes.
const MAX_CELLS: usize = 40;

/// Answers with nothing in them, after which a device is not asked on.
const MAX_EMPTY: u32 = 8;

pub(super) struct Fetch {
    pending: VecDeque<Oid>,
    /// How many of `pending` the last request asked for.
    asked: usize,
    batch: usize,
    empty: u32,
    exact: bool,
    found: Found,
}

/// What a fetch brought.
#[derive(Debug, Default)]
pub(super) struct Found {
    values: BTreeMap<Oid, Value>,
    /// Answers that were neither the wanted object nor a later one.
    pub(super) out_of_order: usize,
}

impl Found {
    pub(super) fn get(&self, column: Column, index: u32) -> Option<&Value> {
        self.values.get(&Oid::cell(column, index))
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.values.extend(other.values);
        self.out_of_order = self.out_of_order.saturating_add(other.out_of_order);
    }
}

impl Fetch {
    pub(super) fn new(cells: Vec<Oid>) -> Self {
        Self { pending: cells.into(), asked: 0, batch: MAX_CELLS, empty: 0, exact: false, found: Found::default() }
    }

    /// By GET, where the device's tables are not in order.
    pub(super) fn exact(cells: Vec<Oid>) -> Self {
        Self { exact: true, ..Self::new(cells) }
    }

    /// `None` when every cell is settled.
    pub(super) fn request(&mut self) -> Option<Request> {
        self.asked = self.pending.len().min(self.batch);
        let cells = self.pending.iter().take(self.asked);
        (self.asked > 0).then(|| if self.exact { Request::exact(cells) } else { Request::cells(cells) })
    }

    pub(super) fn into_found(self) -> Found {
        self.found
    }

    pub(super) fn on_reply(&mut self, reply: Reply) -> Result<(), Fault> {
        match reply.error_status {
            0 => self.on_varbinds(reply.varbinds),
            TOO_BIG if self.asked > 1 => self.batch = self.asked / 2,
            NO_ACCESS | AUTHORIZATION_ERROR => return Err(Fault::NotAuthorized),
            status => {
                // One object that the device cannot tell must not cost the others.
                let index = reply.error_index;
                let at = usize::try_from(index).ok().and_then(|index| index.checked_sub(1));
                let at = at.filter(|at| *at < self.asked).ok_or(Fault::Status { status, index })?;
                self.pending.remove(at);
            }
        }
        Ok(())
    }

    fn on_varbinds(&mut self, varbinds: Vec<(Oid, Value)>) {
        let answered = varbinds.len().min(self.asked);
        if answered == 0 {
            // The first varbind is what could not be sent or read.
            self.pending.pop_front();
            self.empty = self.empty.saturating_add(1);
            if self.empty >= MAX_EMPTY {
                self.pending.clear();
            }
            return;
        }
        if answered < self.asked {
            self.batch = answered;
        }
        let wanted: Vec<Oid> = self.pending.drain(..answered).collect();
        for (wanted, (oid, value)) in wanted.into_iter().zip(varbinds) {
            let nothing = matches!(value, Value::Absent | Value::EndOfView);
            if oid == wanted && !nothing {
                self.found.values.insert(oid, value);
            } else if !nothing && oid <= wanted.predecessor() {
                self.found.out_of_order = self.found.out_of_order.saturating_add(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snmp::oid::{IF_HC_IN_OCTETS, IF_HC_OUT_OCTETS, IF_NAME};
    use proptest::prelude::*;

    fn cells(count: u32) -> Vec<Oid> {
        (1..=count).map(|index| Oid::cell(IF_HC_IN_OCTETS, index)).collect()
    }

    fn counters(indexes: impl IntoIterator<Item = u32>) -> Reply {
        let varbinds = indexes
            .into_iter()
            .map(|index| (Oid::cell(IF_HC_IN_OCTETS, index), Value::Counter64(u64::from(index))))
            .collect();
        Reply { varbinds, ..Reply::default() }
    }

    fn asks_for(fetch: &mut Fetch, indexes: impl IntoIterator<Item = u32>) {
        let cells: Vec<Oid> = indexes.into_iter().map(|index| Oid::cell(IF_HC_IN_OCTETS, index)).collect();
        assert_eq!(fetch.request(), Some(Request::cells(&cells)));
    }

    #[test]
    fn splits_and_covers() {
        let mut fetch = Fetch::new(cells(100));
        asks_for(&mut fetch, 1..=40);
        fetch.on_reply(counters(1..=40)).unwrap();
        asks_for(&mut fetch, 41..=80);
        fetch.on_reply(counters(41..=57)).unwrap();
        asks_for(&mut fetch, 58..=74);
        fetch.on_reply(counters(58..=74)).unwrap();
        asks_for(&mut fetch, 75..=91);
        fetch.on_reply(counters(75..=91)).unwrap();
        asks_for(&mut fetch, 92..=100);
        fetch.on_reply(counters(92..=100)).unwrap();
        assert_eq!(fetch.request(), None);
        let found = fetch.into_found();
        assert!((1..=100).all(|index| found.get(IF_HC_IN_OCTETS, index) == Some(&Value::Counter64(index.into()))));
    }

    #[test]
    fn another_object_is_not_taken_for_the_wanted_one() {
        let mut fetch = Fetch::new(cells(3));
        fetch.request().unwrap();
        let varbinds = vec![
            (Oid::cell(IF_HC_IN_OCTETS, 2), Value::Counter64(7)),
            (Oid::cell(IF_NAME, 1), Value::Counter64(8)),
            (Oid::cell(IF_HC_OUT_OCTETS, 1), Value::Counter64(9)),
        ];
        fetch.on_reply(Reply { varbinds, ..Reply::default() }).unwrap();
        assert_eq!(fetch.request(), None, "all three are settled");
        let found = fetch.into_found();
        assert!((1..=3).all(|index| found.get(IF_HC_IN_OCTETS, index).is_none()));
        assert_eq!(found.out_of_order, 1, "only ifName comes before what was asked");
    }

    #[test]
    fn an_object_that_cannot_be_told_does_not_cost_the_others() {
        let mut fetch = Fetch::new(cells(3));
        fetch.request().unwrap();
        fetch.on_reply(Reply { error_status: 5, error_index: 2, ..Reply::default() }).unwrap();
        asks_for(&mut fetch, [1, 3]);
        let beyond = fetch.on_reply(Reply { error_status: 5, error_index: 3, ..Reply::default() });
        assert!(matches!(beyond, Err(Fault::Status { status: 5, index: 3 })));
    }

    #[test]
    fn too_big_halves_down_to_one() {
        let mut fetch = Fetch::new(cells(4));
        let too_big = || Reply { error_status: TOO_BIG, error_index: 0, ..Reply::default() };
        fetch.request().unwrap();
        fetch.on_reply(too_big()).unwrap();
        asks_for(&mut fetch, [1, 2]);
        fetch.on_reply(too_big()).unwrap();
        asks_for(&mut fetch, [1]);
        assert!(fetch.on_reply(too_big()).is_err());
    }

    #[test]
    fn an_end_of_view_under_the_wanted_name_is_no_value() {
        let mut fetch = Fetch::new(cells(1));
        fetch.request().unwrap();
        let varbinds = vec![(Oid::cell(IF_HC_IN_OCTETS, 1), Value::EndOfView)];
        fetch.on_reply(Reply { varbinds, ..Reply::default() }).unwrap();
        assert!(fetch.into_found().get(IF_HC_IN_OCTETS, 1).is_none());
    }

    fn any_reply() -> impl Strategy<Value = Reply> {
        let varbind = (0_u32..60, any::<u64>())
            .prop_map(|(index, count)| (Oid::cell(IF_HC_IN_OCTETS, index), Value::Counter64(count)));
        (prop::collection::vec(varbind, 0..50), prop_oneof![4 => Just(0_u32), 1 => 0_u32..20], 0_u32..50)
            .prop_map(|(varbinds, error_status, error_index)| Reply { varbinds, error_status, error_index })
    }

    proptest! {
        /// Whatever a device answers, a fetch ends, and finds only what was asked.
        #[test]
        fn always_ends(count in 1_u32..120, replies in prop::collection::vec(any_reply(), 1..20)) {
            let mut fetch = Fetch::new(cells(count));
            let mut requests = 0;
            let mut replies = replies.iter().cycle();
            while fetch.request().is_some() {
                requests += 1;
                prop_assert!(requests <= count + 8, "{requests} requests for {count} cells");
                if fetch.on_reply(replies.next().unwrap().clone()).is_err() {
                    break;
                }
            }
            let asked = cells(count);
            prop_assert!(fetch.into_found().values.keys().all(|oid| asked.contains(oid)));
        }
    }
}
