//! Step 2: each thing that looks like a shortage is told from one, and nothing is confirmed over a failed check.
#![allow(clippy::unwrap_used)] // helpers of tests may unwrap as tests do

use proptest::prelude::*;
use takar_collector_core::{
    assess::{Evidence, Finding, FindingKind},
    verify::{DeviceSeen, Input, InterfaceSeen, Outcome, Verdict, Verification, VerifySettings, What, verify},
    window::Reading,
};
use takar_shared::{
    BitsPerSec, Direction, UnixMillis,
    facts::{Duplex, InterfaceFacts, Switch},
};

const CEILING: BitsPerSec = BitsPerSec(8_000_000);
const LENGTH_MS: u64 = 300_000;

/// All that a verification is made of, owned.
#[derive(Clone, Debug)]
struct Case {
    readings: Vec<Reading>,
    device: DeviceSeen,
    interface: Option<(InterfaceFacts, Option<InterfaceFacts>, Vec<UnixMillis>)>,
    recorded: BitsPerSec,
    observed: Option<BitsPerSec>,
    now: UnixMillis,
}

fn finding() -> Finding {
    Finding {
        link: "sd-02".parse().unwrap(),
        direction: Direction::Down,
        kind: FindingKind::Shortage,
        since: UnixMillis(0),
        size: BitsPerSec(1_000_000),
        evidence: Evidence {
            judged_at: UnixMillis(0),
            ceiling: Some(CEILING),
            matching: None,
            readings: Vec::new(),
            load: None,
            queue: None,
            dropped: Vec::new(),
        },
    }
}

fn reading(index: u64, per_mille: u64) -> Reading {
    Reading {
        start: UnixMillis(index * LENGTH_MS),
        length_ms: LENGTH_MS,
        octets: CEILING.0 / 8 * (LENGTH_MS / 1000) * per_mille / 1000,
        covered_ms: LENGTH_MS,
        queue: None,
        ceiling: Some(CEILING),
        ceiling_changed: false,
        broken: false,
        gap_before: false,
        valid: true,
    }
}

fn facts() -> InterfaceFacts {
    InterfaceFacts {
        name: takar_shared::id::name("ether1").unwrap(),
        admin: Switch::Up,
        oper: Switch::Up,
        high_speed_mbps: Some(1_000),
        duplex: Duplex::Full,
        unchanged_for_ms: Some(86_400_000),
        in_errors: 5,
        out_errors: 0,
        in_discards: 0,
        out_discards: 900,
    }
}

fn sound() -> Case {
    let now = UnixMillis(6 * LENGTH_MS);
    Case {
        readings: (0..6).map(|index| reading(index, 995)).collect(),
        device: DeviceSeen { online: true, polled_ok: true, heard_at: Some(UnixMillis(now.0 - 1_000)) },
        interface: Some((facts(), Some(facts()), Vec::new())),
        recorded: CEILING,
        observed: Some(CEILING),
        now,
    }
}

fn verified(case: &Case) -> Verification {
    let finding = finding();
    let interface = case.interface.as_ref().map(|(facts, before, transitions)| InterfaceSeen {
        at: case.now,
        facts,
        before: before.as_ref().map(|before| (UnixMillis(0), before)),
        transitions,
    });
    let input = Input {
        finding: &finding,
        readings: &case.readings,
        device: case.device,
        interface,
        recorded: case.recorded,
        observed: case.observed,
        now: case.now,
    };
    verify(&input, &VerifySettings::default())
}

fn verdict(change: impl FnOnce(&mut Case)) -> Verdict {
    let mut case = sound();
    change(&mut case);
    verified(&case).verdict
}

#[test]
fn a_real_shortage_is_confirmed() {
    assert_eq!(verdict(|_| {}), Verdict::Confirmed);
    assert_eq!(verdict(|case| case.interface = None), Verdict::Confirmed, "what nobody tells blocks nothing");
}

#[test]
fn what_only_looks_like_one_is_not() {
    use Verdict::{NotYet, RuledOut};
    let with = |change: fn(&mut InterfaceFacts)| verdict(|case| change(&mut case.interface.as_mut().unwrap().0));
    assert_eq!(verdict(|case| case.readings.truncate(2)), NotYet(What::Continuity));
    let restarted =
        verdict(|case| case.readings.iter_mut().skip(1).for_each(|one| (one.broken, one.valid) = (true, false)));
    assert_eq!(restarted, NotYet(What::Continuity));
    assert_eq!(
        verdict(|case| case.readings.iter_mut().skip(2).for_each(|one| one.octets /= 3)),
        NotYet(What::Sustained)
    );
    assert_eq!(verdict(|case| case.device.polled_ok = false), NotYet(What::DeviceUp));
    assert_eq!(verdict(|case| case.device.heard_at = Some(UnixMillis(0))), NotYet(What::DeviceUp));
    assert_eq!(with(|facts| facts.oper = Switch::Down), NotYet(What::DeviceUp));
    assert_eq!(with(|facts| facts.duplex = Duplex::Half), RuledOut(What::Duplex));
    assert_eq!(with(|facts| facts.high_speed_mbps = Some(7)), RuledOut(What::Duplex), "a line slower than the ceiling");
    assert_eq!(with(|facts| facts.in_errors += 50_000), RuledOut(What::LinkErrors));
    assert_eq!(with(|facts| facts.in_errors += 10), Verdict::Confirmed, "a few are chance");
    let now = sound().now;
    let flapped = |times: usize| {
        verdict(move |case| case.interface.as_mut().unwrap().2 = vec![UnixMillis(now.0 - 60_000); times])
    };
    assert_eq!((flapped(1), flapped(2)), (Verdict::Confirmed, RuledOut(What::Flaps)));
    assert_eq!(verdict(|case| case.observed = Some(BitsPerSec::ZERO)), RuledOut(What::QueueEffect));
    assert_eq!(verdict(|case| case.observed = Some(BitsPerSec(9_000_000))), RuledOut(What::QueueEffect));
    assert_eq!(
        verdict(|case| case.readings[5] = reading(5, 1_200)),
        RuledOut(What::QueueEffect),
        "it holds nothing back"
    );
}

fn any_case() -> impl Strategy<Value = Case> {
    let reading = (0u64..2_000, any::<(bool, bool, bool)>(), prop::option::of(0u64..2)).prop_map(
        |(per_mille, (broken, valid, ceiling_changed), ceiling)| {
            let ceiling = ceiling.map(|has| BitsPerSec(CEILING.0 * has));
            Reading { broken, valid, ceiling_changed, ceiling, ..reading(0, per_mille) }
        },
    );
    let switch = prop_oneof![Just(Switch::Up), Just(Switch::Down), Just(Switch::Other), Just(Switch::Unknown)];
    let duplex = prop_oneof![Just(Duplex::Half), Just(Duplex::Full), Just(Duplex::Unknown)];
    let facts = (switch, duplex, prop::option::of(any::<u32>()), any::<(u32, u32)>()).prop_map(
        |(oper, duplex, high_speed_mbps, (in_errors, out_errors))| InterfaceFacts {
            oper,
            duplex,
            high_speed_mbps,
            in_errors,
            out_errors,
            ..facts()
        },
    );
    let interface = prop::option::of((
        facts.clone(),
        prop::option::of(facts),
        prop::collection::vec(any::<u64>().prop_map(UnixMillis), 0..4),
    ));
    let device = (any::<(bool, bool)>(), prop::option::of(any::<u64>()))
        .prop_map(|((online, polled_ok), heard)| DeviceSeen { online, polled_ok, heard_at: heard.map(UnixMillis) });
    let rates = (any::<u64>(), prop::option::of(any::<u64>()));
    (prop::collection::vec(reading, 0..12), device, interface, rates, any::<u64>()).prop_map(
        |(mut readings, device, interface, (recorded, observed), now)| {
            for (index, reading) in (0u64..).zip(&mut readings) {
                reading.start = UnixMillis(index * LENGTH_MS);
            }
            let (recorded, observed) = (BitsPerSec(recorded), observed.map(BitsPerSec));
            Case { readings, device, interface, recorded, observed, now: UnixMillis(now) }
        },
    )
}

proptest! {
    #[test]
    fn nothing_is_confirmed_over_a_failed_check(case in any_case()) {
        let verification = verified(&case);
        prop_assert_eq!(&verification, &verified(&case));
        let order: Vec<What> = verification.checks.iter().map(|check| check.what).collect();
        prop_assert_eq!(order, What::ALL.to_vec());
        let failed = verification.checks.iter().any(|check| check.outcome == Outcome::Failed);
        prop_assert_eq!(verification.verdict == Verdict::Confirmed, !failed);
        for check in &verification.checks {
            prop_assert!(!check.evidence.to_string().is_empty());
        }
        let text = serde_json::to_string(&verification).unwrap();
        prop_assert_eq!(serde_json::from_str::<Verification>(&text).unwrap(), verification);
    }
}
