//! The procedure: no move skips a step, closes without a report, or lets whoever asked approve where four eyes are
//! asked for. Whatever is tried, in whatever order, by whomever.
#![allow(clippy::unwrap_used)] // helpers of tests may unwrap as tests do

use proptest::prelude::*;
use takar_collector_core::{
    calendar::{Calendar, Zone},
    case::{
        self, Act, Answer, By, Case, CaseId, Dialogue, Kind, Loan, Opening, Origin, Outcome, Pause, Refused, Role,
        Rules, Standard, State, Step, StepResult,
    },
    inventory::{LinkName, ProviderName, UplinkName},
    ledger::{Actor, ProposalId},
};
use takar_shared::{BitsPerSec, Digest, Direction, UnixMillis};

const EVIDENCE: Digest = Digest([7; 32]);

fn person(name: &str, role: Role) -> By {
    By { actor: Actor::Person(name.into()), role }
}

fn provider() -> ProviderName {
    "isp".parse().unwrap()
}

fn link() -> LinkName {
    "sd-02".parse().unwrap()
}

fn loan(from: u64, until: u64) -> Loan {
    Loan {
        link: link(),
        to: BitsPerSec(20_000_000),
        from: UnixMillis(from),
        until: UnixMillis(until),
        asked_by: Actor::Person("ani".into()),
        granted_by: None,
        lent: None,
    }
}

fn opened(loan: Option<Loan>, now: u64) -> Case {
    let uplink: UplinkName = "ast-01".parse().unwrap();
    let kind = if loan.is_some() { Kind::Bod } else { Kind::Reallocation };
    let origin = Origin::Finding { id: 3, sentence: "it lacks".into(), lacking: BitsPerSec(5) };
    let opening = Opening { kind, uplink, direction: Direction::Down, links: vec![link()], origin, loan };
    case::open(CaseId(1), opening, Actor::Takar, UnixMillis(now))
}

fn dialogue(now: u64) -> Dialogue {
    Dialogue {
        provider: provider(),
        title: "ISP".into(),
        capacity: BitsPerSec(1_000_000),
        number: "B-1".into(),
        wanted: BitsPerSec(100),
        price_idr: Some(1),
        asked_at: UnixMillis(now),
        asked_by: Actor::Person("ani".into()),
        sent: None,
        reminded: Vec::new(),
        answer: None,
        accepted: None,
    }
}

fn answer(agreed: bool, now: u64) -> Answer {
    Answer {
        agreed,
        by: "Tono".into(),
        at: UnixMillis(now),
        ticket: None,
        promised: None,
        remark: None,
        recorded_by: Actor::Takar,
    }
}

fn any_by() -> impl Strategy<Value = By> {
    prop_oneof![
        4 => Just(By::takar()),
        1 => Just(By::policy()),
        3 => prop_oneof![Just("ani"), Just("budi")].prop_map(|name| person(name, Role::Member)),
        3 => prop_oneof![Just("ani"), Just("citra")].prop_map(|name| person(name, Role::Head)),
        1 => Just(person("isp", Role::Provider(provider()))),
        1 => Just(person("other", Role::Other)),
    ]
}

fn any_act() -> impl Strategy<Value = Act> {
    let proposal = || (1u64..5).prop_map(ProposalId);
    let reason = || prop_oneof![4 => Just("because".to_owned()), 1 => Just(" ".to_owned())];
    prop_oneof![
        3 => Just(Act::Check { evidence: EVIDENCE }),
        3 => any::<bool>().prop_map(|confirmed| Act::Verify { evidence: EVIDENCE, confirmed }),
        1 => reason().prop_map(|reason| Act::Confirm { reason }),
        1 => reason().prop_map(|reason| Act::Dismiss { reason }),
        1 => (1u64..5).prop_map(|finding| Act::Join { finding, link: link() }),
        1 => Just(Act::Weigh { evidence: EVIDENCE }),
        4 => proposal().prop_map(|proposal| Act::Propose { proposal }),
        1 => proposal().prop_map(|proposal| Act::Supersede { proposal }),
        1 => (proposal(), reason()).prop_map(|(proposal, reason)| Act::Decline { proposal, reason }),
        4 => proposal().prop_map(|proposal| Act::Approve { proposal }),
        2 => Just(Act::Grant),
        1 => Just(Act::FindNothing { evidence: EVIDENCE }),
        1 => Just(Act::Replan),
        1 => (0u64..1000).prop_map(|now| Act::AskProvider { dialogue: Box::new(dialogue(now)) }),
        1 => Just(Act::Sent { how: "e-mail".into() }),
        1 => Just(Act::Remind),
        1 => (any::<bool>(), 0u64..1000).prop_map(|(agreed, now)| Act::Answered { answer: answer(agreed, now) }),
        1 => Just(Act::Accept { measured: BitsPerSec(9) }),
        1 => (0u64..20_000, reason()).prop_map(|(until, reason)| Act::Defer { until: UnixMillis(until), reason }),
        2 => Just(Act::Resume),
        1 => reason().prop_map(|reason| Act::Conclude { reason }),
        4 => proposal().prop_map(|proposal| Act::Carry { proposal, evidence: EVIDENCE }),
        2 => proposal()
            .prop_map(|proposal| Act::RollBack { proposal, why: "it did not hold".into(), evidence: EVIDENCE }),
        1 => reason().prop_map(|reason| Act::EndLoan { reason }),
        1 => reason().prop_map(|reason| Act::Returned { reason }),
        3 => reason().prop_map(|number| Act::Report { number, evidence: EVIDENCE }),
        1 => Just(Act::Overdue),
        2 => Just(Act::Receive { remark: None }),
        1 => reason().prop_map(|text| Act::Remark { text }),
        1 => reason().prop_map(|to| Act::Assign { to }),
    ]
}

/// What must hold of a case after any move.
fn sound(before: &Case, after: &Case, act: &Act, by: &By, four_eyes: bool) -> Result<(), TestCaseError> {
    // Steps only grow, one at a time, in order; the one way back is from 4 to 3.
    prop_assert!(after.steps.len() >= before.steps.len());
    for pair in after.steps.windows(2) {
        let (this, next) = (&pair[0], &pair[1]);
        prop_assert!(this.ended.is_some() && this.result.is_some(), "a step was left open");
        prop_assert!(next.began >= this.began);
        let forward = this.step.next() == Some(next.step) && this.round == next.round;
        let again = (this.step, next.step) == (Step::Allocate, Step::Coordinate)
            && next.round == this.round + 1
            && this.result == Some(StepResult::RolledBack);
        prop_assert!(forward || again, "{} to {}", this.step, next.step);
    }
    match &after.state {
        State::Closed { .. } => {
            let steps: Vec<Step> =
                Step::ALL.into_iter().filter(|step| after.steps.iter().any(|at| at.step == *step)).collect();
            prop_assert_eq!(steps, Step::ALL.to_vec(), "closed without every step");
            prop_assert!(after.report.is_some() && after.received.is_some() && after.outcome.is_some());
            prop_assert_eq!(&by.role, &Role::Head);
        }
        State::Dismissed { .. } => {
            prop_assert!(after.at().unwrap().step == Step::Identify && after.proposals.is_empty())
        }
        State::Open | State::Paused(_) => prop_assert!(after.at().unwrap().ended.is_none()),
    }
    let is_paused = matches!(after.state, State::Paused(_));
    prop_assert_eq!(is_paused, after.at().unwrap().paused.last().is_some_and(|(_, end)| end.is_none()));
    if let Act::Approve { .. } | Act::Grant = act {
        prop_assert!(matches!(by.role, Role::Head | Role::Policy));
        let asked = if after.loan.is_some() {
            after.loan.as_ref().map(|loan| &loan.asked_by)
        } else {
            after.proposed_by.as_ref()
        };
        if four_eyes && by.role == Role::Head {
            prop_assert_ne!(asked, Some(&by.actor));
        }
    }
    // An allocation was approved: step 4 is only begun by a decision, or to say that there is nothing to do.
    let began_4 = after.steps.len() > before.steps.len() && before.at().unwrap().step == Step::Coordinate;
    if began_4 {
        prop_assert!(matches!(act, Act::Approve { .. } | Act::Grant | Act::Conclude { .. }), "{}", act.as_str());
    }
    if let Some(Outcome::Allocated | Outcome::Returned) = after.outcome {
        prop_assert!(!after.proposals.is_empty());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_is_tried_the_procedure_holds(
        tries in prop::collection::vec((any_act(), any_by(), 0u64..400), 1..60),
        four_eyes in any::<bool>(),
        borrowed in prop::option::of((0u64..3_000, 1u64..6_000)),
    ) {
        let rules = Rules { four_eyes };
        let loan = borrowed.map(|(from, long)| loan(from, from + long));
        let (mut case, mut now) = (opened(loan, 0), 0);
        for (act, by, later) in tries {
            now += later;
            match case.apply(&act, &by, &rules, UnixMillis(now)) {
                Ok(after) => {
                    sound(&case, &after, &act, &by, four_eyes)?;
                    case = after;
                }
                Err(refused) => {
                    let said = refused.to_string();
                    prop_assert!(!said.is_empty() && !said.contains('\n'));
                    if !case.is_open() {
                        let is_over = matches!(refused, Refused::Over { .. });
                        prop_assert!(is_over);
                    }
                }
            }
        }
    }
}

struct Story {
    case: Case,
    now: u64,
}

impl Story {
    fn new(loan: Option<Loan>) -> Self {
        Self { case: opened(loan, 1_000), now: 1_000 }
    }

    fn by(&mut self, by: &By, act: Act) -> &mut Self {
        self.now += 10;
        let rules = Rules { four_eyes: true };
        self.case = self.case.apply(&act, by, &rules, UnixMillis(self.now)).unwrap();
        self
    }

    fn refused(&self, by: &By, act: Act) -> Refused {
        self.case.apply(&act, by, &Rules { four_eyes: true }, UnixMillis(self.now + 10)).unwrap_err()
    }

    fn verified(&mut self) -> &mut Self {
        self.by(&By::takar(), Act::Check { evidence: EVIDENCE })
            .by(&By::takar(), Act::Verify { evidence: EVIDENCE, confirmed: true })
    }

    fn reported_and_received(&mut self) {
        self.by(&By::takar(), Act::Report { number: "LAP-1".into(), evidence: EVIDENCE });
        self.by(&person("citra", Role::Head), Act::Receive { remark: Some("baik".into()) });
    }
}

const ONE: ProposalId = ProposalId(1);
const TWO: ProposalId = ProposalId(2);

#[test]
fn the_straight_way() {
    let mut story = Story::new(None);
    story
        .verified()
        .by(&By::takar(), Act::Propose { proposal: ONE })
        .by(&By::policy(), Act::Approve { proposal: ONE })
        .by(&By::takar(), Act::Carry { proposal: ONE, evidence: EVIDENCE })
        .reported_and_received();
    assert_eq!(story.case.word(), "archived");
    assert_eq!(story.case.outcome, Some(Outcome::Allocated));
    assert_eq!(story.case.evidence().count(), 4);
    assert!(matches!(story.refused(&By::takar(), Act::Resume), Refused::Over { word: "archived" }));
}

#[test]
fn a_rollback_reopens_the_case() {
    let mut story = Story::new(None);
    story.verified().by(&By::takar(), Act::Propose { proposal: ONE }).by(&By::policy(), Act::Approve { proposal: ONE });
    story.by(&By::takar(), Act::RollBack { proposal: ONE, why: "no confirmation".into(), evidence: EVIDENCE });
    assert_eq!((story.case.step(), story.case.at().unwrap().round), (Some(Step::Coordinate), 2));
    story
        .by(&By::takar(), Act::Propose { proposal: TWO })
        .by(&person("citra", Role::Head), Act::Approve { proposal: TWO })
        .by(&By::takar(), Act::Carry { proposal: TWO, evidence: EVIDENCE })
        .reported_and_received();
    assert_eq!(story.case.steps.len(), 8);
}

#[test]
fn a_declined_proposal_ends_in_a_report_all_the_same() {
    let mut story = Story::new(None);
    let head = person("citra", Role::Head);
    story.verified().by(&By::takar(), Act::Propose { proposal: ONE });
    assert!(matches!(story.refused(&head, Act::Conclude { reason: "no".into() }), Refused::Because(_)));
    story.by(&head, Act::Decline { proposal: ONE, reason: "exam week".into() });
    assert!(story.case.left_to_people);
    story.by(&person("budi", Role::Member), Act::Conclude { reason: "after the exams".into() });
    assert_eq!(story.case.step(), Some(Step::Report));
    story.reported_and_received();
    assert!(matches!(story.case.outcome, Some(Outcome::NotCarriedOut { .. })));
}

#[test]
fn whoever_proposed_may_not_approve() {
    let mut story = Story::new(None);
    let ani = person("ani", Role::Head);
    story.verified().by(&ani, Act::Propose { proposal: ONE });
    let refused = story.refused(&ani, Act::Approve { proposal: ONE });
    assert_eq!(refused, Refused::FourEyes { who: "ani".into() });
    let alone = Rules { four_eyes: false };
    assert!(story.case.apply(&Act::Approve { proposal: ONE }, &ani, &alone, UnixMillis(9_000)).is_ok());
    assert!(matches!(
        story.refused(&person("budi", Role::Member), Act::Approve { proposal: ONE }),
        Refused::NotYours { .. }
    ));
    story.by(&person("citra", Role::Head), Act::Approve { proposal: ONE });
}

#[test]
fn the_provider_answers_once_and_approval_waits_for_it() {
    let mut story = Story::new(None);
    let (ani, isp) = (person("ani", Role::Member), person("isp", Role::Provider(provider())));
    story.verified().by(&ani, Act::AskProvider { dialogue: Box::new(dialogue(1)) });
    assert_eq!(story.case.kind, Kind::Addition);
    let other = person("x", Role::Provider("other".parse().unwrap()));
    assert!(matches!(story.refused(&other, Act::Answered { answer: answer(true, 2) }), Refused::NotYours { .. }));
    assert!(matches!(story.refused(&ani, Act::Accept { measured: BitsPerSec(1) }), Refused::Because(_)));
    story.by(&By::takar(), Act::Propose { proposal: ONE });
    assert!(matches!(
        story.refused(&person("citra", Role::Head), Act::Approve { proposal: ONE }),
        Refused::Because("the provider was asked and has not answered yet")
    ));
    story.by(&isp, Act::Answered { answer: answer(true, 2) });
    assert!(matches!(story.refused(&isp, Act::Answered { answer: answer(false, 3) }), Refused::Because(_)));
    story.by(&ani, Act::Accept { measured: BitsPerSec(100) });
    story.by(&person("citra", Role::Head), Act::Approve { proposal: ONE });
    assert_eq!(story.case.step(), Some(Step::Allocate));
}

#[test]
fn a_loan_begins_and_comes_back() {
    let mut story = Story::new(Some(loan(5_000, 9_000)));
    story.verified();
    let ani = person("ani", Role::Head);
    assert_eq!(story.refused(&ani, Act::Grant), Refused::FourEyes { who: "ani".into() });
    story.by(&person("citra", Role::Head), Act::Grant);
    assert_eq!(story.case.word(), "scheduled");
    assert!(matches!(story.refused(&By::takar(), Act::Resume), Refused::Because(_)), "not before its time");
    story.now = 5_000;
    story
        .by(&By::takar(), Act::Resume)
        .by(&By::takar(), Act::Propose { proposal: ONE })
        .by(&By::takar(), Act::Carry { proposal: ONE, evidence: EVIDENCE });
    assert_eq!(story.case.state, State::Paused(Pause::OnLoan { until: UnixMillis(9_000) }));
    story.now = 9_000;
    story.by(&By::takar(), Act::Resume).by(&By::takar(), Act::Propose { proposal: TWO });
    // What does not come back at once is tried again; the loan is not forgotten.
    story.by(&By::takar(), Act::RollBack { proposal: TWO, why: "offline".into(), evidence: EVIDENCE });
    assert_eq!(story.case.step(), Some(Step::Allocate));
    let three = ProposalId(3);
    story
        .by(&By::takar(), Act::Propose { proposal: three })
        .by(&By::takar(), Act::Carry { proposal: three, evidence: EVIDENCE });
    assert_eq!(story.case.outcome, Some(Outcome::Returned));
    story.reported_and_received();
}

/// Clocks count working time, and stand still while the case waits for a date.
#[test]
fn a_deferral_stops_the_clock() {
    let calendar = Calendar::around_the_clock(Zone::Wib);
    let standard = Standard::default();
    assert_eq!(standard.total_minutes(), 210);
    let minute = 60_000;
    let mut story = Story::new(None);
    story.verified();
    let began = story.case.at().unwrap().began.0;
    let member = person("budi", Role::Member);
    story.now = began + 20 * minute;
    story.by(&member, Act::Defer { until: UnixMillis(began + 1_000 * minute), reason: "new fibre".into() });
    assert_eq!(story.case.kind, Kind::Deferral);
    let at = |case: &Case, now: u64| case.at().unwrap().worked_ms(&calendar, UnixMillis(now)) / minute;
    assert_eq!(at(&story.case, began + 900 * minute), 20);
    story.now = began + 1_000 * minute;
    story.by(&By::takar(), Act::Resume);
    assert_eq!(story.case.kind, Kind::Reallocation);
    let record = story.case.at().unwrap();
    assert!(!record.is_overdue(&calendar, &standard, UnixMillis(began + 1_009 * minute)));
    assert!(record.is_overdue(&calendar, &standard, UnixMillis(began + 1_011 * minute)));
    let due = record.due_at(&calendar, &standard, UnixMillis(story.now)).0;
    assert_eq!(due.abs_diff(began + 1_010 * minute) / 1_000, 0);
}
