//! The command line of `takar-measure`.

use std::net::SocketAddr;

use clap::{Parser, ValueEnum};
use serde::Serialize;

/// Measures what Takar costs on this machine and prints a table, with other programs' costs beside.
///
/// Needs root (network namespaces), iproute2, ethtool, snmpd, mosquitto and mosquitto-clients; collectd is measured
/// beside where it is installed. Build it with --release, and leave the machine alone meanwhile: about half an hour.
#[derive(Debug, Parser)]
#[command(name = "takar-measure")]
pub struct Args {
    /// Only this figure; may be given several times.
    #[arg(long, value_enum, value_name = "FIGURE")]
    pub only: Vec<Figure>,
    /// A short trial: shows that everything works; the figures are rough.
    #[arg(long)]
    pub quick: bool,
    /// One JSON document on standard output instead of the table.
    #[arg(long)]
    pub json: bool,
    /// Send packets there until ended. This program starts itself so inside a namespace.
    #[arg(long, hide = true, value_name = "ADDRESS")]
    pub traffic_to: Vec<SocketAddr>,
    /// Change a queue so often, and say how long each took. Likewise.
    #[arg(long, hide = true, value_name = "TIMES")]
    pub change_queue: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Figure {
    /// CPU of the agent per 1,000 polls of nine interfaces.
    Poll,
    /// Memory of the agent and of the collector, after these polls.
    Memory,
    /// Bytes a sample on MQTT.
    Wire,
    /// CPU of the collector per 1,000,000 samples stored.
    Store,
    /// From approval to applied.
    Latency,
    /// Time to change a queue.
    Queue,
}

impl Figure {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::Memory => "memory",
            Self::Wire => "wire",
            Self::Store => "store",
            Self::Latency => "latency",
            Self::Queue => "queue",
        }
    }
}

impl Args {
    pub fn wants(&self, figure: Figure) -> bool {
        self.only.is_empty() || self.only.contains(&figure)
    }
}
