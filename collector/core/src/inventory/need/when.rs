//! When a need holds: days, weekdays and hours, in the zone of its site.

use alloc::format;
use serde::Serialize;
use takar_shared::id::Quoted;

use crate::{
    calendar::Date,
    inventory::{
        RawNeed,
        place::{Place, Problems},
    },
};

const DAY_MINUTES: u16 = 24 * 60;
/// Monday first, as people here write them in either language.
const DAYS: [[&str; 2]; 7] =
    [["mon", "sen"], ["tue", "sel"], ["wed", "rab"], ["thu", "kam"], ["fri", "jum"], ["sat", "sab"], ["sun", "min"]];

/// `begins <= ends` and `from_minute < to_minute <= 1440` hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct When {
    /// First and last day; `None`: without end.
    pub begins: Option<Date>,
    pub ends: Option<Date>,
    pub weekdays: Weekdays,
    /// Minutes of the day; the whole day is 0 to 1440.
    pub from_minute: u16,
    pub to_minute: u16,
}

/// Days of the week, a bit each; Monday is the lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Weekdays(u8);

impl Weekdays {
    pub const ALL: Self = Self(0x7f);

    /// Monday is 0.
    pub fn has(self, day: usize) -> bool {
        u32::try_from(day).ok().and_then(|day| 1_u8.checked_shl(day)).is_some_and(|bit| self.0 & bit != 0)
    }

    /// `mon-fri`, `sat sun`, `sen-jum, min`: names or ranges of names, in any case. A range may go over the week's end.
    pub fn parse(text: &str) -> Option<Self> {
        let mut days = 0_u8;
        for part in text.split([',', ' ']).filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (day(first)?, day(last)?);
            let mut at = first;
            days |= 1 << at;
            while at != last {
                at = (at + 1) % DAYS.len();
                days |= 1 << at;
            }
        }
        (days != 0).then_some(Self(days))
    }
}

impl When {
    /// Whether it holds at some hour of this day.
    pub fn on(&self, date: Date) -> bool {
        self.begins.is_none_or(|begins| begins <= date)
            && self.ends.is_none_or(|ends| date <= ends)
            && self.weekdays.has(date.weekday())
    }

    /// Whether it holds in this minute of this day.
    pub fn at(&self, date: Date, minute: u16) -> bool {
        self.on(date) && (self.from_minute..self.to_minute).contains(&minute)
    }
}

pub(super) fn when(row: &RawNeed, place: &Place, problems: &mut Problems) -> Option<When> {
    let days = problems.days(place, ("begins", row.begins.as_deref()), ("ends", row.ends.as_deref()));
    let weekdays = match row.weekdays.as_deref() {
        None => Some(Weekdays::ALL),
        Some(text) => {
            let weekdays = Weekdays::parse(text);
            if weekdays.is_none() {
                let expected = "expected days like mon-fri or sat,sun (sen-jum, sab,min)";
                problems.add(place.key("weekdays"), format!("{expected}, found {}", Quoted(text)));
            }
            weekdays
        }
    };
    let hours = hours(row, place, problems);
    let ((begins, ends), (from_minute, to_minute)) = (days?, hours?);
    Some(When { begins, ends, weekdays: weekdays?, from_minute, to_minute })
}

/// Both or neither: half a window is a mistake more often than a wish.
fn hours(row: &RawNeed, place: &Place, problems: &mut Problems) -> Option<(u16, u16)> {
    let mut read = |key: &str, text: &str| {
        let minute = minute(text);
        if minute.is_none() {
            let what = format!("expected a time like 07:00 (24:00 at most), found {}", Quoted(text));
            problems.add(place.key(key), what);
        }
        minute
    };
    let (from, to) = match (row.from.as_deref(), row.to.as_deref()) {
        (None, None) => return Some((0, DAY_MINUTES)),
        (Some(from), Some(to)) => (read("from", from), read("to", to)),
        (from, to) => {
            let missing = if from.is_none() { "from" } else { "to" };
            let _ = (from.map(|text| read("from", text)), to.map(|text| read("to", text)));
            problems.add(place.key(missing), "expected from and to, or neither for the whole day");
            return None;
        }
    };
    let (from, to) = (from?, to?);
    if from >= to {
        problems
            .add(place.key("to"), format!("expected a time after from ({})", row.from.as_deref().unwrap_or_default()));
        return None;
    }
    Some((from, to))
}

fn day(name: &str) -> Option<usize> {
    DAYS.iter().position(|names| names.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

/// `07:00`, or `07:00:00` as TOML and spreadsheets have it; up to `24:00`.
fn minute(text: &str) -> Option<u16> {
    let text = text.strip_suffix(":00").filter(|rest| rest.contains(':')).unwrap_or(text);
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<u16>().ok()).flatten()
    };
    let (hour, minute) = (two_digits(hour)?, two_digits(minute)?);
    (minute < 60).then_some(hour * 60 + minute).filter(|minute| *minute <= DAY_MINUTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekdays_are_read_in_both_languages() {
        assert_eq!(Weekdays::parse("mon-fri"), Some(Weekdays(0b001_1111)));
        assert_eq!(Weekdays::parse("sen-jum"), Weekdays::parse("Mon-Fri"));
        assert_eq!(Weekdays::parse("sab, min"), Some(Weekdays(0b110_0000)));
        assert_eq!(Weekdays::parse("sat-mon wed"), Some(Weekdays(0b110_0101)));
        assert_eq!(Weekdays::parse("mon-sun"), Some(Weekdays::ALL));
        for text in ["", " ", ",", "monday", "1-5", "mon-", "-fri", "mon-tue-wed", "mon–fri"] {
            assert_eq!(Weekdays::parse(text), None, "{text:?}");
        }
        assert!(!Weekdays::ALL.has(7) && !Weekdays::ALL.has(usize::MAX) && Weekdays::ALL.has(6));
    }

    #[test]
    fn times_are_read() {
        assert_eq!(minute("07:00"), Some(420));
        assert_eq!(minute("07:30:00"), Some(450));
        assert_eq!((minute("00:00"), minute("24:00")), (Some(0), Some(1440)));
        for text in ["", "7:00", "07:60", "24:01", "07.00", "07:00:01", "+7:00", "07", "07:00:00:00", "99:00"] {
            assert_eq!(minute(text), None, "{text:?}");
        }
    }
}
