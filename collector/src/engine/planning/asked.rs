//! Proposals by hand, checked like a plan.

use takar_collector_core::{
    case::{Act, By, CaseId, Kind, Opening, Origin, Step},
    inventory::{Link, LinkName, UplinkName},
    ledger::ProposalId,
    plan::{HoldReason, Move, PlanInput, Proposal, Why},
};
use takar_shared::{BitsPerSec, Direction, UnixMillis};

use crate::{
    api::query::ApiError,
    engine::Engine,
    view::{AskedMove, ProposeBody},
};

impl Engine {
    /// What a person asks for by hand, checked like a plan. All problems at once.
    pub(in crate::engine) fn asked_proposal(
        &self,
        body: &ProposeBody,
        now: UnixMillis,
    ) -> Result<(PlanInput, Proposal), Vec<String>> {
        let Some(inventory) = &self.inventory else {
            return Err(vec!["there is no inventory; import one first".into()]);
        };
        let mut problems = Vec::new();
        let mut asked: Vec<(&Link, Direction, BitsPerSec)> = Vec::new();
        for AskedMove { link, direction, to_bps } in &body.moves {
            let found = link.parse().ok().and_then(|name: LinkName| inventory.link(&name));
            let direction = Direction::BOTH.into_iter().find(|known| known.as_str() == direction);
            match (found, direction) {
                (Some(link), Some(direction)) => {
                    if asked
                        .iter()
                        .any(|(other, other_direction, _)| other.name == link.name && *other_direction == direction)
                    {
                        problems.push(format!("link {} {direction} is named twice", link.name));
                    }
                    asked.push((link, direction, BitsPerSec(*to_bps)));
                }
                (None, _) => problems.push(format!("link \"{link}\" is not in the inventory")),
                (_, None) => problems.push(format!("link \"{link}\": the direction is neither down nor up")),
            }
        }
        let Some(&(first, direction, _)) = asked.first() else {
            problems.extend(body.moves.is_empty().then(|| "no move is asked for".into()));
            return Err(problems);
        };
        for (link, other, _) in &asked {
            if link.uplink != first.uplink || *other != direction {
                problems.push(format!(
                    "link {} {other} is not on {} {direction}; one proposal is for one uplink and direction",
                    link.name, first.uplink
                ));
            }
        }
        let Some(input) = self.plan_input(&first.uplink, direction, now) else { return Err(problems) };
        let sum_before: BitsPerSec = input.claims.iter().map(|claim| claim.current_mir).sum();
        let mut moves = Vec::new();
        for (link, _, to) in asked {
            let Some(claim) = input.claims.iter().find(|claim| claim.link == link.name) else { continue };
            if let Some(held) = claim.held.filter(|held| !matches!(held, HoldReason::CoolDown { .. })) {
                problems.push(format!("link {}: {held}", link.name));
            }
            if to < claim.floor.max(claim.cir.unwrap_or_default()) || to > claim.ceiling {
                problems.push(format!(
                    "link {}: {to} is out of bounds; expected {} to {}",
                    link.name,
                    claim.floor.max(claim.cir.unwrap_or_default()),
                    claim.ceiling
                ));
            }
            if !to.0.is_multiple_of(8) {
                problems.push(format!("link {}: {} bit/s is no multiple of 8 bit/s", link.name, to.0));
            }
            if to == claim.current_mir {
                problems.push(format!("link {}: it has {to} already", link.name));
            }
            moves.push(Move { link: link.name.clone(), from: claim.current_mir, to, cir: claim.cir, why: Why::Asked });
        }
        moves.sort_by_key(Move::is_raise);
        let gained: BitsPerSec = moves.iter().map(|one| one.to.saturating_sub(one.from)).sum();
        let given: BitsPerSec = moves.iter().map(|one| one.from.saturating_sub(one.to)).sum();
        let sum_after = sum_before.saturating_add(gained).saturating_sub(given);
        let budget = input.mir_budget;
        if sum_after > budget.max(sum_before.saturating_sub(BitsPerSec(1))) && gained > BitsPerSec::ZERO {
            let unread = input.claims.iter().filter(|claim| self.observed(&claim.link, direction).is_none());
            let unread: Vec<_> = unread.map(|claim| claim.link.as_str()).collect();
            let because = if unread.is_empty() {
                String::new()
            } else {
                format!("; the whole uplink is reserved for what was not read back yet: {}", unread.join(", "))
            };
            problems.push(format!(
                "the ceilings of {} {direction} would add up to {sum_after}; at most {budget} may{because}",
                input.uplink
            ));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let proposal = Proposal { uplink: input.uplink.clone(), direction, moves, sum_before, sum_after, budget };
        Ok((input, proposal))
    }

    pub(in crate::engine) fn propose_asked(
        &mut self,
        body: &ProposeBody,
        by: &By,
        now: UnixMillis,
    ) -> Result<ProposalId, ApiError> {
        let (input, proposal) = self.asked_proposal(body, now).map_err(ApiError::Invalid)?;
        self.is_free(&input.uplink, input.direction)?;
        let links = about(&proposal);
        let place = (input.uplink.clone(), input.direction);
        let case = self.case_to_propose_in(place, links, by, body.reason.as_deref(), now)?;
        let id = self.propose(case, proposal, Vec::new(), None, by, body.reason.clone(), now)?;
        if let Some(record) = self.proposal_record(id) {
            self.tell_waiting(&record, now);
        }
        Ok(id)
    }

    pub(in crate::engine) fn is_free(&self, uplink: &UplinkName, direction: Direction) -> Result<(), ApiError> {
        if self.is_busy(uplink, direction) {
            return Err(ApiError::Conflict(format!("a proposal or batch of {uplink} {direction} is open already")));
        }
        Ok(())
    }

    /// The case of that uplink and direction, brought to step 3, or a new one: whoever proposes by hand has looked.
    pub(in crate::engine) fn case_to_propose_in(
        &mut self,
        (uplink, direction): (UplinkName, Direction),
        links: Vec<LinkName>,
        by: &By,
        reason: Option<&str>,
        now: UnixMillis,
    ) -> Result<CaseId, ApiError> {
        let reason = reason.map(str::trim).filter(|reason| !reason.is_empty()).unwrap_or("proposed by hand").to_owned();
        let id = match self.cases.gathering(&uplink, direction) {
            Some(case) => case.id,
            None => {
                let kind = Kind::Reallocation;
                let origin = Origin::Person { name: by.actor.to_string(), reason: reason.clone() };
                let opening = Opening { kind, uplink, direction, links, origin, loan: None };
                self.open_case(opening, by.actor.clone(), now)?
            }
        };
        if self.case(id)?.is_in(Step::Check) {
            self.check_case(id, now)?;
        }
        if self.case(id)?.is_in(Step::Identify) {
            self.move_case(id, &Act::Confirm { reason }, by, None, now)?;
        }
        Ok(id)
    }
}

/// The links that a proposal is made for: those that gain; where none does, those that give.
pub(in crate::engine) fn about(proposal: &Proposal) -> Vec<LinkName> {
    let links = |raised: bool| -> Vec<LinkName> {
        let moves = proposal.moves.iter().filter(|one| one.is_raise() == raised);
        moves.map(|one| one.link.clone()).collect()
    };
    let gain = links(true);
    if gain.is_empty() { links(false) } else { gain }
}
