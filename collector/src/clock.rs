//! The only room that reads a clock, and the only one that draws random bytes.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use takar_shared::UnixMillis;

/// The wall clock, in ms since 1970-01-01 UTC; zero where it is set before that.
#[expect(clippy::disallowed_methods, reason = "this is the clock room: everybody else gets the time as an argument")]
pub fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The clock that nobody sets: only for how long something took.
#[expect(clippy::disallowed_methods, reason = "this is the clock room: everybody else gets the time as an argument")]
pub fn monotonic() -> Instant {
    Instant::now()
}

/// Bytes from the system's random source.
pub fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map(|()| bytes)
}
