//! Reading a table of rows: numbering, duplicate names, and which names the other tables may refer to.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    vec::Vec,
};
use core::str::FromStr;

use super::{
    BadName, RawContract, RawHoliday, RawLink, RawNeed, RawProfile, RawProvider, RawSite, RawUplink, Row,
    place::{Place, Problems},
};

/// A row type that has a name of its own.
pub trait Named {
    /// The table's key in the file.
    const TABLE: &'static str;
    /// The key of its name.
    const KEY: &'static str;
    fn name(&self) -> &str;
}

macro_rules! named {
    ($($row:ident => $table:literal by $key:ident),+) => {
        $(impl Named for $row {
            const TABLE: &'static str = $table;
            const KEY: &'static str = stringify!($key);
            fn name(&self) -> &str {
                &self.$key
            }
        })+
    };
}
named!(
    RawProvider => "provider" by name,
    RawUplink => "uplink" by name,
    RawSite => "site" by name,
    RawLink => "link" by name,
    RawContract => "contract" by name,
    RawProfile => "profile" by name,
    RawNeed => "need" by name,
    RawHoliday => "holiday" by date
);

impl<R: Named> Row<R> {
    /// As far as it could be read.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Read(row) => Some(row.name()),
            Self::Unread { name, .. } => name.as_deref(),
        }
    }
}

/// Builds every row that can be built; notes unread rows and names used twice.
pub(super) fn build<R: Named, T>(
    rows: &[Row<R>],
    problems: &mut Problems,
    mut build_one: impl FnMut(&R, &Place, &mut Problems) -> Option<T>,
) -> Vec<T> {
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    let mut built = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let place = Place::row(R::TABLE, index, row.name());
        // An empty name is reported for what it is, not as a duplicate of the next one.
        if let Some(name) = row.name().filter(|name| !name.is_empty()) {
            let earlier = *first.entry(name).or_insert(index);
            if earlier != index {
                let what = format!("expected a {} of its own, {}[{earlier}] has it", R::KEY, R::TABLE);
                problems.add(place.key(R::KEY), what);
            }
        }
        match row {
            Row::Read(raw) => built.extend(build_one(raw, &place, problems)),
            Row::Unread { why, .. } => problems.add(place.whole(), why),
        }
    }
    built
}

/// The names of one table, as other tables may refer to them.
pub(super) struct References<'a> {
    table: &'static str,
    names: BTreeSet<&'a str>,
    /// False where a row could not be read at all: any name might have been that row's.
    complete: bool,
}

impl<'a> References<'a> {
    pub(super) fn to<R: Named>(rows: &'a [Row<R>]) -> Self {
        let names = rows.iter().filter_map(Row::name).collect();
        Self { table: R::TABLE, names, complete: rows.iter().all(|row| row.name().is_some()) }
    }

    /// The name of a row that exists. A name that exists but is malformed is reported at its own row, not here.
    pub(super) fn resolve<N: FromStr<Err = BadName>>(
        &self,
        place: &Place,
        key: &str,
        text: &str,
        problems: &mut Problems,
    ) -> Option<N> {
        if self.complete && !self.names.contains(text) {
            problems.add(place.key(key), format!("expected the name of a [[{}]], found {text:?}", self.table));
            return None;
        }
        text.parse().ok()
    }
}
