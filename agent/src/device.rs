//! One device's task: it alone touches the device's queues. The SNMP poller runs beside it, so that
//! a router that does not answer never holds up the timer that puts old values back.

mod poll;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use takar_agent_core::{
    admit::{DeviceLimits, Situation},
    change::{Effect, Machine, reinstates},
    journal::DeviceRecord,
};
use takar_shared::{
    BootEpoch, Digest, MonoMillis, Name,
    birth::{DeviceState, Mode, PendingPhase, QueueSet},
    command::{Command, Confirm},
    facts::InterfaceFacts,
    queue::Setting,
    receipt::{Phase, Receipt},
    telemetry::Poll,
};
use tokio::sync::{mpsc, oneshot};

use self::poll::{Heard, Seen, Source, poll_interfaces};
use crate::{
    chain::chain,
    clock,
    config::{DeviceConfig, QueuesConfig},
    journal::Journal,
    queue::{
        AnyBackend, QueueBackend as _, QueueError, ShaperKey,
        cake::Cake,
        htb::Htb,
        observe::Observe,
        routeros::RouterQueues,
        sqm::{Sqm, uci::Uci},
    },
};

/// What a device task is told.
pub enum Input {
    Command {
        command: Command,
        digest: Digest,
        situation: Situation,
    },
    Confirm(Confirm),
    ReceiptsStored(Digest),
    /// Every receipt not yet stored, again: at connect, and when an answer is overdue.
    Resend,
}

/// What it tells.
pub enum Output {
    Polled { poll: Poll, state: DeviceState, urgent: bool, detail: Option<String> },
    Facts { device: u8, read_at: MonoMillis, interfaces: Vec<InterfaceFacts> },
    State(DeviceState),
    Receipt(Receipt),
    Alarm,
}

pub struct Handle {
    pub device: Name,
    pub inputs: mpsc::Sender<Input>,
}

pub struct Start {
    pub index: u8,
    /// Position of this device's first meter over all devices.
    pub first_meter: u16,
    pub mode: Mode,
    pub epoch: BootEpoch,
    pub keyset_version: u32,
    pub poll_every: Duration,
    pub record: DeviceRecord,
    pub journal: Arc<Mutex<Journal>>,
    pub outputs: mpsc::Sender<Output>,
}

/// Starts the task. The state comes back once what a crash left is undone or redone, and what a
/// reboot took is reinstated: a Birth is sent only after that.
pub fn start(config: DeviceConfig, start: Start) -> (Handle, oneshot::Receiver<DeviceState>) {
    let (inputs, receiver) = mpsc::channel(64);
    let (ready, first_state) = oneshot::channel();
    let handle = Handle { device: config.name.clone(), inputs };
    tokio::spawn(run(config, start, receiver, ready));
    (handle, first_state)
}

pub fn backend(config: &DeviceConfig) -> AnyBackend {
    match &config.queues {
        QueuesConfig::None => AnyBackend::Observe(Observe),
        QueuesConfig::Cake => AnyBackend::Cake(Cake::new(config.shapers())),
        QueuesConfig::Htb => AnyBackend::Htb(Htb::new(config.shapers())),
        QueuesConfig::RouterOs(access) => {
            AnyBackend::RouterOs(RouterQueues::new(access.clone(), config.shapers(), config.trees.clone()))
        }
        QueuesConfig::Sqm { section } => AnyBackend::Sqm(Sqm::new(config.shapers(), Uci::new(section.clone()))),
    }
}

async fn run(
    config: DeviceConfig,
    start: Start,
    mut inputs: mpsc::Receiver<Input>,
    ready: oneshot::Sender<DeviceState>,
) {
    let (poller, mut heard) = mpsc::channel(1);
    tokio::spawn(poll_interfaces(Source::of(&config), start.poll_every, poller));
    let mut task = Task::new(&config, start);
    let reinstate = reinstates(task.mode, config.queues.forgets());
    let effects = task.machine.start(reinstate);
    task.carry_out(effects).await;
    // What is wrong with them the first poll tells.
    let _ = task.read_queues().await;
    let _ = ready.send(task.state());
    loop {
        let timeout = task.machine.poll_timeout();
        // The dead-man first: nothing that comes in may hold it up. A sleep that is over already is not ready when it
        // is first asked, so the select below would let a slow router's polls pass it again and again.
        if timeout.is_some_and(|at| clock::now() >= at) {
            let effects = task.machine.handle_timeout(clock::now());
            task.carry_out(effects).await;
            continue;
        }
        tokio::select! {
            biased;
            () = until(timeout) => {
                let effects = task.machine.handle_timeout(clock::now());
                task.carry_out(effects).await;
            }
            input = inputs.recv() => match input {
                Some(input) => task.handle(input).await,
                None => return,
            },
            heard = heard.recv() => match heard {
                Some(Heard::Poll(at, poll)) => task.handle_poll((at, poll)).await,
                Some(Heard::Facts(read_at, interfaces)) => {
                    task.tell(Output::Facts { device: task.index, read_at, interfaces }).await;
                }
                None => return,
            },
        }
    }
}

async fn until(timeout: Option<MonoMillis>) {
    match timeout {
        Some(at) => tokio::time::sleep(Duration::from_millis(at.since(clock::now()))).await,
        None => std::future::pending().await,
    }
}

struct Task {
    index: u8,
    first_meter: u16,
    mode: Mode,
    keyset_version: u32,
    interfaces: Vec<Name>,
    shapers: Vec<ShaperKey>,
    backend: AnyBackend,
    machine: Machine,
    journal: Arc<Mutex<Journal>>,
    outputs: mpsc::Sender<Output>,
    queues: Option<QueueSet>,
    seen: HashMap<Name, Seen>,
    up_time: Option<(u32, Option<u32>)>,
    last_bytes: HashMap<usize, (MonoMillis, u64)>,
    last_trouble: Option<String>,
    last_state: Option<(Option<Digest>, u64)>,
}

impl Task {
    fn new(config: &DeviceConfig, start: Start) -> Self {
        let backend = backend(config);
        let limits = DeviceLimits {
            device: config.name.clone(),
            bounds: config.bounds.clone(),
            changes_per_hour: config.changes_per_hour,
            has_cir: backend.has_cir(),
        };
        Self {
            index: start.index,
            first_meter: start.first_meter,
            mode: start.mode,
            keyset_version: start.keyset_version,
            interfaces: config.interfaces().to_vec(),
            shapers: config.shapers(),
            backend,
            machine: Machine::new(limits, start.epoch, start.record),
            journal: start.journal,
            outputs: start.outputs,
            queues: None,
            seen: HashMap::new(),
            up_time: None,
            last_bytes: HashMap::new(),
            last_trouble: None,
            last_state: None,
        }
    }

    async fn handle(&mut self, input: Input) {
        let effects = match input {
            Input::Command { command, digest, situation } => self.machine.handle_command(command, digest, situation),
            Input::Confirm(confirm) => self.machine.handle_confirm(&confirm),
            Input::ReceiptsStored(up_to) => self.machine.handle_receipts_stored(up_to),
            Input::Resend => self.machine.unstored_receipts().iter().cloned().map(Effect::Send).collect(),
        };
        self.carry_out(effects).await;
    }

    /// Carries effects out in order, feeding each outcome back, until nothing is left to do.
    async fn carry_out(&mut self, effects: Vec<Effect>) {
        let mut queue: std::collections::VecDeque<Effect> = effects.into();
        if queue.is_empty() {
            return;
        }
        while let Some(effect) = queue.pop_front() {
            let more = match effect {
                Effect::Read => {
                    let read = self.read_queues().await;
                    // A change hangs on it, so it is told before the next poll is; but not over again.
                    if let Err(fault) = &read
                        && self.last_trouble.is_none()
                    {
                        self.trouble(Some(fault.clone()));
                    }
                    let readings = read.ok().map(|observed| observed.into_iter().map(|one| one.reading).collect());
                    self.machine.handle_queues(readings, clock::now())
                }
                Effect::Apply(settings) => {
                    let applied = self.apply(&settings).await;
                    if let Err(error) = &applied {
                        let error = chain(error);
                        tracing::error!(device = %self.machine.device(), %error, "queues could not be set");
                    }
                    self.machine.handle_applied(applied.is_ok(), clock::now())
                }
                Effect::Keep(settings) => {
                    if let Err(error) = self.backend.keep(&settings).await {
                        let (device, error) = (self.machine.device(), chain(&error));
                        tracing::error!(%device, %error, "what is confirmed could not be kept for the next boot");
                    }
                    Vec::new()
                }
                Effect::Journal(records) => {
                    let written = self.journal.lock().unwrap_or_else(PoisonError::into_inner).append(&records);
                    if let Err(error) = &written {
                        tracing::error!(device = %self.machine.device(), %error, "journal could not be written");
                    }
                    self.machine.handle_journalled(written.is_ok(), clock::now())
                }
                Effect::Send(receipt) => {
                    let phase = words_of(receipt.phase);
                    tracing::info!(device = %receipt.device, serial = receipt.serial.0, phase, "receipt");
                    self.tell(Output::Receipt(receipt)).await;
                    Vec::new()
                }
                Effect::Alarm(what) => {
                    tracing::warn!(device = %self.machine.device(), what, "command refused without a receipt");
                    self.tell(Output::Alarm).await;
                    Vec::new()
                }
                Effect::NotReinstated(setting, refusal) => {
                    let (device, mir) = (self.machine.device(), setting.mir);
                    let what = format!("{} {}", setting.shaper, setting.direction);
                    let why = "confirmed once, but today's bounds do not allow it: not set again";
                    tracing::warn!(%device, %what, %mir, ?refusal, "{why}");
                    Vec::new()
                }
            };
            queue.extend(more);
        }
        let state = self.state();
        self.tell(Output::State(state)).await;
    }

    async fn apply(&mut self, settings: &[Setting]) -> Result<(), QueueError> {
        // Old values must go back whatever the backend thinks of them.
        if self.machine.pending().is_some_and(|pending| pending.phase == PendingPhase::Accepted) {
            self.backend.prepare(settings).await?;
        }
        self.backend.apply(settings).await
    }

    fn state(&self) -> DeviceState {
        DeviceState {
            device: self.machine.device().clone(),
            last_serial: self.machine.last_serial(),
            pending: self.machine.pending(),
            receipt_head: self.machine.receipt_head(),
            queues: self.queues.clone(),
            keyset_version: self.keyset_version,
        }
    }

    async fn tell(&self, output: Output) {
        // The run loop ends only with the process.
        let _ = self.outputs.send(output).await;
    }
}

/// For the log. A router's build keeps the names of plain variants only (decision 16).
fn words_of(phase: Phase) -> String {
    match phase {
        Phase::Refused(why) => format!("refused: {why:?}"),
        Phase::RolledBack(cause) => format!("rolled back: {cause:?}"),
        other => format!("{other:?}").to_lowercase(),
    }
}
