//! What agents send: checked, put in order, handed to the store and to the watches.

use anyhow::Context as _;
use takar_collector_core::rate::{CounterSample, Width};
use takar_shared::{
    AgentId, BootEpoch, Seq, UnixMillis,
    birth::{Birth, DeviceState},
    envelope::{self, Kind, Message, Route},
    grant::Grant,
    receipt::Receipt,
    telemetry::{Gap, Poll, PollOutcome, Telemetry},
    topic::{self, Down, Up},
};
use takar_store::{AgentRecord, CeilingRow, MeterKey, PollRow, SampleRow, Write};

use super::{Agent, Born, Device, Engine, MeterOf};

impl Engine {
    pub(super) fn load_agent(&mut self, record: AgentRecord) -> anyhow::Result<()> {
        let stored = self.store.stored_up_to(record.id)?.unwrap_or((BootEpoch(0), Seq(0)));
        let id = record.id;
        let mut agent = Agent {
            online: false,
            last_heard: None,
            birth: None,
            older: Default::default(),
            taken_up_to: stored,
            stored_up_to: stored,
            devices: Vec::new(),
            alarms: 0,
            distrusted: None,
            record,
        };
        if let Some(row) = self.store.newest_birth(id)? {
            let birth: Birth = postcard_birth(&row.body).context("a stored Birth no longer reads")?;
            let meters = self.meters_of(id, &birth)?;
            agent.devices = devices_of(&birth);
            // States are as old as the Birth: not known until heard again.
            agent.devices.iter_mut().for_each(|device| device.state = None);
            agent.last_heard = Some(row.at);
            let offset_ms = offset(row.at, &birth);
            agent.birth = Some(Born { epoch: row.epoch, nonce: row.nonce, offset_ms, birth, meters });
        }
        self.agents.insert(id, agent);
        Ok(())
    }

    pub(super) fn handle_message(&mut self, topic: &str, payload: &[u8], now: UnixMillis) {
        let Some((id, up)) = topic::parse_up(topic) else { return self.refuse(topic, "not an agent's topic") };
        let Some(agent) = self.agents.get_mut(&id).filter(|agent| !agent.record.revoked) else {
            // Counted, never stored or granted.
            return self.refuse(topic, "an agent that is not enrolled");
        };
        if up == Up::State {
            let online = payload.windows(8).any(|part| part == b"\"online\"");
            if agent.online != online {
                agent.online = online;
                self.publish_agent(id);
            }
            return;
        }
        let route = Route { network: self.signer.network(), agent: id };
        let public = agent.record.public_key;
        let own = takar_shared::KeyId::of_key(&public);
        let opened = envelope::open(payload, route, |kind, key| {
            let may = matches!(kind, Kind::Birth | Kind::Telemetry | Kind::Gap | Kind::Receipt);
            (may && key == own).then_some(public)
        });
        match opened {
            Ok(opened) if !up.carries(opened.message.kind()) => {
                self.refuse(topic, "a kind that may not come on this topic")
            }
            Ok(opened) => self.handle_opened(id, opened.message, now),
            Err(refused) => self.refuse(topic, &refused.to_string()),
        }
    }

    fn handle_opened(&mut self, id: AgentId, message: Message, now: UnixMillis) {
        if let Some(agent) = self.agents.get_mut(&id) {
            agent.last_heard = Some(now);
            agent.online = true;
        }
        match message {
            Message::Birth(birth) => {
                if let Err(error) = self.handle_birth(id, birth, now) {
                    tracing::error!(%error, "a Birth could not be taken");
                }
            }
            Message::Telemetry(telemetry) => self.handle_telemetry(id, &telemetry, now),
            Message::Gap(gap) => self.handle_gap(id, &gap, now),
            Message::Receipt(receipt) => self.handle_receipt(id, receipt, now),
            _ => {}
        }
    }

    pub(super) fn refuse(&mut self, topic: &str, what: &str) {
        self.refused += 1;
        if self.refused <= 10 || self.refused.is_multiple_of(1000) {
            tracing::warn!(topic, count = self.refused, "message refused: {what}");
        }
    }

    fn handle_birth(&mut self, id: AgentId, birth: Birth, now: UnixMillis) -> anyhow::Result<()> {
        let meters = self.meters_of(id, &birth)?;
        self.map_meters()?;
        let Some(agent) = self.agents.get_mut(&id) else { return Ok(()) };
        let (epoch, nonce) = (birth.boot_epoch, birth.boot_nonce);
        if let Some(born) = &agent.birth {
            let restored = epoch < born.epoch || (epoch == born.epoch && nonce != born.nonce);
            if restored {
                let why =
                    format!("its state was restored from a copy (boot epoch {} came again); enrol it anew", epoch.0);
                if agent.distrusted.replace(why.clone()) != Some(why.clone()) {
                    tracing::error!(agent = %agent.record.name, "{why}");
                }
                return Ok(());
            }
        }
        agent.distrusted = None;
        let next = agent.taken_up_to;
        let mut writes = vec![Write::Birth { agent: id, at: now, epoch, nonce, body: birth_bytes(&birth) }];
        // What lies before the oldest message still held, and was not stored, will never come.
        let oldest = birth.spooled_from;
        let reached = (oldest.0, Seq(oldest.1.0.saturating_sub(1)));
        if reached > next && reached != (oldest.0, Seq(0)) {
            let from = (next.0, Seq(next.1.0 + 1));
            tracing::warn!(agent = %agent.record.name, "telemetry lost: its spool no longer held it");
            writes.push(Write::Loss { agent: id, from, to: reached, samples: None, at: now });
            writes.push(Write::StoredUpTo { agent: id, epoch: reached.0, seq: reached.1 });
            agent.taken_up_to = reached;
        }
        self.pending.append(&mut writes);
        self.to_grant.insert(id, birth.challenge);
        let states: Vec<DeviceState> = birth.devices.iter().map(|device| device.state.clone()).collect();
        if let Some(old) = agent.birth.take()
            && old.epoch != epoch
        {
            agent.older.insert(old.epoch, old.meters);
            agent.older.retain(|older, _| older.0 + 8 > epoch.0);
        }
        let (fresh, offset_ms) = (devices_of(&birth), offset(now, &birth));
        for (device, known) in fresh.into_iter().map(|device| (device.name.clone(), device)) {
            if agent.device(&device).is_none() {
                agent.devices.push(known);
            }
        }
        agent.devices.retain(|device| birth.devices.iter().any(|born| born.device == device.name));
        agent.devices.sort_by_key(|device| birth.devices.iter().position(|born| born.device == device.name));
        agent.birth = Some(Born { epoch, nonce, offset_ms, birth, meters });
        for state in states {
            self.take_state(id, state, now);
        }
        self.publish_agent(id);
        self.reconcile(id, now);
        Ok(())
    }

    fn handle_telemetry(&mut self, id: AgentId, telemetry: &Telemetry, now: UnixMillis) {
        let (epoch, seq) = (telemetry.boot_epoch, telemetry.seq);
        let Some(agent) = self.agents.get_mut(&id).filter(|agent| agent.distrusted.is_none()) else { return };
        // Without its Birth nothing can be made of it; unanswered, the agent sends that again.
        if agent.birth.as_ref().is_none_or(|born| born.epoch < epoch) {
            return;
        }
        // Answered otherwise: it tells a sender of duplicates where it stands, and keeps the grant alive.
        self.to_grant.insert(id, telemetry.challenge);
        agent.alarms = telemetry.alarms;
        if !follows(agent, epoch, seq) {
            return;
        }
        let Some(born) = &agent.birth else { return };
        let meters = if born.epoch == epoch { Some(&born.meters) } else { agent.older.get(&epoch) };
        let Some(meters) = meters.cloned() else { return };
        let (offset_ms, current) = (born.offset_ms, born.epoch == epoch);
        agent.taken_up_to = (epoch, seq);
        let first = seq == Seq(1);
        let mut rows = Vec::with_capacity(telemetry.samples() / 4);
        let mut faults = Vec::new();
        for (at, poll) in telemetry.polls().into_iter().enumerate() {
            self.take_poll(id, &poll, &meters, offset_ms, current, first && at == 0, &mut rows, &mut faults);
        }
        self.samples += rows.len() as u64 * 4;
        self.pending.push(Write::Samples(rows));
        if !faults.is_empty() {
            self.pending.push(Write::Polls(faults));
        }
        self.pending.push(Write::StoredUpTo { agent: id, epoch, seq });
        if current {
            for state in telemetry.states.clone() {
                self.take_state(id, state, now);
            }
            self.confirm_what_holds(id, now);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one poll's context; a struct for one caller would only rename it")]
    fn take_poll(
        &mut self,
        id: AgentId,
        poll: &Poll,
        meters: &[MeterOf],
        offset_ms: i64,
        current: bool,
        first: bool,
        rows: &mut Vec<SampleRow>,
        faults: &mut Vec<PollRow>,
    ) {
        let index = usize::from(poll.device);
        let at = to_unix(poll.at.0, offset_ms);
        let Some(agent) = self.agents.get_mut(&id) else { return };
        if current && let Some(device) = agent.devices.get_mut(index) {
            device.outcome = Some(poll.outcome);
            if poll.outcome == PollOutcome::Ok {
                device.polled_ok_at = Some(poll.at);
            }
            if poll.outcome != PollOutcome::Ok {
                faults.push(PollRow { at, agent: id, device: device.name.clone(), outcome: poll.outcome });
            }
        }
        for reading in &poll.readings {
            let Some(meter) = meters.get(usize::from(reading.meter)).filter(|meter| meter.device == index) else {
                continue;
            };
            let break_before = poll.discontinuity || first;
            let row = SampleRow { at, meter: meter.id, values: reading.values, narrow: reading.narrow, break_before };
            self.watches.feed(&row);
            rows.push(row);
        }
    }

    fn handle_gap(&mut self, id: AgentId, gap: &Gap, now: UnixMillis) {
        let Some(agent) = self.agents.get_mut(&id).filter(|agent| agent.distrusted.is_none()) else { return };
        let next = agent.taken_up_to;
        let covers_next = gap.seq >= gap.first && follows_to(next, gap.boot_epoch, gap.first, gap.seq);
        if !covers_next {
            return;
        }
        agent.taken_up_to = (gap.boot_epoch, gap.seq);
        let (from, to) = ((gap.boot_epoch, gap.first), (gap.boot_epoch, gap.seq));
        self.pending.push(Write::Loss { agent: id, from, to, samples: Some(gap.samples), at: now });
        self.pending.push(Write::StoredUpTo { agent: id, epoch: gap.boot_epoch, seq: gap.seq });
    }

    /// A device's state as reported: ceilings, serial, pending change.
    fn take_state(&mut self, id: AgentId, state: DeviceState, now: UnixMillis) {
        let Some(agent) = self.agents.get_mut(&id) else { return };
        let offset_ms = agent.birth.as_ref().map_or(0, |born| born.offset_ms);
        let Some(device) = agent.devices.iter_mut().find(|device| device.name == state.device) else { return };
        let before = device.state.replace(state.clone());
        let Some(queues) = &state.queues else { return };
        let known = before.and_then(|before| before.queues).map(|queues| queues.readings).unwrap_or_default();
        let at = to_unix(queues.read_at.0, offset_ms).max(UnixMillis(1));
        for reading in &queues.readings {
            self.watches.set_ceiling(&state.device, reading, at.max(UnixMillis(now.0.saturating_sub(3_600_000))));
            if !known.contains(reading) {
                self.pending.push(Write::Ceiling(CeilingRow {
                    at,
                    agent: id,
                    device: state.device.clone(),
                    shaper: reading.shaper.clone(),
                    direction: reading.direction,
                    cir: reading.cir,
                    mir: reading.mir,
                    disabled: reading.disabled,
                }));
            }
        }
        if queues.readings.iter().any(|reading| !known.contains(reading)) {
            self.publish_device_links(&state.device);
        }
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

    /// Only what is durable is granted.
    pub(super) fn send_grants(&mut self) {
        if !self.connected {
            return self.to_grant.clear();
        }
        for (id, challenge) in std::mem::take(&mut self.to_grant) {
            let Some(agent) = self.agents.get(&id) else { continue };
            let heads = agent.devices.iter().filter_map(|device| {
                let head = self.store.receipt_head(id, &device.name).ok().flatten()?;
                Some((device.name.clone(), head))
            });
            let grant = Grant {
                challenge,
                valid_s: self.config.grant_valid_s,
                server_time: crate::clock::now(),
                stored_up_to: agent.stored_up_to,
                receipts_stored: heads.collect(),
                keyset_min: self.signer.keyset().version,
            };
            self.send(id, Down::Grant, &Message::Grant(grant));
        }
    }

    pub(super) fn send(&self, id: AgentId, down: Down, message: &Message) {
        match self.signer.seal(message, id) {
            Some(bytes) => self.send_bytes(id, down, bytes),
            None => tracing::error!(kind = ?message.kind(), "message is larger than it may be; not sent"),
        }
    }

    pub(super) fn send_bytes(&self, id: AgentId, down: Down, bytes: Vec<u8>) {
        let topic = topic::down(id, down);
        if let Err(error) = self.client.try_publish(topic, rumqttc::v5::mqttbytes::QoS::AtLeastOnce, false, bytes) {
            tracing::debug!(%error, "the broker connection is busy; sent again later");
        }
    }

    /// At a Birth: what the device missed is sent again at once.
    fn reconcile(&mut self, id: AgentId, now: UnixMillis) {
        for sent in self.outbox.values_mut().filter(|sent| sent.row.agent == id) {
            sent.sent_at = UnixMillis(0);
        }
        self.resend_outbox(now, false);
    }

    pub(super) fn handle_receipt(&mut self, id: AgentId, receipt: Receipt, now: UnixMillis) {
        let device = receipt.device.clone();
        let observed = receipt.observed.clone();
        if !self.take_receipt(id, &receipt, now) {
            return;
        }
        // What was read back right after is newer than the last report.
        if let (Some(set), Some(agent)) = (observed, self.agents.get_mut(&id))
            && let Some(known) =
                agent.devices.iter_mut().find(|known| known.name == device).and_then(|known| known.state.as_mut())
            && let Some(queues) = known.queues.as_mut()
            && set.read_at > queues.read_at
        {
            let offset_ms = agent.birth.as_ref().map_or(0, |born| born.offset_ms);
            queues.read_at = set.read_at;
            queues.digest = set.digest;
            for reading in set.readings {
                let at = to_unix(set.read_at.0, offset_ms);
                self.watches.set_ceiling(&device, &reading, at);
                queues.readings.retain(|old| old.shaper != reading.shaper || old.direction != reading.direction);
                queues.readings.push(reading);
            }
        }
        self.publish_device_links(&device);
    }
}

/// A counter value as the rate room wants it.
pub(super) fn counter(row: &SampleRow, at: usize) -> CounterSample {
    CounterSample {
        at: takar_shared::MonoMillis(row.at.0),
        value: row.values.get(at).copied().unwrap_or_default(),
        width: if row.narrow { Width::Bits32 } else { Width::Bits64 },
        break_before: row.break_before,
    }
}

fn follows(agent: &Agent, epoch: BootEpoch, seq: Seq) -> bool {
    follows_to(agent.taken_up_to, epoch, seq, seq)
}

/// Does `first..=last` of `epoch` continue right after what was taken? Messages are taken in order
/// only, so that what is stored is always a prefix.
fn follows_to(taken: (BootEpoch, Seq), epoch: BootEpoch, first: Seq, last: Seq) -> bool {
    if epoch == taken.0 { first.0 <= taken.1.0 + 1 && last > taken.1 } else { epoch > taken.0 && first == Seq(1) }
}

fn devices_of(birth: &Birth) -> Vec<Device> {
    let device = |born: &takar_shared::birth::DeviceBirth| Device {
        name: born.device.clone(),
        state: None,
        outcome: None,
        polled_ok_at: None,
    };
    birth.devices.iter().map(device).collect()
}

fn offset(now: UnixMillis, birth: &Birth) -> i64 {
    now.0.cast_signed().saturating_sub(birth.now.0.cast_signed())
}

pub(super) fn to_unix(mono_ms: u64, offset_ms: i64) -> UnixMillis {
    UnixMillis(mono_ms.saturating_add_signed(offset_ms))
}

/// Births are kept as the bytes of a Birth, by the one encoding.
fn birth_bytes(birth: &Birth) -> Vec<u8> {
    takar_shared::birth::to_bytes(birth)
}

fn postcard_birth(bytes: &[u8]) -> Option<Birth> {
    takar_shared::birth::from_bytes(bytes)
}
