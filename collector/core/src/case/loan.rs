//! Bandwidth on demand: so much, for one link, from then until then.

use alloc::{format, string::String, vec::Vec};
use serde::{Deserialize, Serialize};
use takar_shared::{BitsPerSec, UnixMillis};

use crate::{
    inventory::LinkName,
    ledger::{Actor, ProposalId},
};

/// Longer is no loan: it is an addition.
pub const LONGEST_MS: u64 = 366 * 24 * 3_600_000;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loan {
    pub link: LinkName,
    /// The ceiling it should have meanwhile.
    pub to: BitsPerSec,
    pub from: UnixMillis,
    pub until: UnixMillis,
    pub asked_by: Actor,
    /// By whose authority its proposals are approved.
    pub granted_by: Option<Actor>,
    /// Carried out as it began.
    pub lent: Option<ProposalId>,
}

impl Loan {
    /// What is wrong with what was asked for.
    pub fn problems(&self, now: UnixMillis) -> Vec<String> {
        let mut problems = Vec::new();
        if self.until <= self.from {
            problems.push("until: expected a time after from".into());
        }
        if self.until <= now {
            problems.push("until: expected a time to come".into());
        }
        if self.until.since(self.from) > LONGEST_MS {
            problems.push(format!("until: expected at most {} days after from", LONGEST_MS / 86_400_000));
        }
        if self.to == BitsPerSec::ZERO {
            problems.push("to: expected a rate above 0 bit/s".into());
        }
        problems
    }
}
