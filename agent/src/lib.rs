//! takar-agent: the program on, or beside, a router. It polls SNMP and queue counters, publishes
//! telemetry over MQTT and applies signed queue changes under commit-confirm.
//!
//! What it decides is in `takar-agent-core`; this crate is the edge: sockets, files, clocks, queues.

mod chain;
pub mod cli;
mod clock;
mod config;
mod device;
mod enrol;
mod identity;
mod journal;
pub mod kernel;
mod mqtt;
mod probe;
pub mod queue;
mod run;
pub mod snmp;
mod spool;
mod status;
mod tls;

pub use cli::main;
