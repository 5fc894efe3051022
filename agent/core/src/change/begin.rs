//! At start: undo or redo what a crash left, reinstate what a reboot took.

use alloc::{vec, vec::Vec};
use takar_shared::{
    birth::{Mode, QueueSet},
    receipt::RollbackCause,
};

use super::{Effect, Machine, Step, named};
use crate::{admit::within_bounds, journal::OpenPhase};

impl Machine {
    /// Once, before anything else: undo or redo what a crash left, then reinstate what a backend
    /// that forgets at reboot has lost.
    #[must_use]
    pub fn start(&mut self, reinstate: bool) -> Vec<Effect> {
        match &self.record.open {
            Some(open) if open.phase == OpenPhase::Confirmed => {
                self.step = Step::Redoing;
                vec![Effect::Apply(open.new.clone())]
            }
            Some(_) => self.restore(RollbackCause::Restarted),
            None if reinstate && !self.record.confirmed.is_empty() => {
                self.step = Step::Reinstating;
                vec![Effect::Read]
            }
            None => Vec::new(),
        }
    }

    pub(super) fn redone(&mut self, set: Option<QueueSet>) -> Vec<Effect> {
        self.observed = match &self.record.open {
            Some(open) => set.map(|set| named(set, &open.new)),
            None => None,
        };
        self.keep_and_finish()
    }

    pub(super) fn reinstate(&mut self, set: Option<QueueSet>) -> Vec<Effect> {
        let readings = set.map(|set| set.readings).unwrap_or_default();
        let mut effects = Vec::new();
        let mut lost = Vec::new();
        for setting in &self.record.confirmed {
            let found = readings.iter().find(|reading| reading.is_for(setting));
            if found.is_some_and(|reading| reading.setting() == *setting) {
                continue;
            }
            // The config may have been narrowed since: what was confirmed then is no leave to set it now.
            match within_bounds(setting, &self.limits) {
                Err(refusal) => effects.push(Effect::NotReinstated(setting.clone(), refusal)),
                Ok(()) if found.is_some() => lost.push(setting.clone()),
                Ok(()) => {}
            }
        }
        if !lost.is_empty() {
            self.step = Step::Reinstating;
            effects.push(Effect::Apply(lost.clone()));
            effects.push(Effect::Keep(lost));
        }
        effects
    }
}

/// A mode that sets nothing never reinstates either.
pub fn reinstates(mode: Mode, backend_forgets: bool) -> bool {
    mode == Mode::Live && backend_forgets
}
