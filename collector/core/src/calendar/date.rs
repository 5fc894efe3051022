//! Days and hours in Indonesia's zones, which know no summer time.

use alloc::string::String;
use core::{error::Error, fmt, str::FromStr};
use serde::{Deserialize, Serialize};
use takar_shared::UnixMillis;

const DAY_MS: u64 = 86_400_000;
/// 9999-12-31: four digits are what dates are written with.
const LAST_DAY: i64 = 2_932_896;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Zone {
    /// West: UTC+7.
    #[default]
    Wib,
    /// Central: UTC+8.
    Wita,
    /// East: UTC+9.
    Wit,
}

/// A day of the Gregorian calendar from 1970 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date {
    year: i32,
    month: u8,
    day: u8,
}

/// What a clock on the wall shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Local {
    pub date: Date,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadDate(pub &'static str);

impl fmt::Display for BadDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for BadDate {}

impl Zone {
    pub fn offset_ms(self) -> u64 {
        let hours = match self {
            Self::Wib => 7,
            Self::Wita => 8,
            Self::Wit => 9,
        };
        hours * 3_600_000
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wib => "WIB",
            Self::Wita => "WITA",
            Self::Wit => "WIT",
        }
    }

    /// After the year 9999 its last day.
    pub fn local(self, at: UnixMillis) -> Local {
        let here = at.0.saturating_add(self.offset_ms());
        let days = i64::try_from(here / DAY_MS).unwrap_or(LAST_DAY).min(LAST_DAY);
        let of_day = here % DAY_MS / 1000;
        let part = |value: u64| u8::try_from(value).unwrap_or_default();
        Local {
            date: Date::from_days(days),
            hour: part(of_day / 3600),
            minute: part(of_day / 60 % 60),
            second: part(of_day % 60),
        }
    }

    /// That minute of a day; what lies before 1970 in UTC is its beginning.
    pub fn instant(self, date: Date, minute_of_day: u16) -> UnixMillis {
        let days = u64::try_from(date.days()).unwrap_or_default();
        let here = days * DAY_MS + u64::from(minute_of_day) * 60_000;
        UnixMillis(here.saturating_sub(self.offset_ms()))
    }
}

impl Date {
    pub fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        let is_right = (1970..=9999).contains(&year) && (1..=12).contains(&month) && day >= 1;
        (is_right && day <= last_day(year, month)).then_some(Self { year, month, day })
    }

    pub fn year(self) -> i32 {
        self.year
    }
    pub fn month(self) -> u8 {
        self.month
    }
    pub fn day(self) -> u8 {
        self.day
    }

    /// Monday is 0.
    pub fn weekday(self) -> usize {
        // 1970-01-01 was a Thursday.
        usize::try_from((self.days() + 3).rem_euclid(7)).unwrap_or_default()
    }

    pub fn plus_days(self, days: u32) -> Self {
        Self::from_days((self.days() + i64::from(days)).min(LAST_DAY))
    }

    /// Since 1970-01-01, by counting from March so that a leap day comes last.
    fn days(self) -> i64 {
        let (year, month, day) = (i64::from(self.year), i64::from(self.month), i64::from(self.day));
        let year = if month <= 2 { year - 1 } else { year };
        let era = year / 400;
        let of_era = year % 400;
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }

    fn from_days(days: i64) -> Self {
        let shifted = days.clamp(0, LAST_DAY) + 719_468;
        let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let small = |value: i64| u8::try_from(value).unwrap_or(1);
        Self { year: i32::try_from(year).unwrap_or(1970), month: small(month), day: small(day) }
    }
}

fn last_day(year: i32, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// `2026-11-24`
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for Date {
    type Err = BadDate;
    fn from_str(text: &str) -> Result<Self, BadDate> {
        let wrong = BadDate("expected a date such as 2026-11-24");
        let mut parts = text.split('-');
        let mut part = |digits: usize| {
            let part =
                parts.next().filter(|part| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()));
            part.and_then(|part| part.parse::<u16>().ok()).ok_or(wrong)
        };
        let (year, month, day) = (part(4)?, part(2)?, part(2)?);
        let small = |value: u16| u8::try_from(value).unwrap_or_default();
        if parts.next().is_some() {
            return Err(wrong);
        }
        Self::new(year.into(), small(month), small(day)).ok_or(BadDate("expected a day that exists, from 1970 to 9999"))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Zone {
    type Err = BadDate;
    fn from_str(text: &str) -> Result<Self, BadDate> {
        let known = [Self::Wib, Self::Wita, Self::Wit];
        let found = known.into_iter().find(|zone| zone.as_str().eq_ignore_ascii_case(text));
        found.ok_or(BadDate("expected WIB, WITA or WIT"))
    }
}

macro_rules! as_text {
    ($type:ident) => {
        impl TryFrom<String> for $type {
            type Error = BadDate;
            fn try_from(text: String) -> Result<Self, BadDate> {
                text.parse()
            }
        }
        impl From<$type> for String {
            fn from(value: $type) -> Self {
                alloc::format!("{value}")
            }
        }
    };
}
as_text!(Date);
as_text!(Zone);
