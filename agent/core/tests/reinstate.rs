//! What a reboot took is set again, but never beyond what today's config allows.
// A test that cannot go on has failed.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use takar_agent_core::{
    admit::DeviceLimits,
    change::{Effect, Machine},
    journal::DeviceRecord,
};
use takar_shared::{
    BitsPerSec, BootEpoch, Direction, MonoMillis,
    birth::Bound,
    id::name,
    queue::{QueueReading, Setting, Shaper},
    receipt::Refusal,
};

fn shaper(at: usize) -> Shaper {
    Shaper::Root(name(&format!("wan{at}")).unwrap())
}

fn setting(at: usize, mir: u64) -> Setting {
    Setting { shaper: shaper(at), direction: Direction::Up, cir: None, mir: BitsPerSec(mir) }
}

fn reading(at: usize, mir: u64) -> QueueReading {
    let (mir, burst) = (BitsPerSec(mir), BitsPerSec::ZERO);
    QueueReading { shaper: shaper(at), direction: Direction::Up, cir: None, mir, burst, disabled: false }
}

fn bound(at: usize, floor: u64, ceiling: u64) -> Bound {
    let (floor, ceiling) = (BitsPerSec(floor), BitsPerSec(ceiling));
    Bound { shaper: shaper(at), direction: Direction::Up, floor, ceiling }
}

/// What a start does that finds these queues.
fn started(confirmed: Vec<Setting>, bounds: Vec<Bound>, found: Vec<QueueReading>) -> Vec<Effect> {
    let device = name("edge").unwrap();
    let limits = DeviceLimits { device: device.clone(), bounds, changes_per_hour: 1, has_cir: false };
    let record = DeviceRecord { confirmed, ..DeviceRecord::new(device) };
    let mut machine = Machine::new(limits, BootEpoch(1), record);
    assert_eq!(machine.start(true), [Effect::Read]);
    machine.handle_queues(Some(found), MonoMillis(0))
}

#[test]
fn a_ceiling_that_was_lowered_since_is_not_passed() {
    let confirmed = vec![setting(0, 900), setting(1, 500), setting(2, 50), setting(3, 500)];
    let bounds = vec![bound(0, 100, 800), bound(1, 100, 800), bound(2, 100, 800)];
    let found = (0..4).map(|at| reading(at, 300)).collect();
    let expected = [
        Effect::NotReinstated(setting(0, 900), Refusal::AboveCeiling),
        Effect::NotReinstated(setting(2, 50), Refusal::BelowFloor),
        Effect::NotReinstated(setting(3, 500), Refusal::ShaperNotAllowed),
        Effect::Apply(vec![setting(1, 500)]),
        Effect::Keep(vec![setting(1, 500)]),
    ];
    assert_eq!(started(confirmed, bounds, found), expected);
}

#[test]
fn what_stands_as_confirmed_is_left_alone() {
    assert!(started(vec![setting(0, 900)], vec![bound(0, 100, 800)], vec![reading(0, 900)]).is_empty());
    let only_told = started(vec![setting(0, 900)], vec![bound(0, 100, 800)], vec![reading(0, 300)]);
    assert_eq!(only_told, [Effect::NotReinstated(setting(0, 900), Refusal::AboveCeiling)]);
}

proptest! {
    /// Whatever was confirmed and whatever the config says now.
    #[test]
    fn nothing_beyond_the_bounds_is_set_and_all_else_is_told(
        rows in prop::collection::vec((0u64..1_000, 0u64..1_000, 0u64..1_000, 0u64..1_000), 1..8),
    ) {
        let confirmed: Vec<_> = rows.iter().enumerate().map(|(at, row)| setting(at, row.0)).collect();
        let bounds: Vec<_> = rows.iter().enumerate().map(|(at, row)| bound(at, row.1, row.2)).collect();
        let found: Vec<_> = rows.iter().enumerate().map(|(at, row)| reading(at, row.3)).collect();
        let effects = started(confirmed.clone(), bounds.clone(), found.clone());
        let (mut set, mut kept, mut told) = (vec![], vec![], vec![]);
        for effect in effects {
            match effect {
                Effect::Apply(settings) => set.extend(settings),
                Effect::Keep(settings) => kept.extend(settings),
                Effect::NotReinstated(setting, _) => told.push(setting),
                other => prop_assert!(false, "{:?}", other),
            }
        }
        prop_assert_eq!(&kept, &set);
        for (at, setting) in confirmed.iter().enumerate() {
            let bound = &bounds[at];
            let allowed = setting.mir.0 > 0 && (bound.floor..=bound.ceiling).contains(&setting.mir);
            let lost = found[at].setting() != *setting;
            prop_assert_eq!(set.contains(setting), lost && allowed);
            prop_assert_eq!(told.contains(setting), lost && !allowed);
        }
    }
}
