//! An agent with its spool, a collector with its disk, and what is under way between them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;
use takar_collector_core::intake::{Decision, Intake, Loss, Mark, Reported, Restored};
use takar_shared::{
    BootEpoch, Challenge, ChangeId, Digest, MonoMillis, Name, Seq, Serial,
    birth::{Birth, DeviceBirth, DeviceState, Mode},
    id,
    receipt::{Phase, Receipt},
    telemetry::{Gap, Poll, PollOutcome, Reading, Telemetry},
};

pub fn mark(epoch: u32, seq: u64) -> Mark {
    (BootEpoch(epoch), Seq(seq))
}

fn device() -> Name {
    id::name("router").unwrap()
}

fn state(serial: u64) -> DeviceState {
    DeviceState {
        device: device(),
        last_serial: Serial(serial),
        pending: None,
        receipt_head: Digest([0; 32]),
        queues: None,
        keyset_version: 1,
    }
}

#[derive(Clone, Debug)]
pub enum Message {
    Birth(Birth),
    Telemetry(Telemetry),
    Gap(Gap),
}

#[derive(Default)]
pub struct World {
    pub agent: Agent,
    pub collector: Collector,
    pub broker: Vec<Message>,
}

#[derive(Clone, Debug)]
pub struct Agent {
    pub epoch: u32,
    pub now: u64,
    pub serial: u64,
    pub spool: VecDeque<Spooled>,
    /// All that it ever made, in order.
    pub made: Vec<Mark>,
    /// What it lost itself: dropped, or gone with the power.
    pub gone: BTreeSet<Mark>,
    serial_at_boot: u64,
    next_seq: u64,
    nonce: [u8; 16],
}

#[derive(Clone, Debug)]
pub struct Spooled {
    first: Mark,
    last: Mark,
    samples: u64,
    message: Message,
}

impl Default for Agent {
    fn default() -> Self {
        let mut agent = Self {
            epoch: 0,
            now: 0,
            serial: 0,
            spool: VecDeque::new(),
            made: Vec::new(),
            gone: BTreeSet::new(),
            serial_at_boot: 0,
            next_seq: 1,
            nonce: [0; 16],
        };
        agent.boot();
        agent
    }
}

impl Agent {
    /// The process starts anew; the spool's files are still there.
    pub fn boot(&mut self) {
        self.epoch += 1;
        self.next_seq = 1;
        self.serial_at_boot = self.serial;
        // As good as random: no two runs have the same, a copy's neither.
        let counter = u64::from_le_bytes(self.nonce[..8].try_into().unwrap()) + 1;
        self.nonce[..8].copy_from_slice(&counter.to_le_bytes());
    }

    /// A copy of its state. What it draws from then on is its own.
    pub fn copied(&self) -> Self {
        let mut copy = self.clone();
        copy.nonce[15] ^= 1;
        copy
    }

    pub fn lose_power(&mut self) {
        self.gone.extend(self.spool.drain(..).flat_map(|held| covered(&held)));
        self.now = 0;
        self.boot();
    }

    pub fn poll(&mut self, meters: u8, stale: u64) {
        self.now += 1;
        let at = MonoMillis(self.now);
        let readings = (0..8u16).filter(|meter| meters & (1 << meter) != 0);
        let readings = readings.map(|meter| Reading { meter, narrow: false, values: [self.now; 4] }).collect();
        let poll = Poll { device: 0, at, outcome: PollOutcome::Ok, discontinuity: false, readings };
        let (epoch, seq) = mark(self.epoch, self.next_seq);
        let mut telemetry = Telemetry::new(epoch, seq, Challenge([1; 16]), at, &[poll]);
        // A state waits for its message while a Birth may tell a newer one.
        telemetry.states = vec![state(self.serial - stale % (self.serial - self.serial_at_boot + 1))];
        let samples = telemetry.samples() as u64;
        self.made.push((epoch, seq));
        self.next_seq += 1;
        let message = Message::Telemetry(telemetry);
        self.spool.push_back(Spooled { first: (epoch, seq), last: (epoch, seq), samples, message });
    }

    /// The oldest make room; a Gap for each epoch takes their place.
    pub fn drop_oldest(&mut self, count: usize) {
        let dropped: Vec<Spooled> = self.spool.drain(..count.min(self.spool.len())).collect();
        let mut gaps: Vec<Gap> = Vec::new();
        for held in dropped {
            self.gone.extend(covered(&held));
            match gaps.last_mut().filter(|gap| gap.boot_epoch == held.first.0) {
                Some(gap) => (gap.seq, gap.samples) = (held.last.1, gap.samples + held.samples),
                None => gaps.push(Gap {
                    boot_epoch: held.first.0,
                    first: held.first.1,
                    seq: held.last.1,
                    samples: held.samples,
                }),
            }
        }
        for gap in gaps.into_iter().rev() {
            let (first, last) = ((gap.boot_epoch, gap.first), (gap.boot_epoch, gap.seq));
            let samples = gap.samples;
            self.spool.push_front(Spooled { first, last, samples, message: Message::Gap(gap) });
        }
    }

    /// A Birth and all that it holds.
    pub fn connect(&mut self) -> Vec<Message> {
        self.now += 1;
        let from = self.spool.front().map_or(mark(self.epoch, self.next_seq), |held| held.first);
        let birth = Message::Birth(self.birth(from));
        std::iter::once(birth).chain(self.spool.iter().map(|held| held.message.clone())).collect()
    }

    pub fn birth(&self, spooled_from: Mark) -> Birth {
        Birth {
            boot_epoch: BootEpoch(self.epoch),
            boot_nonce: self.nonce,
            challenge: Challenge([2; 16]),
            now: MonoMillis(self.now),
            software: Name::default(),
            mode: Mode::Live,
            spooled_from,
            devices: vec![DeviceBirth {
                device: device(),
                meters: Vec::new(),
                bounds: Vec::new(),
                changes_per_hour: 6,
                state: state(self.serial),
            }],
        }
    }

    pub fn handle_stored(&mut self, up_to: Mark) {
        while self.spool.front().is_some_and(|held| held.last <= up_to) {
            self.spool.pop_front();
        }
    }
}

fn covered(held: &Spooled) -> Vec<Mark> {
    (held.first.1.0..=held.last.1.0).map(|seq| (held.first.0, Seq(seq))).collect()
}

/// What a commit makes durable.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    pub births: BTreeMap<u32, Birth>,
    pub stored: Vec<Mark>,
    pub losses: Vec<Loss>,
    reported: BTreeMap<Name, Reported>,
    read: BTreeMap<u32, BTreeSet<u16>>,
    up_to: Option<Mark>,
}

#[derive(Clone)]
pub struct Collector {
    pub intake: Intake,
    pub disk: Disk,
    /// The first accusation; kept apart from the rest, at once.
    pub accused: Option<Restored>,
    /// With what the next commit makes durable.
    ahead: Disk,
    durable: Intake,
}

impl Default for Collector {
    fn default() -> Self {
        let intake = Intake::new(None, None, []);
        let (disk, ahead) = (Disk::default(), Disk::default());
        Self { durable: intake.clone(), intake, disk, accused: None, ahead }
    }
}

impl Collector {
    pub fn hear(&mut self, message: &Message) {
        let _ = self.decide(message);
    }

    pub fn decide(&mut self, message: &Message) -> Decision {
        let decision = match message {
            Message::Birth(birth) => {
                let known = self.disk.births.get(&birth.boot_epoch.0).map(|known| known.boot_nonce);
                self.intake.birth(birth, known)
            }
            Message::Telemetry(telemetry) => {
                let readable = self.ahead.births.contains_key(&telemetry.boot_epoch.0);
                self.intake.telemetry(telemetry, &telemetry.polls(), readable)
            }
            Message::Gap(gap) => self.intake.gap(gap),
        };
        match &decision {
            Decision::Ignore(_) => {}
            Decision::Quarantine(restored) => {
                self.accused.get_or_insert_with(|| restored.clone());
            }
            Decision::Take(taken) => {
                self.ahead.up_to = Some(self.intake.taken());
                self.ahead.losses.extend(&taken.lost);
                let reported = taken.reported.iter().cloned();
                self.ahead.reported.extend(reported.map(|reported| (reported.device.clone(), reported)));
                match message {
                    Message::Birth(birth) => drop(self.ahead.births.insert(birth.boot_epoch.0, birth.clone())),
                    Message::Telemetry(telemetry) if taken.readable => {
                        self.ahead.stored.push((telemetry.boot_epoch, telemetry.seq));
                        let read = self.ahead.read.entry(telemetry.boot_epoch.0).or_default();
                        let polls = telemetry.polls();
                        let meters = polls.iter().flat_map(|poll| &poll.readings).map(|reading| reading.meter);
                        let first: BTreeSet<u16> = meters.filter(|meter| read.insert(*meter)).collect();
                        assert_eq!(taken.first_of, first, "breaks of {:?}", (telemetry.boot_epoch, telemetry.seq));
                    }
                    _ => {}
                }
            }
        }
        decision
    }

    pub fn receive(&mut self, epoch: u32, serial: u64, phase: Phase) -> Option<Reported> {
        let receipt = Receipt {
            change: ChangeId([1; 16]),
            device: device(),
            serial: Serial(serial),
            phase,
            observed: None,
            boot_epoch: BootEpoch(epoch),
            previous: Digest([0; 32]),
        };
        self.intake.receipt(&receipt)
    }

    pub fn commit(&mut self) {
        self.disk = self.ahead.clone();
        self.durable = self.intake.clone();
    }

    pub fn fail_to_commit(&mut self) {
        self.ahead = self.disk.clone();
        self.intake.fall_back(&self.durable);
    }

    pub fn restart(&mut self) {
        self.ahead = self.disk.clone();
        let newest = self.disk.births.values().next_back();
        self.intake = Intake::new(self.disk.up_to, newest, self.disk.reported.values().cloned());
        let read = self.disk.read.get(&self.intake.taken().0.0);
        self.intake.note_read(read.into_iter().flatten().copied());
        if self.accused.is_some() {
            self.intake.hold();
        }
        self.durable = self.intake.clone();
    }

    pub fn stored_up_to(&self) -> Mark {
        self.durable.taken()
    }

    pub fn highest_serial_heard(&self) -> u64 {
        let births = self.disk.births.values().flat_map(|birth| &birth.devices);
        let births = births.map(|device| device.state.last_serial.0);
        births.chain(self.disk.reported.values().map(|reported| reported.serial.0)).max().unwrap_or_default()
    }

    /// Each message that was made is on disk once at most, and, up to where the agent is told, once exactly.
    pub fn check(&self, made: &[Mark]) -> Result<(), TestCaseError> {
        let up_to = self.stored_up_to();
        for one in made {
            let stored = self.disk.stored.iter().filter(|stored| *stored == one).count();
            let lost = self.disk.losses.iter().filter(|loss| loss.from <= *one && *one <= loss.to).count();
            prop_assert!(stored + lost <= 1, "{one:?}: stored {stored} times, lost {lost} times");
            prop_assert!(stored + lost == 1 || *one > up_to, "{one:?} is neither stored nor lost, below {up_to:?}");
        }
        Ok(())
    }
}
