//! What is wrong with an inventory, and where. Everything at once, so that nobody mends one line at a time.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, str::FromStr};
use serde::{Deserialize, Serialize};

use super::{BadName, name};
use crate::calendar::Date;
use takar_shared::{Name, id::Quoted};

/// One thing that must be mended before the inventory can be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Key path, rows counted from 0: `link[3].down.mir_bps (link "sd-02")`.
    pub at: String,
    /// What was expected and what was found.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.what)
    }
}

/// All problems found so far.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn add(&mut self, at: String, what: impl fmt::Display) {
        self.0.push(Problem { at, what: what.to_string() });
    }

    /// The name, or a problem at that key.
    pub(super) fn name<N: FromStr<Err = BadName>>(&mut self, place: &Place, key: &str, text: &str) -> Option<N> {
        self.noted(place.key(key), text.parse())
    }

    pub(super) fn topic_level(&mut self, place: &Place, key: &str, text: &str) -> Option<Name> {
        self.noted(place.key(key), name::topic_level(text))
    }

    pub(super) fn device_side(&mut self, place: &Place, key: &str, text: &str) -> Option<Name> {
        self.noted(place.key(key), name::device_side(text))
    }

    /// A title for people: anything but nothing.
    pub(super) fn title(&mut self, place: &Place, text: &str) -> Option<String> {
        if text.trim().is_empty() {
            self.add(place.key("title"), "expected a title, found empty text");
            return None;
        }
        Some(text.into())
    }

    /// Text that may be absent but not blank.
    pub(super) fn text(&mut self, place: &Place, key: &str, text: Option<&str>) -> Option<String> {
        let text = text?;
        if text.trim().is_empty() {
            self.add(place.key(key), "expected text, found none");
            return None;
        }
        Some(text.into())
    }

    pub(super) fn above_zero(&mut self, place: &Place, key: &str, rate: Option<u64>) {
        if rate == Some(0) {
            self.add(place.key(key), "expected a rate above 0 bit/s");
        }
    }

    pub(super) fn rupiah(&mut self, place: &Place, key: &str, price: i64) -> Option<u64> {
        let positive = u64::try_from(price);
        positive.map_err(|_| self.add(place.key(key), format!("expected 0 rupiah or more, found {price}"))).ok()
    }

    /// The first and the last day of something, each under its key; `None` where that is no answer.
    pub(super) fn days(
        &mut self,
        place: &Place,
        (first_key, first): (&str, Option<&str>),
        (last_key, last): (&str, Option<&str>),
    ) -> Option<(Option<Date>, Option<Date>)> {
        let first = self.date(place, first_key, first);
        let last = self.date(place, last_key, last);
        let (first, last) = (first?, last?);
        if let (Some(first), Some(last)) = (first, last)
            && last < first
        {
            self.add(place.key(last_key), format!("expected {first_key} ({first}) or later, found {last}"));
            return None;
        }
        Some((first, last))
    }

    /// An absent date is `Some(None)`.
    pub(super) fn date(&mut self, place: &Place, key: &str, text: Option<&str>) -> Option<Option<Date>> {
        let Some(text) = text else { return Some(None) };
        let date = text.parse::<Date>();
        let expected = "expected a date like 2026-01-31";
        date.map_err(|_| self.add(place.key(key), format!("{expected}, found {}", Quoted(text)))).ok().map(Some)
    }

    pub(super) fn into_vec(self) -> Vec<Problem> {
        self.0
    }

    fn noted<T>(&mut self, at: String, result: Result<T, BadName>) -> Option<T> {
        result.map_err(|bad| self.add(at, bad)).ok()
    }
}

/// Where in the inventory we are: a row, or a table inside one.
#[derive(Clone, Debug)]
pub(super) struct Place {
    path: String,
    row: String,
}

impl Place {
    /// `name` is whatever the row calls itself, valid or not.
    pub(super) fn row(table: &str, index: usize, name: Option<&str>) -> Self {
        let row = name.map_or_else(String::new, |name| format!(" ({table} {name:?})"));
        Self { path: format!("{table}[{index}]"), row }
    }

    /// A table inside the row: `down`.
    pub(super) fn table(&self, key: &str) -> Self {
        Self { path: format!("{}.{key}", self.path), row: self.row.clone() }
    }

    pub(super) fn key(&self, key: &str) -> String {
        format!("{}.{key}{}", self.path, self.row)
    }

    /// The row or table as a whole.
    pub(super) fn whole(&self) -> String {
        format!("{}{}", self.path, self.row)
    }
}
