//! Look: the readings that may speak about a link, and what they say.

use alloc::vec::Vec;
use takar_shared::{BitsPerSec, UnixMillis};

use super::{
    AssessSettings,
    finding::{Dropped, Evidence, Matching, ReadingSeen, WhyDropped},
    verdict::NoFinding,
};
use crate::{
    demand::{DemandSettings, reading_demand},
    window::{Load, Reading, Window},
};

pub(super) struct Look<'a> {
    settings: &'a AssessSettings,
    /// In force at the end of the newest reading.
    pub(super) ceiling: Option<BitsPerSec>,
    /// Oldest first, at most `window`; all under `ceiling`.
    used: Vec<(ReadingSeen, Reading)>,
    dropped: Vec<Dropped>,
    /// Valid ones among the newest `window` readings, whatever their ceiling.
    pub(super) measured: usize,
    /// Where the newest `window` readings are all invalid: the start of the first in that row.
    pub(super) unmeasured_since: Option<UnixMillis>,
}

impl<'a> Look<'a> {
    pub(super) fn at(window: &Window, settings: &'a AssessSettings) -> Self {
        let ceiling = window.newest().and_then(|reading| reading.ceiling);
        let (mut used, mut dropped) = (Vec::new(), Vec::new());
        for reading in window.readings().rev().take(settings.look_back) {
            if used.len() >= settings.window {
                break;
            }
            match usable(reading, ceiling, settings) {
                Ok(seen) => used.push((seen, *reading)),
                Err(why) => dropped.push(Dropped { start: reading.start, why }),
            }
        }
        used.reverse();
        dropped.reverse();
        let invalid = window.readings().rev().take_while(|reading| !reading.valid);
        let unmeasured_since = match invalid.clone().count() {
            few if few < settings.window => None,
            _ => invalid.last().map(|reading| reading.start),
        };
        let measured = window.readings().rev().take(settings.window).filter(|reading| reading.valid).count();
        Self { settings, ceiling, used, dropped, measured, unmeasured_since }
    }

    /// When a shortage began, if there is one.
    pub(super) fn shortage(&self) -> Result<UnixMillis, NoFinding> {
        let settings = self.settings;
        let (have, need) = (self.used.len(), settings.saturated_count);
        let (Some((newest, _)), Some(highest_per_mille)) = (self.used.last(), self.shares().max()) else {
            return Err(NoFinding::NotEnoughReadings { have, need });
        };
        if have < need {
            return Err(NoFinding::NotEnoughReadings { have, need });
        }
        let (count, per_mille) = (self.saturated().count(), settings.saturated_per_mille);
        let since = match self.saturated().next() {
            Some((first, _)) if count >= need => first.start,
            _ => return Err(NoFinding::BelowThreshold { count, need, per_mille }),
        };
        if newest.utilisation_per_mille < per_mille {
            let newest_per_mille = newest.utilisation_per_mille;
            return Err(NoFinding::NewestBelow { newest_per_mille, need_per_mille: per_mille });
        }
        if highest_per_mille < settings.peak_per_mille {
            return Err(NoFinding::NoPeak { highest_per_mille, need_per_mille: settings.peak_per_mille });
        }
        let counters = || self.saturated().filter_map(|(_, reading)| reading.queue);
        if settings.require_queue_evidence && counters().next().is_some() {
            let count = counters().filter(|queue| queue.shows_pressure()).count();
            let need = need.div_ceil(2);
            if count < need {
                return Err(NoFinding::Uncorroborated { count, need });
            }
        }
        Ok(since)
    }

    /// When a surplus began, if there is one: all of a full window is idle.
    pub(super) fn surplus(&self) -> Option<UnixMillis> {
        let full = self.used.len() >= self.settings.window;
        let idle = self.shares().all(|share| share < self.settings.idle_per_mille);
        self.used.first().filter(|_| full && idle).map(|(first, _)| first.start)
    }

    /// Are there `clear_count` readings, and do the shares of the newest so many all match?
    pub(super) fn newest_are(&self, matches: impl Fn(u32) -> bool) -> bool {
        let need = self.settings.clear_count;
        self.used.len() >= need && self.shares().rev().take(need).all(matches)
    }

    pub(super) fn newest_share(&self) -> Option<u32> {
        self.shares().next_back()
    }

    /// What the saturated readings want on the mean, beyond the ceiling; `None` where none is saturated.
    pub(super) fn lacking(&self, ceiling: BitsPerSec) -> Option<BitsPerSec> {
        // At the edge of saturation a link is held back as well: the shaper's overhead hides the rest.
        let settings = DemandSettings {
            pinned_per_mille: self.settings.saturated_per_mille,
            implausible_per_mille: self.settings.implausible_per_mille,
            ..DemandSettings::default()
        };
        let wanted: Vec<BitsPerSec> = self
            .saturated()
            .filter_map(|(_, reading)| reading_demand(reading, &settings))
            .map(|demand| demand.rate)
            .collect();
        Load::of(&wanted).map(|load| load.mean.saturating_sub(ceiling))
    }

    /// What the ceiling leaves above the 95th percentile; `None` without readings.
    pub(super) fn unused(&self, ceiling: BitsPerSec) -> Option<BitsPerSec> {
        self.load().map(|load| ceiling.saturating_sub(load.p95))
    }

    pub(super) fn evidence(&self, judged_at: UnixMillis, matching: Option<Matching>) -> Evidence {
        Evidence {
            judged_at,
            ceiling: self.ceiling,
            matching,
            readings: self.used.iter().map(|(seen, _)| *seen).collect(),
            load: self.load(),
            queue: self.used.iter().filter_map(|(_, reading)| reading.queue).reduce(|sum, queue| sum.and(queue)),
            dropped: self.dropped.clone(),
        }
    }

    /// How many readings used are at that share or more.
    pub(super) fn at_or_above(&self, per_mille: u32) -> Matching {
        Matching { readings: self.shares().filter(|share| *share >= per_mille).count(), per_mille }
    }

    /// How many readings used are below that share.
    pub(super) fn below(&self, per_mille: u32) -> Matching {
        Matching { readings: self.shares().filter(|share| *share < per_mille).count(), per_mille }
    }

    fn shares(&self) -> impl DoubleEndedIterator<Item = u32> {
        self.used.iter().map(|(seen, _)| seen.utilisation_per_mille)
    }

    fn saturated(&self) -> impl Iterator<Item = &(ReadingSeen, Reading)> {
        let least = self.settings.saturated_per_mille;
        self.used.iter().filter(move |(seen, _)| seen.utilisation_per_mille >= least)
    }

    fn load(&self) -> Option<Load> {
        let means: Vec<BitsPerSec> = self.used.iter().map(|(seen, _)| seen.mean).collect();
        Load::of(&means)
    }
}

fn usable(
    reading: &Reading,
    ceiling: Option<BitsPerSec>,
    settings: &AssessSettings,
) -> Result<ReadingSeen, WhyDropped> {
    let Reading { covered_ms, length_ms, .. } = *reading;
    if reading.broken {
        return Err(WhyDropped::Discontinuity);
    }
    if !reading.valid && covered_ms > length_ms {
        return Err(WhyDropped::CountedTwice);
    }
    let Some(mean) = reading.mean().filter(|_| reading.valid) else {
        return Err(WhyDropped::NotCovered { covered_ms, length_ms });
    };
    if reading.gap_before {
        return Err(WhyDropped::AfterGap);
    }
    if reading.ceiling_changed {
        return Err(WhyDropped::CeilingChanged);
    }
    // What a link does under one ceiling does not say that another one is too small.
    if let Some(other) = reading.ceiling.filter(|other| Some(*other) != ceiling) {
        return Err(WhyDropped::OtherCeiling(other));
    }
    match reading.utilisation_per_mille() {
        None => Err(WhyDropped::CeilingUnknown),
        Some(per_mille) if per_mille > settings.implausible_per_mille => Err(WhyDropped::Implausible { per_mille }),
        Some(utilisation_per_mille) => Ok(ReadingSeen { start: reading.start, mean, utilisation_per_mille }),
    }
}
