//! What devices have, as their agents' newest Births, states and facts say.

use takar_shared::{
    birth::{Bound, DeviceBirth, Meter, QueueSet},
    facts::Switch,
    queue::Shaper,
};

use crate::{
    engine::{Agent, Engine},
    view::{InForce, ReportedInterface, ReportedShaper, ReportedView},
};

impl Engine {
    pub(super) fn reported_views(&self) -> Vec<ReportedView> {
        let born = self.enrolled().filter_map(|agent| Some((agent, agent.birth.as_ref()?)));
        let devices = born.flat_map(|(agent, born)| born.birth.devices.iter().map(move |device| (agent, device)));
        devices.map(|(agent, device)| self.reported(agent, device)).collect()
    }

    fn reported(&self, agent: &Agent, born: &DeviceBirth) -> ReportedView {
        let name = born.device.as_str();
        let interfaces = born.meters.iter().filter_map(|meter| match meter {
            Meter::Interface(interface) => Some(interface),
            Meter::Shaper { .. } => None,
        });
        let interface = |interface: &takar_shared::Name| {
            let facts = self.interface(name, interface.as_str()).map(|state| &state.facts);
            let mbps = facts.and_then(|facts| facts.high_speed_mbps);
            ReportedInterface {
                name: interface.as_str().into(),
                oper: facts.map(|facts| switch(facts.oper).into()),
                speed_bps: mbps.map(|mbps| u64::from(mbps) * 1_000_000),
            }
        };
        // What was heard last; right after a start that is what the Birth said.
        let heard = agent.device(name).and_then(|device| device.state.as_ref()).unwrap_or(&born.state);
        ReportedView {
            agent: agent.record.name.clone(),
            device: name.into(),
            interfaces: interfaces.map(interface).collect(),
            shapers: born.bounds.iter().map(|bound| shaper(bound, heard.queues.as_ref())).collect(),
        }
    }
}

fn shaper(bound: &Bound, queues: Option<&QueueSet>) -> ReportedShaper {
    let (kind, name, interface) = match &bound.shaper {
        Shaper::Queue(name) => ("queue", name.as_str().to_owned(), None),
        Shaper::Class { interface, classid } => ("class", classid.to_string(), Some(interface.as_str().to_owned())),
        Shaper::Root(interface) => ("root", interface.as_str().to_owned(), None),
    };
    let readings = queues.into_iter().flat_map(|queues| &queues.readings);
    let mut own = readings.filter(|one| one.shaper == bound.shaper && one.direction == bound.direction);
    ReportedShaper {
        kind: kind.into(),
        name,
        interface,
        direction: bound.direction.as_str().into(),
        floor_bps: bound.floor.0,
        ceiling_bps: bound.ceiling.0,
        in_force: own.next().map(|one| InForce {
            cir_bps: one.cir.map(|cir| cir.0),
            mir_bps: one.mir.0,
            burst_bps: one.burst.0,
            disabled: one.disabled,
        }),
    }
}

fn switch(switch: Switch) -> &'static str {
    match switch {
        Switch::Up => "up",
        Switch::Down => "down",
        Switch::Other => "other",
        Switch::Unknown => "unknown",
    }
}
