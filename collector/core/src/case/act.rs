//! What can be done to a case, by whom, and why not.

use alloc::{
    boxed::Box,
    string::{String, ToString as _},
};
use core::fmt;
use serde::{Deserialize, Serialize};
use takar_shared::{BitsPerSec, Digest, UnixMillis};

use super::{Answer, Dialogue, Kind, Role, Step};
use crate::{
    inventory::LinkName,
    ledger::{Actor, ProposalId},
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "act")]
pub enum Act {
    /// Step 1 is done; what was compared is frozen.
    Check {
        evidence: Digest,
    },
    /// Step 2, by Takar: what it looked at. `confirmed` where nothing else explains the shortage.
    Verify {
        evidence: Digest,
        confirmed: bool,
    },
    /// Step 2, by a person: it is so.
    Confirm {
        reason: String,
    },
    /// Step 2: it is not so, or needs nothing. Takar may say so only of what is over by itself.
    Dismiss {
        reason: String,
    },
    /// The shortage came back, or another link of the uplink has one.
    Join {
        finding: u64,
        link: LinkName,
    },
    /// What was weighed in step 3.
    Weigh {
        evidence: Digest,
    },
    Propose {
        proposal: ProposalId,
    },
    /// The proposal no longer fits the facts, and nobody decided on it.
    Supersede {
        proposal: ProposalId,
    },
    Decline {
        proposal: ProposalId,
        reason: String,
    },
    Approve {
        proposal: ProposalId,
    },
    /// Bandwidth on demand is allowed.
    Grant,
    /// The planner found nothing to move; what the dearer ways would cost is frozen.
    FindNothing {
        evidence: Digest,
    },
    /// A person wants it planned again.
    Replan,
    AskProvider {
        dialogue: Box<Dialogue>,
    },
    /// How the letter went out.
    Sent {
        how: String,
    },
    Remind,
    Answered {
        answer: Answer,
    },
    Accept {
        measured: BitsPerSec,
    },
    Defer {
        until: UnixMillis,
        reason: String,
    },
    /// A pause is over: by its date, or because a person says so.
    Resume,
    /// Nothing will be allocated.
    Conclude {
        reason: String,
    },
    /// Step 4: the devices confirmed.
    Carry {
        proposal: ProposalId,
        evidence: Digest,
    },
    /// Step 4: it did not hold, or not all of it.
    RollBack {
        proposal: ProposalId,
        why: String,
        evidence: Digest,
    },
    /// A loan ends before its time.
    EndLoan {
        reason: String,
    },
    /// What was lent is back already, by another way.
    Returned {
        reason: String,
    },
    /// The step takes longer than the procedure allows.
    Overdue,
    Report {
        number: String,
        evidence: Digest,
    },
    Receive {
        remark: Option<String>,
    },
    Remark {
        text: String,
    },
    /// Who answers for the present step.
    Assign {
        to: String,
    },
}

impl Act {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Check { .. } => "check",
            Self::Verify { .. } => "verify",
            Self::Confirm { .. } => "confirm",
            Self::Dismiss { .. } => "dismiss",
            Self::Join { .. } => "join",
            Self::Weigh { .. } => "weigh",
            Self::Propose { .. } => "propose",
            Self::Supersede { .. } => "supersede",
            Self::Decline { .. } => "decline",
            Self::Approve { .. } => "approve",
            Self::Grant => "grant",
            Self::FindNothing { .. } => "find-nothing",
            Self::Replan => "replan",
            Self::AskProvider { .. } => "ask-provider",
            Self::Sent { .. } => "sent",
            Self::Remind => "remind",
            Self::Answered { .. } => "answered",
            Self::Accept { .. } => "accept",
            Self::Defer { .. } => "defer",
            Self::Resume => "resume",
            Self::Conclude { .. } => "conclude",
            Self::Carry { .. } => "carry",
            Self::RollBack { .. } => "roll-back",
            Self::EndLoan { .. } => "end-loan",
            Self::Returned { .. } => "returned",
            Self::Overdue => "overdue",
            Self::Report { .. } => "report",
            Self::Receive { .. } => "receive",
            Self::Remark { .. } => "remark",
            Self::Assign { .. } => "assign",
        }
    }
}

/// Who acts, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    pub actor: Actor,
    pub role: Role,
}

impl By {
    pub fn takar() -> Self {
        Self { actor: Actor::Takar, role: Role::Takar }
    }

    pub fn policy() -> Self {
        Self { actor: Actor::Policy, role: Role::Policy }
    }
}

/// What the office's configuration asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whoever proposed, or asked for a loan, may not approve it.
    pub four_eyes: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is over.
    Over {
        word: &'static str,
    },
    /// It waits for a date.
    Waits {
        word: &'static str,
        act: &'static str,
    },
    WrongStep {
        act: &'static str,
        found: Step,
        wanted: Step,
    },
    /// This role may not.
    NotYours {
        act: &'static str,
        role: String,
        wanted: &'static str,
    },
    FourEyes {
        who: String,
    },
    /// Another proposal than the one that is open.
    OtherProposal {
        given: ProposalId,
        open: Option<ProposalId>,
    },
    WrongKind {
        act: &'static str,
        kind: Kind,
    },
    Empty {
        what: &'static str,
    },
    Past {
        what: &'static str,
    },
    Because(&'static str),
}

impl Refused {
    pub(super) fn role(act: &Act, by: &By, wanted: &'static str) -> Self {
        Self::NotYours { act: act.as_str(), role: by.role.to_string(), wanted }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Over { word } => write!(f, "the case is {word}; nothing more can be done to it"),
            Self::Waits { word, act } => write!(f, "the case is {word}; {act} waits until it is resumed"),
            Self::WrongStep { act, found, wanted } => write!(
                f,
                "{act} belongs to step {} ({wanted}); the case is in step {} ({found})",
                wanted.number(),
                found.number()
            ),
            Self::NotYours { act, role, wanted } => write!(f, "{act} is for {wanted}, not for the role {role}"),
            Self::FourEyes { who } => {
                write!(f, "{who} asked for it and may not approve it; four eyes are asked for, so another person must")
            }
            Self::OtherProposal { given, open: Some(open) } => {
                write!(f, "proposal {given} is not the one that is open; expected proposal {open}")
            }
            Self::OtherProposal { given, open: None } => write!(f, "proposal {given} is not open in this case"),
            Self::WrongKind { act, kind } => write!(f, "{act} does not fit a case of the kind {kind}"),
            Self::Empty { what } => write!(f, "{what}: expected some text"),
            Self::Past { what } => write!(f, "{what}: expected a time to come"),
            Self::Because(why) => f.write_str(why),
        }
    }
}

impl core::error::Error for Refused {}
