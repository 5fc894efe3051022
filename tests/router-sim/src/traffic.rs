//! What the people behind each router would like to send and receive: a pure function of seed, site and unix time.
//!
//! A site's demand is a multiple of its equal share (capacity ÷ sites), times a day curve, times a noise that changes
//! every second. The last two never exceed 1, so the multiple is the peak and its bounds hold at every instant.
//! They never fall below 0.85 × 0.95 together, so a busy site (at least 1.25) never falls below its equal share.

use crate::pair::{BitsPerSec, Direction, Pair};

/// How demand is spread over the sites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    /// A third of the sites want more than their equal share, the others little.
    Skewed,
    /// Every site wants between 0.35 and 0.70 of its equal share.
    Fair,
}

/// What the model is drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub seed: u64,
    /// Counted from 0, below `sites`.
    pub site: u32,
    pub sites: u32,
    /// Of the shared uplink.
    pub capacity: Pair<BitsPerSec>,
    /// Length of one simulated day, in seconds.
    pub day_s: u64,
    pub profile: Profile,
}

/// The demand of one site.
#[derive(Clone, Debug)]
pub struct Model {
    plan: Plan,
    /// bit/s.
    peak: Pair<f64>,
}

impl Model {
    pub fn new(plan: Plan) -> Self {
        let peak = Pair::of(|direction| {
            let multiples = peak_multiples(plan.seed, plan.sites, plan.profile, direction);
            let own = multiples.get(plan.site as usize).copied().unwrap_or(0.0);
            own * plan.capacity.get(direction).0 as f64 / f64::from(plan.sites.max(1))
        });
        Self { plan, peak }
    }

    /// The demand at this instant.
    pub fn offered(&self, direction: Direction, unix_ms: u64) -> BitsPerSec {
        let factor = day_factor(unix_ms, self.plan.day_s) * self.noise(direction, unix_ms / 1000);
        BitsPerSec((self.peak.get(direction) * factor) as u64)
    }

    fn noise(&self, direction: Direction, second: u64) -> f64 {
        let hashed = hash(&[NOISE, self.plan.seed, u64::from(self.plan.site), direction as u64, second]);
        between(NOISE_LOW, 1.0, hashed)
    }
}

/// The sites whose demand is above the equal share in a skewed network, ascending: a third, at least one.
pub fn busy_sites(seed: u64, sites: u32) -> Vec<u32> {
    let mut by_lot: Vec<(u64, u32)> = (0..sites).map(|site| (hash(&[LOT, seed, u64::from(site)]), site)).collect();
    by_lot.sort_unstable();
    let mut busy: Vec<u32> = by_lot.into_iter().map(|(_, site)| site).take((sites / 3).max(1) as usize).collect();
    busy.sort_unstable();
    busy
}

/// Each site's peak demand as a multiple of the equal share.
///
/// In a skewed network with at least two sites the sum is at most 0.88 of the capacity and a busy site has at least
/// 1.25. Both are possible at once: with a third busy the floor is (1.25 + 2 × 0.35) ÷ 3 = 0.65 of the capacity.
pub fn peak_multiples(seed: u64, sites: u32, profile: Profile, direction: Direction) -> Vec<f64> {
    let draw =
        |site: u32, (low, high): (f64, f64)| between(low, high, hash(&[PEAK, seed, u64::from(site), direction as u64]));
    if profile == Profile::Fair {
        return (0..sites).map(|site| draw(site, FAIR)).collect();
    }
    let busy = busy_sites(seed, sites);
    let is_busy = |site: u32| busy.binary_search(&site).is_ok();
    let drawn: Vec<f64> = (0..sites).map(|site| draw(site, if is_busy(site) { BUSY } else { QUIET })).collect();

    let floor = BUSY_FLOOR * busy.len() as f64;
    let sum_of = |wanted: bool| -> f64 {
        (0..sites).zip(&drawn).filter(|(site, _)| is_busy(*site) == wanted).map(|(_, multiple)| multiple).sum()
    };
    let room = TOTAL_LIMIT * f64::from(sites) - sum_of(false) - floor;
    // Only what lies above the floor shrinks: scaling the whole multiple could push one site below it.
    let shrink = (room / (sum_of(true) - floor)).clamp(0.0, 1.0);
    (0..sites)
        .zip(drawn)
        .map(|(site, multiple)| match is_busy(site) {
            true => BUSY_FLOOR + (multiple - BUSY_FLOOR) * shrink,
            false => multiple,
        })
        .collect()
}

/// Night at 0.85, an office day's plateau at 1.0, smooth between: the day is compressed, and so is its swing.
pub fn day_factor(unix_ms: u64, day_s: u64) -> f64 {
    let day_ms = day_s.saturating_mul(1000).max(1);
    let phase = (unix_ms % day_ms) as f64 / day_ms as f64;
    let plateau = smooth_step((phase - 0.25) / 0.125) - smooth_step((phase - 0.70) / 0.125);
    NIGHT + (1.0 - NIGHT) * plateau
}

const NIGHT: f64 = 0.85;
const NOISE_LOW: f64 = 0.95;
const BUSY: (f64, f64) = (1.4, 2.2);
const BUSY_FLOOR: f64 = 1.25;
/// 0.10 to 0.35 at every instant: 0.13 × 0.85 × 0.95 is 0.105.
const QUIET: (f64, f64) = (0.13, 0.35);
/// 0.35 to 0.70 at every instant: 0.44 × 0.85 × 0.95 is 0.355.
const FAIR: (f64, f64) = (0.44, 0.70);
/// Of the capacity; a little below 0.88 so that rounding stays inside.
const TOTAL_LIMIT: f64 = 0.879;

// What a hash is for, so that no two draws are the same number.
const LOT: u64 = 1;
const PEAK: u64 = 2;
const NOISE: u64 = 3;

fn smooth_step(x: f64) -> f64 {
    let x = x.clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

fn between(low: f64, high: f64, hashed: u64) -> f64 {
    // 53 bits are what a f64 holds exactly.
    let unit = (hashed >> 11) as f64 / (1_u64 << 53) as f64;
    low + (high - low) * unit
}

/// SplitMix64's finaliser (Steele, Lea and Flood, 2014) over each part in turn.
fn hash(parts: &[u64]) -> u64 {
    parts.iter().fold(0, |state, part| {
        let mut z = (state ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEDS: u64 = 2000;

    #[test]
    fn skewed_peaks_keep_every_bound() {
        let mut shrunk = 0;
        for seed in 0..SEEDS {
            for sites in 6..=12_u32 {
                let busy = busy_sites(seed, sites);
                assert!(!busy.is_empty() && busy.len() <= sites as usize / 3, "seed {seed} sites {sites}: {busy:?}");
                for direction in Direction::BOTH {
                    let peaks = peak_multiples(seed, sites, Profile::Skewed, direction);
                    assert_eq!(peaks.len(), sites as usize);
                    let total: f64 = peaks.iter().sum();
                    assert!(total <= 0.88 * f64::from(sites), "seed {seed} sites {sites}: total {total}");
                    for (site, peak) in (0..sites).zip(&peaks) {
                        let range = if busy.contains(&site) { 1.25..=2.2 } else { 0.10..=0.35 };
                        assert!(range.contains(peak), "seed {seed} sites {sites} site {site}: {peak}");
                    }
                    shrunk += usize::from(total > 0.8789 * f64::from(sites));
                }
            }
        }
        assert!(shrunk > 0, "no draw ever met the limit, so the limit is untested");
    }

    #[test]
    fn fair_demand_stays_between_its_bounds_at_every_instant() {
        for seed in 0..200 {
            for site in 0..6 {
                let model = Model::new(plan(seed, site, Profile::Fair));
                for unix_ms in (0..60_000).step_by(1500) {
                    for direction in Direction::BOTH {
                        let share = plan(seed, site, Profile::Fair).capacity.get(direction).0 as f64 / 6.0;
                        let multiple = model.offered(direction, unix_ms).0 as f64 / share;
                        assert!((0.35..=0.70).contains(&multiple), "seed {seed} site {site} at {unix_ms}: {multiple}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_busy_site_is_above_its_equal_share_all_day() {
        for seed in 0..200 {
            for site in busy_sites(seed, 6) {
                let model = Model::new(plan(seed, site, Profile::Skewed));
                for unix_ms in (0..60_000).step_by(500) {
                    assert!(model.offered(Direction::Down, unix_ms) > BitsPerSec(10_000_000), "seed {seed} {unix_ms}");
                    assert!(model.offered(Direction::Up, unix_ms) > BitsPerSec(5_000_000), "seed {seed} {unix_ms}");
                }
            }
        }
    }

    #[test]
    fn the_same_arguments_give_the_same_traffic_and_others_do_not() {
        let at = |seed, site, unix_ms| Model::new(plan(seed, site, Profile::Fair)).offered(Direction::Down, unix_ms);
        assert_eq!(at(7, 2, 1_234), at(7, 2, 1_234));
        assert_ne!(at(7, 2, 1_234), at(8, 2, 1_234));
        assert_ne!(at(7, 2, 1_234), at(7, 3, 1_234));
        assert_ne!(at(7, 2, 1_234), at(7, 2, 2_234));
    }

    #[test]
    fn the_day_has_a_night_a_plateau_and_no_jump() {
        assert_eq!(day_factor(0, 100), 0.85);
        assert_eq!(day_factor(50_000, 100), 1.0);
        let mut before = day_factor(0, 100);
        for unix_ms in (0..300_000).step_by(100) {
            let now = day_factor(unix_ms, 100);
            assert!((0.85..=1.0).contains(&now) && (now - before).abs() < 0.005, "{unix_ms}: {before} then {now}");
            before = now;
        }
    }

    fn plan(seed: u64, site: u32, profile: Profile) -> Plan {
        let capacity = Pair { up: BitsPerSec(30_000_000), down: BitsPerSec(60_000_000) };
        Plan { seed, site, sites: 6, capacity, day_s: 60, profile }
    }
}
