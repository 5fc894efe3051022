//! Polls into Telemetry, Telemetry into the spool, and from there to the broker until it is stored.

use rumqttc::v5::{AsyncClient, mqttbytes::QoS};
use takar_agent_core::spool::{Covers, Seal, SpoolEffect, Spooled};
use takar_shared::{
    KeyId, Seq,
    envelope::{self, Message},
    telemetry::{Gap, Telemetry},
    topic::{self, Up},
};

use super::Agent;
use crate::{clock, identity::Identity};

/// All device states go out at least this often.
const STATES_EVERY_MS: u64 = 60_000;

impl Agent {
    pub(super) fn make_telemetry(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let Some(challenge) = self.challenge() else { return };
        let now = clock::now();
        if now >= self.states_due {
            self.states_due = now.plus(STATES_EVERY_MS);
        }
        let mut polls = std::mem::take(&mut self.waiting);
        self.spool.mark(self.epoch, &mut polls);
        let mut telemetry = Telemetry::new(self.epoch, self.next_seq, challenge, now, &polls);
        telemetry.states = std::mem::take(&mut self.waiting_states);
        telemetry.alarms = self.alarms;
        let samples = telemetry.samples() as u64;
        let covers = Covers { epoch: self.epoch, first: self.next_seq, last: self.next_seq, samples };
        match envelope::seal(&Message::Telemetry(telemetry), self.identity.route, &self.identity.key) {
            Some(bytes) => {
                self.next_seq = Seq(self.next_seq.0 + 1);
                let effects = self.spool.push(Spooled { covers, bytes }, &Own(&self.identity));
                self.carry_out(effects);
            }
            None => {
                self.spool.lost(self.epoch, &polls);
                tracing::error!(samples, "telemetry is larger than a message may be; these polls are lost");
            }
        }
    }

    pub(super) fn carry_out(&mut self, effects: Vec<SpoolEffect>) {
        for effect in effects {
            let done = match effect {
                SpoolEffect::Write(message) => self.files.write(&message),
                SpoolEffect::Remove(covers) => self.files.remove(covers),
                SpoolEffect::SealGap(covers) => {
                    tracing::warn!(
                        first = covers.first.0,
                        last = covers.last.0,
                        "spool is full: oldest telemetry dropped"
                    );
                    let Covers { epoch, first, last, samples } = covers;
                    let gap = Message::Gap(Gap { boot_epoch: epoch, first, seq: last, samples });
                    match envelope::seal(&gap, self.identity.route, &self.identity.key) {
                        Some(bytes) => match self.spool.put_gap(Spooled { covers, bytes }) {
                            SpoolEffect::Write(message) => self.files.write(&message),
                            _ => Ok(()),
                        },
                        None => Ok(()),
                    }
                }
            };
            if let Err(error) = done {
                tracing::error!(%error, "spool file could not be written; the message is kept in memory only");
            }
        }
    }

    pub(super) fn send_spooled(&mut self, client: &AsyncClient) {
        if !self.connected {
            return;
        }
        let topic = topic::up(self.identity.route.agent, Up::Telemetry);
        while let Some(message) = self.spool.next_to_send(clock::now()) {
            if client.try_publish(topic.clone(), QoS::AtLeastOnce, false, message.bytes.clone()).is_err() {
                self.spool.unsend();
                return;
            }
        }
    }
}

/// What this agent sealed itself, in this run or an earlier one.
struct Own<'a>(&'a Identity);

impl Seal for Own<'_> {
    fn open(&self, bytes: &[u8]) -> Option<Telemetry> {
        let Self(identity) = self;
        let own = identity.key.verifying_key().to_bytes();
        match envelope::open(bytes, identity.route, |_, key| (key == KeyId::of_key(&own)).then_some(own)) {
            Ok(envelope::Opened { message: Message::Telemetry(telemetry), .. }) => Some(telemetry),
            // A Gap tells of no break; what is damaged the collector refuses.
            _ => None,
        }
    }

    fn seal(&self, telemetry: Telemetry) -> Option<Vec<u8>> {
        let Self(identity) = self;
        envelope::seal(&Message::Telemetry(telemetry), identity.route, &identity.key)
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use takar_shared::{
        BootEpoch, Challenge, MonoMillis, NetworkId, UnixMillis,
        envelope::Route,
        keyset::{Keyset, Root},
    };

    use super::*;
    use crate::identity::{Broker, agent_id};

    fn identity(seed: u8) -> Identity {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let route = Route { network: NetworkId([1; 16]), agent: agent_id(&key) };
        let root = Root { keys: Vec::new(), threshold: 1 };
        let keyset = Keyset { version: 1, command_keys: Vec::new(), grant_keys: Vec::new(), next_ca: None, root };
        let broker = Broker { host: "localhost".into(), port: 1883, tls: None };
        Identity { key, route, name: "core-1".into(), server_time: UnixMillis(0), keyset, broker }
    }

    #[test]
    fn only_what_this_agent_sealed_is_opened() {
        let (own, other) = (identity(1), identity(2));
        let telemetry = Telemetry::new(BootEpoch(1), Seq(1), Challenge([0; 16]), MonoMillis(5), &[]);
        let bytes = Own(&own).seal(telemetry.clone()).unwrap();
        assert_eq!(Own(&own).open(&bytes), Some(telemetry));
        assert_eq!(Own(&other).open(&bytes), None);
        assert_eq!(Own(&own).open(&bytes[1..]), None);
        let gap = Message::Gap(Gap { boot_epoch: BootEpoch(1), first: Seq(1), seq: Seq(1), samples: 0 });
        assert_eq!(Own(&own).open(&envelope::seal(&gap, own.route, &own.key).unwrap()), None);
    }
}
