//! Traffic of iperf3, and what came through on the wire.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use takar_shared::Direction;

use super::{Edge, Hub, IFB};
use crate::process::{Process, wait_for};

/// TCP as fast as it goes between hub and edge, until dropped.
pub struct Flow {
    _client: Process,
    _server: Process,
}

impl Flow {
    pub fn start(hub: &Hub, edge: &Edge, direction: Direction, port: u16, place: &Path) -> anyhow::Result<Self> {
        let port = port.to_string();
        let log = |who: &str| place.join(format!("iperf3-{who}-{port}.log"));
        let mut server = hub.namespace.command("iperf3");
        server.args(["-s", "-p", &port]);
        let mut server = Process::start("iperf3 -s", server, &log("server"))?;
        let at = format!("{:04X} ", port.parse::<u16>()?);
        wait_for("iperf3 -s to listen", Duration::from_secs(10), || {
            server.check()?;
            let sockets = hub.namespace.run("cat /proc/net/tcp")? + &hub.namespace.run("cat /proc/net/tcp6")?;
            Ok(sockets.contains(&format!(":{at}")).then_some(()))
        })?;
        let mut client = edge.namespace.command("iperf3");
        client.args(["-c", &edge.hub_address, "-p", &port, "-t", "3600", "-i", "60"]);
        if direction == Direction::Down {
            client.arg("-R");
        }
        let client = Process::start("iperf3 -c", client, &log("client"))?;
        Ok(Self { _client: client, _server: server })
    }
}

/// What came through after a moment.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// How long after that moment the mean over [`WINDOW`] began to be right.
    pub settled_after: Duration,
    /// Mean over [`WINDOW`] from then on, in bit/s of the wire.
    pub mean_bps: u64,
}

pub const WINDOW: Duration = Duration::from_secs(5);
const STEP: Duration = Duration::from_millis(100);
/// In thousandths of the rate.
const TOLERANCE: u64 = 20;
/// A queue that has not settled by then is not shaped to that rate.
const PATIENCE: Duration = Duration::from_secs(5);

/// Watches what arrives behind the queue until a mean over five seconds is within 2 % of `rate_bps`.
///
/// Uploads are counted by the hub's interface. Downloads are counted behind the queue that shapes
/// them, by the ifb: `e-wan` counts them before it.
pub fn measure(hub: &Hub, edge: &Edge, direction: Direction, rate_bps: u64) -> anyhow::Result<Measured> {
    let begin = Instant::now();
    let mut seen: Vec<(Duration, u64)> = Vec::new();
    let mut last = 0;
    while begin.elapsed() <= WINDOW + PATIENCE {
        let bytes = match direction {
            Direction::Up => hub.namespace.rx_bytes(&edge.hub_port)?,
            Direction::Down => edge.namespace.rx_bytes(IFB)?,
        };
        let now = begin.elapsed();
        seen.push((now, bytes));
        let from = seen.iter().rev().find(|(at, _)| now.saturating_sub(*at) >= WINDOW);
        if let Some((at, before)) = from {
            let us = u64::try_from((now - *at).as_micros()).unwrap_or(u64::MAX).max(1);
            last = bytes.saturating_sub(*before).saturating_mul(8_000_000) / us;
            if last.abs_diff(rate_bps) * 1000 <= rate_bps * TOLERANCE {
                return Ok(Measured { settled_after: *at, mean_bps: last });
            }
        }
        std::thread::sleep(STEP);
    }
    Err(anyhow::anyhow!("{last} bit/s of the wire over the last 5 s, expected {rate_bps} within 2 %"))
        .with_context(|| format!("{} {direction}", edge.name))
}
