//! The simulated router as its servers see it: the simulation behind one lock, moved to the present before every look,
//! so that counters are exact at the instant of each poll and a change takes effect at the instant it is made.

use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    account::Secret,
    clock::Clock,
    config::Config,
    log::Journal,
    login::Gate,
    menus::Menus,
    mib::Tree,
    pair::{BitsPerSec, Pair},
    ports::{self, Port},
    refusal::Refusal,
    sim::{Setup, Simulation},
    traffic::Model,
    version::RosVersion,
};

#[derive(Debug)]
pub struct Router {
    name: String,
    gate: Gate,
    community: Secret,
    first_ifindex: u32,
    mac_tail: u16,
    capacity: Pair<BitsPerSec>,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    simulation: Simulation,
    journal: Option<Journal>,
    /// The first failed write; the log is evidence, so the program ends over it.
    journal_failed: Option<io::Error>,
}

impl Router {
    /// Starts the clock and the traffic.
    pub fn start(config: Config, journal: Option<Journal>) -> Self {
        let clock = Clock::start();
        let setup = Setup {
            router: config.name.clone(),
            queue: config.queue,
            capacity: config.plan.capacity,
            model: Model::new(config.plan),
            subscriber: config.subscriber,
            menus: config.menus,
        };
        let (simulation, records) = Simulation::start(setup, clock.unix_ms());
        let mut state = State { simulation, journal, journal_failed: None };
        state.record(&records);
        Self {
            name: config.name,
            gate: config.gate,
            community: config.community,
            first_ifindex: config.first_ifindex,
            mac_tail: config.plan.site as u16,
            capacity: config.plan.capacity,
            clock,
            state: Mutex::new(state),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }
    pub fn community(&self) -> &[u8] {
        self.community.bytes()
    }
    pub fn version(&self) -> RosVersion {
        self.gate.version
    }
    pub fn gate(&self) -> &Gate {
        &self.gate
    }
    pub fn uptime_ms(&self) -> u64 {
        self.clock.uptime_ms()
    }

    /// Moves the traffic to the present. An error is a log that could not be written.
    pub fn tick(&self) -> io::Result<()> {
        let mut state = self.now();
        state.journal_failed.take().map_or(Ok(()), Err)
    }

    /// Reads what clients can change.
    pub fn look<T>(&self, read: impl FnOnce(&Menus) -> T) -> T {
        read(self.now().simulation.menus())
    }

    pub fn ports(&self) -> [Port; 2] {
        self.ports_of(&self.now().simulation)
    }

    pub fn tree(&self) -> Tree {
        let state = self.now();
        let (ports, menus) = (self.ports_of(&state.simulation), state.simulation.menus());
        Tree::build(&self.name, self.uptime_ms(), &ports, &menus.simple, &menus.tree)
    }

    /// Changes what clients can change.
    pub fn edit<T>(&self, change: impl FnOnce(&mut Menus) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let mut state = self.now();
        let (outcome, records) = state.simulation.edit(change);
        state.record(&records);
        outcome
    }

    fn ports_of(&self, simulation: &Simulation) -> [Port; 2] {
        ports::read(&simulation.totals(), self.first_ifindex, self.mac_tail, &self.capacity)
    }

    fn now(&self) -> MutexGuard<'_, State> {
        // A thread that panicked left counters behind, nothing that must not be seen.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock, so that times in the log never step back.
        let records = state.simulation.advance(self.clock.unix_ms());
        state.record(&records);
        state
    }
}

impl State {
    fn record(&mut self, records: &[crate::log::Record]) {
        let Some(journal) = &mut self.journal else { return };
        if let Err(error) = journal.write(records) {
            self.journal_failed = self.journal_failed.take().or(Some(error));
        }
    }
}
