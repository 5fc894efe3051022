//! Rates as each language writes them: decimal comma and points in Indonesian, the reverse in English.

use crate::lang::Lang;

/// `58,7 Mbit/s`: at most two decimals, none that are zero.
pub(super) fn rate(lang: Lang, bps: u64) -> String {
    let (unit, name): (u64, &str) = match bps {
        1_000_000_000.. => (1_000_000_000, "Gbit/s"),
        1_000_000.. => (1_000_000, "Mbit/s"),
        1_000.. => (1_000, "kbit/s"),
        _ => (1, "bit/s"),
    };
    let hundredths = (u128::from(bps) * 100 + u128::from(unit / 2)) / u128::from(unit);
    let hundredths = u64::try_from(hundredths).unwrap_or(u64::MAX);
    let mark = if lang == Lang::Id { ',' } else { '.' };
    let (ones, rest) = (whole(lang, hundredths / 100), hundredths % 100);
    match (rest / 10, rest % 10) {
        (0, 0) => format!("{ones} {name}"),
        (tenths, 0) => format!("{ones}{mark}{tenths} {name}"),
        (tenths, last) => format!("{ones}{mark}{tenths}{last} {name}"),
    }
}

/// `1.250.000`, `1,250,000`
fn whole(lang: Lang, value: u64) -> String {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_language_has_its_marks() {
        assert_eq!(rate(Lang::Id, 58_700_000), "58,7 Mbit/s");
        assert_eq!(rate(Lang::En, 58_704_999), "58.7 Mbit/s");
        assert_eq!(rate(Lang::Id, 1_130_000_000), "1,13 Gbit/s");
        assert_eq!(rate(Lang::Id, 1_250_000_000_000_000), "1.250.000 Gbit/s");
        assert_eq!(rate(Lang::En, 2_000), "2 kbit/s");
        assert_eq!(rate(Lang::En, 0), "0 bit/s");
    }

    proptest! {
        #[test]
        fn any_rate_can_be_said_and_reads_back(bps: u64) {
            let english = rate(Lang::En, bps);
            let (number, unit) = english.split_once(' ').unwrap();
            let scale = match unit {
                "Gbit/s" => 1e9,
                "Mbit/s" => 1e6,
                "kbit/s" => 1e3,
                _ => 1.0,
            };
            let back = number.replace(',', "").parse::<f64>().unwrap() * scale;
            // Half a hundredth of its unit.
            prop_assert!((back - bps as f64).abs() <= scale * 0.0051 + bps as f64 * 1e-12, "{}", english);
            let swap = |c| match c { '.' => ',', ',' => '.', c => c };
            prop_assert_eq!(rate(Lang::Id, bps), english.chars().map(swap).collect::<String>());
        }
    }
}
