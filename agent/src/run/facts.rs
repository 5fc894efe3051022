//! Interface facts on their way to the broker. The newest of each device is held and sent again at every connect; what
//! is lost on the way the next minute's make up for.

use rumqttc::v5::{AsyncClient, mqttbytes::QoS};
use takar_shared::{
    BootEpoch, MonoMillis,
    envelope::{self, Message},
    facts::{Facts, InterfaceFacts, MAX_INTERFACES},
    topic::{self, Up},
};

use super::Agent;

/// One message, and whether this connection took it.
pub(super) struct Held {
    facts: Facts,
    sent: bool,
}

impl Agent {
    pub(super) fn hold_facts(&mut self, device: u8, read_at: MonoMillis, interfaces: &[InterfaceFacts]) {
        self.facts.retain(|held| held.facts.device != device);
        let messages = split(self.epoch, read_at, device, interfaces);
        self.facts.extend(messages.map(|facts| Held { facts, sent: false }));
    }

    /// On a new connection, and where the collector was not there when they were sent.
    pub(super) fn facts_again(&mut self) {
        self.facts.iter_mut().for_each(|held| held.sent = false);
    }

    /// Only once a Grant has come on this connection: before that the collector may not know the Birth that gives the
    /// devices their positions.
    pub(super) fn send_facts(&mut self, client: &AsyncClient) {
        if !self.connected || self.unanswered {
            return;
        }
        let route = self.identity.route;
        for held in self.facts.iter_mut().filter(|held| !held.sent) {
            let Some(bytes) = envelope::seal(&Message::Facts(held.facts.clone()), route, &self.identity.key) else {
                tracing::error!(device = held.facts.device, "facts are larger than a message may be; not sent");
                held.sent = true;
                continue;
            };
            if client.try_publish(topic::up(route.agent, Up::Facts), QoS::AtLeastOnce, false, bytes).is_err() {
                // The socket is busy: again at the next tick.
                return;
            }
            held.sent = true;
        }
    }
}

/// As many messages as it takes.
fn split(
    boot_epoch: BootEpoch,
    read_at: MonoMillis,
    device: u8,
    interfaces: &[InterfaceFacts],
) -> impl Iterator<Item = Facts> {
    let facts = move |some: &[InterfaceFacts]| Facts { boot_epoch, read_at, device, interfaces: some.to_vec() };
    interfaces.chunks(MAX_INTERFACES).map(facts)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use takar_shared::{
        AgentId, NetworkId,
        bundle::MAX_METERS,
        envelope::Route,
        facts::{Duplex, Switch},
        id::name,
    };

    use super::*;

    /// Names as long as they may be, counters at their largest.
    fn interface(at: usize) -> InterfaceFacts {
        InterfaceFacts {
            name: name(&format!("{at:0>64}")).unwrap(),
            admin: Switch::Unknown,
            oper: Switch::Unknown,
            high_speed_mbps: Some(u32::MAX),
            duplex: Duplex::Full,
            unchanged_for_ms: Some(u64::MAX),
            in_errors: u32::MAX,
            out_errors: u32::MAX,
            in_discards: u32::MAX,
            out_discards: u32::MAX,
        }
    }

    #[test]
    fn however_many_interfaces_all_are_sent_and_every_message_can_be() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let route = Route { network: NetworkId([1; 16]), agent: AgentId([2; 16]) };
        for count in [0, 1, MAX_INTERFACES, MAX_INTERFACES + 1, MAX_METERS] {
            let all: Vec<InterfaceFacts> = (0..count).map(interface).collect();
            let messages: Vec<Facts> = split(BootEpoch(u32::MAX), MonoMillis(u64::MAX), 63, &all).collect();
            assert_eq!(messages.len(), count.div_ceil(MAX_INTERFACES));
            let sent: Vec<&InterfaceFacts> = messages.iter().flat_map(|facts| &facts.interfaces).collect();
            assert_eq!(sent, all.iter().collect::<Vec<_>>());
            for facts in messages {
                assert!(envelope::seal(&Message::Facts(facts), route, &key).is_some());
            }
        }
    }
}
