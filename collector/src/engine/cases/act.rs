//! What people do to cases, from the socket and from the page alike.

use takar_collector_core::{
    case::{Act, Answer, By, CaseId, Kind, Loan, Opening, Origin, Step},
    inventory::LinkName,
};
use takar_shared::{BitsPerSec, Direction, UnixMillis};

use super::refused;
use crate::{
    api::query::ApiError,
    engine::Engine,
    view::{BodBody, CaseActBody, OpenCaseBody},
};

impl Engine {
    /// A person says that a link needs looking after.
    pub(in crate::engine) fn open_by_person(
        &mut self,
        body: &OpenCaseBody,
        by: &By,
        now: UnixMillis,
    ) -> Result<CaseId, ApiError> {
        of_the_team(by, "open")?;
        let (link, direction) = self.asked_link(&body.link, &body.direction)?;
        let reason = said(&body.reason)?;
        let uplink = self.uplink_of(&link)?;
        if let Some(case) = self.cases.gathering(&uplink, direction) {
            return Err(ApiError::Conflict(format!("case {} is about {uplink} {direction} already", case.id)));
        }
        let opening = Opening {
            kind: Kind::Reallocation,
            uplink,
            direction,
            links: vec![link],
            origin: Origin::Person { name: by.actor.to_string(), reason },
            loan: None,
        };
        let id = self.open_case(opening, by.actor.clone(), now)?;
        self.check_case(id, now)?;
        Ok(id)
    }

    /// A request for bandwidth on demand. Whoever asks has looked: the case begins at step 3.
    pub(in crate::engine) fn open_loan(
        &mut self,
        body: &BodBody,
        by: &By,
        now: UnixMillis,
    ) -> Result<CaseId, ApiError> {
        of_the_team(by, "bod")?;
        let mut problems = Vec::new();
        let asked = self.asked_link(&body.link, &body.direction);
        let loan = |link: LinkName| Loan {
            link,
            to: BitsPerSec(body.to_bps),
            from: UnixMillis(body.from.unwrap_or(now.0)),
            until: UnixMillis(body.until),
            asked_by: by.actor.clone(),
            granted_by: None,
            lent: None,
        };
        let reason = said(&body.reason);
        match (&asked, &reason) {
            (Ok((link, direction)), _) => {
                problems.extend(loan(link.clone()).problems(now));
                problems.extend(self.loan_bounds(link, *direction, BitsPerSec(body.to_bps)));
            }
            (Err(ApiError::Invalid(found)), _) => problems.extend(found.clone()),
            (Err(other), _) => return Err(ApiError::Conflict(format!("{other:?}"))),
        }
        if let Err(ApiError::Invalid(found)) = &reason {
            problems.extend(found.clone());
        }
        let (Ok((link, direction)), Ok(reason), true) = (asked, reason, problems.is_empty()) else {
            return Err(ApiError::Invalid(problems));
        };
        let uplink = self.uplink_of(&link)?;
        let open = self
            .cases
            .all()
            .find(|case| case.direction == direction && case.loan.as_ref().is_some_and(|loan| loan.link == link));
        if let Some(case) = open {
            return Err(ApiError::Conflict(format!("case {} is a loan to {link} {direction} already", case.id)));
        }
        let origin =
            Origin::Request { name: by.actor.to_string(), reason: reason.clone(), letter: body.letter.clone() };
        let opening =
            Opening { kind: Kind::Bod, uplink, direction, links: vec![link.clone()], origin, loan: Some(loan(link)) };
        let id = self.open_case(opening, by.actor.clone(), now)?;
        self.check_case(id, now)?;
        self.move_case(id, &Act::Confirm { reason }, by, None, now)?;
        self.weigh_loan(id, now)?;
        Ok(id)
    }

    pub(in crate::engine) fn act_on_case(
        &mut self,
        id: CaseId,
        body: &CaseActBody,
        by: &By,
        now: UnixMillis,
    ) -> Result<(), ApiError> {
        let act = match body {
            CaseActBody::Approve | CaseActBody::Decline { .. } => return self.decide_case(id, body, by, now),
            CaseActBody::AskProvider { .. } => return self.ask_provider(id, body, by, now),
            CaseActBody::Accept { measured_bps } => return self.accept(id, BitsPerSec(*measured_bps), by, now),
            CaseActBody::Confirm { reason } => Act::Confirm { reason: reason.clone() },
            CaseActBody::Dismiss { reason } => Act::Dismiss { reason: reason.clone() },
            CaseActBody::Grant => Act::Grant,
            CaseActBody::Replan => Act::Replan,
            CaseActBody::Sent { how } => Act::Sent { how: how.clone() },
            CaseActBody::Answered { agreed, name, ticket, promised, remark } => Act::Answered {
                answer: Answer {
                    agreed: *agreed,
                    by: name.clone(),
                    at: now,
                    ticket: filled(ticket),
                    promised: promised.map(UnixMillis),
                    remark: filled(remark),
                    recorded_by: by.actor.clone(),
                },
            },
            CaseActBody::Defer { until, reason } => Act::Defer { until: UnixMillis(*until), reason: reason.clone() },
            CaseActBody::Resume => Act::Resume,
            CaseActBody::Conclude { reason } => Act::Conclude { reason: reason.clone() },
            CaseActBody::EndLoan { reason } => Act::EndLoan { reason: reason.clone() },
            CaseActBody::Receive { remark } => Act::Receive { remark: filled(remark) },
            CaseActBody::Remark { text } => Act::Remark { text: text.clone() },
            CaseActBody::Assign { to } => Act::Assign { to: to.clone() },
        };
        self.move_case(id, &act, by, None, now)
    }

    /// On the proposal that waits.
    fn decide_case(&mut self, id: CaseId, body: &CaseActBody, by: &By, now: UnixMillis) -> Result<(), ApiError> {
        let case = self.case(id)?;
        let Some(proposal) = case.current else {
            // Says why, where the case itself is the reason.
            let nothing = Act::Approve { proposal: takar_collector_core::ledger::ProposalId(0) };
            case.apply(&nothing, by, &self.rules(), now).map_err(refused)?;
            return Err(ApiError::Conflict(format!("nothing waits for a decision in case {id}")));
        };
        match body {
            CaseActBody::Decline { reason } => self.decline(proposal, by, said(reason)?, now),
            _ => self.approve(proposal, by, now),
        }
    }

    /// Whether a ceiling for a link could be at all.
    fn loan_bounds(&self, link: &LinkName, direction: Direction, to: BitsPerSec) -> Option<String> {
        let found = self.inventory.as_ref()?.link(link)?;
        let side = found.side(direction);
        if to > side.ceiling {
            return Some(format!("to: {to} is more than {link} may have; expected at most {}", side.ceiling));
        }
        if to <= self.recorded(found, direction) {
            return Some(format!("to: {link} has {} already; expected more", self.recorded(found, direction)));
        }
        (!to.0.is_multiple_of(8)).then(|| format!("to: {} bit/s is no multiple of 8 bit/s", to.0))
    }

    fn asked_link(&self, link: &str, direction: &str) -> Result<(LinkName, Direction), ApiError> {
        let mut problems = Vec::new();
        let known = |name: &LinkName| self.inventory.as_ref().is_some_and(|inventory| inventory.link(name).is_some());
        let found = link.parse().ok().filter(known);
        if found.is_none() {
            problems.push(format!("link: \"{link}\" is not in the register"));
        }
        let direction_found = Direction::BOTH.into_iter().find(|known| known.as_str() == direction);
        if direction_found.is_none() {
            problems.push(format!("direction: \"{direction}\"; expected down or up"));
        }
        match (found, direction_found) {
            (Some(link), Some(direction)) => Ok((link, direction)),
            _ => Err(ApiError::Invalid(problems)),
        }
    }

    fn uplink_of(&self, link: &LinkName) -> Result<takar_collector_core::inventory::UplinkName, ApiError> {
        let found = self.inventory.as_ref().and_then(|inventory| inventory.link(link));
        found.map(|link| link.uplink.clone()).ok_or_else(|| ApiError::NotFound(format!("there is no link {link}")))
    }

    /// Open and in step 1: what is compared there is frozen.
    pub(in crate::engine) fn check_case(&mut self, id: CaseId, now: UnixMillis) -> Result<(), ApiError> {
        let case = self.case(id)?;
        if !case.is_in(Step::Check) {
            return Ok(());
        }
        let rows = self.check_rows(Some((&case.uplink, case.direction)), now);
        let evidence = super::frozen(id, "check", &rows, now);
        let act = Act::Check { evidence: evidence.digest };
        self.move_case(id, &act, &By::takar(), Some(evidence), now)
    }
}

fn of_the_team(by: &By, what: &str) -> Result<(), ApiError> {
    if by.role.is_of_the_team() {
        return Ok(());
    }
    Err(ApiError::Forbidden(format!("{what} is for the team (member or head), not for the role {}", by.role)))
}

fn said(reason: &str) -> Result<String, ApiError> {
    match reason.trim() {
        "" => Err(ApiError::Invalid(vec!["reason: expected some text".into()])),
        reason => Ok(reason.into()),
    }
}

/// A field of a form that was left empty says nothing.
fn filled(text: &Option<String>) -> Option<String> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}
