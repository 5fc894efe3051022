//! From findings to proposals: what the planner is told, what becomes of what it says.

use takar_collector_core::{
    audit::AuditEvent,
    demand::Estimate,
    inventory::{Link, LinkName, UplinkName},
    ledger::{Actor, ProposalId, ProposalRecord, ProposalState},
    plan::{self, Claim, ClaimDemand, HoldReason, Move, Outcome, PlanInput, Proposal, Why},
    reserve::{self, Hold},
};
use takar_shared::{BitsPerSec, Direction, UnixMillis, birth::Mode};
use takar_store::Write;

use super::Engine;
use crate::{
    api::query::ApiError,
    view::{AskedMove, ProposeBody},
};

impl Engine {
    /// After new readings: every uplink with a shortage and nothing under way is planned.
    pub(super) fn plan_all(&mut self, now: UnixMillis) {
        self.supersede_stale(now);
        let Some(inventory) = self.inventory.clone() else { return };
        for uplink in inventory.uplinks() {
            for direction in Direction::BOTH {
                if self.is_busy(&uplink.name, direction) {
                    continue;
                }
                let finding = inventory.members(&uplink.name).find_map(|link| self.shortage(&link.name, direction));
                let finding = finding.map(|(id, _)| id);
                if finding.is_none() {
                    continue;
                }
                let Some(input) = self.plan_input(&uplink.name, direction, now) else { continue };
                let outcome = plan::plan(&input);
                if let Err(error) = self.take_outcome(&input, outcome, finding, Actor::Takar, None, now) {
                    tracing::error!(uplink = %uplink.name, ?error, "a proposal could not be stored");
                }
            }
        }
    }

    /// A proposal waits for a decision, or a batch runs, on this uplink in this direction.
    pub(super) fn is_busy(&self, uplink: &UplinkName, direction: Direction) -> bool {
        let waiting = self
            .waiting_proposals()
            .any(|record| record.proposal.uplink == *uplink && record.proposal.direction == direction);
        waiting
            || self
                .batches
                .values()
                .any(|batch| batch.ended_at.is_none() && batch.uplink == *uplink && batch.direction == direction)
    }

    pub(super) fn plan_input(&self, uplink: &UplinkName, direction: Direction, now: UnixMillis) -> Option<PlanInput> {
        let inventory = self.inventory.as_ref()?;
        let row = inventory.uplink(uplink)?;
        let members: Vec<&Link> = inventory.members(uplink).collect();
        let holds = self.holds(uplink, direction);
        let open: Vec<_> = self.changes.values().filter(|change| !change.state.is_final()).collect();
        let reserved = reserve::reserved(&holds, row.capacity(direction), &open);
        let claims = members.iter().zip(reserved).map(|(link, reserved)| self.claim(link, direction, reserved, now));
        Some(PlanInput {
            uplink: uplink.clone(),
            direction,
            capacity: row.capacity(direction),
            mir_budget: row.mir_budget(direction),
            claims: claims.collect(),
            settings: self.config.plan,
        })
    }

    /// What each member of an uplink is held to have, in the order of [`Inventory::members`].
    pub(super) fn holds(&self, uplink: &UplinkName, direction: Direction) -> Vec<Hold> {
        let members = self.inventory.iter().flat_map(|inventory| inventory.members(uplink));
        let hold = |link: &Link| Hold {
            link: link.name.clone(),
            recorded: self.recorded(link, direction),
            observed: self.observed(&link.name, direction),
        };
        members.map(hold).collect()
    }

    pub(super) fn recorded(&self, link: &Link, direction: Direction) -> BitsPerSec {
        let known = self.allocation.get(&(link.name.clone(), direction)).map(|allocation| allocation.mir);
        known.unwrap_or(link.side(direction).mir)
    }

    /// The ceiling last read on the device; zero (unlimited) where its queue is disabled.
    pub(super) fn observed(&self, link: &LinkName, direction: Direction) -> Option<BitsPerSec> {
        let reading = self.watches.get(link, direction)?.observed.as_ref()?;
        Some(if reading.disabled { BitsPerSec::ZERO } else { reading.mir.max(reading.burst) })
    }

    fn claim(&self, link: &Link, direction: Direction, reserved: BitsPerSec, now: UnixMillis) -> Claim {
        let side = link.side(direction);
        let bound = self.bound(link, direction);
        let demand = match (self.watches.get(&link.name, direction), self.shortage(&link.name, direction)) {
            (Some(watch), Some((_, finding))) => {
                let lacking = reserved.saturating_add(finding.size);
                let estimate = watch.demand().estimate.rate().unwrap_or(lacking);
                ClaimDemand::AtLeast(estimate.max(lacking))
            }
            (Some(watch), None) => match watch.demand().estimate {
                Estimate::Known(rate) | Estimate::AtLeast(rate) => ClaimDemand::Known(rate),
                Estimate::Unknown(_) => ClaimDemand::Unknown,
            },
            (None, _) => ClaimDemand::Unknown,
        };
        Claim {
            link: link.name.clone(),
            weight: link.weight,
            cir: side.cir,
            floor: side.floor.max(bound.map_or(BitsPerSec::ZERO, |bound| bound.0)),
            ceiling: side.ceiling.min(bound.map_or(side.ceiling, |bound| bound.1)),
            current_mir: reserved,
            demand,
            held: self.held(link, direction, now),
        }
    }

    /// Floor and ceiling in the agent's own config.
    fn bound(&self, link: &Link, direction: Direction) -> Option<(BitsPerSec, BitsPerSec)> {
        let (agent, _) = self.device(link.device.as_str())?;
        let birth = &agent.birth.as_ref()?.birth;
        let device = birth.devices.iter().find(|device| device.device == link.device)?;
        let shaper = &link.side(direction).shaper;
        let bound = device.bounds.iter().find(|bound| bound.shaper == *shaper && bound.direction == direction)?;
        Some((bound.floor, bound.ceiling))
    }

    fn held(&self, link: &Link, direction: Direction, now: UnixMillis) -> Option<HoldReason> {
        let changing = self.changes.values().any(|change| {
            !change.state.is_final()
                && change.moves.iter().any(|one| one.link == link.name && one.set.direction == direction)
        });
        if changing {
            return Some(HoldReason::PendingChange);
        }
        let live = self
            .device(link.device.as_str())
            .is_some_and(|(agent, _)| agent.online && agent.mode() == Some(Mode::Live));
        if !live || self.bound(link, direction).is_none() {
            return Some(HoldReason::NotLive);
        }
        if self.is_drifted(link, direction) {
            return Some(HoldReason::Drifted);
        }
        let changed_at =
            self.allocation.get(&(link.name.clone(), direction)).and_then(|allocation| allocation.changed_at)?;
        let left_ms = self.config.hold_down_ms.saturating_sub(now.since(changed_at));
        (left_ms > 0)
            .then(|| HoldReason::CoolDown { left_s: u32::try_from(left_ms.div_ceil(1000)).unwrap_or(u32::MAX) })
    }

    /// *Drifted*: read back ≠ on record.
    pub(super) fn is_drifted(&self, link: &Link, direction: Direction) -> bool {
        self.observed(&link.name, direction).is_some_and(|observed| observed != self.recorded(link, direction))
    }

    pub(super) fn take_outcome(
        &mut self,
        input: &PlanInput,
        outcome: Outcome,
        finding: Option<u64>,
        by: Actor,
        reason: Option<String>,
        now: UnixMillis,
    ) -> Result<Option<ProposalId>, ApiError> {
        let others: Vec<_> = outcome.reasons.iter().map(|one| (one.link.clone(), one.reason.to_string())).collect();
        let key = (input.uplink.clone(), input.direction);
        let Some(proposal) = outcome.proposal else {
            if self.reasons.get(&key) != Some(&others) {
                tracing::info!(uplink = %key.0, direction = %key.1, "no proposal: {}", summary_of(&others));
            }
            self.reasons.insert(key, others);
            return Ok(None);
        };
        self.reasons.remove(&key);
        // A second opinion that shares no code with the planner: what it objects to is never proposed.
        let violations = plan::check(&proposal, input);
        if !violations.is_empty() {
            let text: Vec<_> = violations.iter().map(ToString::to_string).collect();
            tracing::error!(uplink = %key.0, "the planner's proposal breaks its own rules and is dropped: {}", text.join("; "));
            return Ok(None);
        }
        let id = self.propose(proposal, others, finding, by, reason, now)?;
        if self.policy_allows(id) {
            self.approve(id, Actor::Policy, now)?;
        }
        Ok(Some(id))
    }

    fn propose(
        &mut self,
        proposal: Proposal,
        others: Vec<(LinkName, String)>,
        finding: Option<u64>,
        by: Actor,
        reason: Option<String>,
        now: UnixMillis,
    ) -> Result<ProposalId, ApiError> {
        let id = ProposalId(self.next_proposal);
        let record = ProposalRecord {
            id,
            made_at: now,
            made_by: by.clone(),
            finding,
            reason,
            proposal,
            others,
            state: ProposalState::Proposed,
            decided_at: None,
            batch: None,
        };
        let summary = summary(&record.proposal);
        self.decide(
            vec![Write::Proposal(record.clone())],
            vec![(by, AuditEvent::Proposed { proposal: id, summary: summary.clone() })],
        )?;
        self.next_proposal += 1;
        tracing::info!(%id, "proposed: {summary}");
        self.publish_event("proposed", serde_json::json!({"proposal": self.proposal_view(&record)}));
        self.proposals.insert(0, record);
        Ok(id)
    }

    /// Inside the agreed policy no telephone call is needed.
    fn policy_allows(&self, id: ProposalId) -> bool {
        let policy = &self.config.policy;
        let Some(record) = self.proposals.iter().find(|record| record.id == id) else { return false };
        let proposal = &record.proposal;
        policy.approve
            && (policy.uplinks.is_empty() || policy.uplinks.iter().any(|name| name == proposal.uplink.as_str()))
            && proposal.moves.iter().all(|one| {
                one.to.saturating_sub(one.from) <= one.from.per_mille(policy.max_gain_per_mille)
                    && one.why != Why::Asked
            })
    }

    /// A proposal whose facts no longer hold is never decided upon.
    fn supersede_stale(&mut self, now: UnixMillis) {
        let stale: Vec<_> =
            self.waiting_proposals().filter_map(|record| Some((record.id, self.stale(record)?))).collect();
        for (id, why) in stale {
            let Some(position) = self.proposals.iter().position(|record| record.id == id) else { continue };
            let mut record = self.proposals[position].clone();
            record.state = ProposalState::Superseded { why: why.clone() };
            record.decided_at = Some(now);
            let event = AuditEvent::Superseded { proposal: id, why: why.clone() };
            if self.decide(vec![Write::Proposal(record.clone())], vec![(Actor::Takar, event)]).is_ok() {
                tracing::info!(%id, "proposal superseded: {why}");
                self.proposals[position] = record;
                self.publish_event("superseded", serde_json::json!({"proposal": id.0, "why": why}));
            }
        }
    }

    /// Why a proposal no longer fits the facts, if it does not.
    pub(super) fn stale(&self, record: &ProposalRecord) -> Option<String> {
        let proposal = &record.proposal;
        let Some(inventory) = &self.inventory else { return Some("there is no inventory any more".into()) };
        for one in &proposal.moves {
            let Some(link) = inventory.link(&one.link).filter(|link| link.uplink == proposal.uplink) else {
                return Some(format!("{} is not on {} any more", one.link, proposal.uplink));
            };
            if self.recorded(link, proposal.direction) != one.from {
                return Some(format!("the ceiling of {} is {} now", one.link, self.recorded(link, proposal.direction)));
            }
            if let Some(observed) =
                self.observed(&one.link, proposal.direction).filter(|observed| *observed != one.from)
            {
                return Some(format!("the device of {} reads back {observed} now", one.link));
            }
        }
        let planned = record.made_by == Actor::Takar;
        let over = planned
            && !proposal
                .moves
                .iter()
                .any(|one| one.is_raise() && self.shortage(&one.link, proposal.direction).is_some());
        over.then(|| "the shortage it answers is over".into())
    }

    /// What a person asks for by hand, checked like a plan. All problems at once.
    pub(super) fn asked_proposal(
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
            problems.push(format!(
                "the ceilings of {} {direction} would add up to {sum_after}; at most {budget} may",
                input.uplink
            ));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let proposal = Proposal { uplink: input.uplink.clone(), direction, moves, sum_before, sum_after, budget };
        Ok((input, proposal))
    }

    pub(super) fn propose_asked(
        &mut self,
        body: &ProposeBody,
        by: Actor,
        now: UnixMillis,
    ) -> Result<ProposalId, ApiError> {
        let (input, proposal) = self.asked_proposal(body, now).map_err(ApiError::Invalid)?;
        if self.is_busy(&input.uplink, input.direction) {
            return Err(ApiError::Conflict(format!(
                "a proposal or batch of {} {} is open already",
                input.uplink, input.direction
            )));
        }
        self.propose(proposal, Vec::new(), None, by, body.reason.clone(), now)
    }
}

/// One line for logs and the audit log.
pub(super) fn summary(proposal: &Proposal) -> String {
    let moves: Vec<_> = proposal.moves.iter().map(|one| format!("{} {} to {}", one.link, one.from, one.to)).collect();
    format!("{} {}: {}", proposal.uplink, proposal.direction, moves.join(", "))
}

fn summary_of(others: &[(LinkName, String)]) -> String {
    let lines: Vec<_> = others.iter().map(|(link, why)| format!("{link}: {why}")).collect();
    lines.join(" ")
}
