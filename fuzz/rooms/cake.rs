//! The decoder of what stands at an interface's root, read as source: it is private to the agent. The crate that takes
//! this in must have `queue` at its root, as the agent has.
#![allow(dead_code)] // only decoding and the answer to it are called

#[path = "../../agent/src/queue/cake/qdisc.rs"]
pub mod qdisc;
