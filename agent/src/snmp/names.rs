//! From interface names to ifIndex. Indexes may change at any restart of a device; names are what people configure.

use takar_shared::Name;

use super::oid::{Column, IF_DESCR, IF_NAME};

/// Where a device keeps the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameColumn {
    IfName,
    /// Of devices without ifXTable, or with empty names in it.
    IfDescr,
}

impl NameColumn {
    pub(super) fn column(self) -> Column {
        match self {
            Self::IfName => IF_NAME,
            Self::IfDescr => IF_DESCR,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::IfName => "ifName",
            Self::IfDescr => "ifDescr",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    At {
        if_index: u32,
        /// The 64-bit octet counters were missing: ask for the 32-bit ones too.
        narrow: bool,
    },
    Absent,
    /// So many interfaces have this name.
    Ambiguous(usize),
}

/// Where each configured interface is, in the order of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Map {
    pub(super) names: NameColumn,
    pub(super) entries: Vec<(Name, Place)>,
}

impl Map {
    pub(super) fn new(names: NameColumn, rows: &[(u32, Vec<u8>)], wanted: &[Name]) -> Self {
        let entries = wanted.iter().map(|name| (name.clone(), place(name, rows))).collect();
        Self { names, entries }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.entries.iter().all(|(_, place)| matches!(place, Place::At { .. }))
    }
}

/// Some devices fill names up with zero octets; a config cannot hold them and need not.
pub(super) fn unpadded(name: &[u8]) -> &[u8] {
    let end = name.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    name.get(..end).unwrap_or_default()
}

fn place(name: &Name, rows: &[(u32, Vec<u8>)]) -> Place {
    let mut found = rows.iter().filter(|(_, row)| unpadded(row) == name.as_bytes());
    match (found.next(), found.count()) {
        (None, _) => Place::Absent,
        (Some((if_index, _)), 0) => Place::At { if_index: *if_index, narrow: false },
        (Some(_), others) => Place::Ambiguous(others.saturating_add(1)),
    }
}

/// When to walk again for a name that was not found: at the next poll, then after 2, 4, … polls, so that an interface
/// that is gone for days does not cost a walk a poll.
#[derive(Debug)]
pub(super) struct WalkPause {
    polls_left: u32,
    next: u32,
}

const LONGEST_PAUSE: u32 = 32;

impl Default for WalkPause {
    fn default() -> Self {
        Self { polls_left: 0, next: 1 }
    }
}

impl WalkPause {
    /// To be told of every walk.
    pub(super) fn on_walk(&mut self, complete: bool) {
        if complete {
            *self = Self::default();
        } else {
            self.polls_left = self.next;
            self.next = self.next.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    /// To be asked once a poll while names are missing.
    pub(super) fn is_over(&mut self) -> bool {
        self.polls_left = self.polls_left.saturating_sub(1);
        self.polls_left == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use takar_shared::id::name;

    #[test]
    fn names_are_compared_by_bytes_but_for_padding_and_twice_is_ambiguous() {
        let rows = vec![
            (1, b"lo".to_vec()),
            (2, b"ether1".to_vec()),
            (3, b"ETHER2".to_vec()),
            (4, b"ath0".to_vec()),
            (5, b"\xff".to_vec()),
            (9, b"ath0".to_vec()),
            (10, b"tunl0\0\0\0".to_vec()),
        ];
        let wanted = ["ether1", "ath0", "ether2", "tunl0"].map(|wanted| name(wanted).unwrap());
        let map = Map::new(NameColumn::IfName, &rows, &wanted);
        let places: Vec<Place> = map.entries.iter().map(|(_, place)| *place).collect();
        assert_eq!(
            places,
            [
                Place::At { if_index: 2, narrow: false },
                Place::Ambiguous(2),
                Place::Absent,
                Place::At { if_index: 10, narrow: false }
            ]
        );
        assert!(!map.is_complete());
    }

    #[test]
    fn walks_for_a_missing_name_become_rare() {
        let mut pause = WalkPause::default();
        pause.on_walk(false);
        let mut walks = Vec::new();
        for poll in 1..=100 {
            if pause.is_over() {
                walks.push(poll);
                pause.on_walk(false);
            }
        }
        assert_eq!(walks, [1, 3, 7, 15, 31, 63, 95]);
        pause.on_walk(true);
        pause.on_walk(false);
        assert!(pause.is_over(), "once found, the next loss is looked for at once");
    }
}
