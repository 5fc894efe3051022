//! What an uplink's links may use together: sums of guarantees and ceilings against capacity.

use alloc::vec::Vec;
use serde::Serialize;
use takar_shared::{BitsPerSec, Direction};

use super::{Contention, Inventory, Uplink, UplinkName};

/// One uplink in one direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BudgetLine {
    pub uplink: UplinkName,
    pub direction: Direction,
    pub links: usize,
    pub sum_cir: BitsPerSec,
    pub sum_mir: BitsPerSec,
    pub capacity: BitsPerSec,
    /// What `sum_mir` may be: capacity × contention.
    pub budget: BitsPerSec,
    /// Σ mir ÷ capacity at present, rounded up.
    pub ratio: Contention,
}

impl BudgetLine {
    pub fn over_budget(&self) -> bool {
        self.sum_mir > self.budget
    }
}

impl Inventory {
    /// Every uplink in both directions, by name.
    pub fn budget(&self) -> Vec<BudgetLine> {
        self.uplinks.iter().flat_map(|uplink| Direction::BOTH.map(|direction| self.line(uplink, direction))).collect()
    }

    fn line(&self, uplink: &Uplink, direction: Direction) -> BudgetLine {
        let sides = || self.members(&uplink.name).map(move |link| link.side(direction));
        let sum_mir: BitsPerSec = sides().map(|side| side.mir).sum();
        let capacity = uplink.capacity(direction);
        BudgetLine {
            uplink: uplink.name.clone(),
            direction,
            links: sides().count(),
            sum_cir: sides().filter_map(|side| side.cir).sum(),
            sum_mir,
            capacity,
            budget: uplink.mir_budget(direction),
            ratio: ratio(sum_mir, capacity),
        }
    }
}

/// Rounded up, so that a ratio written as contention accepts the sum it came from.
fn ratio(sum: BitsPerSec, capacity: BitsPerSec) -> Contention {
    let per_mille = (u128::from(sum.0) * 1000).div_ceil(u128::from(capacity.0.max(1)));
    Contention(u32::try_from(per_mille).unwrap_or(u32::MAX))
}
