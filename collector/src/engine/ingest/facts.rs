//! Facts: what an interface says of itself besides its octets. Kept in memory only: within a minute of a restart every
//! agent has told them again.

use std::collections::{HashSet, hash_map::Entry};

use takar_shared::{
    AgentId, BootEpoch, MonoMillis, Name, UnixMillis,
    birth::{Birth, Meter},
    facts::{Duplex, Facts, InterfaceFacts, Switch},
    id,
};

use super::LEAST_STEP_MS;
use crate::engine::Engine;

/// Transitions remembered of an interface.
const TRANSITIONS: usize = 16;
/// Over less than this a growth of errors says little.
const BEFORE_MS: u64 = 10 * 60_000;
/// Some devices answer "just now" whenever they are asked: so young a change is not taken from ifLastChange alone.
const YOUNGEST_MS: u64 = 1_000;

/// One interface, as far as it is known now. Times are on the collector's clock, of the reading and not of its arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceState {
    pub at: UnixMillis,
    pub facts: InterfaceFacts,
    /// A reading at least ten minutes older, or the first that was heard, so that the growth of errors can be judged:
    /// since then no counter fell. `None` for the first, and for the first after a reset of the counters.
    pub before: Option<(UnixMillis, InterfaceFacts)>,
    /// When its oper status, speed or duplex changed, as seen here; the oldest first.
    pub transitions: Vec<UnixMillis>,
    /// Takes the place of `before` when it is old enough.
    next: (UnixMillis, InterfaceFacts),
    /// By which a newer reading of the same boot is told from one that was held up or comes again.
    read: Read,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Read {
    agent: AgentId,
    epoch: BootEpoch,
    at: MonoMillis,
}

impl Engine {
    /// What an interface last said of itself; `None` until it was heard by this process.
    pub(in crate::engine) fn interface(&self, device: &str, name: &str) -> Option<&InterfaceState> {
        self.facts.get(&(id::name(device)?, id::name(name)?))
    }

    pub(super) fn handle_facts(&mut self, id: AgentId, topic: &str, facts: Facts, now: UnixMillis) {
        let Some(agent) = self.agents.get(&id).filter(|agent| agent.quarantine.is_none()) else { return };
        let Some(born) = agent.birth.as_ref().filter(|born| born.epoch == facts.boot_epoch) else {
            return self.refuse(topic, "facts of another boot than the newest Birth's");
        };
        let Some(device) = device_with(&born.birth, &facts) else {
            return self.refuse(topic, "facts of an interface that is not in the Birth");
        };
        // A map that is ahead must not date them after now.
        let at = born.clock.to_unix(facts.read_at).min(now);
        let read = Read { agent: id, epoch: facts.boot_epoch, at: facts.read_at };
        for one in facts.interfaces {
            match self.facts.entry((device.clone(), one.name.clone())) {
                Entry::Occupied(mut known) => known.get_mut().hear(read, at, one),
                Entry::Vacant(place) => {
                    place.insert(InterfaceState::new(read, at, one));
                }
            }
        }
    }

    /// After a Birth: what no agent's newest Birth names is forgotten, so that memory is bounded by what Births name.
    pub(super) fn forget_facts(&mut self) {
        let births =
            self.agents.values().filter(|agent| !agent.record.revoked).filter_map(|agent| agent.birth.as_ref());
        let named: HashSet<(&Name, &Name)> = births
            .flat_map(|born| &born.birth.devices)
            .flat_map(|born| {
                born.meters.iter().filter_map(move |meter| match meter {
                    Meter::Interface(name) => Some((&born.device, name)),
                    Meter::Shaper { .. } => None,
                })
            })
            .collect();
        self.facts.retain(|(device, name), _| named.contains(&(device, name)));
    }
}

/// The device they are of; `None` where the Birth has no such device, or not every one of the interfaces on it.
fn device_with(birth: &Birth, facts: &Facts) -> Option<Name> {
    let born = birth.devices.get(usize::from(facts.device))?;
    let has = |name: &Name| born.meters.iter().any(|meter| matches!(meter, Meter::Interface(known) if known == name));
    facts.interfaces.iter().all(|one| has(&one.name)).then(|| born.device.clone())
}

impl InterfaceState {
    fn new(read: Read, at: UnixMillis, facts: InterfaceFacts) -> Self {
        Self { at, facts: facts.clone(), before: None, transitions: Vec::new(), next: (at, facts), read }
    }

    fn hear(&mut self, read: Read, at: UnixMillis, facts: InterfaceFacts) {
        let same_boot = (read.agent, read.epoch) == (self.read.agent, self.read.epoch);
        if same_boot && read.at <= self.read.at {
            return;
        }
        if let Some(changed_at) = self.transition(at, &facts) {
            self.transitions.push(changed_at);
            let surplus = self.transitions.len().saturating_sub(TRANSITIONS);
            self.transitions.drain(..surplus);
        }
        let older = std::mem::replace(&mut self.facts, facts.clone());
        let older_at = std::mem::replace(&mut self.at, at);
        self.read = read;
        let fell = counters(&facts).into_iter().zip(counters(&older)).any(|(now, before)| now < before);
        if fell {
            // The device restarted or a counter wrapped: no growth can be told across it.
            self.before = None;
            self.next = (at, facts);
            return;
        }
        if self.before.is_none() {
            self.before = Some((older_at, older));
        }
        if at.since(self.next.0) >= BEFORE_MS {
            self.before = Some(std::mem::replace(&mut self.next, (at, facts)));
        }
    }

    /// When it changed since the last reading, if it did. The device's own word shows also a change there and back.
    fn transition(&self, at: UnixMillis, now: &InterfaceFacts) -> Option<UnixMillis> {
        let was = &self.facts;
        let differs = differ(was.oper, now.oper, Switch::Unknown)
            || differ(was.duplex, now.duplex, Duplex::Unknown)
            || differ(was.high_speed_mbps, now.high_speed_mbps, None);
        let told = now.unchanged_for_ms.filter(|ms| *ms >= YOUNGEST_MS).map(|ms| UnixMillis(at.0.saturating_sub(ms)));
        let between = told.filter(|changed_at| changed_at.since(self.at) > LEAST_STEP_MS);
        between.or(differs.then_some(at))
    }
}

/// What is not known did not change.
fn differ<T: PartialEq>(was: T, now: T, unknown: T) -> bool {
    was != now && was != unknown && now != unknown
}

fn counters(facts: &InterfaceFacts) -> [u32; 4] {
    [facts.in_errors, facts.out_errors, facts.in_discards, facts.out_discards]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: u64 = 60_000;
    /// Long after 1970, so that no subtraction ends there.
    const START: u64 = 1_000_000 * MINUTE;

    fn facts() -> InterfaceFacts {
        InterfaceFacts {
            name: id::name("ether2").unwrap(),
            admin: Switch::Up,
            oper: Switch::Up,
            high_speed_mbps: Some(1_000),
            duplex: Duplex::Full,
            unchanged_for_ms: None,
            in_errors: 0,
            out_errors: 0,
            in_discards: 0,
            out_discards: 0,
        }
    }

    fn read(at: u64) -> Read {
        Read { agent: AgentId([1; 16]), epoch: BootEpoch(1), at: MonoMillis(at) }
    }

    /// Readings a minute apart, the agent's clock at zero with the first.
    fn heard(readings: impl IntoIterator<Item = InterfaceFacts>) -> InterfaceState {
        let mut readings = (0..).map(|minute| minute * MINUTE).zip(readings);
        let (_, first) = readings.next().unwrap();
        let mut state = InterfaceState::new(read(0), UnixMillis(START), first);
        readings.for_each(|(at, facts)| state.hear(read(at), UnixMillis(START + at), facts));
        state
    }

    fn minutes(state: &InterfaceState) -> Vec<u64> {
        state.transitions.iter().map(|at| (at.0 - START) / MINUTE).collect()
    }

    #[test]
    fn status_speed_and_duplex_are_transitions_and_the_unknown_is_none() {
        let down = InterfaceFacts { oper: Switch::Down, ..facts() };
        let slow = InterfaceFacts { high_speed_mbps: Some(100), ..facts() };
        let half = InterfaceFacts { duplex: Duplex::Half, ..facts() };
        let shut = InterfaceFacts { admin: Switch::Down, in_errors: 9, ..half.clone() };
        let silent =
            InterfaceFacts { oper: Switch::Unknown, high_speed_mbps: None, duplex: Duplex::Unknown, ..shut.clone() };
        let state = heard([facts(), facts(), down, slow, half, shut, silent]);
        assert_eq!(minutes(&state), [2, 3, 4]);
    }

    #[test]
    fn a_flap_between_two_readings_shows_by_the_devices_own_word() {
        let since = |ms| InterfaceFacts { unchanged_for_ms: Some(ms), ..facts() };
        // Up for an hour, then for forty seconds only, then on; and "just now", which some devices say always.
        let state = heard([since(60 * MINUTE), since(40_000), since(100_000), since(160_000), since(0)]);
        assert_eq!(state.transitions, [UnixMillis(START + MINUTE - 40_000)]);
    }

    #[test]
    fn only_the_last_transitions_are_remembered() {
        let at = |minute: u64| match minute % 2 {
            0 => facts(),
            _ => InterfaceFacts { oper: Switch::Down, ..facts() },
        };
        assert_eq!(minutes(&heard((0..=40).map(at))), (25..=40).collect::<Vec<u64>>());
    }

    #[test]
    fn what_was_held_up_or_comes_again_changes_nothing() {
        let mut state = heard([facts(), facts(), facts()]);
        let before = state.clone();
        let down = InterfaceFacts { oper: Switch::Down, ..facts() };
        for at in [0, MINUTE, 2 * MINUTE] {
            state.hear(read(at), UnixMillis(START + 5 * MINUTE), down.clone());
            assert_eq!(state, before);
        }
        // Another boot has another clock.
        state.hear(Read { epoch: BootEpoch(2), ..read(0) }, UnixMillis(START + 5 * MINUTE), down);
        assert_eq!((minutes(&state), state.facts.oper), (vec![5], Switch::Down));
    }

    proptest! {
        /// Growth is told over ten minutes at least, or since the first reading, and never across a fall.
        #[test]
        fn before_is_old_enough_and_never_before_a_reset(
            steps in prop::collection::vec((1_u64..200_000, 0_u32..5, prop::bool::weighted(0.05)), 1..120),
        ) {
            let (mut at, mut first_at) = (0, 0);
            let mut state = InterfaceState::new(read(0), UnixMillis(START), facts());
            for (ms, errors, reset) in steps {
                at += ms;
                let was = state.facts.out_errors;
                let out_errors = if reset { 0 } else { was + errors };
                if out_errors < was {
                    first_at = at;
                }
                state.hear(read(at), UnixMillis(START + at), InterfaceFacts { out_errors, ..facts() });
                match &state.before {
                    None => prop_assert_eq!(first_at, at),
                    Some((before_at, before)) => {
                        let before_at = before_at.0 - START;
                        prop_assert!(before_at == first_at || at - before_at >= BEFORE_MS);
                        // A reading of at most ten minutes and one step took its place as soon as it could.
                        prop_assert!(at - before_at <= 2 * BEFORE_MS + 2 * 200_000);
                        prop_assert!(before_at >= first_at && before.out_errors <= out_errors);
                    }
                }
            }
        }
    }
}
