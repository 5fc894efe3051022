//! Tables, times and what stands where nothing is known.

use std::io;

use comfy_table::{CellAlignment, presets::NOTHING};
use jiff::{Timestamp, tz::TimeZone};

use super::{Printer, Tone, clean};

/// What was not measured, never a zero.
pub const UNKNOWN: &str = "–";

/// One line a row, so that `grep` and `head` work on it; long sentences come last and are left to the terminal.
pub struct Table {
    header: &'static [&'static str],
    right: &'static [usize],
    rows: Vec<(Tone, Vec<String>)>,
}

impl Table {
    /// `right`: the columns that are aligned to the right, from 0.
    pub fn new(header: &'static [&'static str], right: &'static [usize]) -> Self {
        Self { header, right, rows: Vec::new() }
    }

    pub fn row(&mut self, tone: Tone, cells: Vec<String>) {
        self.rows.push((tone, cells));
    }

    /// `when_empty` is said where there is no row.
    pub fn print(self, when_empty: &str, out: &mut Printer<'_>) -> io::Result<()> {
        if self.rows.is_empty() {
            return out.line(when_empty);
        }
        let mut table = comfy_table::Table::new();
        table.load_style(NOTHING).set_header(self.header.iter().copied());
        for (_, cells) in &self.rows {
            // Cleaned here as well: a line break in a cell would make two lines of it.
            table.add_row(cells.iter().map(|cell| clean(cell).into_owned()));
        }
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if self.right.contains(&index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let tones = std::iter::once(Tone::Heading).chain(self.rows.iter().map(|(tone, _)| *tone));
        for (line, tone) in table.lines().zip(tones) {
            out.toned(tone, line.trim_end())?;
        }
        Ok(())
    }
}

/// Local time to the second, with its offset (RFC 3339).
pub fn time(unix_ms: u64) -> String {
    time_in(unix_ms, TimeZone::system())
}

pub fn time_or_unknown(unix_ms: Option<u64>) -> String {
    unix_ms.map_or_else(|| UNKNOWN.to_owned(), time)
}

pub fn or_unknown(text: Option<impl Into<String>>) -> String {
    text.map_or_else(|| UNKNOWN.to_owned(), Into::into)
}

fn time_in(unix_ms: u64, zone: TimeZone) -> String {
    let stamp = i64::try_from(unix_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    match stamp {
        Some(stamp) => stamp.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        // After the year 9999: no time at all.
        None => UNKNOWN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz;

    use super::*;
    use crate::admin::tests::printed;

    #[test]
    fn times_are_local_and_to_the_second() {
        let jakarta = || TimeZone::fixed(tz::offset(7));
        assert_eq!(time_in(1_769_871_909_750, jakarta()), "2026-01-31T22:05:09+07:00");
        assert_eq!(time_in(0, TimeZone::UTC), "1970-01-01T00:00:00+00:00");
        assert_eq!(time_in(u64::MAX, jakarta()), UNKNOWN);
        assert_eq!(time_or_unknown(None), UNKNOWN);
    }

    #[test]
    fn a_row_is_a_line() {
        let mut table = Table::new(&["link", "used"], &[1]);
        table.row(Tone::Plain, vec!["sd-02".into(), "9 Mbit/s".into()]);
        table.row(Tone::Bad, vec!["sd\n3".into(), "12.5 Mbit/s".into()]);
        let text = printed(|out| table.print("none", out));
        assert_eq!(text, "link          used\nsd-02     9 Mbit/s\nsd\u{fffd}3   12.5 Mbit/s\n");
    }

    #[test]
    fn no_rows_are_said() {
        assert_eq!(printed(|out| Table::new(&["link"], &[]).print("no links", out)), "no links\n");
    }
}
