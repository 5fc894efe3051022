//! Cases, what people do to them, the check of step 1, papers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One row of `GET /v1/cases`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CaseView {
    pub id: u64,
    /// reallocation, addition, bod, deferral
    pub kind: String,
    pub uplink: String,
    pub direction: String,
    pub links: Vec<String>,
    /// check, identify, coordinate, allocate, report, receive, deferred, scheduled, on-loan, dismissed, archived
    pub state: String,
    /// 1 to 6: the step that it is in, or was in as it ended.
    pub step: u8,
    pub round: u16,
    pub owner: String,
    pub opened_at: u64,
    pub opened_by: String,
    /// One sentence: what opened it.
    pub origin: String,
    /// Of the present step; absent when it is over.
    pub due_at: Option<u64>,
    pub worked_ms: u64,
    pub standard_minutes: u32,
    pub overdue: bool,
    /// The proposal that waits or is carried out.
    pub proposal: Option<u64>,
    /// A person has to do something: what, in one word.
    pub waits_for: Option<String>,
    pub report: Option<String>,
    pub until: Option<u64>,
}

/// `GET /v1/cases/{id}`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CaseDetailView {
    #[serde(flatten)]
    pub row: CaseView,
    /// The record as stored.
    pub case: Value,
    pub steps: Vec<StepView>,
    /// As frozen, in order.
    pub evidence: Vec<EvidenceView>,
    pub proposals: Vec<super::ProposalView>,
    pub changes: Vec<super::ChangeView>,
    pub papers: Vec<PaperView>,
    /// What the audit log says of it.
    pub trail: Vec<super::AuditView>,
    /// Acts that whoever asks may try now.
    pub may: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StepView {
    pub number: u8,
    pub step: String,
    pub round: u16,
    pub owner: String,
    pub began_at: u64,
    pub ended_at: Option<u64>,
    pub due_at: u64,
    pub worked_ms: u64,
    pub standard_minutes: u32,
    pub overdue: bool,
    pub paused: bool,
    /// done, not-needed, rolled-back, running
    pub result: String,
    pub note: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceView {
    pub kind: String,
    pub at: u64,
    pub digest: String,
    pub what: Value,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PaperView {
    pub number: String,
    /// report, letter, summary
    pub kind: String,
    pub case: Option<u64>,
    pub at: u64,
    pub files: Vec<PaperFileView>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PaperFileView {
    /// Below the archive's folder.
    pub path: String,
    pub bytes: u64,
    pub sha256: String,
}

/// `GET /v1/archive/verify`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ArchiveView {
    pub ok: bool,
    pub papers: usize,
    pub files: usize,
    pub folder: String,
    /// One sentence a fault.
    pub faults: Vec<String>,
}

/// `POST /v1/cases`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenCaseBody {
    pub link: String,
    #[schemars(extend("enum" = ["down", "up"]))]
    pub direction: String,
    #[schemars(length(min = 1))]
    pub reason: String,
}

/// `POST /v1/bod`: a loan. Times are Unix milliseconds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BodBody {
    pub link: String,
    #[schemars(extend("enum" = ["down", "up"]))]
    pub direction: String,
    pub to_bps: u64,
    /// Absent: from now on.
    #[serde(default)]
    pub from: Option<u64>,
    pub until: u64,
    #[schemars(length(min = 1))]
    pub reason: String,
    #[serde(default)]
    pub letter: Option<String>,
}

/// `POST /v1/cases/{id}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub enum CaseActBody {
    Confirm {
        reason: String,
    },
    Dismiss {
        reason: String,
    },
    /// The proposal that waits.
    Approve,
    Decline {
        reason: String,
    },
    /// A loan.
    Grant,
    Replan,
    AskProvider {
        /// The capacity that the uplink should have.
        wanted_bps: u64,
        #[serde(default)]
        price_idr: Option<u64>,
    },
    Sent {
        how: String,
    },
    Answered {
        agreed: bool,
        name: String,
        #[serde(default)]
        ticket: Option<String>,
        #[serde(default)]
        promised: Option<u64>,
        #[serde(default)]
        remark: Option<String>,
    },
    Accept {
        measured_bps: u64,
    },
    Defer {
        until: u64,
        reason: String,
    },
    Resume,
    Conclude {
        reason: String,
    },
    EndLoan {
        reason: String,
    },
    Receive {
        #[serde(default)]
        remark: Option<String>,
    },
    Remark {
        text: String,
    },
    Assign {
        to: String,
    },
}

/// One row of `GET /v1/check`: a link in one direction.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CheckView {
    pub site: String,
    pub site_title: String,
    pub link: String,
    pub uplink: String,
    pub direction: String,
    /// The ceiling on record, and the one last read on the device.
    pub recorded_bps: u64,
    pub observed_bps: Option<u64>,
    pub cir_bps: Option<u64>,
    /// What the provider sells on the uplink, and what the ceilings there add up to.
    pub contract_bps: Option<u64>,
    pub promised_bps: u64,
    pub budget_bps: u64,
    pub need_bps: Option<u64>,
    pub p95_bps: Option<u64>,
    pub peak_bps: Option<u64>,
    pub unserved_bps: Option<u64>,
    /// fits, starved, idle, drifted, over-promised, not-measured, need-without-allocation, allocation-without-need
    pub verdict: String,
    pub why: String,
}

/// `POST /v1/summaries`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SummaryBody {
    #[schemars(range(min = 1970, max = 9998))]
    pub year: u32,
    /// Absent: the whole year.
    #[serde(default)]
    #[schemars(range(min = 1, max = 12))]
    pub month: Option<u8>,
}

/// What `POST /v1/summaries` answers: the paper's number, before it is drawn.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SummaryView {
    pub number: String,
}

/// `GET /v1/register`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RegisterView {
    pub at: u64,
    pub by: String,
    pub text: String,
}
