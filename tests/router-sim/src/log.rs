//! The simulator's own record of what was offered, served and in force: JSON lines, one write per line, for tests that
//! must not trust what the software under test says about itself.

use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
};

use serde::Serialize;

use crate::pair::{BitsPerSec, Pair};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Record {
    /// What one direction did in one second of unix time (the first may be shorter: the simulator started in it).
    Second {
        /// When the second began.
        unix_ms: u64,
        router: String,
        queue: String,
        direction: &'static str,
        offered_bytes: u64,
        served_bytes: u64,
        dropped_bytes: u64,
        /// In force when the second ended; zero means unlimited.
        max_limit_bps: u64,
    },
    /// What a queue holds its traffic to from this instant on.
    Set { unix_ms: u64, router: String, queue: String, set: Limits },
}

/// bit/s; zero means unlimited, which a disabled or removed queue is too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    pub up_bps: u64,
    pub down_bps: u64,
}

impl From<Pair<BitsPerSec>> for Limits {
    fn from(pair: Pair<BitsPerSec>) -> Self {
        Self { up_bps: pair.up.0, down_bps: pair.down.0 }
    }
}

/// Where the lines go.
#[derive(Debug)]
pub struct Journal(File);

impl Journal {
    /// Starts a new file; an older one of that name is emptied.
    pub fn create(path: &Path) -> io::Result<Self> {
        File::create(path).map(Self)
    }

    /// Writes each record as a line of its own. The file is unbuffered, so a line is out when this returns.
    pub fn write(&mut self, records: &[Record]) -> io::Result<()> {
        for record in records {
            let mut line = serde_json::to_vec(record)?;
            line.push(b'\n');
            self.0.write_all(&line)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_have_the_promised_form() {
        let second = Record::Second {
            unix_ms: 1_700_000_000_000,
            router: "r1".to_owned(),
            queue: "site".to_owned(),
            direction: "down",
            offered_bytes: 3,
            served_bytes: 2,
            dropped_bytes: 1,
            max_limit_bps: 8,
        };
        let expected = concat!(
            r#"{"unix_ms":1700000000000,"router":"r1","queue":"site","direction":"down","#,
            r#""offered_bytes":3,"served_bytes":2,"dropped_bytes":1,"max_limit_bps":8}"#
        );
        assert_eq!(serde_json::to_string(&second).unwrap(), expected);
        let set = Record::Set {
            unix_ms: 5,
            router: "r1".to_owned(),
            queue: "site".to_owned(),
            set: Limits { up_bps: 1, down_bps: 2 },
        };
        let expected = r#"{"unix_ms":5,"router":"r1","queue":"site","set":{"up_bps":1,"down_bps":2}}"#;
        assert_eq!(serde_json::to_string(&set).unwrap(), expected);
    }
}
