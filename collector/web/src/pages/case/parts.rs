//! The parts of a case that are looked at, one below the other.

mod draw;

use crate::clock::Clock;

pub(super) use draw::{facts, timeline};

/// What opened the case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    Finding { place: String, lacking_bps: u64 },
    Need { name: String, letter: Option<String> },
    Person { name: String, reason: String },
    Request { name: String, reason: String, letter: Option<String> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRow {
    /// 1 to 6.
    pub number: u8,
    /// From 1; higher where the case came back.
    pub round: u16,
    pub owner: String,
    pub began_at: u64,
    pub ended_at: Option<u64>,
    pub clock: Clock,
    /// done, not-needed, rolled-back, running
    pub result: String,
    pub note: Option<String>,
}

/// One thing that was ruled out, or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// continuity, link-errors, flaps, duplex, device-up, sustained, queue-effect
    pub what: String,
    /// passed, failed, unknown
    pub outcome: String,
    /// The numbers it rests on, one English sentence.
    pub evidence: String,
}

/// Something frozen, by its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// check, verification, options, allocation, report
    pub kind: String,
    pub at: u64,
    pub digest: String,
}

/// One of the ways that were weighed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// within-contract, loan, purchase
    pub way: String,
    pub amount_bps: u64,
    pub price_idr: Option<u64>,
    pub chosen: bool,
    /// Why it was taken or not, one English sentence.
    pub note: String,
}

/// What a provider was asked, and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialogue {
    pub provider: String,
    /// Of the letter.
    pub number: String,
    pub wanted_bps: u64,
    pub price_idr: Option<u64>,
    pub asked_at: u64,
    pub asked_by: String,
    /// When it went out, and how.
    pub sent: Option<(u64, String)>,
    pub reminded: Vec<u64>,
    pub answer: Option<Answer>,
    /// When the capacity was found to be there, and how much of it.
    pub accepted: Option<(u64, u64)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub agreed: bool,
    pub by: String,
    pub at: u64,
    pub ticket: Option<String>,
    pub promised: Option<u64>,
    pub remark: Option<String>,
    pub recorded_by: String,
}

/// A signed command, and what its device did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub device: String,
    pub serial: Option<u64>,
    pub step: u16,
    pub steps: u16,
    /// waiting, withdrawn, dispatched, expired, refused, applied, confirmed, rolled-back, cancelled
    pub state: String,
    /// In words, with the reason of a refusal or rollback; English.
    pub sentence: String,
    /// Link, from, to.
    pub moves: Vec<(String, u64, u64)>,
    pub dispatched_at: Option<u64>,
    pub applied_at: Option<u64>,
    pub ended_at: Option<u64>,
    /// Digests of the device's receipts.
    pub receipts: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    pub at: u64,
    pub by: String,
    pub text: String,
}

/// A record of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trail {
    pub index: u64,
    pub at: u64,
    pub who: String,
    /// `proposed`, `dispatched`, `case-moved`, …
    pub event: String,
    /// Of a move of the case: `confirm`, `approve`, …
    pub act: Option<String>,
}

/// One of a list: an icon, what it is, more in small print.
pub(super) struct Item {
    pub class: &'static str,
    pub icon: &'static str,
    pub title: String,
    pub text: String,
    /// Language of the text where it is not the page's.
    pub lang: Option<&'static str>,
    pub aside: String,
}

/// Label and text.
pub(super) struct Fact {
    pub label: String,
    pub text: String,
}

pub(super) struct TimelineStep {
    pub class: &'static str,
    pub current: bool,
    pub title: String,
    pub word: String,
    pub clock: Option<String>,
}

pub(super) struct StepView {
    pub title: String,
    pub owner: String,
    pub face: String,
    pub began: String,
    pub ended: String,
    pub clock: String,
    pub class: &'static str,
    pub result: String,
    pub note: Option<String>,
}

pub(super) struct ChangeView {
    pub title: String,
    pub class: &'static str,
    pub icon: &'static str,
    pub state: String,
    pub moves: Vec<String>,
    pub serial: String,
    pub dispatched: String,
    pub applied: String,
    pub ended: String,
    pub sentence: String,
    pub receipts: Vec<String>,
}
