//! The procedure: cases, what was frozen into them, people, papers, notices.

use rusqlite::{Connection, Params, Row};
use takar_collector_core::case::{Case, CaseId};
use takar_shared::Digest;

use super::decided::{bodies, body, next};
use crate::{
    AccountRow, DeliveryRow, EvidenceRow, PaperKind, PaperRow, StoreError,
    sqlite::{
        column::{Bits, json, number, time},
        statement::{all, one},
    },
};

pub(crate) fn case(conn: &Connection, id: CaseId) -> Result<Option<Case>, StoreError> {
    body(conn, "read a case", "SELECT body FROM cases WHERE id = ?1", (Bits(id.0),))
}

pub(crate) fn cases(conn: &Connection, limit: u32) -> Result<Vec<Case>, StoreError> {
    bodies(conn, "read cases", "SELECT body FROM cases ORDER BY id DESC LIMIT ?1", (limit,))
}

pub(crate) fn open_cases(conn: &Connection) -> Result<Vec<Case>, StoreError> {
    bodies(conn, "read open cases", "SELECT body FROM cases WHERE open ORDER BY id", ())
}

pub(crate) fn next_case_id(conn: &Connection) -> Result<CaseId, StoreError> {
    next(conn, "number a case", "SELECT max(id) FROM cases").map(CaseId)
}

pub(crate) fn evidence(conn: &Connection, digest: Digest) -> Result<Option<EvidenceRow>, StoreError> {
    let sql = "SELECT digest, of_case, at, kind, body FROM evidence WHERE digest = ?1";
    one(conn, "read evidence", sql, (digest.0,), evidence_row)
}

pub(crate) fn evidence_of(conn: &Connection, case: CaseId) -> Result<Vec<EvidenceRow>, StoreError> {
    let sql = "SELECT digest, of_case, at, kind, body FROM evidence WHERE of_case = ?1 ORDER BY number";
    all(conn, "read the evidence of a case", sql, (Bits(case.0),), evidence_row)
}

pub(crate) fn accounts(conn: &Connection) -> Result<Vec<AccountRow>, StoreError> {
    all(conn, "read accounts", "SELECT name, body FROM accounts ORDER BY name", (), |row| {
        Ok(AccountRow { name: row.get(0)?, body: row.get(1)? })
    })
}

pub(crate) fn papers(conn: &Connection, limit: u32) -> Result<Vec<PaperRow>, StoreError> {
    papers_where(conn, "TRUE ORDER BY id DESC LIMIT ?1", (limit,))
}

pub(crate) fn papers_of(conn: &Connection, case: CaseId) -> Result<Vec<PaperRow>, StoreError> {
    papers_where(conn, "of_case = ?1 ORDER BY id", (Bits(case.0),))
}

pub(crate) fn next_paper(conn: &Connection, kind: PaperKind, year: u32) -> Result<u32, StoreError> {
    let sql = "SELECT max(count) FROM papers WHERE kind = ?1 AND year = ?2";
    let largest: Option<Option<u32>> = one(conn, "number a paper", sql, (kind.as_str(), year), |row| row.get(0))?;
    Ok(largest.flatten().unwrap_or_default().saturating_add(1))
}

pub(crate) fn open_deliveries(conn: &Connection) -> Result<Vec<DeliveryRow>, StoreError> {
    all(conn, "read notices", "SELECT id, open, body FROM deliveries WHERE open ORDER BY id", (), |row| {
        Ok(DeliveryRow { id: number(row, 0)?, open: row.get(1)?, body: row.get(2)? })
    })
}

pub(crate) fn next_delivery_id(conn: &Connection) -> Result<u64, StoreError> {
    next(conn, "number a notice", "SELECT max(id) FROM deliveries")
}

fn evidence_row(row: &Row<'_>) -> rusqlite::Result<EvidenceRow> {
    Ok(EvidenceRow {
        digest: Digest(row.get(0)?),
        case: CaseId(number(row, 1)?),
        at: time(row, 2)?,
        kind: row.get(3)?,
        body: row.get(4)?,
    })
}

fn papers_where(conn: &Connection, which: &str, params: impl Params) -> Result<Vec<PaperRow>, StoreError> {
    let sql = format!("SELECT number, kind, year, count, of_case, at, files FROM papers WHERE {which}");
    all(conn, "read papers", &sql, params, |row| {
        let case: Option<Bits> = row.get(4)?;
        let kind: String = row.get(1)?;
        let known = [PaperKind::Report, PaperKind::Letter, PaperKind::Summary];
        let kind = known.into_iter().find(|known| known.as_str() == kind);
        Ok(PaperRow {
            number: row.get(0)?,
            kind: kind.ok_or_else(|| rusqlite::types::FromSqlError::Other("a paper of no known kind".into()))?,
            year: row.get(2)?,
            count: row.get(3)?,
            case: case.map(|Bits(id)| CaseId(id)),
            at: time(row, 5)?,
            files: json(row, 6)?,
        })
    })
}
