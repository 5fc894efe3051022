//! takar: the collector and its command line. It gathers telemetry, finds links that need
//! re-allocation, takes proposals through approval, and sends signed commands.
//!
//! What it decides is in `takar-collector-core`; this crate is the edge.

mod admin;
mod api;
mod broker;
pub mod cli;
mod clock;
mod config;
mod engine;
mod init;
mod keys;
mod mqtt;
mod papers;
mod post;
mod register;
mod run;
mod signer;
pub mod view;
mod web;

pub use cli::main;
