//! One language at work: words, rates, times, in the office's own time.

use fluent_bundle::{FluentArgs, FluentValue};
use jiff::{Timestamp, tz::Offset};
use takar_shared::{BitsPerSec, UnixMillis};

use super::{bundle::Words, clean::one_line, figures};
use crate::{
    lang::{Lang, Zone},
    topic::{Place, Share},
};

/// Links of a list; a mail shows no more.
const MOST_LISTED: usize = 20;

pub(super) struct Say<'a> {
    lang: Lang,
    words: &'static Words,
    zone: &'a Zone,
}

impl<'a> Say<'a> {
    pub(super) fn new(lang: Lang, zone: &'a Zone) -> Self {
        Self { lang, words: Words::of(lang), zone }
    }

    /// `None` where there is no such word, or it wants something that is not in `args`.
    pub(super) fn find(&self, key: &str, args: &FluentArgs<'_>) -> Option<String> {
        self.words.find(key, args)
    }

    /// The word under this key. A key that is not there shows itself with `??`, which the tests look for.
    pub(super) fn w(&self, key: &str) -> String {
        self.say(key, &[])
    }

    /// With text put in.
    pub(super) fn say(&self, key: &str, with: &[(&'static str, &str)]) -> String {
        let args: FluentArgs<'_> = with.iter().map(|(name, text)| (*name, FluentValue::from(*text))).collect();
        self.find(key, &args).unwrap_or_else(|| format!("??{key}"))
    }

    /// With a number `n` that decides between one and many.
    pub(super) fn count(&self, key: &str, n: usize) -> String {
        let mut args = FluentArgs::new();
        args.set("n", n);
        self.find(key, &args).unwrap_or_else(|| format!("??{key}"))
    }

    pub(super) fn rate(&self, rate: BitsPerSec) -> String {
        figures::rate(self.lang, rate.0)
    }

    /// `core-1, arah unduh`
    pub(super) fn place(&self, place: &Place) -> String {
        let direction = self.w(&format!("direction-{}", place.direction));
        self.say("place", &[("uplink", &one_line(&place.uplink)), ("direction", &direction)])
    }

    pub(super) fn links(&self, links: &[String]) -> String {
        listed(links.iter().map(|link| one_line(link)), links.len())
    }

    /// `smp-2 5 Mbit/s, sd-1 7,5 Mbit/s`
    pub(super) fn shares(&self, shares: &[Share]) -> String {
        let say = |share: &Share| {
            self.say("share", &[("link", &one_line(&share.link)), ("amount", &self.rate(share.amount))])
        };
        listed(shares.iter().map(say), shares.len())
    }

    /// Whoever did something: a person's name stays, Takar and its policy have words.
    pub(super) fn who(&self, name: &str) -> String {
        self.find(&format!("who-{name}"), &FluentArgs::new()).unwrap_or_else(|| one_line(name))
    }

    /// `30 menit`, `1 jam`
    pub(super) fn minutes(&self, minutes: u64) -> String {
        let (key, n) =
            if minutes > 0 && minutes.is_multiple_of(60) { ("hours", minutes / 60) } else { ("minutes", minutes) };
        self.count(key, usize::try_from(n).unwrap_or(usize::MAX))
    }

    /// `24 November 2026 pukul 09.12 WIB`; a dash for a time beyond the year 9999.
    pub(super) fn moment(&self, at: UnixMillis) -> String {
        self.local(at).unwrap_or_else(|| "–".into())
    }

    fn local(&self, at: UnixMillis) -> Option<String> {
        let at = Timestamp::from_millisecond(i64::try_from(at.0).ok()?).ok()?;
        let at = Offset::from_seconds(self.zone.offset_minutes.checked_mul(60)?).ok()?.to_datetime(at);
        let with = [
            ("day", at.day().to_string()),
            ("month", self.w(&format!("month-{}", at.month()))),
            ("year", at.year().to_string()),
            ("hour", format!("{:02}", at.hour())),
            ("minute", format!("{:02}", at.minute())),
            ("zone", self.zone.name.clone()),
        ];
        let with: Vec<(&'static str, &str)> = with.iter().map(|(name, text)| (*name, text.as_str())).collect();
        Some(self.say("moment", &with))
    }
}

fn listed(items: impl Iterator<Item = String>, count: usize) -> String {
    let mut text = items.take(MOST_LISTED).collect::<Vec<_>>().join(", ");
    if count > MOST_LISTED {
        text.push_str(", …");
    }
    text
}
