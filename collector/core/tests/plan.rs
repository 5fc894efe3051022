//! Plans: who gives, who gains, why the rest stays; and that no plan ever fails its independent check.
#![allow(clippy::unwrap_used)] // helpers of tests may unwrap as tests do

use proptest::{collection::vec, option, prelude::*};
use takar_collector_core::plan::{
    Claim, ClaimDemand, HoldReason, LinkReason, Outcome, PlanInput, PlanSettings, Proposal, Reason, Violation, Why,
    check, plan,
};
use takar_shared::{BitsPerSec, Direction};

const K: u64 = 1_000;
const M: u64 = 1_000_000;

fn input(budget: u64, claims: Vec<Claim>) -> PlanInput {
    PlanInput {
        uplink: "ast-01".parse().unwrap(),
        direction: Direction::Down,
        capacity: BitsPerSec(100 * M),
        mir_budget: BitsPerSec(budget),
        claims,
        settings: PlanSettings::default(),
    }
}

fn claim(link: &str, current: u64, demand: ClaimDemand) -> Claim {
    Claim {
        link: link.parse().unwrap(),
        weight: 10,
        cir: Some(BitsPerSec(M)),
        floor: BitsPerSec(M),
        ceiling: BitsPerSec(100 * M),
        current_mir: BitsPerSec(current),
        demand,
        held: None,
    }
}

fn known(link: &str, current: u64, need: u64) -> Claim {
    claim(link, current, ClaimDemand::Known(BitsPerSec(need)))
}

fn pinned(link: &str, current: u64, need: u64) -> Claim {
    claim(link, current, ClaimDemand::AtLeast(BitsPerSec(need)))
}

fn moves(proposal: &Proposal) -> Vec<(&str, u64, u64)> {
    proposal.moves.iter().map(|step| (step.link.as_str(), step.from.0, step.to.0)).collect()
}

/// Plans, and insists that the second opinion agrees.
fn proposed(input: &PlanInput) -> Proposal {
    let outcome = plan(input);
    let proposal = outcome.proposal.unwrap_or_else(|| panic!("nothing proposed: {:?}", outcome.reasons));
    let found = check(&proposal, input);
    assert!(found.is_empty(), "{found:?}");
    proposal
}

fn refused(input: &PlanInput) -> Vec<(String, Reason)> {
    let outcome = plan(input);
    assert_eq!(outcome.proposal, None);
    reasons(outcome)
}

fn because(link: &str, reason: Reason) -> (String, Reason) {
    (link.into(), reason)
}

fn reasons(outcome: Outcome) -> Vec<(String, Reason)> {
    outcome.reasons.into_iter().map(|LinkReason { link, reason }| (link.to_string(), reason)).collect()
}

#[test]
fn a_pinned_link_gains_from_the_one_with_spare() {
    // `a` needs 10 with headroom 12, so it can give 38; `b` should have 30.
    let input =
        input(100 * M, vec![pinned("b", 20 * M, 30 * M), known("a", 50 * M, 10 * M), known("c", 30 * M, 29 * M)]);
    let outcome = plan(&input);
    let proposal = outcome.proposal.clone().unwrap();
    assert_eq!(moves(&proposal), [("a", 50 * M, 40 * M), ("b", 20 * M, 30 * M)]);
    assert_eq!((proposal.sum_before, proposal.sum_after), (BitsPerSec(100 * M), BitsPerSec(100 * M)));
    assert_eq!(proposal.moves[0].why, Why::Gives { spare: BitsPerSec(38 * M) });
    assert_eq!(proposal.moves[1].why, Why::Gets { wanted: BitsPerSec(30 * M), served_at: BitsPerSec(20 * M) });
    assert_eq!(reasons(outcome), [because("c", Reason::NotPinned { need: BitsPerSec(34_800 * K) })]);
    let texts: Vec<String> = proposal.moves.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "a: 50 Mbit/s to 40 Mbit/s. It holds 38 Mbit/s more than it needs with headroom.",
            "b: 20 Mbit/s to 30 Mbit/s. It is at its ceiling of 20 Mbit/s and is estimated to need 30 Mbit/s.",
        ]
    );
}

#[test]
fn what_nobody_holds_is_used_before_anybody_gives() {
    let input = input(100 * M, vec![pinned("b", 20 * M, 30 * M), known("a", 70 * M, 10 * M)]);
    let proposal = proposed(&input);
    assert_eq!(moves(&proposal), [("b", 20 * M, 30 * M)]);
    assert_eq!(reasons(plan(&input)), [because("a", Reason::SpareNotNeeded { spare: BitsPerSec(58 * M) })]);
}

#[test]
fn givers_give_in_proportion_and_the_smallest_not_at_all() {
    // Spare: a 40 - 12 = 28, b 26 - 12 = 14, c 12.05 - 12 = 0.05.
    let claims = vec![
        known("a", 40 * M, 10 * M),
        known("b", 26 * M, 10 * M),
        known("c", 12_050 * K, 10 * M),
        pinned("d", 20 * M, 23 * M),
    ];
    let input = input(98_050 * K, claims);
    assert_eq!(moves(&proposed(&input)), [("a", 40 * M, 38 * M), ("b", 26 * M, 25 * M), ("d", 20 * M, 23 * M)]);
}

#[test]
fn scarce_spare_raises_the_lowest_level_first() {
    let mut heavy = pinned("heavy", 30 * M, 90 * M);
    heavy.weight = 30;
    // 20 to give. Both hold 1 Mbit/s for each unit of weight, so they rise together, three to one.
    let input = input(72 * M, vec![heavy, pinned("light", 10 * M, 90 * M), known("z", 32 * M, 10 * M)]);
    assert_eq!(moves(&proposed(&input)), [("z", 32 * M, 12 * M), ("heavy", 30 * M, 45 * M), ("light", 10 * M, 15 * M)]);
}

#[test]
fn nothing_pinned_means_nothing_moves() {
    let input = input(100 * M, vec![known("a", 80 * M, 10 * M), known("b", 20 * M, 19 * M)]);
    assert_eq!(
        refused(&input),
        [
            because("a", Reason::NothingSaturated { need: BitsPerSec(12 * M) }),
            because("b", Reason::NothingSaturated { need: BitsPerSec(22_800 * K) }),
        ]
    );
}

#[test]
fn links_that_must_not_change_keep_what_they_hold() {
    let mut drifted = known("a", 60 * M, M);
    drifted.held = Some(HoldReason::Drifted);
    let unmeasured = claim("b", 20 * M, ClaimDemand::Unknown);
    let mut odd = known("c", 10 * M, M);
    odd.ceiling = BitsPerSec(8 * M);
    let input = input(100 * M, vec![drifted, unmeasured, odd, pinned("d", 10 * M, 50 * M)]);
    let bounds =
        Reason::OutsideBounds { current: BitsPerSec(10 * M), floor: BitsPerSec(M), ceiling: BitsPerSec(8 * M) };
    assert_eq!(
        refused(&input),
        [
            because("a", Reason::Held(HoldReason::Drifted)),
            because("b", Reason::NotMeasured),
            because("c", bounds),
            because("d", Reason::AtFairShare { share: BitsPerSec(10 * M) }),
        ]
    );
}

#[test]
fn a_queue_without_a_limit_takes_the_whole_uplink() {
    let claims = vec![known("a", 0, M), pinned("b", 20 * M, 90 * M), known("c", 30 * M, 30 * M)];
    // 150 of 200 is taken; `b` at most doubles.
    let proposal = proposed(&input(200 * M, claims.clone()));
    assert_eq!((moves(&proposal), proposal.sum_before), (vec![("b", 20 * M, 40 * M)], BitsPerSec(150 * M)));
    // Of 150 nothing is free. Half of what `a` leaves would be the fair share of `b`, but `c` needs all it has.
    let missing = BitsPerSec(5 * M);
    assert_eq!(refused(&input(150 * M, claims))[1], because("b", Reason::NoSpare { missing }));
}

#[test]
fn above_the_budget_every_gain_is_paid_for_twice() {
    // 120 held, 100 allowed. `b` gains 8; `a` gives 8 for it and 8 towards the excess.
    let over = input(100 * M, vec![known("a", 100 * M, 20 * M), pinned("b", 20 * M, 28 * M)]);
    let proposal = proposed(&over);
    assert_eq!(moves(&proposal), [("a", 100 * M, 84 * M), ("b", 20 * M, 28 * M)]);
    assert_eq!((proposal.sum_before, proposal.sum_after), (BitsPerSec(120 * M), BitsPerSec(112 * M)));

    let stuck = input(100 * M, vec![known("a", 90 * M, 80 * M), pinned("b", 20 * M, 28 * M)]);
    let (sum, budget) = (BitsPerSec(110 * M), BitsPerSec(100 * M));
    assert_eq!(refused(&stuck)[1], because("b", Reason::BudgetExceeded { sum, budget }));
}

#[test]
fn gains_are_neither_too_small_nor_too_large_nor_above_the_ceiling() {
    let donor = known("a", 50 * M, 10 * M);
    let small = input(100 * M, vec![donor.clone(), pinned("b", 20 * M, 20_900 * K)]);
    let reason = Reason::GainTooSmall { gain: BitsPerSec(904 * K), min: BitsPerSec(M) };
    assert_eq!(refused(&small)[1], because("b", reason));

    let mut careful = input(100 * M, vec![donor.clone(), pinned("b", 20 * M, 40 * M)]);
    careful.settings.max_gain_per_mille = 100;
    assert_eq!(moves(&proposed(&careful)), [("b", 20 * M, 22 * M)]);

    let mut capped = pinned("b", 20 * M, 40 * M);
    capped.ceiling = BitsPerSec(30_000_001);
    assert_eq!(moves(&proposed(&input(100 * M, vec![donor.clone(), capped.clone()]))), [("b", 20 * M, 30_000_001)]);
    capped.ceiling = BitsPerSec(20 * M);
    let ceiling = BitsPerSec(20 * M);
    assert_eq!(refused(&input(100 * M, vec![donor, capped]))[1], because("b", Reason::AtCeiling { ceiling }));
}

#[test]
fn nobody_is_lowered_to_unlimited() {
    // CAKE has no guarantee, so the floor may be 0; an idle link still keeps one granule.
    let mut idle = known("a", 30 * M, 0);
    (idle.cir, idle.floor) = (None, BitsPerSec::ZERO);
    let input = input(50 * M, vec![idle, pinned("b", 20 * M, 90 * M)]);
    assert_eq!(moves(&proposed(&input)), [("a", 30 * M, 10 * M), ("b", 20 * M, 40 * M)]);
    let mut eager = input.clone();
    eager.settings.max_gain_per_mille = 10_000;
    assert_eq!(moves(&proposed(&eager)), [("a", 30 * M, 8 * K), ("b", 20 * M, 49_992 * K)]);
}

type Tampering = fn(&mut Proposal);

fn case(expected: Violation, tampering: Tampering) -> (Violation, Tampering) {
    (expected, tampering)
}

#[test]
fn the_second_opinion_sees_every_tampering() {
    let input = input(70 * M, vec![known("a", 50 * M, 10 * M), pinned("b", 20 * M, 30 * M)]);
    let good = proposed(&input);
    assert_eq!(moves(&good), [("a", 50 * M, 40 * M), ("b", 20 * M, 30 * M)]);
    let (a, b) = (good.moves[0].link.clone(), good.moves[1].link.clone());
    let rate = BitsPerSec;
    let cases = [
        case(Violation::OtherUplink, |p| p.direction = Direction::Up),
        case(Violation::Empty, |p| p.moves.clear()),
        case(Violation::UnknownLink("z".parse().unwrap()), |p| p.moves[0].link = "z".parse().unwrap()),
        case(Violation::MovedTwice(b.clone()), |p| p.moves.push(p.moves[1].clone())),
        case(Violation::NotAMove(a.clone()), |p| p.moves[0].to = p.moves[0].from),
        case(Violation::Stale { link: a.clone(), from: rate(51 * M), current: rate(50 * M) }, |p| {
            p.moves[0].from = BitsPerSec(51 * M)
        }),
        case(Violation::CirChanged(a.clone()), |p| p.moves[0].cir = None),
        case(Violation::BelowFloor { link: a.clone(), to: rate(8 * K), floor: rate(M) }, |p| {
            p.moves[0].to = BitsPerSec(8 * K)
        }),
        case(Violation::BelowCir { link: a.clone(), to: rate(8 * K), cir: rate(M) }, |p| {
            p.moves[0].to = BitsPerSec(8 * K)
        }),
        case(Violation::AboveCeiling { link: b.clone(), to: rate(104 * M), ceiling: rate(100 * M) }, |p| {
            p.moves[1].to = BitsPerSec(104 * M)
        }),
        case(Violation::Zero(a.clone()), |p| p.moves[0].to = BitsPerSec::ZERO),
        case(Violation::Uneven { link: b.clone(), to: rate(29_999_999) }, |p| p.moves[1].to = BitsPerSec(29_999_999)),
        case(Violation::RaisedWithoutNeed(a.clone()), |p| p.moves[0].to = BitsPerSec(56 * M)),
        case(Violation::RaisedTooMuch { link: b, gain: rate(28 * M), most: rate(20 * M) }, |p| {
            p.moves[1].to = BitsPerSec(48 * M)
        }),
        case(Violation::CutIntoNeed { link: a, to: rate(11 * M), need: rate(12 * M) }, |p| {
            p.moves[0].to = BitsPerSec(11 * M)
        }),
        case(Violation::WrongSums { before: rate(70 * M), after: rate(70 * M) }, |p| p.sum_after = BitsPerSec(69 * M)),
        case(Violation::OverBudget { after: rate(80 * M), budget: rate(70 * M) }, |p| drop(p.moves.remove(0))),
    ];
    for (expected, tamper) in cases {
        let mut bad = good.clone();
        tamper(&mut bad);
        let found = check(&bad, &input);
        assert!(found.contains(&expected), "{expected:?} not in {found:?}");
    }

    let mut held = input.clone();
    held.claims[0].held = Some(HoldReason::PendingChange);
    assert_eq!(check(&good, &held), [Violation::Unmovable(good.moves[0].link.clone())]);
    let over = PlanInput { mir_budget: BitsPerSec(60 * M), ..input.clone() };
    let not_lower = Violation::NotLower { before: BitsPerSec(70 * M), after: BitsPerSec(70 * M) };
    assert!(check(&good, &over).contains(&not_lower));
}

fn any_demand() -> impl Strategy<Value = ClaimDemand> {
    prop_oneof![
        3 => (0u64..400).prop_map(|need| ClaimDemand::Known(BitsPerSec(need))),
        3 => (0u64..800).prop_map(|need| ClaimDemand::AtLeast(BitsPerSec(need))),
        1 => Just(ClaimDemand::Unknown),
    ]
}

/// Mostly consistent claims of a few hundred bit/s, some outside their bounds, some without a limit.
fn any_claim() -> impl Strategy<Value = Claim> {
    let rates = (option::of(0u64..60), 0u64..60, 0u64..400, prop_oneof![1 => Just(0u64), 20 => 0u64..400]);
    let held = option::weighted(0.1, Just(HoldReason::CoolDown { left_s: 60 }));
    (1u32..=20, rates, any_demand(), held).prop_map(|(weight, (cir, floor, room, current), demand, held)| Claim {
        weight,
        cir: cir.map(BitsPerSec),
        floor: BitsPerSec(floor),
        ceiling: BitsPerSec(floor + room),
        held,
        ..claim("unnamed", current, demand)
    })
}

fn any_settings() -> impl Strategy<Value = PlanSettings> {
    let granule = prop_oneof![Just(1u64), Just(8), Just(16)];
    (0u32..500, 0u32..200, 0u64..40, granule, 0u32..2000).prop_map(
        |(headroom, min_gain_per_mille, min, granule, most)| PlanSettings {
            headroom_per_mille: headroom,
            min_gain_per_mille,
            min_gain: BitsPerSec(min),
            granule: BitsPerSec(granule),
            max_gain_per_mille: most,
        },
    )
}

fn any_input() -> impl Strategy<Value = PlanInput> {
    (0u64..1500, 500u32..3000, vec(any_claim(), 0..8), any_settings()).prop_map(
        |(capacity, contention, mut claims, settings)| {
            for (index, claim) in claims.iter_mut().enumerate() {
                claim.link = format!("l{index}").parse().unwrap();
            }
            let capacity = BitsPerSec(capacity);
            PlanInput { capacity, mir_budget: capacity.per_mille(contention), settings, ..input(0, claims) }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_plan_fails_its_check(input in any_input()) {
        if let Some(proposal) = plan(&input).proposal {
            let found = check(&proposal, &input);
            prop_assert!(found.is_empty(), "{found:?}");
        }
    }

    #[test]
    fn every_link_moves_or_has_a_reason(input in any_input()) {
        let outcome = plan(&input);
        let moves = outcome.proposal.iter().flat_map(|proposal| &proposal.moves).map(|step| step.link.clone());
        let mut named: Vec<_> = outcome.reasons.iter().map(|reason| reason.link.clone()).chain(moves).collect();
        named.sort();
        let all: Vec<_> = input.claims.iter().map(|claim| claim.link.clone()).collect();
        prop_assert_eq!(named, all);
    }

    #[test]
    fn nothing_moves_unless_somebody_is_pinned(mut input in any_input()) {
        for claim in &mut input.claims {
            if let ClaimDemand::AtLeast(need) = claim.demand {
                claim.demand = ClaimDemand::Known(need);
            }
        }
        prop_assert_eq!(plan(&input).proposal, None);
    }

    #[test]
    fn the_order_of_claims_does_not_matter(
        (input, shuffled) in any_input().prop_flat_map(|input| {
            let shuffled = Just(input.claims.clone()).prop_shuffle();
            (Just(input), shuffled)
        }),
    ) {
        let other = PlanInput { claims: shuffled, ..input.clone() };
        prop_assert_eq!(plan(&input), plan(&other));
    }
}
