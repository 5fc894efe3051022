//! Polls: the beat they go by, and what of a poll goes into telemetry.

use std::time::Duration;

use takar_agent_core::schedule::{Beat, FactsDue, is_pinned};
use takar_shared::{
    MonoMillis, Name,
    birth::QueueSet,
    facts::InterfaceFacts,
    queue::queue_digest,
    telemetry::{Poll, PollOutcome, Reading},
};
use tokio::sync::mpsc;

use super::{Output, Task, until};
use crate::{
    chain::chain,
    clock,
    config::DeviceConfig,
    kernel::Kernel,
    queue::{Observed, QueueBackend as _},
    snmp::{self, CounterWidth, Target},
};

/// Where a device's interfaces are counted.
pub(super) enum Source {
    Snmp(Box<Target>),
    Kernel(Kernel),
    /// Queues only.
    None,
}

impl Source {
    pub(super) fn of(config: &DeviceConfig) -> Self {
        match (&config.snmp, &config.kernel) {
            (Some(target), _) => Self::Snmp(Box::new(Target::new(target.clone()))),
            (None, Some(interfaces)) => Self::Kernel(Kernel::new(interfaces.clone())),
            (None, None) => Self::None,
        }
    }

    async fn poll(&mut self) -> Option<snmp::Poll> {
        match self {
            Self::Snmp(target) => Some(target.poll().await),
            Self::Kernel(kernel) => Some(kernel.poll()),
            Self::None => None,
        }
    }

    async fn facts(&mut self) -> Option<Vec<InterfaceFacts>> {
        match self {
            Self::Snmp(target) => target.facts().await,
            Self::Kernel(kernel) => kernel.facts(),
            Self::None => None,
        }
    }
}

/// What the poller brings, and when it had it.
pub(super) enum Heard {
    Poll(MonoMillis, Option<snmp::Poll>),
    Facts(MonoMillis, Vec<InterfaceFacts>),
}

/// Polls on the beat for ever. Facts are read after a poll that
/// was answered, when they are due.
pub(super) async fn poll_interfaces(mut source: Source, every: Duration, heard: mpsc::Sender<Heard>) {
    let every_ms = u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
    let mut beat = Beat::new(every_ms, clock::now());
    let mut facts_due = FactsDue::new(clock::now());
    let mut standing: Vec<Standing> = Vec::new();
    loop {
        until(Some(beat.next())).await;
        if !beat.is_due(clock::now()) {
            continue;
        }
        let poll = source.poll().await;
        let due = match &poll {
            Some(poll) if is_answered(poll) => {
                let before = std::mem::replace(&mut standing, standing_of(poll));
                facts_due.polled(before != standing, clock::now())
            }
            _ => false,
        };
        if heard.send(Heard::Poll(clock::now(), poll)).await.is_err() {
            return;
        }
        if !due {
            continue;
        }
        let read_at = clock::now();
        if let Some(interfaces) = source.facts().await
            && heard.send(Heard::Facts(read_at, interfaces)).await.is_err()
        {
            return;
        }
    }
}

fn is_answered(poll: &snmp::Poll) -> bool {
    matches!(poll.outcome, snmp::Outcome::Ok | snmp::Outcome::Partial)
}

/// What a poll sees of an interface's facts anyway: where it changes they are read soon.
type Standing = (Name, Option<bool>, Option<u32>);

fn standing_of(poll: &snmp::Poll) -> Vec<Standing> {
    poll.interfaces.iter().map(|one| (one.name.clone(), one.oper_up, one.high_speed_mbps)).collect()
}

/// What tells whether an interface's counters may have been reset.
#[derive(PartialEq)]
pub(super) struct Seen {
    if_index: u32,
    discontinuity: Option<u32>,
}

impl Task {
    /// The error is one line for people.
    pub(super) async fn read_queues(&mut self) -> Result<Vec<Observed>, String> {
        match self.backend.read().await {
            Ok(observed) => {
                let readings: Vec<_> = observed.iter().map(|one| one.reading.clone()).collect();
                self.queues = Some(QueueSet { read_at: clock::now(), digest: queue_digest(&readings), readings });
                Ok(observed)
            }
            Err(error) => {
                self.queues = None;
                Err(format!("queues cannot be read: {}", chain(&error)))
            }
        }
    }

    pub(super) async fn handle_poll(&mut self, (at, snmp): (MonoMillis, Option<snmp::Poll>)) {
        let observed = if self.shapers.is_empty() { Ok(Vec::new()) } else { self.read_queues().await };
        let read_at = clock::now();
        let (mut outcome, mut detail, mut discontinuity) = (PollOutcome::Ok, None, false);
        let mut readings = Vec::new();
        if let Some(poll) = snmp {
            outcome = outcome_of(poll.outcome);
            discontinuity = self.notice_reset(&poll);
            readings.extend(self.interface_readings(&poll));
            detail = poll.detail;
        }
        let mut urgent = false;
        match &observed {
            Ok(observed) => readings.extend(self.queue_readings(observed, read_at, &mut urgent)),
            Err(_) if outcome == PollOutcome::Ok => outcome = PollOutcome::QueuesUnreadable,
            Err(_) => {}
        }
        self.trouble(both(detail, observed.err()));
        let state = self.state();
        let now_state = (state.queues.as_ref().map(|queues| queues.digest), state.last_serial.0);
        urgent |= self.last_state.replace(now_state) != Some(now_state) || state.pending.is_some();
        let poll = Poll { device: self.index, at, outcome, discontinuity, readings };
        let detail = self.last_trouble.clone();
        self.tell(Output::Polled { poll, state, urgent, detail }).await;
    }

    /// Says a trouble once, and once that it is over; so it must be all that is wrong, once a poll.
    pub(super) fn trouble(&mut self, now: Option<String>) {
        if self.last_trouble == now {
            return;
        }
        match &now {
            Some(trouble) => tracing::warn!(device = %self.machine.device(), "{trouble}"),
            None => tracing::info!(device = %self.machine.device(), "answers again"),
        }
        self.last_trouble = now;
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
}

/// All that is wrong with a device, in one line.
fn both(snmp: Option<String>, queues: Option<String>) -> Option<String> {
    match (snmp, queues) {
        (Some(snmp), Some(queues)) => Some(format!("{snmp}; {queues}")),
        (snmp, queues) => snmp.or(queues),
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

#[cfg(test)]
mod tests;
