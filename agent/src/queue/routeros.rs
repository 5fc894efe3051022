//! RouterOS: simple and tree queues by the binary API (port 8728) or by API-SSL (port 8729).
//!
//! [`codec`] turns bytes into sentences and touches no socket; [`client`] owns the connection, over a [`transport`];
//! [`row`] reads one printed queue; [`queues`] is the backend; [`effect`] says why a queue may have none, [`survey`]
//! reads everything. Source of the protocol: MikroTik's manual, "API".
//!
//! The API is not encrypted and the login carries the password, so without API-SSL the way from the agent to the router
//! must be one that nobody else listens on.

pub mod client;
pub mod codec;
pub mod effect;
pub mod queues;
pub mod row;
pub mod survey;
pub mod transport;

pub use client::Access;
pub use codec::fuzz_codec;
pub use queues::RouterQueues;
pub use transport::Certificate;
