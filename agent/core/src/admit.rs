//! Whether an authentic command may be carried out. Every bound here is the router's own.

use alloc::vec::Vec;
use takar_shared::{
    BitsPerSec, Name, UnixMillis,
    birth::{Bound, Mode},
    command::Command,
    queue::{QueueReading, Setting, queue_digest},
    receipt::Refusal,
};

use crate::grant::Granted;

/// What the person who enrolled the device allows. Never from the collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceLimits {
    pub device: Name,
    pub bounds: Vec<Bound>,
    pub changes_per_hour: u16,
    /// Does the backend have a guarantee (cir) beside the ceiling?
    pub has_cir: bool,
}

/// What is known at the moment a command is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Situation {
    pub mode: Mode,
    pub granted: Option<Granted>,
    pub keyset_version: u32,
}

const HOUR_MS: u64 = 3_600_000;

/// `recent` are the acceptance times (upper bounds) of earlier changes. `queues` is `None` where
/// they could not be read.
pub fn admit(
    command: &Command,
    limits: &DeviceLimits,
    situation: Situation,
    recent: &[UnixMillis],
    queues: Option<&[QueueReading]>,
) -> Result<(), Refusal> {
    if situation.mode != Mode::Live {
        return Err(Refusal::Observing);
    }
    let granted = situation.granted.ok_or(Refusal::NoGrant)?;
    if situation.keyset_version < granted.keyset_min {
        return Err(Refusal::KeysetTooOld);
    }
    if granted.now_at_most >= command.expires_at {
        return Err(Refusal::Expired);
    }
    if command.set.is_empty() || command.confirm_within_s == 0 || names_one_twice(&command.set) {
        return Err(Refusal::Malformed);
    }
    command.set.iter().try_for_each(|setting| within_bounds(setting, limits))?;
    let in_the_hour = recent.iter().filter(|at| granted.now_at_most.since(**at) < HOUR_MS).count();
    if in_the_hour >= usize::from(limits.changes_per_hour) {
        return Err(Refusal::TooManyChanges);
    }
    let queues = queues.ok_or(Refusal::QueuesUnreadable)?;
    if queue_digest(queues) != command.expects {
        return Err(Refusal::UnexpectedQueues);
    }
    if is_ineffective(&command.set, queues) {
        return Err(Refusal::Ineffective);
    }
    Ok(())
}

fn names_one_twice(set: &[Setting]) -> bool {
    set.iter().enumerate().any(|(at, one)| {
        set.iter().skip(at + 1).any(|other| one.shaper == other.shaper && one.direction == other.direction)
    })
}

/// Is any of the queues that are to be set one that shapes nothing?
pub(crate) fn is_ineffective(set: &[Setting], queues: &[QueueReading]) -> bool {
    queues.iter().any(|reading| reading.disabled && set.iter().any(|setting| reading.is_for(setting)))
}

/// Does today's config let this be set?
pub(crate) fn within_bounds(setting: &Setting, limits: &DeviceLimits) -> Result<(), Refusal> {
    let bound = limits
        .bounds
        .iter()
        .find(|bound| bound.shaper == setting.shaper && bound.direction == setting.direction)
        .ok_or(Refusal::ShaperNotAllowed)?;
    // Zero means unlimited on RouterOS; a floor of zero must not let it through as "low".
    if setting.mir < bound.floor || setting.mir == BitsPerSec::ZERO {
        return Err(Refusal::BelowFloor);
    }
    if setting.mir > bound.ceiling {
        return Err(Refusal::AboveCeiling);
    }
    match (setting.cir, limits.has_cir) {
        (None, false) => Ok(()),
        // A guarantee of zero is "none" on RouterOS (limit-at=0), and is left as it was by a re-allocation.
        (Some(cir), true) if cir == BitsPerSec::ZERO => Ok(()),
        (Some(cir), true) if cir >= bound.floor && cir <= setting.mir => Ok(()),
        _ => Err(Refusal::BadCir),
    }
}
