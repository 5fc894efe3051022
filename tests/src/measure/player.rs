//! Plays an agent that has much to tell: the same messages, in order, as far ahead of what is stored as a real one's
//! spool goes, but as fast as they are taken.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use rumqttc::v5::{
    AsyncClient, Event, MqttOptions,
    mqttbytes::QoS,
    mqttbytes::v5::{ConnectProperties, Packet},
};
use takar_shared::{
    BootEpoch, Challenge, Digest, MonoMillis, Name, Seq, Serial,
    birth::{Birth, DeviceBirth, DeviceState, Meter, Mode},
    envelope::Message,
    id,
    telemetry::{Poll, PollOutcome, Reading, Telemetry},
    topic::{self, Down, Up},
};

use super::{member::Member, ports::INTERFACES, station::Enrolled};

/// As an agent's `polls_per_message` is unless said otherwise, and its `poll_every_ms`.
pub const POLLS: u64 = 3;
pub const POLL_EVERY_MS: u64 = 5_000;
/// Samples of one message: a reading has four.
pub const SAMPLES: u64 = POLLS * INTERFACES as u64 * 4;
/// Messages in flight beyond what is stored: as a real agent.
pub const AHEAD: u64 = 32;
const EPOCH: BootEpoch = BootEpoch(1);
const KEEP_ALIVE: Duration = Duration::from_secs(20);

pub struct Player {
    member: Member,
    device: Name,
    /// When, on its own clock, the first poll was.
    first_poll: MonoMillis,
    next: u64,
    stored: u64,
    challenges: u64,
    /// Grants heard in the last play: one for each transaction of the collector that had something of this agent.
    pub grants: u64,
}

/// The interfaces of every agent that is played, by name.
pub fn interfaces() -> impl Iterator<Item = String> {
    (0..INTERFACES).map(|number| format!("ether{number}"))
}

impl Player {
    pub fn new(enrolled: &Enrolled, first_poll: MonoMillis) -> anyhow::Result<Self> {
        let device = id::name(&enrolled.name).context("a name longer than names may be")?;
        let member = Member::load(enrolled)?;
        Ok(Self { member, device, first_poll, next: 1, stored: 0, challenges: 0, grants: 0 })
    }

    /// Sends so many messages more; returns when the collector has granted the last of them. `now` is its clock's
    /// time at the beginning.
    pub async fn play(mut self, port: u16, messages: u64, now: MonoMillis) -> anyhow::Result<Self> {
        let last = self.stored + messages;
        self.grants = 0;
        let agent = self.member.route.agent;
        let mut options = MqttOptions::new(format!("takar-agent-{agent}"), "127.0.0.1", port);
        options.set_keep_alive(KEEP_ALIVE).set_clean_start(true);
        let session = ConnectProperties { session_expiry_interval: Some(0), ..ConnectProperties::new() };
        options.set_connect_properties(session);
        let mut network = options.network_options();
        network.set_tcp_nodelay(true);
        options.set_network_options(network);
        // Room for all that may be in flight, so that nothing has to wait for the task that polls: it is this one.
        let (client, mut events) = AsyncClient::new(options, 4 * AHEAD as usize);
        let mut granted = false;
        while self.stored < last {
            match events.poll().await.context("connection of a played agent")? {
                Event::Incoming(Packet::ConnAck(_)) => {
                    client.try_subscribe(topic::all_down(agent), QoS::AtLeastOnce)?;
                }
                // Not before it can hear the answer.
                Event::Incoming(Packet::SubAck(_)) => {
                    self.send(&client, Up::Birth, &Message::Birth(self.birth(now)))?
                }
                Event::Incoming(Packet::Publish(publish)) => {
                    let heard = String::from_utf8_lossy(&publish.topic).into_owned();
                    if topic::parse_down(&heard).is_some_and(|(_, down)| down == Down::Grant) {
                        self.stored = self.stored.max(self.member.open_grant(&publish.payload)?);
                        self.grants += 1;
                        granted = true;
                    }
                }
                _ => {}
            }
            while granted && self.next <= last.min(self.stored + AHEAD) {
                let telemetry = self.telemetry();
                self.send(&client, Up::Telemetry, &Message::Telemetry(telemetry))?;
                self.next += 1;
            }
        }
        ensure!(self.stored == last, "the collector granted message {}, of {last} that were sent", self.stored);
        Ok(self)
    }

    fn send(&self, client: &AsyncClient, up: Up, message: &Message) -> anyhow::Result<()> {
        let (topic, bytes) = (topic::up(self.member.route.agent, up), self.member.seal(message)?);
        client.try_publish(topic, QoS::AtLeastOnce, false, bytes).context("a played agent's queue")
    }

    fn birth(&self, now: MonoMillis) -> Birth {
        let meters = interfaces().filter_map(|name| id::name(&name)).map(Meter::Interface).collect();
        let state = DeviceState {
            device: self.device.clone(),
            last_serial: Serial(0),
            pending: None,
            receipt_head: Digest([0; 32]),
            queues: None,
            keyset_version: 1,
        };
        let device =
            DeviceBirth { device: self.device.clone(), meters, bounds: Vec::new(), changes_per_hour: 12, state };
        Birth {
            boot_epoch: EPOCH,
            boot_nonce: [7; 16],
            challenge: Challenge([0xff; 16]),
            now,
            software: id::name("takar-measure").unwrap_or_default(),
            mode: Mode::Observe,
            spooled_from: (EPOCH, Seq(self.next)),
            devices: vec![device],
        }
    }

    fn telemetry(&mut self) -> Telemetry {
        self.challenges += 1;
        let challenge = Challenge(u128::from(self.challenges).to_be_bytes());
        let first = (self.next - 1) * POLLS;
        let polls: Vec<Poll> = (first..first + POLLS).map(|number| poll(number, self.first_poll)).collect();
        let made_at = polls.last().map_or(self.first_poll, |poll| poll.at);
        Telemetry::new(EPOCH, Seq(self.next), challenge, made_at, &polls)
    }
}

fn poll(number: u64, first_poll: MonoMillis) -> Poll {
    let readings = (0..INTERFACES as u16).map(|meter| Reading { meter, narrow: false, values: values(number, meter) });
    Poll {
        device: 0,
        at: first_poll.plus(number * POLL_EVERY_MS),
        outcome: PollOutcome::Ok,
        discontinuity: false,
        readings: readings.collect(),
    }
}

/// Counters that rise unevenly, in by about 6 Mbit/s and out by about 2, and now and then a drop.
fn values(number: u64, meter: u16) -> [u64; 4] {
    // What lies above the line is less than what it rises by in one poll, so none ever falls.
    let above = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(u32::from(meter)) % 1_000_000;
    let (from, number) = (u64::from(meter) << 32, number + 1);
    [from + number * 3_750_000 + above, from + number * 1_250_000 + above, 0, number / 100]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_only_rise_and_polls_follow_each_other() {
        for meter in 0..9 {
            for number in 0..5_000 {
                let (before, after) = (values(number, meter), values(number + 1, meter));
                assert!(before.iter().zip(after).all(|(before, after)| *before <= after), "{before:?} {after:?}");
                assert!(before[0] < after[0] && before[1] < after[1]);
            }
        }
        let polls = [0, 1, 2].map(|number| poll(number, MonoMillis(70)));
        assert_eq!(polls.map(|poll| poll.at.0), [70, 5_070, 10_070]);
    }

    #[test]
    fn a_message_has_as_many_samples_as_are_counted_for_it() {
        let polls: Vec<_> = (0..POLLS).map(|number| poll(number, MonoMillis(0))).collect();
        let telemetry = Telemetry::new(EPOCH, Seq(1), Challenge([0; 16]), MonoMillis(0), &polls);
        assert_eq!(telemetry.samples() as u64, SAMPLES);
    }
}
