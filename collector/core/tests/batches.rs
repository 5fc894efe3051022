//! Promise P3 over whole batches: plans carried out by the real rooms of the core, against devices that refuse, fail, roll
//! back, restart, go silent and are changed by hand, over a network that loses, repeats, delays and reorders.
#![allow(clippy::unwrap_used)] // helpers of tests may unwrap as tests do

#[path = "batches/approve.rs"]
mod approve;
#[path = "batches/collector.rs"]
mod collector;
#[path = "batches/device.rs"]
mod device;
#[path = "batches/script.rs"]
mod script;
#[path = "batches/violation.rs"]
mod violation;
#[path = "batches/world.rs"]
mod world;

use collector::{Release, Rules};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use script::{Happening, Row, Scenario, any_scenario};
use takar_collector_core::{
    ledger::{BatchState, Change, ChangeState},
    plan::ClaimDemand,
};
use takar_shared::BitsPerSec;
use violation::Violation;
use world::{World, run};

const REAL: Rules = Rules { release: Release::AtConfirmed, reserves: true };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// See [`Violation`] for all that is asked after every step, and once more when all has calmed down.
    #[test]
    fn p3_holds_at_every_instant_of_a_batch(scenario in any_scenario()) {
        let violation = run(&scenario, REAL).err();
        prop_assert_eq!(violation, None);
    }
}

/// The same scenarios each time: what these tests find does not depend on luck.
fn scenarios(count: usize) -> impl Iterator<Item = Scenario> {
    let mut runner = TestRunner::deterministic();
    let strategy = any_scenario();
    (0..count).map(move |_| strategy.new_tree(&mut runner).unwrap().current())
}

fn first_violation(rules: Rules, count: usize) -> Option<Violation> {
    scenarios(count).find_map(|scenario| run(&scenario, rules).err())
}

/// A property that no simulation could break would prove nothing.
#[test]
fn released_at_applied_and_unreserved_p3_breaks() {
    let wrong = Rules { release: Release::AtApplied, reserves: false };
    let violation = first_violation(wrong, 5_000);
    assert!(matches!(violation, Some(Violation::InForce { .. })), "{violation:?}");
}

/// Order and reservation each keep P3 alone: one must fail before the other matters.
#[test]
fn each_of_the_two_guards_is_enough() {
    assert_eq!(first_violation(Rules { release: Release::AtApplied, ..REAL }, 500), None);
    assert_eq!(first_violation(Rules { reserves: false, ..REAL }, 500), None);
}

/// One giver, one gainer, each on its own device.
fn two_links(script: Vec<Happening>) -> Scenario {
    let giver = Row { device: 0, weight: 1, mir: 400, demand: ClaimDemand::Known(BitsPerSec(80)) };
    let gainer = Row { device: 1, weight: 1, mir: 200, demand: ClaimDemand::AtLeast(BitsPerSec(300)) };
    Scenario { devices: 2, links: vec![giver, gainer], budget_per_mille: 1000, script }
}

/// The decrease is applied, its receipt delivered, and whatever that releases delivered too; then the first device restarts.
fn a_decrease_that_rolls_back() -> Scenario {
    let deliver = Happening::Deliver(0);
    two_links(vec![deliver.clone(), deliver.clone(), deliver, Happening::Restart(0)])
}

#[test]
fn a_decrease_that_rolls_back_is_why_increases_wait_for_confirmed() {
    let wrong = Rules { release: Release::AtApplied, reserves: false };
    let violation = run(&a_decrease_that_rolls_back(), wrong).err();
    // The giver is back at 400, the gainer has 304 already.
    assert_eq!(violation, Some(Violation::InForce { sum: BitsPerSec(704), most: BitsPerSec(600) }));

    let world = run(&a_decrease_that_rolls_back(), REAL).unwrap_or_else(|violation| panic!("{violation:?}"));
    assert_eq!(world.ended, [BatchState::Failed]);
    assert_eq!(states(&world, |_| true).last(), Some(&ChangeState::Withdrawn));
}

#[test]
fn where_nothing_goes_wrong_a_batch_is_done() {
    let world = run(&two_links(vec![]), REAL).unwrap_or_else(|violation| panic!("{violation:?}"));
    assert_eq!(world.ended, [BatchState::Done]);
    let recorded: Vec<BitsPerSec> = world.collector.links.iter().map(|link| link.recorded).collect();
    assert_eq!(recorded, [BitsPerSec(296), BitsPerSec(304)]);
}

/// The simulation comes to every kind of end, so that none of what it asks is asked of nothing.
#[test]
fn the_simulation_gets_everywhere() {
    let worlds: Vec<World> = scenarios(500).filter_map(|scenario| run(&scenario, REAL).ok()).collect();
    assert_eq!(worlds.len(), 500);
    for state in [BatchState::Done, BatchState::Partial, BatchState::Failed] {
        let count = worlds.iter().flat_map(|world| &world.ended).filter(|ended| **ended == state).count();
        assert!(count >= 5, "{count} batches ended {state:?}");
    }
    type Kind = fn(&Change) -> bool;
    let kinds: [(&str, Kind); 5] = [
        ("decreases confirmed", |change| !change.raises() && change.state == ChangeState::Confirmed),
        ("increases confirmed", |change| change.raises() && change.state == ChangeState::Confirmed),
        ("rolled back", |change| matches!(change.state, ChangeState::RolledBack(_))),
        ("refused", |change| matches!(change.state, ChangeState::Refused(_))),
        ("withdrawn", |change| change.state == ChangeState::Withdrawn),
    ];
    for (what, kind) in kinds {
        let count: usize = worlds.iter().map(|world| states(world, kind).len()).sum();
        assert!(count >= 5, "{count} changes {what}");
    }
    let expired: u32 = worlds.iter().map(|world| world.collector.expired).sum();
    let over: u32 = worlds.iter().map(|world| world.collector.over).sum();
    assert!(expired >= 5 && over >= 1, "{expired} changes expired, {over} waited for the reservation");
}

/// In the order in which the changes were made.
fn states(world: &World, kind: impl Fn(&Change) -> bool) -> Vec<ChangeState> {
    world.collector.changes.values().filter(|change| kind(change)).map(|change| change.state).collect()
}
