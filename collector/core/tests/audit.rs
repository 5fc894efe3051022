//! Promise P7: the audit log is a tree that anybody can recompute from its lines (RFC 6962), and what was tampered with or
//! left out is found.
#![allow(clippy::unwrap_used)] // helpers of tests may unwrap as tests do

use proptest::{collection::vec, prelude::*, sample::Index};
use sha2::{Digest as _, Sha256};
use takar_collector_core::{
    audit::{AuditEvent, AuditRecord, AuditTree, Fault, verify},
    case::CaseId,
    ledger::{Actor, ProposalId},
    maintenance::MaintenanceId,
};
use takar_shared::{ChangeId, Digest, UnixMillis};

/// RFC 6962, section 2.1, word for word: slow, and shares nothing with the room.
fn tree_hash(leaves: &[Vec<u8>]) -> Digest {
    match leaves {
        [] => Digest(Sha256::digest(b"").into()),
        [leaf] => Digest(Sha256::new().chain_update([0u8]).chain_update(leaf).finalize().into()),
        _ => {
            let mut split = 1;
            while split * 2 < leaves.len() {
                split *= 2;
            }
            let (left, right) = leaves.split_at(split);
            let node = Sha256::new().chain_update([1u8]).chain_update(tree_hash(left).0);
            Digest(node.chain_update(tree_hash(right).0).finalize().into())
        }
    }
}

/// The test vectors of the Certificate Transparency reference implementation.
#[test]
fn roots_are_those_of_certificate_transparency() {
    let leaves: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut tree = AuditTree::default();
    for (size, root) in (0u64..).zip(roots) {
        assert_eq!((tree.size(), tree.root().to_string().as_str()), (size, root));
        if let Some(leaf) = leaves.get(size as usize) {
            tree.push(leaf);
        }
    }
}

/// One of each event, and the line it is stored as. Lines already stored must read back: revert the change, not this test.
#[test]
fn stored_lines_never_change() {
    let text = |text: &str| text.to_owned();
    let (proposal, change, serial) = (ProposalId(7), text("c1"), 3);
    let events = [
        (
            AuditEvent::DeviceApproved { agent: text("a1"), name: text("edge") },
            r#"{"event":"device-approved","agent":"a1","name":"edge"}"#,
        ),
        (
            AuditEvent::InventoryImported { digest: text("d1"), uplinks: 1, links: 2 },
            r#"{"event":"inventory-imported","digest":"d1","uplinks":1,"links":2}"#,
        ),
        (
            AuditEvent::Proposed { proposal, summary: text("a \"b\""), case: None },
            r#"{"event":"proposed","proposal":7,"summary":"a \"b\""}"#,
        ),
        (
            AuditEvent::Proposed { proposal, summary: text("a"), case: Some(CaseId(2)) },
            r#"{"event":"proposed","proposal":7,"summary":"a","case":2}"#,
        ),
        (AuditEvent::Approved { proposal }, r#"{"event":"approved","proposal":7}"#),
        (AuditEvent::Declined { proposal, reason: text("no") }, r#"{"event":"declined","proposal":7,"reason":"no"}"#),
        (
            AuditEvent::Superseded { proposal, why: text("drift") },
            r#"{"event":"superseded","proposal":7,"why":"drift"}"#,
        ),
        (
            AuditEvent::Dispatched {
                change: change.clone(),
                proposal,
                agent: text("a1"),
                device: text("edge"),
                serial,
                command: text("d2"),
                set: vec![text("queue q down mir=8")],
            },
            r#"{"event":"dispatched","change":"c1","proposal":7,"agent":"a1","device":"edge","serial":3,"command":"d2","set":["queue q down mir=8"]}"#,
        ),
        (
            AuditEvent::ConfirmSigned { change: change.clone(), serial },
            r#"{"event":"confirm-signed","change":"c1","serial":3}"#,
        ),
        (
            AuditEvent::Received { change: change.clone(), serial, phase: text("applied"), receipt: text("d3") },
            r#"{"event":"received","change":"c1","serial":3,"phase":"applied","receipt":"d3"}"#,
        ),
        (AuditEvent::Withdrawn { change, proposal }, r#"{"event":"withdrawn","change":"c1","proposal":7}"#),
        (
            AuditEvent::DeviceRevoked { agent: text("a1"), name: text("edge") },
            r#"{"event":"device-revoked","agent":"a1","name":"edge"}"#,
        ),
        (
            AuditEvent::CaseOpened {
                case: CaseId(2),
                kind: text("bod"),
                uplink: text("u"),
                direction: text("down"),
                origin: text("finding 3"),
            },
            r#"{"event":"case-opened","case":2,"kind":"bod","uplink":"u","direction":"down","origin":"finding 3"}"#,
        ),
        (
            AuditEvent::CaseMoved {
                case: CaseId(2),
                act: text("check"),
                step: 1,
                state: text("identify"),
                proposal: None,
                evidence: Some(text("d4")),
                text: None,
            },
            r#"{"event":"case-moved","case":2,"act":"check","step":1,"state":"identify","evidence":"d4"}"#,
        ),
        (
            AuditEvent::MaintenanceAdded {
                maintenance: MaintenanceId(3),
                scope: text("site sd-02"),
                from: UnixMillis(10),
                until: UnixMillis(20),
                reason: text("fibre"),
            },
            r#"{"event":"maintenance-added","maintenance":3,"scope":"site sd-02","from":10,"until":20,"reason":"fibre"}"#,
        ),
        (
            AuditEvent::MaintenanceEnded { maintenance: MaintenanceId(3), scope: text("site sd-02") },
            r#"{"event":"maintenance-ended","maintenance":3,"scope":"site sd-02"}"#,
        ),
        (
            AuditEvent::LinkModeChanged { link: text("sd-02"), from: text("live"), to: text("observe") },
            r#"{"event":"link-mode-changed","link":"sd-02","from":"live","to":"observe"}"#,
        ),
        (
            AuditEvent::PaperWritten {
                number: text("LAP-1"),
                kind: text("report"),
                case: Some(CaseId(2)),
                files: vec![(text("a.pdf"), text("d5"))],
            },
            r#"{"event":"paper-written","number":"LAP-1","kind":"report","case":2,"files":[["a.pdf","d5"]]}"#,
        ),
        (
            AuditEvent::AccountChanged { account: text("siti"), what: text("added") },
            r#"{"event":"account-changed","account":"siti","what":"added"}"#,
        ),
        (AuditEvent::LoggedIn { account: text("siti") }, r#"{"event":"logged-in","account":"siti"}"#),
    ];
    let actors = [
        (Actor::Person(text("ana")), r#"{"person":"ana"}"#),
        (Actor::Policy, r#""policy""#),
        (Actor::Takar, r#""takar""#),
    ];
    for (what, event) in events {
        for (who, actor) in actors.clone() {
            let record = AuditRecord { index: 5, at: UnixMillis(1_000), who, from: None, what: what.clone() };
            let line = format!(r#"{{"index":5,"at":1000,"who":{actor},"what":{event}}}"#);
            assert_eq!(serde_json::to_string(&record).unwrap(), line);
            assert_eq!(parse(line.as_bytes()), Some(record.clone()));
            let from = Some(text("socket uid 7"));
            let line = format!(r#"{{"index":5,"at":1000,"who":{actor},"from":"socket uid 7","what":{event}}}"#);
            assert_eq!(serde_json::to_string(&AuditRecord { from, ..record }).unwrap(), line);
        }
    }
}

fn parse(line: &[u8]) -> Option<AuditRecord> {
    serde_json::from_slice(line).ok()
}

fn id(number: u8) -> ChangeId {
    ChangeId([number; 16])
}

fn line(index: u64, what: AuditEvent) -> Vec<u8> {
    serde_json::to_vec(&AuditRecord { index, at: UnixMillis(1_000 + index), who: Actor::Takar, from: None, what })
        .unwrap()
}

/// The lines of a log of these events. A change is sent once: where it is sent again something else happened.
fn log(events: &[AuditEvent]) -> Vec<Vec<u8>> {
    let mut sent = std::collections::HashSet::new();
    let once = events.iter().map(|event| match event {
        AuditEvent::Dispatched { change, .. } if !sent.insert(change.clone()) => {
            AuditEvent::Approved { proposal: ProposalId(1) }
        }
        event => event.clone(),
    });
    (0u64..).zip(once).map(|(index, what)| line(index, what)).collect()
}

/// What is written down with the last record.
fn head(lines: &[Vec<u8>]) -> (u64, Digest) {
    (lines.len() as u64, AuditTree::from_leaves(lines.to_vec()).root())
}

fn dispatched(change: u8) -> AuditEvent {
    AuditEvent::Dispatched {
        change: id(change).to_string(),
        proposal: ProposalId(1),
        agent: "a1".into(),
        device: "edge".into(),
        serial: u64::from(change),
        command: "d1".into(),
        set: vec![],
    }
}

/// Everything but a `Dispatched`.
fn any_other_event() -> impl Strategy<Value = AuditEvent> {
    let proposal = ProposalId(1);
    (0u8..40, ".{0,12}").prop_flat_map(move |(change, text)| {
        let change = id(change).to_string();
        prop_oneof![
            Just(AuditEvent::Approved { proposal }),
            Just(AuditEvent::Declined { proposal, reason: text.clone() }),
            Just(AuditEvent::ConfirmSigned { change: change.clone(), serial: 1 }),
            Just(AuditEvent::Received { change: change.clone(), serial: 1, phase: text, receipt: "d1".into() }),
            Just(AuditEvent::Withdrawn { change, proposal }),
        ]
    })
}

fn any_event() -> impl Strategy<Value = AuditEvent> {
    prop_oneof![any_other_event(), (0u8..40).prop_map(dispatched)]
}

/// What somebody with the database open might do.
#[derive(Clone, Debug)]
enum Tampering {
    FlipBit {
        line: Index,
        byte: Index,
        bit: u8,
    },
    Drop(Index),
    Repeat(Index),
    Swap(Index, Index),
    /// Another event in place of one, well-formed and numbered right.
    Rewrite(Index, AuditEvent),
    Append(AuditEvent),
    /// One dropped, and those after it numbered anew.
    DropAndRenumber(Index),
}

fn any_tampering() -> impl Strategy<Value = Tampering> {
    let index = any::<Index>;
    prop_oneof![
        (index(), index(), 0u8..8).prop_map(|(line, byte, bit)| Tampering::FlipBit { line, byte, bit }),
        index().prop_map(Tampering::Drop),
        index().prop_map(Tampering::Repeat),
        (index(), index()).prop_map(|(one, other)| Tampering::Swap(one, other)),
        (index(), any_event()).prop_map(|(line, event)| Tampering::Rewrite(line, event)),
        any_event().prop_map(Tampering::Append),
        index().prop_map(Tampering::DropAndRenumber),
    ]
}

fn tamper(events: &[AuditEvent], tampering: &Tampering) -> Vec<Vec<u8>> {
    let mut events = events.to_vec();
    let mut lines = log(&events);
    let count = lines.len();
    match tampering {
        Tampering::FlipBit { line, byte, bit } => {
            let line = &mut lines[line.index(count)];
            let at = byte.index(line.len());
            line[at] ^= 1 << bit;
        }
        Tampering::Drop(at) => drop(lines.remove(at.index(count))),
        Tampering::Repeat(at) => lines.insert(at.index(count), lines[at.index(count)].clone()),
        Tampering::Swap(one, other) => lines.swap(one.index(count), other.index(count)),
        Tampering::Rewrite(at, event) => lines[at.index(count)] = line(at.index(count) as u64, event.clone()),
        Tampering::Append(event) => lines.push(line(count as u64, event.clone())),
        Tampering::DropAndRenumber(at) => {
            events.remove(at.index(count));
            lines = log(&events);
        }
    }
    lines
}

/// Changes of these logs are of one proposal.
fn approved_first(mut events: Vec<AuditEvent>) -> Vec<AuditEvent> {
    events.insert(0, AuditEvent::Approved { proposal: ProposalId(1) });
    events
}

fn but_for_approvals(mut faults: Vec<Fault>) -> Vec<Fault> {
    faults.retain(|fault| !matches!(fault, Fault::NotApproved { .. }));
    faults
}

fn faults_of(events: &[AuditEvent]) -> Vec<Fault> {
    let lines = log(events);
    verify(&lines, parse, head(&lines), &[])
}

#[test]
fn a_change_that_nobody_approved_before_is_found() {
    let approved = AuditEvent::Approved { proposal: ProposalId(1) };
    let other = AuditEvent::Approved { proposal: ProposalId(2) };
    let fault = vec![Fault::NotApproved { change: id(3).to_string(), proposal: ProposalId(1) }];
    assert_eq!(faults_of(&[approved.clone(), dispatched(3)]), vec![]);
    assert_eq!(faults_of(&[dispatched(3)]), fault);
    assert_eq!(faults_of(&[other, dispatched(3)]), fault);
    assert_eq!(faults_of(&[dispatched(3), approved]), fault, "afterwards is too late");
}

#[test]
fn a_proposal_that_belongs_to_no_case_is_found() {
    let opened = AuditEvent::CaseOpened {
        case: CaseId(1),
        kind: "reallocation".into(),
        uplink: "u".into(),
        direction: "down".into(),
        origin: "finding 1".into(),
    };
    let proposed = |case: Option<u64>| AuditEvent::Proposed {
        proposal: ProposalId(7),
        summary: String::new(),
        case: case.map(CaseId),
    };
    assert_eq!(faults_of(&[proposed(None)]), vec![], "of before there were cases");
    assert_eq!(faults_of(&[opened.clone(), proposed(Some(1))]), vec![]);
    assert_eq!(faults_of(&[opened.clone(), proposed(None)]), vec![Fault::NoCase { proposal: ProposalId(7) }]);
    assert_eq!(faults_of(&[opened, proposed(Some(2))]), vec![Fault::NotOpened { case: CaseId(2) }]);
    assert_eq!(faults_of(&[proposed(Some(1))]), vec![Fault::NotOpened { case: CaseId(1) }]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_root_is_what_the_lines_say_after_every_push(leaves in vec(vec(any::<u8>(), 0..20), 0..40)) {
        let mut tree = AuditTree::default();
        for size in 0..=leaves.len() {
            let so_far = &leaves[..size];
            prop_assert_eq!((tree.size(), tree.root()), (size as u64, tree_hash(so_far)));
            prop_assert_eq!(AuditTree::from_leaves(so_far.to_vec()).root(), tree.root());
            if let Some(leaf) = leaves.get(size) {
                tree.push(leaf);
            }
        }
    }

    #[test]
    fn an_honest_log_has_no_fault(events in vec(any_event(), 0..30)) {
        let events = approved_first(events);
        let lines = log(&events);
        let sent: Vec<ChangeId> = (0u8..40).map(id).filter(|change| events.contains(&dispatched(change.0[0]))).collect();
        prop_assert_eq!(verify(&lines, parse, head(&lines), &sent), vec![]);
    }

    #[test]
    fn whatever_is_done_to_a_log_is_found(events in vec(any_event(), 1..30), tampering in any_tampering()) {
        let honest = log(&events);
        let tampered = tamper(&events, &tampering);
        prop_assume!(tampered != honest);
        let faults = verify(&tampered, parse, head(&honest), &[]);
        prop_assert!(faults.iter().any(|fault| matches!(fault, Fault::Root { .. })), "{faults:?}");
        let stored = honest.len() as u64;
        let size = Fault::Size { leaves: tampered.len() as u64, stored };
        prop_assert_eq!(faults.contains(&size), tampered.len() != honest.len());
    }

    /// The root of a log that was tampered with may be written anew, too. What its lines themselves say is still found.
    #[test]
    fn records_out_of_order_are_found_under_any_root(events in vec(any_event(), 2..30), at in any::<Index>()) {
        let mut lines = log(&events);
        let at = at.index(lines.len() - 1);
        lines.swap(at, at + 1);
        let faults = verify(&lines, parse, head(&lines), &[]);
        let expected = [at, at + 1].map(|at| Fault::OutOfOrder { index: at as u64 });
        prop_assert_eq!(but_for_approvals(faults), expected);
    }

    #[test]
    fn a_line_that_is_no_record_is_found_under_any_root(events in vec(any_event(), 1..30), at in any::<Index>()) {
        let mut lines = log(&events);
        let at = at.index(lines.len());
        lines[at].pop();
        let faults = verify(&lines, parse, head(&lines), &[]);
        prop_assert_eq!(but_for_approvals(faults), vec![Fault::Unreadable { index: at as u64 }]);
    }

    #[test]
    fn a_change_that_was_sent_twice_is_found(events in vec(any_other_event(), 0..10), change in 0u8..40) {
        let mut lines = log(&approved_first(events));
        for _ in 0..2 {
            lines.push(line(lines.len() as u64, dispatched(change)));
        }
        let twice = Fault::SentTwice { change: id(change).to_string() };
        prop_assert_eq!(verify(&lines, parse, head(&lines), &[id(change)]), vec![twice]);
    }

    /// No other record of a change stands in for the one that it was sent.
    #[test]
    fn a_change_without_its_leaf_is_found(
        others in vec(any_other_event(), 0..20),
        logged in prop::collection::btree_set(0u8..40, 0..10),
        sent in prop::collection::btree_set(0u8..40, 0..10),
    ) {
        let events: Vec<AuditEvent> = others.into_iter().chain(logged.iter().copied().map(dispatched)).collect();
        let lines = log(&approved_first(events));
        let changes: Vec<ChangeId> = sent.iter().copied().map(id).collect();
        let faults = verify(&lines, parse, head(&lines), &changes);
        let missing = sent.difference(&logged).map(|change| Fault::NoLeaf { change: id(*change).to_string() });
        prop_assert_eq!(faults, missing.collect::<Vec<_>>());
    }
}
