//! Needs on record that no allocation meets: each opens a case, which a person verifies.

use takar_collector_core::{
    case::{CaseId, Kind, Opening, Origin, Outcome},
    inventory::{LinkName, UplinkName},
    ledger::Actor,
};
use takar_shared::{BitsPerSec, Direction, UnixMillis};

use crate::engine::Engine;

/// A need that is larger than what is on record for it.
pub(in crate::engine) struct Unmet {
    pub name: String,
    pub letter: Option<String>,
    pub link: LinkName,
    pub uplink: UplinkName,
    pub direction: Direction,
}

impl Engine {
    pub(super) fn open_for_needs(&mut self, now: UnixMillis) {
        for unmet in self.unmet_needs(now) {
            let is_gathered = self.cases.gathering(&unmet.uplink, unmet.direction).is_some();
            if is_gathered || self.maintenances.rests(&unmet.link) || self.is_told(&unmet) {
                continue;
            }
            let opening = Opening {
                kind: Kind::Reallocation,
                uplink: unmet.uplink,
                direction: unmet.direction,
                links: vec![unmet.link],
                origin: Origin::Need { name: unmet.name.clone(), letter: unmet.letter },
                loan: None,
            };
            let opened = self.open_case(opening, Actor::Takar, now).and_then(|id| self.check_case(id, now));
            if let Err(error) = opened {
                tracing::error!(need = unmet.name, ?error, "no case could be opened for a need");
            }
        }
    }

    /// A case answered this need already, and it has not been met since.
    fn is_told(&self, unmet: &Unmet) -> bool {
        let Ok(cases) = self.store.cases(500) else { return true };
        let of_it = |id: &CaseId| self.cases.get(*id).is_some();
        let mut same = cases.iter().filter(|case| {
            matches!(&case.origin, Origin::Need { name, .. } if *name == unmet.name)
                && case.direction == unmet.direction
                && case.uplink == unmet.uplink
        });
        same.any(|case| of_it(&case.id) || case.outcome != Some(Outcome::Allocated))
    }

    /// In force at present, link by link.
    pub(in crate::engine) fn unmet_needs(&self, now: UnixMillis) -> Vec<Unmet> {
        let Some(inventory) = &self.inventory else { return Vec::new() };
        let today = self.today(now);
        let mut unmet = Vec::new();
        for need in inventory.needs().iter().filter(|need| need.in_force(today)) {
            let of_site: Vec<_> = inventory
                .links()
                .iter()
                .filter(|link| link.site == need.site && need.link.as_ref().is_none_or(|name| *name == link.name))
                .collect();
            for direction in Direction::BOTH {
                let Some(rate) = need.rate(direction) else { continue };
                let allocated: BitsPerSec = of_site.iter().map(|link| self.recorded(link, direction)).sum();
                let Some(link) = of_site.first().filter(|_| allocated < rate) else { continue };
                unmet.push(Unmet {
                    name: need.name.to_string(),
                    letter: need.letter.clone(),
                    link: link.name.clone(),
                    uplink: link.uplink.clone(),
                    direction,
                });
            }
        }
        unmet
    }
}
