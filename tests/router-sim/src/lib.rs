//! One simulated MikroTik router for demonstrations and tests: SNMP v2c, the RouterOS binary API and a simple queue
//! that really shapes a deterministic traffic model.
//!
//! It shares no code with the software under test, so an error in a codec there cannot hide behind the same error here.
//!
//! The way through: [`args`] → [`router::Router`] (the lock and the clock) around [`sim::Simulation`] (pure), read by
//! [`snmp`] and read and written by [`api`]. Everything below `router` takes time as an argument.
// A simulated router runs in real time, on threads of its own.
#![allow(clippy::disallowed_methods)]
#![forbid(unsafe_code)]

pub mod api;
pub mod args;
pub mod ber;
pub mod clock;
pub mod command;
pub mod log;
pub mod mib;
pub mod pair;
pub mod ports;
pub mod query;
pub mod refusal;
pub mod router;
pub mod row;
pub mod running;
pub mod shaper;
pub mod sim;
pub mod snmp;
pub mod table;
pub mod traffic;
pub mod words;

pub use args::{Args, Config};
pub use running::Running;
