//! One language as the pages speak it: words, numbers, days, in the office's own time.

use fluent_bundle::{FluentArgs, FluentValue};
use jiff::{Timestamp, civil::DateTime, tz::Offset};

use crate::{
    figures::{self, UNKNOWN},
    shell::{Lang, Shell, Zone},
    words::Words,
};

#[derive(Clone)]
pub(crate) struct Tongue {
    pub lang: Lang,
    zone: Zone,
    now: u64,
    words: &'static Words,
}

impl Tongue {
    pub(crate) fn of(shell: &Shell) -> Self {
        Self { lang: shell.lang, zone: shell.zone.clone(), now: shell.now, words: Words::of(shell.lang) }
    }

    /// The word under this key. A key that is not there shows itself with `??`, which the tests look for.
    pub(crate) fn w(&self, key: &str) -> String {
        self.say(key, &[])
    }

    /// With text put in.
    pub(crate) fn say(&self, key: &str, with: &[(&'static str, &str)]) -> String {
        let args: FluentArgs<'_> = with.iter().map(|(name, text)| (*name, FluentValue::from(*text))).collect();
        self.words.find(key, &args).unwrap_or_else(|| format!("??{key}"))
    }

    /// With a number `n` that decides between one and many, and text put in.
    pub(crate) fn count(&self, key: &str, n: usize, with: &[(&'static str, &str)]) -> String {
        let mut args: FluentArgs<'_> = with.iter().map(|(name, text)| (*name, FluentValue::from(*text))).collect();
        args.set("n", n);
        self.words.find(key, &args).unwrap_or_else(|| format!("??{key}"))
    }

    /// The word for a code of the API: `state-shortage`. One that is not known here says itself.
    pub(crate) fn code(&self, group: &str, code: &str) -> String {
        self.words.find(&format!("{group}-{code}"), &FluentArgs::new()).unwrap_or_else(|| code.to_owned())
    }

    /// Whoever did something: a person's name stays, Takar and its policy have words.
    pub(crate) fn who(&self, name: &str) -> String {
        self.code("who", name)
    }

    pub(crate) fn rate(&self, bps: u64) -> String {
        let (number, unit) = figures::rate(self.lang, bps);
        format!("{number} {unit}")
    }

    pub(crate) fn rate_or_unknown(&self, bps: Option<u64>) -> String {
        bps.map_or_else(|| UNKNOWN.into(), |bps| self.rate(bps))
    }

    /// `80 → 55 Mbps`, or with both units where they differ.
    pub(crate) fn rates(&self, from: u64, to: u64) -> String {
        let (number, unit) = figures::rate(self.lang, from);
        let (_, other) = figures::rate(self.lang, to);
        let from = if unit == other || from == 0 { number } else { format!("{number} {unit}") };
        format!("{from} → {}", self.rate(to))
    }

    /// `+40` and `Mbps`, with a real minus sign.
    pub(crate) fn change(&self, from: u64, to: u64) -> (String, &'static str) {
        let (number, unit) = figures::rate(self.lang, from.abs_diff(to));
        let sign = match from.cmp(&to) {
            std::cmp::Ordering::Less => "+",
            std::cmp::Ordering::Equal => "±",
            std::cmp::Ordering::Greater => "−",
        };
        (format!("{sign}{number}"), unit)
    }

    /// `93,5%`
    pub(crate) fn percent(&self, part: u64, whole: u64) -> String {
        let tenths = u128::from(part) * 1000 / u128::from(whole.max(1));
        let tenths = u64::try_from(tenths).unwrap_or(u64::MAX);
        format!("{}%", figures::hundredths(self.lang, tenths.saturating_mul(10)))
    }

    pub(crate) fn whole(&self, value: u64) -> String {
        figures::whole(self.lang, value)
    }

    pub(crate) fn rupiah(&self, amount: u64) -> String {
        figures::rupiah(self.lang, amount)
    }

    pub(crate) fn bytes(&self, bytes: u64) -> String {
        figures::bytes(self.lang, bytes)
    }

    pub(crate) fn span(&self, ms: u64) -> String {
        figures::span(self.lang, ms)
    }

    /// `Selasa, 24 November`, of now.
    pub(crate) fn today(&self) -> String {
        let Some(at) = self.local(self.now) else { return UNKNOWN.into() };
        format!("{}, {} {}", self.weekday(at), at.day(), self.month(at))
    }

    /// `Selasa, 24 November 2026, 09.12 WIB`, of now.
    pub(crate) fn now(&self) -> String {
        let Some(at) = self.local(self.now) else { return UNKNOWN.into() };
        let date = format!("{}, {} {} {}", self.weekday(at), at.day(), self.month(at), at.year());
        format!("{date}, {} {}", self.clock(at), self.zone.name)
    }

    /// The hour of the day: what greeting is due.
    pub(crate) fn hour(&self) -> i8 {
        self.local(self.now).map_or(0, DateTime::hour)
    }

    /// `24 November 2026`
    pub(crate) fn date(&self, at: u64) -> String {
        let Some(at) = self.local(at) else { return UNKNOWN.into() };
        format!("{} {} {}", at.day(), self.month(at), at.year())
    }

    /// As short as can be: `09.12` today, `23 Nov 09.12` this year, else with the year.
    pub(crate) fn moment(&self, at: u64) -> String {
        let (Some(at), Some(now)) = (self.local(at), self.local(self.now)) else { return UNKNOWN.into() };
        let short: String = self.month(at).chars().take(3).collect();
        let time = self.clock(at);
        if at.date() == now.date() {
            time
        } else if at.year() == now.year() {
            format!("{} {short} {time}", at.day())
        } else {
            format!("{} {short} {} {time}", at.day(), at.year())
        }
    }

    pub(crate) fn moment_or_unknown(&self, at: Option<u64>) -> String {
        at.map_or_else(|| UNKNOWN.into(), |at| self.moment(at))
    }

    /// `2026-11-24`, as a date field has it.
    pub(crate) fn iso_date(&self, at: u64) -> String {
        self.local(at).map_or_else(String::new, |at| at.date().to_string())
    }

    pub(crate) fn iso_today(&self) -> String {
        self.iso_date(self.now)
    }

    fn clock(&self, at: DateTime) -> String {
        let mark = if self.lang == Lang::Id { '.' } else { ':' };
        format!("{:02}{mark}{:02}", at.hour(), at.minute())
    }

    fn weekday(&self, at: DateTime) -> String {
        self.w(&format!("weekday-{}", at.weekday().to_monday_one_offset()))
    }

    fn month(&self, at: DateTime) -> String {
        self.w(&format!("month-{}", at.month()))
    }

    /// `None` for a time beyond the year 9999.
    fn local(&self, at: u64) -> Option<DateTime> {
        let at = Timestamp::from_millisecond(i64::try_from(at).ok()?).ok()?;
        let offset = Offset::from_seconds(self.zone.offset_minutes.checked_mul(60)?).ok()?;
        Some(offset.to_datetime(at))
    }
}
