//! Devices, a collector and what lies between them, in virtual time; and what must be true after every step.
//!
//! P3 is about what Takar causes. A hand may set any value at any time, and no collector can prevent it. So each queue
//! knows two rates: what is in force, and what would be in force had no hand touched it. The second is moved by commands
//! and their rollbacks only, and its sum must stay within the bound. What is in force exceeds it by exactly what hands
//! have added, and in a run without hands the two are the same.

use takar_collector_core::ledger::{BatchState, ChangeState};
use takar_shared::{
    BatchId, BitsPerSec, ChangeId, MonoMillis, UnixMillis,
    birth::DeviceState,
    receipt::{Phase, Receipt},
};

use crate::{
    collector::{Collector, Down, Event, Link, RESEND_MS, Release, Rules, WAIT_MS, device_name, device_of},
    device::{Device, Mood, Queue},
    script::{Happening, Scenario, shaper},
    violation::Violation,
};

#[derive(Clone)]
enum Parcel {
    Down(usize, Down),
    Receipt(usize, Receipt),
    Report { device: usize, number: u64, state: DeviceState, polled_ok_at: Option<MonoMillis> },
}

pub struct World {
    pub collector: Collector,
    pub ended: Vec<BatchState>,
    devices: Vec<Device>,
    wire: Vec<Parcel>,
    now: u64,
    reports: u64,
    rules: Rules,
    /// What Takar had put in force as the last batch began, and what it then reckoned with.
    began_with: BitsPerSec,
    reckoned: BitsPerSec,
}

/// Runs a scenario to its end, or to the first violation.
pub fn run(scenario: &Scenario, rules: Rules) -> Result<World, Violation> {
    let mut world = World::new(scenario, rules);
    for device in 0..world.devices.len() {
        world.report(device, true);
    }
    world.deliver_all()?;
    world.plan()?;
    for happening in &scenario.script {
        world.happen(happening)?;
    }
    world.calm()?;
    Ok(world)
}

impl World {
    fn new(scenario: &Scenario, rules: Rules) -> Self {
        let count = scenario.devices;
        let mut devices: Vec<Device> = (0..count).map(|device| Device::new(device_name(device))).collect();
        let mut links = vec![];
        for (index, row) in scenario.links.iter().enumerate() {
            let (device, mir) = (row.device % count, BitsPerSec(row.mir));
            devices[device].queues.push(Queue { shaper: shaper(index), mir, takars: mir });
            links.push(Link {
                name: format!("link-{index}").parse().unwrap(),
                device,
                shaper: shaper(index),
                weight: row.weight,
                demand: row.demand,
                recorded: mir,
                observed: None,
            });
        }
        let sum: BitsPerSec = links.iter().map(|link| link.recorded).sum();
        let budget = sum.per_mille(scenario.budget_per_mille);
        Self {
            collector: Collector::new(links, count, budget, rules),
            ended: vec![],
            devices,
            wire: vec![],
            now: 1_000,
            reports: 0,
            rules,
            began_with: sum,
            reckoned: sum,
        }
    }

    fn happen(&mut self, happening: &Happening) -> Result<(), Violation> {
        self.now += 1;
        let now = MonoMillis(self.now);
        let (parcels, devices) = (self.wire.len().max(1), self.devices.len());
        match *happening {
            Happening::Deliver(which) => self.deliver(which % parcels)?,
            Happening::Lose(which) => drop(self.take(which % parcels)),
            Happening::Repeat(which) => {
                let again = self.wire.get(which % parcels).cloned();
                self.wire.extend(again);
            }
            Happening::Report { device, polled_ok } => self.report(device % devices, polled_ok),
            Happening::Pass(ms) => self.pass(ms)?,
            Happening::Quiet => self.quiet(RESEND_MS)?,
            Happening::Mood(device, mood) => self.devices[device % devices].mood = mood,
            Happening::Restart(device) => {
                let receipt = self.devices[device % devices].restart(now);
                self.answer(device % devices, receipt);
            }
            Happening::CollectorRestart => self.collector.restart(),
            Happening::Hand { link, mir } => {
                let shaper = shaper(link % self.collector.links.len());
                let queues = self.devices.iter_mut().flat_map(|device| &mut device.queues);
                queues.filter(|queue| queue.shaper == shaper).for_each(|queue| queue.mir = BitsPerSec(mir));
            }
            Happening::Plan => self.plan()?,
        }
        self.check()
    }

    /// From here on all devices answer, and nothing is lost: whatever runs must come to its end.
    fn calm(&mut self) -> Result<(), Violation> {
        self.devices.iter_mut().for_each(|device| device.mood = Mood::Well);
        // What cannot be sent is withdrawn after WAIT_MS. So the rounds are short at first, and then long.
        for ms in [RESEND_MS; 20].into_iter().chain([WAIT_MS / 10; 20]) {
            if self.collector.batch.is_none() {
                self.deliver_all()?;
                return if self.rules_are_right() { self.settled() } else { Ok(()) };
            }
            self.quiet(ms)?;
        }
        Err(Violation::NeverEnded)
    }

    /// Nothing goes wrong that is not wrong already, and then time passes.
    fn quiet(&mut self, ms: u64) -> Result<(), Violation> {
        self.deliver_all()?;
        self.now += 1;
        for device in 0..self.devices.len() {
            self.report(device, true);
        }
        self.deliver_all()?;
        self.pass(ms)
    }

    fn plan(&mut self) -> Result<(), Violation> {
        if self.collector.batch.is_some() {
            return Ok(());
        }
        let before = self.takars();
        self.collector.plan(UnixMillis(self.now));
        if let Some(batch) = &self.collector.batch {
            (self.began_with, self.reckoned) = (before, batch.sum_at_start);
        }
        self.after_collector()
    }

    fn pass(&mut self, ms: u64) -> Result<(), Violation> {
        self.now += ms;
        for device in 0..self.devices.len() {
            let receipt = self.devices[device].handle_timeout(MonoMillis(self.now));
            self.answer(device, receipt);
            self.check()?;
        }
        self.collector.tick(UnixMillis(self.now));
        self.after_collector()
    }

    fn report(&mut self, device: usize, polled_ok: bool) {
        self.reports += 1;
        let now = MonoMillis(self.now);
        let (number, state) = (self.reports, self.devices[device].report(now));
        self.send(device, Parcel::Report { device, number, state, polled_ok_at: polled_ok.then_some(now) });
    }

    fn answer(&mut self, device: usize, receipt: Option<Receipt>) {
        if let Some(receipt) = receipt {
            self.send(device, Parcel::Receipt(device, receipt));
        }
    }

    fn send(&mut self, device: usize, parcel: Parcel) {
        if self.devices[device].mood != Mood::Deaf {
            self.wire.push(parcel);
        }
    }

    fn take(&mut self, which: usize) -> Option<Parcel> {
        (which < self.wire.len()).then(|| self.wire.remove(which))
    }

    fn deliver_all(&mut self) -> Result<(), Violation> {
        while !self.wire.is_empty() {
            self.deliver(0)?;
        }
        Ok(())
    }

    fn deliver(&mut self, which: usize) -> Result<(), Violation> {
        // Time never stands still, so that what comes later is seen to come later.
        self.now += 1;
        let (mono, unix) = (MonoMillis(self.now), UnixMillis(self.now));
        match self.take(which) {
            None => {}
            Some(Parcel::Down(device, _)) if self.devices[device].mood == Mood::Deaf => {}
            Some(Parcel::Down(device, down)) => {
                let receipt = match &down {
                    Down::Command(command) => self.devices[device].handle_command(command, mono),
                    Down::Confirm(confirm) => self.devices[device].handle_confirm(confirm, mono),
                };
                self.answer(device, receipt);
            }
            Some(Parcel::Receipt(device, receipt)) => self.collector.handle_receipt(device, &receipt, unix),
            Some(Parcel::Report { device, number, state, polled_ok_at }) => {
                self.collector.handle_report(device, number, &state, polled_ok_at, unix);
            }
        }
        self.after_collector()
    }

    fn after_collector(&mut self) -> Result<(), Violation> {
        let out = std::mem::take(&mut self.collector.out);
        self.wire.extend(out.into_iter().map(|(device, down)| Parcel::Down(device, down)));
        for event in std::mem::take(&mut self.collector.events) {
            match event {
                Event::Dispatched(id) => self.check_order(id)?,
                Event::Ended(batch, said) => self.check_end(batch, said)?,
            }
        }
        self.check()
    }

    fn rules_are_right(&self) -> bool {
        self.rules.release == Release::AtConfirmed && self.rules.reserves
    }

    fn takars(&self) -> BitsPerSec {
        self.queues().map(|queue| queue.takars).sum()
    }

    fn queues(&self) -> impl Iterator<Item = &Queue> {
        self.devices.iter().flat_map(|device| &device.queues)
    }

    /// P3, and for the real rules more than P3.
    fn check(&self) -> Result<(), Violation> {
        let budget = self.collector.budget;
        let unlimited = |mir: BitsPerSec| if mir == BitsPerSec::ZERO { budget } else { mir };
        let in_force: BitsPerSec = self.queues().map(|queue| unlimited(queue.mir)).sum();
        let by_hand: BitsPerSec = self.queues().map(|queue| unlimited(queue.mir).saturating_sub(queue.takars)).sum();
        // What Takar reckons with as a batch begins counts drift it knows of; the real rules never make use of that.
        let reckoned = if self.rules_are_right() { self.began_with } else { self.reckoned };
        let most = budget.max(reckoned);
        if self.takars() > most || in_force > most.saturating_add(by_hand) {
            return Err(Violation::InForce { sum: self.takars(), most });
        }
        if !self.rules_are_right() {
            return Ok(());
        }
        let may_be: Vec<BitsPerSec> = (0..self.collector.links.len()).map(|link| self.may_be(link)).collect();
        let sum: BitsPerSec = may_be.iter().copied().sum();
        if sum > most {
            return Err(Violation::MayComeInForce { sum, most });
        }
        for (link, (may_be, reserved)) in may_be.into_iter().zip(self.collector.reserved()).enumerate() {
            if may_be > reserved {
                return Err(Violation::ReservedTooLittle { link, reserved, may_be });
            }
        }
        Ok(())
    }

    /// The most a link has, or comes to have by a command under way or by a rollback.
    fn may_be(&self, link: usize) -> BitsPerSec {
        let Link { device, shaper, .. } = &self.collector.links[link];
        let device = &self.devices[*device];
        let old = device.unconfirmed.iter().flat_map(|open| &open.old);
        let standing = device.queues.iter().chain(old).filter(|queue| queue.shaper == *shaper);
        let commands = self.collector.outbox.values().map(|sent| &sent.command);
        let coming = commands
            .filter(|command| command.device == device.name && command.serial > device.last_serial())
            .flat_map(|command| &command.set)
            .filter(|setting| setting.shaper == *shaper);
        let rates = standing.map(|queue| queue.takars).chain(coming.map(|setting| setting.mir));
        rates.fold(BitsPerSec::ZERO, BitsPerSec::max)
    }

    /// Both the collector and the devices themselves must say that every decrease stands.
    fn check_order(&self, id: ChangeId) -> Result<(), Violation> {
        let change = &self.collector.changes[&id];
        if !change.raises() || !self.rules_are_right() {
            return Ok(());
        }
        let stands =
            self.collector.changes.values().filter(|other| other.batch == change.batch && !other.raises()).all(
                |other| {
                    let on_device = self.devices[device_of(other)].ended.get(&other.id);
                    other.state == ChangeState::Confirmed && on_device == Some(&Phase::Confirmed)
                },
            );
        if stands { Ok(()) } else { Err(Violation::RaisedTooEarly(id)) }
    }

    fn check_end(&mut self, batch: BatchId, said: BatchState) -> Result<(), Violation> {
        self.ended.push(said);
        if !self.rules_are_right() {
            return Ok(());
        }
        let changes = self.collector.changes.values().filter(|change| change.batch == batch);
        let outcomes: Vec<Option<&Phase>> =
            changes.map(|change| self.devices[device_of(change)].ended.get(&change.id)).collect();
        let confirmed = outcomes.iter().filter(|phase| **phase == Some(&Phase::Confirmed)).count();
        let in_fact = match confirmed {
            0 => BatchState::Failed,
            all if all == outcomes.len() => BatchState::Done,
            _ => BatchState::Partial,
        };
        if said != in_fact {
            return Err(Violation::WrongEnd { said, in_fact });
        }
        let (before, after) = (self.began_with, self.takars());
        let higher = if said == BatchState::Done { after >= before } else { after > before };
        if before > self.collector.budget && higher {
            return Err(Violation::EndedHigher { before, after });
        }
        Ok(())
    }

    fn settled(&self) -> Result<(), Violation> {
        for (index, link) in self.collector.links.iter().enumerate() {
            let (recorded, on_device) = (link.recorded, self.may_be(index));
            if recorded != on_device {
                return Err(Violation::RecordDiffers { link: index, recorded, on_device });
            }
        }
        for (index, device) in self.devices.iter().enumerate() {
            let changes = self.collector.changes.values().filter(|change| device_of(change) == index);
            let mut sent: Vec<_> = changes.filter_map(|change| Some((change.serial?, change.id))).collect();
            sent.sort();
            let numbered = (1..).zip(&device.consumed).map(|(serial, id)| (takar_shared::Serial(serial), *id));
            if !numbered.eq(sent.iter().copied()) {
                let (consumed, sent) = (device.consumed.len(), sent.len());
                return Err(Violation::Serials { device: index, consumed, sent });
            }
        }
        Ok(())
    }
}
