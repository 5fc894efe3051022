//! Maintenance: a stretch of time in which links are worked on. What is measured of them then says nothing about what
//! they lack, and nobody should be surprised by a rate that moves.

use alloc::{format, string::String, vec::Vec};
use core::fmt;
use serde::{Deserialize, Serialize};
use takar_shared::UnixMillis;

use crate::{
    inventory::{Link, LinkName, SiteName, UplinkName},
    ledger::Actor,
};

/// Longer is no maintenance: the link is taken out of plans by its mode.
pub const LONGEST_MS: u64 = 90 * 24 * 3_600_000;

/// Counts stretches of maintenance, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MaintenanceId(pub u64);

/// What is worked on; which links that are, the register says at the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    Link(LinkName),
    Site(SiteName),
    Uplink(UplinkName),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintenance {
    pub id: MaintenanceId,
    pub scope: Scope,
    /// The first moment belongs to it, the last does not.
    pub from: UnixMillis,
    pub until: UnixMillis,
    pub reason: String,
    pub added_at: UnixMillis,
    pub added_by: Actor,
    /// When somebody ended it before its time, and who.
    pub ended: Option<(UnixMillis, Actor)>,
}

impl Scope {
    pub fn covers(&self, link: &Link) -> bool {
        match self {
            Self::Link(name) => *name == link.name,
            Self::Site(name) => *name == link.site,
            Self::Uplink(name) => *name == link.uplink,
        }
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Self::Link(_) => "link",
            Self::Site(_) => "site",
            Self::Uplink(_) => "uplink",
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Link(name) => name.as_str(),
            Self::Site(name) => name.as_str(),
            Self::Uplink(name) => name.as_str(),
        }
    }
}

impl Maintenance {
    /// By its time, or earlier where somebody ended it.
    pub fn ends_at(&self) -> UnixMillis {
        self.ended.as_ref().map_or(self.until, |(at, _)| self.until.min(*at))
    }

    pub fn is_on(&self, now: UnixMillis) -> bool {
        self.from <= now && now < self.ends_at()
    }

    pub fn is_over(&self, now: UnixMillis) -> bool {
        self.ends_at() <= now
    }

    /// In one word.
    pub fn state(&self, now: UnixMillis) -> &'static str {
        match (&self.ended, self.is_over(now)) {
            (Some(_), true) => "ended",
            (None, true) => "over",
            (_, false) if self.is_on(now) => "on",
            _ => "to-come",
        }
    }
}

/// What is wrong with what was asked for.
pub fn problems(from: UnixMillis, until: UnixMillis, reason: &str, now: UnixMillis) -> Vec<String> {
    let mut problems = Vec::new();
    if until <= from {
        problems.push("until: expected a time after from".into());
    }
    if until <= now {
        problems.push("until: expected a time to come".into());
    }
    if until.since(from) > LONGEST_MS {
        problems.push(format!("until: expected at most {} days after from", LONGEST_MS / 86_400_000));
    }
    if reason.trim().is_empty() {
        problems.push("reason: expected some text".into());
    }
    problems
}

impl fmt::Display for MaintenanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// `uplink ast-01`
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maintenance(from: u64, until: u64, ended: Option<u64>) -> Maintenance {
        Maintenance {
            id: MaintenanceId(1),
            scope: Scope::Site("sd-02".parse().unwrap()),
            from: UnixMillis(from),
            until: UnixMillis(until),
            reason: "fibre".into(),
            added_at: UnixMillis(0),
            added_by: Actor::Takar,
            ended: ended.map(|at| (UnixMillis(at), Actor::Takar)),
        }
    }

    #[test]
    fn it_begins_and_ends_by_the_clock_or_earlier_by_a_person() {
        let at =
            |maintenance: &Maintenance, now| (maintenance.state(UnixMillis(now)), maintenance.is_on(UnixMillis(now)));
        let whole = maintenance(10, 20, None);
        assert_eq!(
            [9, 10, 19, 20].map(|now| at(&whole, now)),
            [("to-come", false), ("on", true), ("on", true), ("over", false)]
        );
        let short = maintenance(10, 20, Some(15));
        assert_eq!([14, 15, 25].map(|now| at(&short, now)), [("on", true), ("ended", false), ("ended", false)]);
        // Called off before it began.
        let none = maintenance(10, 20, Some(5));
        assert_eq!([4, 5, 12].map(|now| at(&none, now)), [("to-come", false), ("ended", false), ("ended", false)]);
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let said = |from, until, reason| problems(UnixMillis(from), UnixMillis(until), reason, UnixMillis(100)).len();
        assert_eq!(said(50, 101, "fibre"), 0);
        assert_eq!(said(90, 90, " "), 3);
        assert_eq!(said(100, 101 + LONGEST_MS, ""), 2);
    }
}
