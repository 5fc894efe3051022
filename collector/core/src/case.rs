//! A case: the procedure carried out once, for one uplink in one direction, from the check to the receipt.
//!
//! Six steps, in order. [`Case::apply`] is the only way from one state to the next; it takes who acts and when, and
//! gives a new case or says in one sentence why not. No move skips a step: a case that ends without an allocation goes
//! through steps 4 and 5 as well, with a report that says so. The one way back is from 4 to 3, where a change did not
//! hold. The one end without a report is the procedure's own *no*, in step 2.

mod act;
mod apply;
mod loan;
mod role;
mod step;

use alloc::{string::String, vec::Vec};
use core::fmt;
use serde::{Deserialize, Serialize};
use takar_shared::{BitsPerSec, Digest, Direction, UnixMillis};

use crate::{
    inventory::{LinkName, ProviderName, UplinkName},
    ledger::{Actor, ProposalId},
};

pub use act::{Act, By, Refused, Rules};
pub use loan::Loan;
pub use role::Role;
pub use step::{Standard, Step, StepRecord, StepResult};

/// Counts cases, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseId(pub u64);

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    pub id: CaseId,
    pub kind: Kind,
    pub uplink: UplinkName,
    pub direction: Direction,
    /// What lacks bandwidth, or is to get it.
    pub links: Vec<LinkName>,
    pub origin: Origin,
    pub opened_at: UnixMillis,
    pub opened_by: Actor,
    pub state: State,
    /// Every step that was begun, in order; the last is the one it is in, or was in as it ended.
    pub steps: Vec<StepRecord>,
    /// Findings that it answers; more come where a shortage returns while it is open.
    pub findings: Vec<u64>,
    /// Of bandwidth on demand.
    pub loan: Option<Loan>,
    /// Proposals made for it, the newest last.
    pub proposals: Vec<ProposalId>,
    /// The proposal that waits for a decision or is carried out.
    pub current: Option<ProposalId>,
    /// Who made the newest: where four eyes are asked for, another must approve it.
    pub proposed_by: Option<Actor>,
    /// Somebody said no, or a change did not hold again and again: Takar proposes nothing more by itself.
    pub left_to_people: bool,
    /// The planner found nothing to move, so far: it looks again, and the dearer ways wait for people.
    pub unplanned: bool,
    /// What was asked of the provider, if anything.
    pub provider: Option<Dialogue>,
    pub outcome: Option<Outcome>,
    /// The number of the report, once it is written.
    pub report: Option<String>,
    pub received: Option<Received>,
    pub remarks: Vec<Remark>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Moves what the uplink has.
    Reallocation,
    /// Needs more than the uplink has.
    Addition,
    /// Bandwidth on demand: a loan with a beginning and an end.
    Bod,
    /// Waits for capacity, with a date.
    Deferral,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum Origin {
    Finding { id: u64, sentence: String, lacking: BitsPerSec },
    Need { name: String, letter: Option<String> },
    Person { name: String, reason: String },
    Request { name: String, reason: String, letter: Option<String> },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum State {
    Open,
    Paused(Pause),
    /// The procedure's *no*: nothing needs to be re-allocated.
    Dismissed {
        by: Actor,
        at: UnixMillis,
        reason: String,
    },
    /// Received by the head, and archived.
    Closed {
        at: UnixMillis,
    },
}

/// While a case waits for a date its step's clock stands still.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "why")]
pub enum Pause {
    Deferred {
        until: UnixMillis,
        reason: String,
        was: Kind,
    },
    /// A granted loan that has not begun.
    Scheduled {
        until: UnixMillis,
    },
    OnLoan {
        until: UnixMillis,
    },
}

impl Pause {
    pub fn until(&self) -> UnixMillis {
        match self {
            Self::Deferred { until, .. } | Self::Scheduled { until } | Self::OnLoan { until } => *until,
        }
    }
}

/// What a provider was asked for, and what it said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialogue {
    pub provider: ProviderName,
    /// As the letter calls it.
    pub title: String,
    /// Of the letter.
    pub number: String,
    /// What the uplink had when this was asked.
    pub capacity: BitsPerSec,
    /// Capacity that the uplink should have.
    pub wanted: BitsPerSec,
    /// Whole rupiah a month.
    pub price_idr: Option<u64>,
    pub asked_at: UnixMillis,
    pub asked_by: Actor,
    /// How the letter went: `e-mail to …`, once it did.
    pub sent: Option<(UnixMillis, String)>,
    pub reminded: Vec<UnixMillis>,
    pub answer: Option<Answer>,
    pub accepted: Option<Accepted>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub agreed: bool,
    /// Who said so: a name at the provider's.
    pub by: String,
    pub at: UnixMillis,
    pub ticket: Option<String>,
    pub promised: Option<UnixMillis>,
    pub remark: Option<String>,
    /// Who wrote it down here: the provider over its link, or a member.
    pub recorded_by: Actor,
}

/// The capacity is there, and was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    pub at: UnixMillis,
    pub by: Actor,
    pub measured: BitsPerSec,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Outcome {
    Allocated,
    /// A loan that was given and taken back.
    Returned,
    NotCarriedOut {
        why: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    pub by: Actor,
    pub at: UnixMillis,
    pub remark: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    pub at: UnixMillis,
    pub by: Actor,
    pub text: String,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reallocation => "reallocation",
            Self::Addition => "addition",
            Self::Bod => "bod",
            Self::Deferral => "deferral",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Case {
    /// The record of the step that it is in.
    pub fn at(&self) -> Option<&StepRecord> {
        self.steps.last()
    }

    /// The step that it is in, while it is not over.
    pub fn step(&self) -> Option<Step> {
        self.is_open().then(|| self.at().map(|record| record.step)).flatten()
    }

    /// Not dismissed and not closed; it may be paused.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open | State::Paused(_))
    }

    pub fn is_in(&self, step: Step) -> bool {
        self.state == State::Open && self.step() == Some(step)
    }

    /// When it has to be looked at without anything else happening.
    pub fn wakes_at(&self) -> Option<UnixMillis> {
        match &self.state {
            State::Paused(pause) => Some(pause.until()),
            _ => None,
        }
    }

    /// The state in one word: a step's name, or how it waits or ended.
    pub fn word(&self) -> &'static str {
        match &self.state {
            State::Open => self.at().map_or("open", |record| record.step.as_str()),
            State::Paused(Pause::Deferred { .. }) => "deferred",
            State::Paused(Pause::Scheduled { .. }) => "scheduled",
            State::Paused(Pause::OnLoan { .. }) => "on-loan",
            State::Dismissed { .. } => "dismissed",
            State::Closed { .. } => "archived",
        }
    }

    /// Evidence of all its steps, in order.
    pub fn evidence(&self) -> impl Iterator<Item = &Digest> {
        self.steps.iter().flat_map(|record| &record.evidence)
    }
}

/// What a case is opened with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    pub kind: Kind,
    pub uplink: UplinkName,
    pub direction: Direction,
    pub links: Vec<LinkName>,
    pub origin: Origin,
    pub loan: Option<Loan>,
}

/// Opens a case: step 1 begins.
pub fn open(id: CaseId, opening: Opening, by: Actor, now: UnixMillis) -> Case {
    let Opening { kind, uplink, direction, links, origin, loan } = opening;
    let findings = match &origin {
        Origin::Finding { id, .. } => Vec::from([*id]),
        _ => Vec::new(),
    };
    Case {
        id,
        kind,
        uplink,
        direction,
        links,
        origin,
        opened_at: now,
        opened_by: by,
        state: State::Open,
        steps: Vec::from([StepRecord::begun(Step::Check, 1, Actor::Takar, now)]),
        findings,
        loan,
        proposals: Vec::new(),
        current: None,
        proposed_by: None,
        left_to_people: false,
        unplanned: false,
        provider: None,
        outcome: None,
        report: None,
        received: None,
        remarks: Vec::new(),
    }
}
