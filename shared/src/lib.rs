//! What crosses the wire between a Takar collector and its agents: types, their one encoding,
//! their one signature check, and the topics that carry them. No I/O, no clock, no configuration.
//!
//! The specification in prose is `docs/wire.md`; `tests/golden/` holds the bytes it promises.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod birth;
pub mod bundle;
pub mod command;
pub mod envelope;
pub mod facts;
pub mod grant;
pub mod id;
pub mod keyset;
pub mod queue;
pub mod receipt;
pub mod signing;
pub mod telemetry;
pub mod topic;
pub mod units;
pub mod version;

pub use id::{AgentId, BatchId, BootEpoch, Challenge, ChangeId, Digest, KeyId, Name, NetworkId, Seq, Serial};
pub use units::{BitsPerSec, Direction, MonoMillis, UnixMillis};
