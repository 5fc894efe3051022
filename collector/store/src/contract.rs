//! What every backend must do, whatever it is made of. A backend's own tests run [`contract`].
//!
//! It panics where a backend does otherwise: it is a test, only kept where every backend's tests can reach it.

mod cases;
mod decided;
mod fixture;
mod measured;

use takar_shared::{BootEpoch, Seq, UnixMillis};

use crate::{MeterId, Store, StoreError, Write};
use fixture::{AGENT, CHANGE, OTHER_CHANGE};

/// Opens one place: empty the first time, and later with whatever was left there. Called only when the store that it
/// opened before is dropped.
pub type Reopen = Box<dyn FnMut() -> Box<dyn Store>>;

/// Runs the whole suite. `place` makes a new, empty place.
///
/// # Panics
/// Where the backend breaks the contract.
pub fn contract(place: &mut dyn FnMut() -> Reopen) {
    let checks: [fn(Reopen); 20] = [
        an_empty_store_knows_nothing,
        a_commit_is_all_or_nothing,
        what_is_named_must_be_stored,
        measured::what_was_put_is_there_after_reopening,
        measured::stored_up_to_never_falls,
        measured::samples_are_appended_and_read_by_range,
        measured::meters_keep_their_ids,
        measured::ceilings_tell_what_was_in_force,
        measured::a_quarantine_lasts_until_the_agent_is_approved_again,
        decided::what_was_put_is_there_after_reopening,
        decided::records_are_replaced_by_id,
        decided::the_newest_mode_of_a_link_counts,
        decided::maintenance_is_there_until_it_is_over,
        decided::a_serial_carries_one_command,
        decided::leaves_come_in_order,
        decided::receipts_chain,
        decided::marks_never_fall,
        cases::what_was_put_is_there_after_reopening,
        cases::a_number_is_given_once,
        cases::the_register_is_there_as_of_any_day,
    ];
    for check in checks {
        check(place());
    }
}

fn an_empty_store_knows_nothing(mut open: Reopen) {
    let mut store = open();
    store.commit(&[]).expect("nothing can always be committed");
    assert_eq!(store.agents().expect("agents"), []);
    assert_eq!(store.meters().expect("meters"), []);
    assert_eq!(store.stored_up_to(AGENT).expect("mark"), None);
    assert_eq!(store.newest_birth(AGENT).expect("birth"), None);
    assert_eq!(store.quarantine(AGENT).expect("quarantine"), None);
    assert_eq!(store.reported_serials(AGENT).expect("serials"), []);
    assert_eq!(store.samples_of_all(UnixMillis(0), UnixMillis(u64::MAX)).expect("samples"), []);
    assert_eq!(store.sample_count().expect("count"), 0);
    assert_eq!(store.inventory().expect("inventory"), None);
    assert_eq!(store.allocations().expect("allocations"), []);
    assert_eq!(store.link_modes().expect("modes"), []);
    assert_eq!(store.maintenances(10).expect("maintenances"), []);
    assert_eq!(store.next_maintenance_id().expect("number").0, 1);
    assert_eq!(store.findings(false, 10).expect("findings"), []);
    assert_eq!(store.next_finding_id().expect("number"), 1);
    assert_eq!(store.proposals(10).expect("proposals"), []);
    assert_eq!(store.next_proposal_id().expect("number").0, 1);
    assert_eq!(store.change(CHANGE).expect("change"), None);
    assert_eq!(store.cases(10).expect("cases"), []);
    assert_eq!(store.next_case_id().expect("number").0, 1);
    assert_eq!(store.accounts().expect("accounts"), []);
    assert_eq!(store.papers(10).expect("papers"), []);
    assert_eq!(store.next_paper(crate::PaperKind::Report, 2026).expect("number"), 1);
    assert_eq!(store.open_deliveries().expect("notices"), []);
    assert_eq!(store.next_delivery_id().expect("number"), 1);
    assert_eq!(store.outbox_open().expect("outbox"), []);
    assert_eq!(store.receipt_head(AGENT, &fixture::device()).expect("head"), None);
    assert_eq!(store.leaves(0, 10).expect("leaves"), []);
    assert_eq!(store.audit_head().expect("head"), None);
    assert_eq!(store.server_time().expect("time"), None);
    assert_eq!(store.device_serial(AGENT, &fixture::device()).expect("serial"), None);
}

fn a_commit_is_all_or_nothing(mut open: Reopen) {
    let mut store = open();
    store.commit(&fixture::ground()).expect("ground");
    let meter = store.meter_id(&fixture::meter()).expect("meter");
    let good = |seq| {
        vec![
            Write::Samples(vec![fixture::sample(meter, 10), fixture::sample(meter, 20)]),
            Write::StoredUpTo { agent: AGENT, epoch: BootEpoch(1), seq: Seq(seq) },
            Write::ServerTime(UnixMillis(seq)),
        ]
    };
    let stored = [good(5), vec![fixture::leaf(0), fixture::outbox(CHANGE, 1, b"one")]].concat();
    store.commit(&stored).expect("good writes");

    let bad: [(&str, Write); 4] = [
        ("a mark that falls", Write::StoredUpTo { agent: AGENT, epoch: BootEpoch(1), seq: Seq(4) }),
        ("a leaf out of order", fixture::leaf(7)),
        ("a serial that is taken", fixture::outbox(OTHER_CHANGE, 1, b"two")),
        ("a sample of no meter", Write::Samples(vec![fixture::sample(MeterId(meter.0 + 1), 30)])),
    ];
    for (what, write) in bad {
        // The good ones before and after it must go with it.
        let writes = [good(6), vec![fixture::leaf(1), write], good(7)].concat();
        store.commit(&writes).expect_err(what);
        nothing_more_is_there(store.as_ref(), meter, what);
    }
    drop(store);
    nothing_more_is_there(open().as_ref(), meter, "reopening");
}

fn nothing_more_is_there(store: &dyn Store, meter: MeterId, after: &str) {
    let samples = store.samples(meter, UnixMillis(0), UnixMillis(u64::MAX)).expect("samples");
    let times: Vec<u64> = samples.iter().map(|sample| sample.at.0).collect();
    assert_eq!(times, [10u64, 20], "samples after {after}");
    assert_eq!(store.sample_count().expect("count"), 8, "count after {after}");
    assert_eq!(store.stored_up_to(AGENT).expect("mark"), Some((BootEpoch(1), Seq(5))), "mark after {after}");
    assert_eq!(store.server_time().expect("time"), Some(UnixMillis(5)), "server time after {after}");
    assert_eq!(store.audit_head().expect("head"), Some((1, fixture::root(0))), "audit log after {after}");
    assert_eq!(store.leaves(0, 10).expect("leaves").len(), 1, "leaves after {after}");
    assert_eq!(store.outbox_open().expect("outbox").len(), 1, "outbox after {after}");
}

fn what_is_named_must_be_stored(mut open: Reopen) {
    let mut store = open();
    let unknown_agent = Write::StoredUpTo { agent: AGENT, epoch: BootEpoch(1), seq: Seq(1) };
    let refused = store.commit(&[unknown_agent]).expect_err("a mark of an agent that is not stored");
    assert!(matches!(refused, StoreError::Dangling { .. }), "{refused}");
    let refused = store.meter_id(&fixture::meter()).expect_err("a meter of an agent that is not stored");
    assert!(matches!(refused, StoreError::Dangling { .. }), "{refused}");
    // Within a commit the order is free.
    let mut writes = fixture::ground();
    writes.reverse();
    store.commit(&writes).expect("the same things in another order");
    assert_eq!(store.open_changes().expect("changes").len(), 2);
}
