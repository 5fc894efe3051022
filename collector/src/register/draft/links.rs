//! Queues into links: a pair, down and up, is one. What is not sure of a pair is a doubt.

use std::collections::{BTreeMap, BTreeSet};

use takar_shared::{BitsPerSec, Direction};

use super::{
    name as names,
    seen::{Device, Queue, Shaper},
};

pub struct Link {
    pub name: String,
    pub title: String,
    pub down: Side,
    pub up: Side,
    pub doubts: Vec<String>,
}

pub enum Side {
    Known {
        shaper: Shaper,
        cir: Option<u64>,
        mir: u64,
        floor: Option<u64>,
        ceiling: Option<u64>,
    },
    /// As far as it is known, and what a person has to write.
    Unknown {
        shaper: Option<Shaper>,
        cir: Option<u64>,
        mir: Option<u64>,
        write: String,
    },
}

/// Above the fastest interface there is; a rate like that is an error of whoever set or read it.
const MOST: u64 = 400_000_000_000;

impl Side {
    /// What shapes it, where that is a class.
    fn class(&self) -> Option<&Shaper> {
        let (Self::Known { shaper, .. } | Self::Unknown { shaper: Some(shaper), .. }) = self else { return None };
        matches!(shaper, Shaper::Class { .. }).then_some(shaper)
    }
}

/// The links of a device, not named yet. `uplink` is the interface that leads to it, `speed` what that carries.
pub fn of(device: &Device, uplink: Option<&str>, speed: Option<u64>) -> Vec<Link> {
    let mut pairs: BTreeMap<(u8, String), Vec<Queue>> = BTreeMap::new();
    for queue in &device.queues {
        // A class and a root have the same number on the interface of the other direction, a queue its name.
        let key = match &queue.shaper {
            Shaper::Queue(name) => (0, name.clone()),
            Shaper::Class { class, .. } => (1, class.clone()),
            Shaper::Root(_) => (2, String::new()),
        };
        pairs.entry(key).or_default().push(directed(queue.clone(), uplink));
    }
    let link = |((_, called), queues): ((u8, String), Vec<Queue>)| {
        let mut doubts = Vec::new();
        if queues.iter().any(|queue| queue.direction.is_none()) {
            doubts.push("its direction is not known".to_owned());
        }
        let mut side = |direction| side(&queues, direction, speed, &mut doubts);
        let (down, mut up) = (side(Direction::Down), side(Direction::Up));
        if down.class().is_some() && down.class() == up.class() {
            doubts.push("down and up are the same class, which shapes one of them only".to_owned());
            up = Side::Unknown { shaper: None, cir: None, mir: None, write: "what shapes the way up".into() };
        }
        let title = if called.trim().is_empty() || called.contains(':') { device.name.clone() } else { called.clone() };
        Link { name: called, title, down, up, doubts }
    };
    pairs.into_iter().map(link).collect()
}

/// Gives each a name of its own. Where a device has one link, that is called as the device is.
pub fn name(links: &mut [Link], device: &str, taken: &mut BTreeSet<String>) {
    let only = links.len() == 1;
    for link in links {
        let own = names::plain(&link.name, "link");
        let longer = names::plain(&format!("{device}-{own}"), "link");
        let wanted = match (only, link.name.contains(':') || link.name.is_empty()) {
            (true, _) => vec![names::plain(device, "link"), longer],
            (false, true) => vec![longer],
            (false, false) => vec![own, longer],
        };
        let (name, numbered) = names::of_its_own(&wanted, taken);
        if numbered {
            link.doubts.push("name twice: another link is called as this one would be".into());
        }
        link.name = name;
    }
}

/// What lies on the uplink's interface shapes the way up, what lies on another the way down.
fn directed(mut queue: Queue, uplink: Option<&str>) -> Queue {
    if let (None, Some(interface), Some(uplink)) = (queue.direction, queue.shaper.interface(), uplink) {
        let direction = if interface == uplink { Direction::Up } else { Direction::Down };
        queue
            .doubts
            .push(format!("the direction is taken from its interface {interface}; {uplink} leads to the uplink"));
        queue.direction = Some(direction);
    }
    queue
}

fn side(queues: &[Queue], direction: Direction, speed: Option<u64>, doubts: &mut Vec<String>) -> Side {
    let mut found = queues.iter().filter(|queue| queue.direction == Some(direction));
    let Some(queue) = found.next() else {
        doubts.push(format!("{direction}: no queue was found"));
        let undirected = queues.iter().find(|queue| queue.direction.is_none());
        return Side::Unknown {
            shaper: undirected.map(|queue| queue.shaper.clone()),
            cir: undirected.and_then(|queue| queue.cir_bps),
            mir: undirected.and_then(|queue| queue.mir_bps).filter(|mir| *mir > 0),
            write: "what shapes it, and its rates".into(),
        };
    };
    let more = found.count();
    if more > 0 {
        doubts.push(format!("{direction}: name twice: {} queues are called so, the first is written", more + 1));
    }
    let mut say = |why: String| doubts.push(format!("{direction}: {why}"));
    queue.doubts.iter().cloned().for_each(&mut say);
    judged(queue, speed, &mut say)
}

fn judged(queue: &Queue, speed: Option<u64>, say: &mut impl FnMut(String)) -> Side {
    let is_class = matches!(queue.shaper, Shaper::Class { .. });
    let mut write: Vec<&str> = Vec::new();
    let mir = queue.mir_bps.filter(|mir| (1..=MOST).contains(mir));
    if mir.is_none() {
        say(match queue.mir_bps {
            None => "the ceiling in force was not read".into(),
            Some(0) => "mir 0, which is unlimited".into(),
            Some(absurd) => format!("an absurd ceiling of {}", BitsPerSec(absurd)),
        });
        write.push("mir_bps, the ceiling it should have");
    }
    let cir = match &queue.shaper {
        Shaper::Queue(_) => Some(queue.cir_bps.unwrap_or(0)),
        Shaper::Class { .. } => queue.cir_bps.filter(|cir| *cir > 0),
        Shaper::Root(_) => None,
    };
    if let Some(absurd) = cir.filter(|cir| *cir > MOST) {
        say(format!("an absurd guarantee of {}", BitsPerSec(absurd)));
    }
    let cir = cir.filter(|cir| *cir <= MOST);
    if cir.is_none() && !matches!(queue.shaper, Shaper::Root(_)) {
        say("no guarantee known".into());
        write.push("cir_bps, what is guaranteed");
    }
    if let (Some(cir), Some(mir)) = (cir, mir)
        && cir > mir
    {
        say(format!("its guarantee of {} is above its ceiling of {}", BitsPerSec(cir), BitsPerSec(mir)));
        write.push("cir_bps, at most mir_bps");
    }
    if is_class && [cir, mir].into_iter().flatten().any(|rate| !rate.is_multiple_of(8)) {
        say("a rate that is no multiple of 8 bit/s, which no class has".into());
        write.push("rates in whole bytes");
    }
    if let (Some(mir), Some((floor, ceiling))) = (mir, queue.bounds)
        && !(floor..=ceiling).contains(&mir)
    {
        let [mir, floor, ceiling] = [mir, floor, ceiling].map(BitsPerSec);
        say(format!("its ceiling of {mir} is not within {floor} to {ceiling}, the agent's own bounds"));
        write.push("mir_bps within the agent's bounds, once it is set so");
    }
    if let Some(mir) = mir.filter(|mir| queue.burst_bps > *mir) {
        let (burst, mir) = (BitsPerSec(queue.burst_bps), BitsPerSec(mir));
        say(format!("a burst of {burst} above its ceiling of {mir}: until that is taken off it counts as drifted"));
    }
    let above = mir.filter(|mir| speed.is_some_and(|speed| *mir > speed));
    if above.is_some() {
        say("its ceiling is above the uplink's speed".into());
    }
    match mir {
        Some(mir) if write.is_empty() && !queue.unusable => {
            let sound = |rate: &u64| *rate <= MOST && (!is_class || rate.is_multiple_of(8));
            Side::Known {
                shaper: queue.shaper.clone(),
                cir,
                mir,
                floor: queue.bounds.map(|(floor, _)| floor).filter(sound),
                ceiling: queue.bounds.map(|(_, ceiling)| ceiling).filter(sound).or(above),
            }
        }
        mir => {
            let write = if write.is_empty() { "what a register can hold".to_owned() } else { write.join("; ") };
            Side::Unknown { shaper: Some(queue.shaper.clone()), cir, mir, write }
        }
    }
}
