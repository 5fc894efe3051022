//! The only room that reads a clock, and the only one that draws random bytes.

use takar_shared::{MonoMillis, UnixMillis};

/// CLOCK_BOOTTIME: runs through suspend, never steps back. Routers boot in 1970: no wall clock here.
pub fn now() -> MonoMillis {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    MonoMillis(seconds.saturating_mul(1000).saturating_add(nanos / 1_000_000))
}

/// Bytes from the system's random source.
pub fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map(|()| bytes)
}

/// When this version was released, in ms since 1970: no certificate is judged by an earlier clock.
const RELEASED: UnixMillis = UnixMillis(1_795_478_400_000);

/// The time TLS judges certificates by: the wall clock, but never before what is certain.
pub fn at_least(known: UnixMillis) -> UnixMillis {
    let wall = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    let wall = UnixMillis(u64::try_from(wall.tv_sec).unwrap_or(0).saturating_mul(1000));
    wall.max(RELEASED).max(known)
}
