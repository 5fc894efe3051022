//! One device's task: it alone touches the device's queues. The SNMP poller runs beside it, so that
//! a router that does not answer never holds up the timer that puts old values back.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use takar_agent_core::{
    admit::{DeviceLimits, Situation},
    change::{Effect, Machine, reinstates},
    journal::DeviceRecord,
    schedule::{Beat, is_pinned},
};
use takar_shared::{
    BootEpoch, Digest, MonoMillis, Name,
    birth::{DeviceState, Mode, QueueSet},
    command::{Command, Confirm},
    queue::queue_digest,
    receipt::Receipt,
    telemetry::{Poll, PollOutcome, Reading},
};
use tokio::sync::{mpsc, oneshot};

use crate::{
    clock,
    config::{DeviceConfig, QueuesConfig},
    journal::Journal,
    queue::{AnyBackend, Observed, QueueBackend as _, ShaperKey, htb::Htb, observe::Observe, routeros::SimpleQueues},
    snmp::{self, CounterWidth, Target},
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
        QueuesConfig::Htb => AnyBackend::Htb(Htb::new(config.shapers())),
        QueuesConfig::RouterOs { address, user, password, timeout } => AnyBackend::RouterOs(SimpleQueues::new(
            address.clone(),
            user.clone(),
            password.clone(),
            *timeout,
            config.shapers(),
        )),
    }
}

async fn run(
    config: DeviceConfig,
    start: Start,
    mut inputs: mpsc::Receiver<Input>,
    ready: oneshot::Sender<DeviceState>,
) {
    let (polls, mut polled) = mpsc::channel(1);
    tokio::spawn(poll_snmp(config.snmp.clone().map(Target::new), start.poll_every, polls));
    let mut task = Task::new(&config, start);
    let reinstate = reinstates(task.mode, matches!(config.queues, QueuesConfig::Htb));
    let effects = task.machine.start(reinstate);
    task.carry_out(effects).await;
    task.read_queues().await;
    let _ = ready.send(task.state());
    loop {
        let timeout = task.machine.poll_timeout();
        tokio::select! {
            // The dead-man first: nothing that comes in may hold it up.
            biased;
            () = until(timeout) => {
                let effects = task.machine.handle_timeout(clock::now());
                task.carry_out(effects).await;
            }
            input = inputs.recv() => match input {
                Some(input) => task.handle(input).await,
                None => return,
            },
            poll = polled.recv() => match poll {
                Some(poll) => task.handle_poll(poll).await,
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

/// Polls on the beat for ever; a device without SNMP is polled for its queues only.
async fn poll_snmp(mut target: Option<Target>, every: Duration, polls: mpsc::Sender<(MonoMillis, Option<snmp::Poll>)>) {
    let every_ms = u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
    let mut beat = Beat::new(every_ms, clock::now());
    loop {
        until(Some(beat.next())).await;
        if !beat.is_due(clock::now()) {
            continue;
        }
        let poll = match &mut target {
            Some(target) => Some(target.poll().await),
            None => None,
        };
        if polls.send((clock::now(), poll)).await.is_err() {
            return;
        }
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

/// What tells whether an interface's counters may have been reset.
#[derive(PartialEq)]
struct Seen {
    if_index: u32,
    discontinuity: Option<u32>,
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
            interfaces: config.snmp.iter().flat_map(|snmp| snmp.interfaces.clone()).collect(),
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
                    let read =
                        self.read_queues().await.map(|observed| observed.into_iter().map(|one| one.reading).collect());
                    self.machine.handle_queues(read, clock::now())
                }
                Effect::Apply(settings) => {
                    let applied = self.backend.apply(&settings).await;
                    if let Err(error) = &applied {
                        tracing::error!(device = %self.machine.device(), %error, "queues could not be set");
                    }
                    self.machine.handle_applied(applied.is_ok(), clock::now())
                }
                Effect::Journal(records) => {
                    let written = self.journal.lock().unwrap_or_else(PoisonError::into_inner).append(&records);
                    if let Err(error) = &written {
                        tracing::error!(device = %self.machine.device(), %error, "journal could not be written");
                    }
                    self.machine.handle_journalled(written.is_ok(), clock::now())
                }
                Effect::Send(receipt) => {
                    tracing::info!(device = %receipt.device, serial = receipt.serial.0, phase = ?receipt.phase, "receipt");
                    self.tell(Output::Receipt(receipt)).await;
                    Vec::new()
                }
                Effect::Alarm(what) => {
                    tracing::warn!(device = %self.machine.device(), what, "command refused without a receipt");
                    self.tell(Output::Alarm).await;
                    Vec::new()
                }
            };
            queue.extend(more);
        }
        let state = self.state();
        self.tell(Output::State(state)).await;
    }

    async fn read_queues(&mut self) -> Option<Vec<Observed>> {
        match self.backend.read().await {
            Ok(observed) => {
                let readings: Vec<_> = observed.iter().map(|one| one.reading.clone()).collect();
                self.queues = Some(QueueSet { read_at: clock::now(), digest: queue_digest(&readings), readings });
                self.trouble(None);
                Some(observed)
            }
            Err(error) => {
                self.queues = None;
                self.trouble(Some(format!("queues cannot be read: {error}")));
                None
            }
        }
    }

    async fn handle_poll(&mut self, (at, snmp): (MonoMillis, Option<snmp::Poll>)) {
        let observed = if self.shapers.is_empty() { Some(Vec::new()) } else { self.read_queues().await };
        let read_at = clock::now();
        let (mut outcome, mut detail, mut discontinuity) = (PollOutcome::Ok, None, false);
        let mut readings = Vec::new();
        if let Some(poll) = snmp {
            outcome = outcome_of(poll.outcome);
            detail.clone_from(&poll.detail);
            discontinuity = self.notice_reset(&poll);
            readings.extend(self.interface_readings(&poll));
        }
        let mut urgent = false;
        match &observed {
            Some(observed) => readings.extend(self.queue_readings(observed, read_at, &mut urgent)),
            None if outcome == PollOutcome::Ok => outcome = PollOutcome::QueuesUnreadable,
            None => {}
        }
        if observed.is_some() || detail.is_some() {
            self.trouble(detail.clone());
        }
        let state = self.state();
        let now_state = (state.queues.as_ref().map(|queues| queues.digest), state.last_serial.0);
        urgent |= self.last_state.replace(now_state) != Some(now_state) || state.pending.is_some();
        let poll = Poll { device: self.index, at, outcome, discontinuity, readings };
        let detail = self.last_trouble.clone();
        self.tell(Output::Polled { poll, state, urgent, detail }).await;
    }

    /// sysUpTime that stepped back, another engine boot, another ifIndex, another discontinuity time.
    fn notice_reset(&mut self, poll: &snmp::Poll) -> bool {
        let mut reset = false;
        if let Some(up_time) = poll.up_time {
            let now = (up_time.0, poll.engine_boots);
            // sysUpTime wraps at 497 days; that looks like a reset, which only costs one interval.
            reset |= self.up_time.replace(now).is_some_and(|before| now.0 < before.0 || now.1 != before.1);
        }
        for interface in &poll.interfaces {
            let now = Seen { if_index: interface.if_index, discontinuity: interface.discontinuity };
            reset |= self.seen.get(&interface.name).is_some_and(|before| *before != now);
            self.seen.insert(interface.name.clone(), now);
        }
        reset
    }

    fn interface_readings(&self, poll: &snmp::Poll) -> Vec<Reading> {
        let read = poll.interfaces.iter().filter_map(|interface| {
            let position = self.interfaces.iter().position(|name| *name == interface.name)?;
            Some(Reading {
                meter: self.meter(position)?,
                narrow: interface.width == CounterWidth::Bits32,
                values: [interface.in_octets, interface.out_octets, interface.in_drops, interface.out_drops],
            })
        });
        read.collect()
    }

    fn queue_readings(&mut self, observed: &[Observed], at: MonoMillis, urgent: &mut bool) -> Vec<Reading> {
        let mut readings = Vec::with_capacity(observed.len());
        for (position, one) in observed.iter().enumerate() {
            let counters = one.counters;
            if let Some((before, bytes)) = self.last_bytes.insert(position, (at, counters.bytes)) {
                let moved = counters.bytes.saturating_sub(bytes);
                *urgent |= is_pinned(moved, at.since(before), one.reading.mir.0);
            }
            let values = [counters.bytes, counters.drops, counters.overlimits, counters.backlog];
            if let Some(meter) = self.meter(self.interfaces.len() + position) {
                readings.push(Reading { meter, narrow: false, values });
            }
        }
        readings
    }

    fn meter(&self, position: usize) -> Option<u16> {
        u16::try_from(position).ok()?.checked_add(self.first_meter)
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

    /// Says a trouble once, and once that it is over.
    fn trouble(&mut self, now: Option<String>) {
        if self.last_trouble == now {
            return;
        }
        match &now {
            Some(trouble) => tracing::warn!(device = %self.machine.device(), "{trouble}"),
            None => tracing::info!(device = %self.machine.device(), "answers again"),
        }
        self.last_trouble = now;
    }

    async fn tell(&self, output: Output) {
        // The run loop ends only with the process.
        let _ = self.outputs.send(output).await;
    }
}

fn outcome_of(outcome: snmp::Outcome) -> PollOutcome {
    match outcome {
        snmp::Outcome::Ok => PollOutcome::Ok,
        snmp::Outcome::Timeout => PollOutcome::Timeout,
        snmp::Outcome::Authentication => PollOutcome::Authentication,
        snmp::Outcome::Partial => PollOutcome::Partial,
        snmp::Outcome::Garbage => PollOutcome::Garbage,
        snmp::Outcome::Unreachable => PollOutcome::Unreachable,
    }
}
