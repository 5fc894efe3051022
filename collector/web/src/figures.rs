//! Numbers as each language writes them: decimal comma and points in Indonesian, the reverse in English.

use crate::shell::Lang;

/// Of what nobody measured; never a zero.
pub(crate) const UNKNOWN: &str = "–";

/// `1.250.000`, `1,250,000`
pub(crate) fn whole(lang: Lang, value: u64) -> String {
    let digits = value.to_string();
    let mark = if lang == Lang::Id { '.' } else { ',' };
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(mark);
        }
        text.push(digit);
    }
    text
}

/// So many hundredths, without zeros at the end: `58,7`
pub(crate) fn hundredths(lang: Lang, value: u64) -> String {
    let mark = if lang == Lang::Id { ',' } else { '.' };
    let (ones, rest) = (whole(lang, value / 100), value % 100);
    match (rest / 10, rest % 10) {
        (0, 0) => ones,
        (tenths, 0) => format!("{ones}{mark}{tenths}"),
        (tenths, last) => format!("{ones}{mark}{tenths}{last}"),
    }
}

/// Number and unit of a rate: `58,7` and `Mbps`.
pub(crate) fn rate(lang: Lang, bps: u64) -> (String, &'static str) {
    let (unit, name) = unit_of(bps);
    (rate_in(lang, bps, unit), name)
}

/// The unit in which a rate of this size is told, in bit/s, and its name.
pub(crate) fn unit_of(bps: u64) -> (u64, &'static str) {
    match bps {
        1_000_000_000.. => (1_000_000_000, "Gbps"),
        1_000_000.. => (1_000_000, "Mbps"),
        1_000.. => (1_000, "kbps"),
        _ => (1, "bps"),
    }
}

/// The number alone, in a given unit.
pub(crate) fn rate_in(lang: Lang, bps: u64, unit: u64) -> String {
    hundredths(lang, in_hundredths(bps, unit))
}

/// `214 kB`
pub(crate) fn bytes(lang: Lang, bytes: u64) -> String {
    let (unit, name) = match bytes {
        1_000_000.. => (1_000_000, "MB"),
        1_000.. => (1_000, "kB"),
        _ => (1, "B"),
    };
    let tenth = in_hundredths(bytes, unit).saturating_add(5) / 10;
    format!("{} {name}", hundredths(lang, tenth.saturating_mul(10)))
}

/// `Rp1.250.000`, `IDR 1,250,000`
pub(crate) fn rupiah(lang: Lang, amount: u64) -> String {
    match lang {
        Lang::Id => format!("Rp{}", whole(lang, amount)),
        Lang::En => format!("IDR {}", whole(lang, amount)),
    }
}

/// `3 j 30 mnt`, `41 dtk`; below two minutes in seconds.
pub(crate) fn span(lang: Lang, ms: u64) -> String {
    let (hour, minute, second) = match lang {
        Lang::Id => ("j", "mnt", "dtk"),
        Lang::En => ("h", "min", "s"),
    };
    let seconds = ms / 1000;
    let minutes = seconds / 60;
    match (minutes / 60, minutes % 60) {
        (0, 0 | 1) if seconds > 0 && !seconds.is_multiple_of(60) => format!("{seconds} {second}"),
        (0, minutes) => format!("{minutes} {minute}"),
        (hours, 0) => format!("{} {hour}", whole(lang, hours)),
        (hours, minutes) => format!("{} {hour} {minutes} {minute}", whole(lang, hours)),
    }
}

/// A length in per cent of `scale`, as SVG attributes have it, whatever the language: `58.7%`
pub(crate) fn share(value: u64, scale: u64) -> String {
    let per_myriad = u128::from(value) * 10_000 / u128::from(scale.max(1));
    let per_myriad = u64::try_from(per_myriad).unwrap_or(u64::MAX);
    let text = hundredths(Lang::En, per_myriad).replace(',', "");
    format!("{text}%")
}

fn in_hundredths(value: u64, unit: u64) -> u64 {
    let rounded = (u128::from(value) * 100 + u128::from(unit / 2)) / u128::from(unit.max(1));
    u64::try_from(rounded).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_language_has_its_marks() {
        assert_eq!(rate(Lang::Id, 58_700_000), ("58,7".into(), "Mbps"));
        assert_eq!(rate(Lang::En, 58_704_999), ("58.7".into(), "Mbps"));
        assert_eq!(rate(Lang::Id, 1_130_000_000), ("1,13".into(), "Gbps"));
        assert_eq!(rate(Lang::En, 0), ("0".into(), "bps"));
        assert_eq!(rupiah(Lang::Id, 4_750_000), "Rp4.750.000");
        assert_eq!(rupiah(Lang::En, 4_750_000), "IDR 4,750,000");
        assert_eq!(bytes(Lang::Id, 214_560), "214,6 kB");
    }

    #[test]
    fn spans_are_short() {
        assert_eq!(span(Lang::Id, 12_600_000), "3 j 30 mnt");
        assert_eq!(span(Lang::En, 12_600_000), "3 h 30 min");
        assert_eq!(span(Lang::Id, 41_000), "41 dtk");
        assert_eq!(span(Lang::Id, 60_000), "1 mnt");
        assert_eq!(span(Lang::Id, 0), "0 mnt");
        assert_eq!(span(Lang::Id, 7_200_000), "2 j");
    }

    #[test]
    fn shares_are_what_svg_reads() {
        assert_eq!(share(587, 1000), "58.7%");
        assert_eq!(share(1, 3), "33.33%");
        assert_eq!(share(3, 0), "300%");
    }

    proptest! {
        #[test]
        fn digits_stay_what_they_are(value: u64) {
            for lang in Lang::ALL {
                let digits: String = whole(lang, value).chars().filter(char::is_ascii_digit).collect();
                prop_assert_eq!(digits, value.to_string());
            }
        }

        #[test]
        fn any_number_can_be_said(value: u64, scale: u64) {
            for lang in Lang::ALL {
                for text in [rate(lang, value).0, bytes(lang, value), rupiah(lang, value), span(lang, value)] {
                    prop_assert!(text.chars().any(|c| c.is_ascii_digit()), "{}", text);
                }
            }
            let share = share(value, scale);
            let number = share.strip_suffix('%').unwrap();
            prop_assert!(number.parse::<f64>().is_ok(), "{}", share);
        }
    }
}
