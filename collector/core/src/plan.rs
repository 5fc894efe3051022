//! Planning: who should give bandwidth to whom, on one uplink in one direction.
//!
//! 1. A link that is not pinned wants what it needs and some headroom; a pinned one wants what it is estimated to need.
//! 2. Its fair share is its weighted max-min share ([`max_min()`]) of what the links that may change can have together.
//! 3. A pinned link whose share is above its ceiling gains, first from what nobody holds, then from links that hold
//!    more than they want, in proportion to how much more. Nobody else changes.
//!
//! Where the ceilings already add up to more than the budget, half of what is given pays that back until it is gone,
//! so the sum ends lower than it began. Links that could not be measured or must not change now keep what they have,
//! and it counts as theirs. The result is a value; carrying it out, and in which order, is for others. [`check()`] is
//! a second opinion that shares no code with the planner.

mod check;
mod hold;
mod max_min;
mod pool;
mod proposal;
mod reason;
mod stand;

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use takar_shared::{BitsPerSec, Direction};

use crate::inventory::{LinkName, UplinkName};
pub use check::{Violation, check};
pub use hold::Standing;
pub use max_min::{MaxMinClaim, max_min};
pub use proposal::{Move, Proposal, Why};
pub use reason::{HoldReason, LinkReason, Reason};

/// Everything one plan depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanInput {
    pub uplink: UplinkName,
    pub direction: Direction,
    pub capacity: BitsPerSec,
    /// What the ceilings may add up to: capacity × contention.
    pub mir_budget: BitsPerSec,
    /// One for each link of the uplink.
    pub claims: Vec<Claim>,
    pub settings: PlanSettings,
}

/// What one link has and needs, in one direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub link: LinkName,
    pub weight: u32,
    pub cir: Option<BitsPerSec>,
    pub floor: BitsPerSec,
    pub ceiling: BitsPerSec,
    /// What counts as its ceiling now: the largest value that may be in force. Zero means unlimited.
    pub current_mir: BitsPerSec,
    pub demand: ClaimDemand,
    /// Why it must not change now, if so.
    pub held: Option<HoldReason>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClaimDemand {
    /// Not pinned: what it needs.
    Known(BitsPerSec),
    /// Pinned: an estimate of what it would use, above its ceiling, which hides the truth.
    AtLeast(BitsPerSec),
    /// Could not be measured.
    Unknown,
}

/// How eager a plan is. Every change costs trust, so small ones are not worth it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanSettings {
    /// What a link that is not pinned keeps above what it needs, in thousandths of that.
    pub headroom_per_mille: u32,
    /// The least gain worth a change, in thousandths of the ceiling it has...
    pub min_gain_per_mille: u32,
    /// ...and in bit/s; the larger counts. Also the least that one of several givers gives.
    pub min_gain: BitsPerSec,
    /// Rates are multiples of this, unless they are a link's own floor, guarantee or ceiling. Itself a multiple of 8
    /// bit/s, for backends that keep bytes/s.
    pub granule: BitsPerSec,
    /// The most one link gains in one plan, in thousandths of the ceiling it has.
    pub max_gain_per_mille: u32,
}

impl Default for PlanSettings {
    fn default() -> Self {
        Self {
            headroom_per_mille: 200,      // an ordinary peak over a five-minute average
            min_gain_per_mille: 50,       // less is within the error of the estimate
            min_gain: BitsPerSec(64_000), // one voice call; less is felt by nobody
            granule: BitsPerSec(8_000),   // whole kbit/s for people, whole bytes/s for HTB
            max_gain_per_mille: 1000,     // doubling finds any need in a few steps and bounds a router that lies
        }
    }
}

/// What is proposed, and for every link that does not move, why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "a plan that does nothing says why"]
pub struct Outcome {
    pub proposal: Option<Proposal>,
    /// By link name.
    pub reasons: Vec<LinkReason>,
}

/// The same input gives the same outcome, whatever the order of its claims.
pub fn plan(input: &PlanInput) -> Outcome {
    let links = stand::of_all(input);
    let pool = pool::Pool::of(input, &links);
    let verdicts = pool::gains(input, &links, &pool);
    let cuts = pool::cuts(input, &links, pool.to_cut(pool::total(&verdicts)));
    proposal::outcome(input, &links, &pool, &verdicts, &cuts)
}
