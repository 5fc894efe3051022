//! Links under maintenance: their findings end as it begins, nothing is judged while it lasts, and they are measured anew
//! when it is over, so that nothing of that time speaks for or against them.

use takar_collector_core::{
    assess::{Assessor, Ending, Verdict},
    inventory::LinkName,
};
use takar_shared::{BitsPerSec, Direction, UnixMillis, queue::QueueReading};

use super::{Watch, window_settings};
use crate::engine::Engine;

impl Engine {
    /// With the clock, and after whatever may change which links rest.
    pub(in crate::engine) fn tend_maintenance(&mut self, now: UnixMillis) {
        let Some((began, ended)) = self.rest_changes(now) else { return };
        for link in &began {
            tracing::info!(%link, "under maintenance");
            for direction in Direction::BOTH {
                self.begin_rest(link, direction, now);
            }
        }
        for link in &ended {
            tracing::info!(%link, "maintenance is over");
            if let Err(error) = self.measure_anew(link, now) {
                tracing::error!(%link, error = %format!("{error:#}"), "a link is not measured anew");
            }
        }
        for link in began.iter().chain(&ended) {
            for direction in Direction::BOTH {
                self.publish_link(link, direction);
            }
        }
        // What was open and moves such a link is superseded there.
        self.plan_due = true;
    }

    fn begin_rest(&mut self, link: &LinkName, direction: Direction, now: UnixMillis) {
        let key = (link.clone(), direction);
        let Some(finding) = self.watches.all.get(&key).and_then(|watch| watch.assessor.standing().cloned()) else {
            return;
        };
        if let Err(error) = self.take_verdict(link, direction, Verdict::Cleared(finding, Ending::Maintenance), now) {
            tracing::error!(%link, %direction, ?error, "a finding could not be closed");
        }
        match Assessor::new(link.clone(), direction, self.config.assess) {
            Ok(assessor) => {
                if let Some(watch) = self.watches.all.get_mut(&key) {
                    watch.assessor = assessor;
                }
            }
            Err(problems) => tracing::error!(%link, %problems, "a link cannot be judged"),
        }
    }

    fn measure_anew(&mut self, name: &LinkName, now: UnixMillis) -> anyhow::Result<()> {
        let Some(inventory) = self.inventory.clone() else { return Ok(()) };
        let Some(link) = inventory.link(name) else { return Ok(()) };
        let settings = window_settings(&self.config.readings);
        for direction in Direction::BOTH {
            let key = (name.clone(), direction);
            let mut fresh: Watch = self.watch(&inventory, link, direction, settings, now)?;
            if let Some(reading) = self.watches.all.get_mut(&key).and_then(|old| old.observed.take()) {
                fresh.window.set_ceiling(now, ceiling(&reading));
                fresh.observed = Some(reading);
            }
            self.watches.all.insert(key, fresh);
        }
        Ok(())
    }
}

/// What counts as its ceiling; zero is no limit.
pub(super) fn ceiling(reading: &QueueReading) -> BitsPerSec {
    if reading.disabled { BitsPerSec::ZERO } else { reading.mir }
}
