//! What an agent decides, without doing it: whether a command may be taken, how a change is
//! carried through commit-confirm, what the journal means after a crash, what the spool keeps.
//!
//! Pure: time and input come as arguments, effects go out as values. No clock, socket or file can
//! hide here, since the crate builds for a target without an operating system.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod admit;
pub mod change;
pub mod grant;
pub mod journal;
pub mod schedule;
pub mod spool;
