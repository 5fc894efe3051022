//! Bandwidth on demand: a granted loan begins at its time, and comes back by itself.

use takar_collector_core::{
    case::{Act, By, Case, CaseId, Step},
    inventory::LinkMode,
    ledger::{Actor, ProposalId, ProposalRecord},
    plan::{self, ClaimDemand, HoldReason, PlanInput},
};
use takar_shared::{BitsPerSec, UnixMillis};

use super::carry::back_off_ms;
use crate::{
    api::query::ApiError,
    engine::Engine,
    view::{AskedMove, ProposeBody},
};

impl Engine {
    pub(super) fn tend_loans(&mut self, now: UnixMillis) {
        let waiting: Vec<CaseId> = self
            .cases
            .all()
            .filter(|case| case.loan.is_some() && case.is_in(Step::Allocate) && case.current.is_none())
            .map(|case| case.id)
            .collect();
        for id in waiting {
            self.tried(id, "a loan", |engine| engine.tend_loan(id, now));
        }
    }

    fn tend_loan(&mut self, id: CaseId, now: UnixMillis) -> Result<(), ApiError> {
        let case = self.case(id)?;
        let Some(loan) = &case.loan else { return Ok(()) };
        if self.is_busy(&case.uplink, case.direction) || self.backs_off(&case, now) {
            return Ok(());
        }
        match loan.lent {
            None if now >= loan.until => {
                let reason = "the time of the loan was over before it could begin".to_owned();
                self.move_case(id, &Act::Conclude { reason }, &By::takar(), None, now)
            }
            None => self.lend(&case, now),
            Some(lent) => self.take_back(&case, lent, now),
        }
    }

    /// What did not hold is not tried again at once.
    fn backs_off(&self, case: &Case, now: UnixMillis) -> bool {
        let ended = case.proposals.last().and_then(|id| self.proposal_record(*id)).and_then(|record| record.decided_at);
        let fails = case.remarks.iter().filter(|remark| remark.by == Actor::Takar).count();
        let round = u16::try_from(fails).unwrap_or(u16::MAX).saturating_add(1);
        ended.is_some_and(|at| now < at.plus(back_off_ms(round)))
    }

    fn lend(&mut self, case: &Case, now: UnixMillis) -> Result<(), ApiError> {
        let Some(input) = self.loan_input(case, now) else { return Ok(()) };
        let outcome = plan::plan(&input);
        let Some(proposal) = outcome.proposal else {
            let why: Vec<_> = outcome.reasons.iter().map(|one| format!("{}: {}", one.link, one.reason)).collect();
            let why = why.join("; ");
            self.hold_up(case.id, "begin", why);
            return Ok(());
        };
        if !plan::check(&proposal, &input).is_empty() {
            return Err(ApiError::Failed("the loan's plan breaks the planner's own rules".into()));
        }
        let others = outcome.reasons.iter().map(|one| (one.link.clone(), one.reason.to_string())).collect();
        let id = self.propose(case.id, proposal, others, None, &By::takar(), None, now)?;
        self.cases.held_up.remove(&case.id);
        self.approve(id, &self.granted(case), now)
    }

    /// The ceiling that was asked for counts as what the link wants; nobody else gains by it.
    pub(in crate::engine) fn loan_input(&self, case: &Case, now: UnixMillis) -> Option<PlanInput> {
        let loan = case.loan.as_ref()?;
        let mut input = self.plan_input(&case.uplink, case.direction, now)?;
        for claim in &mut input.claims {
            // The head granted the loan, and not what others give for it.
            if claim.link != loan.link && claim.held.is_none() && self.mode_of(&claim.link) == LinkMode::Propose {
                claim.held = Some(HoldReason::Unasked);
            }
            if claim.link == loan.link {
                claim.demand = ClaimDemand::AtLeast(loan.to);
                claim.held = claim.held.filter(|held| !matches!(held, HoldReason::CoolDown { .. }));
            } else if let ClaimDemand::AtLeast(_) = claim.demand {
                claim.demand = ClaimDemand::AtLeast(BitsPerSec::ZERO);
            }
        }
        // The head granted so much, however small the link's ceiling is otherwise.
        input.settings.max_gain_per_mille = u32::MAX;
        Some(input)
    }

    /// Reasons tell minutes and rates, so they change while nothing else does: told in the log once.
    fn hold_up(&mut self, case: CaseId, what: &str, why: String) {
        let told = format!("it is time for the loan to {what}, and it cannot: {why}");
        if self.cases.held_up.insert(case, told.clone()).is_none() {
            tracing::warn!(%case, "{told}");
        }
    }

    /// The moves of the loan, the other way round; whatever else moved meanwhile stays.
    fn take_back(&mut self, case: &Case, lent: ProposalId, now: UnixMillis) -> Result<(), ApiError> {
        let Some(record) = self.proposal_record(lent) else {
            return Err(ApiError::Failed(format!("proposal {lent} of the loan is gone")));
        };
        let moves = self.reverse(&record);
        if moves.is_empty() {
            // Somebody gave it back by hand: what is on record is as it was.
            return self.nothing_to_take_back(case, now);
        }
        let body = ProposeBody { moves, reason: None, uplink: None, dry_run: false };
        let proposal = match self.asked_proposal(&body, now) {
            Ok((_, proposal)) => proposal,
            Err(problems) => {
                self.hold_up(case.id, "go back", problems.join("; "));
                return Ok(());
            }
        };
        let id = self.propose(case.id, proposal, Vec::new(), None, &By::takar(), None, now)?;
        self.cases.held_up.remove(&case.id);
        self.approve(id, &self.granted(case), now)
    }

    fn reverse(&self, record: &ProposalRecord) -> Vec<AskedMove> {
        let Some(inventory) = &self.inventory else { return Vec::new() };
        let direction = record.proposal.direction;
        let back = record.proposal.moves.iter().filter_map(|one| {
            let now = self.recorded(inventory.link(&one.link)?, direction);
            // A donor that was given more since needs nothing back; the borrower keeps no more than it had.
            let is_due = if one.is_raise() { now > one.from } else { now == one.to };
            let link = one.link.as_str().to_owned();
            is_due.then(|| AskedMove { link, direction: direction.as_str().into(), to_bps: one.from.0 })
        });
        back.collect()
    }

    fn nothing_to_take_back(&mut self, case: &Case, now: UnixMillis) -> Result<(), ApiError> {
        let reason = "the loan was given back already".to_owned();
        self.move_case(case.id, &Act::Returned { reason }, &By::takar(), None, now)
    }

    /// By whose authority a loan is lent and taken back.
    fn granted(&self, case: &Case) -> By {
        let by = case.loan.as_ref().and_then(|loan| loan.granted_by.clone());
        by.map_or_else(By::takar, |actor| By { actor, role: takar_collector_core::case::Role::Policy })
    }
}
