//! A stand-in for OpenWrt's `uci`, on the files as they are.

use std::process::ExitCode;

fn main() -> ExitCode {
    takar_e2e::uci::main()
}
