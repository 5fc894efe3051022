//! What a report states, before any language: numbers, names, times. JSON and XLSX carry it as it is; [`crate::document`]
//! puts it into words.

use serde::{Deserialize, Serialize};

/// Unix time in milliseconds, as everywhere in Takar's JSON.
pub type Millis = u64;

/// One finished case: *Laporan Alokasi/Re-alokasi Bandwidth*.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseReport {
    /// As the office numbers its papers.
    pub number: String,
    pub case: u64,
    pub kind: CaseKind,
    pub outcome: Outcome,
    pub made_at: Millis,
    pub opened_at: Millis,
    /// What opened the case.
    pub origin: Origin,
    pub uplink: Uplink,
    /// `down` or `up`.
    pub direction: String,
    /// Every site whose ceiling moved, those that gave first.
    pub sites: Vec<SiteChange>,
    /// Links of the uplink that did not move, and why not.
    pub unmoved: Vec<Unmoved>,
    pub verification: Vec<Check>,
    pub coordination: Coordination,
    /// The six steps, in order; those that were gone through again appear again.
    pub steps: Vec<Step>,
    pub commands: Vec<Command>,
    pub plots: Vec<Plot>,
    pub audit: AuditMark,
    /// Of people, while the case was open.
    pub remarks: Vec<Remark>,
    /// Standard time of the whole procedure, in minutes (210 by the procedure).
    pub standard_minutes: u64,
    /// Working milliseconds from the opening to this report, pauses left out.
    pub worked_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseKind {
    Reallocation,
    Addition,
    /// Bandwidth on demand: a loan with an end.
    Bod,
    Deferral,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Allocated,
    /// A loan that was given and came back.
    Returned,
    /// Nothing was changed: declined, refused by the provider, or no longer needed. `why` is a person's or Takar's sentence.
    NotCarriedOut {
        why: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum Origin {
    Finding {
        id: u64,
        sentence: String,
        link: String,
        lacking_bps: u64,
    },
    Need {
        name: String,
        site: String,
        letter: Option<String>,
    },
    Person {
        name: String,
        reason: String,
    },
    /// A request for bandwidth on demand.
    Request {
        name: String,
        reason: String,
        letter: Option<String>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uplink {
    pub name: String,
    pub provider: String,
    /// The provider's own name, for people.
    pub provider_title: String,
    /// In the direction of the case.
    pub capacity_bps: u64,
    /// Sum of the ceilings of its links.
    pub sum_before_bps: u64,
    pub sum_after_bps: u64,
    pub budget_bps: u64,
    /// As the contract on record numbers it.
    pub contract: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SiteChange {
    pub site: String,
    pub site_title: String,
    pub link: String,
    pub before_bps: u64,
    pub after_bps: u64,
    /// What the device was last read to have in force; `None` where it could not be read.
    pub device_bps: Option<u64>,
    pub cir_bps: Option<u64>,
    /// What people need there by the register, where it says.
    pub need_bps: Option<u64>,
    pub utilisation_before: Option<Utilisation>,
    /// `None` where nothing was measured yet since the change.
    pub utilisation_after: Option<Utilisation>,
    pub why: Why,
}

/// Why a link's ceiling moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Why {
    /// It holds this much more than it needs with headroom.
    Gives {
        spare_bps: u64,
    },
    /// It is at its ceiling and is estimated to need more.
    Gets {
        wanted_bps: u64,
        served_bps: u64,
    },
    /// By hand.
    Asked,
    /// For the time of a loan.
    Lent {
        wanted_bps: u64,
    },
    Unchanged,
}

/// Of the valid readings of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Utilisation {
    pub from: Millis,
    pub to: Millis,
    pub mean_bps: u64,
    pub p95_bps: u64,
    pub peak_bps: u64,
    /// Of the ceiling in force then.
    pub mean_per_mille: u32,
    pub p95_per_mille: u32,
    pub readings: u32,
    /// Readings of the window that are missing or not valid.
    pub gaps: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmoved {
    pub link: String,
    pub why: String,
}

/// One thing that was ruled out, or not, before anything moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// continuity, link-errors, flaps, duplex, device-up, sustained, queue-effect
    pub what: String,
    /// passed, failed, unknown
    pub outcome: String,
    /// The numbers it rests on, one English sentence.
    pub evidence: String,
    /// The same numbers by name, as verification keeps them.
    #[serde(default)]
    pub numbers: serde_json::Map<String, serde_json::Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coordination {
    /// The ways that were weighed, the cheapest first.
    pub options: Vec<CoordinationOption>,
    pub proposal: Option<u64>,
    pub proposed_by: Option<String>,
    /// A name, or `policy`.
    pub decided_by: Option<String>,
    pub decided_at: Option<Millis>,
    /// Of a decline.
    pub reason: Option<String>,
    pub provider: Option<ProviderDialogue>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoordinationOption {
    /// within-contract, loan, purchase
    pub way: String,
    pub amount_bps: u64,
    /// In whole rupiah a month; `None` where it costs nothing or nobody knows.
    pub price_idr: Option<u64>,
    pub chosen: bool,
    /// One English sentence: why it was chosen or not.
    pub note: String,
}

/// What was asked of the provider and what came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderDialogue {
    pub letter_number: String,
    pub sent_at: Option<Millis>,
    /// `e-mail to …`, `webhook`, `by hand`
    pub sent_by: Option<String>,
    pub ticket: Option<String>,
    pub promised_at: Option<Millis>,
    /// agreed, refused; `None` while there is no answer
    pub answer: Option<String>,
    pub answered_by: Option<String>,
    pub answered_at: Option<Millis>,
    pub remark: Option<String>,
    /// What was measured when the provider said it was done.
    pub accepted_bps: Option<u64>,
    pub accepted_at: Option<Millis>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// 1 to 6, as in the procedure.
    pub number: u8,
    /// From 1; higher where the case was reopened.
    pub round: u16,
    /// Who answers for it: a name, `policy` or `takar`.
    pub owner: String,
    pub began_at: Millis,
    /// `None` for the step that the report is written in, and those after it.
    pub ended_at: Option<Millis>,
    pub standard_minutes: u64,
    /// Working time it took, pauses left out.
    pub worked_ms: u64,
    pub overdue: bool,
    /// done, not-needed, rolled-back; `running` without an end
    pub result: String,
    pub note: Option<String>,
}

/// A signed command, and what the device did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    pub change: String,
    pub device: String,
    pub serial: Option<u64>,
    pub step: u16,
    pub steps: u16,
    /// confirmed, rolled-back, refused, …
    pub state: String,
    pub sentence: String,
    pub links: Vec<String>,
    pub dispatched_at: Option<Millis>,
    pub applied_at: Option<Millis>,
    pub ended_at: Option<Millis>,
    /// Digests of the device's receipts, in hexadecimal.
    pub receipts: Vec<String>,
    /// Each value that the device read back after the change.
    pub read_back: Vec<String>,
}

/// Evidence as a curve: what a link carried, under which ceiling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plot {
    pub link: String,
    pub direction: String,
    pub from: Millis,
    pub to: Millis,
    /// One a reading, in order of time; a gap is a missing point.
    pub points: Vec<Point>,
    /// When commands took effect.
    pub changes: Vec<Millis>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    pub at: Millis,
    pub mean_bps: u64,
    pub ceiling_bps: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditMark {
    /// Records in the audit log when the report was written, and the root of the tree over them, in hexadecimal.
    pub size: u64,
    pub root: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    pub at: Millis,
    pub by: String,
    pub text: String,
}

/// A month or a year of cases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SummaryReport {
    pub number: String,
    pub made_at: Millis,
    pub from: Millis,
    pub to: Millis,
    pub cases: Vec<SummaryCase>,
    pub links: Vec<SummaryLink>,
    pub audit: AuditMark,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SummaryCase {
    pub case: u64,
    pub kind: CaseKind,
    /// The case's state in words: archived, receive, dismissed, …
    pub state: String,
    pub outcome: Option<Outcome>,
    pub uplink: String,
    pub direction: String,
    pub opened_at: Millis,
    pub closed_at: Option<Millis>,
    pub worked_ms: u64,
    pub overdue_steps: u32,
    pub moved_bps: u64,
    pub report: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SummaryLink {
    pub link: String,
    pub site_title: String,
    pub uplink: String,
    pub direction: String,
    pub ceiling_bps: u64,
    pub utilisation: Option<Utilisation>,
    /// Working time in shortage within the period, as findings say.
    pub shortage_ms: u64,
    pub changes: u32,
}

/// What is asked of a provider: the letter, and its JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderRequest {
    pub number: String,
    pub case: u64,
    pub kind: CaseKind,
    pub made_at: Millis,
    pub provider: String,
    pub provider_title: String,
    pub provider_address: Option<String>,
    pub contact: Option<String>,
    pub contract: Option<String>,
    pub uplink: String,
    pub direction: String,
    pub capacity_bps: u64,
    /// What the uplink should have afterwards.
    pub wanted_bps: u64,
    pub from: Option<Millis>,
    /// Of a loan.
    pub until: Option<Millis>,
    pub price_idr: Option<u64>,
    /// Why: one English sentence with its numbers.
    pub reason: String,
    pub sites: Vec<String>,
    /// Where the provider decides; absent where Takar serves no page.
    pub link: Option<String>,
    pub link_expires_at: Option<Millis>,
}
