//! Step 4 as evidence: what was sent, what the devices answered, what they read back; and what did not hold.

use serde::Serialize;
use takar_collector_core::{
    case::{Act, By},
    ledger::{Batch, BatchState, Change, ChangeState},
};
use takar_shared::UnixMillis;

use super::{Moved, frozen};
use crate::{
    api::query::ApiError,
    engine::{Engine, answer},
    view::ChangeView,
};

/// After a change that did not hold, the same is not tried again at once.
const BACK_OFF_MS: u64 = 60_000;

/// From the second round on, twice as long each time, a day at most.
pub(super) fn back_off_ms(round: u16) -> u64 {
    match round {
        0 | 1 => 0,
        again => BACK_OFF_MS.saturating_mul(1 << (again - 2).min(11)).min(86_400_000),
    }
}

/// The evidence of step 4.
#[derive(Serialize)]
struct Allocation {
    proposal: u64,
    batch: String,
    state: BatchState,
    changes: Vec<ChangeEvidence>,
}

#[derive(Serialize)]
struct ChangeEvidence {
    #[serde(flatten)]
    change: ChangeView,
    receipts: Vec<String>,
    /// What the device was last read to have in force.
    read_back: Vec<String>,
}

impl Engine {
    /// The move of the batch's case, now that it has ended; `None` where it has none.
    pub(in crate::engine) fn end_of_batch(
        &self,
        batch: &Batch,
        state: BatchState,
        now: UnixMillis,
    ) -> Result<Option<Moved>, ApiError> {
        let Some(case) = self.cases.of_proposal(batch.proposal).filter(|case| case.current == Some(batch.proposal))
        else {
            return Ok(None);
        };
        let mut changes: Vec<&Change> = self.changes.values().filter(|change| change.batch == batch.id).collect();
        changes.sort_by_key(|change| change.step);
        let what = Allocation {
            proposal: batch.proposal.0,
            batch: batch.id.to_string(),
            state,
            changes: changes.iter().map(|change| self.change_evidence(change)).collect::<Result<_, _>>()?,
        };
        let evidence = frozen(case.id, "allocation", &what, now);
        let (proposal, digest) = (batch.proposal, evidence.digest);
        let act = match state {
            BatchState::Done => Act::Carry { proposal, evidence: digest },
            _ => Act::RollBack { proposal, why: why_not(&changes), evidence: digest },
        };
        self.prepare(case.id, &act, &By::takar(), Some(evidence), now).map(Some)
    }

    fn change_evidence(&self, change: &Change) -> Result<ChangeEvidence, ApiError> {
        let receipts = self.store.receipts_of(change.id).map_err(|error| ApiError::Failed(error.to_string()))?;
        let read_back = change.moves.iter().filter_map(|one| {
            let seen = self.observed(&one.link, one.set.direction)?;
            Some(format!("{} {} {seen}", one.link, one.set.direction))
        });
        Ok(ChangeEvidence {
            change: answer::change_view(change),
            receipts: receipts.iter().map(|row| row.digest.to_string()).collect(),
            read_back: read_back.collect(),
        })
    }
}

fn why_not(changes: &[&Change]) -> String {
    let bad = changes.iter().filter(|change| change.state != ChangeState::Confirmed);
    let said: Vec<String> = bad.map(|change| format!("{}: {}", change.device, change.state)).collect();
    if said.is_empty() { "no change was made".into() } else { said.join("; ") }
}
