//! What opens a case: a shortage that was found, a person, a request for bandwidth on demand. (Needs: `needs.rs`.)

use takar_collector_core::{
    assess::{Finding, FindingKind},
    audit::AuditEvent,
    case::{self, Act, By, Case, CaseId, Kind, Opening, Origin, Outcome, State, Step},
    ledger::Actor,
};
use takar_shared::UnixMillis;
use takar_store::Write;

use crate::{api::query::ApiError, engine::Engine};

impl Engine {
    pub(in crate::engine) fn open_case(
        &mut self,
        opening: Opening,
        by: Actor,
        now: UnixMillis,
    ) -> Result<CaseId, ApiError> {
        let id = CaseId(self.cases.next);
        let (kind, direction) = (opening.kind, opening.direction);
        let told = match &opening.origin {
            Origin::Finding { id, .. } => format!("finding {id}"),
            Origin::Need { name, .. } => format!("need {name}"),
            Origin::Person { name, .. } => format!("person {name}"),
            Origin::Request { name, .. } => format!("request {name}"),
        };
        let case = case::open(id, opening, by.clone(), now);
        let event = AuditEvent::CaseOpened {
            case: id,
            kind: kind.to_string(),
            uplink: case.uplink.to_string(),
            direction: direction.to_string(),
            origin: told,
        };
        let mut writes = vec![Write::Case(Box::new(case.clone()))];
        writes.extend(self.notices_of_opening(&case, now));
        self.decide(writes.clone(), vec![(by, event)])?;
        self.took_deliveries(&writes);
        self.cases.next += 1;
        for finding in &case.findings {
            self.cases.of_finding.insert(*finding, id);
        }
        tracing::info!(case = %id, %kind, uplink = %case.uplink, %direction, "case opened");
        self.publish_event("case-opened", serde_json::json!({"case": self.case_view(&case, now)}));
        self.cases.open.insert(id, case);
        Ok(id)
    }

    pub(in crate::engine) fn open_for_findings(&mut self, now: UnixMillis) {
        let shortages: Vec<(u64, Finding)> = self
            .findings
            .values()
            .filter(|record| record.closed_at.is_none() && record.finding.kind == FindingKind::Shortage)
            .filter(|record| !self.maintenances.rests(&record.finding.link))
            .map(|record| (record.id, record.finding.clone()))
            .collect();
        for (finding, found) in shortages {
            if let Err(error) = self.open_for_finding(finding, &found, now) {
                tracing::error!(finding, ?error, "no case could be opened for a finding");
            }
        }
    }

    fn open_for_finding(&mut self, finding: u64, found: &Finding, now: UnixMillis) -> Result<(), ApiError> {
        let link = self.inventory.as_ref().and_then(|inventory| inventory.link(&found.link));
        let Some(uplink) = link.map(|link| link.uplink.clone()) else { return Ok(()) };
        if self.is_answered(finding, found, now)? {
            return Ok(());
        }
        let direction = found.direction;
        if let Some(case) = self.cases.gathering(&uplink, direction) {
            let id = case.id;
            let act = Act::Join { finding, link: found.link.clone() };
            return self.move_case(id, &act, &By::takar(), None, now);
        }
        // What is being allocated may be what is lacking: it is judged when that has ended.
        let is_busy = |case: &Case| case.step() == Some(Step::Allocate);
        if self.cases.of_place(&uplink, direction).any(is_busy) {
            return Ok(());
        }
        let opening = Opening {
            kind: Kind::Reallocation,
            uplink,
            direction,
            links: vec![found.link.clone()],
            origin: Origin::Finding { id: finding, sentence: found.to_string(), lacking: found.size },
            loan: None,
        };
        self.open_case(opening, Actor::Takar, now).map(drop)
    }

    /// A finding has its case, or had one that ended in a no. After an allocation it may still stand: then it is
    /// answered again once what was done had its time to take effect.
    fn is_answered(&self, finding: u64, found: &Finding, now: UnixMillis) -> Result<bool, ApiError> {
        let Some(id) = self.cases.of_finding.get(&finding) else { return Ok(false) };
        let case = self.case(*id)?;
        let is_past_allocation = case.step().is_none_or(|step| step > Step::Allocate);
        if case.is_open() && !is_past_allocation {
            return Ok(true);
        }
        if matches!(case.state, State::Dismissed { .. }) || matches!(case.outcome, Some(Outcome::NotCarriedOut { .. }))
        {
            return Ok(true);
        }
        let allocation = self.allocation.get(&(found.link.clone(), found.direction));
        let changed_at = allocation.and_then(|allocation| allocation.changed_at).unwrap_or_default();
        Ok(now.since(changed_at) < self.config.hold_down_ms)
    }
}
