//! Numbers and times as each language writes them: a decimal comma and `09.12 WIB` in Indonesian, a point and
//! `09:12 WIB` in English. Integer arithmetic throughout; what is not known is a dash.

use crate::{Lang, Zone};

const UNKNOWN: &str = "–";
const DAY_MS: u64 = 86_400_000;

const MONTHS_ID: [&str; 12] = [
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
];
const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

#[derive(Clone, Copy)]
pub struct Figures<'a> {
    pub lang: Lang,
    pub zone: &'a Zone,
}

/// What a clock on the wall shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wall {
    pub year: u64,
    pub month: usize,
    pub day: u64,
    pub hour: u64,
    pub minute: u64,
}

impl Figures<'_> {
    /// `12,5 Mbit/s`: the largest unit of which there is one, three decimals at most.
    pub fn rate(&self, bps: u64) -> String {
        let (unit, scale) = match bps {
            1_000_000_000.. => ("Gbit/s", 1_000_000_000),
            1_000_000.. => ("Mbit/s", 1_000_000),
            1_000.. => ("kbit/s", 1_000),
            _ => return format!("{bps} bit/s"),
        };
        let thousandths = u128::from(bps) * 1000 / scale;
        format!("{} {unit}", self.decimal(thousandths))
    }

    pub fn rate_or_unknown(&self, bps: Option<u64>) -> String {
        bps.map_or_else(|| UNKNOWN.to_owned(), |bps| self.rate(bps))
    }

    /// With a sign; nothing moved is `0`.
    pub fn change(&self, from: u64, to: u64) -> String {
        match to.cmp(&from) {
            std::cmp::Ordering::Less => format!("−{}", self.rate(from - to)),
            std::cmp::Ordering::Equal => "0".into(),
            std::cmp::Ordering::Greater => format!("+{}", self.rate(to - from)),
        }
    }

    /// `93,5 %`
    pub fn per_mille(&self, share: u32) -> String {
        format!("{} %", self.decimal(u128::from(share) * 100))
    }

    /// `Rp1.250.000`
    pub fn rupiah(&self, amount: u64) -> String {
        let digits = amount.to_string();
        let mut text = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push(if self.lang == Lang::Id { '.' } else { ',' });
            }
            text.push(digit);
        }
        match self.lang {
            Lang::Id => format!("Rp{text}"),
            Lang::En => format!("IDR {text}"),
        }
    }

    /// `1 jam 12 menit`; seconds below two minutes.
    pub fn duration(&self, ms: u64) -> String {
        let seconds = ms / 1000;
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        let (h, m, s) = match self.lang {
            Lang::Id => ("jam", "menit", "detik"),
            Lang::En => ("h", "min", "s"),
        };
        match (seconds, hours, minutes) {
            (..120, ..) => format!("{seconds} {s}"),
            (_, 0, _) => format!("{minutes} {m}"),
            (_, _, 0) => format!("{hours} {h}"),
            _ => format!("{hours} {h} {minutes} {m}"),
        }
    }

    /// `24 November 2026`
    pub fn date(&self, at: u64) -> String {
        let wall = self.wall(at);
        format!("{} {} {}", wall.day, self.month(wall.month), wall.year)
    }

    /// `24 November 2026 09.12 WIB`
    pub fn moment(&self, at: u64) -> String {
        format!("{} {} {}", self.date(at), self.clock(at), self.zone.name)
    }

    /// `24/11 09.12`
    pub fn short(&self, at: u64) -> String {
        let wall = self.wall(at);
        format!("{:02}/{:02} {}", wall.day, wall.month, self.clock(at))
    }

    /// `09.12`, to the second where that matters.
    pub fn clock(&self, at: u64) -> String {
        let Wall { hour, minute, .. } = self.wall(at);
        let separator = if self.lang == Lang::Id { '.' } else { ':' };
        format!("{hour:02}{separator}{minute:02}")
    }

    pub fn clock_to_the_second(&self, at: u64) -> String {
        let separator = if self.lang == Lang::Id { '.' } else { ':' };
        format!("{}{separator}{:02}", self.clock(at), at / 1000 % 60)
    }

    /// Of a year: from 1.
    pub fn month(&self, month: usize) -> &'static str {
        let names = if self.lang == Lang::Id { MONTHS_ID } else { MONTHS_EN };
        names.get(month.wrapping_sub(1)).copied().unwrap_or(UNKNOWN)
    }

    pub fn wall(&self, at: u64) -> Wall {
        let offset = u64::try_from(self.zone.offset_minutes).unwrap_or_default() * 60_000;
        let here = at.saturating_add(offset);
        let of_day = here % DAY_MS / 60_000;
        let (year, month, day) = civil(here / DAY_MS);
        Wall { year, month, day, hour: of_day / 60, minute: of_day % 60 }
    }

    /// Thousandths without zeros at the end.
    fn decimal(&self, thousandths: u128) -> String {
        let (whole, rest) = (thousandths / 1000, thousandths % 1000);
        if rest == 0 {
            return whole.to_string();
        }
        let separator = if self.lang == Lang::Id { ',' } else { '.' };
        format!("{whole}{separator}{}", format!("{rest:03}").trim_end_matches('0'))
    }
}

/// A day counted from 1970, by counting from March so that a leap day comes last.
fn civil(days: u64) -> (u64, usize, u64) {
    let shifted = days.saturating_add(719_468);
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era.saturating_mul(400) + year_of_era + u64::from(month <= 2);
    (year, usize::try_from(month).unwrap_or(1), of_year - (153 * from_march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: Figures<'static> = Figures { lang: Lang::Id, zone: &Zone::WIB };
    const EN: Figures<'static> = Figures { lang: Lang::En, zone: &Zone::WIB };

    #[test]
    fn each_language_writes_its_own() {
        assert_eq!((ID.rate(12_500_000).as_str(), EN.rate(12_500_000).as_str()), ("12,5 Mbit/s", "12.5 Mbit/s"));
        assert_eq!((ID.rate(0), ID.rate_or_unknown(None)), ("0 bit/s".into(), "–".into()));
        assert_eq!((ID.per_mille(935), EN.per_mille(1000)), ("93,5 %".into(), "100 %".into()));
        assert_eq!((ID.rupiah(1_250_000), EN.rupiah(999)), ("Rp1.250.000".into(), "IDR 999".into()));
        assert_eq!((ID.duration(4_320_000), EN.duration(90_000)), ("1 jam 12 menit".into(), "90 s".into()));
        assert_eq!(ID.change(10_000_000, 7_500_000), "−2,5 Mbit/s");
        let at = 1_795_487_520_000;
        assert_eq!(ID.moment(at), "24 November 2026 09.32 WIB");
        assert_eq!(EN.moment(at), "24 November 2026 09:32 WIB");
    }

    proptest! {
        #[test]
        fn nothing_is_too_large(number: u64, other: u64, share: u32) {
            for figures in [ID, EN] {
                for text in [figures.rate(number), figures.change(number, other), figures.rupiah(number), figures.per_mille(share)] {
                    // Never in powers of ten.
                    prop_assert!(!text.is_empty() && !text.contains('e'), "{text}");
                }
                for text in [figures.duration(number), figures.moment(number), figures.short(number)] {
                    prop_assert!(!text.is_empty());
                }
            }
        }

        #[test]
        fn digits_are_kept(mbps in 0u64..1_000_000) {
            let text = EN.rate(mbps * 1000);
            let number: f64 = text.split(' ').next().unwrap().parse().unwrap();
            let scale = match text.split(' ').nth(1).unwrap() { "Gbit/s" => 1e9, "Mbit/s" => 1e6, "kbit/s" => 1e3, _ => 1.0 };
            prop_assert!((number * scale - (mbps * 1000) as f64).abs() < scale / 1000.0);
        }
    }
}
