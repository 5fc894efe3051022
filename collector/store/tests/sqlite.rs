//! The contract on SQLite files, and what is SQLite's own: the file, its lock, its triggers.
// A test that cannot go on has failed.
#![allow(clippy::unwrap_used)]

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use proptest::prelude::*;
use rusqlite::Connection;
use takar_collector_core::{inventory::LinkMode, ledger::Actor};
use takar_shared::{AgentId, BitsPerSec, BootEpoch, Digest, Direction, Seq, UnixMillis, birth::Meter, id};
use takar_store::{
    AgentRecord, LinkModeRow, MeterId, MeterKey, SampleRow, SqliteStore, Store, StoreError, Write, contract::Reopen,
};

const AGENT: AgentId = AgentId([7; 16]);

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path).unwrap()
}

fn refused(path: &Path) -> StoreError {
    SqliteStore::open(path).err().expect("a file that cannot be used")
}

/// An error is one line: a fragment, without the text of its source.
fn one_line(error: &StoreError) -> String {
    let text = error.to_string();
    assert!(!text.contains('\n'), "{text}");
    text
}

fn agent() -> Write {
    Write::Agent(AgentRecord {
        id: AGENT,
        name: "agent".into(),
        public_key: [1; 32],
        approved_at: UnixMillis(1),
        approved_by: Actor::Takar,
        revoked: false,
        devices: Vec::new(),
    })
}

fn with_meter(store: &mut SqliteStore) -> MeterId {
    store.commit(&[agent()]).unwrap();
    let (device, interface) = (id::name("router").unwrap(), id::name("ether1").unwrap());
    store.meter_id(&MeterKey { agent: AGENT, device, meter: Meter::Interface(interface) }).unwrap()
}

#[test]
fn sqlite_keeps_the_contract() {
    takar_store::contract::contract(&mut || -> Reopen {
        let folder = tempfile::tempdir().unwrap();
        Box::new(move || -> Box<dyn Store> { Box::new(open(&folder.path().join("takar.db"))) })
    });
}

#[test]
fn the_file_is_for_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("takar.db");
    let mut store = open(&path);
    store.commit(&[agent()]).unwrap();
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.contains(&path));
    for file in files {
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
}

#[test]
fn a_second_one_is_told_that_it_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("takar.db");
    let mut store = open(&path);
    let error = refused(&path);
    assert!(matches!(&error, StoreError::InUse { path: named } if *named == path), "{error:?}");
    assert!(one_line(&error).contains("in use"));
    // And the first is none the worse for it.
    store.commit(&[agent()]).unwrap();
    drop(store);
    assert_eq!(open(&path).agents().unwrap().len(), 1);
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [("text", b"[server]\nlisten = 1\n".repeat(100)), ("short", b"short".to_vec())] {
        let path = folder.path().join(name);
        fs::write(&path, &bytes).unwrap();
        let error = refused(&path);
        assert!(matches!(error, StoreError::NotADatabase { .. }), "{error:?}");
        assert!(one_line(&error).contains(name));
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}

#[test]
fn a_database_whose_pages_are_overwritten_gives_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("takar.db");
    let mut store = open(&path);
    let meter = with_meter(&mut store);
    let row = |at| SampleRow { at: UnixMillis(at), meter, values: [at; 4], narrow: false, break_before: false };
    store.commit(&[Write::Samples((0..1000).map(row).collect())]).unwrap();
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    // All but the first page, which holds the file's header and the schema's root.
    bytes.iter_mut().skip(4096).for_each(|byte| *byte = 0xa5);
    fs::write(&path, &bytes).unwrap();
    let error = match SqliteStore::open(&path) {
        Err(error) => error,
        Ok(store) => store.samples(meter, UnixMillis(0), UnixMillis(u64::MAX)).unwrap_err(),
    };
    assert!(matches!(error, StoreError::NotADatabase { .. } | StoreError::Damaged { .. }), "{error:?}");
    one_line(&error);
}

#[test]
fn another_programs_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE agents (id INTEGER PRIMARY KEY)").unwrap();
    drop(other);
    let before = fs::read(&path).unwrap();
    let error = refused(&path);
    assert!(matches!(error, StoreError::OtherProgram { found: 0, .. }), "{error:?}");
    assert!(one_line(&error).contains("another program"));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_newer_schema_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("takar.db");
    drop(open(&path));
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 9000").unwrap();
    let error = refused(&path);
    assert!(matches!(error, StoreError::NewerSchema { found: 9000, .. }), "{error:?}");
    assert!(one_line(&error).contains("newer"));
}

#[test]
fn a_database_of_the_first_schema_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("takar.db");
    with_meter(&mut open(&path));
    // As the first schema left it.
    let raw = Connection::open(&path).unwrap();
    let newer = [
        "quarantines",
        "reported_serials",
        "evidence",
        "papers",
        "cases",
        "accounts",
        "deliveries",
        "link_modes",
        "maintenances",
    ];
    for table in newer {
        raw.execute_batch(&format!("DROP TABLE {table}")).unwrap();
    }
    raw.execute_batch("DROP INDEX inventories_by_time; PRAGMA user_version = 1").unwrap();
    drop(raw);
    let mut store = open(&path);
    assert_eq!(store.agents().unwrap().len(), 1, "what was there is there");
    let write = Write::Quarantine { agent: AGENT, approved_at: UnixMillis(1), at: UnixMillis(2), why: "why".into() };
    store.commit(&[write]).unwrap();
    assert_eq!(store.quarantine(AGENT).unwrap().unwrap().at, UnixMillis(2));
}

#[test]
fn a_missing_folder_and_a_folder_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("nowhere/takar.db"), folder.path().to_owned()] {
        let error = refused(&path);
        assert!(matches!(error, StoreError::CannotOpen { .. }), "{error:?}");
        assert!(one_line(&error).contains(path.to_str().unwrap()));
    }
}

#[test]
fn what_is_append_only_cannot_be_changed_by_sql_either() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("takar.db");
    let mut store = open(&path);
    let meter = with_meter(&mut store);
    let values = [1, 2, 3, 4];
    let mark = (BootEpoch(1), Seq(1));
    let loss = Write::Loss { agent: AGENT, from: mark, to: mark, samples: None, at: UnixMillis(1) };
    let text = String::from("[[link]]");
    store
        .commit(&[
            Write::Samples(vec![SampleRow { at: UnixMillis(1), meter, values, narrow: true, break_before: true }]),
            loss,
            Write::Inventory { at: UnixMillis(1), by: Actor::Takar, digest: Digest::of(text.as_bytes()), text },
            Write::Allocation {
                link: "sd-02".parse().unwrap(),
                direction: Direction::Up,
                cir: None,
                mir: BitsPerSec(1),
                at: UnixMillis(1),
                change: None,
            },
            Write::LinkMode(LinkModeRow {
                link: "sd-02".parse().unwrap(),
                mode: LinkMode::Observe,
                at: UnixMillis(1),
                by: Actor::Takar,
            }),
        ])
        .unwrap();
    drop(store);

    let raw = Connection::open(&path).unwrap();
    raw.execute_batch("INSERT INTO leaves (number, at, line) VALUES (0, 1, x'00')").unwrap();
    for table in ["samples", "losses", "inventories", "allocations", "link_modes", "leaves"] {
        for sql in [format!("UPDATE {table} SET at = 2"), format!("DELETE FROM {table}")] {
            let error = raw.execute_batch(&sql).unwrap_err();
            assert!(error.to_string().contains("append-only"), "{sql}: {error}");
        }
    }
}

fn reading() -> impl Strategy<Value = (u64, [u64; 4], bool, bool)> {
    // Times up to 2^63 - 1, the year 292 million, where SQLite's order ends; few, so that some are equal.
    let at = prop_oneof![0..8u64, Just(u64::MAX / 2 - 1), any::<u64>().prop_map(|at| at >> 1)];
    (at, any::<[u64; 4]>(), any::<bool>(), any::<bool>())
}

proptest! {
    // Each case makes a database and syncs it.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn samples_come_back_as_put(commits in prop::collection::vec(prop::collection::vec(reading(), 0..20), 1..5)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("takar.db");
        let mut store = open(&path);
        let meter = with_meter(&mut store);
        let mut put = Vec::new();
        for readings in commits {
            let rows: Vec<SampleRow> = readings
                .into_iter()
                .map(|(at, values, narrow, break_before)| SampleRow {
                    at: UnixMillis(at), meter, values, narrow, break_before,
                })
                .collect();
            store.commit(&[Write::Samples(rows.clone())]).unwrap();
            put.extend(rows);
        }
        drop(store);
        let store = open(&path);
        prop_assert_eq!(store.sample_count().unwrap(), put.len() as u64 * 4);
        // A stable sort: those of one moment stay as they were put.
        put.sort_by_key(|row| row.at);
        prop_assert_eq!(store.samples(meter, UnixMillis(0), UnixMillis(u64::MAX)).unwrap(), put);
    }
}
