//! What stands in a cell of a spreadsheet, and what it means in a column.

use serde_json::Value;

use super::schema::Kind;
use crate::admin::rate;

/// The first of these in a cell makes spreadsheets calculate; text that begins so is written with `'` before it.
const CALCULATED: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];
/// Up to here every whole number has a float of its own.
const LAST_WHOLE: f64 = 9_007_199_254_740_992.0;

#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Text(String),
    Number(f64),
    /// A date, a time, or both, as the cell's format has it: `2026-01-31`, `07:00:00`.
    Moment {
        date: String,
        time: String,
    },
    /// Nothing that could be a value; what it is.
    Refused(&'static str),
}

impl Cell {
    pub fn is_blank(&self) -> bool {
        matches!(self, Self::Text(text) if text.trim().is_empty())
    }

    /// The value for a column of this kind, or what was expected and found.
    pub fn value(&self, kind: Kind) -> Result<Value, String> {
        let text = self.text(kind)?;
        let word = text.trim();
        Ok(match kind {
            Kind::Text => Value::from(text),
            Kind::Name | Kind::Date | Kind::Time => Value::from(word),
            Kind::Rate => Value::from(rate(word)?),
            Kind::Count => {
                let count: Option<u32> = word.parse().ok();
                Value::from(count.ok_or_else(|| format!("expected a whole number, 0 or more, found {word:?}"))?)
            }
            Kind::Rupiah => {
                let rupiah: Option<i64> = word.parse().ok();
                Value::from(rupiah.ok_or_else(|| format!("expected whole rupiah such as 18500000, found {word:?}"))?)
            }
        })
    }

    fn text(&self, kind: Kind) -> Result<String, String> {
        match (self, kind) {
            (Self::Text(text), _) => Ok(text.clone()),
            (Self::Number(number), _) => Ok(show(*number)),
            (Self::Moment { date, time }, Kind::Date) if time == "00:00:00" => Ok(date.clone()),
            (Self::Moment { time, .. }, Kind::Time) => Ok(time.clone()),
            (Self::Moment { date, time }, Kind::Date) => Err(format!("expected a date alone, found {date} {time}")),
            (Self::Moment { date, time }, _) => {
                let (_, expected) = kind.words();
                Err(format!(
                    "expected {expected}, found the date or time {date} {time}; is the column formatted as text?"
                ))
            }
            (Self::Refused(what), _) => Err(format!("{what}; expected a value")),
        }
    }
}

/// Text for a CSV cell, such that no spreadsheet calculates it. [`unguarded`] takes the guard off again.
pub fn guarded(text: &str) -> String {
    if text.starts_with(CALCULATED) || text.starts_with('\'') { format!("'{text}") } else { text.to_owned() }
}

pub fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(CALCULATED) || rest.starts_with('\'') => rest,
        _ => text,
    }
}

/// A whole number without a fraction, as it was typed.
fn show(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < LAST_WHOLE { (number as i64).to_string() } else { number.to_string() }
}

/// `10000000`, `10_000_000`, `10M`, and with a suffix a decimal comma as well as a point. 0 is a rate: no guarantee.
fn rate(word: &str) -> Result<u64, String> {
    let plain = word.replace('_', "");
    if !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_digit()) {
        return plain.parse().map_err(|_| format!("expected a rate below 2^64 bit/s, found {word}"));
    }
    if !word.ends_with(['k', 'M', 'G']) {
        // `10.000` is ten thousand to one reader and ten to another.
        return Err(format!("{word:?} is no rate; expected bit/s such as 10000000, 800k, 2.5M or 1G"));
    }
    rate::parse(&word.replace(',', "."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> Cell {
        Cell::Text(text.into())
    }

    #[test]
    fn rates_are_read_as_people_write_them() {
        for (word, rate) in [("10000000", 10_000_000), ("10_000_000", 10_000_000), ("10M", 10_000_000), ("0", 0)] {
            assert_eq!(text(word).value(Kind::Rate), Ok(Value::from(rate)), "{word}");
        }
        for word in ["2,5M", "2.5M", " 2500k "] {
            assert_eq!(text(word).value(Kind::Rate), Ok(Value::from(2_500_000)), "{word}");
        }
        for word in
            ["10.000.000", "10,000,000", "10.000", "10,000", "1.5", "-1", "ten", "18446744073709551616", "1,2,3M", "_"]
        {
            assert!(text(word).value(Kind::Rate).is_err(), "{word}");
        }
        assert_eq!(Cell::Number(10_000_000.0).value(Kind::Rate), Ok(Value::from(10_000_000)));
        assert!(Cell::Number(2.5).value(Kind::Rate).is_err());
        assert!(Cell::Number(f64::NAN).value(Kind::Rate).is_err());
    }

    #[test]
    fn a_cell_is_read_as_its_column_has_it() {
        let noon = Cell::Moment { date: "1899-12-31".into(), time: "12:00:00".into() };
        let day = Cell::Moment { date: "2026-01-31".into(), time: "00:00:00".into() };
        assert_eq!(day.value(Kind::Date), Ok(Value::from("2026-01-31")));
        assert_eq!(noon.value(Kind::Time), Ok(Value::from("12:00:00")));
        assert!(noon.value(Kind::Date).is_err());
        // `1:10` is a time to a spreadsheet.
        assert!(noon.value(Kind::Name).unwrap_err().contains("formatted as text"));
        assert_eq!(Cell::Number(27.0).value(Kind::Text), Ok(Value::from("27")));
        assert_eq!(Cell::Number(-1.0).value(Kind::Rupiah), Ok(Value::from(-1)));
        assert!(Cell::Number(-1.0).value(Kind::Count).is_err());
        assert_eq!(Cell::Refused("a formula").value(Kind::Text), Err("a formula; expected a value".into()));
        assert_eq!(text(" x ").value(Kind::Name), Ok(Value::from("x")));
        assert_eq!(text(" x ").value(Kind::Text), Ok(Value::from(" x ")));
    }

    proptest! {
        #[test]
        fn a_guard_comes_off_again_and_nothing_behind_it_is_calculated(text in "['=+@\t-]{0,3}[a-z]{0,3}") {
            let written = guarded(&text);
            prop_assert_eq!(unguarded(&written), text.as_str());
            prop_assert!(!written.starts_with(CALCULATED));
        }

        #[test]
        fn a_whole_number_is_read_exactly(number in 0_u64..9_007_199_254_740_992) {
            prop_assert_eq!(Cell::Number(number as f64).value(Kind::Rate), Ok(Value::from(number)));
        }
    }
}
