//! What is no problem but should be known: an inventory may be imported as the network is.

use alloc::{format, string::String, vec::Vec};
use core::fmt;
use serde::Serialize;
use takar_shared::{BitsPerSec, Direction};

use super::{BudgetLine, Contention, Contract, ContractName, Inventory, ProviderName, Uplink, UplinkName};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Notice {
    OverBudget(OverBudget),
    ContractDiffers(ContractDiffers),
}

/// The ceilings of an uplink's links add up to more than was accepted. Until it is, plans there only lower.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OverBudget {
    pub line: BudgetLine,
    /// What `contention_per_mille` must be to accept both directions of this uplink as they are.
    pub accept: Contention,
}

/// The newest contract of an uplink says otherwise than the uplink's own row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContractDiffers {
    pub uplink: UplinkName,
    pub contract: ContractName,
    pub what: Differs,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Differs {
    Rate { direction: Direction, contracted: BitsPerSec, capacity: BitsPerSec },
    Provider { contracted: ProviderName, of_uplink: ProviderName },
}

impl OverBudget {
    /// The line for the uplink's row in the inventory.
    pub fn accepting_line(&self) -> String {
        format!("contention_per_mille = {}", self.accept.0)
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OverBudget(over) => fmt::Display::fmt(over, f),
            Self::ContractDiffers(differs) => fmt::Display::fmt(differs, f),
        }
    }
}

impl fmt::Display for OverBudget {
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

impl fmt::Display for ContractDiffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { uplink, contract, what } = self;
        match what {
            Differs::Rate { direction, contracted, capacity } => {
                write!(f, "uplink {uplink} {direction}: contract {contract} has {contracted}, its row has {capacity}")
            }
            Differs::Provider { contracted, of_uplink } => {
                write!(f, "uplink {uplink}: contract {contract} is with {contracted}, its row has {of_uplink}")
            }
        }
    }
}

/// The uplinks whose ceilings add up to more than was accepted, and those that their contract does not fit.
pub(super) fn notices(inventory: &Inventory) -> Vec<Notice> {
    let lines = inventory.budget();
    let accept = |name: &UplinkName| lines.iter().filter(|line| line.uplink == *name).map(|line| line.ratio).max();
    let over = lines.iter().filter(|line| line.over_budget()).map(|line| {
        let accept = accept(&line.uplink).unwrap_or(line.ratio);
        Notice::OverBudget(OverBudget { accept, line: line.clone() })
    });
    let differ = inventory.uplinks().iter().flat_map(|uplink| {
        let newest = inventory.contracts().iter().filter(|contract| contract.uplink == uplink.name);
        // Those before it were of other years.
        let newest = newest.max_by_key(|contract| (contract.ends, contract.begins));
        newest.map_or_else(Vec::new, |contract| differences(uplink, contract))
    });
    over.chain(differ.map(Notice::ContractDiffers)).collect()
}

fn differences(uplink: &Uplink, contract: &Contract) -> Vec<ContractDiffers> {
    let rates = Direction::BOTH.into_iter().filter_map(|direction| {
        let (contracted, capacity) = (contract.rate(direction), uplink.capacity(direction));
        (contracted != capacity).then_some(Differs::Rate { direction, contracted, capacity })
    });
    let provider = (contract.provider != uplink.provider)
        .then(|| Differs::Provider { contracted: contract.provider.clone(), of_uplink: uplink.provider.clone() });
    let of = |what| ContractDiffers { uplink: uplink.name.clone(), contract: contract.name.clone(), what };
    rates.chain(provider).map(of).collect()
}
