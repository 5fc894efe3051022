//! What the API asks of the engine. One engine answers one query at a time, so that no two people
//! decide at once.

use serde_json::Value;
use tokio::sync::oneshot;

use crate::view::{DeclineBody, DeviceBody, ImportBody, ProposeBody};

#[derive(Debug)]
pub enum Query {
    Status,
    Links,
    Findings {
        all: bool,
    },
    Proposals,
    Changes,
    Devices,
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
}

/// Who asks: the local account behind the socket (SO_PEERCRED).
#[derive(Clone, Debug)]
pub struct Caller {
    pub name: String,
    pub uid: u32,
}

#[derive(Debug)]
pub enum ApiError {
    /// 404
    NotFound(String),
    /// 409: it is there but not in a state that allows this.
    Conflict(String),
    /// 422: all problems of the input.
    Invalid(Vec<String>),
    /// 500: ours, not theirs.
    Failed(String),
}

pub struct Asked {
    pub query: Query,
    pub caller: Caller,
    /// The view, as JSON.
    pub reply: oneshot::Sender<Result<Value, ApiError>>,
}
