//! The three ways to count attempts. `at` is time that passed ([`super::Elapsed`]), so it never falls.

use std::collections::VecDeque;

use super::Limits;

/// Each failure makes the next attempt wait longer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Failures {
    count: u32,
    last: u64,
    until: u64,
}

impl Failures {
    pub fn wait(&self, at: u64) -> u64 {
        self.until.saturating_sub(at)
    }

    pub fn count(&mut self, at: u64, limits: &Limits) {
        if at.saturating_sub(self.last) >= limits.forget_after_ms {
            self.count = 0;
        }
        self.count = self.count.saturating_add(1);
        self.last = at;
        self.until = at.saturating_add(delay(self.count, limits));
    }
}

/// After so many failures.
pub fn delay(count: u32, limits: &Limits) -> u64 {
    let Some(doublings) = count.checked_sub(limits.failures) else { return 0 };
    let factor = 1u64.checked_shl(doublings).unwrap_or(u64::MAX);
    limits.first_delay_ms.saturating_mul(factor).min(limits.longest_delay_ms)
}

/// The times of the last failures: no more than so many within the time given.
#[derive(Debug, Default)]
pub struct Window {
    times: VecDeque<u64>,
}

impl Window {
    pub fn wait(&mut self, at: u64, limits: &Limits) -> u64 {
        while self.times.front().is_some_and(|first| at.saturating_sub(*first) >= limits.source_within_ms) {
            self.times.pop_front();
        }
        match self.times.front() {
            Some(first) if self.times.len() >= limits.source_failures => {
                first.saturating_add(limits.source_within_ms).saturating_sub(at)
            }
            _ => 0,
        }
    }

    pub fn count(&mut self, at: u64) {
        self.times.push_back(at);
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// The newest was none.
    pub fn take_back(&mut self) {
        self.times.pop_back();
    }
}

/// So many at once, then one each time: a token bucket, kept as the time by which all that was taken is paid for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket {
    paid_at: u64,
}

impl Bucket {
    pub fn wait(&self, at: u64, burst: u32, one_each_ms: u64) -> u64 {
        let after = self.paid_at.max(at).saturating_add(one_each_ms);
        after.saturating_sub(at.saturating_add(one_each_ms.saturating_mul(u64::from(burst))))
    }

    pub fn take(&mut self, at: u64, one_each_ms: u64) {
        self.paid_at = self.paid_at.max(at).saturating_add(one_each_ms);
    }
}
