//! From a [`Write`] to rows. Runs inside the caller's transaction, which an error rolls back.

mod cases;
mod decided;
pub(super) mod measured;

use rusqlite::Connection;

use crate::{StoreError, Write};

pub(super) fn apply(conn: &Connection, write: &Write) -> Result<(), StoreError> {
    match write {
        Write::Agent(agent) => measured::agent(conn, agent),
        Write::StoredUpTo { agent, epoch, seq } => measured::stored_up_to(conn, *agent, (*epoch, *seq)),
        Write::Birth { agent, at, epoch, nonce, body } => measured::birth(conn, *agent, *at, *epoch, nonce, body),
        Write::Samples(rows) => measured::samples(conn, rows),
        Write::Polls(rows) => measured::polls(conn, rows),
        Write::Loss { agent, from, to, samples, at } => measured::loss(conn, *agent, *from, *to, *samples, *at),
        Write::Quarantine { agent, approved_at, at, why } => measured::quarantine(conn, *agent, *approved_at, *at, why),
        Write::ReportedSerial { agent, device, epoch, serial } => {
            measured::reported_serial(conn, *agent, device, *epoch, *serial)
        }
        Write::Ceiling(row) => measured::ceiling(conn, row),

        Write::Inventory { at, by, text, digest } => decided::inventory(conn, *at, by, text, digest),
        Write::Allocation { link, direction, cir, mir, at, change } => {
            decided::allocation(conn, link, *direction, (*cir, *mir), *at, *change)
        }
        Write::LinkMode(row) => decided::link_mode(conn, row),
        Write::Maintenance(one) => decided::maintenance(conn, one),
        Write::Finding(record) => decided::finding(conn, record),
        Write::Proposal(record) => decided::proposal(conn, record),
        Write::Batch(batch) => decided::batch(conn, batch),
        Write::Change(change) => decided::change(conn, change),
        Write::Case(case) => cases::case(conn, case),
        Write::Evidence(row) => cases::evidence(conn, row),
        Write::Account(row) => cases::account(conn, row),
        Write::Paper(row) => cases::paper(conn, row),
        Write::Delivery(row) => cases::delivery(conn, row),
        Write::Outbox { change, agent, device, serial, expires_at, command } => {
            decided::outbox(conn, *change, (*agent, device, *serial), *expires_at, command)
        }
        Write::OutboxConfirm { change, confirm } => decided::outbox_confirm(conn, *change, confirm),
        Write::OutboxDone { change } => decided::outbox_done(conn, *change),
        Write::Receipt { agent, at, digest, receipt } => decided::receipt(conn, *agent, *at, digest, receipt),
        Write::Leaf { record, line, root } => decided::leaf(conn, record.index, record.at, line, root),
        Write::ServerTime(at) => decided::server_time(conn, *at),
        Write::DeviceSerial { agent, device, serial } => decided::device_serial(conn, *agent, device, *serial),
    }
}
