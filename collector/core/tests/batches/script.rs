//! What may happen, and how likely.

use proptest::{collection::vec, prelude::*};
use takar_collector_core::plan::ClaimDemand;
use takar_shared::{BitsPerSec, id::name, queue::Shaper};

use crate::device::Mood;

#[derive(Clone, Debug)]
pub struct Scenario {
    pub devices: usize,
    pub links: Vec<Row>,
    /// The budget, in thousandths of what the ceilings add up to at first.
    pub budget_per_mille: u32,
    pub script: Vec<Happening>,
}

#[derive(Clone, Debug)]
pub struct Row {
    pub device: usize,
    pub weight: u32,
    pub mir: u64,
    pub demand: ClaimDemand,
}

/// Numbers that name a parcel, a device or a link are taken modulo how many there are.
#[derive(Clone, Debug)]
pub enum Happening {
    Deliver(usize),
    Lose(usize),
    Repeat(usize),
    Report {
        device: usize,
        polled_ok: bool,
    },
    Pass(u64),
    Quiet,
    Mood(usize, Mood),
    Restart(usize),
    CollectorRestart,
    /// Somebody sets a ceiling by hand.
    Hand {
        link: usize,
        mir: u64,
    },
    Plan,
}

pub fn shaper(link: usize) -> Shaper {
    Shaper::Queue(name(&format!("queue-{link}")).unwrap())
}

/// Links that can give and links that lack, on few devices, near the budget: most scenarios begin with a batch.
pub fn any_scenario() -> impl Strategy<Value = Scenario> {
    (1usize..=4, vec(any_row(), 2..=8), 850u32..1150, vec(any_happening(), 0..80))
        .prop_map(|(devices, links, budget_per_mille, script)| Scenario { devices, links, budget_per_mille, script })
}

fn any_row() -> impl Strategy<Value = Row> {
    let demand = prop_oneof![
        (0u64..200).prop_map(|need| ClaimDemand::Known(BitsPerSec(need))),
        (200u64..900).prop_map(|need| ClaimDemand::AtLeast(BitsPerSec(need))),
    ];
    (0usize..4, 1u32..=20, 100u64..400, demand).prop_map(|(device, weight, mir, demand)| Row {
        device,
        weight,
        mir,
        demand,
    })
}

fn any_happening() -> impl Strategy<Value = Happening> {
    let mood = prop_oneof![3 => Just(Mood::Well), 1 => Just(Mood::Refuses), 1 => Just(Mood::FailsToApply), 2 => Just(Mood::Deaf)];
    prop_oneof![
        // Mostly in order, sometimes late.
        8 => Just(Happening::Deliver(0)),
        4 => (0usize..16).prop_map(Happening::Deliver),
        2 => (0usize..16).prop_map(Happening::Lose),
        2 => (0usize..16).prop_map(Happening::Repeat),
        3 => (0usize..4, prop::bool::weighted(0.8))
            .prop_map(|(device, polled_ok)| Happening::Report { device, polled_ok }),
        3 => (0u64..40_000).prop_map(Happening::Pass),
        3 => Just(Happening::Quiet),
        2 => (0usize..4, mood).prop_map(|(device, mood)| Happening::Mood(device, mood)),
        1 => (0usize..4).prop_map(Happening::Restart),
        1 => Just(Happening::CollectorRestart),
        1 => (0usize..8, 0u64..500).prop_map(|(link, mir)| Happening::Hand { link, mir }),
        1 => Just(Happening::Plan),
    ]
}
