//! The agent's one event loop: devices on one side, the broker on the other, one select, one match.

mod broker;
mod devices;
mod facts;
mod telemetry;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::Context as _;
use rumqttc::v5::AsyncClient;
use takar_agent_core::{
    grant::GrantClock,
    journal::{DeviceRecord, Record},
    schedule::Publish,
    spool::Spool,
};
use takar_shared::{
    BootEpoch, Challenge, MonoMillis, Seq, UnixMillis,
    birth::{DeviceBirth, DeviceState, Mode},
    telemetry::Poll,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

use crate::{
    clock,
    config::Config,
    device::{Handle, Input},
    identity::{self, Identity},
    journal::Journal,
    mqtt,
    spool::SpoolFiles,
    status::DeviceStatus,
};

/// Unstored telemetry and receipts are sent again after this.
const RESEND_MS: u64 = 10_000;

pub async fn run(config: Config) -> anyhow::Result<()> {
    let identity = identity::load(&config.state_dir)?;
    let mut journal = Journal::open(&config.state_dir)?;
    let epoch = BootEpoch(journal.state().epoch.0.saturating_add(1));
    journal.append(&[Record::Boot { epoch }]).context("cannot write the journal")?;
    let (files, kept) = SpoolFiles::open(&config.spool_dir, identity.route.agent)?;
    let known_time = journal.state().high_water.max(identity.server_time);
    let records = config.devices.iter().map(|device| {
        let known = journal.state().device(&device.name).cloned();
        known.unwrap_or_else(|| DeviceRecord::new(device.name.clone()))
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
        status_due: clock::now(),
        states: Vec::new(),
        status: Vec::new(),
        round: 0,
        alarms: 0,
        connected: false,
        birth_due: None,
        unanswered: false,
        resend_at: clock::now(),
        journal: journal.clone(),
        handles: Vec::new(),
        births: Vec::new(),
        facts: Vec::new(),
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
    mode: Mode,
    spool: Spool,
    files: SpoolFiles,
    grants: GrantClock,
    high_water: UnixMillis,
    publish: Publish,
    waiting: Vec<Poll>,
    waiting_states: Vec<DeviceState>,
    states_due: MonoMillis,
    status_due: MonoMillis,
    states: Vec<DeviceState>,
    status: Vec<DeviceStatus>,
    round: usize,
    alarms: u32,
    connected: bool,
    /// Nothing came from the collector yet on this connection to the broker.
    unanswered: bool,
    /// When a Birth that no Grant answered yet is sent again.
    birth_due: Option<MonoMillis>,
    resend_at: MonoMillis,
    journal: Arc<Mutex<Journal>>,
    handles: Vec<Handle>,
    births: Vec<DeviceBirth>,
    /// The newest of each device.
    facts: Vec<facts::Held>,
    spool_dir: PathBuf,
}

impl Agent {
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
        self.send_facts(client);
        self.write_status();
    }

    /// A fresh challenge, remembered from now on: its grant's age counts from here.
    fn challenge(&mut self) -> Option<Challenge> {
        let challenge = Challenge(clock::random().ok()?);
        self.grants.challenge_sent(challenge, clock::now());
        Some(challenge)
    }
}
