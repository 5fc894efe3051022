//! Working hours of an office: its zone, its week, its holidays. Clocks of cases count in them.

mod date;

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::fmt;
use takar_shared::UnixMillis;

pub use date::{BadDate, Date, Local, Zone};

/// Beyond this no time is looked for: nobody plans that far.
const MOST_DAYS: u32 = 366 * 20;

/// From one minute of the day to another, the second not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub from: u16,
    pub to: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    zone: Zone,
    /// Monday first.
    week: [Vec<Span>; 7],
    holidays: BTreeMap<Date, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// From 0, Monday.
    pub day: usize,
    pub span: Span,
    pub what: &'static str,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Span { from, to } = self.span;
        let day = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
        let day = day.get(self.day).copied().unwrap_or("a day");
        write!(f, "{day} {:02}:{:02}-{:02}:{:02}: {}", from / 60, from % 60, to / 60, to % 60, self.what)
    }
}

impl Calendar {
    /// # Errors
    /// Every span that cannot be.
    pub fn new(zone: Zone, week: [Vec<Span>; 7], holidays: BTreeMap<Date, String>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        for (day, spans) in week.iter().enumerate() {
            let mut last = 0;
            for span in spans {
                let what = match *span {
                    Span { to, .. } if to > 1440 => "expected an end within the day",
                    Span { from, to } if from >= to => "expected an end after its beginning",
                    Span { from, .. } if from < last => "expected hours in order that do not overlap",
                    _ => {
                        last = span.to;
                        continue;
                    }
                };
                problems.push(Problem { day, span: *span, what });
            }
        }
        if problems.is_empty() { Ok(Self { zone, week, holidays }) } else { Err(problems) }
    }

    /// Monday to Thursday 07:30 to 16:00, Friday 07:30 to 16:30.
    pub fn office(zone: Zone) -> Self {
        let (day, friday) = (Span { from: 450, to: 960 }, Span { from: 450, to: 990 });
        let one = |span| Vec::from([span]);
        let week = [one(day), one(day), one(day), one(day), one(friday), Vec::new(), Vec::new()];
        Self { zone, week, holidays: BTreeMap::new() }
    }

    pub fn around_the_clock(zone: Zone) -> Self {
        let all = || Vec::from([Span { from: 0, to: 1440 }]);
        Self { zone, week: [all(), all(), all(), all(), all(), all(), all()], holidays: BTreeMap::new() }
    }

    pub fn zone(&self) -> Zone {
        self.zone
    }

    pub fn week(&self) -> &[Vec<Span>; 7] {
        &self.week
    }

    pub fn is_working(&self, at: UnixMillis) -> bool {
        self.spans(self.zone.local(at).date).any(|(from, to)| from <= at && at < to)
    }

    /// Working time from one moment to another, of twenty years at most; none where the other is earlier.
    pub fn worked_ms(&self, from: UnixMillis, to: UnixMillis) -> u64 {
        let mut worked: u64 = 0;
        let mut date = self.zone.local(from).date;
        let last = self.zone.local(to).date;
        for _ in 0..MOST_DAYS {
            if date > last || to <= from {
                break;
            }
            for (begin, end) in self.spans(date) {
                worked = worked.saturating_add(end.min(to).since(begin.max(from)));
            }
            date = date.plus_days(1);
        }
        worked
    }

    /// The first moment at which so much was worked since `from`; the end of time where there is none.
    pub fn due(&self, from: UnixMillis, worked: u64) -> UnixMillis {
        let mut left = worked;
        if left == 0 {
            return from;
        }
        let mut date = self.zone.local(from).date;
        for _ in 0..MOST_DAYS {
            for (begin, end) in self.spans(date) {
                let begin = begin.max(from);
                let here = end.since(begin);
                if here >= left {
                    return begin.plus(left);
                }
                left -= here;
            }
            date = date.plus_days(1);
        }
        UnixMillis(u64::MAX)
    }

    fn spans(&self, date: Date) -> impl Iterator<Item = (UnixMillis, UnixMillis)> {
        let is_free = self.holidays.contains_key(&date);
        let spans = self.week.get(date.weekday()).filter(|_| !is_free).map(Vec::as_slice).unwrap_or_default();
        spans.iter().map(move |span| (self.zone.instant(date, span.from), self.zone.instant(date, span.to)))
    }
}
