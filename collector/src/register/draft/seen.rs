//! Devices as they were seen, whoever saw them: enrolled agents first, then probes.

use std::collections::{BTreeMap, BTreeSet};

use takar_shared::{Direction, queue::ClassId};

use super::{name, probe, probe::Probe};
use crate::view::{ReportedShaper, ReportedView};

/// As long as a device's own name may be, in bytes.
const LONGEST: usize = 64;

pub struct Device {
    pub name: String,
    /// For people, a line each.
    pub about: Vec<String>,
    pub interfaces: Vec<Interface>,
    pub queues: Vec<Queue>,
}

pub struct Interface {
    pub name: String,
    /// Whatever else it is called.
    pub hint: String,
    pub is_down: bool,
    pub speed_bps: Option<u64>,
}

/// What shapes one direction.
#[derive(Clone)]
pub struct Queue {
    pub shaper: Shaper,
    pub direction: Option<Direction>,
    pub cir_bps: Option<u64>,
    /// In force; 0 is unlimited, `None` not read.
    pub mir_bps: Option<u64>,
    pub burst_bps: u64,
    /// Floor and ceiling in the agent's own config.
    pub bounds: Option<(u64, u64)>,
    /// It cannot be written down as it is.
    pub unusable: bool,
    pub doubts: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shaper {
    Queue(String),
    Class { class: String, interface: String },
    Root(String),
}

impl Shaper {
    pub fn interface(&self) -> Option<&str> {
        match self {
            Self::Queue(_) => None,
            Self::Class { interface, .. } | Self::Root(interface) => Some(interface),
        }
    }
}

/// By name, each once.
pub fn devices(reported: &[ReportedView], probes: &[Probe]) -> Vec<Device> {
    let mut devices: BTreeMap<String, Device> = BTreeMap::new();
    for view in reported {
        devices.insert(view.device.clone(), of_agent(view));
    }
    let own_names = || probes.iter().map(|probe| name::plain(own_name(probe), ""));
    for probe in probes {
        let own = name::plain(own_name(probe), "");
        let host = probe.target.rsplit_once(':').map_or(probe.target.as_str(), |(host, _)| host);
        // Sixty routers may all be called as they came from the factory.
        let is_shared = own_names().filter(|other| *other == own).count() > 1;
        let called = match (own.is_empty(), is_shared) {
            (true, _) => name::plain(&format!("device-{host}"), "device"),
            (false, true) => name::plain(&format!("{own}-{host}"), "device"),
            (false, false) => own,
        };
        let seen = of_probe(probe, &called);
        match devices.get_mut(&called) {
            Some(known) => merge(known, seen),
            None => {
                devices.insert(called, seen);
            }
        }
    }
    devices.into_values().collect()
}

fn own_name(probe: &Probe) -> &str {
    probe.identity.sys_name.as_deref().unwrap_or_default()
}

fn of_agent(view: &ReportedView) -> Device {
    let interface = |one: &crate::view::ReportedInterface| Interface {
        name: one.name.clone(),
        hint: String::new(),
        is_down: one.oper.as_deref() == Some("down"),
        speed_bps: one.speed_bps,
    };
    Device {
        name: view.device.clone(),
        about: vec![format!("device {}, as agent {} reports it", view.device, view.agent)],
        interfaces: view.interfaces.iter().map(interface).collect(),
        queues: view.shapers.iter().map(of_shaper).collect(),
    }
}

fn of_shaper(one: &ReportedShaper) -> Queue {
    let shaper = match (one.kind.as_str(), &one.interface) {
        ("class", Some(interface)) => Shaper::Class { class: one.name.clone(), interface: interface.clone() },
        ("root", _) => Shaper::Root(one.name.clone()),
        _ => Shaper::Queue(one.name.clone()),
    };
    let in_force = one.in_force.as_ref();
    let disabled = in_force.is_some_and(|set| set.disabled).then(|| "disabled: what it shapes is unlimited".to_owned());
    Queue {
        shaper,
        direction: direction(Some(one.direction.as_str())),
        cir_bps: in_force.and_then(|set| set.cir_bps),
        mir_bps: in_force.map(|set| set.mir_bps),
        burst_bps: in_force.map_or(0, |set| set.burst_bps),
        bounds: Some((one.floor_bps, one.ceiling_bps)),
        unusable: false,
        doubts: disabled.into_iter().collect(),
    }
}

fn of_probe(probe: &Probe, called: &str) -> Device {
    let descr = probe.identity.sys_descr.as_deref().unwrap_or_default();
    let mut about = vec![format!("device {called}, as probed at {}: {descr}", probe.target)];
    about.extend(probe.oddities.iter().map(|odd| format!("odd: {odd}")));
    let interface = |one: &probe::Interface| {
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        let name = one.if_name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| text(&one.if_descr));
        Interface {
            name,
            hint: format!("{} {}", text(&one.if_descr), text(&one.if_alias)),
            is_down: one.oper_status.as_deref() == Some("down"),
            speed_bps: one.high_speed_bps.filter(|speed| *speed > 0),
        }
    };
    Device {
        name: called.to_owned(),
        about,
        interfaces: probe.interfaces.iter().map(interface).filter(|one| !one.name.is_empty()).collect(),
        queues: probe.queues.iter().map(of_probed).collect(),
    }
}

fn of_probed(one: &probe::Queue) -> Queue {
    let target = one.target.clone().unwrap_or_default();
    let mut doubts = Vec::new();
    let shaper = match one.kind.as_str() {
        "htb" => Shaper::Class { class: one.name.clone(), interface: target },
        "cake" => Shaper::Root(if target.is_empty() { one.name.clone() } else { target }),
        kind => {
            match kind {
                "simple" => {}
                "tree" => doubts.push("a queue tree: agents of this version set simple queues only".into()),
                kind => doubts.push(format!("a queue of the kind {kind}, which is not known here")),
            }
            Shaper::Queue(one.name.clone())
        }
    };
    let fits = |text: &str| !text.is_empty() && text.len() <= LONGEST;
    let unusable = match &shaper {
        Shaper::Class { class, interface } => ClassId::parse(class).is_none() || !fits(interface),
        Shaper::Queue(name) | Shaper::Root(name) => !fits(name),
    };
    let said = [
        (unusable, "its name or interface is not what a register can hold"),
        (one.disabled, "disabled: what it shapes is unlimited"),
        (one.dynamic, "dynamic: it goes when whoever made it ends it, and cannot be set"),
        (one.invalid, "invalid: the device itself does not use it"),
    ];
    doubts.extend(said.into_iter().filter(|(holds, _)| *holds).map(|(_, why)| why.to_owned()));
    Queue {
        shaper,
        direction: direction(one.direction.as_deref()),
        cir_bps: one.cir_bps,
        mir_bps: one.mir_bps,
        burst_bps: 0,
        bounds: None,
        unusable,
        doubts,
    }
}

/// What an agent says counts; a probe adds what the agent was not told of.
fn merge(known: &mut Device, seen: Device) {
    known.about.extend(seen.about);
    for interface in seen.interfaces {
        match known.interfaces.iter_mut().find(|one| one.name == interface.name) {
            Some(one) => {
                one.speed_bps = one.speed_bps.or(interface.speed_bps);
                one.hint.push_str(&interface.hint);
            }
            None => known.interfaces.push(interface),
        }
    }
    let listed: BTreeSet<Shaper> = known.queues.iter().map(|queue| queue.shaper.clone()).collect();
    for mut queue in seen.queues.into_iter().filter(|queue| !listed.contains(&queue.shaper)) {
        queue.doubts.push("the agent's config does not list it".into());
        known.queues.push(queue);
    }
}

fn direction(text: Option<&str>) -> Option<Direction> {
    Direction::BOTH.into_iter().find(|direction| Some(direction.as_str()) == text)
}
