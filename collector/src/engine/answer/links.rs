//! Links, a row for each direction: what is on record, what is measured, and one state with its reason.

use takar_collector_core::{
    assess::{FindingKind, NoFinding},
    inventory::{Link, LinkMeter, LinkMode, LinkName},
    passing::Bypass,
};
use takar_shared::{
    Direction,
    birth::{DeviceBirth, Meter},
    telemetry::PollOutcome,
};

use super::devices::outcome_word;
use crate::{
    engine::{Agent, Engine},
    view::LinkView,
};

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
        let (state, mut why) = self.link_state(link, direction);
        let mode = self.mode_of(name);
        if mode == LinkMode::Observe {
            why = format!("{}. It is only observed, by its mode", why.trim_end_matches('.'));
        }
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
            mode: mode.to_string(),
            read_at: newest.map(|reading| reading.start.0),
        })
    }

    fn link_state(&self, link: &Link, direction: Direction) -> (&'static str, String) {
        if let Some(maintenance) = self.maintenances.of(&link.name) {
            return ("maintenance", format!("under maintenance {}", self.maintenance_told(maintenance)));
        }
        let Some((agent, device)) = self.device(link.device.as_str()) else {
            return ("not-reported", format!("no enrolled agent has reported device {}", link.device));
        };
        if let Some(change) = self.change_of(&link.name, direction) {
            return ("changing", format!("change {} is {}", change.id, change.state));
        }
        if agent.quarantine.is_some() {
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
        if let Some(why) = unreported(agent, link, direction) {
            return ("not-measured", why);
        }
        if self.shapes_nothing(&link.name, direction) {
            let why = "its queue shapes nothing: disabled, invalid or passed by (RouterOS: FastTrack, a queue before it); \
                       the agent's log says which";
            return ("drifted", why.into());
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
        if let Some(Bypass { on_link, through_queue }) = watch.bypass() {
            let why = format!(
                "its traffic does not pass its queue: {on_link} on the link, {through_queue} through the queue; what is set \
                 there has no effect"
            );
            return ("drifted", why);
        }
        if let Some(record) = watch.finding.and_then(|id| self.findings.get(&id)) {
            let mut why = record.finding.to_string();
            let reasons = self.reasons.get(&(link.uplink.clone(), direction));
            let own = reasons.and_then(|reasons| reasons.iter().find(|(name, _)| *name == link.name));
            if let Some((_, reason)) = own {
                why = format!("{why}. No proposal: {reason}");
            }
            let state = match record.finding.kind {
                FindingKind::Shortage => "shortage",
                FindingKind::Surplus => "idle",
                FindingKind::NotMeasured => "not-measured",
            };
            return (state, why);
        }
        let measured = watch.window.readings().any(|reading| reading.valid);
        match &watch.no_finding {
            Some(why) if measured && *why != NoFinding::CeilingUnknown => ("fits", why.to_string()),
            Some(why) => ("not-measured", why.to_string()),
            None => ("not-measured", "no complete reading yet".into()),
        }
    }
}

/// What the link is measured by and its agent does not report, told for people. The inventory or the agent's config
/// names something else.
fn unreported(agent: &Agent, link: &Link, direction: Direction) -> Option<String> {
    let born = agent.birth.as_ref()?;
    let device = born.birth.devices.iter().find(|device| device.device == link.device)?;
    lacks(device, link, direction).map(|what| {
        let (name, device) = (&agent.record.name, &link.device);
        format!("agent {name} reports no {what} of {device}; expected what its config and the inventory both name")
    })
}

fn lacks(device: &DeviceBirth, link: &Link, direction: Direction) -> Option<String> {
    let shaper = &link.side(direction).shaper;
    let counted = device.meters.contains(&Meter::Shaper { shaper: shaper.clone(), direction });
    let interface = match &link.meter {
        LinkMeter::Interface(name) => Some(name),
        LinkMeter::Queues => None,
    };
    let missing = interface.filter(|name| !device.meters.contains(&Meter::Interface((*name).clone())));
    // Without the queue there is no ceiling to measure against.
    let bounded = device.bounds.iter().any(|bound| bound.shaper == *shaper && bound.direction == direction);
    match (missing, counted || (bounded && interface.is_some())) {
        (None, true) => None,
        (Some(interface), true) => Some(format!("interface {interface}")),
        (None, false) => Some(shaper.to_string()),
        (Some(interface), false) => Some(format!("interface {interface} and no {shaper}")),
    }
}

#[cfg(test)]
mod tests {
    use takar_shared::{
        BitsPerSec, Digest, Serial,
        birth::{Bound, DeviceState},
        id,
        queue::Shaper,
    };

    use super::*;

    fn link(interface: &str) -> Link {
        let text = format!(
            "[[provider]]\nname = \"isp\"\ntitle = \"ISP\"\n[[uplink]]\nname = \"u\"\nprovider = \"isp\"\ndown_bps = 80\n\
             up_bps = 80\n[[site]]\nname = \"s\"\ntitle = \"S\"\n[[link]]\nname = \"l\"\nsite = \"s\"\nuplink = \"u\"\n\
             device = \"core-1\"\n{interface}\n[link.down]\nqueue = \"sd-02\"\ncir_bps = 8\nmir_bps = 8\n[link.up]\n\
             queue = \"sd-02\"\ncir_bps = 8\nmir_bps = 8\n"
        );
        crate::register::parse(&text).unwrap().inventory.links()[0].clone()
    }

    /// A device with these meters, and with `bounded` queues on its allow-list.
    fn device(meters: Vec<Meter>, bounded: &[&str]) -> DeviceBirth {
        let bound = |queue: &&str| Bound {
            shaper: Shaper::Queue(id::name(queue).unwrap()),
            direction: Direction::Down,
            floor: BitsPerSec(8),
            ceiling: BitsPerSec(80),
        };
        let name = id::name("core-1").unwrap();
        let state = DeviceState {
            device: name.clone(),
            last_serial: Serial(0),
            pending: None,
            receipt_head: Digest([0; 32]),
            queues: None,
            keyset_version: 1,
        };
        DeviceBirth { device: name, meters, bounds: bounded.iter().map(bound).collect(), changes_per_hour: 1, state }
    }

    #[test]
    fn what_a_device_does_not_report_is_named() {
        let ether1 = || Meter::Interface(id::name("ether1").unwrap());
        let shaper = || Shaper::Queue(id::name("sd-02").unwrap());
        let queue = || Meter::Shaper { shaper: shaper(), direction: Direction::Down };
        let (by_interface, by_queue) = (link("interface = \"ether1\""), link(""));
        let lacks = |link: &Link, meters: Vec<Meter>, bounded: &[&str]| {
            lacks(&device(meters, bounded), link, Direction::Down).unwrap_or_default()
        };
        assert_eq!(lacks(&by_interface, vec![ether1(), queue()], &["sd-02"]), "");
        assert_eq!(lacks(&by_interface, vec![ether1()], &["sd-02"]), "");
        assert_eq!(lacks(&by_interface, vec![ether1()], &["sd-03"]), "queue sd-02");
        assert_eq!(lacks(&by_interface, vec![queue()], &["sd-02"]), "interface ether1");
        assert_eq!(lacks(&by_interface, vec![], &[]), "interface ether1 and no queue sd-02");
        assert_eq!(lacks(&by_queue, vec![queue()], &[]), "");
        assert_eq!(lacks(&by_queue, vec![ether1()], &["sd-02"]), "queue sd-02");
        // The other direction is another queue.
        let up = Meter::Shaper { shaper: shaper(), direction: Direction::Up };
        assert_eq!(lacks(&by_queue, vec![up], &[]), "queue sd-02");
    }
}
