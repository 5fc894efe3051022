//! P5, the collector's side: no gap goes unmarked. And: restored state is found out, a correct agent never accused.
#![allow(clippy::unwrap_used)] // helpers of tests may unwrap as tests do

mod intake_model;

use intake_model::{Agent, Collector, World, mark};
use proptest::{collection::vec, prelude::*};
use takar_collector_core::intake::{Decision, Ignored, Intake, Loss, Restored};
use takar_shared::{BootEpoch, Seq, Serial, receipt::Phase};

/// What may happen to an agent, its messages and its collector.
#[derive(Clone, Debug)]
enum Event {
    /// A message that reads these of eight meters; its state is as old as `stale` says.
    Polled {
        meters: u8,
        stale: u64,
    },
    /// A command was taken.
    Consumed,
    SpoolDrops(usize),
    Restarted,
    PowerCut,
    Connected,
    /// The broker delivers one of what it has, and perhaps keeps a copy.
    Delivered {
        which: usize,
        again: bool,
    },
    BrokerLoses(usize),
    Committed,
    CommitFails,
    CollectorRestarted,
    Granted,
}

fn event() -> impl Strategy<Value = Event> {
    let which = prop_oneof![4 => Just(0), 1 => any::<usize>()];
    prop_oneof![
        6 => (any::<u8>(), any::<u64>()).prop_map(|(meters, stale)| Event::Polled { meters, stale }),
        1 => Just(Event::Consumed),
        1 => (1..4usize).prop_map(Event::SpoolDrops),
        1 => Just(Event::Restarted),
        1 => Just(Event::PowerCut),
        3 => Just(Event::Connected),
        12 => (which, prop::bool::weighted(0.2)).prop_map(|(which, again)| Event::Delivered { which, again }),
        1 => any::<usize>().prop_map(Event::BrokerLoses),
        4 => Just(Event::Committed),
        1 => Just(Event::CommitFails),
        1 => Just(Event::CollectorRestarted),
        4 => Just(Event::Granted),
    ]
}

fn happen(world: &mut World, event: &Event) {
    let World { agent, collector, broker } = world;
    match *event {
        Event::Polled { meters, stale } => agent.poll(meters, stale),
        Event::Consumed => agent.serial += 1,
        Event::SpoolDrops(count) => agent.drop_oldest(count),
        Event::Restarted => agent.boot(),
        Event::PowerCut => agent.lose_power(),
        Event::Connected => broker.extend(agent.connect()),
        Event::Delivered { .. } | Event::BrokerLoses(_) if broker.is_empty() => {}
        Event::Delivered { which, again } => {
            let which = which % broker.len();
            let message = if again { broker[which].clone() } else { broker.remove(which) };
            collector.hear(&message);
        }
        Event::BrokerLoses(which) => drop(broker.remove(which % broker.len())),
        Event::Committed => collector.commit(),
        Event::CommitFails => collector.fail_to_commit(),
        Event::CollectorRestarted => collector.restart(),
        Event::Granted => agent.handle_stored(collector.stored_up_to()),
    }
}

/// What the agent would do in the end: connect and send all that it holds, in order.
fn sync(world: &mut World) {
    for message in world.agent.connect() {
        world.collector.hear(&message);
    }
    world.collector.commit();
    world.agent.handle_stored(world.collector.stored_up_to());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Every message an agent ever made is stored once, or marked lost once, and never both.
    #[test]
    fn p5_no_gap_goes_unmarked(events in vec(event(), 1..150)) {
        let mut world = World::default();
        for event in &events {
            happen(&mut world, event);
            world.collector.check(&world.agent.made)?;
        }
        // What is still under way comes too, in the worst order.
        for message in std::mem::take(&mut world.broker).iter().rev() {
            world.collector.hear(message);
        }
        sync(&mut world);
        world.collector.check(&world.agent.made)?;
        prop_assert!(world.agent.spool.is_empty(), "the agent holds what nobody takes: {:?}", world.agent.spool);
        let (stored, newest) = (world.collector.stored_up_to(), *world.agent.made.last().unwrap_or(&mark(1, 0)));
        prop_assert!(stored >= newest, "{stored:?} is all, {newest:?} was made");
        prop_assert_eq!(&world.collector.accused, &None, "a correct agent is never accused");
    }

    /// Where the broker keeps order, only what the agent itself lost is lost.
    #[test]
    fn what_an_agent_holds_until_it_is_stored_is_stored(rounds in vec((vec(event(), 0..12), any::<bool>()), 1..12)) {
        let mut world = World::default();
        for (events, fails) in &rounds {
            for event in events {
                let inside = matches!(
                    event,
                    Event::Polled { .. } | Event::Consumed | Event::SpoolDrops(_) | Event::CollectorRestarted
                );
                if inside {
                    happen(&mut world, event);
                }
            }
            if *fails {
                world.agent.connect().iter().for_each(|message| world.collector.hear(message));
                world.collector.fail_to_commit();
            }
            sync(&mut world);
            match events.last() {
                Some(Event::PowerCut) => world.agent.lose_power(),
                Some(Event::Restarted) => world.agent.boot(),
                _ => {}
            }
        }
        sync(&mut world);
        world.collector.check(&world.agent.made)?;
        for made in world.agent.made.iter().filter(|made| !world.agent.gone.contains(made)) {
            prop_assert!(world.collector.disk.stored.contains(made), "{made:?} was held and is not stored");
        }
    }

    /// A copy is taken at some moment, life goes on, the copy comes back.
    #[test]
    fn restored_state_is_quarantined(
        before in vec(event(), 0..40),
        after in vec(event(), 0..40),
        silent in 0..3u32,
        collector_restarts in any::<bool>(),
    ) {
        let mut world = World::default();
        let live = |world: &mut World, events: &[Event]| {
            for event in events {
                happen(world, event);
                // Nothing is under way for long.
                sync(world);
            }
        };
        live(&mut world, &before);
        let mut copy = world.agent.copied();
        live(&mut world, &after);
        // Runs that nobody heard of.
        (0..silent).for_each(|_| world.agent.boot());
        sync(&mut world);
        if collector_restarts {
            world.collector.restart();
        }
        prop_assert_eq!(&world.collector.accused, &None);

        let heard = world.collector.disk.births.clone();
        let highest = world.collector.highest_serial_heard();
        // The copy climbs, run by run, until it reaches a run that was heard, or passes all of them.
        loop {
            copy.lose_power();
            let (again, above) = (heard.contains_key(&copy.epoch), heard.keys().all(|known| *known < copy.epoch));
            let taken_before = world.collector.intake.taken();
            copy.connect().iter().for_each(|message| world.collector.hear(message));
            let accused = world.collector.accused.clone();
            if again {
                prop_assert_eq!(accused, Some(Restored::EpochAgain { epoch: BootEpoch(copy.epoch) }));
            } else if above && copy.serial < highest {
                prop_assert!(matches!(accused, Some(Restored::SerialFell { .. })), "{accused:?}");
            } else {
                // Nothing contradicts, or nobody ever heard of that run: then nothing of it is taken either.
                prop_assert_eq!(accused, None);
                prop_assert!(above || world.collector.intake.taken() == taken_before);
            }
            if again || above {
                break;
            }
        }
        if world.collector.accused.is_some() {
            stays_in_quarantine(&mut world.collector, &mut copy)?;
        }
    }
}

/// Whatever its epoch grows to, and through restarts of the collector, until a person acts.
fn stays_in_quarantine(collector: &mut Collector, copy: &mut Agent) -> Result<(), TestCaseError> {
    let taken = collector.intake.taken();
    for round in 0..12 {
        copy.boot();
        copy.poll(1, 0);
        match round % 3 {
            0 => collector.restart(),
            1 => collector.fail_to_commit(),
            _ => {}
        }
        for message in copy.connect() {
            prop_assert_eq!(collector.decide(&message), Decision::Ignore(Ignored::Held));
        }
        prop_assert_eq!(collector.intake.taken(), taken);
    }
    // Released, it is judged as before: a serial that fell has still fallen.
    collector.intake.release();
    let before = collector.accused.take();
    copy.connect().iter().for_each(|message| collector.hear(message));
    if matches!(before, Some(Restored::SerialFell { .. })) {
        prop_assert!(matches!(collector.accused, Some(Restored::SerialFell { .. })), "{:?}", collector.accused);
    }
    Ok(())
}

#[test]
fn the_tail_of_a_lost_spool_is_marked_with_an_open_end() {
    let mut world = World::default();
    world.agent.poll(1, 0);
    sync(&mut world);
    world.agent.poll(1, 0);
    world.agent.lose_power();
    sync(&mut world);
    let tail = Loss { from: mark(1, 2), to: mark(2, 0), samples: None };
    assert_eq!(world.collector.disk.losses, [tail]);
    world.agent.poll(1, 0);
    sync(&mut world);
    assert_eq!(world.collector.disk.stored, [mark(1, 1), mark(2, 1)]);
    assert_eq!(world.collector.disk.losses, [tail], "marked once");
}

#[test]
fn each_meters_first_reading_of_a_run_follows_a_break() {
    let mut world = World::default();
    let breaks = |world: &mut World, meters: u8| {
        world.agent.poll(meters, 0);
        let messages = world.agent.connect();
        let decisions: Vec<_> = messages.iter().map(|message| world.collector.decide(message)).collect();
        match decisions.into_iter().next_back().unwrap() {
            Decision::Take(taken) => taken.first_of.into_iter().collect::<Vec<_>>(),
            other => panic!("not taken: {other:?}"),
        }
    };
    assert_eq!(breaks(&mut world, 0b001), [0]);
    assert_eq!(breaks(&mut world, 0b011), [1], "the second device answers later");
    assert_eq!(breaks(&mut world, 0b011), []);
    world.agent.spool.clear();
    world.agent.poll(0b011, 0);
    world.agent.drop_oldest(1);
    assert_eq!(breaks(&mut world, 0b011), [], "counters are raw: a Gap only widens an interval");
    world.agent.boot();
    world.agent.spool.clear();
    world.agent.poll(0b011, 0);
    world.agent.drop_oldest(1);
    assert_eq!(breaks(&mut world, 0b011), [0, 1], "another run, though its first message was dropped");
}

#[test]
fn a_gap_marks_only_what_was_not_taken() {
    let mut world = World::default();
    (0..3).for_each(|_| world.agent.poll(1, 0));
    // Taken and stored, but the Grant is lost; then the spool is full.
    world.agent.connect().iter().for_each(|message| world.collector.hear(message));
    world.collector.commit();
    (0..2).for_each(|_| world.agent.poll(1, 0));
    world.agent.drop_oldest(5);
    sync(&mut world);
    assert_eq!(world.collector.disk.losses, [Loss { from: mark(1, 4), to: mark(1, 5), samples: None }]);
    assert_eq!(world.collector.disk.stored, [mark(1, 1), mark(1, 2), mark(1, 3)]);
}

#[test]
fn a_new_run_does_not_overtake_what_is_still_held() {
    let mut world = World::default();
    sync(&mut world);
    world.agent.poll(1, 0);
    world.agent.boot();
    world.agent.poll(1, 0);
    let sent = world.agent.connect();
    world.collector.hear(&sent[0]);
    // Taken, it would make the agent free the older one.
    assert_eq!(world.collector.decide(&sent[2]), Decision::Ignore(Ignored::OutOfOrder));
    sent[1..].iter().for_each(|message| world.collector.hear(message));
    world.collector.commit();
    assert_eq!(world.collector.disk.stored, [mark(1, 1), mark(2, 1)]);
}

#[test]
fn a_run_that_never_introduced_itself_does_not_stand_in_the_way() {
    let mut world = World::default();
    sync(&mut world);
    world.agent.boot();
    (0..2).for_each(|_| world.agent.poll(1, 0));
    world.agent.boot();
    world.agent.poll(1, 0);
    sync(&mut world);
    assert_eq!(world.collector.disk.stored, [mark(3, 1)]);
    let counted: Vec<_> = world.collector.disk.losses.iter().filter_map(|loss| loss.samples).collect();
    assert_eq!(counted, [4, 4], "what cannot be read is counted as lost");
    assert!(world.agent.spool.is_empty());
}

#[test]
fn a_late_birth_undoes_nothing() {
    let mut world = World::default();
    let [first, second] = [world.agent.connect(), world.agent.connect()].map(|mut sent| sent.remove(0));
    world.agent.boot();
    let third = world.agent.connect().remove(0);
    for message in [&second, &first, &third] {
        world.collector.hear(message);
        world.collector.commit();
    }
    assert_eq!(world.collector.decide(&second), Decision::Ignore(Ignored::Late), "an earlier run, as it was heard");
    assert_eq!(world.collector.accused, None);
}

#[test]
fn a_receipt_shows_that_a_serial_was_consumed() {
    let mut world = World::default();
    sync(&mut world);
    let mut copy = world.agent.copied();
    assert_eq!(world.collector.receive(1, 3, Phase::Refused(takar_shared::receipt::Refusal::SerialAhead)), None);
    assert_eq!(world.collector.receive(1, 2, Phase::Confirmed).unwrap().serial, Serial(2));
    assert_eq!(world.collector.receive(1, 1, Phase::Confirmed), None, "one sent again");
    copy.serial = 1;
    copy.lose_power();
    copy.connect().iter().for_each(|message| world.collector.hear(message));
    assert!(matches!(world.collector.accused, Some(Restored::SerialFell { .. })));
}

#[test]
fn no_number_that_an_agent_can_send_panics() {
    let mut agent = Agent::default();
    let mut intake = Intake::new(None, None, []);
    for (epoch, from) in [(u32::MAX, mark(u32::MAX, u64::MAX)), (0, mark(0, 0)), (1, mark(2, 1))] {
        (agent.epoch, agent.now) = (epoch, 1);
        let _ = intake.birth(&agent.birth(from), None);
    }
    for (first, last) in [(0, u64::MAX), (u64::MAX, u64::MAX), (u64::MAX, 0), (1, 0), (0, 0)] {
        let epoch = BootEpoch(u32::MAX);
        let gap = takar_shared::telemetry::Gap { boot_epoch: epoch, first: Seq(first), seq: Seq(last), samples: 1 };
        let _ = intake.gap(&gap);
    }
    assert_eq!(intake.taken(), mark(u32::MAX, u64::MAX));
}
