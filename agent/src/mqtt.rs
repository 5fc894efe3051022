//! MQTT 5 by rumqttc. Sessions start clean: the spool and the outbox are the truth, not the broker.

use std::{sync::Arc, time::Duration};

use rumqttc::{
    TlsConfiguration, Transport,
    v5::{
        AsyncClient, ConnectionError, Event, EventLoop, MqttOptions,
        mqttbytes::QoS,
        mqttbytes::v5::{ConnectProperties, LastWill, Packet},
    },
};
use takar_shared::{BootEpoch, UnixMillis, envelope::MAX_TELEMETRY, topic};
use tokio::sync::mpsc;

use crate::{chain::chain, identity::Identity, tls};

const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// Packets above this are not read: the largest envelope and its topic.
const MAX_PACKET: u32 = MAX_TELEMETRY as u32 + 1024;
/// Requests waiting for the socket; the spool holds the rest.
const QUEUE: usize = 256;
/// Messages sent and not acknowledged. rumqttc sets memory aside for each: by its default 14 MB.
const IN_FLIGHT: u16 = 64;
const RETRY: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(10)];

pub enum MqttEvent {
    Connected,
    Disconnected(String),
    Message { topic: String, payload: Vec<u8>, retained: bool },
}

/// Starts the connection's task. Events come on the channel; publishing goes by the client, which
/// must never be awaited inside the task that polls.
pub fn start(
    identity: &Identity,
    epoch: BootEpoch,
    known_time: UnixMillis,
) -> anyhow::Result<(AsyncClient, mpsc::Receiver<MqttEvent>)> {
    let broker = &identity.broker;
    let agent = identity.route.agent;
    let mut options = MqttOptions::new(format!("takar-agent-{agent}"), broker.host.clone(), broker.port);
    options.set_keep_alive(KEEP_ALIVE).set_clean_start(true).set_outgoing_inflight_upper_limit(IN_FLIGHT);
    options.set_connect_properties(ConnectProperties {
        session_expiry_interval: Some(0),
        max_packet_size: Some(MAX_PACKET),
        ..ConnectProperties::new()
    });
    let state = topic::up(agent, topic::Up::State);
    options.set_last_will(LastWill::new(state, state_payload("offline", epoch), QoS::AtLeastOnce, true, None));
    if let Some((ca, certificate)) = &broker.tls {
        let config = tls::client_config(&identity.key, ca, certificate, known_time)?;
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(config))));
    }
    let mut network = options.network_options();
    network.set_tcp_nodelay(true);
    options.set_network_options(network);
    let (client, eventloop) = AsyncClient::new(options, QUEUE);
    let (sender, receiver) = mpsc::channel(QUEUE);
    tokio::spawn(poll(eventloop, sender));
    Ok((client, receiver))
}

/// Retained on `up/state`; unsigned, a hint.
pub fn state_payload(state: &str, epoch: BootEpoch) -> String {
    format!("{{\"state\":\"{state}\",\"boot_epoch\":{}}}", epoch.0)
}

async fn poll(mut eventloop: EventLoop, sender: mpsc::Sender<MqttEvent>) {
    let mut failures = 0;
    loop {
        let event = match eventloop.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                failures = 0;
                MqttEvent::Connected
            }
            Ok(Event::Incoming(Packet::Publish(publish))) => MqttEvent::Message {
                topic: String::from_utf8_lossy(&publish.topic).into_owned(),
                payload: publish.payload.to_vec(),
                retained: publish.retain,
            },
            Ok(_) => continue,
            Err(ConnectionError::RequestsDone) => return,
            Err(error) => {
                // The session is gone with the connection; what it had in flight comes from the spool.
                eventloop.clean();
                eventloop.pending.clear();
                let wait = RETRY[failures.min(RETRY.len() - 1)];
                failures += 1;
                if sender.send(MqttEvent::Disconnected(chain(&error))).await.is_err() {
                    return;
                }
                tokio::time::sleep(wait).await;
                continue;
            }
        };
        if sender.send(event).await.is_err() {
            return;
        }
    }
}
