//! One simulated MikroTik router for demonstrations and tests: SNMP v2c, the RouterOS binary API, bare and through TLS,
//! and simple and tree queues that really shape a deterministic traffic model.
//!
//! It shares no code with the software under test, so an error in a codec there cannot hide behind the same error here.
//!
//! The way through: [`args`] → [`config`] → [`router::Router`] (the lock and the clock) around [`sim::Simulation`]
//! (pure), read by [`snmp`] and read and written by [`api`] through a [`session`]. Everything below `router` takes time
//! as an argument. What clients can change is [`menus`]; each has a file.
// A simulated router runs in real time, on threads of its own.
#![allow(clippy::disallowed_methods)]
#![forbid(unsafe_code)]

pub mod account;
pub mod api;
pub mod args;
pub mod ber;
pub mod branch;
pub mod clock;
pub mod command;
pub mod config;
pub mod filter;
pub mod log;
pub mod login;
pub mod menus;
pub mod mib;
pub mod pair;
pub mod ports;
pub mod query;
pub mod refusal;
pub mod reply;
pub mod router;
pub mod row;
pub mod running;
pub mod select;
pub mod session;
pub mod shaper;
pub mod sim;
pub mod snmp;
pub mod spec;
pub mod stats;
pub mod system;
pub mod table;
pub mod target;
pub mod tls;
pub mod traffic;
pub mod tree;
pub mod values;
pub mod version;
pub mod words;

pub use args::Args;
pub use config::Config;
pub use running::Running;
