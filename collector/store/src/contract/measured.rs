//! What agents said.

use takar_shared::{BootEpoch, Direction, Seq, Serial, UnixMillis, telemetry::PollOutcome};

use super::{
    Reopen,
    fixture::{AGENT, OTHER_AGENT, agent, ceiling, device, meter, name, queue_meter, sample},
};
use crate::{
    BirthRow, LossRow, MeterKey, PollRow, QuarantineRow, ReportedSerialRow, SampleRow, Store, StoreError, Write,
};

fn birth(at: u64, epoch: u32, nonce: u8) -> BirthRow {
    let (at, epoch) = (UnixMillis(at), BootEpoch(epoch));
    BirthRow { agent: AGENT, at, epoch, nonce: [nonce; 16], body: vec![nonce, 0, 255] }
}

fn put_birth(row: &BirthRow) -> Write {
    Write::Birth { agent: row.agent, at: row.at, epoch: row.epoch, nonce: row.nonce, body: row.body.clone() }
}

fn poll(at: u64, outcome: PollOutcome) -> PollRow {
    PollRow { at: UnixMillis(at), agent: AGENT, device: device(), outcome }
}

pub(super) fn what_was_put_is_there_after_reopening(mut open: Reopen) {
    let lost = LossRow {
        agent: AGENT,
        from: (BootEpoch(1), Seq(u64::MAX)),
        to: (BootEpoch(2), Seq(3)),
        samples: Some(u64::MAX),
        at: UnixMillis(30),
    };
    let lost_uncounted = LossRow { samples: None, ..lost.clone() };
    let put_loss =
        |row: &LossRow| Write::Loss { agent: row.agent, from: row.from, to: row.to, samples: row.samples, at: row.at };
    let births = [birth(10, 1, 1), birth(20, 2, 2), birth(40, 2, 3), birth(50, 1, 4)];
    let mut writes: Vec<Write> = births.iter().map(put_birth).collect();
    writes.extend([put_loss(&lost), put_loss(&lost_uncounted)]);
    writes.push(Write::Polls(vec![
        poll(10, PollOutcome::Timeout),
        poll(20, PollOutcome::Ok),
        poll(30, PollOutcome::Partial),
    ]));
    let mut renamed = agent(OTHER_AGENT);
    (renamed.name, renamed.revoked) = ("a new name".into(), true);

    let mut store = open();
    store.commit(&[Write::Agent(agent(OTHER_AGENT)), Write::Agent(agent(AGENT))]).expect("agents");
    writes.push(Write::Agent(renamed.clone()));
    store.commit(&writes).expect("all of it");
    drop(store);

    let store = open();
    assert_eq!(store.agents().expect("agents"), [renamed, agent(AGENT)], "agents, by name, the newest of each");
    assert_eq!(store.newest_birth(AGENT).expect("birth"), Some(birth(40, 2, 3)), "of the highest epoch");
    assert_eq!(store.birth(AGENT, BootEpoch(1)).expect("birth"), Some(birth(50, 1, 4)), "the newest of its epoch");
    assert_eq!(store.birth(AGENT, BootEpoch(3)).expect("birth"), None);
    assert_eq!(store.losses(AGENT).expect("losses"), [lost, lost_uncounted]);
    assert_eq!(store.losses(OTHER_AGENT).expect("losses"), []);
    let faults = [poll(30, PollOutcome::Partial), poll(10, PollOutcome::Timeout)];
    assert_eq!(store.poll_faults(UnixMillis(0), 10).expect("polls"), faults, "not the ok one, the newest first");
    assert_eq!(store.poll_faults(UnixMillis(11), 10).expect("polls"), faults[..1]);
    assert_eq!(store.poll_faults(UnixMillis(0), 1).expect("polls"), faults[..1]);
}

pub(super) fn stored_up_to_never_falls(mut open: Reopen) {
    let mut store = open();
    store.commit(&[Write::Agent(agent(AGENT))]).expect("agent");
    let mut mark =
        |epoch, seq| store.commit(&[Write::StoredUpTo { agent: AGENT, epoch: BootEpoch(epoch), seq: Seq(seq) }]);
    mark(2, 10).expect("the first mark");
    mark(2, 10).expect("the same mark");
    for (epoch, seq) in [(2, 9), (1, 11), (0, u64::MAX)] {
        let refused = mark(epoch, seq).expect_err("a mark that falls");
        assert!(matches!(refused, StoreError::WouldFall { .. }), "{refused}");
    }
    mark(3, 0).expect("a higher epoch");
    mark(3, u64::MAX).expect("the highest seq");
    let refused = mark(3, 1).expect_err("a mark below the highest seq");
    assert!(matches!(refused, StoreError::WouldFall { .. }), "{refused}");
    drop(store);
    assert_eq!(open().stored_up_to(AGENT).expect("mark"), Some((BootEpoch(3), Seq(u64::MAX))));
}

pub(super) fn samples_are_appended_and_read_by_range(mut open: Reopen) {
    let mut store = open();
    store.commit(&[Write::Agent(agent(AGENT))]).expect("agent");
    let (one, other) = (store.meter_id(&meter()).expect("meter"), store.meter_id(&queue_meter()).expect("meter"));
    // Late ones (from a spool) and two of one moment.
    let rows = [sample(one, 30), sample(other, 25), sample(one, 10), sample(one, 31)];
    store.commit(&[Write::Samples(rows.to_vec())]).expect("samples");
    let again = SampleRow { values: [7; 4], ..sample(one, 30) };
    store.commit(&[Write::Samples(vec![again]), Write::Samples(Vec::new())]).expect("one more of the same moment");
    drop(store);

    let store = open();
    let read = |from, to| store.samples(one, UnixMillis(from), UnixMillis(to)).expect("samples");
    assert_eq!(read(0, u64::MAX), [sample(one, 10), sample(one, 30), again, sample(one, 31)], "by time, then as put");
    assert_eq!(read(10, 30), [sample(one, 10)], "from belongs to a range, to does not");
    assert_eq!(read(32, 100), []);
    let all = store.samples_of_all(UnixMillis(25), UnixMillis(31)).expect("samples");
    assert_eq!(all, [sample(other, 25), sample(one, 30), again], "of every meter");
    assert_eq!(store.sample_count().expect("count"), 5 * 4);
}

pub(super) fn meters_keep_their_ids(mut open: Reopen) {
    let mut store = open();
    store.commit(&[Write::Agent(agent(AGENT)), Write::Agent(agent(OTHER_AGENT))]).expect("agents");
    let elsewhere = MeterKey { agent: OTHER_AGENT, ..meter() };
    let keys = [meter(), queue_meter(), elsewhere];
    let ids = |store: &mut dyn Store| keys.each_ref().map(|key| store.meter_id(key).expect("meter"));
    let first = ids(store.as_mut());
    assert_eq!(ids(store.as_mut()), first, "asked again");
    drop(store);
    let mut store = open();
    let mut listed: Vec<_> = first.into_iter().zip(keys.clone()).collect();
    listed.sort();
    assert_eq!(store.meters().expect("meters"), listed);
    listed.dedup_by_key(|(id, _)| *id);
    assert_eq!(listed.len(), keys.len(), "ids are distinct");
    assert_eq!(ids(store.as_mut()), first, "asked again after reopening");
}

pub(super) fn ceilings_tell_what_was_in_force(mut open: Reopen) {
    let mut store = open();
    let rows = [
        ceiling(10, Direction::Down, 100),
        ceiling(20, Direction::Up, 200),
        ceiling(30, Direction::Down, 300),
        ceiling(40, Direction::Down, 0),
    ];
    let mut writes: Vec<Write> = rows.iter().cloned().map(Write::Ceiling).collect();
    writes.push(Write::Agent(agent(AGENT)));
    store.commit(&writes).expect("ceilings");
    drop(store);
    let store = open();
    let since = |at| store.ceilings(UnixMillis(at)).expect("ceilings");
    assert_eq!(since(0), rows);
    assert_eq!(since(35), rows[1..], "in force at the time, and what came later");
    assert_eq!(since(30), rows[1..], "what changed at the very time");
    assert_eq!(since(u64::MAX), [rows[1].clone(), rows[3].clone()], "in force now");
}

pub(super) fn a_quarantine_lasts_until_the_agent_is_approved_again(mut open: Reopen) {
    let mut store = open();
    let trusted = agent(AGENT);
    let put = |why: &str, at| Write::Quarantine {
        agent: AGENT,
        approved_at: trusted.approved_at,
        at: UnixMillis(at),
        why: why.into(),
    };
    let refused = store.commit(&[put("nobody", 1)]).expect_err("a quarantine of an agent that is not stored");
    assert!(matches!(refused, StoreError::Dangling { .. }), "{refused}");
    let reported = |device, epoch, serial| ReportedSerialRow {
        agent: AGENT,
        device,
        epoch: BootEpoch(epoch),
        serial: Serial(serial),
    };
    let put_serial = |row: &ReportedSerialRow| Write::ReportedSerial {
        agent: row.agent,
        device: row.device.clone(),
        epoch: row.epoch,
        serial: row.serial,
    };
    let (first, other) = (reported(device(), 1, 7), reported(name("router-2"), 2, u64::MAX));
    let risen = reported(device(), 3, 8);
    let agents = [Write::Agent(trusted.clone()), Write::Agent(agent(OTHER_AGENT))];
    store.commit(&agents).expect("agents");
    store.commit(&[put("first", 10), put_serial(&other), put_serial(&first)]).expect("a quarantine and two serials");
    store.commit(&[put("second", 20), put_serial(&risen)]).expect("another, and a serial that rose");
    // What is known of an agent may change without its being approved again.
    let mut renamed = trusted.clone();
    renamed.name = "another name".into();
    store.commit(&[Write::Agent(renamed.clone())]).expect("a new name");
    drop(store);

    let mut store = open();
    let second = QuarantineRow { agent: AGENT, at: UnixMillis(20), why: "second".into() };
    assert_eq!(store.quarantine(AGENT).expect("quarantine"), Some(second));
    assert_eq!(store.quarantine(OTHER_AGENT).expect("quarantine"), None);
    assert_eq!(store.reported_serials(AGENT).expect("serials"), [risen, other], "the newest of each, by device");
    assert_eq!(store.reported_serials(OTHER_AGENT).expect("serials"), []);
    // Approved again, whatever the clock said then.
    renamed.approved_at = UnixMillis(1);
    store.commit(&[Write::Agent(renamed)]).expect("another approval");
    drop(store);
    assert_eq!(open().quarantine(AGENT).expect("quarantine"), None);
}
