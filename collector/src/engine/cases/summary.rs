//! A month or a year of cases and links, as a paper.

use takar_collector_core::{
    assess::FindingKind,
    calendar::{Calendar, Date},
    case::{Case, State},
    inventory::Link,
};
use takar_report::model;
use takar_shared::{Direction, UnixMillis};
use takar_store::{FindingRecord, PaperKind};

use super::report;
use crate::{
    api::query::ApiError,
    engine::Engine,
    papers::Content,
    view::{SummaryBody, SummaryView},
};

impl Engine {
    /// Drawn by the desk; it appears among the papers.
    pub(in crate::engine) fn ask_summary(
        &mut self,
        body: &SummaryBody,
        now: UnixMillis,
    ) -> Result<serde_json::Value, ApiError> {
        let (from, to) = self.period(body)?;
        if from >= now {
            return Err(ApiError::Invalid(vec!["year: that time has not begun".into()]));
        }
        let numbered = self.numbered(PaperKind::Summary, now)?;
        let summary = self.summary(&numbered.0, from, to.min(now), now)?;
        let number = numbered.0.clone();
        self.draw(PaperKind::Summary, None, numbered, Content::Summary(Box::new(summary)))?;
        Ok(serde_json::json!(SummaryView { number }))
    }

    fn period(&self, body: &SummaryBody) -> Result<(UnixMillis, UnixMillis), ApiError> {
        let wrong = || ApiError::Invalid(vec!["expected a year from 1970 to 9999 and a month from 1 to 12".to_owned()]);
        if !(1970..=9998).contains(&body.year) {
            return Err(wrong());
        }
        let date = |year: u32, month: u8| format!("{year:04}-{month:02}-01").parse::<Date>().map_err(|_| wrong());
        let (begin, end) = match body.month {
            None => (date(body.year, 1)?, date(body.year + 1, 1)?),
            Some(12) => (date(body.year, 12)?, date(body.year + 1, 1)?),
            Some(month @ 1..=11) => (date(body.year, month)?, date(body.year, month + 1)?),
            Some(_) => return Err(wrong()),
        };
        let zone = self.config.procedure.zone;
        Ok((zone.instant(begin, 0), zone.instant(end, 0)))
    }

    fn summary(
        &self,
        number: &str,
        from: UnixMillis,
        to: UnixMillis,
        now: UnixMillis,
    ) -> Result<model::SummaryReport, ApiError> {
        let failed = |error: takar_store::StoreError| ApiError::Failed(error.to_string());
        let calendar = self.calendar();
        let touches = |case: &Case| case.opened_at < to && ended(case).is_none_or(|at| at >= from);
        let mut cases: Vec<Case> = self.store.cases(u32::MAX).map_err(failed)?.into_iter().filter(touches).collect();
        cases.reverse();
        let findings = self.store.findings(false, u32::MAX).map_err(failed)?;
        let changes = self.store.changes(u32::MAX).map_err(failed)?;
        let links = self.inventory.iter().flat_map(|inventory| inventory.links());
        let rows = links.flat_map(|link| Direction::BOTH.map(|direction| (link, direction)));
        let row = |(link, direction): (&Link, Direction)| {
            let own = findings.iter().filter(|one| one.finding.link == link.name && one.finding.direction == direction);
            let shortage = own.filter(|one| one.finding.kind == FindingKind::Shortage);
            let moved = changes.iter().filter(|change| {
                change.times.applied.is_some_and(|at| at >= from && at < to)
                    && change.moves.iter().any(|one| one.link == link.name && one.set.direction == direction)
            });
            let title = self.inventory.as_ref().and_then(|all| all.site(&link.site)).map(|site| site.title.clone());
            model::SummaryLink {
                link: link.name.to_string(),
                site_title: title.unwrap_or_default(),
                uplink: link.uplink.to_string(),
                direction: direction.as_str().into(),
                ceiling_bps: self.recorded(link, direction).0,
                utilisation: report::utilisation(&self.readings(&link.name, direction)),
                shortage_ms: shortage.map(|one| within(one, &calendar, from, to, now)).sum(),
                changes: u32::try_from(moved.count()).unwrap_or(u32::MAX),
            }
        };
        Ok(model::SummaryReport {
            number: number.into(),
            made_at: now.0,
            from: from.0,
            to: to.0,
            cases: cases.iter().map(|case| self.summary_case(case, &calendar, now)).collect(),
            links: rows.map(row).collect(),
            audit: model::AuditMark { size: self.audit.size(), root: self.audit.root().to_string() },
        })
    }

    fn summary_case(&self, case: &Case, calendar: &Calendar, now: UnixMillis) -> model::SummaryCase {
        let standard = &self.config.procedure.standard;
        let overdue = case.steps.iter().filter(|record| record.is_overdue(calendar, standard, now)).count();
        let moved = case
            .proposals
            .last()
            .and_then(|id| self.proposal_record(*id))
            .map_or(0, |record| record.proposal.moves.iter().map(|one| one.to.saturating_sub(one.from).0).sum());
        model::SummaryCase {
            case: case.id.0,
            kind: report::kind(case.kind),
            state: case.word().into(),
            outcome: case.outcome.as_ref().map(|_| report::outcome(case)),
            uplink: case.uplink.to_string(),
            direction: case.direction.as_str().into(),
            opened_at: case.opened_at.0,
            closed_at: ended(case).map(|at| at.0),
            worked_ms: case.steps.iter().map(|record| record.worked_ms(calendar, now)).sum(),
            overdue_steps: u32::try_from(overdue).unwrap_or(u32::MAX),
            moved_bps: moved,
            report: case.report.clone(),
        }
    }
}

fn ended(case: &Case) -> Option<UnixMillis> {
    match case.state {
        State::Closed { at } | State::Dismissed { at, .. } => Some(at),
        State::Open | State::Paused(_) => None,
    }
}

/// Working time of a finding within a period.
fn within(record: &FindingRecord, calendar: &Calendar, from: UnixMillis, to: UnixMillis, now: UnixMillis) -> u64 {
    let end = record.closed_at.unwrap_or(now).min(to);
    calendar.worked_ms(record.opened_at.max(from), end)
}
