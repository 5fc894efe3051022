//! The office that reports: letterhead, numbering, people who sign. Read from `[office]` of the collector's config.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Office {
    /// Lines of the letterhead, the institution first.
    pub letterhead: Vec<String>,
    #[serde(default)]
    pub contact: Vec<String>,
    /// File of the emblem (PNG or SVG) in the template folder.
    #[serde(default)]
    pub logo: Option<String>,
    /// Where papers are dated: `Jakarta`.
    pub place: String,
    /// `{n}`, `{n:3}` (three digits at least), `{roman-month}`, `{month}`, `{year}`; counted from 1 each year.
    pub report_number: String,
    pub letter_number: String,
    /// The head of the team, who receives reports.
    pub head: Signatory,
    /// Who signs for the team; absent: the owner of the step.
    #[serde(default)]
    pub member: Option<Signatory>,
    /// *Dasar*: rules that the report rests on, one a line, beside the procedure itself.
    #[serde(default)]
    pub basis: Vec<String>,
    /// *Tembusan* of letters to providers.
    #[serde(default)]
    pub copies: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signatory {
    /// `Ketua Tim Kerja Pengelolaan Sistem Informasi`
    pub role: String,
    pub name: String,
    /// *NIP*.
    #[serde(default)]
    pub id: Option<String>,
}

const ROMAN: [&str; 12] = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];
const KNOWN: &str = "{n}, {n:3}, {month}, {roman-month} or {year}";

/// The number of a paper by an office's pattern.
pub fn numbered(pattern: &str, n: u64, year: i32, month: u8) -> String {
    let mut text = String::new();
    for part in parts(pattern) {
        match part {
            Part::Text(given) => text.push_str(given),
            Part::Place("month") => text.push_str(&format!("{month:02}")),
            Part::Place("roman-month") => {
                text.push_str(ROMAN.get(usize::from(month.saturating_sub(1))).copied().unwrap_or_default());
            }
            Part::Place("year") => text.push_str(&year.to_string()),
            Part::Place(place) => {
                let width = place.strip_prefix("n:").and_then(|width| width.parse::<usize>().ok()).unwrap_or(0).min(9);
                text.push_str(&format!("{n:0width$}"));
            }
        }
    }
    text
}

/// Everything that is wrong with a pattern.
pub fn check(pattern: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut counts = 0;
    for part in parts(pattern) {
        match part {
            Part::Place("month" | "roman-month" | "year") => {}
            Part::Place("n") => counts += 1,
            Part::Place(place) if place.strip_prefix("n:").is_some_and(|w| matches!(w.parse(), Ok(1..=9usize))) => {
                counts += 1;
            }
            Part::Place(place) => problems.push(format!("{{{place}}} is unknown; expected {KNOWN}")),
            Part::Text(text) if text.contains(['{', '}']) => problems.push("a brace without its other one".into()),
            Part::Text(_) => {}
        }
    }
    if counts == 0 {
        problems.push("without {n} two papers would have one number; expected it once".into());
    }
    if !pattern.contains("{year}") {
        problems.push("papers are counted anew each year; expected {year} in it".into());
    }
    problems
}

enum Part<'a> {
    Text(&'a str),
    Place(&'a str),
}

fn parts(pattern: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = pattern;
    while let Some((text, after)) = rest.split_once('{') {
        let Some((place, after)) = after.split_once('}') else { break };
        parts.push(Part::Text(text));
        parts.push(Part::Place(place));
        rest = after;
    }
    parts.push(Part::Text(rest));
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_as_the_office_writes_it() {
        assert_eq!(numbered("LAP-{n:3}/TI/{roman-month}/{year}", 7, 2026, 11), "LAP-007/TI/XI/2026");
        assert_eq!(numbered("{n}-{month}-{year}", 1234, 2027, 1), "1234-01-2027");
        assert_eq!(check("LAP-{n:3}/{roman-month}/{year}"), Vec::<String>::new());
        for wrong in ["LAP/{year}", "{n}", "{n}/{years}/{year}", "{n/{year}", "{n:0}{year}"] {
            assert!(!check(wrong).is_empty(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_pattern_can_be_looked_at(pattern in ".{0,40}", n: u64, month: u8) {
            check(&pattern);
            numbered(&pattern, n, 2026, month);
        }
    }
}
