//! The collector's HTTP API on a unix socket: its server, its client, and what it asks of the engine.
//!
//! Whoever may open the socket may ask; the kernel says who that is (SO_PEERCRED), never the request itself.

pub mod client;
pub mod query;
pub mod server;

/// Largest request body, in bytes: an inventory of some ten thousand links.
pub const MAX_BODY: usize = 8 * 1024 * 1024;

/// What a program that logged in over TLS sends with whatever is no GET: the session's token.
pub const CSRF_HEADER: &str = "x-takar-csrf";
