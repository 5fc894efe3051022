//! End to end: what starts real programs, and (in `tests/`) the stories told with them.
// The laboratory is the edge: it waits for real programs in real time.
#![allow(clippy::disallowed_methods)]

pub mod cakelab;
pub mod client;
pub mod clock;
pub mod demo;
pub mod lab;
pub mod measure;
pub mod netlab;
pub mod people;
pub mod post;
pub mod process;
pub mod uci;
