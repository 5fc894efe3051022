//! The uplink of a device: which interface leads to it, and what it can carry as far as that interface tells.

use takar_shared::{BitsPerSec, Direction};

use super::{
    links::{Link, Side},
    name,
    seen::{Device, Interface},
};

/// What people call the way out.
const HINTS: [&str; 7] = ["wan", "uplink", "isp", "internet", "pppoe-out", "lte1", "gpon"];
/// No office's line is slower, and no interface of a router faster.
const SPEEDS: std::ops::RangeInclusive<u64> = 64_000..=400_000_000_000;

pub struct Uplink {
    pub name: String,
    pub interface: Option<String>,
    /// What to write, or what to write there.
    pub down: Result<u64, String>,
    pub up: Result<u64, String>,
    pub doubts: Vec<String>,
}

/// The interface that leads to the provider, where one does and no other might.
pub fn interface(device: &Device) -> Option<&Interface> {
    // What shapes the way up lies on it.
    let up = device.queues.iter().filter(|queue| queue.direction == Some(Direction::Up));
    let mut shaped: Vec<&str> = up.filter_map(|queue| queue.shaper.interface()).collect();
    shaped.sort_unstable();
    shaped.dedup();
    if let [only] = shaped.as_slice()
        && let Some(found) = device.interfaces.iter().find(|one| one.name == *only)
    {
        return Some(found);
    }
    let is_hinted = |one: &&Interface| {
        let called = format!("{} {}", one.name, one.hint).to_lowercase();
        HINTS.iter().any(|hint| called.contains(hint))
    };
    let hinted: Vec<&Interface> = device.interfaces.iter().filter(is_hinted).collect();
    match (hinted.as_slice(), device.interfaces.as_slice()) {
        ([only], _) => Some(*only),
        ([], [only]) => Some(only),
        _ => None,
    }
}

/// As far as it can be believed.
pub fn speed(interface: &Interface) -> Option<u64> {
    interface.speed_bps.filter(|speed| SPEEDS.contains(speed))
}

pub fn of(device: &Device, interface: Option<&Interface>, links: &[Link]) -> Uplink {
    let mut doubts = Vec::new();
    let speed = match interface {
        None => {
            let names: Vec<&str> = device.interfaces.iter().map(|one| one.name.as_str()).collect();
            let among = if names.is_empty() { "none was seen".to_owned() } else { names.join(", ") };
            doubts.push(format!("no uplink meter found: which interface leads to the provider? ({among})"));
            None
        }
        Some(found) => {
            match (found.speed_bps, speed(found)) {
                (None, _) => doubts.push(format!("no capacity known: {} does not tell its speed", found.name)),
                (Some(told), None) => {
                    doubts.push(format!("absurd speed: {} says {}", found.name, BitsPerSec(told)));
                }
                (Some(_), Some(_)) => {}
            }
            if found.is_down {
                doubts.push(format!("{} is down", found.name));
            }
            speed(found)
        }
    };
    let mut capacity = |direction: Direction| {
        let Some(speed) = speed else { return Err("what was bought, in bit/s".to_owned()) };
        let sum: u64 = links.iter().filter_map(|link| guarantee(link, direction)).fold(0, u64::saturating_add);
        if sum <= speed {
            return Ok(speed);
        }
        let (sum, speed) = (BitsPerSec(sum), BitsPerSec(speed));
        doubts.push(format!("sum of cir {direction} above its speed: {sum} of {speed}"));
        Err(format!("what it really carries, at least {sum}, or lower cir_bps below"))
    };
    let (down, up) = (capacity(Direction::Down), capacity(Direction::Up));
    let name = name::plain(&format!("uplink-{}", device.name), "uplink");
    Uplink { name, interface: interface.map(|found| found.name.clone()), down, up, doubts }
}

fn guarantee(link: &Link, direction: Direction) -> Option<u64> {
    let side = match direction {
        Direction::Down => &link.down,
        Direction::Up => &link.up,
    };
    match side {
        Side::Known { cir, .. } => *cir,
        Side::Unknown { .. } => None,
    }
}
