//! What people and Takar decided, what was sent for it, and what came back.

use rusqlite::Connection;
use takar_collector_core::{
    inventory::LinkName,
    ledger::{Actor, Batch, BatchState, Change, ProposalRecord},
    maintenance::Maintenance,
};
use takar_shared::{AgentId, BitsPerSec, ChangeId, Digest, Direction, Name, Serial, UnixMillis, receipt::Receipt};

use crate::{
    FindingRecord, LinkModeRow, StoreError,
    sqlite::{
        column::{Bits, Json, number},
        read,
        statement::{one, run},
    },
};

pub(crate) fn inventory(
    conn: &Connection,
    at: UnixMillis,
    by: &Actor,
    text: &str,
    digest: &Digest,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO inventories (at, made_by, text, digest) VALUES (?1, ?2, ?3, ?4)";
    run(conn, "store an inventory", sql, (Bits(at.0), Json(by), text, digest.0)).map(drop)
}

pub(crate) fn allocation(
    conn: &Connection,
    link: &LinkName,
    direction: Direction,
    (cir, mir): (Option<BitsPerSec>, BitsPerSec),
    at: UnixMillis,
    change: Option<ChangeId>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO allocations (link, direction, cir, mir, at, change) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let params = (
        link.as_str(),
        direction.as_str(),
        cir.map(|cir| Bits(cir.0)),
        Bits(mir.0),
        Bits(at.0),
        change.map(|change| change.0),
    );
    run(conn, "store an allocation", sql, params).map(drop)
}

pub(crate) fn link_mode(conn: &Connection, row: &LinkModeRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO link_modes (link, mode, at, made_by) VALUES (?1, ?2, ?3, ?4)";
    let params = (row.link.as_str(), row.mode.as_str(), Bits(row.at.0), Json(&row.by));
    run(conn, "store the mode of a link", sql, params).map(drop)
}

pub(crate) fn maintenance(conn: &Connection, one: &Maintenance) -> Result<(), StoreError> {
    let sql = "INSERT INTO maintenances (id, ends_at, body) VALUES (?1, ?2, ?3)
               ON CONFLICT (id) DO UPDATE SET ends_at = excluded.ends_at, body = excluded.body";
    run(conn, "store maintenance", sql, (Bits(one.id.0), Bits(one.ends_at().0), Json(one))).map(drop)
}

pub(crate) fn finding(conn: &Connection, record: &FindingRecord) -> Result<(), StoreError> {
    let sql = "INSERT INTO findings (id, opened_at, closed_at, link, body) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (id) DO UPDATE SET opened_at = excluded.opened_at, closed_at = excluded.closed_at,
                   link = excluded.link, body = excluded.body";
    let params = (
        Bits(record.id),
        Bits(record.opened_at.0),
        record.closed_at.map(|at| Bits(at.0)),
        record.finding.link.as_str(),
        Json(&record.finding),
    );
    run(conn, "store a finding", sql, params).map(drop)
}

pub(crate) fn proposal(conn: &Connection, record: &ProposalRecord) -> Result<(), StoreError> {
    let sql = "INSERT INTO proposals (id, made_at, body) VALUES (?1, ?2, ?3)
               ON CONFLICT (id) DO UPDATE SET made_at = excluded.made_at, body = excluded.body";
    run(conn, "store a proposal", sql, (Bits(record.id.0), Bits(record.made_at.0), Json(record))).map(drop)
}

pub(crate) fn batch(conn: &Connection, batch: &Batch) -> Result<(), StoreError> {
    let sql = "INSERT INTO batches (id, proposal, open, body) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (id) DO UPDATE SET proposal = excluded.proposal, open = excluded.open, body = excluded.body";
    let is_open = batch.state == BatchState::Running;
    run(conn, "store a batch", sql, (batch.id.0, Bits(batch.proposal.0), is_open, Json(batch))).map(drop)
}

pub(crate) fn change(conn: &Connection, change: &Change) -> Result<(), StoreError> {
    let sql = "INSERT INTO changes (id, batch, open, body) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (id) DO UPDATE SET batch = excluded.batch, open = excluded.open, body = excluded.body";
    let is_open = !change.state.is_final();
    run(conn, "store a change", sql, (change.id.0, change.batch.0, is_open, Json(change))).map(drop)
}

pub(crate) fn outbox(
    conn: &Connection,
    change: ChangeId,
    (agent, device, serial): (AgentId, &Name, Serial),
    expires_at: UnixMillis,
    command: &[u8],
) -> Result<(), StoreError> {
    let doing = "put a command in the outbox";
    let taken = "SELECT change, expires_at, command FROM outbox WHERE agent = ?1 AND device = ?2 AND serial = ?3";
    let slot = (agent.0, device.as_str(), Bits(serial.0));
    let taken = one(conn, doing, taken, slot, |row| {
        let (change, command): ([u8; 16], Vec<u8>) = (row.get(0)?, row.get(2)?);
        Ok((ChangeId(change), number(row, 1)?, command))
    })?;
    match taken {
        Some((taken_by, until, bytes)) if (taken_by, until) == (change, expires_at.0) && bytes == command => {
            return Ok(());
        }
        Some(_) => return Err(StoreError::SerialTaken { agent, device: device.clone(), serial }),
        None => {}
    }
    if confirm_of(conn, change)?.is_some() {
        return Err(StoreError::SignedTwice { change });
    }
    let sql = "INSERT INTO outbox (change, agent, device, serial, expires_at, command, confirm, done)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL, 0)";
    let params = (change.0, agent.0, device.as_str(), Bits(serial.0), Bits(expires_at.0), command);
    run(conn, doing, sql, params).map(drop)
}

pub(crate) fn outbox_confirm(conn: &Connection, change: ChangeId, confirm: &[u8]) -> Result<(), StoreError> {
    match confirm_of(conn, change)? {
        None => Err(StoreError::NotInOutbox { change }),
        Some(Some(stored)) if stored == confirm => Ok(()),
        Some(Some(_)) => Err(StoreError::SignedTwice { change }),
        Some(None) => {
            let sql = "UPDATE outbox SET confirm = ?2 WHERE change = ?1";
            run(conn, "put a confirm in the outbox", sql, (change.0, confirm)).map(drop)
        }
    }
}

pub(crate) fn outbox_done(conn: &Connection, change: ChangeId) -> Result<(), StoreError> {
    let sql = "UPDATE outbox SET done = 1 WHERE change = ?1";
    run(conn, "take a command out of the outbox", sql, (change.0,)).map(drop)
}

pub(crate) fn receipt(
    conn: &Connection,
    agent: AgentId,
    at: UnixMillis,
    digest: &Digest,
    receipt: &Receipt,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO receipts (digest, previous, agent, device, change, at, body)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (digest) DO NOTHING";
    let params =
        (digest.0, receipt.previous.0, agent.0, receipt.device.as_str(), receipt.change.0, Bits(at.0), Json(receipt));
    run(conn, "store a receipt", sql, params).map(drop)
}

pub(crate) fn leaf(
    conn: &Connection,
    index: u64,
    at: UnixMillis,
    line: &[u8],
    root: &Digest,
) -> Result<(), StoreError> {
    let expected = read::decided::audit_head(conn)?.map_or(0, |(size, _)| size);
    if index != expected {
        return Err(StoreError::LeafOutOfOrder { expected, given: index });
    }
    let doing = "append to the audit log";
    let sql = "INSERT INTO leaves (number, at, line) VALUES (?1, ?2, ?3)";
    run(conn, doing, sql, (Bits(index), Bits(at.0), line))?;
    let sql = "INSERT INTO audit_head (id, size, root) VALUES (1, ?1, ?2)
               ON CONFLICT (id) DO UPDATE SET size = excluded.size, root = excluded.root";
    run(conn, doing, sql, (Bits(index.saturating_add(1)), root.0)).map(drop)
}

pub(crate) fn server_time(conn: &Connection, at: UnixMillis) -> Result<(), StoreError> {
    if read::decided::server_time(conn)?.is_some_and(|stored| at <= stored) {
        return Ok(());
    }
    let sql = "INSERT INTO server_time (id, at) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET at = excluded.at";
    run(conn, "store the server time", sql, (Bits(at.0),)).map(drop)
}

pub(crate) fn device_serial(
    conn: &Connection,
    agent: AgentId,
    device: &Name,
    serial: Serial,
) -> Result<(), StoreError> {
    if let Some(stored) = read::decided::device_serial(conn, agent, device)?.filter(|stored| serial < *stored) {
        return Err(StoreError::WouldFall {
            what: format!("the serial of device {device} of agent {agent}"),
            stored: stored.0.to_string(),
            given: serial.0.to_string(),
        });
    }
    let sql = "INSERT INTO device_serials (agent, device, serial) VALUES (?1, ?2, ?3)
               ON CONFLICT (agent, device) DO UPDATE SET serial = excluded.serial";
    run(conn, "store a device's serial", sql, (agent.0, device.as_str(), Bits(serial.0))).map(drop)
}

/// `None` where the change is not in the outbox, `Some(None)` where it has no Confirm yet.
fn confirm_of(conn: &Connection, change: ChangeId) -> Result<Option<Option<Vec<u8>>>, StoreError> {
    let sql = "SELECT confirm FROM outbox WHERE change = ?1";
    one(conn, "look into the outbox", sql, (change.0,), |row| row.get(0))
}
