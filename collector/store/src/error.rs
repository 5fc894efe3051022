//! What can go wrong with a store. One line each; the chain of sources is printed once, at the top of the program.

use std::{error::Error, path::PathBuf};

use takar_shared::{AgentId, ChangeId, Name, Serial};

/// The error of the database underneath, whichever it is.
pub type Cause = Box<dyn Error + Send + Sync + 'static>;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot open database {}", .path.display())]
    CannotOpen { path: PathBuf, source: Cause },
    #[error("database {} is in use: expected to be its only user (is another takar serve running?)", .path.display())]
    InUse { path: PathBuf },
    #[error("{} is not a database, or is damaged: expected an SQLite file written by takar", .path.display())]
    NotADatabase { path: PathBuf },
    #[error("{} belongs to another program: expected application id {expected:#x}, found {found:#x}", .path.display())]
    OtherProgram { path: PathBuf, expected: i32, found: i32 },
    #[error("{} was written by a newer takar: expected schema {newest} or older, found {found}", .path.display())]
    NewerSchema { path: PathBuf, newest: i64, found: i64 },

    /// A mark that only rises was to be set lower.
    #[error("{what} may not fall: expected {stored} or later, found {given}")]
    WouldFall { what: String, stored: String, given: String },
    /// The device's serial already carries another command.
    #[error("serial {} of device {device} of agent {agent} already has another command", .serial.0)]
    SerialTaken { agent: AgentId, device: Name, serial: Serial },
    /// What is signed is stored once and sent again as the same bytes.
    #[error("change {change} was already signed, with other bytes")]
    SignedTwice { change: ChangeId },
    #[error("change {change} is not in the outbox, so there is nothing to confirm")]
    NotInOutbox { change: ChangeId },
    #[error("audit leaf is out of order: expected index {expected}, found {given}")]
    LeafOutOfOrder { expected: u64, given: u64 },
    /// Every paper has a number of its own.
    #[error("a paper has the number {number} already, or its place in the year's count")]
    NumberTaken { number: String },
    /// An agent, meter, proposal, batch or change that is named but not stored.
    #[error("cannot {doing}: it refers to something that is not stored")]
    Dangling { doing: &'static str },

    #[error("cannot {doing}: the disk is full")]
    Full { doing: &'static str },
    /// A stored value does not read back as what it should be.
    #[error("cannot {doing}: what is stored is damaged")]
    Damaged { doing: &'static str, source: Cause },
    #[error("cannot {doing}")]
    Failed { doing: &'static str, source: Cause },
}
