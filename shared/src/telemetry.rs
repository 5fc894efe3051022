//! Telemetry: raw counters, so that a lost message only widens an interval, and Gap, which says
//! what the spool had to drop.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::{BootEpoch, Challenge, MonoMillis, Seq, birth::DeviceState};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telemetry {
    pub boot_epoch: BootEpoch,
    pub seq: Seq,
    pub challenge: Challenge,
    pub made_at: MonoMillis,
    polls: Vec<PackedPoll>,
    /// Of the devices whose state changed, while a change is pending, and of all now and then.
    pub states: Vec<DeviceState>,
    /// Messages refused since boot (signature, kind, size, retained): a count, nothing more.
    pub alarms: u32,
}

/// One poll of one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poll {
    /// Position of the device in the Birth.
    pub device: u8,
    pub at: MonoMillis,
    pub outcome: PollOutcome,
    /// Counters may have been reset since the last poll: rates must not cross it.
    pub discontinuity: bool,
    pub readings: Vec<Reading>,
}

/// Told for every poll, distinct from a [`Gap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PollOutcome {
    Ok,
    Timeout,
    Authentication,
    /// Answered, but something asked for was missing.
    Partial,
    Unreachable,
    Garbage,
    /// SNMP answered; the queues could not be read.
    QueuesUnreadable,
}

/// The counters of one meter. A *sample* is one of the four values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Position of the meter over all devices of the Birth.
    pub meter: u16,
    /// Octet counters are 32 bits wide and wrap.
    pub narrow: bool,
    /// Of an interface: octets in, octets out, drops in, drops out (discards + errors, packets).
    /// Of a shaper: bytes, drops (packets), overlimits, backlog (bytes).
    pub values: [u64; 4],
}

/// Dropped by the spool: messages `first..=seq` of this epoch will never come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    pub boot_epoch: BootEpoch,
    pub first: Seq,
    pub seq: Seq,
    /// Counter values lost, for the record.
    pub samples: u64,
}

impl Telemetry {
    pub fn new(boot_epoch: BootEpoch, seq: Seq, challenge: Challenge, made_at: MonoMillis, polls: &[Poll]) -> Self {
        let packed = pack(polls, made_at);
        Self { boot_epoch, seq, challenge, made_at, polls: packed, states: Vec::new(), alarms: 0 }
    }

    pub fn polls(&self) -> Vec<Poll> {
        unpack(&self.polls, self.made_at)
    }

    pub fn samples(&self) -> usize {
        self.polls.iter().map(|poll| poll.readings.len() * 4).sum()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PackedPoll {
    device: u8,
    /// Milliseconds before `made_at`.
    age_ms: u32,
    outcome: PollOutcome,
    discontinuity: bool,
    readings: Vec<PackedReading>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PackedReading {
    meter: u16,
    narrow: bool,
    /// Differences to the last reading of the same meter in this message (wrapping); the first is
    /// a difference to zero. Never across messages.
    deltas: [i64; 4],
}

fn pack(polls: &[Poll], made_at: MonoMillis) -> Vec<PackedPoll> {
    let mut last = LastValues::default();
    polls
        .iter()
        .map(|poll| PackedPoll {
            device: poll.device,
            age_ms: u32::try_from(made_at.since(poll.at)).unwrap_or(u32::MAX),
            outcome: poll.outcome,
            discontinuity: poll.discontinuity,
            readings: poll
                .readings
                .iter()
                .map(|reading| {
                    let before = last.replace(reading.meter, reading.values);
                    let mut deltas = [0; 4];
                    for ((delta, now), was) in deltas.iter_mut().zip(reading.values).zip(before) {
                        *delta = now.wrapping_sub(was).cast_signed();
                    }
                    PackedReading { meter: reading.meter, narrow: reading.narrow, deltas }
                })
                .collect(),
        })
        .collect()
}

fn unpack(polls: &[PackedPoll], made_at: MonoMillis) -> Vec<Poll> {
    let mut last = LastValues::default();
    polls
        .iter()
        .map(|poll| Poll {
            device: poll.device,
            at: MonoMillis(made_at.0.saturating_sub(u64::from(poll.age_ms))),
            outcome: poll.outcome,
            discontinuity: poll.discontinuity,
            readings: poll
                .readings
                .iter()
                .map(|reading| {
                    let mut values = last.get(reading.meter);
                    for (value, delta) in values.iter_mut().zip(reading.deltas) {
                        *value = value.wrapping_add(delta.cast_unsigned());
                    }
                    last.replace(reading.meter, values);
                    Reading { meter: reading.meter, narrow: reading.narrow, values }
                })
                .collect(),
        })
        .collect()
}

/// A message holds few meters: a sorted list is smaller than any map, and bounded by the message.
#[derive(Default)]
struct LastValues(Vec<(u16, [u64; 4])>);

impl LastValues {
    fn get(&self, meter: u16) -> [u64; 4] {
        self.0.binary_search_by_key(&meter, |entry| entry.0).map_or([0; 4], |at| self.0[at].1)
    }
    fn replace(&mut self, meter: u16, values: [u64; 4]) -> [u64; 4] {
        match self.0.binary_search_by_key(&meter, |entry| entry.0) {
            Ok(at) => core::mem::replace(&mut self.0[at].1, values),
            Err(at) => {
                self.0.insert(at, (meter, values));
                [0; 4]
            }
        }
    }
}
