//! What there is to tell: one variant an occasion, with what a reader needs in one look. Stored as JSON until it is
//! sent, so variants and fields are only ever added.

use serde::{Deserialize, Serialize};
use takar_shared::{BitsPerSec, Direction, UnixMillis};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Topic {
    CaseOpened {
        kind: Kind,
        place: Place,
        lacking: Option<BitsPerSec>,
        url: Option<String>,
    },
    Verified {
        place: Place,
        wanted: BitsPerSec,
        url: Option<String>,
    },
    /// To whoever may approve it.
    ProposalWaits {
        place: Place,
        proposal: u64,
        /// A name; `takar` or `policy` where no person did it.
        by: String,
        moved: BitsPerSec,
        gives: Vec<Share>,
        gets: Vec<Share>,
        url: Option<String>,
    },
    StepOverdue {
        place: Place,
        /// 1 to 6, as in the procedure.
        step: u8,
        owner: String,
        since: UnixMillis,
        standard_minutes: u64,
        url: Option<String>,
    },
    /// To the provider, with the letter attached.
    ProviderRequest {
        place: Place,
        /// Of the letter.
        number: String,
        capacity: BitsPerSec,
        wanted: BitsPerSec,
        /// Of a loan.
        until: Option<UnixMillis>,
        /// Where the provider decides.
        url: Option<String>,
        expires: Option<UnixMillis>,
    },
    /// To the provider.
    ProviderReminder {
        place: Place,
        number: String,
        asked_at: UnixMillis,
        wanted: BitsPerSec,
        url: Option<String>,
        expires: Option<UnixMillis>,
    },
    ProviderAnswered {
        place: Place,
        provider: String,
        number: String,
        agreed: bool,
        by: String,
        ticket: Option<String>,
        promised: Option<UnixMillis>,
        remark: Option<String>,
        url: Option<String>,
    },
    Allocated {
        place: Place,
        moved: BitsPerSec,
        gives: Vec<Share>,
        gets: Vec<Share>,
        url: Option<String>,
    },
    RolledBack {
        place: Place,
        why: String,
        url: Option<String>,
    },
    /// To the head of the team, who receives it.
    ReportReady {
        place: Place,
        number: String,
        url: Option<String>,
    },
    Received {
        place: Place,
        number: String,
        by: String,
        url: Option<String>,
    },
    LoanBegins {
        place: Place,
        amount: BitsPerSec,
        until: UnixMillis,
        url: Option<String>,
    },
    LoanEnds {
        place: Place,
        amount: BitsPerSec,
        url: Option<String>,
    },
    DeferralOver {
        place: Place,
        reason: String,
        url: Option<String>,
    },
    /// To those who look after Takar: notices that did not arrive and are not tried again.
    MailTrouble {
        count: u64,
        /// Some of them.
        some: Vec<Undelivered>,
    },
    PasswordChanged {
        /// A name; the account's own where its owner did it.
        by: String,
        at: UnixMillis,
        url: Option<String>,
    },
}

/// What a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Reallocation,
    Addition,
    Bod,
    Deferral,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub uplink: String,
    pub direction: Direction,
    /// What lacks bandwidth, or got it.
    pub links: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    pub link: String,
    pub amount: BitsPerSec,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
    pub to: String,
    pub why: String,
}

impl Topic {
    /// The name that words and webhooks know it by; an answer has two.
    pub fn key(&self) -> &'static str {
        match self {
            Self::CaseOpened { .. } => "case-opened",
            Self::Verified { .. } => "verified",
            Self::ProposalWaits { .. } => "proposal-waits",
            Self::StepOverdue { .. } => "step-overdue",
            Self::ProviderRequest { .. } => "provider-request",
            Self::ProviderReminder { .. } => "provider-reminder",
            Self::ProviderAnswered { agreed: true, .. } => "provider-agreed",
            Self::ProviderAnswered { agreed: false, .. } => "provider-refused",
            Self::Allocated { .. } => "allocated",
            Self::RolledBack { .. } => "rolled-back",
            Self::ReportReady { .. } => "report-ready",
            Self::Received { .. } => "received",
            Self::LoanBegins { .. } => "loan-begins",
            Self::LoanEnds { .. } => "loan-ends",
            Self::DeferralOver { .. } => "deferral-over",
            Self::MailTrouble { .. } => "mail-trouble",
            Self::PasswordChanged { .. } => "password-changed",
        }
    }
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
