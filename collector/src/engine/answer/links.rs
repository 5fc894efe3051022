//! Links, a row for each direction: what is on record, what is measured, and one state with its reason.

use takar_collector_core::{
    assess::FindingKind,
    inventory::{Link, LinkName},
};
use takar_shared::{Direction, telemetry::PollOutcome};

use super::devices::outcome_word;
use crate::{engine::Engine, view::LinkView};

impl Engine {
    pub(super) fn link_views(&self) -> Vec<LinkView> {
        let links = self.inventory.iter().flat_map(|inventory| inventory.links());
        links
            .flat_map(|link| Direction::BOTH.map(|direction| self.link_view(&link.name, direction)))
            .flatten()
            .collect()
    }

    pub(in crate::engine) fn link_view(&self, name: &LinkName, direction: Direction) -> Option<LinkView> {
        let link = self.inventory.as_ref()?.link(name)?;
        let watch = self.watches.get(name, direction)?;
        let newest = watch.window.readings().rev().find(|reading| reading.valid);
        let served = watch.demand().served;
        let (state, why) = self.link_state(link, direction);
        let device = self.device(link.device.as_str()).map(|(_, device)| device);
        Some(LinkView {
            link: name.as_str().into(),
            site: link.site.as_str().into(),
            uplink: link.uplink.as_str().into(),
            device: link.device.as_str().into(),
            direction: direction.as_str().into(),
            recorded_bps: self.recorded(link, direction).0,
            observed_bps: watch.observed.as_ref().map(|reading| reading.mir.0),
            cir_bps: link.side(direction).cir.map(|cir| cir.0),
            used_bps: newest.and_then(|reading| reading.mean()).map(|mean| mean.0),
            p95_bps: served.map(|load| load.p95.0),
            peak_bps: served.map(|load| load.peak.0),
            utilisation_per_mille: newest.and_then(|reading| reading.utilisation_per_mille()),
            state: state.into(),
            why,
            poll: outcome_word(device.and_then(|device| device.outcome)).into(),
            read_at: newest.map(|reading| reading.start.0),
        })
    }

    fn link_state(&self, link: &Link, direction: Direction) -> (&'static str, String) {
        let Some((agent, device)) = self.device(link.device.as_str()) else {
            return ("not-reported", format!("no enrolled agent has reported device {}", link.device));
        };
        let changing = self.changes.values().find(|change| {
            !change.state.is_final()
                && change.moves.iter().any(|one| one.link == link.name && one.set.direction == direction)
        });
        if let Some(change) = changing {
            return ("changing", format!("change {} is {}", change.id, change.state));
        }
        if agent.distrusted.is_some() {
            return ("not-measured", format!("agent {} is in quarantine: see takar status", agent.record.name));
        }
        if !agent.online {
            return ("not-measured", format!("agent {} is offline", agent.record.name));
        }
        match device.outcome {
            Some(PollOutcome::Ok) | None => {}
            Some(outcome) => {
                return (
                    "not-measured",
                    format!("the last poll of {} ended in: {}", device.name, outcome_word(Some(outcome))),
                );
            }
        }
        if self.is_drifted(link, direction) {
            let observed = self.observed(&link.name, direction).unwrap_or_default();
            return (
                "drifted",
                format!("{} is on record, the device reads back {observed}", self.recorded(link, direction)),
            );
        }
        let Some(watch) = self.watches.get(&link.name, direction) else {
            return ("not-measured", "not watched".into());
        };
        if let Some(record) = watch.finding.and_then(|id| self.findings.get(&id)) {
            let mut why = record.finding.to_string();
            let reasons = self.reasons.get(&(link.uplink.clone(), direction));
            let own = reasons.and_then(|reasons| reasons.iter().find(|(name, _)| *name == link.name));
            if let Some((_, reason)) = own {
                why = format!("{why} No proposal: {reason}");
            }
            let state = match record.finding.kind {
                FindingKind::Shortage => "shortage",
                FindingKind::Surplus => "idle",
                FindingKind::NotMeasured => "not-measured",
            };
            return (state, why);
        }
        match &watch.no_finding {
            Some(why) => ("fits", why.to_string()),
            None => ("not-measured", "no complete reading yet".into()),
        }
    }
}
