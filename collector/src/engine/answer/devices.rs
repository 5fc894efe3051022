//! Devices: those of approved agents, and the requests that wait for approval.

use takar_shared::{birth::Mode, bundle::RequestedDevice, telemetry::PollOutcome};

use crate::{
    engine::{Agent, Engine},
    view::DeviceView,
};

impl Engine {
    pub(super) fn all_device_views(&self) -> Vec<DeviceView> {
        let waiting = self.waiting_requests().into_iter().map(|request| DeviceView {
            agent: request.fingerprint,
            name: request.name,
            device: None,
            enrolment: "pending".into(),
            online: false,
            mode: None,
            software: None,
            poll: None,
            last_heard: None,
            last_serial: None,
            boot_epoch: None,
            shapers: request.devices.iter().map(|device| device.bounds.len()).sum(),
        });
        waiting.chain(self.agents.values().flat_map(|agent| self.device_views(agent))).collect()
    }

    pub(in crate::engine) fn device_views(&self, agent: &Agent) -> Vec<DeviceView> {
        let born = agent.birth.as_ref();
        let view = |device: &RequestedDevice| {
            let live = agent.device(&device.device);
            DeviceView {
                agent: agent.record.id.to_string(),
                name: agent.record.name.clone(),
                device: Some(device.device.clone()),
                enrolment: enrolment_word(agent).into(),
                online: agent.online,
                mode: agent.mode().map(|mode| if mode == Mode::Live { "live" } else { "observe" }.into()),
                software: born.map(|born| born.birth.software.as_str().into()),
                poll: live.and_then(|live| live.outcome).map(|outcome| outcome_word(Some(outcome)).into()),
                last_heard: agent.last_heard.map(|at| at.0),
                last_serial: live.and_then(|live| live.state.as_ref()).map(|state| state.last_serial.0),
                boot_epoch: born.map(|born| born.epoch.0),
                shapers: device.bounds.len(),
            }
        };
        agent.record.devices.iter().map(view).collect()
    }
}

fn enrolment_word(agent: &Agent) -> &'static str {
    match (agent.record.revoked, &agent.quarantine) {
        (true, _) => "revoked",
        (false, Some(_)) => "quarantined",
        (false, None) => "approved",
    }
}

pub(super) fn outcome_word(outcome: Option<PollOutcome>) -> &'static str {
    match outcome {
        None => "not yet",
        Some(PollOutcome::Ok) => "ok",
        Some(PollOutcome::Timeout) => "timeout",
        Some(PollOutcome::Authentication) => "authentication",
        Some(PollOutcome::Partial) => "partial",
        Some(PollOutcome::Unreachable) => "unreachable",
        Some(PollOutcome::Garbage) => "garbage",
        Some(PollOutcome::QueuesUnreadable) => "queues unreadable",
    }
}
