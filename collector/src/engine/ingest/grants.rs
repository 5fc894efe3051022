//! What goes down to agents: Grants for what is durable, and signed messages.

use rumqttc::v5::mqttbytes::QoS;
use takar_shared::{
    AgentId,
    envelope::Message,
    grant::Grant,
    topic::{self, Down},
};

use crate::{clock, engine::Engine};

impl Engine {
    /// Only what is durable is granted.
    pub(in crate::engine) fn send_grants(&mut self) {
        if !self.connected {
            return self.to_grant.clear();
        }
        let now = clock::now();
        // An agent takes its upper bound of now from a Grant, so one by a clock that is behind must allow nothing. What
        // is stored is told all the same, or the spools would run over.
        let valid_s = if self.is_behind(now) { 0 } else { self.config.grant_valid_s };
        for (id, challenge) in std::mem::take(&mut self.to_grant) {
            let Some(agent) = self.agents.get(&id) else { continue };
            let heads = agent.devices.iter().filter_map(|device| {
                let head = self.store.receipt_head(id, &device.name).ok().flatten()?;
                Some((device.name.clone(), head))
            });
            let grant = Grant {
                challenge,
                valid_s,
                server_time: now.max(self.server_time),
                stored_up_to: agent.durable.taken(),
                receipts_stored: heads.collect(),
                keyset_min: self.signer.keyset().version,
                tell_states: agent.devices.iter().any(|device| device.state.is_none()),
            };
            self.send(id, Down::Grant, &Message::Grant(grant));
        }
    }

    fn send(&self, id: AgentId, down: Down, message: &Message) {
        match self.signer.seal(message, id) {
            Some(bytes) => self.send_bytes(id, down, bytes),
            None => tracing::error!(kind = ?message.kind(), "message is larger than it may be; not sent"),
        }
    }

    pub(in crate::engine) fn send_bytes(&self, id: AgentId, down: Down, bytes: Vec<u8>) {
        let topic = topic::down(id, down);
        if let Err(error) = self.client.try_publish(topic, QoS::AtLeastOnce, false, bytes) {
            tracing::debug!(%error, "the broker connection is busy; sent again later");
        }
    }
}
