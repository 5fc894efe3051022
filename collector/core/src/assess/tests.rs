use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use proptest::prelude::*;

use super::*;
use crate::window::{QueueDelta, WindowSettings};

const MINUTE: u64 = 60_000;
const CEILING: BitsPerSec = BitsPerSec(10_000_000);

/// One link, a reading a minute.
struct Scene {
    window: Window,
    assessor: Assessor,
    minute: u64,
    ceiling: BitsPerSec,
}

impl Scene {
    fn new() -> Self {
        Self::with(AssessSettings::default())
    }

    fn with(settings: AssessSettings) -> Self {
        let window_settings = WindowSettings { reading_ms: MINUTE, keep: 20, ..WindowSettings::default() };
        let mut window = Window::new(window_settings, UnixMillis(0)).unwrap();
        window.set_ceiling(UnixMillis(0), CEILING);
        let assessor = Assessor::new("site-07".parse().unwrap(), Direction::Down, settings).unwrap();
        Self { window, assessor, minute: 0, ceiling: CEILING }
    }

    /// The ceiling from the next minute on.
    fn set_ceiling(&mut self, ceiling: BitsPerSec) {
        self.ceiling = ceiling;
        self.window.set_ceiling(UnixMillis(self.minute * MINUTE), ceiling);
    }

    /// A minute at so many thousandths of the ceiling.
    fn minute(&mut self, per_mille: u32) -> Verdict {
        let from = self.minute * MINUTE;
        let octets = self.ceiling.per_mille(per_mille).0 * 60 / 8;
        self.window.push_interval(UnixMillis(from), UnixMillis(from + MINUTE), octets);
        self.pass()
    }

    /// The same, with the queue's counters.
    fn minute_with_drops(&mut self, per_mille: u32, drops: u64) -> Verdict {
        let until = UnixMillis((self.minute + 1) * MINUTE);
        self.window.push_queue(until, QueueDelta { drops, ..QueueDelta::default() });
        self.minute(per_mille)
    }

    /// A minute in which nothing was read.
    fn pass(&mut self) -> Verdict {
        self.minute += 1;
        let now = UnixMillis(self.minute * MINUTE);
        let _ = self.window.close_until(now);
        self.assessor.update(now, &self.window)
    }

    fn minutes(&mut self, shares: &[u32]) -> Verdict {
        let mut verdicts: Vec<Verdict> = shares.iter().map(|share| self.minute(*share)).collect();
        verdicts.pop().unwrap()
    }
}

fn opened(verdict: Verdict) -> Finding {
    match verdict {
        Verdict::Opened(finding) => finding,
        other => panic!("expected a new finding, got: {other}"),
    }
}

fn standing(verdict: Verdict) -> Finding {
    match verdict {
        Verdict::Standing(finding) => finding,
        other => panic!("expected the finding to stand, got: {other}"),
    }
}

fn nothing(verdict: Verdict) -> NoFinding {
    match verdict {
        Verdict::None(why) => why,
        other => panic!("expected no finding, got: {other}"),
    }
}

fn ending(verdict: Verdict) -> Ending {
    match verdict {
        Verdict::Cleared(_, why) => why,
        other => panic!("expected the finding to end, got: {other}"),
    }
}

#[test]
fn four_of_six_saturated_readings_open_a_shortage() {
    let mut scene = Scene::new();
    assert_eq!(
        nothing(scene.minutes(&[700, 950, 980, 880, 940])),
        NoFinding::BelowThreshold { count: 3, need: 4, per_mille: 930 }
    );
    let finding = opened(scene.minute(950));
    assert_eq!((finding.kind, finding.direction), (FindingKind::Shortage, Direction::Down));
    assert_eq!(finding.since, UnixMillis(MINUTE));
    assert_eq!(finding.size, BitsPerSec(3_000_000));
    let shares: Vec<u32> = finding.evidence.readings.iter().map(|seen| seen.utilisation_per_mille).collect();
    assert_eq!(shares, [700, 950, 980, 880, 940, 950]);
    assert_eq!(
        finding.to_string(),
        "site-07 down lacks about 3 Mbit/s: 4 of 6 readings at 93 % of 10 Mbit/s or more, \
         95th percentile 9.8 Mbit/s, peak 9.8 Mbit/s, no queue counters"
    );
}

#[test]
fn too_few_readings_say_so() {
    let mut scene = Scene::new();
    assert_eq!(nothing(scene.minutes(&[990, 990, 990])), NoFinding::NotEnoughReadings { have: 3, need: 4 });
    assert!(matches!(scene.minute(990), Verdict::Opened(_)));
}

#[test]
fn a_plateau_that_never_touches_the_ceiling_is_no_shortage() {
    let why = nothing(Scene::new().minutes(&[950, 950, 950, 969, 950, 950]));
    assert_eq!(why, NoFinding::NoPeak { highest_per_mille: 969, need_per_mille: 970 });
    assert_eq!(why.to_string(), "the highest reading is at 96.9 % of the ceiling, a shortage has one at 97 % or more");
}

#[test]
fn what_is_already_over_does_not_open() {
    let settings = AssessSettings { saturated_count: 3, ..AssessSettings::default() };
    let why = nothing(Scene::with(settings).minutes(&[100, 100, 100, 990, 990, 400]));
    assert_eq!(why, NoFinding::BelowThreshold { count: 2, need: 3, per_mille: 930 });
    // The third saturated reading and the one after it come together, as after a lost connection.
    let mut scene = Scene::with(settings);
    let _ = scene.minutes(&[100, 100, 990, 990]);
    scene.window.push_interval(UnixMillis(4 * MINUTE), UnixMillis(5 * MINUTE), CEILING.0 * 60 / 8);
    scene.minute = 5;
    assert_eq!(nothing(scene.minute(400)), NoFinding::NewestBelow { newest_per_mille: 400, need_per_mille: 930 });
}

#[test]
fn without_drops_a_full_link_is_uncorroborated() {
    let mut scene = Scene::new();
    for _ in 0..3 {
        let _ = scene.minute_with_drops(990, 0);
    }
    assert_eq!(nothing(scene.minute_with_drops(990, 7)), NoFinding::Uncorroborated { count: 1, need: 2 });
    let finding = opened(scene.minute_with_drops(990, 7));
    assert_eq!(finding.evidence.queue.unwrap().drops, 14);
}

#[test]
fn without_a_need_for_it_the_queue_is_not_asked() {
    let mut scene = Scene::with(AssessSettings { require_queue_evidence: false, ..AssessSettings::default() });
    for _ in 0..3 {
        let _ = scene.minute_with_drops(990, 0);
    }
    let _ = opened(scene.minute_with_drops(990, 0));
}

#[test]
fn impossible_readings_and_the_first_after_a_gap_are_dropped() {
    let mut scene = Scene::new();
    let _ = scene.minutes(&[990, 990, 990]);
    let _ = scene.pass(); // a gap
    let _ = scene.minute(990);
    assert_eq!(nothing(scene.minute(3_000)), NoFinding::NotEnoughReadings { have: 3, need: 4 });
    let finding = opened(scene.minute(990));
    let why: Vec<WhyDropped> = finding.evidence.dropped.iter().map(|dropped| dropped.why).collect();
    assert_eq!(
        why,
        [
            WhyDropped::NotCovered { covered_ms: 0, length_ms: MINUTE },
            WhyDropped::AfterGap,
            WhyDropped::Implausible { per_mille: 3_000 }
        ]
    );
}

#[test]
fn a_restarted_counter_voids_its_reading() {
    let mut scene = Scene::new();
    let _ = scene.minutes(&[990, 990, 990]);
    scene.window.mark_break(UnixMillis(3 * MINUTE + 1));
    assert_eq!(nothing(scene.minute(990)), NoFinding::NotEnoughReadings { have: 3, need: 4 });
    assert_eq!(opened(scene.minute(990)).evidence.dropped[0].why, WhyDropped::Discontinuity);
}

#[test]
fn three_readings_below_85_percent_clear_it() {
    let mut scene = Scene::new();
    let _ = opened(scene.minutes(&[990, 990, 990, 990]));
    let _ = standing(scene.minutes(&[840, 840, 850]));
    let _ = standing(scene.minutes(&[840, 840]));
    let verdict = scene.minute(840);
    assert_eq!(
        verdict.to_string(),
        "site-07 down: shortage is over, the newest 3 readings are below 85 % of the ceiling"
    );
    assert_eq!(ending(verdict), Ending::Relieved { readings: 3, below_per_mille: 850 });
    assert_eq!(scene.assessor.standing(), None);
}

#[test]
fn a_raise_is_judged_anew_and_not_asked_for_twice() {
    let mut scene = Scene::new();
    let _ = opened(scene.minutes(&[990, 990, 990, 990]));
    scene.set_ceiling(BitsPerSec(12_000_000));
    let finding = standing(scene.minute(800));
    assert_eq!(finding.size, BitsPerSec(1_000_000), "13 Mbit/s wanted, 12 there");
    assert_eq!(finding.evidence.readings.len(), 1);
    assert_eq!(finding.evidence.dropped.last().unwrap().why, WhyDropped::OtherCeiling(CEILING));
    let finding = standing(scene.minute(800));
    assert_eq!(finding.size, BitsPerSec(1_000_000), "carried over once, not again");
    assert_eq!(ending(scene.minute(800)), Ending::Relieved { readings: 3, below_per_mille: 850 });
}

#[test]
fn six_idle_readings_are_a_surplus_until_the_link_is_used_again() {
    let mut scene = Scene::new();
    assert!(matches!(nothing(scene.minutes(&[100, 200, 300, 499, 100])), NoFinding::BelowThreshold { .. }));
    let finding = opened(scene.minute(100));
    assert_eq!((finding.kind, finding.size), (FindingKind::Surplus, BitsPerSec(5_010_000)));
    assert_eq!(
        finding.to_string(),
        "site-07 down leaves about 5.01 Mbit/s unused: 6 of 6 readings below 50 % of 10 Mbit/s, \
         95th percentile 4.99 Mbit/s, peak 4.99 Mbit/s, no queue counters"
    );
    let _ = standing(scene.minutes(&[600, 600, 100, 600, 600]));
    assert_eq!(ending(scene.minute(600)), Ending::InUse { readings: 3, from_per_mille: 500 });
}

#[test]
fn one_busy_reading_ends_a_surplus() {
    let mut scene = Scene::new();
    let _ = opened(scene.minutes(&[100; 6]));
    assert_eq!(ending(scene.minute(850)), Ending::InUse { readings: 1, from_per_mille: 850 });
}

#[test]
fn a_silent_link_is_not_measured_until_it_is_again() {
    let mut scene = Scene::new();
    let _ = opened(scene.minutes(&[990, 990, 990, 990]));
    for _ in 0..5 {
        let _ = standing(scene.pass());
    }
    assert_eq!(ending(scene.pass()), Ending::NotMeasured);
    let finding = opened(scene.pass());
    assert_eq!((finding.kind, finding.since), (FindingKind::NotMeasured, UnixMillis(4 * MINUTE)));
    assert!(finding.to_string().starts_with("site-07 down is not measured; "), "{finding}");
    let _ = standing(scene.minutes(&[100, 100]));
    assert_eq!(ending(scene.minute(100)), Ending::Measured { readings: 3 });
}

#[test]
fn a_link_that_never_answered_is_found_too() {
    let mut scene = Scene::new();
    for _ in 0..5 {
        assert!(matches!(nothing(scene.pass()), NoFinding::NotEnoughReadings { have: 0, .. }));
    }
    assert_eq!(opened(scene.pass()).kind, FindingKind::NotMeasured);
}

#[test]
fn without_a_ceiling_nothing_is_judged() {
    let mut scene = Scene::new();
    scene.window.set_ceiling(UnixMillis(0), BitsPerSec::ZERO);
    assert_eq!(nothing(scene.minutes(&[990; 6])), NoFinding::CeilingUnknown);
}

#[test]
fn a_finding_outlives_a_restart() {
    let mut scene = Scene::new();
    let before = opened(scene.minutes(&[990, 990, 990, 990]));
    let mut after = Scene::new();
    after.assessor = Assessor::resume(before.clone(), AssessSettings::default()).unwrap();
    assert_eq!(standing(after.pass()).since, before.since);
    assert!(Assessor::resume(before, AssessSettings { window: 0, ..AssessSettings::default() }).is_err());
}

#[test]
fn nothing_said_is_empty() {
    let reasons = [
        NoFinding::CeilingUnknown,
        NoFinding::NotEnoughReadings { have: 1, need: 4 },
        NoFinding::BelowThreshold { count: 1, need: 4, per_mille: 935 },
        NoFinding::NewestBelow { newest_per_mille: 1, need_per_mille: 2 },
        NoFinding::Uncorroborated { count: 1, need: 2 },
    ];
    let said: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    assert_eq!(said[0], "no ceiling is known");
    assert_eq!(said[1], "usable readings: 1, at least 4 are needed");
    assert_eq!(said[2], "readings at 93.5 % of the ceiling or more: 1, a shortage has 4");
    assert_eq!(said[3], "the newest reading is at 0.1 % of the ceiling, a shortage has 0.2 % or more");
    assert!(said[4].ends_with("waiting packets: 1, a shortage has 2"));
}

proptest! {
    /// Between clearing and opening a finding stands, whatever the noise.
    #[test]
    fn noise_does_not_make_it_flap(noise in proptest::collection::vec(850u32..1_000, 1..80)) {
        let mut scene = Scene::new();
        let since = opened(scene.minutes(&[990, 990, 990, 990])).since;
        for share in noise {
            prop_assert_eq!(standing(scene.minute(share)).since, since);
        }
    }

    /// And where there is none, noise below saturation opens none.
    #[test]
    fn noise_does_not_open_a_shortage(noise in proptest::collection::vec(501u32..930, 1..80)) {
        let mut scene = Scene::new();
        for share in noise {
            let verdict = scene.minute(share);
            prop_assert!(matches!(verdict, Verdict::None(_)), "{}", verdict);
        }
    }

    /// Whatever happens: openings and endings alternate, and a shortage is backed by its evidence.
    #[test]
    fn findings_open_and_end_in_turn(
        minutes in proptest::collection::vec((0u8..6, 0u32..1_200, 0u64..1_000_000), 1..120),
    ) {
        let mut scene = Scene::new();
        let mut in_force = false;
        for (what, share, drops) in minutes {
            let verdict = match what {
                0 => scene.pass(),
                1 => {
                    scene.set_ceiling(BitsPerSec(drops * 10));
                    scene.minute(share)
                }
                2 => {
                    scene.window.mark_break(UnixMillis(scene.minute * MINUTE));
                    scene.minute(share)
                }
                3 => scene.minute_with_drops(share, drops),
                4 => scene.minute_with_drops(940 + share / 20, drops),
                _ => scene.minute(940 + share / 20),
            };
            match &verdict {
                Verdict::Opened(finding) => {
                    prop_assert!(!in_force);
                    if finding.kind == FindingKind::Shortage {
                        let matching = finding.evidence.matching.unwrap();
                        prop_assert!(matching.readings >= 4);
                        prop_assert!(finding.evidence.readings.iter().any(|seen| seen.utilisation_per_mille >= 970));
                        prop_assert!(finding.size <= finding.evidence.ceiling.unwrap());
                    }
                }
                Verdict::Standing(_) | Verdict::Cleared(..) => prop_assert!(in_force),
                Verdict::None(_) => prop_assert!(!in_force),
            }
            in_force = verdict.in_force().is_some();
            prop_assert_eq!(scene.assessor.standing(), verdict.in_force());
            prop_assert!(!verdict.to_string().is_empty());
        }
    }
}
