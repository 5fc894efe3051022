//! A batch carries one proposal out: decreases first; increases only when every decrease is
//! *Confirmed* by a receipt (released at Applied, a decrease that rolls back oversubscribes the
//! uplink). The batch decides; the edge signs, sends and stores.

use alloc::vec::Vec;
use takar_shared::{
    AgentId, BatchId, BitsPerSec, ChangeId, Digest, MonoMillis, Name, Serial, UnixMillis,
    birth::DeviceState,
    receipt::{Phase, Receipt},
};

use crate::ledger::{BatchState, Change, ChangeState, ChangeTimes, LinkMove, ProposalId};

/// One link's move, and the device that carries it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    pub agent: AgentId,
    pub device: Name,
    pub moved: LinkMove,
}

/// What one change of a batch is to do; the edge gives it its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// From 1 to `steps`, decreases first.
    pub step: u16,
    pub steps: u16,
    pub agent: AgentId,
    pub device: Name,
    pub moves: Vec<LinkMove>,
}

impl Part {
    /// The change that carries it out, not signed yet.
    pub fn into_change(self, id: ChangeId, batch: BatchId, proposal: ProposalId, made: UnixMillis) -> Change {
        Change {
            id,
            batch,
            proposal,
            step: self.step,
            steps: self.steps,
            agent: self.agent,
            device: self.device,
            serial: None,
            moves: self.moves,
            state: ChangeState::Waiting,
            times: ChangeTimes { made, ..ChangeTimes::default() },
        }
    }
}

/// What the edge is to do next for a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Sign and send, if the reservation allows it.
    Dispatch(ChangeId),
    /// A change that will not be needed: its decreases did not stand.
    Withdraw(ChangeId),
    End(BatchState),
}

/// One part per device and sense, so that a device's decreases never wait for its increases.
pub fn split(mut assigned: Vec<Assigned>) -> Vec<Part> {
    // Stable: within a sense, the order of the proposal stays.
    assigned.sort_by_key(|one| raises(&one.moved));
    let mut parts: Vec<Part> = Vec::new();
    for Assigned { agent, device, moved } in assigned {
        let same = parts.iter_mut().find(|part| {
            (part.agent, &part.device) == (agent, &device) && part.moves.iter().any(raises) == raises(&moved)
        });
        match same {
            Some(part) => part.moves.push(moved),
            None => parts.push(Part { step: 0, steps: 0, agent, device, moves: alloc::vec![moved] }),
        }
    }
    let steps = u16::try_from(parts.len()).unwrap_or(u16::MAX);
    for (step, part) in (1..=steps).zip(&mut parts) {
        (part.step, part.steps) = (step, steps);
    }
    parts
}

/// Call after every event that touched one of the batch's changes.
pub fn next(changes: &[Change]) -> Vec<Step> {
    let decreases_stand =
        changes.iter().filter(|change| !change.raises()).all(|change| change.state == ChangeState::Confirmed);
    let failed = changes.iter().any(|change| change.state.is_final() && change.state != ChangeState::Confirmed);
    let waiting = changes.iter().filter(|change| change.state == ChangeState::Waiting);
    let steps: Vec<Step> = waiting
        .filter_map(|change| match (failed, change.raises()) {
            // What already runs runs to its end; what was not signed is not signed any more.
            (true, _) => Some(Step::Withdraw(change.id)),
            (false, true) if !decreases_stand => None,
            (false, _) if device_is_busy(change, changes) => None,
            (false, _) => Some(Step::Dispatch(change.id)),
        })
        .collect();
    if !steps.is_empty() || changes.iter().any(|change| !change.state.is_final()) {
        return steps;
    }
    let confirmed = changes.iter().filter(|change| change.state == ChangeState::Confirmed).count();
    let state = match confirmed {
        all if all == changes.len() => BatchState::Done,
        0 => BatchState::Failed,
        _ => BatchState::Partial,
    };
    alloc::vec![Step::End(state)]
}

/// What a receipt makes of a change. `None`: it says nothing new (a re-send, or out of order).
pub fn receive(change: &Change, receipt: &Receipt) -> Option<ChangeState> {
    if Some(receipt.serial) != change.serial || receipt.change != change.id || change.state.is_final() {
        return None;
    }
    let next = match receipt.phase {
        Phase::Refused(why) => ChangeState::Refused(why),
        Phase::Applied if change.state == ChangeState::Applied => return None,
        Phase::Applied => ChangeState::Applied,
        Phase::Confirmed => ChangeState::Confirmed,
        Phase::RolledBack(cause) => ChangeState::RolledBack(cause),
        Phase::Cancelled => ChangeState::Cancelled,
    };
    Some(next)
}

/// Confirm is signed only after Applied *and* a telemetry polled later, with every target ok and the
/// digest that the receipt saw: it travels the path the change could have cut.
pub fn may_confirm(applied: &Receipt, polled_ok_at: Option<MonoMillis>, state: &DeviceState) -> bool {
    let Some(observed) = applied.observed.as_ref().filter(|_| applied.phase == Phase::Applied) else { return false };
    let same = state
        .queues
        .as_ref()
        .is_some_and(|queues| queues.digest == observed.digest && queues.read_at > observed.read_at);
    same && polled_ok_at.is_some_and(|at| at > observed.read_at)
}

/// A dispatched change past its expiry keeps its reservation until a receipt says what became of it.
pub fn expire(change: &Change, expires_at: UnixMillis, now: UnixMillis) -> Option<ChangeState> {
    (change.state == ChangeState::Dispatched && now >= expires_at).then_some(ChangeState::Expired)
}

/// May `change` be signed, as far as its device goes? Then under this serial, expecting this digest.
///
/// `None`: another change of the device is not at its end, or what is moved is no longer as it was when it was
/// proposed (`observed` says what was last read back). Then a hand set it since, and no hand is overruled; the
/// digest to expect would not tell, since it is of what was last read. `drawn` is the last serial signed.
pub fn ready(
    change: &Change,
    open: &[&Change],
    drawn: Serial,
    state: &DeviceState,
    observed: impl Fn(&LinkMove) -> Option<BitsPerSec>,
) -> Option<(Serial, Digest)> {
    let other_open = open.iter().any(|other| {
        other.id != change.id
            && (other.agent, &other.device) == (change.agent, &change.device)
            && !other.state.is_final()
            && other.state != ChangeState::Waiting
    });
    let as_proposed = change.moves.iter().all(|one| observed(one) == Some(one.from));
    if other_open || state.pending.is_some() || !as_proposed {
        return None;
    }
    Some((drawn.max(state.last_serial).next(), state.queues.as_ref()?.digest))
}

/// One change is pending per device.
fn device_is_busy(change: &Change, changes: &[Change]) -> bool {
    changes.iter().any(|other| {
        other.id != change.id
            && (other.agent, &other.device) == (change.agent, &change.device)
            && (!other.state.is_final() && (other.state != ChangeState::Waiting || other.step < change.step))
    })
}

fn raises(moved: &LinkMove) -> bool {
    moved.set.mir > moved.from
}

#[cfg(test)]
mod tests;
