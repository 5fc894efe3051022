//! Thresholds of verification.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifySettings {
    /// Whole readings since the shortage began, at least.
    pub least_readings: usize,
    /// Readings at the ceiling, at least: fewer are a burst.
    pub least_saturated: usize,
    pub saturated_per_mille: u32,
    /// Above this share of its ceiling a queue holds nothing back.
    pub most_above_per_mille: u32,
    /// Packets with errors, in a million; fewer than `least_errors` are chance.
    pub most_errors_per_million: u64,
    pub least_errors: u64,
    /// Octets that a packet is taken for.
    pub packet_octets: u64,
    /// So many changes of an interface within the window are flapping.
    pub most_flaps: usize,
    pub flap_window_ms: u64,
    /// A device that was not heard for longer may be down.
    pub most_silent_ms: u64,
}

impl Default for VerifySettings {
    fn default() -> Self {
        Self {
            least_readings: 3,
            least_saturated: 3,
            saturated_per_mille: 930,       // as a shortage is found
            most_above_per_mille: 1_050,    // a reading is wrong by as much as one counter step at each end
            most_errors_per_million: 1_000, // TCP's throughput suffers from here on (Mathis, 1997)
            least_errors: 20,
            packet_octets: 1_000,
            most_flaps: 2,
            flap_window_ms: 3_600_000,
            most_silent_ms: 600_000,
        }
    }
}
