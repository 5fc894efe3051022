//! What the API asks of the engine. One engine answers one query at a time, so that no two people
//! decide at once.

use serde_json::Value;
use tokio::sync::oneshot;

use crate::view::{
    AccountBody, BodBody, CaseActBody, DeclineBody, DeviceBody, ImportBody, LinkModeBody, MaintenanceBody,
    OpenCaseBody, ProposeBody, SummaryBody,
};

#[derive(Debug)]
pub enum Query {
    Status,
    Links,
    LinkMode(LinkModeBody),
    Maintenance {
        all: bool,
    },
    MaintenanceAdd(MaintenanceBody),
    MaintenanceEnd {
        id: u64,
    },
    Findings {
        all: bool,
    },
    Proposals,
    Changes,
    Devices,
    /// What they have, as their agents say.
    Reported,
    Audit {
        from: u64,
    },
    AuditVerify,
    Import(ImportBody),
    Propose(ProposeBody),
    Approve {
        proposal: u64,
    },
    Decline {
        proposal: u64,
        body: DeclineBody,
    },
    DeviceAdd(DeviceBody),
    /// Answers with the bundle.
    DeviceApprove(DeviceBody),
    /// The register's text, as it is or as it was.
    Register {
        as_of: Option<u64>,
    },
    Check,
    Cases {
        all: bool,
    },
    Case {
        id: u64,
    },
    OpenCase(OpenCaseBody),
    Bod(BodBody),
    CaseAct {
        id: u64,
        body: CaseActBody,
    },
    Papers,
    Summary(SummaryBody),
    ArchiveVerify,
    Accounts,
    AccountEdit(AccountBody),
    /// One account with its secrets: asked by the page's own task only, and never routed.
    Credentials {
        account: String,
    },
    /// A log-in that succeeded, and the step of the one-time code that it used.
    LoggedIn {
        account: String,
        totp_step: Option<u64>,
    },
    /// Names of the providers on record.
    Providers,
    /// Whom a step can be given to: no more of accounts than that.
    Team,
    /// The case that a provider's link is for, before its provider is known.
    ProviderRequest {
        case: u64,
    },
}

/// Who asks, and how that is known.
#[derive(Clone, Debug)]
pub struct Caller {
    /// An operating-system account, an account of Takar's own, or a provider.
    pub name: String,
    pub via: Via,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// The local account behind the socket (SO_PEERCRED).
    Socket { uid: u32 },
    /// Logged in, from that address.
    Page { address: String },
    /// A provider with the link of one case.
    Link { case: u64, address: String },
}

impl Caller {
    /// For the audit log.
    pub fn from(&self) -> String {
        match &self.via {
            Via::Socket { uid } => format!("socket uid {uid}"),
            Via::Page { address } => format!("page {address}"),
            Via::Link { case, address } => format!("link of case {case}, {address}"),
        }
    }
}

#[derive(Debug)]
pub enum ApiError {
    /// 403: not with this role.
    Forbidden(String),
    /// 404
    NotFound(String),
    /// 409: it is there but not in a state that allows this.
    Conflict(String),
    /// 422: all problems of the input.
    Invalid(Vec<String>),
    /// 500: ours, not theirs.
    Failed(String),
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Forbidden(text) | Self::NotFound(text) | Self::Conflict(text) | Self::Failed(text) => {
                f.write_str(text)
            }
            Self::Invalid(problems) => f.write_str(&problems.join("; ")),
        }
    }
}

pub struct Asked {
    pub query: Query,
    pub caller: Caller,
    /// The view, as JSON.
    pub reply: oneshot::Sender<Result<Value, ApiError>>,
}
