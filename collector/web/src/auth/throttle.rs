//! How often a password may be tried, such that nobody can keep somebody else out.
//!
//! An attempt counts as a failure until it is told to have succeeded: attempts that run side by side cannot slip
//! through before the first of them fails. Failures slow down the account *as seen from one source* only, and the
//! source. An attempt on a device that logged in to the account before ([`Device`]) has counts of its own and meets no
//! other limit, so whatever anybody does elsewhere, its owner gets in.
//!
//! An attempt that is refused counts for nothing: hammering makes no wait longer. What is remembered is bounded, and
//! each new entry costs one attempt of all that the server takes, so pushing others out of memory takes long.

mod count;

use std::{
    fmt,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroUsize,
};

use lru::LruCache;
use sha2::{Digest as _, Sha256};
use takar_shared::UnixMillis;

use super::{Device, elapsed::Elapsed};
use count::{Bucket, Failures, Window};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From this failure on there is a delay, which doubles with each further one.
    pub failures: u32,
    pub first_delay_ms: u64,
    pub longest_delay_ms: u64,
    /// After so long without an attempt counting starts anew.
    pub forget_after_ms: u64,
    /// Failures of one source, whatever the account, within the time after it.
    pub source_failures: usize,
    pub source_within_ms: u64,
    /// Verifications of the whole server at once, then one each time; of a known device the same for itself.
    pub burst: u32,
    pub one_each_ms: u64,
    pub device_burst: u32,
    pub device_one_each_ms: u64,
    /// Accounts by source, sources and devices, each.
    pub remembered: usize,
}

impl Default for Limits {
    /// A verification takes some 30 ms of a processor, so four a second leave it free for the rest.
    fn default() -> Self {
        Self {
            failures: 5,
            first_delay_ms: 1000,
            longest_delay_ms: 15 * 60_000,
            forget_after_ms: 24 * 3_600_000,
            source_failures: 30,
            source_within_ms: 10 * 60_000,
            burst: 20,
            one_each_ms: 250,
            device_burst: 5,
            device_one_each_ms: 2000,
            remembered: 10_000,
        }
    }
}

/// Not now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    pub ms: u64,
}

impl Wait {
    /// As in a Retry-After header.
    pub fn seconds(self) -> u64 {
        self.ms.div_ceil(1000)
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "too many attempts; expected the next in {} s", self.seconds())
    }
}

impl std::error::Error for Wait {}

#[derive(Debug)]
pub struct Throttle {
    limits: Limits,
    elapsed: Elapsed,
    accounts: LruCache<(AccountKey, Source), Failures>,
    sources: LruCache<Source, Window>,
    devices: LruCache<Device, (Failures, Bucket)>,
    server: Bucket,
}

/// A hash, since the name is whatever somebody typed.
type AccountKey = [u8; 32];

/// What one attacker has at least: a /24 of IPv4, a /64 of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Source(Ipv6Addr);

impl Throttle {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            elapsed: Elapsed::default(),
            accounts: remember(limits.remembered),
            sources: remember(limits.remembered),
            devices: remember(limits.remembered),
            server: Bucket::default(),
        }
    }

    /// Before each verification of a password; `device` is what its cookie opened to, for this very account.
    pub fn attempt(
        &mut self,
        now: UnixMillis,
        account: &str,
        from: IpAddr,
        device: Option<Device>,
    ) -> Result<(), Wait> {
        let (at, limits) = (self.elapsed.at(now), self.limits);
        if let Some(device) = device {
            let (failures, bucket) = self.devices.get_or_insert_mut(device, Default::default);
            let wait = failures.wait(at).max(bucket.wait(at, limits.device_burst, limits.device_one_each_ms));
            let_through(wait)?;
            failures.count(at, &limits);
            bucket.take(at, limits.device_one_each_ms);
            return Ok(());
        }
        let source = Source::of(from);
        let account = (hash(account), source);
        let of_account = self.accounts.get(&account).map_or(0, |failures| failures.wait(at));
        let of_source = self.sources.get_mut(&source).map_or(0, |window| window.wait(at, &limits));
        let of_server = self.server.wait(at, limits.burst, limits.one_each_ms);
        let_through(of_account.max(of_source).max(of_server))?;
        self.accounts.get_or_insert_mut(account, Default::default).count(at, &limits);
        self.sources.get_or_insert_mut(source, Default::default).count(at);
        self.server.take(at, limits.one_each_ms);
        Ok(())
    }

    /// The attempt that was let through logged in: password, and one-time code where there is one.
    pub fn succeeded(&mut self, account: &str, from: IpAddr, device: Option<Device>) {
        if let Some(device) = device {
            if let Some((failures, _)) = self.devices.get_mut(&device) {
                *failures = Failures::default();
            }
            return;
        }
        let source = Source::of(from);
        self.accounts.pop(&(hash(account), source));
        if let Some(window) = self.sources.get_mut(&source) {
            window.take_back();
        }
    }
}

impl Source {
    fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            // Mapped, which no other address is after to_canonical.
            IpAddr::V4(v4) => Ipv6Addr::from_bits(v4.to_ipv6_mapped().to_bits() & !0xff),
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64),
        })
    }
}

fn let_through(wait_ms: u64) -> Result<(), Wait> {
    if wait_ms == 0 { Ok(()) } else { Err(Wait { ms: wait_ms }) }
}

fn hash(account: &str) -> AccountKey {
    Sha256::digest(account).into()
}

fn remember<K: Hash + Eq, V>(most: usize) -> LruCache<K, V> {
    LruCache::sparse(NonZeroUsize::new(most).unwrap_or(NonZeroUsize::MIN))
}

#[cfg(test)]
mod tests;
