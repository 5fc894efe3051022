//! Assess: is this link short of bandwidth? One small state machine for each link and direction.
//!
//! ```text
//!                 ┌── shortage ──┐   4 of 6 readings ≥ 93 %, the newest too, one ≥ 97 %, and the queue agrees
//!   no finding ───┼── surplus ───┤   all of 6 readings < 50 %
//!       ▲         └ not measured ┘   none of the newest 6 readings is valid
//!       └──── cleared ────┘          3 newest readings < 85 % │ ≥ 50 %, or one ≥ 85 % │ 3 valid again
//! ```
//!
//! Opening and clearing are far apart, so that a link that wavers between them does not make a finding come and go.
//! From one finding to another the way always leads through a clearing. Readings that could deceive are dropped, each
//! with its reason: impossible ones, the first after a gap, those that a restart or a change of ceiling fell in, and
//! those taken under another ceiling: after a change a link is judged anew.

mod finding;
mod look;
mod settings;
mod verdict;

use takar_shared::{BitsPerSec, Direction, UnixMillis};

pub use finding::{Dropped, Evidence, Finding, FindingKind, Matching, ReadingSeen, WhyDropped};
pub use settings::AssessSettings;
pub use verdict::{Ending, NoFinding, Verdict};

use crate::{inventory::LinkName, setting::Problems, window::Window};
use look::Look;

#[derive(Clone, Debug)]
pub struct Assessor {
    link: LinkName,
    direction: Direction,
    settings: AssessSettings,
    standing: Option<Finding>,
}

impl Assessor {
    /// # Errors
    /// Settings that cannot be worked with.
    pub fn new(link: LinkName, direction: Direction, settings: AssessSettings) -> Result<Self, Problems> {
        settings.validate()?;
        Ok(Self { link, direction, settings, standing: None })
    }

    /// Goes on, after a restart, with a finding that stood before it.
    ///
    /// # Errors
    /// Settings that cannot be worked with.
    pub fn resume(standing: Finding, settings: AssessSettings) -> Result<Self, Problems> {
        let mut assessor = Self::new(standing.link.clone(), standing.direction, settings)?;
        assessor.standing = Some(standing);
        Ok(assessor)
    }

    /// Looks at the closed readings; call it after some were closed. The window must keep at least `look_back` of them.
    /// `now` only dates the evidence.
    pub fn update(&mut self, now: UnixMillis, window: &Window) -> Verdict {
        let settings = self.settings;
        let look = Look::at(window, &settings);
        let Some(finding) = self.standing.take() else { return self.open(now, &look) };
        if let Some(ending) = self.ending(finding.kind, &look) {
            return Verdict::Cleared(finding, ending);
        }
        let finding = self.refreshed(finding, now, &look);
        self.standing = Some(finding.clone());
        Verdict::Standing(finding)
    }

    pub fn standing(&self) -> Option<&Finding> {
        self.standing.as_ref()
    }

    fn open(&mut self, now: UnixMillis, look: &Look<'_>) -> Verdict {
        if let Some(since) = look.unmeasured_since {
            return self.opened(FindingKind::NotMeasured, since, BitsPerSec::ZERO, now, look);
        }
        let why = match (look.ceiling, look.shortage()) {
            (Some(ceiling), Ok(since)) => {
                let size = look.lacking(ceiling).unwrap_or_default();
                return self.opened(FindingKind::Shortage, since, size, now, look);
            }
            (Some(_), Err(why)) => why,
            // Without a ceiling no reading is usable; before the first reading that is all there is to say.
            (None, Err(why)) if look.measured == 0 => why,
            (None, _) => NoFinding::CeilingUnknown,
        };
        let surplus = look.surplus().zip(look.ceiling.and_then(|ceiling| look.unused(ceiling)));
        match surplus {
            Some((since, size)) => self.opened(FindingKind::Surplus, since, size, now, look),
            None => Verdict::None(why),
        }
    }

    fn opened(
        &mut self,
        kind: FindingKind,
        since: UnixMillis,
        size: BitsPerSec,
        now: UnixMillis,
        look: &Look<'_>,
    ) -> Verdict {
        let evidence = look.evidence(now, self.matching(kind, look));
        let finding = Finding { link: self.link.clone(), direction: self.direction, kind, since, size, evidence };
        self.standing = Some(finding.clone());
        Verdict::Opened(finding)
    }

    /// Why a finding is over, if it is.
    fn ending(&self, kind: FindingKind, look: &Look<'_>) -> Option<Ending> {
        let AssessSettings { clear_count: readings, clear_per_mille, idle_per_mille, .. } = self.settings;
        if kind == FindingKind::NotMeasured {
            return (look.measured >= readings).then_some(Ending::Measured { readings });
        }
        if look.unmeasured_since.is_some() {
            return Some(Ending::NotMeasured);
        }
        // Right after a restart there is no reading yet, which says nothing about the ceiling.
        if look.ceiling.is_none() {
            return (look.measured > 0).then_some(Ending::CeilingUnknown);
        }
        if kind == FindingKind::Shortage {
            let relieved = look.newest_are(|share| share < clear_per_mille);
            return relieved.then_some(Ending::Relieved { readings, below_per_mille: clear_per_mille });
        }
        // What is left unused may be given away, so a link that wants it again is believed at once.
        if look.newest_share().is_some_and(|share| share >= clear_per_mille) {
            return Some(Ending::InUse { readings: 1, from_per_mille: clear_per_mille });
        }
        let in_use = look.newest_are(|share| share >= idle_per_mille);
        in_use.then_some(Ending::InUse { readings, from_per_mille: idle_per_mille })
    }

    /// The same finding on the newest evidence.
    fn refreshed(&self, mut finding: Finding, now: UnixMillis, look: &Look<'_>) -> Finding {
        let before = finding.evidence.ceiling;
        finding.size = match (finding.kind, look.ceiling) {
            (FindingKind::NotMeasured, _) => BitsPerSec::ZERO,
            // Right after a restart: what was known then still is all that is known.
            (_, None) => return finding,
            // A raise that was just made must not be asked for again before it shows,
            (FindingKind::Shortage, Some(ceiling)) => look
                .lacking(ceiling)
                .unwrap_or_else(|| before.unwrap_or(ceiling).saturating_add(finding.size).saturating_sub(ceiling)),
            // and a cut must not be taken twice.
            (FindingKind::Surplus, Some(ceiling)) => look.unused(ceiling).unwrap_or_else(|| {
                let used = before.unwrap_or(ceiling).saturating_sub(finding.size);
                ceiling.saturating_sub(used)
            }),
        };
        finding.evidence = look.evidence(now, self.matching(finding.kind, look));
        finding
    }

    fn matching(&self, kind: FindingKind, look: &Look<'_>) -> Option<Matching> {
        match kind {
            FindingKind::Shortage => Some(look.at_or_above(self.settings.saturated_per_mille)),
            FindingKind::Surplus => Some(look.below(self.settings.idle_per_mille)),
            FindingKind::NotMeasured => None,
        }
    }
}

#[cfg(test)]
mod tests;
