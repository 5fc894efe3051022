//! Rates as people write and read them.

use takar_shared::{BitsPerSec, Direction};

use super::table::UNKNOWN;
use crate::view::AskedMove;

/// `20000000`, `20M`, `2.5M`, `800k`, `1G`: bit/s, decimal multiples, never rounded.
pub fn parse(text: &str) -> Result<u64, String> {
    let wrong = || format!("\"{text}\" is no rate; expected bit/s such as 20000000, 800k, 2.5M or 1G");
    let (number, scale) = match text.char_indices().next_back() {
        Some((at, 'k')) => (&text[..at], 1_000),
        Some((at, 'M')) => (&text[..at], 1_000_000),
        Some((at, 'G')) => (&text[..at], 1_000_000_000),
        _ => (text, 1),
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (digits(whole).ok_or_else(wrong)?, digits(fraction).ok_or_else(wrong)?),
        None => (digits(number).ok_or_else(wrong)?, ""),
    };
    let mut rate = whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(scale)).ok_or_else(wrong)?;
    let mut place = scale;
    for digit in fraction.bytes().map(|digit| u64::from(digit - b'0')) {
        place /= 10;
        if place == 0 && digit != 0 {
            return Err(format!("\"{text}\" is no whole number of bit/s"));
        }
        rate = rate.checked_add(digit * place).ok_or_else(wrong)?;
    }
    if rate == 0 { Err(format!("\"{text}\" is nothing; expected a rate above 0")) } else { Ok(rate) }
}

/// `LINK:DIRECTION:RATE`, such as `sd-02:down:20M`.
pub fn parse_move(text: &str) -> Result<AskedMove, String> {
    let mut parts = text.split(':');
    let (Some(link), Some(direction), Some(rate), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("expected LINK:DIRECTION:RATE, such as sd-02:down:20M".into());
    };
    if link.is_empty() {
        return Err("the link is empty; expected LINK:DIRECTION:RATE, such as sd-02:down:20M".into());
    }
    if !Direction::BOTH.iter().any(|known| known.as_str() == direction) {
        return Err(format!("\"{direction}\" is no direction; expected down (to the site) or up (from it)"));
    }
    Ok(AskedMove { link: link.to_owned(), direction: direction.to_owned(), to_bps: parse(rate)? })
}

/// `12.5 Mbit/s`.
pub fn show(bps: u64) -> String {
    BitsPerSec(bps).to_string()
}

pub fn show_or_unknown(bps: Option<u64>) -> String {
    bps.map_or_else(|| UNKNOWN.to_owned(), show)
}

/// A ceiling of 0 is none, as RouterOS has it.
pub fn ceiling(bps: u64) -> String {
    if bps == 0 { "no limit".to_owned() } else { show(bps) }
}

pub fn ceiling_or_unknown(bps: Option<u64>) -> String {
    bps.map_or_else(|| UNKNOWN.to_owned(), ceiling)
}

/// `83.1 %`.
pub fn percent(per_mille: Option<u32>) -> String {
    per_mille.map_or_else(|| UNKNOWN.to_owned(), |share| format!("{}.{} %", share / 10, share % 10))
}

/// At least one digit and nothing else: no sign, no space.
fn digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rates_are_read_exactly() {
        let cases = [
            ("1", 1),
            ("20000000", 20_000_000),
            ("20M", 20_000_000),
            ("2.5M", 2_500_000),
            ("0.5k", 500),
            ("1.000001M", 1_000_001),
            ("1.0000010M", 1_000_001),
            ("1G", 1_000_000_000),
            ("2.50G", 2_500_000_000),
            ("18446744073709551615", u64::MAX),
        ];
        for (text, rate) in cases {
            assert_eq!(parse(text), Ok(rate), "{text}");
        }
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        let cases = [
            "",
            "M",
            ".",
            "1.",
            ".5M",
            "-1",
            "+1",
            " 1",
            "1 M",
            "1m",
            "1K",
            "1Mbit",
            "1e6",
            "1.5",
            "1.2345k",
            "0",
            "0M",
            "0.0M",
            "1.2.3M",
            "18446744073709551616",
            "18446744073709551615k",
            "99999999999G",
            "１M",
            "é",
        ];
        for text in cases {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn moves_are_read() {
        let asked = parse_move("sd-02:down:2.5M").unwrap();
        assert_eq!((asked.link.as_str(), asked.direction.as_str(), asked.to_bps), ("sd-02", "down", 2_500_000));
        for text in ["", "sd-02", "sd-02:down", "sd-02:down:2M:x", ":down:2M", "sd-02:in:2M", "sd-02:Down:2M", "a:up:x"]
        {
            assert!(parse_move(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_known_is_no_zero() {
        assert_eq!(show_or_unknown(None), "–");
        assert_eq!(show_or_unknown(Some(0)), "0 bit/s");
        assert_eq!(ceiling(0), "no limit");
        assert_eq!(ceiling_or_unknown(Some(12_500_000)), "12.5 Mbit/s");
        assert_eq!(percent(None), "–");
        assert_eq!(percent(Some(1003)), "100.3 %");
    }

    proptest! {
        #[test]
        fn an_integer_is_itself_in_every_unit(rate in 1_u64..=18_000_000) {
            prop_assert_eq!(parse(&rate.to_string()), Ok(rate));
            prop_assert_eq!(parse(&format!("{rate}k")), Ok(rate * 1_000));
            prop_assert_eq!(parse(&format!("{rate}M")), Ok(rate * 1_000_000));
            prop_assert_eq!(parse(&format!("{}.{:06}M", rate / 1_000_000, rate % 1_000_000)), Ok(rate));
        }

        #[test]
        fn no_text_panics(text in ".{0,24}") {
            let _ = parse(&text);
            let _ = parse_move(&text);
        }
    }
}
