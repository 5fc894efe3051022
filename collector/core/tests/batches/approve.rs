//! From what is known to an approved batch: what `engine/planning.rs` and `approve` of the engine do around
//! the core.

use takar_collector_core::{
    batch::{self, Assigned, Part},
    inventory::LinkName,
    ledger::{Batch, BatchState, Change, LinkMove, ProposalId},
    plan::{self, Claim, HoldReason, Move, PlanInput, PlanSettings, Proposal},
};
use takar_shared::{BatchId, BitsPerSec, ChangeId, Direction, UnixMillis, queue::Setting};

use crate::collector::{Collector, Link, agent, device_name};

impl Collector {
    /// Plans and approves at once, as a policy does; no batch where there is nothing to do or the facts are not known.
    pub fn plan(&mut self, now: UnixMillis) {
        if self.batch.is_some() {
            return;
        }
        let input = self.plan_input();
        let Some(proposal) = plan::plan(&input).proposal else { return };
        let violations = plan::check(&proposal, &input);
        assert!(violations.is_empty(), "{violations:?}");
        if self.is_stale(&proposal) {
            return;
        }
        let id = BatchId(self.next_id());
        let changes = self.changes_for(&proposal.moves, id, now);
        self.changes.extend(changes.into_iter().map(|change| (change.id, change)));
        self.batch = Some(Batch {
            id,
            proposal: ProposalId(1),
            uplink: proposal.uplink,
            direction: proposal.direction,
            sum_at_start: proposal.sum_before,
            state: BatchState::Running,
            started_at: now,
            ended_at: None,
        });
        self.advance(now);
    }

    fn plan_input(&self) -> PlanInput {
        let claim = |(link, reserved): (&Link, BitsPerSec)| Claim {
            link: link.name.clone(),
            weight: link.weight,
            cir: None,
            floor: BitsPerSec(8),
            ceiling: BitsPerSec(4_000),
            current_mir: reserved,
            demand: link.demand,
            held: link.observed.is_some_and(|observed| observed != link.recorded).then_some(HoldReason::Drifted),
        };
        PlanInput {
            uplink: "uplink".parse().unwrap(),
            direction: Direction::Down,
            capacity: self.budget,
            mir_budget: self.budget,
            claims: self.links.iter().zip(self.reserved()).map(claim).collect(),
            settings: PlanSettings { granule: BitsPerSec(8), min_gain: BitsPerSec(8), ..PlanSettings::default() },
        }
    }

    fn is_stale(&self, proposal: &Proposal) -> bool {
        proposal.moves.iter().any(|one| {
            let link = self.link(&one.link);
            link.recorded != one.from || link.observed.is_some_and(|observed| observed != one.from)
        })
    }

    fn link(&self, name: &LinkName) -> &Link {
        self.links.iter().find(|link| link.name == *name).unwrap()
    }

    fn changes_for(&mut self, moves: &[Move], batch: BatchId, now: UnixMillis) -> Vec<Change> {
        let assigned = moves.iter().map(|one| {
            let link = self.link(&one.link);
            let set = Setting { shaper: link.shaper.clone(), direction: Direction::Down, cir: one.cir, mir: one.to };
            let moved = LinkMove { link: one.link.clone(), from: one.from, set };
            Assigned { agent: agent(link.device), device: device_name(link.device), moved }
        });
        let parts = batch::split(assigned.collect());
        let change = |part: Part| part.into_change(ChangeId(self.next_id()), batch, ProposalId(1), now);
        parts.into_iter().map(change).collect()
    }
}
