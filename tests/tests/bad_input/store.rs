//! The collector's database.

use std::{fs, path::Path};

use rusqlite::Connection;

use crate::{
    place::{Collector, inventory_of},
    table::{Snapshot, Table},
};

#[test]
fn a_store_that_is_none_stops_the_daemon_in_one_line_and_stays_as_it_is() {
    let (collector, mut table) = (Collector::embedded(), Table::default());
    let good = collector.place.write("good.toml", inventory_of(&["core-1"]));
    let mut serve = collector.serve();
    collector.takar(&["import", &good]).done();
    serve.end();
    let path = collector.state().join("takar.db");
    let stored = fs::read(&path).unwrap();
    let none = "is not a database, or is damaged";

    let garbage: Vec<u8> = (0..9_000u32).map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    for (case, bytes) in [("garbage", &garbage[..]), ("text", &b"hello\n"[..]), ("cut short", &stored[..5_000])] {
        fs::write(&path, bytes).unwrap();
        refused(&collector, &mut table, case, &[none, "expected an SQLite file"]);
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    refused(&collector, &mut table, "a folder", &["cannot open database"]);
    fs::remove_dir(&path).unwrap();
    with_sql(&path, "CREATE TABLE precious (thing TEXT)");
    refused(&collector, &mut table, "another program's", &["belongs to another program", "expected"]);
    fs::write(&path, &stored).unwrap();
    with_sql(&path, "PRAGMA user_version = 99");
    refused(&collector, &mut table, "a newer takar's", &["newer takar", "expected schema", "found 99"]);

    fs::write(&path, &stored).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    let told = collector.takar(&["serve"]);
    let parts: &[&str] = &["in use", "another takar serve"];
    table.refused("another process has it", &told, 1, path.to_str().unwrap(), &[parts]);
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);

    let _serve = collector.serve();
    table.holds("afterwards", "nothing is lost", collector.ask(&["import", &good])["changed"] == false);
    table.holds("afterwards", "the log holds", collector.ask(&["audit", "verify"])["ok"] == true);
}

/// The audit log's exit code: what was written behind Takar's back is found, and told apart from a failure.
#[test]
fn a_record_that_somebody_took_out_is_found() {
    let collector = Collector::embedded();
    let good = collector.place.write("good.toml", inventory_of(&["core-1"]));
    let mut serve = collector.serve();
    collector.takar(&["import", &good]).done();
    serve.end();
    with_sql(&collector.state().join("takar.db"), "DROP TRIGGER leaves_never_deleted; DELETE FROM leaves");
    let _serve = collector.serve();
    let told = collector.takar(&["audit", "verify"]);
    assert_eq!(told.code, Some(4), "{} {}", told.out, told.err);
}

fn refused(collector: &Collector, table: &mut Table, case: &str, parts: &[&str]) {
    let before = Snapshot::of(&collector.state());
    let told = collector.takar(&["serve"]);
    table.refused(case, &told, 1, collector.state().join("takar.db").to_str().unwrap(), &[parts]);
    table.unchanged(case, &before, &collector.state());
}

fn with_sql(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}
