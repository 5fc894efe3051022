//! Between Rust types and SQLite columns.
//!
//! SQLite's integers are i64. Every u64 is kept as the i64 with the same bits, so that none is ever refused or changed,
//! whatever an agent sends. SQL's order is then wrong only from 2^63 on; for a time in milliseconds that is the year
//! 292 million. Marks that may not fall are compared in Rust, as u64.

use std::{fmt::Display, str::FromStr};

use rusqlite::{
    Row,
    types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef},
};
use serde::{Serialize, de::DeserializeOwned};
use takar_shared::{BitsPerSec, Direction, UnixMillis};

/// Bits of a sample's `flags`; none set takes no byte.
pub(super) const NARROW: u8 = 1;
pub(super) const BREAK_BEFORE: u8 = 2;

/// A u64 in an INTEGER column, bit for bit.
pub(super) struct Bits(pub(super) u64);

impl ToSql for Bits {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.cast_signed()))
    }
}

impl FromSql for Bits {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(|bits| Self(bits.cast_unsigned()))
    }
}

/// A record in a TEXT column.
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text = serde_json::to_string(&self.0);
        text.map(ToSqlOutput::from).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

/// A checked name in a TEXT column.
struct Parsed<T>(T);

impl<T> FromSql for Parsed<T>
where
    T: FromStr,
    T::Err: Display,
{
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let parsed = value.as_str()?.parse::<T>();
        parsed.map(Self).map_err(|error| FromSqlError::Other(error.to_string().into()))
    }
}

/// The bound of a range: whatever is beyond SQL's order is beyond every time that was put.
pub(super) fn bound(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn time(row: &Row<'_>, index: usize) -> rusqlite::Result<UnixMillis> {
    row.get(index).map(|Bits(millis)| UnixMillis(millis))
}

pub(super) fn number(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    row.get(index).map(|Bits(number)| number)
}

pub(super) fn rate(row: &Row<'_>, index: usize) -> rusqlite::Result<BitsPerSec> {
    row.get(index).map(|Bits(rate)| BitsPerSec(rate))
}

pub(super) fn rate_if_any(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<BitsPerSec>> {
    let rate: Option<Bits> = row.get(index)?;
    Ok(rate.map(|Bits(rate)| BitsPerSec(rate)))
}

pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, index: usize) -> rusqlite::Result<T> {
    row.get(index).map(|Json(value)| value)
}

/// A device or link name.
pub(super) fn named<T>(row: &Row<'_>, index: usize) -> rusqlite::Result<T>
where
    T: FromStr,
    T::Err: Display,
{
    row.get(index).map(|Parsed(name)| name)
}

pub(super) fn direction(row: &Row<'_>, index: usize) -> rusqlite::Result<Direction> {
    let text: String = row.get(index)?;
    let found = Direction::BOTH.into_iter().find(|direction| direction.as_str() == text);
    found.ok_or_else(|| FromSqlError::Other(format!("expected down or up, found {text:?}").into()).into())
}
