//! The pure centre: traffic through the queues as time passes. Knows no clock, socket or file; what happened comes back
//! as log records.

use crate::{
    log::Record,
    menus::{Held, Menus, Stage},
    pair::{BitsPerSec, Direction, Pair},
    refusal::Refusal,
    shaper::{Counters, Shaper},
    target::Subscriber,
    traffic::Model,
};

/// The longest step in which demand and limit are taken as constant.
pub const STEP_MS: u64 = 100;

/// Who this router is and what its traffic passes through.
#[derive(Clone, Debug)]
pub struct Setup {
    pub router: String,
    /// What the log calls the queue, whichever the traffic passes.
    pub queue: String,
    /// Of the line: it bounds an unlimited queue, and every other.
    pub capacity: Pair<BitsPerSec>,
    pub model: Model,
    pub subscriber: Subscriber,
    pub menus: Menus,
}

#[derive(Debug)]
pub struct Simulation {
    setup: Setup,
    shapers: Pair<Shaper>,
    now_ms: u64,
    second_began_ms: u64,
    at_second: Pair<Counters>,
}

impl Simulation {
    /// Starts at this unix time; the records say what is in force then.
    pub fn start(setup: Setup, now_ms: u64) -> (Self, Vec<Record>) {
        let simulation =
            Self { setup, shapers: Pair::default(), now_ms, second_began_ms: now_ms, at_second: Pair::default() };
        let in_force = simulation.setup.menus.in_force();
        let records = in_force.into_iter().map(|((queue, _), limits)| simulation.set_record(queue, limits)).collect();
        (simulation, records)
    }

    pub fn menus(&self) -> &Menus {
        &self.setup.menus
    }

    /// Each direction's totals, whatever queues were there.
    pub fn totals(&self) -> Pair<Counters> {
        Pair::of(|direction| self.shapers.get(direction).counters())
    }

    /// Lets time pass up to this unix time, however late the call comes; an earlier time changes nothing.
    pub fn advance(&mut self, to_ms: u64) -> Vec<Record> {
        let mut records = Vec::new();
        while self.now_ms < to_ms {
            let second_ends = (self.now_ms / 1000 + 1).saturating_mul(1000);
            let end = to_ms.min(second_ends).min(self.now_ms.saturating_add(STEP_MS));
            self.step(end - self.now_ms);
            self.now_ms = end;
            if end == second_ends {
                self.close_second(&mut records);
            }
        }
        records
    }

    /// Changes what clients can change now. Every ceiling that changed comes back as a record.
    pub fn edit<T>(
        &mut self,
        change: impl FnOnce(&mut Menus) -> Result<T, Refusal>,
    ) -> (Result<T, Refusal>, Vec<Record>) {
        let before = self.setup.menus.in_force();
        let outcome = change(&mut self.setup.menus);
        let after = self.setup.menus.in_force();
        let gone = before.keys().filter(|key| !after.contains_key(*key));
        let mut records: Vec<Record> = gone.map(|(name, _)| self.set_record(name.clone(), Pair::default())).collect();
        let changed = after.iter().filter(|(key, limits)| before.get(*key) != Some(*limits));
        records.extend(changed.map(|((name, _), limits)| self.set_record(name.clone(), *limits)));
        (outcome, records)
    }

    fn step(&mut self, ms: u64) {
        let ways = self.ways();
        let Setup { capacity, model, menus, .. } = &mut self.setup;
        let offered = Pair::of(|direction| model.offered(direction, self.now_ms));
        let mut holders: Pair<Option<Stage>> = Pair::default();
        let mut limits = Pair::of(|direction| {
            let way = ways.get(direction);
            let held = menus.tightest(way, direction);
            // Without a ceiling the last queue is before the line, so what the line cannot take waits there.
            *holders.get_mut(direction) = held.map(|held| held.by).or(way.last().copied());
            held.map_or(*capacity.get(direction), |held| held.to.min(*capacity.get(direction)))
        });
        if let Some(Held { to, by }) = menus.shared(&ways) {
            let split = share(to, &limits, &offered);
            for direction in Direction::BOTH {
                if split.get(direction) < limits.get(direction) {
                    *holders.get_mut(direction) = Some(by);
                }
            }
            limits = split;
        }
        menus.forget_queued();
        for direction in Direction::BOTH {
            let shaper = self.shapers.get_mut(direction);
            let before = shaper.counters();
            shaper.advance(*offered.get(direction), *limits.get(direction), ms);
            let moved = shaper.counters().since(before);
            menus.count(ways.get(direction), *holders.get(direction), direction, moved, shaper.backlog());
            menus.filter.count(moved.served);
        }
    }

    fn close_second(&mut self, records: &mut Vec<Record>) {
        let ways = self.ways();
        self.setup.menus.close_second(self.now_ms.saturating_sub(self.second_began_ms));
        let totals = self.totals();
        for direction in Direction::BOTH {
            let moved = totals.get(direction).since(*self.at_second.get(direction));
            let held = self.setup.menus.tightest(ways.get(direction), direction);
            records.push(Record::Second {
                unix_ms: self.second_began_ms,
                router: self.setup.router.clone(),
                queue: self.setup.queue.clone(),
                direction: direction.as_str(),
                offered_bytes: moved.offered.bytes(),
                served_bytes: moved.served.bytes(),
                dropped_bytes: moved.dropped.bytes(),
                max_limit_bps: held.map_or(0, |held| held.to.0),
            });
        }
        self.second_began_ms = self.now_ms;
        self.at_second = totals;
    }

    /// The queues that each direction passes now.
    fn ways(&self) -> Pair<Vec<Stage>> {
        Pair::of(|direction| self.setup.menus.way(&self.setup.subscriber, direction))
    }

    fn set_record(&self, queue: String, limits: Pair<BitsPerSec>) -> Record {
        Record::Set { unix_ms: self.now_ms, router: self.setup.router.clone(), queue, set: limits.into() }
    }
}

/// What each direction gets of a ceiling that both share: as much as it could take, and where that is too much
/// together, in proportion.
fn share(ceiling: BitsPerSec, limits: &Pair<BitsPerSec>, offered: &Pair<BitsPerSec>) -> Pair<BitsPerSec> {
    let wanted = Pair::of(|direction| (*offered.get(direction)).min(*limits.get(direction)).0);
    let both = wanted.up.saturating_add(wanted.down);
    if both <= ceiling.0 {
        return *limits;
    }
    let part = |wanted: u64| u128::from(ceiling.0) * u128::from(wanted) / u128::from(both);
    Pair { up: BitsPerSec(part(wanted.up) as u64), down: BitsPerSec(part(wanted.down) as u64) }
}

#[cfg(test)]
mod tests;
