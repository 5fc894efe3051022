use std::{collections::HashMap, net::Ipv4Addr};

use proptest::prelude::*;

use super::{count::delay, *};
use crate::auth::ServerKey;

/// Of the limits each test is about, only that one is narrow.
const WIDE: Limits = Limits {
    failures: 1_000_000,
    first_delay_ms: 1000,
    longest_delay_ms: 15 * 60_000,
    forget_after_ms: u64::MAX,
    source_failures: 1_000_000,
    source_within_ms: 600_000,
    burst: 1_000_000,
    one_each_ms: 1,
    device_burst: 1_000_000,
    device_one_each_ms: 1,
    remembered: 10_000,
};

const OWNER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 8, 7));

fn v4(c: u8, d: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, c, d).into()
}

fn device(account: &str, id: u8) -> Option<Device> {
    let key = ServerKey::new([1; 32]);
    Device::open(&key, account, &Device::issue(&key, account, UnixMillis(0), [id; 16]), UnixMillis(0))
}

fn at(ms: u64) -> UnixMillis {
    UnixMillis(ms)
}

#[test]
fn the_fifth_failure_and_each_after_it_slow_down() {
    let mut throttle = Throttle::new(Limits { failures: 5, ..WIDE });
    let mut now = 77;
    for _ in 0..4 {
        assert_eq!(throttle.attempt(at(now), "siti", OWNER, None), Ok(()));
    }
    for expected in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
        let expected = expected * 1000;
        assert_eq!(throttle.attempt(at(now), "siti", OWNER, None), Ok(()));
        assert_eq!(throttle.attempt(at(now), "siti", OWNER, None), Err(Wait { ms: expected }));
        now += expected - 1;
        assert_eq!(throttle.attempt(at(now), "siti", OWNER, None), Err(Wait { ms: 1 }), "a refusal adds nothing");
        now += 1;
    }
    assert_eq!(throttle.attempt(at(now), "budi", OWNER, None), Ok(()), "another account");
    assert_eq!(throttle.attempt(at(now), "siti", v4(1, 1), None), Ok(()), "from elsewhere");
}

#[test]
fn a_success_and_a_long_rest_start_anew() {
    let mut throttle = Throttle::new(Limits { failures: 2, forget_after_ms: 50_000, ..WIDE });
    let both = [None, device("siti", 1)];
    for device in both {
        for _ in 0..10 {
            assert_eq!(throttle.attempt(at(0), "siti", OWNER, device), Ok(()));
            throttle.succeeded("siti", OWNER, device);
        }
        assert_eq!(throttle.attempt(at(0), "siti", OWNER, device), Ok(()));
        assert_eq!(throttle.attempt(at(0), "siti", OWNER, device), Ok(()));
        assert_eq!(throttle.attempt(at(0), "siti", OWNER, device), Err(Wait { ms: 1000 }));
    }
    for device in both {
        assert_eq!(throttle.attempt(at(50_000), "siti", OWNER, device), Ok(()));
        assert_eq!(throttle.attempt(at(50_000), "siti", OWNER, device), Ok(()));
        assert_eq!(throttle.attempt(at(50_000), "siti", OWNER, device), Err(Wait { ms: 1000 }));
    }
}

#[test]
fn a_source_has_only_so_many_failures() {
    let mut throttle = Throttle::new(Limits { source_failures: 30, ..WIDE });
    for n in 0..30 {
        let (account, from) = (format!("account-{n}"), v4(5, n));
        assert_eq!(throttle.attempt(at(u64::from(n)), &account, from, None), Ok(()));
    }
    assert_eq!(throttle.attempt(at(30), "siti", v4(5, 200), None), Err(Wait { ms: 599_970 }));
    assert_eq!(throttle.attempt(at(30), "siti", v4(6, 200), None), Ok(()), "another source");
    assert_eq!(throttle.attempt(at(30), "siti", v4(5, 200), device("siti", 1)), Ok(()), "a known device there");
    assert_eq!(throttle.attempt(at(600_000), "siti", v4(5, 200), None), Ok(()), "the first is long ago");
    assert_eq!(throttle.attempt(at(600_000), "siti", v4(5, 200), None), Err(Wait { ms: 1 }), "the second is not");
    throttle.succeeded("siti", v4(5, 200), None);
    assert_eq!(throttle.attempt(at(600_000), "siti", v4(5, 200), None), Ok(()), "a success was no failure");
}

#[test]
fn the_server_takes_only_so_many() {
    let mut throttle = Throttle::new(Limits { burst: 3, one_each_ms: 250, ..WIDE });
    let mut attempt = |ms, n| throttle.attempt(at(ms), &format!("account-{n}"), v4(n, 1), None);
    for n in 0..3 {
        assert_eq!(attempt(1000, n), Ok(()));
    }
    assert_eq!(attempt(1000, 3), Err(Wait { ms: 250 }));
    assert_eq!(attempt(1250, 4), Ok(()));
    assert_eq!(attempt(1250, 5), Err(Wait { ms: 250 }));
    for n in 6..9 {
        assert_eq!(attempt(9000, n), Ok(()));
    }
    assert_eq!(attempt(9000, 9), Err(Wait { ms: 250 }));
}

#[test]
fn a_device_pays_for_itself() {
    let mut throttle = Throttle::new(Limits { device_burst: 2, device_one_each_ms: 2000, ..WIDE });
    for _ in 0..2 {
        assert_eq!(throttle.attempt(at(0), "siti", OWNER, device("siti", 1)), Ok(()));
        throttle.succeeded("siti", OWNER, device("siti", 1));
    }
    assert_eq!(throttle.attempt(at(0), "siti", OWNER, device("siti", 1)), Err(Wait { ms: 2000 }));
    assert_eq!(throttle.attempt(at(0), "siti", OWNER, device("siti", 2)), Ok(()), "another device");
    assert_eq!(throttle.attempt(at(0), "siti", OWNER, None), Ok(()));
}

#[test]
fn a_source_is_a_network() {
    let of = |text: &str| Source::of(text.parse().unwrap());
    assert_eq!(of("10.1.2.3"), of("10.1.2.255"));
    assert_eq!(of("10.1.2.3"), of("::ffff:10.1.2.9"));
    assert_ne!(of("10.1.2.3"), of("10.1.3.3"));
    assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::"));
    assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    assert_ne!(of("0.0.0.0"), of("::"));
}

#[test]
fn a_wait_is_told_in_whole_seconds() {
    assert_eq!(Wait { ms: 1 }.to_string(), "too many attempts; expected the next in 1 s");
    assert_eq!(Wait { ms: 2001 }.seconds(), 3);
}

prop_compose! {
    /// Few accounts and sources, so that they meet; the owner's source is among them.
    fn attempts()(
        account in prop::sample::select(vec!["siti", "budi", "", "root"]),
        from in prop_oneof![Just(OWNER), (0u8..3, 0u8..4).prop_map(|(c, d)| v4(c, d))],
        known in prop::bool::weighted(0.2),
        works in prop::bool::weighted(0.1),
        later in prop_oneof![4 => 0u64..50, 1 => 0u64..1_000_000],
    ) -> Attempt {
        Attempt { account, from, known, works, later }
    }
}

#[derive(Clone, Debug)]
struct Attempt {
    account: &'static str,
    from: IpAddr,
    /// On a device of its own, which is another's than the owner's.
    known: bool,
    works: bool,
    later: u64,
}

fn play(throttle: &mut Throttle, now: u64, attempt: &Attempt) -> Result<(), Wait> {
    let device = if attempt.known { device(attempt.account, 99) } else { None };
    let let_through = throttle.attempt(at(now), attempt.account, attempt.from, device);
    if let_through.is_ok() && attempt.works {
        throttle.succeeded(attempt.account, attempt.from, device);
    }
    let_through
}

proptest! {
    /// The promise: whatever others try, from anywhere, the account's own device is never made to wait.
    #[test]
    fn nobody_delays_the_owners_device(attacks in prop::collection::vec(attempts(), 0..300)) {
        let mut throttle = Throttle::new(Limits { remembered: 50, ..Limits::default() });
        let own = device("siti", 1);
        let (mut now, mut next) = (0, 0);
        for attack in attacks {
            now += attack.later;
            let _ = play(&mut throttle, now, &attack);
            if now >= next {
                prop_assert_eq!(throttle.attempt(at(now), "siti", OWNER, own), Ok(()));
                throttle.succeeded("siti", OWNER, own);
                next = now + 2000;
            }
        }
        prop_assert_eq!(throttle.attempt(at(now.max(next)), "siti", OWNER, own), Ok(()));
    }

    #[test]
    fn memory_is_bounded(
        attacks in prop::collection::vec((".{0,6}", any::<[u8; 16]>(), any::<u8>(), 0u64..2000), 0..200),
        remembered in 1usize..8,
    ) {
        let mut throttle = Throttle::new(Limits { remembered, ..Limits::default() });
        let mut now = 0;
        for (account, from, id, later) in attacks {
            now += later;
            let device = if id % 2 == 0 { device(&account, id) } else { None };
            let _ = throttle.attempt(at(now), &account, IpAddr::from(from), device);
            let sizes = [throttle.accounts.len(), throttle.sources.len(), throttle.devices.len()];
            prop_assert!(sizes.iter().all(|size| *size <= remembered), "{sizes:?}");
        }
        let most = throttle.limits.source_failures;
        prop_assert!(throttle.sources.iter().all(|(_, window)| window.len() <= most));
    }

    #[test]
    fn delays_never_fall(count: u32, failures in 0u32..10, first_delay_ms: u64, longest_delay_ms: u64) {
        let limits = Limits { failures, first_delay_ms, longest_delay_ms, ..WIDE };
        let (this, next) = (delay(count, &limits), delay(count.saturating_add(1), &limits));
        prop_assert!(this <= next && next <= longest_delay_ms);
        prop_assert!(count >= failures || this == 0);
    }

    /// However the clock is set: a wait ends when its time has passed, going forward, and not before.
    #[test]
    fn a_clock_that_is_set_unlocks_nothing_early_and_locks_nothing_for_ever(
        times in prop::collection::vec(0u64..40_000, 1..80),
    ) {
        let mut throttle = Throttle::new(Limits { failures: 1, ..WIDE });
        let (mut last, mut left) = (20_000, 1000);
        let mut delay = 1000;
        prop_assert_eq!(throttle.attempt(at(last), "siti", OWNER, None), Ok(()));
        for now in times {
            left = u64::saturating_sub(left, now.saturating_sub(last));
            last = now;
            let expected = if left == 0 { Ok(()) } else { Err(Wait { ms: left }) };
            prop_assert_eq!(throttle.attempt(at(now), "siti", OWNER, None), expected);
            if left == 0 {
                delay = u64::min(delay * 2, WIDE.longest_delay_ms);
                left = delay;
            }
        }
    }

    /// Against a model with nothing but lists: no source has more failures within the time than it may.
    #[test]
    fn no_window_has_more_failures_than_it_may(attacks in prop::collection::vec(attempts(), 0..300)) {
        let limits = Limits { source_failures: 4, source_within_ms: 5000, ..WIDE };
        let mut throttle = Throttle::new(limits);
        let mut failed: HashMap<Source, Vec<u64>> = HashMap::new();
        let mut now = 0;
        for attack in attacks {
            now += attack.later;
            let let_through = play(&mut throttle, now, &attack);
            if attack.known {
                continue;
            }
            let times = failed.entry(Source::of(attack.from)).or_default();
            times.retain(|time| now - *time < limits.source_within_ms);
            prop_assert_eq!(let_through.is_ok(), times.len() < limits.source_failures);
            if let_through.is_ok() && !attack.works {
                times.push(now);
            }
        }
    }

    #[test]
    fn any_time_may_come(times in prop::collection::vec(any::<u64>(), 0..40), known: bool) {
        let mut throttle = Throttle::new(Limits::default());
        for now in times {
            if let Err(wait) = throttle.attempt(at(now), "siti", OWNER, known.then(|| device("siti", 1)).flatten()) {
                prop_assert!(wait.ms <= Limits::default().longest_delay_ms);
            }
        }
    }
}
