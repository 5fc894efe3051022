//! What keeps a link out of plans, and what only a person may approve: whatever modes and maintenance are, no plan moves
//! a link that is only observed, worked on, or cannot be polled, and policy approves no plan that moves one which is not
//! live.
#![allow(clippy::unwrap_used)] // helpers of tests may unwrap as tests do

use proptest::{collection::vec, prelude::*};
use takar_collector_core::{
    inventory::{LinkMode, LinkName},
    plan::{Claim, ClaimDemand, HoldReason, PlanInput, PlanSettings, Proposal, Reason, Standing, check, plan},
    policy::Policy,
};
use takar_shared::{BitsPerSec, Direction};

const M: u64 = 1_000_000;

/// Nothing keeps it out.
const FREE: Standing = Standing {
    changing: false,
    resting: false,
    unanswered: false,
    mode: LinkMode::Live,
    commanded: true,
    read: true,
    drifted: false,
    bypassed: false,
    rests_ms: 0,
};

fn claim(name: &str, current: u64, demand: ClaimDemand, standing: &Standing) -> Claim {
    Claim {
        link: name.parse().unwrap(),
        weight: 10,
        cir: Some(BitsPerSec(M)),
        floor: BitsPerSec(M),
        ceiling: BitsPerSec(100 * M),
        current_mir: BitsPerSec(current),
        demand,
        held: standing.hold(),
    }
}

fn input(claims: Vec<Claim>) -> PlanInput {
    let sum = claims.iter().map(|claim| claim.current_mir).sum();
    PlanInput {
        uplink: "ast-01".parse().unwrap(),
        direction: Direction::Down,
        capacity: BitsPerSec(1_000 * M),
        mir_budget: sum,
        claims,
        settings: PlanSettings { max_gain_per_mille: 400, ..PlanSettings::default() },
    }
}

fn policy() -> Policy {
    Policy { approve: true, max_gain_per_mille: 500, uplinks: Vec::new() }
}

/// One link that starves, one that has plenty, and what comes of it.
fn between(giver: Standing, seeker: Standing) -> (Option<Proposal>, Vec<(String, Reason)>) {
    let outcome = plan(&input(vec![
        claim("giver", 50 * M, ClaimDemand::Known(BitsPerSec(10 * M)), &giver),
        claim("seeker", 20 * M, ClaimDemand::AtLeast(BitsPerSec(40 * M)), &seeker),
    ]));
    (outcome.proposal, outcome.reasons.into_iter().map(|one| (one.link.to_string(), one.reason)).collect())
}

#[test]
fn a_link_that_is_kept_out_neither_gives_nor_gets_and_that_is_said() {
    let observed = (Standing { mode: LinkMode::Observe, ..FREE }, HoldReason::Observed);
    let resting = (Standing { resting: true, ..FREE }, HoldReason::Maintenance);
    assert!(between(FREE, FREE).0.is_some());
    let silent = (Standing { unanswered: true, ..FREE }, HoldReason::NotPolled);
    let past = (Standing { bypassed: true, ..FREE }, HoldReason::Bypassed);
    for (out, why) in [observed, resting, silent, past] {
        for (giver, seeker, kept) in [(out, FREE, "giver"), (FREE, out, "seeker")] {
            let (proposal, reasons) = between(giver, seeker);
            assert_eq!(proposal, None);
            assert!(reasons.contains(&(kept.into(), Reason::Held(why))), "{reasons:?}");
        }
    }
}

#[test]
fn policy_approves_between_live_links_only() {
    for giver in LinkMode::ALL {
        for seeker in LinkMode::ALL {
            let of = |mode| Standing { mode, ..FREE };
            let Some(proposal) = between(of(giver), of(seeker)).0 else {
                assert!(giver == LinkMode::Observe || seeker == LinkMode::Observe);
                continue;
            };
            let mode_of = |link: &LinkName| if link.as_str() == "giver" { giver } else { seeker };
            let both_live = (giver, seeker) == (LinkMode::Live, LinkMode::Live);
            assert_eq!(policy().allows(&proposal, mode_of), both_live, "{giver} {seeker}");
            assert!(!Policy { approve: false, ..policy() }.allows(&proposal, mode_of));
            assert!(!Policy { uplinks: vec!["other".into()], ..policy() }.allows(&proposal, mode_of));
            assert!(!Policy { max_gain_per_mille: 300, ..policy() }.allows(&proposal, mode_of));
        }
    }
}

fn any_standing() -> impl Strategy<Value = Standing> {
    let mode = prop_oneof![1 => Just(LinkMode::Observe), 1 => Just(LinkMode::Propose), 4 => Just(LinkMode::Live)];
    let rare = || prop::bool::weighted(0.1);
    let rests = prop_oneof![6 => Just(0_u64), 1 => 1..600_000_u64];
    (mode, rare(), rare(), (rare(), rare()), rare(), (rare(), rare()), rests).prop_map(
        |(mode, changing, resting, (silent, unanswered), unread, (drifted, bypassed), rests_ms)| Standing {
            changing,
            resting,
            mode,
            commanded: !silent,
            unanswered,
            read: !unread,
            drifted,
            bypassed,
            rests_ms,
        },
    )
}

fn any_links() -> impl Strategy<Value = Vec<(Standing, Claim)>> {
    let demand = prop_oneof![
        (1..60 * M).prop_map(|need| ClaimDemand::Known(BitsPerSec(need))),
        (1..90 * M).prop_map(|need| ClaimDemand::AtLeast(BitsPerSec(need))),
        Just(ClaimDemand::Unknown),
    ];
    vec((any_standing(), 2 * M..80 * M, demand), 2..12).prop_map(|links| {
        let links = links.into_iter().enumerate();
        links
            .map(|(index, (standing, current, demand))| {
                (standing, claim(&format!("l{index:02}"), current, demand, &standing))
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_plan_moves_what_is_kept_out_and_policy_none_that_a_person_approves(links in any_links()) {
        let input = input(links.iter().map(|(_, claim)| claim.clone()).collect());
        let standing = |link: &LinkName| links.iter().find(|(_, claim)| claim.link == *link).unwrap().0;
        let outcome = plan(&input);
        for moved in outcome.proposal.iter().flat_map(|proposal| &proposal.moves) {
            let standing = standing(&moved.link);
            prop_assert_eq!(standing.hold(), None);
            prop_assert!(standing.mode != LinkMode::Observe && !standing.resting && !standing.unanswered);
        }
        if let Some(proposal) = &outcome.proposal {
            prop_assert!(check(proposal, &input).is_empty());
            let all_live = proposal.moves.iter().all(|one| standing(&one.link).mode == LinkMode::Live);
            // Gains are within what the policy allows here, so that modes alone decide.
            prop_assert_eq!(policy().allows(proposal, |link| standing(link).mode), all_live);
        }
        for (standing, claim) in links.iter().filter(|(standing, _)| standing.hold().is_some()) {
            let said = outcome.reasons.iter().find(|one| one.link == claim.link).map(|one| one.reason);
            prop_assert_eq!(said, standing.hold().map(Reason::Held));
        }
    }
}
