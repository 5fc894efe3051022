//! What agents send: checked, put in order, handed to the store and to the watches. What is taken, lost or kept apart
//! is decided by [`takar_collector_core::intake`].

mod birth;
mod facts;
mod grants;
mod state;
mod telemetry;

use serde::Deserialize;
use takar_collector_core::{
    intake::{Reported, Taken},
    rate::{CounterSample, Width},
};
use takar_shared::{
    AgentId, BootEpoch, KeyId, MonoMillis, Seq, UnixMillis,
    envelope::{self, Kind, Message, Route},
    topic::{self, Up},
};
use takar_store::{SampleRow, Write};

pub(super) use self::facts::InterfaceState;
use super::Engine;

/// Two clocks that differ by less are not worth a break in the readings.
const LEAST_STEP_MS: u64 = 2_000;
/// A hint is two short keys; what is longer is not read.
const MAX_HINT: usize = 256;

/// `up/state`, which is also the agent's will. Unsigned: a hint.
#[derive(Deserialize)]
struct Hint {
    state: Presence,
    boot_epoch: Option<BootEpoch>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Presence {
    Online,
    Offline,
}

impl Engine {
    pub(super) fn handle_message(&mut self, topic: &str, payload: &[u8], now: UnixMillis) {
        let Some((id, up)) = topic::parse_up(topic) else { return self.refuse(topic, "not an agent's topic") };
        let Some(agent) = self.agents.get(&id).filter(|agent| !agent.record.revoked) else {
            // Counted, never stored or granted.
            return self.refuse(topic, "an agent that is not enrolled");
        };
        if up == Up::State {
            return match hint(payload) {
                Some(hint) => self.handle_hint(id, hint),
                None => self.refuse(topic, "not a state: expected {\"state\":\"online\" or \"offline\"}"),
            };
        }
        let route = Route { network: self.signer.network(), agent: id };
        let public = agent.record.public_key;
        let own = KeyId::of_key(&public);
        let opened = envelope::open(payload, route, |kind, key| {
            let may = matches!(kind, Kind::Birth | Kind::Telemetry | Kind::Gap | Kind::Receipt | Kind::Facts);
            (may && key == own).then_some(public)
        });
        match opened {
            Ok(opened) if !up.carries(opened.message.kind()) => {
                self.refuse(topic, "a kind that may not come on this topic")
            }
            Ok(opened) => self.handle_opened(id, topic, opened.message, now),
            Err(refused) => self.refuse(topic, &refused.to_string()),
        }
    }

    fn handle_opened(&mut self, id: AgentId, topic: &str, message: Message, now: UnixMillis) {
        if let Some(agent) = self.agents.get_mut(&id) {
            agent.last_heard = Some(now);
            agent.online = true;
        }
        self.lift_quarantine(id);
        let done = match message {
            Message::Birth(birth) => {
                let done = self.handle_birth(id, topic, birth, now);
                self.forget_facts();
                done
            }
            Message::Telemetry(telemetry) => self.handle_telemetry(id, &telemetry, now),
            Message::Gap(gap) => {
                self.handle_gap(id, topic, &gap, now);
                Ok(())
            }
            Message::Receipt(receipt) => {
                self.handle_receipt(id, receipt, now);
                Ok(())
            }
            Message::Facts(facts) => {
                self.handle_facts(id, topic, facts, now);
                Ok(())
            }
            _ => Ok(()),
        };
        // Not answered, so that it is sent again.
        if let Err(error) = done {
            tracing::error!(topic, error = %format!("{error:#}"), "a message could not be taken");
        }
    }

    pub(super) fn refuse(&mut self, topic: &str, what: &str) {
        self.refused += 1;
        if self.refused <= 10 || self.refused.is_multiple_of(1000) {
            tracing::warn!(topic, count = self.refused, "message refused: {what}");
        }
    }

    fn handle_hint(&mut self, id: AgentId, hint: Hint) {
        let Some(agent) = self.agents.get_mut(&id) else { return };
        // The will of a run that ended may come after the next one said hello.
        let known = agent.birth.as_ref().map(|born| born.epoch);
        if hint.boot_epoch.is_some_and(|epoch| known.is_some_and(|known| epoch < known)) {
            return;
        }
        let online = hint.state == Presence::Online;
        if agent.online != online {
            agent.online = online;
            self.publish_agent(id);
        }
    }

    /// What every taken message brings to the store beside its own: what was lost before it, and how far it reaches.
    fn push_taken(&mut self, id: AgentId, taken: &Taken, now: UnixMillis) {
        let Some(agent) = self.agents.get(&id) else { return };
        for loss in &taken.lost {
            let name = &agent.record.name;
            let (from, to) = (loss.from, loss.to);
            if to.1 == Seq(0) {
                tracing::info!(agent = %name, ?from, "an older boot ended: whatever else it had is lost");
            } else {
                tracing::warn!(agent = %name, ?from, ?to, "telemetry lost: no longer in its spool, or unreadable");
            }
            self.pending.push(Write::Loss { agent: id, from, to, samples: loss.samples, at: now });
        }
        self.pending.extend(taken.reported.iter().map(|reported| remember(id, reported)));
        let (epoch, seq) = agent.intake.taken();
        self.pending.push(Write::StoredUpTo { agent: id, epoch, seq });
    }
}

/// A counter value as the rate room wants it.
pub(super) fn counter(row: &SampleRow, at: usize) -> CounterSample {
    CounterSample {
        at: MonoMillis(row.at.0),
        value: row.values.get(at).copied().unwrap_or_default(),
        width: if row.narrow { Width::Bits32 } else { Width::Bits64 },
        break_before: row.break_before,
    }
}

fn remember(agent: AgentId, reported: &Reported) -> Write {
    let Reported { device, epoch, serial } = reported.clone();
    Write::ReportedSerial { agent, device, epoch, serial }
}

fn hint(payload: &[u8]) -> Option<Hint> {
    if payload.len() > MAX_HINT {
        return None;
    }
    serde_json::from_slice(payload).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_as_json() {
        let read = |text: &str| hint(text.as_bytes()).map(|hint| (hint.state == Presence::Online, hint.boot_epoch));
        assert_eq!(read(r#"{"state":"online","boot_epoch":7}"#), Some((true, Some(BootEpoch(7)))));
        assert_eq!(read(r#"{"state":"offline","boot_epoch":7}"#), Some((false, Some(BootEpoch(7)))));
        assert_eq!(read(r#"{"state":"offline"}"#), Some((false, None)));
        let long = format!("{{\"state\":\"online\"{}}}", " ".repeat(MAX_HINT));
        let garbage =
            ["", "\"online\"", r#"{"state":"on"}"#, r#"{"was":"online"}"#, r#"{"state":"online"} x"#, long.as_str()];
        for text in garbage.into_iter().chain([r#"{"state":"online","boot_epoch":-1}"#]) {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
