//! Working hours against a model that looks at every minute by itself.
#![allow(clippy::unwrap_used)] // helpers of tests may unwrap as tests do

use std::collections::BTreeMap;

use proptest::prelude::*;
use takar_collector_core::calendar::{Calendar, Date, Span, Zone};
use takar_shared::UnixMillis;

const MINUTE: u64 = 60_000;
/// 2026-11-20, a Friday, 00.00 WIB, in minutes since 1970.
const FRIDAY: u64 = 29_918_940;

fn zone() -> impl Strategy<Value = Zone> {
    prop_oneof![Just(Zone::Wib), Just(Zone::Wita), Just(Zone::Wit)]
}

fn spans() -> impl Strategy<Value = Vec<Span>> {
    prop::collection::btree_set(0u16..=1440, 0..5).prop_map(|minutes| {
        let minutes: Vec<u16> = minutes.into_iter().collect();
        minutes.chunks_exact(2).map(|pair| Span { from: pair[0], to: pair[1] }).collect()
    })
}

fn calendar() -> impl Strategy<Value = Calendar> {
    let holidays = prop::collection::btree_set(0u32..20, 0..4).prop_map(|days| {
        let first: Date = "2026-11-20".parse().unwrap();
        days.into_iter().map(|day| (first.plus_days(day), "free".to_owned())).collect::<BTreeMap<_, _>>()
    });
    (zone(), prop::array::uniform7(spans()), holidays)
        .prop_map(|(zone, week, holidays)| Calendar::new(zone, week, holidays).unwrap())
}

/// Minute by minute.
fn worked(calendar: &Calendar, from: u64, to: u64) -> u64 {
    (from..to).filter(|minute| calendar.is_working(UnixMillis(minute * MINUTE))).count() as u64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_minute_is_counted(calendar in calendar(), from in 0u64..20_000, long in 0u64..20_000) {
        let (from, to) = (FRIDAY + from, FRIDAY + from + long);
        let counted = calendar.worked_ms(UnixMillis(from * MINUTE), UnixMillis(to * MINUTE));
        prop_assert_eq!(counted, worked(&calendar, from, to) * MINUTE);
    }

    #[test]
    fn parts_add_up(calendar in calendar(), times in prop::array::uniform3(0u64..2_000_000_000)) {
        let mut times = times.map(|at| UnixMillis(FRIDAY * MINUTE + at));
        times.sort();
        let [a, b, c] = times;
        prop_assert_eq!(calendar.worked_ms(a, c), calendar.worked_ms(a, b) + calendar.worked_ms(b, c));
        if a < c {
            prop_assert_eq!(calendar.worked_ms(c, a), 0, "a clock that was set back");
        }
    }

    #[test]
    fn due_is_the_first_moment_by_which_it_is_worked(
        calendar in calendar(),
        from in 0u64..2_000_000_000,
        work in 0u64..100_000_000,
    ) {
        let from = UnixMillis(FRIDAY * MINUTE + from);
        let due = calendar.due(from, work);
        if calendar.week().iter().all(Vec::is_empty) {
            prop_assert_eq!(due, if work == 0 { from } else { UnixMillis(u64::MAX) });
            return Ok(());
        }
        prop_assert_eq!(calendar.worked_ms(from, due), work);
        if work > 0 {
            prop_assert!(calendar.worked_ms(from, UnixMillis(due.0 - 1)) < work);
        }
    }

    #[test]
    fn any_time_has_a_day(zone in zone(), at: u64) {
        let local = zone.local(UnixMillis(at));
        prop_assert!(local.date.to_string().len() == 10 && local.hour < 24 && local.minute < 60 && local.second < 60);
        prop_assert_eq!(local.date.to_string().parse::<Date>().unwrap(), local.date);
        // Before the year 10000 the minute leads back.
        if at < 253_000_000_000_000 {
            let minute = u16::from(local.hour) * 60 + u16::from(local.minute);
            prop_assert_eq!(zone.instant(local.date, minute).0 / MINUTE, at / MINUTE);
        }
    }

    #[test]
    fn days_follow_each_other(day in 0u32..2_900_000) {
        let first: Date = "1970-01-01".parse().unwrap();
        let (this, next) = (first.plus_days(day), first.plus_days(day + 1));
        prop_assert!(this < next);
        prop_assert_eq!((this.weekday() + 1) % 7, next.weekday());
    }

    #[test]
    fn what_is_no_date_is_refused(text in "[0-9]{0,5}-?[0-9]{0,3}-?[0-9 ]{0,3}") {
        if let Ok(date) = text.parse::<Date>() {
            prop_assert_eq!(date.to_string(), text);
        }
    }
}

#[test]
fn known_days() {
    let at = |text: &str| text.parse::<Date>().unwrap();
    assert_eq!([at("1970-01-01"), at("2000-02-29"), at("2026-11-24")].map(Date::weekday), [3, 1, 1]);
    assert_eq!(at("2026-12-31").plus_days(1), at("2027-01-01"));
    assert_eq!(at("2028-02-28").plus_days(1), at("2028-02-29"));
    for wrong in ["2026-02-29", "1900-01-01", "2026-13-01", "2026-00-10", "2026-1-1", "2026-11-24 ", "", "10000-01-01"]
    {
        assert!(wrong.parse::<Date>().is_err(), "{wrong}");
    }
    let office = Calendar::office(Zone::Wit);
    let monday = Zone::Wit.instant(at("2026-11-23"), 8 * 60);
    assert_eq!(office.due(monday, 30 * MINUTE), Zone::Wit.instant(at("2026-11-23"), 8 * 60 + 30));
    let friday = Zone::Wit.instant(at("2026-11-27"), 16 * 60 + 20);
    assert_eq!(office.due(friday, 30 * MINUTE), Zone::Wit.instant(at("2026-11-30"), 7 * 60 + 50), "over the weekend");
}

#[test]
fn hours_that_cannot_be_are_all_named() {
    let week = |spans: Vec<Span>| [spans, vec![], vec![], vec![], vec![], vec![], vec![Span { from: 9, to: 9 }]];
    let wrong = week(vec![Span { from: 10, to: 1441 }, Span { from: 100, to: 200 }, Span { from: 150, to: 300 }]);
    let problems = Calendar::new(Zone::Wib, wrong, BTreeMap::new()).unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].starts_with("Monday 00:10-24:01") && told[2].starts_with("Sunday"), "{told:?}");
}
