//! What keeps a link out of plans for now, whatever it has and wants.

use super::HoldReason;
use crate::inventory::LinkMode;

/// How a link stands in one direction, beside its rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// A change of it is under way.
    pub changing: bool,
    /// It is worked on.
    pub resting: bool,
    pub mode: LinkMode,
    /// Its agent takes changes and lists its shaper.
    pub commanded: bool,
    /// Its device did not answer the last poll, or not all of it: what was measured may be old, and no change could be
    /// seen to hold.
    pub unanswered: bool,
    /// Its ceiling was read back.
    pub read: bool,
    /// What was read back is not what is on record.
    pub drifted: bool,
    /// Its traffic passes its queue by, or its queue shapes nothing.
    pub bypassed: bool,
    /// How long it is still left alone after its last change.
    pub rests_ms: u64,
}

impl Standing {
    /// The gravest reason why it must neither give nor get, if there is one.
    pub fn hold(&self) -> Option<HoldReason> {
        let reasons = [
            (self.changing, HoldReason::PendingChange),
            (self.resting, HoldReason::Maintenance),
            (self.mode == LinkMode::Observe, HoldReason::Observed),
            (!self.commanded, HoldReason::NotLive),
            (self.unanswered, HoldReason::NotPolled),
            (!self.read, HoldReason::Unread),
            (self.bypassed, HoldReason::Bypassed),
            (self.drifted, HoldReason::Drifted),
        ];
        let first = reasons.into_iter().find(|(holds, _)| *holds).map(|(_, reason)| reason);
        let rests = || HoldReason::CoolDown { left_s: u32::try_from(self.rests_ms.div_ceil(1000)).unwrap_or(u32::MAX) };
        first.or_else(|| (self.rests_ms > 0).then(rests))
    }
}
