//! Running a statement, and what its failure means.

use std::path::Path;

use rusqlite::{Connection, Error, ErrorCode, OptionalExtension as _, Params, Row, ffi};

use crate::StoreError;

/// Runs a statement that returns no rows; how many rows it changed.
pub(super) fn run(conn: &Connection, doing: &'static str, sql: &str, params: impl Params) -> Result<usize, StoreError> {
    conn.prepare_cached(sql).and_then(|mut statement| statement.execute(params)).map_err(failed(doing))
}

/// The first row, if there is one.
pub(super) fn one<T>(
    conn: &Connection,
    doing: &'static str,
    sql: &str,
    params: impl Params,
    map: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, StoreError> {
    let read = || -> rusqlite::Result<Option<T>> {
        let mut statement = conn.prepare_cached(sql)?;
        statement.query_row(params, map).optional()
    };
    read().map_err(failed(doing))
}

pub(super) fn all<T>(
    conn: &Connection,
    doing: &'static str,
    sql: &str,
    params: impl Params,
    map: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let read = || -> rusqlite::Result<Vec<T>> {
        let mut statement = conn.prepare_cached(sql)?;
        let rows = statement.query_map(params, map)?;
        rows.collect()
    };
    read().map_err(failed(doing))
}

/// `doing` follows the word "cannot".
pub(super) fn failed(doing: &'static str) -> impl FnOnce(Error) -> StoreError {
    move |error| match &error {
        Error::SqliteFailure(code, _) if code.code == ErrorCode::DiskFull => StoreError::Full { doing },
        Error::SqliteFailure(code, _) if code.extended_code == ffi::SQLITE_CONSTRAINT_FOREIGNKEY => {
            StoreError::Dangling { doing }
        }
        Error::SqliteFailure(code, _) if matches!(code.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Damaged { doing, source: error.into() }
        }
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::Utf8Error(..) => StoreError::Damaged { doing, source: error.into() },
        _ => StoreError::Failed { doing, source: error.into() },
    }
}

/// What a failure means while the file is being opened.
pub(super) fn not_opened(path: &Path) -> impl Fn(Error) -> StoreError {
    move |error| {
        let path = path.to_owned();
        match error.sqlite_error_code() {
            // The only one who ever waits for a lock is who came second.
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::InUse { path },
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => StoreError::NotADatabase { path },
            _ => StoreError::CannotOpen { path, source: error.into() },
        }
    }
}
