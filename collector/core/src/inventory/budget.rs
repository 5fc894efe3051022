//! What an uplink's links may use together: sums of guarantees and ceilings against capacity.

use alloc::{format, string::String, vec::Vec};
use core::fmt;
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

/// Not an error: a network may be imported as it is. Until it is accepted, plans there only lower.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    pub line: BudgetLine,
    /// What `contention_per_mille` must be to accept both directions of this uplink as they are.
    pub accept: Contention,
}

impl BudgetLine {
    pub fn over_budget(&self) -> bool {
        self.sum_mir > self.budget
    }
}

impl Notice {
    /// The line for the uplink's row in the inventory.
    pub fn accepting_line(&self) -> String {
        format!("contention_per_mille = {}", self.accept.0)
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BudgetLine { uplink, direction, sum_mir, capacity, budget, ratio, .. } = &self.line;
        write!(
            f,
            "uplink {uplink} {direction}: the ceilings of its links add up to {sum_mir}, {ratio} times its capacity of \
             {capacity}; {budget} are accepted, so changes there can only lower the sum. To accept it as it is, write \
             `{}` in its [[uplink]] row",
            self.accepting_line()
        )
    }
}

impl Inventory {
    /// Every uplink in both directions, by name.
    pub fn budget(&self) -> Vec<BudgetLine> {
        self.uplinks.iter().flat_map(|uplink| Direction::BOTH.map(|direction| self.line(uplink, direction))).collect()
    }

    /// The uplinks whose ceilings add up to more than was accepted.
    pub(super) fn notices(&self) -> Vec<Notice> {
        let lines = self.budget();
        let accept = |name: &UplinkName| lines.iter().filter(|line| line.uplink == *name).map(|line| line.ratio).max();
        lines
            .iter()
            .filter(|line| line.over_budget())
            .map(|line| Notice { accept: accept(&line.uplink).unwrap_or(line.ratio), line: line.clone() })
            .collect()
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
