//! What the collector decides, without doing it: rates from counters, readings from rates, findings
//! from readings, proposals from findings, batches of changes from proposals.
//!
//! Pure: time and input come as arguments, results go out as values. No clock, socket or file can
//! hide here, since the crate builds for a target without an operating system.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod assess;
pub mod audit;
pub mod batch;
pub mod calendar;
pub mod case;
pub mod check;
pub mod clockmap;
pub mod demand;
pub mod intake;
pub mod inventory;
pub mod ledger;
pub mod maintenance;
pub mod passing;
pub mod plan;
pub mod policy;
pub mod rate;
pub mod reserve;
pub mod setting;
pub mod verify;
pub mod window;
