//! The embedded broker: rumqttd in threads of its own, for demonstrations and for everything on one machine.
//!
//! It has no access control, keeps nothing on disk and ends with the process only. What else to know of rumqttd 0.20:
//! a client that takes over another's id may have its own will published at once; whoever subscribes gets at most 100
//! retained messages; a connection above the limit, or with `+ $ # /` in its id, is dropped without an answer, and when
//! that client comes again a poisoned lock keeps everybody new out. So the limit is one that is never met.

use std::{
    collections::HashMap,
    net::{SocketAddr, TcpListener},
    thread,
};

use anyhow::{Context as _, bail};
use rumqttd::{Broker, Config, ConnectionSettings, RouterConfig, SegmentConfig, ServerSettings};
use takar_shared::envelope::MAX_TELEMETRY;

/// The largest envelope (64 KiB) with its topic and properties, in bytes; of every broker that is Takar's. Less than
/// what clients read: what a broker takes from one client ends the connection of every other that is sent more than it
/// reads, and retained it would do so for ever.
pub(crate) const MAX_PACKET: usize = MAX_TELEMETRY + 512;
const MAX_CONNECTIONS: usize = 2_000;
/// Packets read from one connection before others have their turn.
const MAX_BATCH: usize = 100;
/// A client that connects must say so within this.
const HELLO_MS: u16 = 5_000;

/// Every subscription's log stays in memory up to segment size × count, also what was delivered long ago. The one that
/// carries telemetry lets the collector stand still for a while; an agent's own carries a Grant now and then.
const SEGMENT: usize = 1024 * 1024;
const SEGMENTS: usize = 16;
const AGENT_SEGMENT: usize = 64 * 1024;
const AGENT_SEGMENTS: usize = 2;

/// Starts the broker on a loopback address. Clients may have to try again for a moment.
///
/// Errors: not loopback; the port is taken.
pub fn start_embedded(address: SocketAddr) -> anyhow::Result<()> {
    if !address.ip().is_loopback() {
        bail!("the embedded broker has no access control; expected a loopback address, not {address}");
    }
    // rumqttd binds in a thread that can only log. What keeps it from binding is found here.
    drop(TcpListener::bind(address).with_context(|| format!("the embedded broker cannot listen on {address}"))?);
    let mut broker = Broker::new(config(address));
    let run = move || match broker.start() {
        Ok(()) => tracing::error!(%address, "the embedded broker ended"),
        Err(error) => tracing::error!(%address, %error, "the embedded broker ended"),
    };
    thread::Builder::new().name("broker".into()).spawn(run).context("the embedded broker cannot have a thread")?;
    Ok(())
}

/// MQTT 5 only; no console, no metrics.
fn config(listen: SocketAddr) -> Config {
    let agents = SegmentConfig { max_segment_size: AGENT_SEGMENT, max_segment_count: AGENT_SEGMENTS };
    let router = RouterConfig {
        max_connections: MAX_CONNECTIONS,
        max_outgoing_packet_count: 200,
        max_segment_size: SEGMENT,
        max_segment_count: SEGMENTS,
        custom_segment: Some(HashMap::from([(format!("{}/agent/+/down/#", takar_shared::topic::ROOT), agents)])),
        ..RouterConfig::default()
    };
    let connections = ConnectionSettings {
        connection_timeout_ms: HELLO_MS,
        max_payload_size: MAX_PACKET,
        max_inflight_count: MAX_BATCH,
        auth: None,
        external_auth: None,
        dynamic_filters: false,
    };
    let server = ServerSettings { name: "mqtt".into(), listen, tls: None, next_connection_delay_ms: 1, connections };
    Config { router, v5: Some(HashMap::from([("mqtt".to_owned(), server)])), ..Config::default() }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Duration};

    use rumqttc::v5::mqttbytes::QoS;
    use takar_shared::topic;

    use super::*;
    use crate::{
        config,
        mqtt::{self, MqttEvent},
    };

    /// A port that was free a moment ago.
    fn free() -> SocketAddr {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
    }

    #[test]
    fn a_taken_port_and_a_public_address_are_refused_in_one_line() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = taken.local_addr().unwrap();
        let error = format!("{:#}", start_embedded(address).unwrap_err());
        assert!(error.contains(&address.to_string()) && !error.contains('\n'), "{error}");
        assert!(start_embedded(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 1883))).is_err());
    }

    /// What a broker takes every client reads, with what the way adds to it.
    #[test]
    fn no_packet_that_passes_is_too_large_for_a_client() {
        let largest = MAX_TELEMETRY + topic::up(takar_shared::AgentId([1; 16]), topic::Up::Telemetry).len();
        assert!(MAX_PACKET > largest + 16 && MAX_PACKET + 256 < usize::try_from(mqtt::MAX_PACKET).unwrap());
    }

    /// As large as an envelope can be, from and to the collector's own client, which reads no less.
    #[tokio::test]
    async fn the_collector_reads_what_was_published() {
        let address = free();
        start_embedded(address).unwrap();
        let text = format!("state_dir = \"/nowhere\"\n[broker]\nkind = \"embedded\"\naddress = \"{address}\"\n");
        let (client, mut events) = mqtt::start(&config::parse(&text).unwrap()).unwrap();
        let topic = topic::up(takar_shared::AgentId([1; 16]), topic::Up::Telemetry);
        let payload = vec![7; takar_shared::envelope::MAX_TELEMETRY];
        let exchange = async {
            loop {
                match events.recv().await.unwrap() {
                    MqttEvent::Connected => {
                        client.subscribe(topic::all_up(), QoS::AtLeastOnce).await.unwrap();
                        client.publish(topic.as_str(), QoS::AtLeastOnce, false, payload.clone()).await.unwrap();
                    }
                    // The broker may not listen yet.
                    MqttEvent::Disconnected(_) => {}
                    MqttEvent::Message { topic, payload, retained } => return (topic, payload, retained),
                }
            }
        };
        let got = tokio::time::timeout(Duration::from_secs(20), exchange).await.unwrap();
        assert!(got == (topic, payload, false));
    }
}
