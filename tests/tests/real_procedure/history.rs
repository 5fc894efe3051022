//! Twenty days that nobody has to wait for: what the queues of three sites would have counted until now, written into
//! the collector's store through its own interface, before any agent has said a word.

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use takar_e2e::netlab::{CLASS, shaped_on};
use takar_shared::{
    AgentId, BitsPerSec, Direction, UnixMillis,
    birth::Meter,
    id::name,
    queue::{ClassId, Shaper},
};
use takar_store::{CeilingRow, MeterKey, SampleRow, SqliteStore, Store as _, Write};

const DAYS: u64 = 20;
const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
/// Between two samples: half a reading.
const STEP_MS: u64 = 15 * MINUTE_MS;

/// How a site uses its ceiling, in thousandths.
pub enum Use {
    /// A school: quiet but for its mornings, which grew week by week. Today's fills the link, and packets are dropped.
    GrewAndStarves,
    /// Hardly any, for weeks.
    Idle,
    /// As much as it should, by day and by night.
    Steady,
}

/// What one site did, in one direction.
pub struct Past {
    pub agent: AgentId,
    pub device: String,
    pub direction: Direction,
    pub ceiling: BitsPerSec,
    pub used: Use,
}

/// `database` must not be in use.
pub fn load(database: &Path, past: &[Past]) {
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let mut store = SqliteStore::open(database).unwrap();
    for Past { agent, device, direction, ceiling, used } in past {
        let device = name(device).unwrap();
        let interface = name(shaped_on(*direction)).unwrap();
        let shaper = Shaper::Class { interface, classid: ClassId::parse(CLASS).unwrap() };
        let meter = Meter::Shaper { shaper: shaper.clone(), direction: *direction };
        let meter = store.meter_id(&MeterKey { agent: *agent, device: device.clone(), meter }).unwrap();
        let (mut octets, mut drops) = (0, 0);
        let times = (0..=DAYS * DAY_MS / STEP_MS).rev().map(|steps| now - steps * STEP_MS);
        let samples = times.map(|at| {
            let per_mille = share(used, now - at);
            octets += ceiling.0 / 8 * (STEP_MS / 1000) * per_mille / 1000;
            drops += if per_mille > 950 { 400 } else { 0 };
            let values = [octets, drops, 0, 0];
            SampleRow { at: UnixMillis(at), meter, values, narrow: false, break_before: octets == 0 }
        });
        let row = CeilingRow {
            at: UnixMillis(now - DAYS * DAY_MS),
            agent: *agent,
            device,
            shaper,
            direction: *direction,
            cir: None,
            mir: *ceiling,
            disabled: false,
        };
        store.commit(&[Write::Samples(samples.collect()), Write::Ceiling(row)]).unwrap();
    }
}

/// In thousandths of the ceiling, so long before now. Never the same twice, as traffic is.
fn share(used: &Use, before_ms: u64) -> u64 {
    let days = before_ms / DAY_MS;
    let wobble = (before_ms / STEP_MS * 37) % 12;
    let is_morning = before_ms % DAY_MS < 3 * 60 * MINUTE_MS;
    match used {
        Use::GrewAndStarves if days == 0 && is_morning => 985 + wobble,
        Use::GrewAndStarves if is_morning => 880 - 15 * days + wobble,
        Use::GrewAndStarves => 220 + wobble,
        Use::Idle => 60 + wobble,
        Use::Steady => 820 + wobble,
    }
}
