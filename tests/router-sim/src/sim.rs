//! The pure centre: traffic through the queue as time passes. Knows no clock, socket or file; what happened comes back
//! as log records.

use crate::{
    log::Record,
    pair::{BitsPerSec, Direction, Pair},
    refusal::Refusal,
    shaper::{Counters, PACKET_BYTES, Shaper},
    table::Table,
    traffic::Model,
};

/// The longest step in which demand and limit are taken as constant.
pub const STEP_MS: u64 = 100;

/// Who this router is and what its traffic passes through.
#[derive(Clone, Debug)]
pub struct Setup {
    pub router: String,
    /// The name of the queue that the traffic passes.
    pub queue: String,
    /// Of the line: it bounds an unlimited queue, and every other.
    pub capacity: Pair<BitsPerSec>,
    pub model: Model,
    pub table: Table,
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
        let in_force = simulation.setup.table.in_force();
        let records = in_force.into_iter().map(|(queue, limits)| simulation.set_record(queue, limits)).collect();
        (simulation, records)
    }

    pub fn table(&self) -> &Table {
        &self.setup.table
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

    /// Changes the queue table now. Every ceiling that changed comes back as a record.
    pub fn edit<T>(
        &mut self,
        change: impl FnOnce(&mut Table) -> Result<T, Refusal>,
    ) -> (Result<T, Refusal>, Vec<Record>) {
        let before = self.setup.table.in_force();
        let outcome = change(&mut self.setup.table);
        let after = self.setup.table.in_force();
        let gone = before.keys().filter(|name| !after.contains_key(*name));
        let mut records: Vec<Record> = gone.map(|name| self.set_record(name.clone(), Pair::default())).collect();
        let changed = after.iter().filter(|(name, limits)| before.get(*name) != Some(*limits));
        records.extend(changed.map(|(name, limits)| self.set_record(name.clone(), *limits)));
        (outcome, records)
    }

    fn step(&mut self, ms: u64) {
        let ceiling = self.ceiling();
        let Setup { queue, capacity, model, table, .. } = &mut self.setup;
        for direction in Direction::BOTH {
            let limit = effective(*ceiling.get(direction), *capacity.get(direction));
            let shaper = self.shapers.get_mut(direction);
            let before = shaper.counters();
            shaper.advance(model.offered(direction, self.now_ms), limit, ms);
            if let Some(row) = table.enabled_mut(queue) {
                row.stats.get_mut(direction).count(shaper.counters().since(before), shaper.backlog());
            }
        }
    }

    fn close_second(&mut self, records: &mut Vec<Record>) {
        let ceiling = self.ceiling();
        let took_ms = self.now_ms.saturating_sub(self.second_began_ms).max(1);
        let totals = self.totals();
        for direction in Direction::BOTH {
            let moved = totals.get(direction).since(*self.at_second.get(direction));
            let bits = moved.served.0.saturating_mul(PACKET_BYTES * 8);
            if let Some(row) = self.setup.table.enabled_mut(&self.setup.queue) {
                row.stats.get_mut(direction).rate = BitsPerSec(bits.saturating_mul(1000) / took_ms);
            }
            records.push(Record::Second {
                unix_ms: self.second_began_ms,
                router: self.setup.router.clone(),
                queue: self.setup.queue.clone(),
                direction: direction.as_str(),
                offered_bytes: moved.offered.bytes(),
                served_bytes: moved.served.bytes(),
                dropped_bytes: moved.dropped.bytes(),
                max_limit_bps: ceiling.get(direction).0,
            });
        }
        self.second_began_ms = self.now_ms;
        self.at_second = totals;
    }

    /// The max-limit of the queue that the traffic passes; zero without one.
    fn ceiling(&mut self) -> Pair<BitsPerSec> {
        self.setup.table.enabled_mut(&self.setup.queue).map(|row| row.max_limit).unwrap_or_default()
    }

    fn set_record(&self, queue: String, limits: Pair<BitsPerSec>) -> Record {
        Record::Set { unix_ms: self.now_ms, router: self.setup.router.clone(), queue, set: limits.into() }
    }
}

fn effective(ceiling: BitsPerSec, capacity: BitsPerSec) -> BitsPerSec {
    if ceiling == BitsPerSec(0) { capacity } else { ceiling.min(capacity) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        log::Limits,
        traffic::{Plan, Profile, busy_sites},
    };

    const START_MS: u64 = 1_700_000_000_400;

    fn attributes(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(argument, value)| ((*argument).to_owned(), (*value).to_owned())).collect()
    }

    /// A busy site of six behind 60/30 Mbit/s, held to its equal share.
    fn busy() -> (Simulation, Vec<Record>) {
        let mut table = Table::default();
        table.add(&attributes(&[("name", "site"), ("max-limit", "5M/10M")])).unwrap();
        table.add(&attributes(&[("name", "guests")])).unwrap();
        let capacity = Pair { up: BitsPerSec(30_000_000), down: BitsPerSec(60_000_000) };
        let site = busy_sites(3, 6)[0];
        let plan = Plan { seed: 3, site, sites: 6, capacity, day_s: 600, profile: Profile::Skewed };
        let (router, queue) = ("r1".to_owned(), "site".to_owned());
        Simulation::start(Setup { router, queue, capacity, model: Model::new(plan), table }, START_MS)
    }

    fn served(records: &[Record], wanted: &str) -> Vec<u64> {
        records
            .iter()
            .filter_map(|record| match record {
                Record::Second { direction, served_bytes, .. } if *direction == wanted => Some(*served_bytes),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn a_held_site_is_served_its_ceiling_and_more_after_a_raise() {
        let (mut simulation, _) = busy();
        let before = simulation.advance(START_MS + 10_600);
        assert!(served(&before, "down")[1..].iter().all(|bytes| *bytes == 1_250_000), "{before:?}");
        assert!(served(&before, "up")[1..].iter().all(|bytes| *bytes == 625_000), "{before:?}");
        let raise = attributes(&[(".id", "*1"), ("max-limit", "5M/12M")]);
        let (outcome, records) = simulation.edit(|table| table.set(&raise));
        assert_eq!(outcome, Ok(()));
        let set = Limits { up_bps: 5_000_000, down_bps: 12_000_000 };
        let (router, queue) = ("r1".to_owned(), "site".to_owned());
        assert_eq!(records, [Record::Set { unix_ms: START_MS + 10_600, router, queue, set }]);
        let after = simulation.advance(START_MS + 14_600);
        assert!(served(&after, "down").iter().all(|bytes| (1_255_000..=1_520_000).contains(bytes)), "{after:?}");
    }

    #[test]
    fn a_late_tick_moves_as_much_as_punctual_ones() {
        let (mut late, mut punctual) = (busy().0, busy().0);
        let all_at_once = late.advance(START_MS + 7_600);
        let mut one_by_one = Vec::new();
        for tick in 1..=76 {
            one_by_one.extend(punctual.advance(START_MS + tick * 100));
        }
        assert_eq!(all_at_once, one_by_one);
        assert_eq!(late.totals(), punctual.totals());
        assert!(late.advance(START_MS).is_empty(), "time ran backwards");
    }

    #[test]
    fn the_log_adds_up_to_the_counters_and_starts_with_what_is_in_force() {
        let (mut simulation, first) = busy();
        assert_eq!(first.len(), 2);
        let records = simulation.advance(START_MS + 20_600);
        let logged: u64 = served(&records, "up").iter().sum();
        assert_eq!(logged, simulation.totals().up.served.bytes());
        let fields = simulation.table().rows()[0].fields();
        let bytes = fields.iter().find(|(name, _)| *name == "bytes").unwrap().1.clone();
        let totals = simulation.totals();
        assert_eq!(bytes, format!("{}/{}", totals.up.served.bytes(), totals.down.served.bytes()));
        let rate = fields.iter().find(|(name, _)| *name == "rate").unwrap().1.clone();
        assert_eq!(rate, "5000000/10000000");
    }

    #[test]
    fn without_its_queue_the_site_takes_what_it_wants() {
        let (mut simulation, _) = busy();
        let (outcome, records) = simulation.edit(|table| table.remove(&attributes(&[("numbers", "site")])));
        assert_eq!(outcome, Ok(()));
        assert!(matches!(&records[..], [Record::Set { set: Limits { up_bps: 0, down_bps: 0 }, .. }]), "{records:?}");
        let records = simulation.advance(START_MS + 5_600);
        let all_served = |record: &Record| match record {
            Record::Second { dropped_bytes, max_limit_bps, .. } => *dropped_bytes == 0 && *max_limit_bps == 0,
            Record::Set { .. } => false,
        };
        assert!(records.len() == 12 && records.iter().all(all_served), "{records:?}");
    }

    #[test]
    fn an_edit_that_changes_no_ceiling_records_nothing() {
        let (mut simulation, _) = busy();
        let comment = attributes(&[("numbers", "site"), ("comment", "north")]);
        let (outcome, records) = simulation.edit(|table| table.set(&comment));
        assert_eq!((outcome, records), (Ok(()), Vec::new()));
    }
}
