//! Cases: the procedure around what Takar finds and moves. Every move is the core's; here it is made durable together
//! with what belongs to it (evidence, proposals, notices, the audit log), and told.

mod act;
mod carry;
mod loans;
mod needs;
mod notices;
mod open;
mod papers;
mod provider;
mod report;
mod summary;
mod verify;
mod weigh;

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use takar_collector_core::{
    audit::AuditEvent,
    case::{Act, By, Case, CaseId, Refused, Step},
    inventory::UplinkName,
    ledger::{Actor, ProposalId},
};
use takar_shared::{Digest, Direction, UnixMillis};
use takar_store::{EvidenceRow, Store, StoreError, Write};

use super::Engine;
use crate::api::query::ApiError;

pub(in crate::engine) use notices::awaits_provider;

/// Clocks of cases are looked at so often.
const LOOK_EVERY_MS: u64 = 1_000;
/// The register's needs, and whether something is overdue.
const SWEEP_EVERY_MS: u64 = 15_000;

/// The cases that are not over, and what is remembered of those that are.
#[derive(Default)]
pub struct Cases {
    open: BTreeMap<CaseId, Case>,
    next: u64,
    /// The newest case that answered a finding.
    of_finding: HashMap<u64, CaseId>,
    /// What verification last came to, so that only news is frozen.
    verified: HashMap<CaseId, String>,
    /// Loans whose time to begin or to go back has come and that cannot, and why.
    held_up: BTreeMap<CaseId, String>,
    looked_at: UnixMillis,
    swept_at: UnixMillis,
    /// The paper that is being drawn: one at a time, so that numbers are given in order.
    drawing: Option<papers::Drawing>,
    /// When drawing failed, to be tried again after.
    draw_after: UnixMillis,
    /// Which paper could not be drawn, and why, until one is.
    paper_trouble: Option<String>,
}

/// A move that the core allowed, with all that becomes durable together with it.
pub(in crate::engine) struct Moved {
    pub before: Case,
    pub case: Case,
    pub writes: Vec<Write>,
    pub events: Vec<(Actor, AuditEvent)>,
    act: &'static str,
}

impl Cases {
    pub fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let mut of_finding = HashMap::new();
        // The newest first: what is older does not replace it.
        for case in store.cases(2_000)? {
            for finding in &case.findings {
                of_finding.entry(*finding).or_insert(case.id);
            }
        }
        let open = store.open_cases()?.into_iter().map(|case| (case.id, case)).collect();
        let next = store.next_case_id()?.0;
        Ok(Self { open, next, of_finding, ..Self::default() })
    }

    pub fn all(&self) -> impl Iterator<Item = &Case> {
        self.open.values()
    }

    /// Loans that cannot begin or go back, though it is their time.
    pub fn held_up(&self) -> impl Iterator<Item = (&CaseId, &String)> {
        self.held_up.iter()
    }

    /// What hinders papers at present.
    pub fn paper_trouble(&self) -> Option<&str> {
        self.paper_trouble.as_deref()
    }

    pub fn get(&self, id: CaseId) -> Option<&Case> {
        self.open.get(&id)
    }

    /// The case that a proposal was made for, while it is open.
    pub fn of_proposal(&self, id: ProposalId) -> Option<&Case> {
        self.open.values().find(|case| case.proposals.contains(&id))
    }

    /// Of an uplink and direction, loans aside: the one that a shortage there belongs to.
    pub fn gathering(&self, uplink: &UplinkName, direction: Direction) -> Option<&Case> {
        self.of_place(uplink, direction).find(|case| case.step().is_some_and(|step| step <= Step::Coordinate))
    }

    fn of_place<'a>(&'a self, uplink: &UplinkName, direction: Direction) -> impl Iterator<Item = &'a Case> + use<'a> {
        let uplink = uplink.clone();
        let is_there = move |case: &&Case| case.uplink == uplink && case.direction == direction && case.loan.is_none();
        self.open.values().filter(is_there)
    }

    /// One that waits for a plan: verified, with nothing proposed, and not left to people.
    pub fn to_plan(&self, uplink: &UplinkName, direction: Direction, now: UnixMillis) -> Option<&Case> {
        self.of_place(uplink, direction).find(|case| {
            case.is_in(Step::Coordinate)
                && case.current.is_none()
                && !case.left_to_people
                && case.at().is_none_or(|record| now >= record.began.plus(carry::back_off_ms(record.round)))
        })
    }
}

impl Engine {
    /// What a move would make of a case, and everything to be written for it. Nothing is done yet.
    pub(in crate::engine) fn prepare(
        &self,
        id: CaseId,
        act: &Act,
        by: &By,
        evidence: Option<EvidenceRow>,
        now: UnixMillis,
    ) -> Result<Moved, ApiError> {
        let before = self.case(id)?;
        let case = before.apply(act, by, &self.rules(), now).map_err(refused)?;
        let digest = evidence.as_ref().map(|row| row.digest.to_string());
        let mut writes = vec![Write::Case(Box::new(case.clone()))];
        writes.extend(evidence.map(Write::Evidence));
        writes.extend(self.notices_of(&before, &case, act, by, now));
        let event = AuditEvent::CaseMoved {
            case: id,
            act: act.as_str().into(),
            step: before.at().map_or(1, |record| record.step.number()),
            state: case.word().into(),
            proposal: act_proposal(act),
            evidence: digest,
            text: act_text(act),
        };
        Ok(Moved { before, case, writes, events: vec![(by.actor.clone(), event)], act: act.as_str() })
    }

    /// After [`Engine::decide`] made it durable.
    pub(in crate::engine) fn adopt(&mut self, moved: Moved) {
        let Moved { before, case, act, writes, .. } = moved;
        tracing::info!(case = %case.id, state = case.word(), "{act}");
        self.took_deliveries(&writes);
        for finding in &case.findings {
            self.cases.of_finding.insert(*finding, case.id);
        }
        if before.step() != case.step() {
            self.cases.verified.remove(&case.id);
            self.cases.held_up.remove(&case.id);
            self.plan_due |= case.is_in(Step::Coordinate);
        }
        self.publish_event("case", serde_json::json!({"case": self.case_view(&case, crate::clock::now()), "act": act}));
        if case.is_open() {
            self.cases.open.insert(case.id, case);
        } else {
            self.cases.open.remove(&case.id);
        }
    }

    /// Prepared, made durable and told.
    pub(in crate::engine) fn move_case(
        &mut self,
        id: CaseId,
        act: &Act,
        by: &By,
        evidence: Option<EvidenceRow>,
        now: UnixMillis,
    ) -> Result<(), ApiError> {
        let moved = self.prepare(id, act, by, evidence, now)?;
        self.decide(moved.writes.clone(), moved.events.clone())?;
        self.adopt(moved);
        Ok(())
    }

    /// One that is open, or one that is over, from the store.
    pub(in crate::engine) fn case(&self, id: CaseId) -> Result<Case, ApiError> {
        if let Some(case) = self.cases.get(id) {
            return Ok(case.clone());
        }
        let stored = self.store.case(id).map_err(|error| ApiError::Failed(error.to_string()))?;
        stored.ok_or_else(|| ApiError::NotFound(format!("there is no case {id}")))
    }

    /// With the clock: checks, verifications, plans where there is something new to plan with, pauses that are over,
    /// loans, needs, what is overdue, papers.
    pub(in crate::engine) fn watch_cases(&mut self, now: UnixMillis) {
        let is_early = now.since(self.cases.looked_at) < LOOK_EVERY_MS && now >= self.cases.looked_at;
        if is_early && !self.plan_due {
            return;
        }
        self.cases.looked_at = now;
        self.wake_cases(now);
        self.check_and_verify(now);
        if std::mem::take(&mut self.plan_due) {
            self.plan_all(now);
        }
        self.tend_loans(now);
        self.draw_papers(now);
        self.tend_post(now);
        if now.since(self.cases.swept_at) < SWEEP_EVERY_MS && now >= self.cases.swept_at {
            return;
        }
        self.cases.swept_at = now;
        self.open_for_needs(now);
        self.tell_overdue(now);
        self.remind_providers(now);
    }

    fn wake_cases(&mut self, now: UnixMillis) {
        let due: Vec<CaseId> =
            self.cases.all().filter(|case| case.wakes_at().is_some_and(|at| at <= now)).map(|case| case.id).collect();
        for id in due {
            self.tried(id, "resume", |engine| engine.move_case(id, &Act::Resume, &By::takar(), None, now));
        }
    }

    /// What Takar does by itself is tried again at the next occasion; until then the log says why.
    fn tried(&mut self, id: CaseId, what: &str, run: impl FnOnce(&mut Self) -> Result<(), ApiError>) {
        if let Err(error) = run(self) {
            tracing::error!(case = %id, ?error, "{what} was not done");
        }
    }
}

/// Evidence of one case: frozen, and named by what it says.
pub(in crate::engine) fn frozen(case: CaseId, kind: &str, what: &impl Serialize, now: UnixMillis) -> EvidenceRow {
    let body = serde_json::json!({"case": case, "at": now, "kind": kind, "what": what}).to_string();
    EvidenceRow { digest: Digest::of(body.as_bytes()), case, at: now, kind: kind.into(), body }
}

pub(in crate::engine) fn refused(refused: Refused) -> ApiError {
    let said = refused.to_string();
    match refused {
        Refused::NotYours { .. } | Refused::FourEyes { .. } => ApiError::Forbidden(said),
        Refused::Empty { .. } | Refused::Past { .. } | Refused::WrongKind { .. } => ApiError::Invalid(vec![said]),
        _ => ApiError::Conflict(said),
    }
}

fn act_proposal(act: &Act) -> Option<ProposalId> {
    match act {
        Act::Propose { proposal }
        | Act::Supersede { proposal }
        | Act::Decline { proposal, .. }
        | Act::Approve { proposal }
        | Act::Carry { proposal, .. }
        | Act::RollBack { proposal, .. } => Some(*proposal),
        _ => None,
    }
}

/// What a person said, for the record.
fn act_text(act: &Act) -> Option<String> {
    match act {
        Act::Confirm { reason }
        | Act::Dismiss { reason }
        | Act::Decline { reason, .. }
        | Act::Defer { reason, .. }
        | Act::Conclude { reason }
        | Act::EndLoan { reason } => Some(reason.clone()),
        Act::RollBack { why, .. } => Some(why.clone()),
        Act::Remark { text } => Some(text.clone()),
        Act::Assign { to } => Some(to.clone()),
        Act::Report { number, .. } => Some(number.clone()),
        Act::Receive { remark } => remark.clone(),
        Act::Sent { how } => Some(how.clone()),
        Act::AskProvider { dialogue } => Some(format!("{}: {}", dialogue.provider, dialogue.number)),
        Act::Answered { answer } => {
            let word = if answer.agreed { "agreed" } else { "refused" };
            Some(format!("{word} by {}", answer.by))
        }
        Act::Accept { measured } => Some(format!("measured {measured}")),
        _ => None,
    }
}
