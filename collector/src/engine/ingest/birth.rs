//! Birth: an agent introduces itself. Here its boot epoch opens, what older ones lost is marked, and state that was
//! restored from a copy is kept apart.

use std::collections::{BTreeSet, HashMap};

use anyhow::Context as _;
use takar_collector_core::{
    clockmap::ClockMap,
    intake::{Decision, Ignored, Intake, Reported, Taken},
};
use takar_shared::{
    AgentId, BootEpoch, Name, UnixMillis,
    birth::{self, Birth, DeviceBirth, DeviceState},
};
use takar_store::{AgentRecord, MeterId, MeterKey, Write};

use super::LEAST_STEP_MS;
use crate::engine::{Agent, Born, Device, Engine, MeterOf, Quarantine};

/// How far back a meter's newest reading is looked for at start; further apart there is no rate anyway.
const RECENT_MS: u64 = 15 * 60_000;
/// Meter tables of older epochs that are kept at hand; others are in the store.
const OLDER_AT_HAND: u32 = 8;

impl Engine {
    pub(in crate::engine) fn load_agent(&mut self, record: AgentRecord) -> anyhow::Result<()> {
        let id = record.id;
        let newest = self.store.newest_birth(id)?;
        let birth = newest.as_ref().map(|row| stored_birth(&row.body)).transpose()?;
        let reported = self.store.reported_serials(id)?.into_iter();
        let reported = reported.map(|row| Reported { device: row.device, epoch: row.epoch, serial: row.serial });
        let mut intake = Intake::new(self.store.stored_up_to(id)?, birth.as_ref(), reported);
        let approved_at = record.approved_at;
        let quarantine = self.store.quarantine(id)?.map(|row| Quarantine { why: row.why, approved_at, stored: true });
        if quarantine.is_some() {
            intake.hold();
        }
        let mut agent = Agent {
            online: false,
            last_heard: newest.as_ref().map(|row| row.at),
            birth: None,
            older: HashMap::new(),
            durable: intake.clone(),
            intake,
            devices: Vec::new(),
            alarms: 0,
            quarantine,
            record,
        };
        if let (Some(row), Some(birth)) = (newest, birth) {
            let meters = self.meters_of(id, &birth)?;
            agent.devices = devices_of(&birth);
            // States are as old as the Birth: not known until heard again.
            agent.devices.iter_mut().for_each(|device| device.state = None);
            let clock = ClockMap::new(birth.now, row.at);
            agent.birth = Some(Born { epoch: row.epoch, clock, unread: BTreeSet::new(), birth, meters });
        }
        self.agents.insert(id, agent);
        Ok(())
    }

    /// Once, after all agents are loaded: which meters were read in the epoch that goes on, so that the restart of the
    /// collector breaks none of their readings.
    pub(in crate::engine) fn note_read(&mut self, now: UnixMillis) -> anyhow::Result<()> {
        let since = UnixMillis(now.0.saturating_sub(RECENT_MS));
        let recent = self.store.samples_of_all(since, UnixMillis(u64::MAX))?;
        let newest: HashMap<MeterId, UnixMillis> = recent.into_iter().map(|row| (row.meter, row.at)).collect();
        for agent in self.agents.values_mut() {
            let (Some(born), Some(heard)) = (&agent.birth, agent.last_heard) else { continue };
            // A reading taken after its Birth is of that Birth's epoch.
            let read = (0..=u16::MAX)
                .zip(&born.meters)
                .filter(|(_, meter)| newest.get(&meter.id).is_some_and(|at| *at > heard));
            if born.epoch == agent.intake.taken().0 {
                agent.intake.note_read(read.map(|(position, _)| position));
                agent.durable = agent.intake.clone();
            }
        }
        Ok(())
    }

    pub(super) fn handle_birth(
        &mut self,
        id: AgentId,
        topic: &str,
        birth: Birth,
        now: UnixMillis,
    ) -> anyhow::Result<()> {
        let Some(agent) = self.agents.get(&id) else { return Ok(()) };
        if agent.quarantine.is_some() {
            // Where that could not be stored yet.
            self.store_quarantine(id, now);
            return Ok(());
        }
        if let Some((device, other)) = self.claimed(id, &birth) {
            tracing::error!(agent = %agent.record.name, %device, served_by = %other, "a Birth names a device of another agent's");
            self.refuse(topic, "a Birth that names a device of another agent's");
            return Ok(());
        }
        let is_older = agent.birth.as_ref().is_some_and(|born| birth.boot_epoch < born.epoch);
        let known = if is_older { self.store.birth(id, birth.boot_epoch)?.map(|row| row.nonce) } else { None };
        // Before it is decided: a store that fails here must leave the intake as it was.
        let meters = match &agent.birth {
            // A Birth is sent again until it is answered, and after each connection: mostly it brings no new meter.
            Some(born) if has_same_meters(&born.birth, &birth) => born.meters.clone(),
            _ => {
                let meters = self.meters_of(id, &birth)?;
                self.map_meters()?;
                meters
            }
        };
        let Some(agent) = self.agents.get_mut(&id) else { return Ok(()) };
        match agent.intake.birth(&birth, known) {
            Decision::Take(taken) => self.take_birth(id, birth, meters, &taken, now),
            Decision::Quarantine(restored) => self.quarantine(id, restored.to_string(), now),
            Decision::Ignore(Ignored::Malformed) => self.refuse(topic, "a Birth that contradicts itself"),
            Decision::Ignore(Ignored::NeverHeard) => {
                let name = &agent.record.name;
                let epoch = birth.boot_epoch.0;
                tracing::warn!(agent = %name, epoch, "a Birth of an older boot that was never heard of: not answered");
            }
            Decision::Ignore(why) => tracing::debug!(agent = %agent.record.name, ?why, "a Birth changes nothing"),
        }
        Ok(())
    }

    /// A device of the Birth that another agent was let in for, and whose it is. An agent speaks for its own only: else
    /// one stolen key could lie about every link, and be sent the commands of every router.
    fn claimed(&self, id: AgentId, birth: &Birth) -> Option<(Name, String)> {
        let others = || self.enrolled().filter(|other| other.record.id != id);
        birth.devices.iter().find_map(|born| {
            let approved =
                |record: &AgentRecord| record.devices.iter().any(|device| device.device == born.device.as_str());
            // Approved for it, or the first to report it where nobody was.
            let own = self.agents.get(&id).is_some_and(|agent| approved(&agent.record));
            let serves = |other: &&Agent| approved(&other.record) || (!own && other.device(&born.device).is_some());
            let other = others().find(serves)?;
            Some((born.device.clone(), other.record.name.clone()))
        })
    }

    fn take_birth(&mut self, id: AgentId, birth: Birth, meters: Vec<MeterOf>, taken: &Taken, now: UnixMillis) {
        let (epoch, nonce) = (birth.boot_epoch, birth.boot_nonce);
        self.pending.push(Write::Birth { agent: id, at: now, epoch, nonce, body: birth::to_bytes(&birth) });
        self.push_taken(id, taken, now);
        self.to_grant.insert(id, birth.challenge);
        let Some(agent) = self.agents.get_mut(&id) else { return };
        let states: Vec<DeviceState> = birth.devices.iter().map(|device| device.state.clone()).collect();
        let mut unread = BTreeSet::new();
        let another_boot = agent.birth.as_ref().is_none_or(|old| old.epoch != epoch);
        match agent.birth.take() {
            Some(old) if old.epoch == epoch => {
                let moved_ms = old.clock.to_unix(birth.now).0.abs_diff(now.0);
                let moved = moved_ms > LEAST_STEP_MS;
                unread = if moved { (0..=u16::MAX).take(meters.len()).collect() } else { old.unread };
            }
            Some(old) => {
                agent.older.insert(old.epoch, old.meters);
                agent.older.retain(|older, _| older.0.saturating_add(OLDER_AT_HAND) > epoch.0);
            }
            None => {}
        }
        let mut known = std::mem::take(&mut agent.devices);
        agent.devices = devices_of(&birth);
        for device in &mut agent.devices {
            if let Some(at) = known.iter().position(|known| known.name == device.name) {
                *device = known.swap_remove(at);
                // Of another boot's clock: an old time must not look like a later poll.
                if another_boot {
                    device.polled_ok_at = None;
                }
            }
        }
        let clock = ClockMap::new(birth.now, now);
        agent.birth = Some(Born { epoch, clock, unread, birth, meters });
        for state in states {
            self.take_state(id, state, now);
        }
        self.publish_agent(id);
        self.reconcile(id, now);
    }

    /// Kept apart from here on, through restarts of the collector: nothing is taken, granted or signed.
    pub(super) fn quarantine(&mut self, id: AgentId, why: String, now: UnixMillis) {
        let Some(agent) = self.agents.get_mut(&id) else { return };
        let name = agent.record.name.clone();
        tracing::error!(agent = %name, "in quarantine: {why}");
        let approved_at = agent.record.approved_at;
        agent.quarantine = Some(Quarantine { why: why.clone(), approved_at, stored: false });
        self.to_grant.remove(&id);
        self.store_quarantine(id, now);
        self.publish_agent(id);
        self.publish_event("quarantined", serde_json::json!({"agent": id.to_string(), "name": name, "why": why}));
    }

    /// At once and by itself: what waits for the next commit may be lost with it.
    fn store_quarantine(&mut self, id: AgentId, now: UnixMillis) {
        let Some(agent) = self.agents.get_mut(&id) else { return };
        let Some(quarantine) = agent.quarantine.as_mut().filter(|quarantine| !quarantine.stored) else { return };
        let (approved_at, why) = (quarantine.approved_at, quarantine.why.clone());
        match self.store.commit(&[Write::Quarantine { agent: id, approved_at, at: now, why }]) {
            Ok(()) => quarantine.stored = true,
            Err(error) => tracing::error!(%error, "a quarantine could not be stored; it is tried again"),
        }
    }

    /// A person approved the agent again: what comes is judged as before.
    pub(super) fn lift_quarantine(&mut self, id: AgentId) {
        let Some(agent) = self.agents.get_mut(&id) else { return };
        let approved_at = agent.record.approved_at;
        if agent.quarantine.take_if(|quarantine| quarantine.approved_at != approved_at).is_none() {
            return;
        }
        agent.intake.release();
        agent.durable.release();
        tracing::info!(agent = %agent.record.name, "approved again: out of quarantine");
        self.publish_agent(id);
    }

    /// The meter table of one epoch; `None` where its Birth never came.
    pub(super) fn meters_in(&mut self, id: AgentId, epoch: BootEpoch) -> anyhow::Result<Option<Vec<MeterOf>>> {
        let Some(agent) = self.agents.get(&id) else { return Ok(None) };
        let newest = agent.birth.as_ref().filter(|born| born.epoch == epoch).map(|born| &born.meters);
        if let Some(meters) = newest.or_else(|| agent.older.get(&epoch)) {
            return Ok(Some(meters.clone()));
        }
        // After a restart of the collector: the spool still sends of a run before the newest.
        let Some(row) = self.store.birth(id, epoch)? else { return Ok(None) };
        let meters = self.meters_of(id, &stored_birth(&row.body)?)?;
        if let Some(agent) = self.agents.get_mut(&id) {
            agent.older.insert(epoch, meters.clone());
        }
        Ok(Some(meters))
    }

    fn meters_of(&mut self, agent: AgentId, birth: &Birth) -> anyhow::Result<Vec<MeterOf>> {
        let mut meters = Vec::new();
        for (device, born) in birth.devices.iter().enumerate() {
            for meter in &born.meters {
                let key = MeterKey { agent, device: born.device.clone(), meter: meter.clone() };
                meters.push(MeterOf { device, id: self.store.meter_id(&key)? });
            }
        }
        Ok(meters)
    }

    /// What the device missed is sent again at once.
    fn reconcile(&mut self, id: AgentId, now: UnixMillis) {
        for sent in self.outbox.values_mut().filter(|sent| sent.row.agent == id) {
            sent.sent_at = UnixMillis(0);
        }
        self.resend_outbox(now, false);
    }
}

fn devices_of(birth: &Birth) -> Vec<Device> {
    let device =
        |born: &DeviceBirth| Device { name: born.device.clone(), state: None, outcome: None, polled_ok_at: None };
    birth.devices.iter().map(device).collect()
}

fn has_same_meters(one: &Birth, other: &Birth) -> bool {
    let same = |(one, other): (&DeviceBirth, &DeviceBirth)| one.device == other.device && one.meters == other.meters;
    one.devices.len() == other.devices.len() && one.devices.iter().zip(&other.devices).all(same)
}

fn stored_birth(bytes: &[u8]) -> anyhow::Result<Birth> {
    birth::from_bytes(bytes).context("a stored Birth no longer reads")
}
