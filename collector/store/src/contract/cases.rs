//! The procedure: cases, evidence, people, papers, notices.

use takar_collector_core::{
    case::{self, Act, By, Case, CaseId, Kind, Opening, Origin, Rules},
    inventory::UplinkName,
    ledger::Actor,
};
use takar_shared::{BitsPerSec, Digest, Direction, UnixMillis};

use super::{Reopen, fixture::link};
use crate::{
    AccountRow, AllocationRow, DeliveryRow, EvidenceRow, PaperFile, PaperKind, PaperRow, StoreError, StoredInventory,
    Write,
};

fn case(id: u64) -> Case {
    let uplink: UplinkName = "ast-01".parse().expect("a name");
    let origin = Origin::Person { name: "sri".into(), reason: "slow".into() };
    let links = vec![link("sd-02")];
    let (kind, direction) = (Kind::Reallocation, Direction::Down);
    let opening = Opening { kind, uplink, direction, links, origin, loan: None };
    case::open(CaseId(id), opening, Actor::Person("sri".into()), UnixMillis(5))
}

fn dismissed(case: &Case) -> Case {
    let act = Act::Dismiss { reason: "seen to be nothing".into() };
    case.apply(&act, &By::takar(), &Rules { four_eyes: true }, UnixMillis(9)).expect("a dismissal")
}

fn evidence(case: u64, kind: &str) -> EvidenceRow {
    let body = format!("{{\"kind\":\"{kind}\"}}");
    EvidenceRow { digest: Digest::of(body.as_bytes()), case: CaseId(case), at: UnixMillis(6), kind: kind.into(), body }
}

fn paper(number: &str, count: u32) -> PaperRow {
    let path = format!("2026/{count}/report.pdf");
    PaperRow {
        number: number.into(),
        kind: PaperKind::Report,
        year: 2026,
        count,
        case: Some(CaseId(1)),
        at: UnixMillis(7),
        files: vec![PaperFile { path, bytes: 3, digest: Digest::of(b"pdf") }],
    }
}

pub(super) fn what_was_put_is_there_after_reopening(mut open: Reopen) {
    let mut store = open();
    let refused = store.commit(&[Write::Evidence(evidence(1, "check"))]).expect_err("evidence of no case");
    assert!(matches!(refused, StoreError::Dangling { .. }), "{refused}");
    let (check, options) = (evidence(1, "check"), evidence(1, "options"));
    let account = |body: &str| AccountRow { name: "sri".into(), body: body.into() };
    let notice = |id, open| DeliveryRow { id, open, body: format!("{{\"id\":{id}}}") };
    let writes = [
        Write::Evidence(check.clone()),
        Write::Case(Box::new(case(1))),
        Write::Case(Box::new(case(2))),
        Write::Evidence(check.clone()),
        Write::Evidence(options.clone()),
        Write::Account(account("{}")),
        Write::Account(account("{\"role\":\"head\"}")),
        Write::Delivery(notice(1, true)),
        Write::Delivery(notice(2, true)),
        Write::Delivery(notice(1, false)),
        Write::Paper(paper("LAP-001", 1)),
    ];
    store.commit(&writes).expect("all of it");
    store.commit(&[Write::Case(Box::new(dismissed(&case(2))))]).expect("a case that is over");
    drop(store);

    let store = open();
    assert_eq!(store.open_cases().expect("cases"), [case(1)]);
    assert_eq!(store.cases(10).expect("cases"), [dismissed(&case(2)), case(1)], "the newest first");
    assert_eq!(store.cases(1).expect("cases").len(), 1);
    assert_eq!(store.case(CaseId(2)).expect("case"), Some(dismissed(&case(2))));
    assert_eq!(store.case(CaseId(3)).expect("case"), None);
    assert_eq!(store.next_case_id().expect("number"), CaseId(3));
    assert_eq!(store.evidence(options.digest).expect("evidence"), Some(options.clone()));
    assert_eq!(store.evidence_of(CaseId(1)).expect("evidence"), [check, options], "each once, as put");
    assert_eq!(store.evidence_of(CaseId(2)).expect("evidence"), []);
    assert_eq!(store.accounts().expect("accounts"), [account("{\"role\":\"head\"}")]);
    assert_eq!(store.open_deliveries().expect("notices"), [notice(2, true)]);
    assert_eq!(store.next_delivery_id().expect("number"), 3);
    assert_eq!(store.papers(10).expect("papers"), [paper("LAP-001", 1)]);
    assert_eq!(store.papers_of(CaseId(1)).expect("papers"), [paper("LAP-001", 1)]);
    assert_eq!(store.papers_of(CaseId(2)).expect("papers"), []);
}

pub(super) fn a_number_is_given_once(mut open: Reopen) {
    let mut store = open();
    store.commit(&[Write::Case(Box::new(case(1))), Write::Paper(paper("LAP-001", 1))]).expect("the first");
    for taken in [paper("LAP-001", 2), paper("LAP-002", 1)] {
        let refused = store.commit(&[Write::Paper(taken)]).expect_err("a number that is taken");
        assert!(matches!(refused, StoreError::NumberTaken { .. }), "{refused}");
    }
    let letter = PaperRow { kind: PaperKind::Letter, ..paper("LAP-001", 1) };
    let next_year = PaperRow { year: 2027, ..paper("LAP-001/2027", 1) };
    store.commit(&[Write::Paper(letter), Write::Paper(next_year)]).expect("another kind, another year");
    assert_eq!(store.next_paper(PaperKind::Report, 2026).expect("number"), 2);
    assert_eq!(store.next_paper(PaperKind::Report, 2028).expect("number"), 1);
}

pub(super) fn the_register_is_there_as_of_any_day(mut open: Reopen) {
    let mut store = open();
    let register = |at: u64| {
        let text = format!("# {at}");
        StoredInventory { at: UnixMillis(at), by: Actor::Takar, digest: Digest::of(text.as_bytes()), text }
    };
    let allocation = |at: u64, mir: u64| AllocationRow {
        link: link("sd-02"),
        direction: Direction::Down,
        cir: None,
        mir: BitsPerSec(mir),
        at: UnixMillis(at),
        change: None,
    };
    for (at, mir) in [(10, 100), (20, 200)] {
        let StoredInventory { at: when, by, text, digest } = register(at);
        let AllocationRow { link, direction, cir, mir, at, change } = allocation(at, mir);
        let writes = [
            Write::Inventory { at: when, by, text, digest },
            Write::Allocation { link, direction, cir, mir, at, change },
        ];
        store.commit(&writes).expect("a register");
    }
    let as_of = |at: u64| {
        let at = UnixMillis(at);
        let then = store.inventory_at(at).expect("register").map(|stored| stored.at.0);
        (then, store.allocations_at(at).expect("allocations").iter().map(|row| row.mir.0).collect::<Vec<_>>())
    };
    assert_eq!(as_of(9), (None, vec![]));
    assert_eq!(as_of(10), (Some(10), vec![100]));
    assert_eq!(as_of(19), (Some(10), vec![100]));
    assert_eq!(as_of(20), (Some(20), vec![200]));
    assert_eq!(as_of(u64::MAX), (Some(20), vec![200]));
}
