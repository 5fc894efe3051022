//! The queues of a device: read what is in force, put other values in force, nothing else.
//!
//! One trait, one folder or file per backend, one contract suite ([`contract()`]) that each must pass. Only this
//! module touches queues. What may be set, and when, is decided elsewhere; a backend still refuses what is not on
//! its allow-list, so that no fault above it reaches a queue that the device's own config does not name.

pub mod cake;
pub mod contract;
pub mod htb;
pub mod netlink;
pub mod observe;
pub mod routeros;
pub mod sqm;

pub use contract::contract;

use std::{fmt, io};

use takar_shared::{
    BitsPerSec, Direction,
    queue::{QueueReading, Setting, Shaper},
};

/// A queue's own statistics in one direction. All but the backlog only grow, until the queue is made anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounters {
    /// Bytes that passed.
    pub bytes: u64,
    /// Packets dropped.
    pub drops: u64,
    /// Times a packet had to wait for the rate; zero where the backend does not count it (RouterOS).
    pub overlimits: u64,
    /// Bytes waiting in the queue at this moment.
    pub backlog: u64,
}

/// What one shaper has in force in one direction, and its counters at the same moment.
#[derive(Clone, Debug)]
pub struct Observed {
    pub reading: QueueReading,
    pub counters: QueueCounters,
}

/// One entry of a device's allow-list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShaperKey {
    pub shaper: Shaper,
    pub direction: Direction,
}

impl ShaperKey {
    pub fn of_setting(setting: &Setting) -> Self {
        Self { shaper: setting.shaper.clone(), direction: setting.direction }
    }
    pub fn of_reading(reading: &QueueReading) -> Self {
        Self { shaper: reading.shaper.clone(), direction: reading.direction }
    }
}

impl fmt::Display for ShaperKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.shaper, self.direction)
    }
}

/// Reads and sets the allow-listed queues of one device.
// The agent runs on one thread, so that its futures need not be Send, which is what this lint asks about.
#[allow(async_fn_in_trait)]
pub trait QueueBackend {
    /// Does this backend have a guarantee (cir) beside the ceiling?
    fn has_cir(&self) -> bool;

    /// Every allow-listed shaper as in force now, in allow-list order. A missing queue is an error that names it.
    async fn read(&mut self) -> Result<Vec<Observed>, QueueError>;

    /// Sets absolute values, lowering before raising. Not atomic: the caller reads back and restores.
    /// All settings are checked ([`check`]) before the first is set, so that a refused one changes nothing.
    async fn apply(&mut self, settings: &[Setting]) -> Result<(), QueueError>;

    /// Asked before a new change is applied, and never before old values are put back: what could not be kept later is
    /// refused here.
    async fn prepare(&mut self, _settings: &[Setting]) -> Result<(), QueueError> {
        Ok(())
    }

    /// Told what is confirmed, in force or about to be: what sets queues at a boot or a reload must not undo it.
    async fn keep(&mut self, _settings: &[Setting]) -> Result<(), QueueError> {
        Ok(())
    }
}

/// The backend that a device's config names. An enum, because async functions in traits are not dyn-compatible.
pub enum AnyBackend {
    Cake(cake::Cake),
    Htb(htb::Htb),
    RouterOs(routeros::RouterQueues),
    Observe(observe::Observe),
    Sqm(sqm::Sqm),
}

impl QueueBackend for AnyBackend {
    fn has_cir(&self) -> bool {
        match self {
            Self::Cake(backend) => backend.has_cir(),
            Self::Htb(backend) => backend.has_cir(),
            Self::RouterOs(backend) => backend.has_cir(),
            Self::Observe(backend) => backend.has_cir(),
            Self::Sqm(backend) => backend.has_cir(),
        }
    }

    async fn read(&mut self) -> Result<Vec<Observed>, QueueError> {
        match self {
            Self::Cake(backend) => backend.read().await,
            Self::Htb(backend) => backend.read().await,
            Self::RouterOs(backend) => backend.read().await,
            Self::Observe(backend) => backend.read().await,
            Self::Sqm(backend) => backend.read().await,
        }
    }

    async fn apply(&mut self, settings: &[Setting]) -> Result<(), QueueError> {
        match self {
            Self::Cake(backend) => backend.apply(settings).await,
            Self::Htb(backend) => backend.apply(settings).await,
            Self::RouterOs(backend) => backend.apply(settings).await,
            Self::Observe(backend) => backend.apply(settings).await,
            Self::Sqm(backend) => backend.apply(settings).await,
        }
    }

    async fn prepare(&mut self, settings: &[Setting]) -> Result<(), QueueError> {
        match self {
            Self::Sqm(backend) => backend.prepare(settings).await,
            // The others have no place of their own beside the queues.
            _ => Ok(()),
        }
    }

    async fn keep(&mut self, settings: &[Setting]) -> Result<(), QueueError> {
        match self {
            Self::Sqm(backend) => backend.keep(settings).await,
            _ => Ok(()),
        }
    }
}

/// Why queues could not be read or set.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    #[error("{0} is not on the device")]
    Missing(String),
    #[error("{shaper} is on the device {found} times, expected once")]
    Ambiguous { shaper: String, found: usize },
    #[error("cannot talk to {address}")]
    Unreachable { address: String, source: io::Error },
    #[error("no answer from {address} within {after_ms} ms")]
    Timeout { address: String, after_ms: u64 },
    #[error("{address} refused the login of {user}")]
    Authentication { address: String, user: String },
    /// The device understood the command and said no (a RouterOS `!trap`).
    #[error("{command} refused by the device: {message}")]
    Refused { command: String, message: String },
    #[error("answer not understood: {what}")]
    Garbage { what: String },
    #[error("cannot be done: {what}")]
    Unsupported { what: String },
    /// `source` carries the kernel's error number.
    #[error("netlink {operation} failed")]
    Netlink { operation: String, source: io::Error },
}

/// Refuses what no backend may set: a shaper that is not on the allow-list or is named twice, a cir above the mir
/// (a mir of zero is unlimited), a cir where the backend has none, and none where it has one.
pub fn check(settings: &[Setting], allow: &[ShaperKey], has_cir: bool) -> Result<(), QueueError> {
    for (position, setting) in settings.iter().enumerate() {
        let key = ShaperKey::of_setting(setting);
        let named_before = settings.iter().take(position).any(|earlier| ShaperKey::of_setting(earlier) == key);
        let unlimited = setting.mir == BitsPerSec::ZERO;
        let fault = match setting.cir {
            _ if !allow.contains(&key) => "not on the allow-list",
            _ if named_before => "set twice in one change",
            Some(_) if !has_cir => "a cir where the backend has none",
            None if has_cir => "no cir where the backend has one",
            Some(cir) if cir > setting.mir && !unlimited => "cir above mir",
            _ => continue,
        };
        return Err(QueueError::Unsupported { what: format!("{key}: {fault}") });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use takar_shared::id::name;

    fn setting(direction: Direction, cir: Option<u64>, mir: u64) -> Setting {
        let shaper = Shaper::Queue(name("site-a").unwrap());
        Setting { shaper, direction, cir: cir.map(BitsPerSec), mir: BitsPerSec(mir) }
    }

    fn fault(settings: &[Setting], has_cir: bool) -> Option<String> {
        let allow = [ShaperKey::of_setting(&setting(Direction::Down, None, 0))];
        check(settings, &allow, has_cir).err().map(|error| error.to_string())
    }

    #[test]
    fn what_no_backend_may_set_is_refused_by_name() {
        let down = |cir, mir| setting(Direction::Down, cir, mir);
        assert_eq!(fault(&[down(Some(8), 8)], true), None);
        assert_eq!(fault(&[down(Some(8), 0)], true), None, "zero is unlimited");
        assert_eq!(fault(&[down(None, 8)], false), None);
        for (settings, has_cir, expected) in [
            (vec![setting(Direction::Up, Some(8), 8)], true, "queue site-a up: not on the allow-list"),
            (vec![down(Some(8), 8), down(Some(9), 9)], true, "queue site-a down: set twice in one change"),
            (vec![down(Some(9), 8)], true, "queue site-a down: cir above mir"),
            (vec![down(None, 8)], true, "queue site-a down: no cir where the backend has one"),
            (vec![down(Some(8), 8)], false, "queue site-a down: a cir where the backend has none"),
        ] {
            assert_eq!(fault(&settings, has_cir), Some(format!("cannot be done: {expected}")));
        }
    }
}
