//! One direction of a link: which shaper, and rates that fit each other and the shaper.

use alloc::{format, string::String, vec::Vec};
use takar_shared::{
    BitsPerSec,
    queue::{ClassId, Shaper},
};

use super::{
    RawSide, Side,
    place::{Place, Problems},
};

/// HTB keeps rates in bytes/s (`struct tc_ratespec`), and so does CAKE: they read back only whole bytes.
const BITS_PER_BYTE: u64 = 8;

/// `capacity` of the uplink is `None` where the uplink is itself a problem. `None` as the answer means that a problem
/// was noted, here or at the uplink.
pub(super) fn side(
    raw: &RawSide,
    place: &Place,
    capacity: Option<BitsPerSec>,
    problems: &mut Problems,
) -> Option<Side> {
    let shaper = shaper(raw, place, problems);
    let counts_bytes = raw.class.is_some() || raw.root.is_some();
    not_zero("mir_bps", Some(raw.mir_bps), place, problems);
    not_zero("ceiling_bps", raw.ceiling_bps, place, problems);
    guarantee(raw, shaper.as_ref(), place, problems);
    bounds(raw, place, problems);
    if counts_bytes {
        whole_bytes(raw, place, problems);
    }
    let ceiling = raw.ceiling_bps.or_else(|| default_ceiling(raw, capacity?, counts_bytes, place, problems))?;
    Some(Side {
        shaper: shaper?,
        cir: raw.cir_bps.map(BitsPerSec),
        mir: BitsPerSec(raw.mir_bps),
        floor: BitsPerSec(raw.floor_bps.or(raw.cir_bps).unwrap_or(0)),
        ceiling: BitsPerSec(ceiling),
    })
}

fn shaper(raw: &RawSide, place: &Place, problems: &mut Problems) -> Option<Shaper> {
    let shaper = match (&raw.queue, &raw.class, &raw.root) {
        (Some(queue), None, None) => problems.device_side(place, "queue", queue).map(Shaper::Queue),
        (None, None, Some(root)) => problems.device_side(place, "root", root).map(Shaper::Root),
        (None, Some(class), None) => {
            return class_on(class, raw.interface.as_deref(), place, problems);
        }
        (queue, class, root) => {
            let found: Vec<&str> = [("queue", queue), ("class", class), ("root", root)]
                .into_iter()
                .filter_map(|(key, value)| value.as_ref().map(|_| key))
                .collect();
            let found = if found.is_empty() { String::from("none") } else { found.join(" and ") };
            let expected = "expected exactly one of queue, class (with interface) or root";
            problems.add(place.whole(), format!("{expected}, found {found}"));
            return None;
        }
    };
    if raw.interface.is_some() {
        problems.add(place.key("interface"), "expected only beside class (queue and root need none)");
    }
    shaper
}

fn class_on(class: &str, interface: Option<&str>, place: &Place, problems: &mut Problems) -> Option<Shaper> {
    let classid = ClassId::parse(class);
    if classid.is_none() {
        problems.add(place.key("class"), format!("expected a class like \"1:10\" (hexadecimal), found {class:?}"));
    }
    let Some(interface) = interface else {
        problems.add(place.key("interface"), "expected the interface that the class is on, found none");
        return None;
    };
    Some(Shaper::Class { interface: problems.device_side(place, "interface", interface)?, classid: classid? })
}

/// Devices refuse a command whose guarantee is missing where the backend has one, or present where it has none.
fn guarantee(raw: &RawSide, shaper: Option<&Shaper>, place: &Place, problems: &mut Problems) {
    let wrong = match (shaper, raw.cir_bps) {
        (Some(Shaper::Queue(_)), None) => "expected the queue's limit-at (0 where it has none), found none",
        (Some(Shaper::Class { .. }), None) => "expected the class's rate, found none",
        (Some(Shaper::Class { .. }), Some(0)) => "expected a rate above 0, which HTB needs",
        (Some(Shaper::Root(_)), Some(_)) => "expected none: CAKE has no guarantee",
        _ => return,
    };
    problems.add(place.key("cir_bps"), wrong);
}

/// How the written rates must lie to each other. Defaults are left out: what they contradict is said elsewhere.
fn bounds(raw: &RawSide, place: &Place, problems: &mut Problems) {
    let mir = BitsPerSec(raw.mir_bps);
    if let Some(cir) = raw.cir_bps.map(BitsPerSec).filter(|cir| *cir > mir) {
        problems.add(place.key("cir_bps"), format!("expected at most mir_bps ({mir}), found {cir}"));
    }
    let (floor, ceiling) = (raw.floor_bps.map(BitsPerSec), raw.ceiling_bps.map(BitsPerSec));
    if let (Some(floor), Some(ceiling)) = (floor, ceiling)
        && floor > ceiling
    {
        problems.add(place.key("floor_bps"), format!("expected at most ceiling_bps ({ceiling}), found {floor}"));
    }
    if let Some(floor) = floor.filter(|floor| mir < *floor) {
        problems.add(place.key("mir_bps"), format!("expected at least floor_bps ({floor}), found {mir}"));
    }
    if let Some(ceiling) = ceiling.filter(|ceiling| mir > *ceiling) {
        problems.add(place.key("mir_bps"), format!("expected at most ceiling_bps ({ceiling}), found {mir}"));
    }
}

fn whole_bytes(raw: &RawSide, place: &Place, problems: &mut Problems) {
    let rates = [
        ("cir_bps", raw.cir_bps),
        ("mir_bps", Some(raw.mir_bps)),
        ("floor_bps", raw.floor_bps),
        ("ceiling_bps", raw.ceiling_bps),
    ];
    for (key, rate) in rates {
        if let Some(rate) = rate.filter(|rate| rate % BITS_PER_BYTE != 0) {
            let why = if raw.root.is_some() {
                "CAKE keeps its rate in bytes/s"
            } else {
                "a class keeps its rates in bytes/s"
            };
            problems.add(place.key(key), format!("expected a multiple of 8 bit/s ({why}), found {rate}"));
        }
    }
}

fn default_ceiling(
    raw: &RawSide,
    capacity: BitsPerSec,
    counts_bytes: bool,
    place: &Place,
    problems: &mut Problems,
) -> Option<u64> {
    let ceiling = if counts_bytes { capacity.0 - capacity.0 % BITS_PER_BYTE } else { capacity.0 };
    for (key, rate) in [("mir_bps", Some(raw.mir_bps)), ("floor_bps", raw.floor_bps)] {
        if let Some(rate) = rate.map(BitsPerSec).filter(|rate| rate.0 > ceiling) {
            let most = format!("the uplink's capacity ({})", BitsPerSec(ceiling));
            problems.add(place.key(key), format!("expected at most ceiling_bps, which is {most}, found {rate}"));
        }
    }
    Some(ceiling)
}

fn not_zero(key: &str, rate: Option<u64>, place: &Place, problems: &mut Problems) {
    if rate == Some(0) {
        // RouterOS and CAKE read 0 as unlimited, which would take the whole uplink.
        problems.add(place.key(key), "expected a rate above 0 bit/s (routers take 0 for unlimited)");
    }
}
