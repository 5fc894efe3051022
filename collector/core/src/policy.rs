//! Policy: what an office agreed to in advance, so that no telephone call is needed.

use alloc::{string::String, vec::Vec};

use crate::{
    inventory::{LinkMode, LinkName},
    plan::{Proposal, Why},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub approve: bool,
    /// The most a link may gain in one proposal, in thousandths of the ceiling it has.
    pub max_gain_per_mille: u32,
    /// Empty: all.
    pub uplinks: Vec<String>,
}

impl Policy {
    /// Whether it approves this proposal; what it does not waits for a person.
    pub fn allows(&self, proposal: &Proposal, mode_of: impl Fn(&LinkName) -> LinkMode) -> bool {
        self.approve
            && (self.uplinks.is_empty() || self.uplinks.iter().any(|name| name == proposal.uplink.as_str()))
            && proposal.moves.iter().all(|one| {
                one.to.saturating_sub(one.from) <= one.from.per_mille(self.max_gain_per_mille)
                    && one.why != Why::Asked
                    && mode_of(&one.link) == LinkMode::Live
            })
    }
}
