//! What was decided, sent and received.

use takar_collector_core::{
    inventory::LinkMode,
    ledger::{Actor, BatchState, ChangeState, ProposalId, ProposalState},
    maintenance::{Maintenance, MaintenanceId, Scope},
};
use takar_shared::{
    BitsPerSec, ChangeId, Digest, Direction, Serial, UnixMillis,
    receipt::{Phase, RollbackCause},
};

use super::{
    Reopen,
    fixture::{
        AGENT, BATCH, CHANGE, OTHER_AGENT, OTHER_CHANGE, PROPOSAL, batch, change, device, finding, ground, leaf, line,
        link, name, outbox, proposal, receipt, root,
    },
};
use crate::{AllocationRow, LinkModeRow, OutboxRow, ReceiptRow, Store, StoreError, StoredInventory, Write};

fn inventory(at: u64, by: Actor) -> StoredInventory {
    let text = format!("# imported at {at}\n[[link]]\n");
    StoredInventory { at: UnixMillis(at), by, digest: Digest::of(text.as_bytes()), text }
}

fn put_inventory(row: &StoredInventory) -> Write {
    Write::Inventory { at: row.at, by: row.by.clone(), text: row.text.clone(), digest: row.digest }
}

fn allocation(of: &str, direction: Direction, mir: u64, change: Option<ChangeId>) -> AllocationRow {
    let cir = change.map(|_| BitsPerSec(1_000));
    AllocationRow { link: link(of), direction, cir, mir: BitsPerSec(mir), at: UnixMillis(mir), change }
}

fn put_allocation(row: &AllocationRow) -> Write {
    let AllocationRow { link, direction, cir, mir, at, change } = row.clone();
    Write::Allocation { link, direction, cir, mir, at, change }
}

pub(super) fn what_was_put_is_there_after_reopening(mut open: Reopen) {
    let imported = [inventory(20, Actor::Person("sri".into())), inventory(10, Actor::Takar)];
    let allocated = [
        allocation("b", Direction::Up, 900, None),
        allocation("a", Direction::Down, 300, None),
        allocation("b", Direction::Up, 100, Some(CHANGE)),
        allocation("b", Direction::Down, 200, None),
    ];
    let mut writes = ground();
    writes.extend(imported.iter().map(put_inventory));
    writes.extend(allocated.iter().map(put_allocation));
    writes.extend([1, 2, 3].map(|id| Write::Finding(finding(id, (id == 2).then_some(UnixMillis(6_000))))));
    writes.push(Write::Proposal(proposal(ProposalId(7))));
    let mut store = open();
    store.commit(&writes).expect("all of it");
    drop(store);

    let store = open();
    let [_, newest] = imported;
    assert_eq!(store.inventory().expect("inventory"), Some(newest), "the one put last, whatever its time");
    let [_, down_a, up_b, down_b] = allocated;
    assert_eq!(store.allocations().expect("allocations"), [down_a, down_b, up_b], "the newest of each");
    let (open_1, closed, open_3) = (finding(1, None), finding(2, Some(UnixMillis(6_000))), finding(3, None));
    assert_eq!(store.findings(true, 10).expect("findings"), [open_3.clone(), open_1.clone()]);
    assert_eq!(store.findings(false, 10).expect("findings"), [open_3.clone(), closed, open_1]);
    assert_eq!(store.findings(true, 1).expect("findings"), [open_3]);
    assert_eq!(store.next_finding_id().expect("number"), 4);
    assert_eq!(store.proposals(10).expect("proposals"), [proposal(ProposalId(7)), proposal(PROPOSAL)]);
    assert_eq!(store.proposals(1).expect("proposals"), [proposal(ProposalId(7))]);
    assert_eq!(store.proposal(PROPOSAL).expect("proposal"), Some(proposal(PROPOSAL)));
    assert_eq!(store.next_proposal_id().expect("number"), ProposalId(8));
    assert_eq!(store.open_batches().expect("batches"), [batch()]);
    assert_eq!(store.batch(BATCH).expect("batch"), Some(batch()));
    let (first, second) = (change(CHANGE, ChangeState::Waiting), change(OTHER_CHANGE, ChangeState::Waiting));
    assert_eq!(store.changes(10).expect("changes"), [second.clone(), first.clone()], "the newest first");
    assert_eq!(store.changes(1).expect("changes"), std::slice::from_ref(&second));
    assert_eq!(store.changes_of(BATCH).expect("changes"), [first.clone(), second.clone()], "in their order");
    assert_eq!(store.open_changes().expect("changes"), [first.clone(), second]);
    assert_eq!(store.change(CHANGE).expect("change"), Some(first));
}

pub(super) fn records_are_replaced_by_id(mut open: Reopen) {
    let mut store = open();
    store.commit(&ground()).expect("ground");
    store.commit(&[Write::Finding(finding(1, None))]).expect("finding");

    let ended = change(CHANGE, ChangeState::RolledBack(RollbackCause::NotConfirmed));
    let mut done = batch();
    (done.state, done.ended_at) = (BatchState::Partial, Some(UnixMillis(9_000)));
    let mut declined = proposal(PROPOSAL);
    declined.state = ProposalState::Declined { by: Actor::Policy, reason: "a freeze".into() };
    let closed = finding(1, Some(UnixMillis(9_000)));
    let writes = [
        Write::Change(ended.clone()),
        Write::Batch(done.clone()),
        Write::Proposal(declined.clone()),
        Write::Finding(closed.clone()),
    ];
    store.commit(&writes).expect("new states");
    drop(store);

    let store = open();
    let waiting = change(OTHER_CHANGE, ChangeState::Waiting);
    assert_eq!(store.open_changes().expect("changes"), std::slice::from_ref(&waiting), "a final state is not open");
    assert_eq!(store.changes_of(BATCH).expect("changes"), [ended, waiting], "in the order they were first put");
    assert_eq!(store.open_batches().expect("batches"), []);
    assert_eq!(store.batch(BATCH).expect("batch"), Some(done));
    assert_eq!(store.proposals(10).expect("proposals"), [declined]);
    assert_eq!(store.findings(true, 10).expect("findings"), []);
    assert_eq!(store.findings(false, 10).expect("findings"), [closed]);
}

pub(super) fn the_newest_mode_of_a_link_counts(mut open: Reopen) {
    let row =
        |of: &str, mode, at| LinkModeRow { link: link(of), mode, at: UnixMillis(at), by: Actor::Person("sri".into()) };
    let (first, second) = (row("b", LinkMode::Observe, 30), row("b", LinkMode::Live, 20));
    let other = row("a", LinkMode::Propose, 10);
    let mut store = open();
    store.commit(&[Write::LinkMode(first.clone()), Write::LinkMode(other.clone())]).expect("two modes");
    assert_eq!(store.link_modes().expect("modes"), [other.clone(), first], "by link");
    // Put later it counts, whatever the clock said then.
    store.commit(&[Write::LinkMode(second.clone())]).expect("another mode");
    drop(store);
    assert_eq!(open().link_modes().expect("modes"), [other, second]);
}

pub(super) fn maintenance_is_there_until_it_is_over(mut open: Reopen) {
    let one = |id, from, until| Maintenance {
        id: MaintenanceId(id),
        scope: Scope::Link(link("sd-02.wan")),
        from: UnixMillis(from),
        until: UnixMillis(until),
        reason: "the fibre is moved".into(),
        added_at: UnixMillis(5),
        added_by: Actor::Person("sri".into()),
        ended: None,
    };
    let (first, second) = (one(1, 10, 100), one(2, 50, 90));
    let mut store = open();
    store.commit(&[Write::Maintenance(first.clone()), Write::Maintenance(second.clone())]).expect("two of them");
    let since = |store: &dyn Store, at| store.maintenances_since(UnixMillis(at)).expect("maintenances");
    assert_eq!(since(store.as_ref(), 89), [first.clone(), second.clone()], "by id");
    assert_eq!(since(store.as_ref(), 90), std::slice::from_ref(&first), "the end does not belong to it");
    let ended = Maintenance { ended: Some((UnixMillis(60), Actor::Takar)), ..first };
    store.commit(&[Write::Maintenance(ended.clone())]).expect("an earlier end");
    drop(store);
    let store = open();
    assert_eq!(since(store.as_ref(), 60), std::slice::from_ref(&second));
    assert_eq!(store.maintenances(10).expect("maintenances"), [second, ended.clone()], "the newest first");
    assert_eq!(store.maintenances(1).expect("maintenances").len(), 1);
    assert_eq!(store.maintenance(MaintenanceId(1)).expect("maintenance"), Some(ended));
    assert_eq!(store.maintenance(MaintenanceId(3)).expect("maintenance"), None);
    assert_eq!(store.next_maintenance_id().expect("number"), MaintenanceId(3));
}

pub(super) fn a_serial_carries_one_command(mut open: Reopen) {
    let mut store = open();
    store.commit(&ground()).expect("ground");
    store.commit(&[outbox(CHANGE, 1, b"one")]).expect("the first command");
    store.commit(&[outbox(CHANGE, 1, b"one")]).expect("the same command again");
    for taken in [outbox(CHANGE, 1, b"uno"), outbox(OTHER_CHANGE, 1, b"one")] {
        let refused = store.commit(&[taken]).expect_err("another command under the same serial");
        assert!(matches!(refused, StoreError::SerialTaken { serial: Serial(1), .. }), "{refused}");
    }
    let refused = store.commit(&[outbox(CHANGE, 2, b"one")]).expect_err("the same change under another serial");
    assert!(matches!(refused, StoreError::SignedTwice { change: CHANGE }), "{refused}");

    let confirm = |change, bytes: &[u8]| Write::OutboxConfirm { change, confirm: bytes.to_vec() };
    let refused = store.commit(&[confirm(OTHER_CHANGE, b"yes")]).expect_err("a confirm without its command");
    assert!(matches!(refused, StoreError::NotInOutbox { change: OTHER_CHANGE }), "{refused}");
    store.commit(&[confirm(CHANGE, b"yes"), confirm(CHANGE, b"yes")]).expect("a confirm, twice");
    let refused = store.commit(&[confirm(CHANGE, b"oui")]).expect_err("another confirm");
    assert!(matches!(refused, StoreError::SignedTwice { change: CHANGE }), "{refused}");
    store.commit(&[outbox(OTHER_CHANGE, 2, b"two")]).expect("the next command");
    drop(store);

    let mut store = open();
    let row = |change, serial, command: &[u8], confirm: Option<&[u8]>| OutboxRow {
        change,
        agent: AGENT,
        device: device(),
        serial: Serial(serial),
        expires_at: UnixMillis(9_000),
        command: command.to_vec(),
        confirm: confirm.map(<[u8]>::to_vec),
    };
    let waiting = row(OTHER_CHANGE, 2, b"two", None);
    assert_eq!(store.outbox_open().expect("outbox"), [row(CHANGE, 1, b"one", Some(b"yes")), waiting.clone()]);
    let done = Write::OutboxDone { change: CHANGE };
    store.commit(&[done.clone(), done]).expect("done, twice");
    assert_eq!(store.outbox_open().expect("outbox"), [waiting]);
    let refused = store.commit(&[outbox(OTHER_CHANGE, 1, b"three")]).expect_err("a serial that was used");
    assert!(matches!(refused, StoreError::SerialTaken { .. }), "{refused}");
}

pub(super) fn leaves_come_in_order(mut open: Reopen) {
    let mut store = open();
    let refused = store.commit(&[leaf(1)]).expect_err("a log that does not begin at 0");
    assert!(matches!(refused, StoreError::LeafOutOfOrder { expected: 0, given: 1 }), "{refused}");
    store.commit(&[leaf(0), leaf(1)]).expect("the first two");
    for index in [0, 1, 3] {
        let refused = store.commit(&[leaf(index)]).expect_err("a leaf out of order");
        assert!(matches!(refused, StoreError::LeafOutOfOrder { expected: 2, .. }), "{refused}");
    }
    drop(store);
    let mut store = open();
    store.commit(&[leaf(2)]).expect("the next one");
    assert_eq!(store.audit_head().expect("head"), Some((3, root(2))));
    let all: Vec<_> = (0..3).map(|index| (index, line(index))).collect();
    assert_eq!(store.leaves(0, 10).expect("leaves"), all);
    assert_eq!(store.leaves(1, 1).expect("leaves"), all[1..2]);
    assert_eq!(store.leaves(3, 10).expect("leaves"), []);
}

pub(super) fn receipts_chain(mut open: Reopen) {
    let mut store = open();
    store.commit(&ground()).expect("ground");
    let row = |at, phase, number: u8, previous: u8| ReceiptRow {
        agent: AGENT,
        at: UnixMillis(at),
        digest: Digest([number; 32]),
        receipt: receipt(phase, Digest([previous; 32])),
    };
    let put = |row: &ReceiptRow| Write::Receipt {
        agent: row.agent,
        at: row.at,
        digest: row.digest,
        receipt: row.receipt.clone(),
    };
    let rolled_back = Phase::RolledBack(RollbackCause::ReadBackDiffers);
    let (first, second, third) =
        (row(10, Phase::Applied, 1, 0), row(20, rolled_back, 2, 1), row(30, Phase::Cancelled, 3, 2));
    store.commit(&[put(&first)]).expect("the first");
    assert_eq!(store.receipt_head(AGENT, &device()).expect("head"), Some(first.digest));
    store.commit(&[put(&third), put(&second)]).expect("two in the wrong order");
    store.commit(&[put(&row(40, Phase::Applied, 1, 0)), put(&third)]).expect("two that are there already");
    drop(store);

    let store = open();
    assert_eq!(store.receipt_head(AGENT, &device()).expect("head"), Some(third.digest), "the end of the chain");
    assert_eq!(store.receipt_head(AGENT, &name("router-2")).expect("head"), None);
    assert_eq!(store.receipt_head(OTHER_AGENT, &device()).expect("head"), None);
    assert_eq!(store.receipts_of(CHANGE).expect("receipts"), [first, third, second], "each once, as put");
    assert_eq!(store.receipts_of(OTHER_CHANGE).expect("receipts"), []);
}

pub(super) fn marks_never_fall(mut open: Reopen) {
    let mut store = open();
    store.commit(&ground()).expect("ground");
    for (given, kept) in [(50, 50), (40, 50), (60, 60), (u64::MAX, u64::MAX), (70, u64::MAX)] {
        store.commit(&[Write::ServerTime(UnixMillis(given))]).expect("an earlier time is harmless");
        assert_eq!(store.server_time().expect("time"), Some(UnixMillis(kept)));
    }
    let mut drawn =
        |serial| store.commit(&[Write::DeviceSerial { agent: AGENT, device: device(), serial: Serial(serial) }]);
    drawn(4).expect("the first");
    drawn(4).expect("the same");
    let refused = drawn(3).expect_err("a serial that falls");
    assert!(matches!(refused, StoreError::WouldFall { .. }), "{refused}");
    drawn(u64::MAX).expect("the last serial there is");
    drawn(5).expect_err("a serial below the last there is");
    drop(store);
    let store = open();
    assert_eq!(store.server_time().expect("time"), Some(UnixMillis(u64::MAX)));
    assert_eq!(store.device_serial(AGENT, &device()).expect("serial"), Some(Serial(u64::MAX)));
    assert_eq!(store.device_serial(AGENT, &name("router-2")).expect("serial"), None);
}
