//! The six steps, what was done in each, and how long it took in working time.

use alloc::{string::String, vec::Vec};
use core::fmt;
use serde::{Deserialize, Serialize};
use takar_shared::{Digest, UnixMillis};

use crate::{calendar::Calendar, ledger::Actor};

/// As the procedure numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    Check = 1,
    Identify,
    Coordinate,
    Allocate,
    Report,
    Receive,
}

impl Step {
    pub const ALL: [Self; 6] =
        [Self::Check, Self::Identify, Self::Coordinate, Self::Allocate, Self::Report, Self::Receive];

    pub fn number(self) -> u8 {
        self as u8
    }

    pub fn next(self) -> Option<Self> {
        Self::ALL.get(usize::from(self.number())).copied()
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Identify => "identify",
            Self::Coordinate => "coordinate",
            Self::Allocate => "allocate",
            Self::Report => "report",
            Self::Receive => "receive",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Standard time of each step, in minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standard(pub [u32; 6]);

impl Default for Standard {
    /// By the procedure: three and a half hours in all.
    fn default() -> Self {
        Self([30, 30, 30, 30, 60, 30])
    }
}

impl Standard {
    pub fn minutes(&self, step: Step) -> u32 {
        self.0.get(usize::from(step.number()) - 1).copied().unwrap_or_default()
    }

    pub fn ms(&self, step: Step) -> u64 {
        u64::from(self.minutes(step)) * 60_000
    }

    pub fn total_minutes(&self) -> u32 {
        self.0.iter().fold(0, |sum, minutes| sum.saturating_add(*minutes))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    pub step: Step,
    /// From 1; one more each time that a change did not hold.
    pub round: u16,
    /// Who answers for it.
    pub owner: Actor,
    pub began: UnixMillis,
    pub ended: Option<UnixMillis>,
    /// Stretches in which the case waited for a date.
    pub paused: Vec<(UnixMillis, Option<UnixMillis>)>,
    pub result: Option<StepResult>,
    /// When it was told that it takes too long.
    #[serde(default)]
    pub overdue: Option<UnixMillis>,
    pub note: Option<String>,
    /// Of what was frozen in it.
    pub evidence: Vec<Digest>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepResult {
    Done,
    /// Nothing was to be allocated.
    NotNeeded,
    /// The change did not hold: the case went back to step 3.
    RolledBack,
}

impl StepResult {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotNeeded => "not-needed",
            Self::RolledBack => "rolled-back",
        }
    }
}

impl StepRecord {
    pub(super) fn begun(step: Step, round: u16, owner: Actor, now: UnixMillis) -> Self {
        Self {
            step,
            round,
            owner,
            began: now,
            ended: None,
            paused: Vec::new(),
            result: None,
            overdue: None,
            note: None,
            evidence: Vec::new(),
        }
    }

    /// Working time so far, pauses left out.
    pub fn worked_ms(&self, calendar: &Calendar, now: UnixMillis) -> u64 {
        let end = self.ended.unwrap_or(now);
        let paused = self.paused_ms(calendar, end);
        calendar.worked_ms(self.began, end).saturating_sub(paused)
    }

    /// When its standard time is over; pauses, so far, push it out.
    pub fn due_at(&self, calendar: &Calendar, standard: &Standard, now: UnixMillis) -> UnixMillis {
        let paused = self.paused_ms(calendar, self.ended.unwrap_or(now));
        calendar.due(self.began, standard.ms(self.step).saturating_add(paused))
    }

    /// It took, or takes, longer than the procedure allows.
    pub fn is_overdue(&self, calendar: &Calendar, standard: &Standard, now: UnixMillis) -> bool {
        self.worked_ms(calendar, now) > standard.ms(self.step)
    }

    fn paused_ms(&self, calendar: &Calendar, end: UnixMillis) -> u64 {
        self.paused.iter().fold(0, |sum, (from, to)| {
            sum.saturating_add(calendar.worked_ms((*from).max(self.began), to.unwrap_or(end).min(end)))
        })
    }
}
