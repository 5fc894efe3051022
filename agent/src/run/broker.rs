//! The broker's side: what connects, what is told to the agent, what is refused.

use rumqttc::v5::{AsyncClient, mqttbytes::QoS};
use takar_agent_core::{admit::Situation, grant::GrantOutcome, journal::Record};
use takar_shared::{
    Digest, KeyId, Name,
    birth::Birth,
    envelope::{self, Kind, Message},
    grant::Grant,
    id,
    receipt::Receipt,
    topic::{self, Down, Up},
};

use super::{Agent, RESEND_MS};
use crate::{
    clock,
    device::Input,
    mqtt::{self, MqttEvent},
};

/// A Birth that no Grant answered is sent again after this.
const BIRTH_AGAIN_MS: u64 = 2_000;
/// The server's time is journalled when it moved this far: flash wears.
const HIGH_WATER_STEP_MS: u64 = 600_000;

impl Agent {
    pub(super) fn handle_broker(&mut self, event: MqttEvent, client: &AsyncClient) {
        match event {
            MqttEvent::Connected => {
                tracing::info!("connected to the broker");
                self.connected = true;
                self.handle_connected(client);
            }
            MqttEvent::Disconnected(reason) => {
                if std::mem::replace(&mut self.connected, false) {
                    tracing::warn!(%reason, "connection to the broker lost");
                } else {
                    tracing::warn!(%reason, "broker cannot be reached");
                }
            }
            MqttEvent::Message { topic, payload, retained } => self.handle_message(&topic, &payload, retained),
        }
        self.send_spooled(client);
        self.send_facts(client);
    }

    fn handle_connected(&mut self, client: &AsyncClient) {
        let agent = self.identity.route.agent;
        let _ = client.try_subscribe(topic::all_down(agent), QoS::AtLeastOnce);
        let _ = client.try_publish(
            topic::up(agent, Up::State),
            QoS::AtLeastOnce,
            true,
            mqtt::state_payload("online", self.epoch),
        );
        self.send_birth(client);
        self.send_all_again();
        self.unanswered = true;
    }

    /// Everything that is not stored, as far as this side knows.
    fn send_all_again(&mut self) {
        self.spool.handle_connected();
        for handle in &self.handles {
            let _ = handle.inputs.try_send(Input::Resend);
        }
        self.resend_at = clock::now().plus(RESEND_MS);
        self.facts_again();
    }

    pub(super) fn send_birth(&mut self, client: &AsyncClient) {
        let Some(challenge) = self.challenge() else { return };
        let mut devices = self.births.clone();
        for (device, state) in devices.iter_mut().zip(&self.states) {
            device.state = state.clone();
        }
        let birth = Birth {
            boot_epoch: self.epoch,
            boot_nonce: self.nonce,
            challenge,
            now: clock::now(),
            software: id::name(concat!("takar-agent ", env!("CARGO_PKG_VERSION"))).unwrap_or_default(),
            mode: self.mode,
            spooled_from: self.spool.spooled_from((self.epoch, self.next_seq)),
            devices,
        };
        self.birth_due = Some(clock::now().plus(BIRTH_AGAIN_MS));
        self.publish_now(client, Up::Birth, &Message::Birth(birth));
    }

    fn handle_message(&mut self, topic: &str, payload: &[u8], retained: bool) {
        let Some((agent, down)) = topic::parse_down(topic).filter(|(agent, _)| *agent == self.identity.route.agent)
        else {
            return self.alarm(topic, "a topic that is not this agent's");
        };
        debug_assert_eq!(agent, self.identity.route.agent);
        if down == Down::Keyset {
            // Rotation comes with the hardening; the keyset in force is the bundle's.
            return;
        }
        if retained {
            return self.alarm(topic, "a retained control message");
        }
        let keyset = &self.identity.keyset;
        let opened = envelope::open(payload, self.identity.route, |kind, key| {
            let keys = match kind {
                Kind::Grant => &keyset.grant_keys,
                Kind::Command | Kind::Confirm | Kind::Cancel => &keyset.command_keys,
                _ => return None,
            };
            keys.iter().find(|public| KeyId::of_key(public) == key).copied()
        });
        match opened {
            Ok(opened) if !down.carries(opened.message.kind()) => {
                self.alarm(topic, "a kind that may not come on this topic")
            }
            Ok(opened) => self.handle_opened(opened.message, opened.body_digest),
            Err(refused) => self.alarm(topic, &refused.to_string()),
        }
    }

    fn handle_opened(&mut self, message: Message, digest: Digest) {
        match message {
            Message::Grant(grant) => self.handle_grant(&grant),
            Message::Command(command) => {
                let situation = Situation {
                    mode: self.mode,
                    granted: self.grants.living(clock::now()),
                    keyset_version: self.identity.keyset.version,
                };
                let device = command.device.clone();
                self.tell(&device, Input::Command { command, digest, situation });
            }
            Message::Confirm(confirm) => {
                let device = confirm.device.clone();
                self.tell(&device, Input::Confirm(confirm));
            }
            _ => self.alarm("down/command", "a Cancel, which this version does not carry out"),
        }
    }

    fn handle_grant(&mut self, grant: &Grant) {
        let now = clock::now();
        let outcome = self.grants.handle_grant(grant);
        // What is durable stays so, whichever challenge the Grant answers: a backlog is answered to challenges older
        // than the newest, and by a restarted agent never sent.
        let effects = self.spool.handle_stored(grant.stored_up_to, now);
        self.carry_out(effects);
        for (device, up_to) in &grant.receipts_stored {
            self.tell(device, Input::ReceiptsStored(*up_to));
        }
        if outcome != GrantOutcome::Taken {
            tracing::debug!(?outcome, "a grant for a challenge that is not the newest allows nothing");
            return;
        }
        self.birth_due = None;
        if grant.tell_states {
            self.states_due = now;
        }
        if std::mem::take(&mut self.unanswered) {
            // Where the broker came back for both sides, what was sent before the collector was there is gone.
            self.send_all_again();
        }
        if grant.server_time.since(self.high_water) > HIGH_WATER_STEP_MS {
            self.high_water = grant.server_time;
            let record = [Record::HighWater(grant.server_time)];
            if let Err(error) = self.journal.lock().unwrap_or_else(std::sync::PoisonError::into_inner).append(&record) {
                tracing::error!(%error, "journal could not be written");
            }
        }
    }

    fn tell(&mut self, device: &Name, input: Input) {
        match self.handles.iter().find(|handle| handle.device == *device) {
            // Never awaited: a device that waits to tell us something must not meet us waiting for it. What
            // does not fit is sent again by the collector.
            Some(handle) => drop(handle.inputs.try_send(input)),
            None => self.alarm("down/command", "a device that is not this agent's"),
        }
    }

    pub(super) fn send_receipt(&mut self, receipt: Receipt, client: &AsyncClient) {
        if self.connected {
            self.publish_now(client, Up::Receipt, &Message::Receipt(receipt));
        }
    }

    fn publish_now(&mut self, client: &AsyncClient, up: Up, message: &Message) {
        let sealed = envelope::seal(message, self.identity.route, &self.identity.key);
        let Some(bytes) = sealed else {
            return tracing::error!(kind = ?message.kind(), "message is larger than it may be; not sent");
        };
        if client.try_publish(topic::up(self.identity.route.agent, up), QoS::AtLeastOnce, false, bytes).is_err() {
            tracing::debug!(kind = ?message.kind(), "the broker connection is busy; sent again later");
        }
    }

    fn alarm(&mut self, topic: &str, what: &str) {
        self.alarms = self.alarms.saturating_add(1);
        // The first ones and then every thousandth: noise must not fill a router's log.
        if self.alarms <= 10 || self.alarms.is_multiple_of(1000) {
            tracing::warn!(topic, count = self.alarms, "message refused: {what}");
        }
    }
}
