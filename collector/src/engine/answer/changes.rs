//! Changes: what was sent to which device, and how far it came.

use takar_collector_core::ledger::{Change, ChangeState, LinkMove};

use crate::view::{ChangeView, MoveView};

pub(in crate::engine) fn change_view(change: &Change) -> ChangeView {
    let state = match change.state {
        ChangeState::Refused(_) => "refused".into(),
        ChangeState::RolledBack(_) => "rolled-back".into(),
        plain => plain.to_string(),
    };
    let moves = |one: &LinkMove| MoveView {
        link: one.link.as_str().into(),
        from_bps: one.from.0,
        to_bps: one.set.mir.0,
        why: format!("{} {}", one.set.shaper, one.set.direction),
    };
    ChangeView {
        id: change.id.to_string(),
        proposal: change.proposal.0,
        batch: change.batch.to_string(),
        step: change.step,
        steps: change.steps,
        agent: change.agent.to_string(),
        device: change.device.as_str().into(),
        serial: change.serial.map(|serial| serial.0),
        state,
        sentence: change.state.to_string(),
        moves: change.moves.iter().map(moves).collect(),
        made_at: change.times.made.0,
        dispatched_at: change.times.dispatched.map(|at| at.0),
        applied_at: change.times.applied.map(|at| at.0),
        confirm_sent_at: change.times.confirm_sent.map(|at| at.0),
        ended_at: change.times.ended.map(|at| at.0),
    }
}
