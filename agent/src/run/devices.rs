//! The devices' side: their tasks, what they say, and what the status file says of them.

use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use rumqttc::v5::AsyncClient;
use takar_agent_core::journal::DeviceRecord;
use takar_shared::{
    Name,
    birth::{Bound, DeviceBirth, DeviceState, Meter},
    telemetry::PollOutcome,
};
use tokio::sync::mpsc;

use super::Agent;
use crate::{
    clock,
    config::{Config, DeviceConfig},
    device::{self, Output},
    journal::Journal,
    status::{self, DeviceStatus, Status},
};

/// Readings a message may hold: keeps it well under 64 KiB.
const MAX_READINGS: usize = 900;

const STATUS_EVERY_MS: u64 = 2_000;

impl Agent {
    pub(super) async fn start_devices(
        &mut self,
        config: Config,
        records: Vec<DeviceRecord>,
        journal: Arc<Mutex<Journal>>,
        outputs: mpsc::Sender<Output>,
    ) -> anyhow::Result<()> {
        let mut first_meter = 0u16;
        let poll_every = config.poll_every;
        let mut started = Vec::new();
        for ((index, device), record) in (0u8..).zip(config.devices).zip(records) {
            let birth = birth_of(&device);
            let meters = u16::try_from(birth.1.len()).unwrap_or(u16::MAX);
            let start = device::Start {
                index,
                first_meter,
                mode: self.mode,
                epoch: self.epoch,
                keyset_version: self.identity.keyset.version,
                poll_every,
                record,
                journal: journal.clone(),
                outputs: outputs.clone(),
            };
            first_meter = first_meter.saturating_add(meters);
            let (handle, first_state) = device::start(device, start);
            started.push((birth, first_state));
            self.handles.push(handle);
        }
        for ((device, meters, bounds, changes_per_hour), first_state) in started {
            let state = first_state.await.context("a device's task ended as it began")?;
            self.status.push(DeviceStatus {
                device: device.as_str().into(),
                outcome: "not yet".into(),
                ..Default::default()
            });
            self.states.push(state.clone());
            self.births.push(DeviceBirth { device, meters, bounds, changes_per_hour, state });
        }
        Ok(())
    }

    pub(super) fn handle_device(&mut self, output: Output, client: &AsyncClient) {
        match output {
            Output::Polled { poll, state, urgent, detail } => {
                let index = usize::from(poll.device);
                if let Some(status) = self.status.get_mut(index) {
                    let outcome = word(poll.outcome);
                    if status.outcome != outcome || status.detail != detail {
                        self.status_due = clock::now();
                    }
                    status.outcome = outcome.into();
                    status.detail = detail;
                }
                self.note_state(index, state, urgent);
                self.waiting.push(poll);
                self.round += 1;
                let readings: usize = self.waiting.iter().map(|poll| poll.readings.len()).sum();
                if self.round >= self.handles.len() {
                    self.round = 0;
                    if self.publish.polled(urgent || readings > MAX_READINGS / 2) {
                        self.make_telemetry();
                    }
                    self.write_status();
                } else if urgent || readings > MAX_READINGS / 2 {
                    self.make_telemetry();
                }
            }
            Output::Facts { device, read_at, interfaces } => self.hold_facts(device, read_at, &interfaces),
            Output::State(state) => {
                if let Some(index) = self.handles.iter().position(|handle| handle.device == state.device) {
                    self.note_state(index, state, true);
                }
            }
            Output::Receipt(receipt) => self.send_receipt(receipt, client),
            Output::Alarm => self.alarms = self.alarms.saturating_add(1),
        }
        self.send_spooled(client);
        self.send_facts(client);
    }

    fn note_state(&mut self, index: usize, state: DeviceState, tell: bool) {
        if tell || clock::now() >= self.states_due {
            self.waiting_states.retain(|other| other.device != state.device);
            self.waiting_states.push(state.clone());
        }
        if let Some(status) = self.status.get_mut(index) {
            status.last_serial = state.last_serial.0;
            status.pending =
                state.pending.as_ref().map(|pending| format!("change {} {:?}", pending.change, pending.phase));
        }
        if let Some(known) = self.states.get_mut(index) {
            *known = state;
        }
    }

    /// At most every other second, however fast it polls, unless a poll ended otherwise than the one before.
    pub(super) fn write_status(&mut self) {
        let now = clock::now();
        if now < self.status_due {
            return;
        }
        self.status_due = now.plus(STATUS_EVERY_MS);
        let status = Status {
            name: self.identity.name.clone(),
            agent: self.identity.route.agent.to_string(),
            version: env!("CARGO_PKG_VERSION").into(),
            mode: format!("{:?}", self.mode).to_lowercase(),
            boot_epoch: self.epoch.0,
            process: std::process::id(),
            written_at_ms: now.0,
            connected: self.connected,
            grant_s: self.grants.living(now).map(|granted| granted.expires_in_ms / 1000),
            seq: self.next_seq.0 - 1,
            spooled_messages: self.spool.len(),
            spooled_bytes: self.spool.used_bytes(),
            alarms: self.alarms,
            devices: self.status.clone(),
        };
        if let Err(error) = status::write(&self.spool_dir, &status) {
            tracing::debug!(%error, "status could not be written");
        }
    }
}

/// As `takar links` has it.
fn word(outcome: PollOutcome) -> &'static str {
    match outcome {
        PollOutcome::Ok => "ok",
        PollOutcome::Timeout => "timeout",
        PollOutcome::Authentication => "authentication",
        PollOutcome::Partial => "partial",
        PollOutcome::Unreachable => "unreachable",
        PollOutcome::Garbage => "garbage",
        PollOutcome::QueuesUnreadable => "queues unreadable",
    }
}

type BirthParts = (Name, Vec<Meter>, Vec<Bound>, u16);

fn birth_of(device: &DeviceConfig) -> BirthParts {
    (device.name.clone(), device.meters(), device.bounds.clone(), device.changes_per_hour)
}
