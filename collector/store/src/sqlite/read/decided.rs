//! What people and Takar decided, what was sent for it, and what came back.

use rusqlite::{Connection, Params, Row};
use serde::de::DeserializeOwned;
use takar_collector_core::{
    ledger::{Batch, Change, ProposalId, ProposalRecord},
    maintenance::{Maintenance, MaintenanceId},
};
use takar_shared::{AgentId, BatchId, ChangeId, Digest, Name, Serial, UnixMillis};

use crate::{
    AllocationRow, FindingRecord, LinkModeRow, OutboxRow, ReceiptRow, StoreError, StoredInventory,
    sqlite::{
        column::{Bits, bound, direction, json, named, number, rate, rate_if_any, time},
        statement::{all, one},
    },
};

pub(crate) fn inventory(conn: &Connection) -> Result<Option<StoredInventory>, StoreError> {
    let sql = "SELECT at, made_by, text, digest FROM inventories ORDER BY id DESC LIMIT 1";
    one(conn, "read the inventory", sql, (), inventory_row)
}

fn inventory_row(row: &Row<'_>) -> rusqlite::Result<StoredInventory> {
    Ok(StoredInventory { at: time(row, 0)?, by: json(row, 1)?, text: row.get(2)?, digest: Digest(row.get(3)?) })
}

pub(crate) fn inventory_at(conn: &Connection, at: UnixMillis) -> Result<Option<StoredInventory>, StoreError> {
    let sql = "SELECT at, made_by, text, digest FROM inventories WHERE at <= ?1 ORDER BY id DESC LIMIT 1";
    one(conn, "read an earlier inventory", sql, (bound(at.0),), inventory_row)
}

pub(crate) fn allocations(conn: &Connection) -> Result<Vec<AllocationRow>, StoreError> {
    allocations_at(conn, UnixMillis(u64::MAX))
}

pub(crate) fn allocations_at(conn: &Connection, at: UnixMillis) -> Result<Vec<AllocationRow>, StoreError> {
    let sql = "SELECT link, direction, cir, mir, at, change FROM allocations
               WHERE id IN (SELECT max(id) FROM allocations WHERE at <= ?1 GROUP BY link, direction)
               ORDER BY link, direction";
    all(conn, "read allocations", sql, (bound(at.0),), |row| {
        let change: Option<[u8; 16]> = row.get(5)?;
        Ok(AllocationRow {
            link: named(row, 0)?,
            direction: direction(row, 1)?,
            cir: rate_if_any(row, 2)?,
            mir: rate(row, 3)?,
            at: time(row, 4)?,
            change: change.map(ChangeId),
        })
    })
}

pub(crate) fn link_modes(conn: &Connection) -> Result<Vec<LinkModeRow>, StoreError> {
    let sql = "SELECT link, mode, at, made_by FROM link_modes
               WHERE id IN (SELECT max(id) FROM link_modes GROUP BY link) ORDER BY link";
    all(conn, "read the modes of links", sql, (), |row| {
        Ok(LinkModeRow { link: named(row, 0)?, mode: named(row, 1)?, at: time(row, 2)?, by: json(row, 3)? })
    })
}

pub(crate) fn maintenance(conn: &Connection, id: MaintenanceId) -> Result<Option<Maintenance>, StoreError> {
    body(conn, "read a maintenance", "SELECT body FROM maintenances WHERE id = ?1", (id.0.cast_signed(),))
}

pub(crate) fn maintenances(conn: &Connection, limit: u32) -> Result<Vec<Maintenance>, StoreError> {
    bodies(conn, "read maintenances", "SELECT body FROM maintenances ORDER BY id DESC LIMIT ?1", (limit,))
}

pub(crate) fn maintenances_since(conn: &Connection, at: UnixMillis) -> Result<Vec<Maintenance>, StoreError> {
    let sql = "SELECT body FROM maintenances WHERE ends_at > ?1 ORDER BY id";
    bodies(conn, "read maintenances", sql, (bound(at.0),))
}

pub(crate) fn next_maintenance_id(conn: &Connection) -> Result<MaintenanceId, StoreError> {
    next(conn, "number a maintenance", "SELECT max(id) FROM maintenances").map(MaintenanceId)
}

pub(crate) fn findings(conn: &Connection, open_only: bool, limit: u32) -> Result<Vec<FindingRecord>, StoreError> {
    let sql = if open_only {
        "SELECT id, opened_at, closed_at, body FROM findings WHERE closed_at IS NULL ORDER BY id DESC LIMIT ?1"
    } else {
        "SELECT id, opened_at, closed_at, body FROM findings ORDER BY id DESC LIMIT ?1"
    };
    all(conn, "read findings", sql, (limit,), |row| {
        let closed_at: Option<Bits> = row.get(2)?;
        Ok(FindingRecord {
            id: number(row, 0)?,
            opened_at: time(row, 1)?,
            closed_at: closed_at.map(|Bits(at)| UnixMillis(at)),
            finding: json(row, 3)?,
        })
    })
}

pub(crate) fn next_finding_id(conn: &Connection) -> Result<u64, StoreError> {
    next(conn, "number a finding", "SELECT max(id) FROM findings")
}

pub(crate) fn proposal(conn: &Connection, id: ProposalId) -> Result<Option<ProposalRecord>, StoreError> {
    body(conn, "read a proposal", "SELECT body FROM proposals WHERE id = ?1", (id.0.cast_signed(),))
}

pub(crate) fn proposals(conn: &Connection, limit: u32) -> Result<Vec<ProposalRecord>, StoreError> {
    bodies(conn, "read proposals", "SELECT body FROM proposals ORDER BY id DESC LIMIT ?1", (limit,))
}

pub(crate) fn next_proposal_id(conn: &Connection) -> Result<ProposalId, StoreError> {
    next(conn, "number a proposal", "SELECT max(id) FROM proposals").map(ProposalId)
}

pub(crate) fn batch(conn: &Connection, id: BatchId) -> Result<Option<Batch>, StoreError> {
    body(conn, "read a batch", "SELECT body FROM batches WHERE id = ?1", (id.0,))
}

pub(crate) fn open_batches(conn: &Connection) -> Result<Vec<Batch>, StoreError> {
    bodies(conn, "read open batches", "SELECT body FROM batches WHERE open ORDER BY number", ())
}

pub(crate) fn change(conn: &Connection, id: ChangeId) -> Result<Option<Change>, StoreError> {
    body(conn, "read a change", "SELECT body FROM changes WHERE id = ?1", (id.0,))
}

pub(crate) fn changes(conn: &Connection, limit: u32) -> Result<Vec<Change>, StoreError> {
    bodies(conn, "read changes", "SELECT body FROM changes ORDER BY number DESC LIMIT ?1", (limit,))
}

pub(crate) fn open_changes(conn: &Connection) -> Result<Vec<Change>, StoreError> {
    bodies(conn, "read open changes", "SELECT body FROM changes WHERE open ORDER BY number", ())
}

pub(crate) fn changes_of(conn: &Connection, batch: BatchId) -> Result<Vec<Change>, StoreError> {
    let sql = "SELECT body FROM changes WHERE batch = ?1 ORDER BY number";
    bodies(conn, "read the changes of a batch", sql, (batch.0,))
}

pub(crate) fn outbox_open(conn: &Connection) -> Result<Vec<OutboxRow>, StoreError> {
    let sql = "SELECT change, agent, device, serial, expires_at, command, confirm FROM outbox
               WHERE NOT done ORDER BY number";
    all(conn, "read the outbox", sql, (), |row| {
        Ok(OutboxRow {
            change: ChangeId(row.get(0)?),
            agent: AgentId(row.get(1)?),
            device: named(row, 2)?,
            serial: Serial(number(row, 3)?),
            expires_at: time(row, 4)?,
            command: row.get(5)?,
            confirm: row.get(6)?,
        })
    })
}

pub(crate) fn receipt_head(conn: &Connection, agent: AgentId, device: &Name) -> Result<Option<Digest>, StoreError> {
    // By the chain and not by arrival: a receipt that came late must not hide those that follow it, or the agent would
    // send them for ever.
    let sql = "SELECT digest FROM receipts AS this
               WHERE agent = ?1 AND device = ?2 AND NOT EXISTS (
                   SELECT 1 FROM receipts AS later
                   WHERE later.previous = this.digest AND later.agent = this.agent AND later.device = this.device
               )
               ORDER BY number DESC LIMIT 1";
    one(conn, "read the newest receipt", sql, (agent.0, device.as_str()), |row| row.get(0).map(Digest))
}

pub(crate) fn receipts_of(conn: &Connection, change: ChangeId) -> Result<Vec<ReceiptRow>, StoreError> {
    let sql = "SELECT agent, at, digest, body FROM receipts WHERE change = ?1 ORDER BY number";
    all(conn, "read receipts", sql, (change.0,), |row| {
        Ok(ReceiptRow {
            agent: AgentId(row.get(0)?),
            at: time(row, 1)?,
            digest: Digest(row.get(2)?),
            receipt: json(row, 3)?,
        })
    })
}

pub(crate) fn leaves(conn: &Connection, from_index: u64, limit: u32) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
    let sql = "SELECT number, line FROM leaves WHERE number >= ?1 ORDER BY number LIMIT ?2";
    all(conn, "read the audit log", sql, (bound(from_index), limit), |row| Ok((number(row, 0)?, row.get(1)?)))
}

pub(crate) fn audit_head(conn: &Connection) -> Result<Option<(u64, Digest)>, StoreError> {
    let sql = "SELECT size, root FROM audit_head";
    one(conn, "read the head of the audit log", sql, (), |row| Ok((number(row, 0)?, Digest(row.get(1)?))))
}

pub(crate) fn server_time(conn: &Connection) -> Result<Option<UnixMillis>, StoreError> {
    one(conn, "read the server time", "SELECT at FROM server_time", (), |row| time(row, 0))
}

pub(crate) fn device_serial(conn: &Connection, agent: AgentId, device: &Name) -> Result<Option<Serial>, StoreError> {
    let sql = "SELECT serial FROM device_serials WHERE agent = ?1 AND device = ?2";
    one(conn, "read a device's serial", sql, (agent.0, device.as_str()), |row| number(row, 0).map(Serial))
}

pub(super) fn body<T: DeserializeOwned>(
    conn: &Connection,
    doing: &'static str,
    sql: &str,
    params: impl Params,
) -> Result<Option<T>, StoreError> {
    one(conn, doing, sql, params, |row: &Row<'_>| json(row, 0))
}

pub(super) fn bodies<T: DeserializeOwned>(
    conn: &Connection,
    doing: &'static str,
    sql: &str,
    params: impl Params,
) -> Result<Vec<T>, StoreError> {
    all(conn, doing, sql, params, |row: &Row<'_>| json(row, 0))
}

/// One more than the largest; 1 before the first.
pub(super) fn next(conn: &Connection, doing: &'static str, largest: &str) -> Result<u64, StoreError> {
    let largest: Option<Option<i64>> = one(conn, doing, largest, (), |row| row.get(0))?;
    Ok(largest.flatten().unwrap_or_default().cast_unsigned().saturating_add(1))
}
