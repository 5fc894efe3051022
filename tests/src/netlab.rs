//! A laboratory of network namespaces: a hub, where the broker and the collector are, and edges, each
//! with queues of this kernel, a real snmpd and an agent. Needs root, iproute2, ethtool, snmpd,
//! mosquitto and iperf3.

mod edge;
mod hub;
mod namespace;
pub mod snmpd;
mod traffic;

pub use edge::{Edge, Settings, shaped_on};
pub use hub::{Heard, Hub, Monitor};
pub use namespace::{Namespace, lacking, run_inside};
pub use snmpd::{Snmpd, Version};
pub use traffic::{Flow, Measured, measure};

/// The class of an edge's traffic, on both of its devices.
pub const CLASS: &str = "1:10";
/// Where an edge's uploads are shaped.
pub const WAN: &str = "e-wan";
/// Where an edge's downloads are shaped: what comes in is redirected to it.
pub const IFB: &str = "ifb4w";
