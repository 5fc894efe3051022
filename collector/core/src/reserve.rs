//! Who may hold what: the reservation that keeps promise P3.
//!
//! Per link and direction, what is reserved is the largest value that may be in force: as read, as
//! recorded, and the old and new values of every open change. Σ reserved ≤ capacity × contention
//! must hold at every instant for what Takar's commands may put in force. An uplink found above
//! its budget may only come down: a batch there never exceeds the sum it began with.

use alloc::vec::Vec;
use core::fmt;
use takar_shared::{BitsPerSec, Direction};

use crate::{
    inventory::LinkName,
    ledger::{Change, LinkMove},
};

/// One member of the uplink, in one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub link: LinkName,
    /// The ceiling on record.
    pub recorded: BitsPerSec,
    /// The ceiling last read on the device. `None` or zero (unlimited) reserves the whole uplink.
    pub observed: Option<BitsPerSec>,
}

/// The step would let more be in force than may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Over {
    pub sum: BitsPerSec,
    pub allowed: BitsPerSec,
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} might be in force where at most {} may", self.sum, self.allowed)
    }
}

/// What each hold reserves in `direction`, given the changes that are open (any order, any device, both directions).
pub fn reserved(holds: &[Hold], direction: Direction, capacity: BitsPerSec, open: &[&Change]) -> Vec<BitsPerSec> {
    holds
        .iter()
        .map(|hold| {
            let observed = match hold.observed {
                None | Some(BitsPerSec::ZERO) => capacity,
                Some(read) => read,
            };
            let changing = open
                .iter()
                .filter(|change| !change.state.is_final())
                .flat_map(|change| change.moves.iter().map(move |one| (change, one)))
                .filter(|(_, one)| one.link == hold.link && one.set.direction == direction)
                .map(|(change, one)| in_force_at_most(change, one));
            changing.fold(observed.max(hold.recorded), BitsPerSec::max)
        })
        .collect()
}

/// May `change` be signed now? `limit` is the larger of the budget and the batch's sum at its start.
pub fn may_dispatch(
    change: &Change,
    holds: &[Hold],
    direction: Direction,
    capacity: BitsPerSec,
    open: &[&Change],
    limit: BitsPerSec,
) -> Result<(), Over> {
    let now = reserved(holds, direction, capacity, open);
    let after: BitsPerSec = holds
        .iter()
        .zip(now)
        .map(|(hold, reserved)| {
            let ours = |one: &&LinkMove| one.link == hold.link && one.set.direction == direction;
            let new = change.moves.iter().filter(ours).map(|one| one.set.mir);
            new.fold(reserved, BitsPerSec::max)
        })
        .sum();
    if after <= limit { Ok(()) } else { Err(Over { sum: after, allowed: limit }) }
}

fn in_force_at_most(change: &Change, one: &LinkMove) -> BitsPerSec {
    if change.state.may_be_in_force() { one.from.max(one.set.mir) } else { one.from }
}
