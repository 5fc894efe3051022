//! Telemetry and Gap: counters into rows, in order only.

use std::collections::BTreeSet;

use takar_collector_core::{
    clockmap::ClockMap,
    intake::{Decision, Ignored, Taken},
};
use takar_shared::{
    AgentId, UnixMillis,
    telemetry::{Gap, Poll, PollOutcome, Telemetry},
};
use takar_store::{PollRow, SampleRow, Write};

use super::LEAST_STEP_MS;
use crate::engine::{Agent, Engine, MeterOf, links::lag_ms};

impl Engine {
    pub(super) fn handle_telemetry(
        &mut self,
        id: AgentId,
        telemetry: &Telemetry,
        now: UnixMillis,
    ) -> anyhow::Result<()> {
        let epoch = telemetry.boot_epoch;
        let Some(agent) = self.agents.get(&id).filter(|agent| agent.quarantine.is_none()) else { return Ok(()) };
        // Of what was taken already no table is needed.
        let meters = if epoch < agent.intake.taken().0 { None } else { self.meters_in(id, epoch)? };
        let polls = telemetry.polls();
        let Some(agent) = self.agents.get_mut(&id) else { return Ok(()) };
        let decision = agent.intake.telemetry(telemetry, &polls, meters.is_some());
        match decision {
            // Without its Birth nothing can be made of it; unanswered, the agent sends that again.
            Decision::Ignore(Ignored::NoBirth | Ignored::Held) => return Ok(()),
            Decision::Quarantine(restored) => {
                self.quarantine(id, restored.to_string(), now);
                return Ok(());
            }
            Decision::Ignore(_) | Decision::Take(_) => {}
        }
        // Answered, taken or not: it tells a sender of duplicates where it stands, and keeps the grant alive.
        self.to_grant.insert(id, telemetry.challenge);
        agent.alarms = telemetry.alarms;
        if let Decision::Take(taken) = decision {
            self.take_telemetry(id, telemetry, &polls, &meters.unwrap_or_default(), taken, now);
        }
        Ok(())
    }

    fn take_telemetry(
        &mut self,
        id: AgentId,
        telemetry: &Telemetry,
        polls: &[Poll],
        meters: &[MeterOf],
        taken: Taken,
        now: UnixMillis,
    ) {
        self.push_taken(id, &taken, now);
        let tolerance_ms = (lag_ms(&self.config.readings) / 2).max(LEAST_STEP_MS);
        let Some(agent) = self.agents.get_mut(&id) else { return };
        let Some(born) = agent.birth.as_mut().filter(|_| taken.readable) else { return };
        let current = born.epoch == telemetry.boot_epoch;
        if current && born.clock.hear(telemetry.made_at, now, tolerance_ms) {
            tracing::info!(agent = %agent.record.name, "its clock and ours moved against each other: followed");
            born.unread = (0..=u16::MAX).take(meters.len()).collect();
        }
        let clock = born.clock.clone();
        let mut breaks = taken.first_of;
        if current {
            breaks.append(&mut born.unread);
        }
        let rows = rows_of(polls, meters, &clock, &mut breaks);
        if current {
            // What this message did not read.
            born.unread = breaks;
        }
        let faults = if current { note_outcomes(agent, polls, &clock) } else { Vec::new() };
        rows.iter().for_each(|row| self.watches.feed(row));
        self.pending.push(Write::Samples(rows));
        if !faults.is_empty() {
            self.pending.push(Write::Polls(faults));
        }
        if current {
            for state in telemetry.states.clone() {
                self.take_state(id, state, now);
            }
            self.confirm_what_holds(id, now);
        }
    }

    pub(super) fn handle_gap(&mut self, id: AgentId, topic: &str, gap: &Gap, now: UnixMillis) {
        let Some(agent) = self.agents.get_mut(&id) else { return };
        match agent.intake.gap(gap) {
            Decision::Take(taken) => self.push_taken(id, &taken, now),
            Decision::Quarantine(restored) => self.quarantine(id, restored.to_string(), now),
            Decision::Ignore(Ignored::Malformed) => self.refuse(topic, "a Gap that contradicts itself"),
            Decision::Ignore(_) => {}
        }
    }
}

/// `breaks`: meters whose next reading no rate may reach from the one before; those that are not read here are left.
/// It is the first of their epoch, and what happened to the counter before it nobody watched; or the map of the clock
/// moved since, and the time between is not known.
fn rows_of(polls: &[Poll], meters: &[MeterOf], clock: &ClockMap, breaks: &mut BTreeSet<u16>) -> Vec<SampleRow> {
    let mut rows = Vec::new();
    for poll in polls {
        let at = clock.to_unix(poll.at);
        for reading in &poll.readings {
            let meter = meters.get(usize::from(reading.meter));
            // A meter of another device than was polled is not believed.
            let Some(meter) = meter.filter(|meter| meter.device == usize::from(poll.device)) else { continue };
            let is_first = breaks.remove(&reading.meter);
            rows.push(SampleRow {
                at,
                meter: meter.id,
                values: reading.values,
                narrow: reading.narrow,
                break_before: poll.discontinuity || is_first,
            });
        }
    }
    rows
}

/// How each device answered last; those that did not, for the record.
fn note_outcomes(agent: &mut Agent, polls: &[Poll], clock: &ClockMap) -> Vec<PollRow> {
    let mut faults = Vec::new();
    for poll in polls {
        let Some(device) = agent.devices.get_mut(usize::from(poll.device)) else { continue };
        device.outcome = Some(poll.outcome);
        if poll.outcome == PollOutcome::Ok {
            device.polled_ok_at = Some(poll.at);
        } else {
            let (at, device) = (clock.to_unix(poll.at), device.name.clone());
            faults.push(PollRow { at, agent: agent.record.id, device, outcome: poll.outcome });
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use takar_shared::{MonoMillis, telemetry::Reading};
    use takar_store::MeterId;

    use super::*;

    #[test]
    fn the_first_reading_of_each_meter_follows_a_break_and_no_other() {
        let meters = [(0, 10), (1, 11), (1, 12)].map(|(device, id)| MeterOf { device, id: MeterId(id) });
        let poll = |device: u8, at: u64, read: &[u16]| Poll {
            device,
            at: MonoMillis(at),
            outcome: PollOutcome::Ok,
            discontinuity: false,
            readings: read.iter().map(|meter| Reading { meter: *meter, narrow: false, values: [at; 4] }).collect(),
        };
        // The second device's first poll comes after another poll; 2 was read before, 0 is not device 1's, 9 nobody's.
        let polls = [poll(0, 1, &[0]), poll(1, 2, &[1, 2, 0, 9]), poll(0, 3, &[0]), poll(1, 4, &[1, 2])];
        let clock = ClockMap::new(MonoMillis(0), UnixMillis(100));
        let mut breaks = BTreeSet::from([0, 1, 5]);
        let rows = rows_of(&polls, &meters, &clock, &mut breaks);
        let seen: Vec<_> = rows.iter().map(|row| (row.at.0, row.meter.0, row.break_before)).collect();
        let expected =
            [(101, 10, true), (102, 11, true), (102, 12, false), (103, 10, false), (104, 11, false), (104, 12, false)];
        assert_eq!(seen, expected);
        assert_eq!(breaks, BTreeSet::from([5]), "what was not read is still to break");
    }
}
