//! Notices: what a case tells people by mail and systems by webhook, in their language; a digest rather than a flood,
//! tried again rather than lost.
//!
//! [`queue`] decides what goes when, and has no I/O: whoever holds the [`queue::Delivery`]s stores each step before it
//! is acted upon. [`Post`] carries a [`queue::Batch`] out and says what became of it. Without a `[notice]` in the
//! config nothing is sent; what happened is in the case and among the events all the same.
#![forbid(unsafe_code)]

pub mod config;
pub mod lang;
pub mod mail;
pub mod notice;
mod post;
pub mod queue;
pub mod sample;
mod secret;
pub mod topic;
pub mod webhook;
pub mod words;

pub use lang::{Lang, Zone};
pub use notice::{Attachment, Content, Notice, Recipient};
pub use post::{CannotSend, Outcome, Post};
pub use topic::Topic;
