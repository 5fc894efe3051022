//! The collector around one uplink in one direction: the rooms of the core are the real ones, and between them what
//! the engine's `dispatch` and `planning` do, as thinly as it can be told again. Nothing is stored or signed.

use std::collections::BTreeMap;
use takar_collector_core::{
    batch::{self, Step},
    inventory::LinkName,
    ledger::{Batch, BatchState, Change, ChangeState, ChangeTimes, LinkMove},
    plan::ClaimDemand,
    reserve::{self, Hold},
};
use takar_shared::{
    AgentId, BatchId, BitsPerSec, ChangeId, Digest, Direction, MonoMillis, Serial, UnixMillis,
    birth::DeviceState,
    command::{Command, Confirm},
    id::name,
    queue::{QueueReading, Shaper},
    receipt::Receipt,
};

pub const RESEND_MS: u64 = 5_000;
pub const WAIT_MS: u64 = 15 * 60_000;
const CONFIRM_WITHIN_S: u32 = 30;
const EXPIRES_MS: u64 = 60_000;

/// The two guards of promise P3, each of which a test can take away.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub release: Release,
    /// Is the reservation asked before an increase is signed?
    pub reserves: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// The real rule.
    AtConfirmed,
    /// Wrong on purpose: increases go out when the decreases are applied.
    AtApplied,
}

pub struct Link {
    pub name: LinkName,
    pub device: usize,
    pub shaper: Shaper,
    pub weight: u32,
    pub demand: ClaimDemand,
    pub recorded: BitsPerSec,
    pub observed: Option<BitsPerSec>,
}

/// A device as last reported.
#[derive(Default)]
struct Known {
    /// Reports are taken in order.
    taken: u64,
    state: Option<DeviceState>,
    polled_ok_at: Option<MonoMillis>,
    drawn: Serial,
}

pub struct Sent {
    pub command: Command,
    confirm: Option<Confirm>,
    sent_at: UnixMillis,
}

#[derive(Clone, Debug)]
pub enum Down {
    Command(Command),
    Confirm(Confirm),
}

/// What the world is to judge.
pub enum Event {
    Dispatched(ChangeId),
    Ended(BatchId, BatchState),
}

pub struct Collector {
    pub links: Vec<Link>,
    pub budget: BitsPerSec,
    pub changes: BTreeMap<ChangeId, Change>,
    pub outbox: BTreeMap<ChangeId, Sent>,
    pub batch: Option<Batch>,
    pub events: Vec<Event>,
    /// To be put on the wire, with the device it is for.
    pub out: Vec<(usize, Down)>,
    /// How often the reservation said no, and how often a change expired.
    pub over: u32,
    pub expired: u32,
    rules: Rules,
    known: Vec<Known>,
    receipts: Vec<Receipt>,
    ids: u64,
}

impl Collector {
    pub fn new(links: Vec<Link>, devices: usize, budget: BitsPerSec, rules: Rules) -> Self {
        Self {
            links,
            budget,
            changes: BTreeMap::new(),
            outbox: BTreeMap::new(),
            batch: None,
            events: vec![],
            out: vec![],
            over: 0,
            expired: 0,
            rules,
            known: (0..devices).map(|_| Known::default()).collect(),
            receipts: vec![],
            ids: 0,
        }
    }

    /// Contention is 1, so the budget is the capacity.
    pub fn reserved(&self) -> Vec<BitsPerSec> {
        reserve::reserved(&self.holds(), Direction::Down, self.budget, &self.open())
    }

    pub fn handle_receipt(&mut self, device: usize, receipt: &Receipt, now: UnixMillis) {
        self.receipts.push(receipt.clone());
        let Some(change) = self.changes.get_mut(&receipt.change).filter(|change| change.agent == agent(device)) else {
            return;
        };
        let Some(next) = batch::receive(change, receipt) else { return };
        change.state = next;
        let moves = change.moves.clone();
        if next == ChangeState::Confirmed {
            for one in &moves {
                self.links.iter_mut().filter(|link| link.name == one.link).for_each(|link| link.recorded = one.set.mir);
            }
        }
        if next.is_final() {
            self.outbox.remove(&receipt.change);
        }
        self.advance(now);
        // What was read back right after is newer than the last report.
        let known = self.known[device].state.as_mut().and_then(|state| state.queues.as_mut());
        if let (Some(set), Some(queues)) = (&receipt.observed, known)
            && set.read_at > queues.read_at
        {
            queues.clone_from(set);
            self.observe(device, &set.readings);
        }
    }

    /// `number` counts the reports of a device: an older one never follows a newer.
    pub fn handle_report(
        &mut self,
        device: usize,
        number: u64,
        state: &DeviceState,
        polled_ok_at: Option<MonoMillis>,
        now: UnixMillis,
    ) {
        let known = &mut self.known[device];
        if number <= known.taken {
            return;
        }
        known.taken = number;
        known.state = Some(state.clone());
        known.polled_ok_at = polled_ok_at.or(known.polled_ok_at);
        let readings = state.queues.as_ref().map(|queues| queues.readings.clone()).unwrap_or_default();
        self.observe(device, &readings);
        self.confirm_what_holds(device, now);
    }

    pub fn tick(&mut self, now: UnixMillis) {
        for (id, sent) in &self.outbox {
            let Some(change) = self.changes.get_mut(id) else { continue };
            if let Some(state) = batch::expire(change, sent.command.expires_at, now) {
                change.state = state;
                self.expired += 1;
            }
        }
        self.advance(now);
        for (id, sent) in &mut self.outbox {
            if now.since(sent.sent_at) >= RESEND_MS {
                sent.sent_at = now;
                let again = sent.confirm.clone().map_or_else(|| Down::Command(sent.command.clone()), Down::Confirm);
                self.out.push((device_of(&self.changes[id]), again));
            }
        }
    }

    /// What was decided is stored; what was seen is not.
    pub fn restart(&mut self) {
        for known in &mut self.known {
            (known.state, known.polled_ok_at) = (None, None);
        }
        self.links.iter_mut().for_each(|link| link.observed = None);
        self.outbox.values_mut().for_each(|sent| sent.sent_at = UnixMillis(0));
    }

    fn holds(&self) -> Vec<Hold> {
        let hold = |link: &Link| Hold { link: link.name.clone(), recorded: link.recorded, observed: link.observed };
        self.links.iter().map(hold).collect()
    }

    fn open(&self) -> Vec<&Change> {
        self.changes.values().filter(|change| !change.state.is_final()).collect()
    }

    fn observe(&mut self, device: usize, readings: &[QueueReading]) {
        for link in self.links.iter_mut().filter(|link| link.device == device) {
            let reading = readings.iter().find(|reading| reading.shaper == link.shaper);
            link.observed = reading.map(|reading| reading.mir).or(link.observed);
        }
    }

    pub fn advance(&mut self, now: UnixMillis) {
        let Some(id) = self.batch.as_ref().map(|batch| batch.id) else { return };
        let mut changes: Vec<Change> = self.changes.values().filter(|change| change.batch == id).cloned().collect();
        changes.sort_by_key(|change| change.step);
        let steps = match self.rules.release {
            Release::AtConfirmed => batch::next(&changes),
            Release::AtApplied => next_too_early(&changes),
        };
        for step in steps {
            match step {
                Step::Dispatch(change) => self.dispatch(change, now),
                Step::Withdraw(change) => self.withdraw(change),
                Step::End(state) => {
                    self.batch = None;
                    self.events.push(Event::Ended(id, state));
                }
            }
        }
    }

    fn dispatch(&mut self, id: ChangeId, now: UnixMillis) {
        let change = self.changes[&id].clone();
        if now.since(change.times.made) > WAIT_MS {
            return self.withdraw(id);
        }
        let Some((serial, expects)) = self.ready_to_take(&change) else { return };
        if !self.may_dispatch(&change) {
            self.over += 1;
            return;
        }
        let command = Command {
            change: id,
            device: change.device.clone(),
            serial,
            expires_at: now.plus(EXPIRES_MS),
            batch: change.batch,
            step: change.step,
            steps: change.steps,
            expects,
            set: change.moves.iter().map(|one| one.set.clone()).collect(),
            confirm_within_s: CONFIRM_WITHIN_S,
        };
        let device = device_of(&change);
        self.known[device].drawn = serial;
        let times = ChangeTimes { dispatched: Some(now), ..change.times };
        self.changes.insert(id, Change { serial: Some(serial), state: ChangeState::Dispatched, times, ..change });
        self.outbox.insert(id, Sent { command: command.clone(), confirm: None, sent_at: now });
        self.out.push((device, Down::Command(command)));
        self.events.push(Event::Dispatched(id));
    }

    fn ready_to_take(&self, change: &Change) -> Option<(Serial, Digest)> {
        let known = &self.known[device_of(change)];
        let state = known.state.as_ref()?;
        let observed = |one: &LinkMove| self.links.iter().find(|link| link.name == one.link)?.observed;
        batch::ready(change, &self.open(), known.drawn, state, observed)
    }

    fn may_dispatch(&self, change: &Change) -> bool {
        let Some(batch) = self.batch.as_ref().filter(|_| self.rules.reserves && change.raises()) else { return true };
        let limit = self.budget.max(batch.sum_at_start);
        reserve::may_dispatch(change, &self.holds(), Direction::Down, self.budget, &self.open(), limit).is_ok()
    }

    fn withdraw(&mut self, id: ChangeId) {
        if let Some(change) = self.changes.get_mut(&id) {
            change.state = ChangeState::Withdrawn;
        }
    }

    fn confirm_what_holds(&mut self, device: usize, now: UnixMillis) {
        let known = &self.known[device];
        let Some(state) = &known.state else { return };
        for change in self.changes.values_mut() {
            let waits = change.state == ChangeState::Applied && change.times.confirm_sent.is_none();
            let mut receipts = self.receipts.iter().filter(|receipt| receipt.change == change.id);
            let (true, Some(serial)) = (waits && change.agent == agent(device), change.serial) else { continue };
            if !receipts.any(|receipt| batch::may_confirm(receipt, known.polled_ok_at, state)) {
                continue;
            }
            let confirm = Confirm { change: change.id, device: change.device.clone(), serial };
            change.times.confirm_sent = Some(now);
            if let Some(sent) = self.outbox.get_mut(&change.id) {
                (sent.confirm, sent.sent_at) = (Some(confirm.clone()), now);
            }
            self.out.push((device, Down::Confirm(confirm)));
        }
    }

    pub fn next_id(&mut self) -> [u8; 16] {
        self.ids += 1;
        u128::from(self.ids).to_be_bytes()
    }
}

/// [`batch::next`], were a decrease good enough when it is applied.
fn next_too_early(changes: &[Change]) -> Vec<Step> {
    let mut hopeful = changes.to_vec();
    for change in hopeful.iter_mut().filter(|change| !change.raises() && change.state == ChangeState::Applied) {
        change.state = ChangeState::Confirmed;
    }
    let mut steps = batch::next(&hopeful);
    let over = changes.iter().all(|change| change.state.is_final());
    steps.retain(|step| over || !matches!(step, Step::End(_)));
    steps
}

pub fn device_name(device: usize) -> takar_shared::Name {
    name(&format!("device-{device}")).unwrap()
}

/// One device for each agent, so that either names the other.
pub fn agent(device: usize) -> AgentId {
    AgentId([device as u8; 16])
}

pub fn device_of(change: &Change) -> usize {
    usize::from(change.agent.0[0])
}
