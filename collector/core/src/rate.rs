//! Counters → octets over an interval, or the reason why there are none.
//!
//! A counter is an absolute value read at some moment; only the difference of two says anything, and only when
//! nothing happened to the counter in between. RFC 2863 §3.1.5: on any discontinuity (sysUpTime back,
//! ifCounterDiscontinuityTime changed) a difference is void. A 32-bit counter is additionally ambiguous as soon as
//! the line could have filled it more than once: 34 s at 1 Gbit/s, 5.7 min at 100 Mbit/s (RFC 2863 §3.1.6).
//!
//! A single interval is no measurement of a rate: many agents (net-snmp among them) move their counters only every
//! few seconds, so an interval may hold one such step more, or less, than it lasted. [`RateLimits::counter_step_ms`]
//! allows for it here; readings of minutes (see [`crate::window`]) make it small.

use core::{error::Error, fmt};
use serde::{Deserialize, Serialize};
use takar_shared::{BitsPerSec, MonoMillis};

use crate::setting::{Checks, Problems};

/// What the earlier and the later sample say together. A gauge is no counter: never send one here.
///
/// # Errors
/// [`NoRate`] whenever the octets between the two are not known for certain.
pub fn rate(earlier: &CounterSample, later: &CounterSample, limits: &RateLimits) -> Result<Interval, NoRate> {
    earlier.check()?;
    later.check()?;
    if later.break_before {
        return Err(NoRate::Discontinuity(Break::Flagged));
    }
    if later.width != earlier.width {
        return Err(NoRate::Discontinuity(Break::WidthChanged));
    }
    if later.at == earlier.at {
        return Err(NoRate::NoTime);
    }
    if later.at < earlier.at {
        return Err(NoRate::TimeBack { by_ms: earlier.at.since(later.at) });
    }
    let elapsed_ms = later.at.since(earlier.at);
    if elapsed_ms > limits.max_gap_ms {
        return Err(NoRate::Gap { elapsed_ms, max_ms: limits.max_gap_ms });
    }
    let most = limits.most_octets(elapsed_ms);
    let octets = match later.width {
        Width::Bits64 => later.value.checked_sub(earlier.value).ok_or(NoRate::Discontinuity(Break::WentDown))?,
        Width::Bits32 if most >= u128::from(WRAP_32) => {
            return Err(NoRate::Ambiguous { elapsed_ms, longest_ms: limits.longest_32_bit_ms() });
        }
        // Less than one whole turn is possible, so a value that went down wrapped exactly once, or was reset;
        // a reset that nothing flagged mostly gives itself away by an implausible rate, below.
        Width::Bits32 if later.value >= earlier.value => later.value - earlier.value,
        Width::Bits32 => WRAP_32 - earlier.value + later.value,
    };
    if u128::from(octets) > most {
        return Err(NoRate::Implausible { octets, elapsed_ms, max_bps: limits.max_bps });
    }
    Ok(Interval { from: earlier.at, to: later.at, octets })
}

/// `octets` spread evenly over `elapsed_ms`, rounded down; `None` for no time at all.
pub fn mean_rate(octets: u64, elapsed_ms: u64) -> Option<BitsPerSec> {
    let wide = (u128::from(octets) * 8000).checked_div(u128::from(elapsed_ms))?;
    Some(BitsPerSec(u64::try_from(wide).unwrap_or(u64::MAX)))
}

/// One counter, followed from sample to sample. Samples come in the order in which they were taken.
///
/// Packet counters may go through one as well: they never run faster than their octets, so the same bound holds.
#[derive(Clone, Debug)]
pub struct RateTracker {
    limits: RateLimits,
    last: Option<CounterSample>,
}

impl RateTracker {
    pub fn new(limits: RateLimits) -> Self {
        Self { limits, last: None }
    }

    /// Intervals that come out never overlap, except across a flagged break (another clock).
    ///
    /// # Errors
    /// [`NoRate`]; the sample is then the start of the next interval, unless it is a repeated, a late or an
    /// impossible one, which are passed over.
    pub fn push(&mut self, sample: CounterSample) -> Result<Interval, NoRate> {
        if let Err(wrong) = sample.check() {
            if sample.break_before {
                self.last = None; // the break is true even where the value is not
            }
            return Err(wrong);
        }
        let Some(earlier) = self.last else {
            self.last = Some(sample);
            return Err(NoRate::First);
        };
        let outcome = rate(&earlier, &sample, &self.limits);
        // From a late sample the next interval would count the same octets again.
        if !matches!(outcome, Err(NoRate::NoTime | NoRate::TimeBack { .. })) {
            self.last = Some(sample);
        }
        outcome
    }
}

/// A counter's value at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterSample {
    /// The boot-time clock of the agent that read it.
    pub at: MonoMillis,
    pub value: u64,
    pub width: Width,
    /// Something happened to the counter, or to the clock, since the sample before: sysUpTime went back, other
    /// engine boots, another ifCounterDiscontinuityTime, another interface index, a new boot epoch of the agent.
    pub break_before: bool,
}

/// Counter32 or Counter64 (RFC 2578 §7.1.6, §7.1.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Width {
    Bits32,
    Bits64,
}

/// Octets that passed between two moments of the agent's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    pub from: MonoMillis,
    pub to: MonoMillis,
    pub octets: u64,
}

impl Interval {
    pub fn elapsed_ms(&self) -> u64 {
        self.to.since(self.from)
    }
    /// `None` for no time at all; [`rate`] never returns such an interval.
    pub fn mean(&self) -> Option<BitsPerSec> {
        mean_rate(self.octets, self.elapsed_ms())
    }
}

/// What a counter can have done at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimits {
    /// The fastest that the line can be (ifHighSpeed, or the medium's); `u64::MAX` where nothing is known, which
    /// leaves 32-bit counters unusable: they cannot be read without it.
    pub max_bps: BitsPerSec,
    /// Between two samples further apart than this nothing is said.
    pub max_gap_ms: u64,
    /// How rarely the device moves its counters; one interval may hold that much more.
    pub counter_step_ms: u64,
}

impl RateLimits {
    /// For a line of that speed: samples at most 5 min apart, counters that move every 3 s.
    pub fn for_line(max_bps: BitsPerSec) -> Self {
        Self { max_bps, max_gap_ms: 300_000, counter_step_ms: 3_000 }
    }

    /// # Errors
    /// Every field that cannot be worked with.
    pub fn validate(&self) -> Result<(), Problems> {
        let mut checks = Checks::default();
        checks.between("max_bps", self.max_bps.0, 1, u64::MAX);
        checks.between("max_gap_ms", self.max_gap_ms, 1, 86_400_000);
        checks.between("counter_step_ms", self.counter_step_ms, 0, 60_000);
        checks.finish()
    }

    fn most_octets(&self, elapsed_ms: u64) -> u128 {
        u128::from(self.max_bps.0) * u128::from(elapsed_ms.saturating_add(self.counter_step_ms)) / 8000
    }

    /// The longest interval in which a 32-bit counter cannot have turned more than once.
    fn longest_32_bit_ms(&self) -> u64 {
        let turn_ms = u128::from(WRAP_32) * 8000 / u128::from(self.max_bps.0.max(1));
        u64::try_from(turn_ms).unwrap_or(u64::MAX).saturating_sub(self.counter_step_ms)
    }
}

/// Why two samples give no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoRate {
    /// Nothing came before it.
    First,
    /// Both were taken at the same moment.
    NoTime,
    /// Taken before the one that is already known.
    TimeBack {
        by_ms: u64,
    },
    Gap {
        elapsed_ms: u64,
        max_ms: u64,
    },
    Discontinuity(Break),
    /// More than the line can carry.
    Implausible {
        octets: u64,
        elapsed_ms: u64,
        max_bps: BitsPerSec,
    },
    /// The line could have filled the 32-bit counter more than once.
    Ambiguous {
        elapsed_ms: u64,
        longest_ms: u64,
    },
    /// A 32-bit counter cannot hold this.
    OutOfRange {
        value: u64,
    },
}

impl NoRate {
    /// Is the counter itself in doubt, so that the reading it falls in is void ([`crate::window::Window::mark_break`])?
    /// In the other cases time merely stays uncovered.
    pub fn is_break(&self) -> bool {
        matches!(self, Self::Discontinuity(_) | Self::Implausible { .. })
    }
}

impl fmt::Display for NoRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => f.write_str("first sample of this counter"),
            Self::NoTime => f.write_str("no time passed since the sample before"),
            Self::TimeBack { by_ms } => write!(f, "taken {by_ms} ms before a sample already known"),
            Self::Gap { elapsed_ms, max_ms } => {
                write!(f, "{elapsed_ms} ms since the sample before, at most {max_ms} ms may pass")
            }
            Self::Discontinuity(cause) => write!(f, "discontinuity: {cause}"),
            Self::Implausible { octets, elapsed_ms, max_bps } => {
                write!(f, "{octets} octets in {elapsed_ms} ms on a line of at most {max_bps}")
            }
            Self::Ambiguous { elapsed_ms, longest_ms } => write!(
                f,
                "a 32-bit counter may have turned more than once in {elapsed_ms} ms, at most {longest_ms} ms may pass"
            ),
            Self::OutOfRange { value } => write!(f, "{value} in a 32-bit counter"),
        }
    }
}

impl Error for NoRate {}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Break {
    /// [`CounterSample::break_before`].
    Flagged,
    /// A 64-bit counter does not wrap in a lifetime.
    WentDown,
    /// It is not the same counter any more.
    WidthChanged,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flagged => "the device or its counters restarted",
            Self::WentDown => "a 64-bit counter went down",
            Self::WidthChanged => "the counter's width changed",
        })
    }
}

/// One turn of a 32-bit counter.
const WRAP_32: u64 = 1 << 32;

impl CounterSample {
    fn check(&self) -> Result<(), NoRate> {
        match self.width {
            Width::Bits32 if self.value >= WRAP_32 => Err(NoRate::OutOfRange { value: self.value }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
