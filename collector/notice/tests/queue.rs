//! The queue, played through: notices come, messages go, fail, get lost in between; the collector dies, the clock
//! jumps. Whatever happens, each notice arrives once, in its own recipient's mail, and nobody is flooded.
#![allow(clippy::unwrap_used)] // helpers of tests may unwrap as tests do

#[path = "queue/world.rs"]
mod world;

use std::collections::BTreeSet;

use proptest::prelude::*;
use takar_notice::{
    Outcome, Topic,
    queue::{Delivery, Rules, State, plan, trouble},
};
use takar_shared::UnixMillis;

use world::{Happening, MINUTE, World, happenings, made, sent};

const HOUR: u64 = 60 * MINUTE;

proptest! {
    #[test]
    fn each_notice_arrives_once_whatever_happens(happenings in happenings(true)) {
        let mut world = World::new(Rules::default());
        for happening in &happenings {
            world.happens(happening);
        }
        world.drain();
        for delivery in &world.deliveries {
            let times = world.times_sent(delivery.id);
            match &delivery.state {
                State::Sent { .. } => prop_assert_eq!(times, 1),
                State::Failed { .. } => prop_assert!(times == 0 && world.refused.contains(&delivery.id)),
                State::Superseded => prop_assert!(times == 0 && world.superseded.contains(&delivery.id)),
                other => prop_assert!(false, "{:?} of {}", other, delivery.id),
            }
        }
    }

    #[test]
    fn nobody_gets_more_mails_in_any_hour_than_the_cap(happenings in happenings(false), cap in 1usize..4) {
        let mut world = World::new(Rules { cap_per_hour: cap, ..Rules::default() });
        for happening in &happenings {
            world.happens(happening);
        }
        world.drain();
        for mails in world.mails.values() {
            for (first, at) in mails.iter().enumerate() {
                let within = mails[first..].iter().take_while(|later| later.since(*at) < HOUR).count();
                prop_assert!(within <= cap, "{} mails in an hour: {:?}", within, mails);
            }
        }
    }
}

/// The states that the properties above are about do come up.
#[test]
fn the_world_gets_everywhere() {
    let make = |to, urgent, attached| Happening::Make { to, urgent, attached, webhook: false };
    let mut world = World::new(Rules::default());
    for happening in [
        make(0, true, false),
        make(0, true, false),
        make(0, false, false),
        make(0, false, true),
        make(1, false, false),
        make(1, false, false),
        Happening::Supersede(5),
        Happening::Plan,
        Happening::Settle(0, Outcome::Unclear("broke off".into())),
        Happening::Wait(2 * MINUTE),
        Happening::Plan,
        Happening::Crash,
        Happening::Plan,
        Happening::Settle(0, sent()),
        Happening::Wait(10 * MINUTE),
        Happening::Plan,
        Happening::Settle(0, Outcome::Temporary("greylisted".into())),
        Happening::Supersede(4),
    ] {
        world.happens(&happening);
    }
    assert_eq!(world.resent, 2, "once after it was unclear, once after the crash");
    world.drain();
    assert_eq!(world.mails[&0].len(), 3, "the urgent two, the attached one, the other");
    assert_eq!(world.superseded, BTreeSet::from([6]), "what is on its way is not taken back");
}

#[test]
fn several_become_one_after_ten_minutes_and_urgent_ones_go_at_once() {
    let start = UnixMillis(1_795_486_320_000);
    let rules = Rules::default();
    let quiet: Vec<Delivery> = (0..3).flat_map(|at| made(at + 1, 0, false, start.plus(at * MINUTE))).collect();
    assert!(plan(start.plus(9 * MINUTE), &quiet, &rules).is_empty());
    let batches = plan(start.plus(10 * MINUTE), &quiet, &rules);
    assert_eq!(batches.len(), 1);
    assert_eq!(batches[0].deliveries, [1, 2, 3]);
    let mut all = quiet;
    all.extend(made(4, 0, true, start.plus(5 * MINUTE)));
    let batches = plan(start.plus(5 * MINUTE), &all, &rules);
    assert_eq!((batches.len(), batches[0].deliveries.as_slice()), (1, [4].as_slice()));
}

#[test]
fn an_urgent_one_is_not_behind_other_peoples_digests() {
    let start = UnixMillis(1_795_486_320_000);
    let mut deliveries: Vec<Delivery> = (0..2).flat_map(|to| made(to as u64 + 1, to, false, start)).collect();
    deliveries.extend(made(3, 2, true, start));
    let batches = plan(start.plus(10 * MINUTE), &deliveries, &Rules::default());
    let urgent: Vec<bool> = batches.iter().map(|batch| batch.urgent).collect();
    assert_eq!(urgent, [true, false, false]);
}

#[test]
fn beyond_the_cap_urgent_ones_become_one_mail() {
    let rules = Rules::default();
    let mut now = UnixMillis(1_795_486_320_000);
    let mut deliveries: Vec<Delivery> = Vec::new();
    let mut mails = 0;
    for id in 1..=20 {
        deliveries.extend(made(id, 0, true, now));
        for batch in plan(now, &deliveries, &rules) {
            mails += 1;
            let go = |delivery: &Delivery| delivery.started(&batch, now).settled(&sent(), now);
            deliveries = deliveries.iter().map(go).collect();
        }
        now = now.plus(MINUTE);
    }
    assert_eq!(mails, 12);
    let after = plan(now.plus(41 * MINUTE), &deliveries, &rules);
    assert_eq!((after.len(), after[0].deliveries.len()), (1, 8));
}

#[test]
fn a_server_that_is_away_for_a_week_is_given_up_and_that_is_told_once() {
    let rules = Rules::default();
    let start = UnixMillis(1_795_486_320_000);
    let mut deliveries = made(1, 0, true, start);
    let mut now = start;
    while deliveries[0].is_open() && !matches!(deliveries[0].state, State::Failed { .. }) {
        for batch in plan(now, &deliveries, &rules) {
            let failed = Outcome::Temporary("connection refused".into());
            deliveries = deliveries.iter().map(|one| one.started(&batch, now).settled(&failed, now)).collect();
        }
        now = now.plus(MINUTE);
    }
    let days = now.since(start) as f64 / (24 * HOUR) as f64;
    assert!((7.0..7.1).contains(&days), "{days} days, {} tries", deliveries[0].attempts);
    assert!(trouble(now, Some(now), &deliveries).is_none(), "once a day");
    let told = trouble(now, None, &deliveries).unwrap();
    assert!(matches!(told.topic, Topic::MailTrouble { count: 1, .. }));
    assert!(!told.told[0].is_open() && trouble(now.plus(48 * HOUR), None, &told.told).is_none());
}

#[test]
fn a_refusal_is_final_and_trouble_with_the_news_of_trouble_is_no_news() {
    let now = UnixMillis(1_795_486_320_000);
    let refused = Outcome::Permanent("550 no such user".into());
    let fail = |deliveries: &[Delivery]| -> Vec<Delivery> {
        let batch = plan(now, deliveries, &Rules::default()).remove(0);
        deliveries.iter().map(|one| one.started(&batch, now).settled(&refused, now)).collect()
    };
    let failed = fail(&made(1, 0, true, now));
    assert!(plan(now.plus(HOUR), &failed, &Rules::default()).is_empty());
    let news = trouble(now, None, &failed).unwrap().topic;
    let mut of_trouble = made(2, 0, true, now);
    of_trouble[0].notice.topic = news;
    assert!(trouble(now, None, &fail(&of_trouble)).is_none());
}

#[test]
fn a_clock_that_was_wrong_by_a_year_holds_nothing_back() {
    let year = 365 * 24 * HOUR;
    let right = UnixMillis(1_795_486_320_000);
    let wrong = right.plus(year);
    let deliveries = made(1, 0, false, wrong);
    let rules = Rules::default();
    let batch = plan(wrong.plus(10 * MINUTE), &deliveries, &rules).remove(0);
    let failed = Outcome::Temporary("connection refused".into());
    let failed: Vec<Delivery> =
        deliveries.iter().map(|one| one.started(&batch, wrong).settled(&failed, wrong.plus(10 * MINUTE))).collect();
    assert_eq!(plan(right, &failed, &rules).len(), 1, "it was to be tried again in a year");
    assert_eq!(plan(right, &deliveries, &rules).len(), 1, "it was to be ripe in a year");
    let settled: Vec<Delivery> =
        deliveries.iter().map(|one| one.started(&batch, wrong).settled(&sent(), wrong)).collect();
    assert!(plan(right, &settled, &rules).is_empty(), "what was sent is sent");
}

#[test]
fn what_comes_too_late_changes_nothing() {
    let now = UnixMillis(1_795_486_320_000);
    let waiting = &made(1, 0, true, now)[0];
    let batch = plan(now, std::slice::from_ref(waiting), &Rules::default()).remove(0);
    let done = waiting.started(&batch, now).settled(&sent(), now);
    assert_eq!(done.settled(&Outcome::Permanent("late".into()), now), done);
    assert_eq!((done.started(&batch, now), done.recovered(now)), (done.clone(), done.clone()));
    assert_eq!(done.superseded(), None);
    assert_eq!(waiting.settled(&sent(), now), *waiting);
    assert_eq!(waiting.started(&batch, now).superseded(), None, "it is on its way");
}
