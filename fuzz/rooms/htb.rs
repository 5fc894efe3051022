//! The decoder of HTB classes, read as source: it is private to the agent. Netlink's framing is public and is not
//! built twice. The crate that takes this in must have `queue` at its root, as the agent has.
#![allow(dead_code)] // only decoding and the answer to it are called

pub use takar_agent::queue::netlink::message;

#[path = "../../agent/src/queue/htb/bucket.rs"]
pub mod bucket;
#[path = "../../agent/src/queue/htb/class.rs"]
pub mod class;
