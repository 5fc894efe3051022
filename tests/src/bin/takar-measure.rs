//! What Takar costs, measured on this machine: `docs/performance.md` tells how, and what each figure means.

use std::process::ExitCode;

fn main() -> ExitCode {
    takar_e2e::measure::main()
}
