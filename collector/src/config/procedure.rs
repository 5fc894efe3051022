//! How the office works: its hours and zone, standard times, and what it asks for before anything is decided.

use serde::Deserialize;
use takar_collector_core::{
    calendar::{Calendar, Span, Zone},
    case::{Rules, Standard},
};

use super::check::Check;

#[derive(Clone, Debug, PartialEq)]
pub struct Procedure {
    pub rules: Rules,
    pub zone: Zone,
    /// Working hours, Monday first. Holidays are in the register.
    pub week: [Vec<Span>; 7],
    pub standard: Standard,
    /// Working time after which a provider that does not answer is reminded; `None`: never.
    pub remind_every_ms: Option<u64>,
    /// How long a provider's link opens its request.
    pub link_valid_ms: u64,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProcedure {
    four_eyes: Option<bool>,
    zone: Option<String>,
    week: Option<RawWeek>,
    standard_minutes: Option<Vec<u64>>,
    remind_after_min: Option<u64>,
    link_valid_h: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWeek {
    mon: Option<String>,
    tue: Option<String>,
    wed: Option<String>,
    thu: Option<String>,
    fri: Option<String>,
    sat: Option<String>,
    sun: Option<String>,
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MOST_MINUTES: u64 = 30 * 24 * 60;

pub(super) fn procedure(raw: RawProcedure, check: &mut Check) -> Procedure {
    let zone = match raw.zone.as_deref().unwrap_or("WIB").parse::<Zone>() {
        Ok(zone) => zone,
        Err(_) => {
            check.say("procedure.zone", "expected \"WIB\", \"WITA\" or \"WIT\"");
            Zone::Wib
        }
    };
    let week = raw.week.map_or_else(|| office_week(zone), |week| read_week(week, zone, check));
    let standard = raw.standard_minutes.map_or_else(Standard::default, |minutes| standard(&minutes, check));
    let remind_min = check.number("procedure.remind_after_min", raw.remind_after_min, 240, 0..=MOST_MINUTES);
    let link_h = check.number("procedure.link_valid_h", raw.link_valid_h, 168, 1..=24 * 90);
    Procedure {
        rules: Rules { four_eyes: raw.four_eyes.unwrap_or(true) },
        zone,
        week,
        standard,
        remind_every_ms: (remind_min > 0).then_some(remind_min * 60_000),
        link_valid_ms: link_h * 3_600_000,
    }
}

fn office_week(zone: Zone) -> [Vec<Span>; 7] {
    Calendar::office(zone).week().clone()
}

fn read_week(raw: RawWeek, zone: Zone, check: &mut Check) -> [Vec<Span>; 7] {
    let texts = [raw.mon, raw.tue, raw.wed, raw.thu, raw.fri, raw.sat, raw.sun];
    let mut week: [Vec<Span>; 7] = Default::default();
    let mut right = true;
    for ((day, text), name) in week.iter_mut().zip(texts).zip(DAYS) {
        match spans(text.as_deref().unwrap_or_default()) {
            Some(spans) => *day = spans,
            None => {
                right = false;
                let text = "expected hours such as \"07:30-12:00, 13:00-16:00\", or \"\" for a day off";
                check.say(format!("procedure.week.{name}"), text);
            }
        }
    }
    if right && let Err(problems) = Calendar::new(zone, week.clone(), Default::default()) {
        for problem in problems {
            check.say("procedure.week", problem.to_string());
        }
    }
    if right && week.iter().all(Vec::is_empty) {
        check.say("procedure.week", "no working hours at all; expected some, or no clock would ever run");
    }
    week
}

fn spans(text: &str) -> Option<Vec<Span>> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (from, to) = part.split_once('-')?;
            Some(Span { from: minutes(from)?, to: minutes(to)? })
        })
        .collect()
}

/// Of the day: `07:30`; `24:00` is its end.
fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes) = (hours.parse::<u16>().ok()?, minutes.parse::<u16>().ok()?);
    let of_day = hours.checked_mul(60)?.checked_add(minutes)?;
    (minutes < 60 && of_day <= 1440).then_some(of_day)
}

fn standard(minutes: &[u64], check: &mut Check) -> Standard {
    let mut standard = Standard::default();
    let is_right = minutes.len() == 6 && minutes.iter().all(|one| (1..=MOST_MINUTES).contains(one));
    if !is_right {
        let text = format!("expected six numbers from 1 to {MOST_MINUTES}, the standard time of each step in minutes");
        check.say("procedure.standard_minutes", text);
        return standard;
    }
    for (place, given) in standard.0.iter_mut().zip(minutes) {
        *place = u32::try_from(*given).unwrap_or(u32::MAX);
    }
    standard
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read() {
        let two = spans("07:30-12:00, 13:00-16:00").unwrap();
        assert_eq!(two, [Span { from: 450, to: 720 }, Span { from: 780, to: 960 }]);
        assert_eq!(spans("00:00-24:00").unwrap(), [Span { from: 0, to: 1440 }]);
        assert_eq!(spans("").unwrap(), []);
        for wrong in ["7-16", "07:30", "07:60-16:00", "25:00-26:00", "07:30–16:00", "a:b-c:d", "-1:00-2:00"] {
            assert_eq!(spans(wrong), None, "{wrong}");
        }
    }
}
