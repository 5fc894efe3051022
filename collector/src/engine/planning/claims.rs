//! What the planner is told of an uplink: of each link what it holds, wants, and whether it may change.

use takar_collector_core::{
    case::CaseId,
    demand::Estimate,
    inventory::{Link, LinkName, UplinkName},
    passing::Bypass,
    plan::{Claim, ClaimDemand, HoldReason, PlanInput, Standing},
    reserve::{self, Hold},
};
use takar_shared::{BitsPerSec, Direction, UnixMillis, birth::Mode, telemetry::PollOutcome};

use crate::engine::Engine;

impl Engine {
    pub(in crate::engine) fn plan_input(
        &self,
        uplink: &UplinkName,
        direction: Direction,
        now: UnixMillis,
    ) -> Option<PlanInput> {
        let inventory = self.inventory.as_ref()?;
        let row = inventory.uplink(uplink)?;
        let members: Vec<&Link> = inventory.members(uplink).collect();
        let holds = self.holds(uplink, direction);
        let open: Vec<_> = self.open_changes().collect();
        let reserved = reserve::reserved(&holds, direction, row.capacity(direction), &open);
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

    /// As [`Engine::plan_input`]; what the register says that a link of the case needs counts as wanted, measured or not.
    pub(in crate::engine) fn plan_input_for(
        &self,
        case: CaseId,
        uplink: &UplinkName,
        direction: Direction,
        now: UnixMillis,
    ) -> Option<PlanInput> {
        let mut input = self.plan_input(uplink, direction, now)?;
        let case = self.cases.get(case)?;
        for claim in &mut input.claims {
            let link = self.inventory.as_ref()?.link(&claim.link).filter(|link| case.links.contains(&link.name));
            let need =
                link.and_then(|link| self.need_of(link, direction, now)).filter(|need| *need > claim.current_mir);
            if let Some(need) = need {
                claim.demand = match claim.demand {
                    ClaimDemand::AtLeast(wanted) => ClaimDemand::AtLeast(wanted.max(need)),
                    ClaimDemand::Known(_) | ClaimDemand::Unknown => ClaimDemand::AtLeast(need),
                };
            }
        }
        Some(input)
    }

    /// What each member of an uplink is held to have, in the order of [`Inventory::members`].
    pub(in crate::engine) fn holds(&self, uplink: &UplinkName, direction: Direction) -> Vec<Hold> {
        let members = self.inventory.iter().flat_map(|inventory| inventory.members(uplink));
        let hold = |link: &Link| Hold {
            link: link.name.clone(),
            recorded: self.recorded(link, direction),
            observed: self.observed(&link.name, direction),
        };
        members.map(hold).collect()
    }

    pub(in crate::engine) fn recorded(&self, link: &Link, direction: Direction) -> BitsPerSec {
        let known = self.allocation.get(&(link.name.clone(), direction)).map(|allocation| allocation.mir);
        known.unwrap_or(link.side(direction).mir)
    }

    /// The ceiling last read on the device; zero (unlimited) where its queue is disabled.
    pub(in crate::engine) fn observed(&self, link: &LinkName, direction: Direction) -> Option<BitsPerSec> {
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
        let device = self.device(link.device.as_str());
        let live = device.is_some_and(|(agent, _)| agent.is_commanded() && agent.mode() == Some(Mode::Live));
        // Where only the queues could not be read, that is said of the ceiling.
        let polled = |outcome: PollOutcome| matches!(outcome, PollOutcome::Ok | PollOutcome::QueuesUnreadable);
        let outcome = device.and_then(|(_, device)| device.outcome);
        let allocation = self.allocation.get(&(link.name.clone(), direction));
        let changed_at = allocation.and_then(|allocation| allocation.changed_at);
        let standing = Standing {
            changing: self.change_of(&link.name, direction).is_some(),
            resting: self.maintenances.rests(&link.name),
            mode: self.mode_of(&link.name),
            commanded: live && self.bound(link, direction).is_some(),
            unanswered: outcome.is_some_and(|outcome| !polled(outcome)),
            read: self.observed(&link.name, direction).is_some() && outcome != Some(PollOutcome::QueuesUnreadable),
            drifted: self.is_drifted(link, direction),
            bypassed: self.bypass(&link.name, direction).is_some() || self.shapes_nothing(&link.name, direction),
            rests_ms: changed_at.map_or(0, |at| self.config.hold_down_ms.saturating_sub(now.since(at))),
        };
        standing.hold()
    }

    /// As read on the device, whatever its rates.
    pub(in crate::engine) fn shapes_nothing(&self, link: &LinkName, direction: Direction) -> bool {
        let reading = self.watches.get(link, direction).and_then(|watch| watch.observed.as_ref());
        reading.is_some_and(|reading| reading.disabled)
    }

    pub(in crate::engine) fn bypass(&self, link: &LinkName, direction: Direction) -> Option<Bypass> {
        self.watches.get(link, direction)?.bypass()
    }

    /// *Drifted*: read back ≠ on record.
    pub(in crate::engine) fn is_drifted(&self, link: &Link, direction: Direction) -> bool {
        self.observed(&link.name, direction).is_some_and(|observed| observed != self.recorded(link, direction))
    }
}
