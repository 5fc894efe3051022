//! RouterOS: simple queues by the binary API (port 8728; RouterOS 6.43 or newer).
//!
//! [`codec`] turns bytes into sentences and touches no socket; [`client`] owns the connection; [`row`] reads one
//! printed queue; [`simple`] is the backend. Source of the protocol: MikroTik's manual, "API".
//!
//! The connection is not encrypted and the login carries the password, so the way from the agent to the router
//! must be one that nobody else listens on.

pub mod client;
pub mod codec;
pub mod row;
pub mod simple;

pub use codec::fuzz_codec;
pub use simple::SimpleQueues;
