//! Demand: what a link would carry if nothing held it back.
//!
//! Served traffic is censored at the ceiling: a pinned link shows its ceiling, not what its users want. A reading that
//! is not pinned shows the demand itself; a pinned one is lifted. With the queue's counters it is lifted by what was
//! dropped, kept between 1.1 and 2 ceilings, since dropped packets come again and their size is assumed; without them
//! by the customary 1.3 ceilings. The planner may know better from the link's own past; this is what a single reading
//! can say.

use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};
use takar_shared::BitsPerSec;

use crate::{
    rate::mean_rate,
    setting::{Checks, Problems, count},
    window::{Load, Reading, p95_rank},
};

/// A pinned link with a drop counter wants at least this much of its ceiling.
pub const LEAST_PINNED_PER_MILLE: u32 = 1_100;
/// And is not believed beyond this.
pub const MOST_PINNED_PER_MILLE: u32 = 2_000;
/// What a pinned link without a drop counter is taken to want.
pub const ASSUMED_PINNED_PER_MILLE: u32 = 1_300;

/// The demand over the readings that can be used: valid, under one ceiling, possible.
pub fn demand<'a>(readings: impl IntoIterator<Item = &'a Reading>, settings: &DemandSettings) -> Demand {
    let used: Vec<(ReadingDemand, &Reading)> = readings
        .into_iter()
        .filter_map(|reading| reading_demand(reading, settings).map(|demand| (demand, reading)))
        .collect();
    let served: Vec<BitsPerSec> = used.iter().filter_map(|(_, reading)| reading.mean()).collect();
    let mut wanted: Vec<ReadingDemand> = used.iter().map(|(demand, _)| *demand).collect();
    Demand {
        estimate: estimate(&mut wanted, settings),
        served: Load::of(&served),
        valid_readings: used.len(),
        unserved: unserved(used.iter().map(|(_, reading)| *reading), settings),
    }
}

/// The demand that one reading shows; `None` where it shows none.
pub fn reading_demand(reading: &Reading, settings: &DemandSettings) -> Option<ReadingDemand> {
    if !reading.valid || reading.ceiling_changed {
        return None;
    }
    let served = reading.mean()?;
    let Some(ceiling) = reading.ceiling else {
        // Whether something held it back cannot be told.
        return Some(ReadingDemand { rate: served, censored: true });
    };
    let share = reading.utilisation_per_mille()?;
    if share > settings.implausible_per_mille {
        return None;
    }
    if share < settings.pinned_per_mille {
        return Some(ReadingDemand { rate: served, censored: false });
    }
    let rate = match unserved([reading], settings) {
        Some(dropped) => served
            .saturating_add(dropped)
            .clamp(ceiling.per_mille(LEAST_PINNED_PER_MILLE), ceiling.per_mille(MOST_PINNED_PER_MILLE)),
        None => ceiling.per_mille(ASSUMED_PINNED_PER_MILLE),
    };
    Some(ReadingDemand { rate, censored: true })
}

/// The demand of one reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadingDemand {
    pub rate: BitsPerSec,
    /// The ceiling held it back, or no ceiling is known: the rate is an estimate from below.
    pub censored: bool,
}

/// An estimate, and the numbers it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    pub estimate: Estimate,
    /// What was carried; `None` without a usable reading.
    pub served: Option<Load>,
    pub valid_readings: usize,
    /// Dropped packets as a rate, at an assumed size; `None` without a drop counter.
    pub unserved: Option<BitsPerSec>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Estimate {
    /// The 95th percentile of the readings' means, none of which up to there was pinned.
    Known(BitsPerSec),
    /// The same over lifted readings: some were pinned, or had no known ceiling.
    AtLeast(BitsPerSec),
    Unknown(WhyUnknown),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WhyUnknown {
    NotEnoughReadings { have: usize, need: usize },
}

impl Estimate {
    pub fn rate(&self) -> Option<BitsPerSec> {
        match self {
            Self::Known(rate) | Self::AtLeast(rate) => Some(*rate),
            Self::Unknown(_) => None,
        }
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(rate) => write!(f, "{rate}"),
            Self::AtLeast(rate) => write!(f, "at least {rate}"),
            Self::Unknown(why) => write!(f, "unknown: {why}"),
        }
    }
}

impl fmt::Display for WhyUnknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEnoughReadings { have, need } => write!(f, "{have} of {need} usable readings"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemandSettings {
    /// Fewer usable readings say nothing.
    pub min_readings: usize,
    /// From here on a reading counts as pinned.
    pub pinned_per_mille: u32,
    /// A reading beyond this is an error of measurement.
    pub implausible_per_mille: u32,
    /// Drops are counted in packets; each is taken for so many octets.
    pub packet_octets: u64,
}

impl Default for DemandSettings {
    /// Packets of 1,000 octets: full-sized ones fill a queue, smaller ones are among them.
    fn default() -> Self {
        Self { min_readings: 4, pinned_per_mille: 980, implausible_per_mille: 1_050, packet_octets: 1_000 }
    }
}

impl DemandSettings {
    /// # Errors
    /// Every field that cannot be worked with.
    pub fn validate(&self) -> Result<(), Problems> {
        let mut checks = Checks::default();
        checks.between("min_readings", count(self.min_readings), 1, 10_000);
        checks.between("pinned_per_mille", self.pinned_per_mille.into(), 500, 1_000);
        checks.between("implausible_per_mille", self.implausible_per_mille.into(), 1_001, 2_000);
        checks.between("packet_octets", self.packet_octets, 64, 65_535);
        checks.finish()
    }
}

fn estimate(wanted: &mut [ReadingDemand], settings: &DemandSettings) -> Estimate {
    let (have, need) = (wanted.len(), settings.min_readings.max(1));
    wanted.sort_unstable_by_key(|demand| (demand.rate, demand.censored));
    // Nearest rank. A censored reading above it would only be higher still, which leaves the percentile as it is.
    let lower = wanted.get(..p95_rank(have)).unwrap_or_default();
    match lower.last() {
        Some(p95) if have >= need => {
            if lower.iter().any(|demand| demand.censored) {
                Estimate::AtLeast(p95.rate)
            } else {
                Estimate::Known(p95.rate)
            }
        }
        _ => Estimate::Unknown(WhyUnknown::NotEnoughReadings { have, need }),
    }
}

/// Dropped packets as a rate over the readings that have the counter; `None` where none has.
fn unserved<'a>(readings: impl IntoIterator<Item = &'a Reading>, settings: &DemandSettings) -> Option<BitsPerSec> {
    let (mut packets, mut covered_ms) = (0u64, 0u64);
    for reading in readings {
        if let Some(queue) = reading.queue {
            packets = packets.saturating_add(queue.drops);
            covered_ms = covered_ms.saturating_add(reading.covered_ms);
        }
    }
    mean_rate(packets.saturating_mul(settings.packet_octets), covered_ms)
}

#[cfg(test)]
mod tests;
