//! Cases as views: a row, or all of one with its clocks, evidence and papers.

use serde_json::Value;
use takar_collector_core::{
    calendar::{Calendar, Date},
    case::{Act, By, Case, CaseId, Origin, Role, State, Step, StepRecord},
    ledger::ProposalId,
};
use takar_shared::UnixMillis;
use takar_store::PaperRow;

use super::{audit_view, change_view, failed, show};
use crate::{
    api::query::ApiError,
    engine::Engine,
    view::{CaseDetailView, CaseView, EvidenceView, PaperFileView, PaperView, StepView},
};

impl Engine {
    pub(in crate::engine) fn calendar(&self) -> Calendar {
        let holidays = self.inventory.as_ref().map(|inventory| inventory.holidays().clone()).unwrap_or_default();
        let procedure = &self.config.procedure;
        // The week was found right when the config was read.
        Calendar::new(procedure.zone, procedure.week.clone(), holidays)
            .unwrap_or_else(|_| Calendar::office(procedure.zone))
    }

    /// At the office.
    pub(in crate::engine) fn today(&self, now: UnixMillis) -> Date {
        self.config.procedure.zone.local(now).date
    }

    pub(in crate::engine) fn case_view(&self, case: &Case, now: UnixMillis) -> CaseView {
        let calendar = self.calendar();
        self.case_row(case, &calendar, now)
    }

    fn case_row(&self, case: &Case, calendar: &Calendar, now: UnixMillis) -> CaseView {
        let standard = &self.config.procedure.standard;
        let at = case.at();
        CaseView {
            id: case.id.0,
            kind: case.kind.to_string(),
            uplink: case.uplink.to_string(),
            direction: case.direction.as_str().into(),
            links: case.links.iter().map(ToString::to_string).collect(),
            state: case.word().into(),
            step: at.map_or(1, |record| record.step.number()),
            round: at.map_or(1, |record| record.round),
            owner: at.map_or_else(String::new, |record| record.owner.to_string()),
            opened_at: case.opened_at.0,
            opened_by: case.opened_by.to_string(),
            origin: origin(&case.origin),
            due_at: at.filter(|_| case.state == State::Open).map(|record| record.due_at(calendar, standard, now).0),
            worked_ms: at.map_or(0, |record| record.worked_ms(calendar, now)),
            standard_minutes: at.map_or(0, |record| standard.minutes(record.step)),
            overdue: case.is_open() && at.is_some_and(|record| record.is_overdue(calendar, standard, now)),
            proposal: case.current.map(|id| id.0),
            waits_for: self.waits_for(case).map(str::to_owned),
            report: case.report.clone(),
            until: case.wakes_at().map(|at| at.0),
        }
    }

    /// What only a person can do next.
    pub(super) fn waits_for(&self, case: &Case) -> Option<&'static str> {
        if case.state != State::Open {
            return None;
        }
        match case.step()? {
            Step::Identify => Some("verify"),
            Step::Coordinate if case.provider.as_ref().is_some_and(|dialogue| dialogue.answer.is_none()) => {
                Some("provider")
            }
            Step::Coordinate if case.current.is_some() => Some("approve"),
            Step::Coordinate if case.loan.is_some() => Some("grant"),
            Step::Coordinate if case.left_to_people || case.unplanned => Some("choose"),
            Step::Receive => Some("receive"),
            _ => None,
        }
    }

    pub(super) fn case_list(&self, all: bool, now: UnixMillis) -> Result<Value, ApiError> {
        let calendar = self.calendar();
        let cases =
            if all { self.store.cases(super::LISTED).map_err(failed)? } else { self.cases.all().cloned().collect() };
        let mut rows: Vec<CaseView> = cases.iter().map(|case| self.case_row(case, &calendar, now)).collect();
        rows.sort_by_key(|row| (!row.overdue, std::cmp::Reverse(row.id)));
        show(&rows)
    }

    pub(super) fn case_detail(&self, id: CaseId, by: &By, now: UnixMillis) -> Result<Value, ApiError> {
        let case = self.case(id)?;
        self.may_read(&case, by)?;
        let calendar = self.calendar();
        let evidence = self.store.evidence_of(id).map_err(failed)?;
        let proposals: Vec<_> = case.proposals.iter().filter_map(|id| self.proposal_record(*id)).collect();
        let batches = proposals.iter().filter_map(|record| record.batch);
        let mut changes = Vec::new();
        for batch in batches {
            changes.extend(self.store.changes_of(batch).map_err(failed)?);
        }
        let papers = self.store.papers_of(id).map_err(failed)?;
        show(&CaseDetailView {
            row: self.case_row(&case, &calendar, now),
            case: serde_json::to_value(&case).map_err(|error| ApiError::Failed(error.to_string()))?,
            steps: case.steps.iter().map(|record| self.step_view(record, &calendar, now)).collect(),
            evidence: evidence
                .iter()
                .map(|row| EvidenceView {
                    kind: row.kind.clone(),
                    at: row.at.0,
                    digest: row.digest.to_string(),
                    what: serde_json::from_str::<Value>(&row.body)
                        .map(|mut body| body["what"].take())
                        .unwrap_or_default(),
                })
                .collect(),
            proposals: proposals.iter().map(|record| self.proposal_view(record)).collect(),
            changes: changes.iter().map(change_view).collect(),
            papers: papers.iter().map(paper_view).collect(),
            trail: self.trail(&case)?,
            may: self.may_do(&case, by, now),
        })
    }

    fn step_view(&self, record: &StepRecord, calendar: &Calendar, now: UnixMillis) -> StepView {
        let standard = &self.config.procedure.standard;
        StepView {
            number: record.step.number(),
            step: record.step.to_string(),
            round: record.round,
            owner: record.owner.to_string(),
            began_at: record.began.0,
            ended_at: record.ended.map(|at| at.0),
            due_at: record.due_at(calendar, standard, now).0,
            worked_ms: record.worked_ms(calendar, now),
            standard_minutes: standard.minutes(record.step),
            overdue: record.is_overdue(calendar, standard, now),
            paused: record.paused.last().is_some_and(|(_, end)| end.is_none()),
            result: record.result.map_or("running", |result| result.as_str()).into(),
            note: record.note.clone(),
        }
    }

    /// A provider sees the case that it was asked about, and no other.
    fn may_read(&self, case: &Case, by: &By) -> Result<(), ApiError> {
        match &by.role {
            Role::Provider(name) if case.provider.as_ref().is_none_or(|dialogue| dialogue.provider != *name) => {
                Err(ApiError::Forbidden(format!("case {} does not concern {name}", case.id)))
            }
            _ => Ok(()),
        }
    }

    /// Records that are about this case, its proposals, or their changes.
    fn trail(&self, case: &Case) -> Result<Vec<crate::view::AuditView>, ApiError> {
        let proposals: Vec<u64> = case.proposals.iter().map(|id| id.0).collect();
        let mut trail = Vec::new();
        let mut changes: Vec<String> = Vec::new();
        let mut from = 0;
        loop {
            let leaves = self.store.leaves(from, 50_000).map_err(failed)?;
            let Some((last, _)) = leaves.last() else { break };
            from = last + 1;
            for (index, line) in &leaves {
                let view = audit_view(*index, line);
                if view.at < case.opened_at.0 {
                    continue;
                }
                let what = &view.record["what"];
                let of_proposal = what["proposal"].as_u64().is_some_and(|id| proposals.contains(&id));
                let of_change = what["change"].as_str().is_some_and(|id| changes.iter().any(|known| known == id));
                if of_proposal && let Some(change) = what["change"].as_str() {
                    changes.push(change.to_owned());
                }
                if what["case"].as_u64() == Some(case.id.0) || of_proposal || of_change {
                    trail.push(view);
                }
            }
        }
        Ok(trail)
    }

    /// Tried on a copy, with anything for what a person would have to fill in.
    fn may_do(&self, case: &Case, by: &By, now: UnixMillis) -> Vec<String> {
        let some = || "x".to_owned();
        let later = now.plus(1);
        let proposal = case.current.unwrap_or(ProposalId(0));
        let acts = [
            Act::Confirm { reason: some() },
            Act::Dismiss { reason: some() },
            Act::Approve { proposal },
            Act::Decline { proposal, reason: some() },
            Act::Grant,
            Act::Replan,
            Act::Accept { measured: takar_shared::BitsPerSec(1) },
            Act::Defer { until: later, reason: some() },
            Act::Resume,
            Act::Conclude { reason: some() },
            Act::EndLoan { reason: some() },
            Act::Receive { remark: None },
            Act::Remark { text: some() },
            Act::Assign { to: some() },
        ];
        let rules = &self.rules();
        let allowed = |act: &Act| case.apply(act, by, rules, now).is_ok();
        let mut may: Vec<String> = acts.iter().filter(|act| allowed(act)).map(|act| act.as_str().to_owned()).collect();
        let asked = case.provider.as_ref();
        let is_team = by.role.is_of_the_team();
        if is_team && case.is_in(Step::Coordinate) && case.current.is_none() {
            match asked {
                Some(dialogue) if dialogue.answer.is_none() => may.extend(["answered".into(), "sent".into()]),
                _ => may.push("ask-provider".into()),
            }
        }
        if matches!(by.role, Role::Provider(_)) && asked.is_some_and(|dialogue| dialogue.answer.is_none()) {
            may.push("answered".into());
        }
        may
    }
}

pub(in crate::engine) fn paper_view(paper: &PaperRow) -> PaperView {
    PaperView {
        number: paper.number.clone(),
        kind: paper.kind.as_str().into(),
        case: paper.case.map(|id| id.0),
        at: paper.at.0,
        files: paper
            .files
            .iter()
            .map(|file| PaperFileView { path: file.path.clone(), bytes: file.bytes, sha256: file.digest.to_string() })
            .collect(),
    }
}

pub(in crate::engine) fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Finding { id, sentence, .. } => format!("finding {id}: {sentence}"),
        Origin::Need { name, letter: Some(letter) } => format!("need {name}, by letter {letter}"),
        Origin::Need { name, letter: None } => format!("need {name}"),
        Origin::Person { name, reason } => format!("{name}: {reason}"),
        Origin::Request { name, reason, letter: Some(letter) } => format!("{name}: {reason} (letter {letter})"),
        Origin::Request { name, reason, letter: None } => format!("{name}: {reason}"),
    }
}
