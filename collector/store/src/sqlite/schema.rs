//! The tables, as an ordered list of scripts. `user_version` counts the scripts that ran; a published script is never
//! changed, only followed by another.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::statement::not_opened;
use crate::StoreError;

/// "TAKR": tells a Takar database from any other SQLite file.
const APPLICATION_ID: i32 = 0x5441_4b52;

const SCRIPTS: &[&str] = &[V1, V2, V3, V4, V5];

/// Refuses a file that is not Takar's, or is of a newer Takar; changes nothing in it.
pub(super) fn check(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let pragma = |name: &str| conn.pragma_query_value(None, name, |row| row.get(0)).map_err(not_opened(path));
    let found: i64 = pragma("application_id")?;
    let version: i64 = pragma("user_version")?;
    let objects = conn.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0));
    let objects: i64 = objects.map_err(not_opened(path))?;
    let is_new = (found, version, objects) == (0, 0, 0);
    if !is_new && found != i64::from(APPLICATION_ID) {
        // SQLite keeps the id as an i32.
        let found = i32::try_from(found).unwrap_or_default();
        return Err(StoreError::OtherProgram { path: path.to_owned(), expected: APPLICATION_ID, found });
    }
    if version > newest() {
        return Err(StoreError::NewerSchema { path: path.to_owned(), newest: newest(), found: version });
    }
    Ok(())
}

/// Runs the scripts that did not run yet, each in a transaction of its own.
pub(super) fn migrate(conn: &mut Connection) -> rusqlite::Result<()> {
    let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (number, script) in (1i64..).zip(SCRIPTS).filter(|(number, _)| *number > version) {
        let transaction = conn.transaction_with_behavior(TransactionBehavior::Exclusive)?;
        transaction.execute_batch(script)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}

fn newest() -> i64 {
    i64::try_from(SCRIPTS.len()).unwrap_or(i64::MAX)
}

/// What was written stays as it was written, even for a program that goes wrong.
macro_rules! append_only {
    ($table:literal) => {
        concat!(
            "CREATE TRIGGER ",
            $table,
            "_never_updated BEFORE UPDATE ON ",
            $table,
            " BEGIN SELECT RAISE(ABORT, '",
            $table,
            " is append-only'); END;\n",
            "CREATE TRIGGER ",
            $table,
            "_never_deleted BEFORE DELETE ON ",
            $table,
            " BEGIN SELECT RAISE(ABORT, '",
            $table,
            " is append-only'); END;\n",
        )
    };
}

/// Keys and what is searched for are columns; records of the core are JSON in `body`. References are checked at the end
/// of a transaction, so that the order within it is free, except for samples, which are many.
///
/// Samples: about 37 bytes a row and 20 in the index. The index goes by time and not by meter, because then it grows at
/// its end: by meter, every commit touches a page for each meter (measured with 2000 meters and 250 rows a commit:
/// 4.9 KB written to disk a row instead of 0.25 KB).
const V1: &str = concat!(
    "
CREATE TABLE agents (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    public_key BLOB NOT NULL,
    approved_at INTEGER NOT NULL,
    approved_by TEXT NOT NULL,
    revoked INTEGER NOT NULL,
    devices TEXT NOT NULL
) STRICT;

CREATE TABLE stored_up_to (
    agent BLOB NOT NULL PRIMARY KEY REFERENCES agents (id) DEFERRABLE INITIALLY DEFERRED,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL
) STRICT;

CREATE TABLE births (
    agent BLOB NOT NULL REFERENCES agents (id) DEFERRABLE INITIALLY DEFERRED,
    epoch INTEGER NOT NULL,
    at INTEGER NOT NULL,
    nonce BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (agent, epoch)
) STRICT;

CREATE TABLE meters (
    id INTEGER PRIMARY KEY,
    agent BLOB NOT NULL REFERENCES agents (id) DEFERRABLE INITIALLY DEFERRED,
    device TEXT NOT NULL,
    meter TEXT NOT NULL,
    UNIQUE (agent, device, meter)
) STRICT;

CREATE TABLE samples (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    meter INTEGER NOT NULL REFERENCES meters (id),
    v0 INTEGER NOT NULL,
    v1 INTEGER NOT NULL,
    v2 INTEGER NOT NULL,
    v3 INTEGER NOT NULL,
    flags INTEGER NOT NULL
) STRICT;
CREATE INDEX samples_by_time ON samples (at, meter);

CREATE TABLE polls (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    agent BLOB NOT NULL REFERENCES agents (id) DEFERRABLE INITIALLY DEFERRED,
    device TEXT NOT NULL,
    outcome TEXT NOT NULL
) STRICT;
CREATE INDEX polls_by_time ON polls (at);

CREATE TABLE losses (
    id INTEGER PRIMARY KEY,
    agent BLOB NOT NULL REFERENCES agents (id) DEFERRABLE INITIALLY DEFERRED,
    from_epoch INTEGER NOT NULL,
    from_seq INTEGER NOT NULL,
    to_epoch INTEGER NOT NULL,
    to_seq INTEGER NOT NULL,
    samples INTEGER,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX losses_by_agent ON losses (agent);

CREATE TABLE ceilings (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    agent BLOB NOT NULL REFERENCES agents (id) DEFERRABLE INITIALLY DEFERRED,
    device TEXT NOT NULL,
    shaper TEXT NOT NULL,
    direction TEXT NOT NULL,
    cir INTEGER,
    mir INTEGER NOT NULL,
    disabled INTEGER NOT NULL
) STRICT;
CREATE INDEX ceilings_by_shaper ON ceilings (agent, device, shaper, direction, at);

CREATE TABLE inventories (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    text TEXT NOT NULL,
    digest BLOB NOT NULL
) STRICT;

CREATE TABLE allocations (
    id INTEGER PRIMARY KEY,
    link TEXT NOT NULL,
    direction TEXT NOT NULL,
    cir INTEGER,
    mir INTEGER NOT NULL,
    at INTEGER NOT NULL,
    change BLOB
) STRICT;
CREATE INDEX allocations_by_link ON allocations (link, direction);

CREATE TABLE findings (
    id INTEGER PRIMARY KEY,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    link TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX findings_open ON findings (id) WHERE closed_at IS NULL;

CREATE TABLE proposals (
    id INTEGER PRIMARY KEY,
    made_at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE batches (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    proposal INTEGER NOT NULL REFERENCES proposals (id) DEFERRABLE INITIALLY DEFERRED,
    open INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX batches_open ON batches (number) WHERE open;

CREATE TABLE changes (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    batch BLOB NOT NULL REFERENCES batches (id) DEFERRABLE INITIALLY DEFERRED,
    open INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX changes_open ON changes (number) WHERE open;
CREATE INDEX changes_by_batch ON changes (batch);

CREATE TABLE outbox (
    number INTEGER PRIMARY KEY,
    change BLOB NOT NULL UNIQUE REFERENCES changes (id) DEFERRABLE INITIALLY DEFERRED,
    agent BLOB NOT NULL REFERENCES agents (id) DEFERRABLE INITIALLY DEFERRED,
    device TEXT NOT NULL,
    serial INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    command BLOB NOT NULL,
    confirm BLOB,
    done INTEGER NOT NULL,
    UNIQUE (agent, device, serial)
) STRICT;
CREATE INDEX outbox_open ON outbox (number) WHERE NOT done;

CREATE TABLE receipts (
    number INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    previous BLOB NOT NULL,
    agent BLOB NOT NULL REFERENCES agents (id) DEFERRABLE INITIALLY DEFERRED,
    device TEXT NOT NULL,
    change BLOB NOT NULL,
    at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX receipts_by_device ON receipts (agent, device);
CREATE INDEX receipts_by_previous ON receipts (previous);
CREATE INDEX receipts_by_change ON receipts (change);

CREATE TABLE leaves (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    line BLOB NOT NULL
) STRICT;

-- Apart from the leaves, so that a log that lost its end is found out.
CREATE TABLE audit_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    size INTEGER NOT NULL,
    root BLOB NOT NULL
) STRICT;

CREATE TABLE server_time (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE device_serials (
    agent BLOB NOT NULL REFERENCES agents (id) DEFERRABLE INITIALLY DEFERRED,
    device TEXT NOT NULL,
    serial INTEGER NOT NULL,
    PRIMARY KEY (agent, device)
) STRICT;

",
    append_only!("samples"),
    append_only!("polls"),
    append_only!("losses"),
    append_only!("ceilings"),
    append_only!("inventories"),
    append_only!("allocations"),
    append_only!("receipts"),
    append_only!("leaves"),
);

/// What tells restored state from an agent's own, and that it was found.
const V2: &str = "
CREATE TABLE quarantines (
    agent BLOB NOT NULL PRIMARY KEY REFERENCES agents (id) DEFERRABLE INITIALLY DEFERRED,
    approved_at INTEGER NOT NULL,
    at INTEGER NOT NULL,
    why TEXT NOT NULL
) STRICT;

CREATE TABLE reported_serials (
    agent BLOB NOT NULL REFERENCES agents (id) DEFERRABLE INITIALLY DEFERRED,
    device TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    serial INTEGER NOT NULL,
    PRIMARY KEY (agent, device)
) STRICT;
";

/// The procedure: cases with their frozen evidence, people, papers, and notices on their way.
const V3: &str = concat!(
    "
CREATE TABLE cases (
    id INTEGER PRIMARY KEY,
    open INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    uplink TEXT NOT NULL,
    direction TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX cases_open ON cases (id) WHERE open;

CREATE TABLE evidence (
    number INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    of_case INTEGER NOT NULL REFERENCES cases (id) DEFERRABLE INITIALLY DEFERRED,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX evidence_by_case ON evidence (of_case);

CREATE TABLE accounts (
    name TEXT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE papers (
    id INTEGER PRIMARY KEY,
    number TEXT NOT NULL,
    kind TEXT NOT NULL,
    year INTEGER NOT NULL,
    count INTEGER NOT NULL,
    of_case INTEGER REFERENCES cases (id) DEFERRABLE INITIALLY DEFERRED,
    at INTEGER NOT NULL,
    files TEXT NOT NULL,
    UNIQUE (kind, number),
    UNIQUE (kind, year, count)
) STRICT;
CREATE INDEX papers_by_case ON papers (of_case);

CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY,
    open INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX deliveries_open ON deliveries (id) WHERE open;

CREATE INDEX inventories_by_time ON inventories (at);
",
    append_only!("evidence"),
    append_only!("papers"),
);

/// How far Takar may go with each link.
const V4: &str = concat!(
    "
CREATE TABLE link_modes (
    id INTEGER PRIMARY KEY,
    link TEXT NOT NULL,
    mode TEXT NOT NULL,
    at INTEGER NOT NULL,
    made_by TEXT NOT NULL
) STRICT;
CREATE INDEX link_modes_by_link ON link_modes (link);
",
    append_only!("link_modes"),
);

/// What is worked on. `ends_at` is earlier than in `body` where somebody ended it before its time.
const V5: &str = "
CREATE TABLE maintenances (
    id INTEGER PRIMARY KEY,
    ends_at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX maintenances_by_end ON maintenances (ends_at);
";
