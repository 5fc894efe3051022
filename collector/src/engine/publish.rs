//! What everybody may read: JSON on `takar/1/out/…`. States are retained, events are not.

use rumqttc::v5::mqttbytes::QoS;
use serde::Serialize;
use serde_json::{Value, json};
use takar_collector_core::inventory::LinkName;
use takar_shared::{AgentId, ChangeId, Direction, Name, topic};

use super::Engine;
use crate::clock;

impl Engine {
    /// At every connect: the broker may have lost what was retained.
    pub(super) fn publish_everything(&mut self) {
        self.publish_inventory();
        let agents: Vec<AgentId> = self.agents.keys().copied().collect();
        agents.into_iter().for_each(|agent| self.publish_agent(agent));
        self.publish_audit_head();
    }

    /// Every uplink and link: after an import, and at a connect.
    pub(super) fn publish_inventory(&self) {
        let Some(inventory) = &self.inventory else { return };
        for line in inventory.budget() {
            let uplink = json!({
                "uplink": line.uplink, "direction": line.direction, "links": line.links,
                "capacity_bps": line.capacity, "budget_bps": line.budget,
                "sum_cir_bps": line.sum_cir, "sum_mir_bps": line.sum_mir,
            });
            self.retain(&format!("uplink/{}/{}", line.uplink, line.direction), &uplink);
        }
        for link in inventory.links() {
            for direction in Direction::BOTH {
                self.publish_link(&link.name, direction);
            }
        }
    }

    pub(super) fn publish_link(&self, link: &LinkName, direction: Direction) {
        if let Some(view) = self.link_view(link, direction) {
            self.retain(&format!("link/{link}/{direction}"), &view);
        }
    }

    pub(super) fn publish_device_links(&self, device: &Name) {
        let links = self.inventory.iter().flat_map(|inventory| inventory.links_on(device.as_str()));
        for link in links {
            for direction in Direction::BOTH {
                self.publish_link(&link.name, direction);
            }
        }
    }

    pub(super) fn publish_agent(&self, agent: AgentId) {
        // Of an agent that was taken out another one tells: its devices have that one's state.
        let Some(agent) = self.agents.get(&agent).filter(|agent| !agent.record.revoked) else { return };
        for view in self.device_views(agent) {
            if let Some(device) = &view.device {
                self.retain(&format!("device/{device}"), &view);
                if let Some(name) = takar_shared::id::name(device) {
                    self.publish_device_links(&name);
                }
            }
        }
    }

    pub(super) fn publish_change(&self, id: ChangeId) {
        let Some(change) = self.changes.get(&id) else { return };
        self.publish_event("change", json!({"change": super::answer::change_view(change)}));
        for one in &change.moves {
            self.publish_link(&one.link, one.set.direction);
        }
    }

    pub(super) fn publish_audit_head(&self) {
        self.retain("audit/head", &json!({"size": self.audit.size(), "root": self.audit.root().to_string()}));
    }

    /// `what` is an object; the event's name and time are put beside its keys.
    pub(super) fn publish_event(&self, event: &str, mut what: Value) {
        what["event"] = event.into();
        what["at"] = clock::now().0.into();
        self.publish(&format!("event/{event}"), false, &what);
    }

    fn retain(&self, leaf: &str, value: &impl Serialize) {
        self.publish(leaf, true, value);
    }

    fn publish(&self, leaf: &str, retain: bool, value: &impl Serialize) {
        if !self.connected {
            return;
        }
        let Ok(body) = serde_json::to_vec(value) else { return };
        // A full queue to the broker: the next state replaces this one.
        let topic = format!("{}/out/{leaf}", topic::ROOT);
        if let Err(error) = self.client.try_publish(topic, QoS::AtLeastOnce, retain, body) {
            tracing::debug!(%error, leaf, "not published");
        }
    }
}
