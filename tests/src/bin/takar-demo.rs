//! `cargo demo`: simulated routers, their agents and a collector, and what becomes of the bandwidth.

use std::process::ExitCode;

fn main() -> ExitCode {
    takar_e2e::demo::main()
}
