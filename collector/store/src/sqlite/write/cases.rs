//! The procedure: cases, what was frozen into them, people, papers, notices.

use rusqlite::Connection;
use takar_collector_core::case::Case;

use crate::{
    AccountRow, DeliveryRow, EvidenceRow, PaperRow, StoreError,
    sqlite::{
        column::{Bits, Json},
        statement::{one, run},
    },
};

pub(crate) fn case(conn: &Connection, case: &Case) -> Result<(), StoreError> {
    let sql = "INSERT INTO cases (id, open, opened_at, uplink, direction, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT (id) DO UPDATE SET open = excluded.open, body = excluded.body";
    let (uplink, direction) = (case.uplink.as_str(), case.direction.as_str());
    let params = (Bits(case.id.0), case.is_open(), Bits(case.opened_at.0), uplink, direction, Json(case));
    run(conn, "store a case", sql, params).map(drop)
}

pub(crate) fn evidence(conn: &Connection, row: &EvidenceRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO evidence (digest, of_case, at, kind, body) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (digest) DO NOTHING";
    run(conn, "store evidence", sql, (row.digest.0, Bits(row.case.0), Bits(row.at.0), &row.kind, &row.body)).map(drop)
}

pub(crate) fn account(conn: &Connection, row: &AccountRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO accounts (name, body) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET body = excluded.body";
    run(conn, "store an account", sql, (&row.name, &row.body)).map(drop)
}

pub(crate) fn paper(conn: &Connection, row: &PaperRow) -> Result<(), StoreError> {
    let kind = row.kind.as_str();
    let sql = "SELECT number FROM papers WHERE kind = ?1 AND (number = ?2 OR (year = ?3 AND count = ?4))";
    let taken: Option<String> =
        one(conn, "look for a number", sql, (kind, &row.number, row.year, row.count), |row| row.get(0))?;
    if let Some(number) = taken {
        return Err(StoreError::NumberTaken { number });
    }
    let sql = "INSERT INTO papers (number, kind, year, count, of_case, at, files) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let case = row.case.map(|case| Bits(case.0));
    let params = (&row.number, kind, row.year, row.count, case, Bits(row.at.0), Json(&row.files));
    run(conn, "store a paper", sql, params).map(drop)
}

pub(crate) fn delivery(conn: &Connection, row: &DeliveryRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO deliveries (id, open, body) VALUES (?1, ?2, ?3)
               ON CONFLICT (id) DO UPDATE SET open = excluded.open, body = excluded.body";
    run(conn, "store a notice", sql, (Bits(row.id), row.open, &row.body)).map(drop)
}
