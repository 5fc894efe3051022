//! MQTT 5 by rumqttc. Sessions start clean: the database and the outbox are the truth, not the broker.

use std::{sync::Arc, time::Duration};

use rumqttc::{
    TlsConfiguration, Transport,
    v5::{
        AsyncClient, ConnectionError, Event, EventLoop, MqttOptions,
        mqttbytes::v5::{ConnectProperties, Packet},
    },
};
use takar_shared::envelope::MAX_TELEMETRY;
use tokio::sync::mpsc;

use crate::{
    config::Config,
    keys::{file, pem, user},
};

const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// Packets above this are not read: the largest envelope and its topic. Brokers take less.
pub(crate) const MAX_PACKET: u32 = MAX_TELEMETRY as u32 + 1024;
/// Requests waiting for the socket, and events waiting for the engine. Grants of a whole network fit in it.
const QUEUE: usize = 4096;
/// Messages sent and not acknowledged; rumqttc sets memory aside for each.
const IN_FLIGHT: u16 = 256;
const RETRY: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(5)];

pub enum MqttEvent {
    /// Nothing is subscribed yet.
    Connected,
    Disconnected(String),
    Message {
        topic: String,
        payload: Vec<u8>,
        retained: bool,
    },
}

/// Starts the connection's task, which needs a tokio runtime. Events come on the channel; publishing goes by the
/// client, which must never be awaited inside the task that polls.
pub fn start(config: &Config) -> anyhow::Result<(AsyncClient, mpsc::Receiver<MqttEvent>)> {
    let broker = &config.broker;
    // rumqttc joins host and port itself and takes the host for the certificate's name, so no brackets.
    let mut options = MqttOptions::new(user::COLLECTOR, broker.address.host.clone(), broker.address.port);
    options.set_keep_alive(KEEP_ALIVE).set_clean_start(true).set_outgoing_inflight_upper_limit(IN_FLIGHT);
    options.set_connect_properties(ConnectProperties {
        session_expiry_interval: Some(0),
        max_packet_size: Some(MAX_PACKET),
        ..ConnectProperties::new()
    });
    let mut network = options.network_options();
    network.set_tcp_nodelay(true);
    options.set_network_options(network);
    if broker.tls {
        let [ca, own, key] = [file::CA, file::COLLECTOR, file::COLLECTOR_KEY].map(|name| config.state_dir.join(name));
        let tls = pem::client(&ca, &own, &key)?;
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(tls))));
    }
    let (client, eventloop) = AsyncClient::new(options, QUEUE);
    let (sender, receiver) = mpsc::channel(QUEUE);
    tokio::spawn(poll(eventloop, sender));
    Ok((client, receiver))
}

async fn poll(mut eventloop: EventLoop, sender: mpsc::Sender<MqttEvent>) {
    let mut waits = RETRY.into_iter();
    loop {
        let event = match eventloop.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                waits = RETRY.into_iter();
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
                // The session is gone with the connection; what it had in flight is asked for or sent again.
                eventloop.clean();
                eventloop.pending.clear();
                if sender.send(MqttEvent::Disconnected(chain(&error))).await.is_err() {
                    return;
                }
                let [.., longest] = RETRY;
                tokio::time::sleep(waits.next().unwrap_or(longest)).await;
                continue;
            }
        };
        if sender.send(event).await.is_err() {
            return;
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    text
}
