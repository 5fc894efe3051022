//! The agent's one event loop: devices on one side, the broker on the other, one select, one match.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::Context as _;
use rumqttc::v5::{AsyncClient, mqttbytes::QoS};
use takar_agent_core::{
    admit::Situation,
    grant::{GrantClock, GrantOutcome},
    journal::Record,
    schedule::Publish,
    spool::{Covers, Spool, SpoolEffect, Spooled},
};
use takar_shared::{
    BootEpoch, Challenge, MonoMillis, Seq, UnixMillis,
    birth::{Birth, DeviceBirth, DeviceState},
    envelope::{self, Kind, Message},
    grant::Grant,
    id,
    receipt::Receipt,
    telemetry::{Gap, Poll, Telemetry},
    topic::{self, Down, Up},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

use crate::{
    clock,
    config::{Config, DeviceConfig},
    device::{self, Handle, Input, Output},
    identity::{self, Identity},
    journal::Journal,
    mqtt::{self, MqttEvent},
    spool::SpoolFiles,
    status::{self, DeviceStatus, Status},
};

/// Unstored telemetry and receipts are sent again after this.
const RESEND_MS: u64 = 10_000;
/// A Birth that no Grant answered is sent again after this.
const BIRTH_AGAIN_MS: u64 = 2_000;
/// All device states go out at least this often.
const STATES_EVERY_MS: u64 = 60_000;
/// Readings a message may hold: keeps it well under 64 KiB.
const MAX_READINGS: usize = 900;
/// The server's time is journalled when it moved this far: flash wears.
const HIGH_WATER_STEP_MS: u64 = 600_000;

pub async fn run(config: Config) -> anyhow::Result<()> {
    let identity = identity::load(&config.state_dir)?;
    let mut journal = Journal::open(&config.state_dir)?;
    let epoch = BootEpoch(journal.state().epoch.0.saturating_add(1));
    journal.append(&[Record::Boot { epoch }]).context("cannot write the journal")?;
    let (files, kept) = SpoolFiles::open(&config.spool_dir)?;
    let known_time = journal.state().high_water.max(identity.server_time);
    let records = config.devices.iter().map(|device| {
        let known = journal.state().device(&device.name).cloned();
        known.unwrap_or_else(|| takar_agent_core::journal::DeviceRecord::new(device.name.clone()))
    });
    let records: Vec<_> = records.collect();
    let journal = Arc::new(Mutex::new(journal));
    let (outputs, mut from_devices) = mpsc::channel(256);
    tracing::info!(agent = %identity.route.agent, epoch = epoch.0, mode = ?config.mode, "takar-agent starts");

    let mut agent = Agent {
        epoch,
        nonce: clock::random().context("no random source")?,
        next_seq: Seq(1),
        mode: config.mode,
        spool: Spool::new(config.spool_max_bytes, kept),
        files,
        grants: GrantClock::default(),
        high_water: known_time,
        publish: Publish::new(config.polls_per_message),
        waiting: Vec::new(),
        waiting_states: Vec::new(),
        states_due: clock::now(),
        states: Vec::new(),
        status: Vec::new(),
        round: 0,
        alarms: 0,
        connected: false,
        birth_due: None,
        resend_at: clock::now(),
        journal: journal.clone(),
        handles: Vec::new(),
        births: Vec::new(),
        spool_dir: config.spool_dir.clone(),
        identity,
    };
    agent.start_devices(config, records, journal, outputs).await?;
    let (client, mut from_broker) = mqtt::start(&agent.identity, epoch, known_time)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            event = from_broker.recv() => match event {
                Some(event) => agent.handle_broker(event, &client),
                None => anyhow::bail!("the broker connection's task ended"),
            },
            output = from_devices.recv() => match output {
                Some(output) => agent.handle_device(output, &client),
                None => anyhow::bail!("the devices' tasks ended"),
            },
            _ = tick.tick() => agent.handle_tick(&client),
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        }
    }
    // An unconfirmed change is not undone here: the next start, or nothing at all, reverts it the same way
    // a crash would, and a restart for an upgrade costs no more than that.
    tracing::info!("takar-agent ends");
    Ok(())
}

struct Agent {
    identity: Identity,
    epoch: BootEpoch,
    nonce: [u8; 16],
    next_seq: Seq,
    mode: takar_shared::birth::Mode,
    spool: Spool,
    files: SpoolFiles,
    grants: GrantClock,
    high_water: UnixMillis,
    publish: Publish,
    waiting: Vec<Poll>,
    waiting_states: Vec<DeviceState>,
    states_due: MonoMillis,
    states: Vec<DeviceState>,
    status: Vec<DeviceStatus>,
    round: usize,
    alarms: u32,
    connected: bool,
    /// When a Birth that no Grant answered yet is sent again.
    birth_due: Option<MonoMillis>,
    resend_at: MonoMillis,
    journal: Arc<Mutex<Journal>>,
    handles: Vec<Handle>,
    births: Vec<DeviceBirth>,
    spool_dir: std::path::PathBuf,
}

impl Agent {
    async fn start_devices(
        &mut self,
        config: Config,
        records: Vec<takar_agent_core::journal::DeviceRecord>,
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

    fn handle_broker(&mut self, event: MqttEvent, client: &AsyncClient) {
        match event {
            MqttEvent::Connected => {
                tracing::info!("connected to the broker");
                self.connected = true;
                self.handle_connected(client);
            }
            MqttEvent::Disconnected(reason) => {
                if std::mem::replace(&mut self.connected, false) {
                    tracing::warn!(%reason, "connection to the broker lost");
                } else {
                    tracing::warn!(%reason, "broker cannot be reached");
                }
            }
            MqttEvent::Message { topic, payload, retained } => self.handle_message(&topic, &payload, retained),
        }
        self.send_spooled(client);
    }

    fn handle_connected(&mut self, client: &AsyncClient) {
        let agent = self.identity.route.agent;
        let _ = client.try_subscribe(topic::all_down(agent), QoS::AtLeastOnce);
        let _ = client.try_publish(
            topic::up(agent, Up::State),
            QoS::AtLeastOnce,
            true,
            mqtt::state_payload("online", self.epoch),
        );
        self.send_birth(client);
        self.spool.handle_connected();
        for handle in &self.handles {
            let _ = handle.inputs.try_send(Input::Resend);
        }
        self.resend_at = clock::now().plus(RESEND_MS);
    }

    fn send_birth(&mut self, client: &AsyncClient) {
        let Some(challenge) = self.challenge() else { return };
        let mut devices = self.births.clone();
        for (device, state) in devices.iter_mut().zip(&self.states) {
            device.state = state.clone();
        }
        let birth = Birth {
            boot_epoch: self.epoch,
            boot_nonce: self.nonce,
            challenge,
            now: clock::now(),
            software: id::name(concat!("takar-agent ", env!("CARGO_PKG_VERSION"))).unwrap_or_default(),
            mode: self.mode,
            spooled_from: self.spool.spooled_from((self.epoch, self.next_seq)),
            devices,
        };
        self.birth_due = Some(clock::now().plus(BIRTH_AGAIN_MS));
        self.publish_now(client, Up::Birth, &Message::Birth(birth));
    }

    fn handle_message(&mut self, topic: &str, payload: &[u8], retained: bool) {
        let Some((agent, down)) = topic::parse_down(topic).filter(|(agent, _)| *agent == self.identity.route.agent)
        else {
            return self.alarm(topic, "a topic that is not this agent's");
        };
        debug_assert_eq!(agent, self.identity.route.agent);
        if down == Down::Keyset {
            // Rotation comes with the hardening; the keyset in force is the bundle's.
            return;
        }
        if retained {
            return self.alarm(topic, "a retained control message");
        }
        let keyset = &self.identity.keyset;
        let opened = envelope::open(payload, self.identity.route, |kind, key| {
            let keys = match kind {
                Kind::Grant => &keyset.grant_keys,
                Kind::Command | Kind::Confirm | Kind::Cancel => &keyset.command_keys,
                _ => return None,
            };
            keys.iter().find(|public| takar_shared::KeyId::of_key(public) == key).copied()
        });
        match opened {
            Ok(opened) if !down.carries(opened.message.kind()) => {
                self.alarm(topic, "a kind that may not come on this topic")
            }
            Ok(opened) => self.handle_opened(opened.message, opened.body_digest),
            Err(refused) => self.alarm(topic, &refused.to_string()),
        }
    }

    fn handle_opened(&mut self, message: Message, digest: takar_shared::Digest) {
        match message {
            Message::Grant(grant) => self.handle_grant(&grant),
            Message::Command(command) => {
                let situation = Situation {
                    mode: self.mode,
                    granted: self.grants.living(clock::now()),
                    keyset_version: self.identity.keyset.version,
                };
                let device = command.device.clone();
                self.tell(&device, Input::Command { command, digest, situation });
            }
            Message::Confirm(confirm) => {
                let device = confirm.device.clone();
                self.tell(&device, Input::Confirm(confirm));
            }
            _ => self.alarm("down/command", "a Cancel, which this version does not carry out"),
        }
    }

    fn handle_grant(&mut self, grant: &Grant) {
        let now = clock::now();
        if self.grants.handle_grant(grant) != GrantOutcome::Taken {
            tracing::debug!("a grant for a challenge that is not the newest");
            return;
        }
        self.birth_due = None;
        let effects = self.spool.handle_stored(grant.stored_up_to, now);
        self.carry_out(effects);
        if grant.server_time.since(self.high_water) > HIGH_WATER_STEP_MS {
            self.high_water = grant.server_time;
            let record = [Record::HighWater(grant.server_time)];
            if let Err(error) = self.journal.lock().unwrap_or_else(std::sync::PoisonError::into_inner).append(&record) {
                tracing::error!(%error, "journal could not be written");
            }
        }
        for (device, up_to) in &grant.receipts_stored {
            self.tell(device, Input::ReceiptsStored(*up_to));
        }
    }

    fn tell(&mut self, device: &takar_shared::Name, input: Input) {
        match self.handles.iter().find(|handle| handle.device == *device) {
            // Never awaited: a device that waits to tell us something must not meet us waiting for it. What
            // does not fit is sent again by the collector.
            Some(handle) => drop(handle.inputs.try_send(input)),
            None => self.alarm("down/command", "a device that is not this agent's"),
        }
    }

    fn handle_device(&mut self, output: Output, client: &AsyncClient) {
        match output {
            Output::Polled { poll, state, urgent, detail } => {
                let index = usize::from(poll.device);
                if let Some(status) = self.status.get_mut(index) {
                    status.outcome = format!("{:?}", poll.outcome).to_lowercase();
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
            Output::State(state) => {
                if let Some(index) = self.handles.iter().position(|handle| handle.device == state.device) {
                    self.note_state(index, state, true);
                }
            }
            Output::Receipt(receipt) => self.send_receipt(receipt, client),
            Output::Alarm => self.alarms = self.alarms.saturating_add(1),
        }
        self.send_spooled(client);
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

    fn make_telemetry(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let Some(challenge) = self.challenge() else { return };
        let now = clock::now();
        if now >= self.states_due {
            self.states_due = now.plus(STATES_EVERY_MS);
        }
        let polls = std::mem::take(&mut self.waiting);
        let mut telemetry = Telemetry::new(self.epoch, self.next_seq, challenge, now, &polls);
        telemetry.states = std::mem::take(&mut self.waiting_states);
        telemetry.alarms = self.alarms;
        let samples = telemetry.samples() as u64;
        let covers = Covers { epoch: self.epoch, first: self.next_seq, last: self.next_seq, samples };
        match envelope::seal(&Message::Telemetry(telemetry), self.identity.route, &self.identity.key) {
            Some(bytes) => {
                self.next_seq = Seq(self.next_seq.0 + 1);
                let effects = self.spool.push(Spooled { covers, bytes });
                self.carry_out(effects);
            }
            None => tracing::error!(samples, "telemetry is larger than a message may be; these polls are lost"),
        }
    }

    fn carry_out(&mut self, effects: Vec<SpoolEffect>) {
        for effect in effects {
            let done = match effect {
                SpoolEffect::Write(message) => self.files.write(&message),
                SpoolEffect::Remove(covers) => self.files.remove(covers),
                SpoolEffect::SealGap(covers) => {
                    tracing::warn!(
                        first = covers.first.0,
                        last = covers.last.0,
                        "spool is full: oldest telemetry dropped"
                    );
                    let Covers { epoch, first, last, samples } = covers;
                    let gap = Message::Gap(Gap { boot_epoch: epoch, first, seq: last, samples });
                    match envelope::seal(&gap, self.identity.route, &self.identity.key) {
                        Some(bytes) => match self.spool.put_gap(Spooled { covers, bytes }) {
                            SpoolEffect::Write(message) => self.files.write(&message),
                            _ => Ok(()),
                        },
                        None => Ok(()),
                    }
                }
            };
            if let Err(error) = done {
                tracing::error!(%error, "spool file could not be written; the message is kept in memory only");
            }
        }
    }

    fn send_spooled(&mut self, client: &AsyncClient) {
        if !self.connected {
            return;
        }
        let topic = topic::up(self.identity.route.agent, Up::Telemetry);
        while let Some(message) = self.spool.next_to_send(clock::now()) {
            if client.try_publish(topic.clone(), QoS::AtLeastOnce, false, message.bytes.clone()).is_err() {
                self.spool.unsend();
                return;
            }
        }
    }

    fn send_receipt(&mut self, receipt: Receipt, client: &AsyncClient) {
        if self.connected {
            self.publish_now(client, Up::Receipt, &Message::Receipt(receipt));
        }
    }

    fn handle_tick(&mut self, client: &AsyncClient) {
        let now = clock::now();
        if self.connected && self.spool.resend_if_stale(now, RESEND_MS) {
            tracing::debug!("nothing was reported stored for a while: sending again");
        }
        // A broker may lose what it acknowledged, the first message of a connection too.
        if self.connected && self.birth_due.is_some_and(|due| now >= due) {
            self.send_birth(client);
        }
        if self.connected && now >= self.resend_at {
            self.resend_at = now.plus(RESEND_MS);
            for handle in &self.handles {
                let _ = handle.inputs.try_send(Input::Resend);
            }
        }
        self.send_spooled(client);
        self.write_status();
    }

    fn publish_now(&mut self, client: &AsyncClient, up: Up, message: &Message) {
        let sealed = envelope::seal(message, self.identity.route, &self.identity.key);
        let Some(bytes) = sealed else {
            return tracing::error!(kind = ?message.kind(), "message is larger than it may be; not sent");
        };
        if client.try_publish(topic::up(self.identity.route.agent, up), QoS::AtLeastOnce, false, bytes).is_err() {
            tracing::debug!(kind = ?message.kind(), "the broker connection is busy; sent again later");
        }
    }

    /// A fresh challenge, remembered from now on: its grant's age counts from here.
    fn challenge(&mut self) -> Option<Challenge> {
        let challenge = Challenge(clock::random().ok()?);
        self.grants.challenge_sent(challenge, clock::now());
        Some(challenge)
    }

    fn alarm(&mut self, topic: &str, what: &str) {
        self.alarms = self.alarms.saturating_add(1);
        // The first ones and then every thousandth: noise must not fill a router's log.
        if self.alarms <= 10 || self.alarms.is_multiple_of(1000) {
            tracing::warn!(topic, count = self.alarms, "message refused: {what}");
        }
    }

    fn write_status(&self) {
        let now = clock::now();
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
        if let Err(error) = status::write(Path::new(&self.spool_dir), &status) {
            tracing::debug!(%error, "status could not be written");
        }
    }
}

type BirthParts = (takar_shared::Name, Vec<takar_shared::birth::Meter>, Vec<takar_shared::birth::Bound>, u16);

fn birth_of(device: &DeviceConfig) -> BirthParts {
    (device.name.clone(), device.meters(), device.bounds.clone(), device.changes_per_hour)
}
