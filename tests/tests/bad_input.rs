//! Bad input, with the real programs: one clear line for each problem (what, where, expected), the exit code that
//! docs/operate.md states, and nothing lost. A module a subject; within a test a table, which tells every row that
//! did not come out as it should, not the first one only.
// A test that cannot go on has failed; the programs run in real time.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

#[path = "bad_input/agent_config.rs"]
mod agent_config;
#[path = "bad_input/bundle.rs"]
mod bundle;
#[path = "bad_input/clock.rs"]
mod clock;
#[path = "bad_input/collector_config.rs"]
mod collector_config;
#[path = "bad_input/devices.rs"]
mod devices;
#[path = "bad_input/inventory.rs"]
mod inventory;
#[path = "bad_input/keys.rs"]
mod keys;
#[path = "bad_input/mqtt.rs"]
mod mqtt;
#[path = "bad_input/place.rs"]
mod place;
#[path = "bad_input/places.rs"]
mod places;
#[path = "bad_input/request.rs"]
mod request;
#[path = "bad_input/store.rs"]
mod store;
#[path = "bad_input/table.rs"]
mod table;
