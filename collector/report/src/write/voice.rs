//! Codes, numbers, and sentences of Takar's own, in the language of the paper: the same words in a document and in a
//! workbook.

use serde_json::Value;

use super::t;
use crate::{
    figures::Figures,
    model::{CaseKind, Check, Outcome, Step},
    words::Words,
};

pub(crate) struct Voice<'a> {
    pub words: &'a Words,
    pub figures: Figures<'a>,
}

/// How sentences begin that Takar keeps in English, and the word for each. What a person wrote is none of these.
const SAID: &[(&str, &str)] = &[
    ("A change of this link is still under way", "said-pending"),
    ("It is under maintenance", "said-maintenance"),
    ("It is only observed", "said-observed"),
    ("By its mode a person approves what moves it", "said-unasked"),
    ("Its device did not answer the last poll", "said-not-polled"),
    ("Its ceiling was not read back yet", "said-unread"),
    ("Its queue was changed by somebody else", "said-drifted"),
    ("Its traffic does not pass its queue", "said-bypassed"),
    ("Its agent is not taking changes", "said-not-live"),
    ("It changed a short while ago", "said-cool-down"),
    ("Its traffic is not measured well enough", "said-not-measured"),
    ("Its queue has no limit", "said-unlimited"),
    ("Its ceiling of ", "said-outside-bounds"),
    ("No link that may change is at its ceiling", "said-nothing-saturated"),
    ("It is not at its ceiling and has nothing to give", "said-not-pinned"),
    ("It could give ", "said-spare-not-needed"),
    ("It is already at the most it may have", "said-at-ceiling"),
    ("It would use more, but its fair share is", "said-fair-share"),
    ("It should have ", "said-no-spare"),
    ("It could gain ", "said-gain-too-small"),
    ("The ceilings add up to ", "said-budget-exceeded"),
    ("it was over by itself before it could be verified", "said-over-by-itself"),
    ("its link came under maintenance before it could be verified", "said-rests"),
    ("the time of the loan was over before it could begin", "said-loan-too-late"),
    ("The case has not ended", "said-not-ended"),
    ("The planner found nothing idle", "said-nothing-idle"),
    ("Within what is bought already", "said-within"),
    ("Within what was bought before", "said-within-before"),
    ("Not used at present", "said-lendable"),
    ("Nothing has to be bought", "said-nothing-to-buy"),
    ("To be bought at the contract's price", "said-to-buy"),
    ("To be bought, at a price that no contract", "said-to-buy-unpriced"),
    ("Bought on request", "said-bought"),
];

impl Voice<'_> {
    pub fn direction(&self, direction: &str) -> String {
        match direction {
            "up" => t!(self, "direction-up"),
            _ => t!(self, "direction-down"),
        }
    }

    /// Who did something: a person's name, or the word for what is no person.
    pub fn who(&self, name: &str) -> String {
        match name {
            "takar" => t!(self, "who-takar"),
            "policy" => t!(self, "who-policy"),
            name => name.strip_prefix("provider:").unwrap_or(name).to_owned(),
        }
    }

    pub fn kind(&self, kind: CaseKind) -> String {
        match kind {
            CaseKind::Reallocation => t!(self, "kind-reallocation"),
            CaseKind::Addition => t!(self, "kind-addition"),
            CaseKind::Bod => t!(self, "kind-bod"),
            CaseKind::Deferral => t!(self, "kind-deferral"),
        }
    }

    /// In a word or two; `state` is the case's where it has not ended.
    pub fn outcome(&self, outcome: Option<&Outcome>, state: &str) -> String {
        match (outcome, state) {
            (Some(Outcome::Allocated), _) => t!(self, "short-allocated"),
            (Some(Outcome::Returned), _) => t!(self, "short-returned"),
            (Some(Outcome::NotCarriedOut { .. }), _) => t!(self, "short-not-carried-out"),
            (None, "dismissed") => t!(self, "short-dismissed"),
            (None, "deferred") => t!(self, "short-deferred"),
            (None, _) => t!(self, "short-open"),
        }
    }

    pub fn step(&self, number: u8) -> String {
        self.words.text(&format!("step-{}", number.clamp(1, 6)))
    }

    pub fn result(&self, step: &Step) -> String {
        let result = match step.result.as_str() {
            "running" => t!(self, "result-running"),
            "not-needed" => t!(self, "result-not-needed"),
            "rolled-back" => t!(self, "result-rolled-back"),
            _ => t!(self, "result-done"),
        };
        if step.overdue { t!(self, "result-overdue", result = result) } else { result }
    }

    /// Of a command.
    pub fn state(&self, state: &str) -> String {
        match state {
            "confirmed" => t!(self, "state-confirmed"),
            "rolled-back" => t!(self, "state-rolled-back"),
            "refused" => t!(self, "state-refused"),
            "withdrawn" => t!(self, "state-withdrawn"),
            _ => t!(self, "state-other"),
        }
    }

    pub fn checked(&self, outcome: &str) -> String {
        match outcome {
            "passed" => t!(self, "outcome-passed"),
            "failed" => t!(self, "outcome-failed"),
            _ => t!(self, "outcome-unknown"),
        }
    }

    /// The numbers that a check rests on; its own sentence where it kept none.
    pub fn told(&self, check: &Check) -> String {
        if check.outcome == "unknown" {
            return t!(self, "told-unknown");
        }
        if check.numbers.is_empty() {
            return check.evidence.clone();
        }
        let number = |key: &str| check.numbers.get(key).and_then(Value::as_u64);
        let count = |key: &str| number(key).unwrap_or_default().to_string();
        let span = |key: &str| self.figures.duration(number(key).unwrap_or_default());
        match check.what.as_str() {
            "continuity" => {
                let (usable, readings, broken) = (count("usable"), count("readings"), count("broken"));
                t!(self, "told-continuity", usable = usable, readings = readings, broken = broken)
            }
            "link-errors" => {
                let (errors, million, span) = (count("errors"), count("per_million"), span("over_ms"));
                t!(self, "told-link-errors", errors = errors, million = million, span = span)
            }
            "flaps" => t!(self, "told-flaps", changes = count("changes"), span = span("over_ms")),
            "duplex" => self.duplex(check),
            "device-up" => self.device(check),
            "sustained" => t!(self, "told-sustained", readings = count("readings"), span = span("over_ms")),
            "queue-effect" => self.queue(check),
            _ => check.evidence.clone(),
        }
    }

    fn duplex(&self, check: &Check) -> String {
        let duplex = match check.numbers.get("duplex").and_then(Value::as_str) {
            Some("half") => t!(self, "duplex-half"),
            Some("full") => t!(self, "duplex-full"),
            _ => t!(self, "duplex-unknown"),
        };
        match check.numbers.get("mbps").and_then(Value::as_u64) {
            Some(mbps) => {
                let speed = self.figures.rate(mbps.saturating_mul(1_000_000));
                t!(self, "told-duplex", duplex = duplex, speed = speed)
            }
            None => duplex,
        }
    }

    fn device(&self, check: &Check) -> String {
        let is = |key: &str| check.numbers.get(key).and_then(Value::as_bool).unwrap_or_default();
        let silent = check.numbers.get("silent_ms").and_then(Value::as_u64);
        let silent = silent.map_or_else(|| "–".to_owned(), |ms| self.figures.duration(ms));
        match check.numbers.get("oper").and_then(Value::as_str) {
            _ if check.outcome == "passed" => t!(self, "told-device-up", silent = silent),
            _ if !is("online") => t!(self, "told-device-offline"),
            _ if !is("polled_ok") => t!(self, "told-device-unanswered"),
            Some("down" | "other") => t!(self, "told-interface-down"),
            _ => t!(self, "told-device-silent", silent = silent),
        }
    }

    fn queue(&self, check: &Check) -> String {
        let number = |key: &str| check.numbers.get(key).and_then(Value::as_u64);
        let recorded = self.figures.rate_or_unknown(number("recorded"));
        let highest = u32::try_from(number("highest_per_mille").unwrap_or_default()).unwrap_or(u32::MAX);
        let highest = self.figures.per_mille(highest);
        match number("observed") {
            Some(0) => t!(self, "told-queue-unlimited", recorded = recorded, highest = highest),
            observed => {
                let observed = self.figures.rate_or_unknown(observed);
                t!(self, "told-queue-effect", recorded = recorded, observed = observed, highest = highest)
            }
        }
    }

    /// A link and the rate that its device read back: `sd-07 15.24 Mbit/s`.
    pub fn read_back(&self, text: &str) -> String {
        match (text.split_once(' '), rates(text).next()) {
            (Some((link, _)), Some(bps)) => format!("{link} {}", self.figures.rate(bps)),
            _ => text.to_owned(),
        }
    }

    /// A sentence of Takar's with its figures; what a person wrote stays as it is.
    pub fn sentence(&self, text: &str) -> String {
        let Some((_, key)) = SAID.iter().find(|(begin, _)| text.starts_with(begin)) else { return text.to_owned() };
        let mut rates = rates(text).map(|bps| self.figures.rate(bps));
        let mut next = || rates.next().unwrap_or_else(|| "–".to_owned());
        let (one, two, three) = (next(), next(), next());
        self.words.with(key, &[("one", one.as_str()), ("two", two.as_str()), ("three", three.as_str())])
    }
}

/// Every rate in a sentence, in order: `5.17 Mbit/s`.
fn rates(text: &str) -> impl Iterator<Item = u64> {
    let mut before = "";
    text.split_whitespace().filter_map(move |word| {
        let number = std::mem::replace(&mut before, word);
        let scale = match word.trim_end_matches([',', '.', ';', ':', ')']) {
            "bit/s" => 1,
            "kbit/s" => 1_000,
            "Mbit/s" => 1_000_000,
            "Gbit/s" => 1_000_000_000,
            _ => return None,
        };
        scaled(number, scale)
    })
}

/// A decimal number times a power of ten, without rounding what there is of it.
fn scaled(number: &str, scale: u64) -> Option<u64> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let mut value = whole.parse::<u64>().ok()?.checked_mul(scale)?;
    let mut place = scale;
    for digit in part.chars() {
        place /= 10;
        value = value.checked_add(u64::from(digit.to_digit(10)?).checked_mul(place)?)?;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use takar_collector_core::plan::{HoldReason, Reason};
    use takar_shared::BitsPerSec;

    use super::*;
    use crate::{Lang, Zone};

    fn said(lang: Lang, text: &str) -> String {
        Voice { words: &Words::new(lang), figures: Figures { lang, zone: &Zone::WIB } }.sentence(text)
    }

    /// Every reason that the planner gives, as it is written today.
    #[test]
    fn every_reason_for_not_moving_has_words() {
        let (one, two, three) = (BitsPerSec(5_170_000), BitsPerSec(12_000_000), BitsPerSec(900_000));
        let holds = [
            HoldReason::PendingChange,
            HoldReason::Maintenance,
            HoldReason::Observed,
            HoldReason::Unasked,
            HoldReason::Drifted,
            HoldReason::NotLive,
            HoldReason::NotPolled,
            HoldReason::Unread,
            HoldReason::Bypassed,
            HoldReason::CoolDown { left_s: 90 },
        ];
        let reasons = [
            Reason::NotMeasured,
            Reason::OutsideBounds { current: one, floor: two, ceiling: three },
            Reason::OutsideBounds { current: BitsPerSec(0), floor: two, ceiling: three },
            Reason::NothingSaturated { need: one },
            Reason::NotPinned { need: one },
            Reason::SpareNotNeeded { spare: one },
            Reason::AtCeiling { ceiling: one },
            Reason::AtFairShare { share: one },
            Reason::NoSpare { missing: one },
            Reason::GainTooSmall { gain: one, min: two },
            Reason::BudgetExceeded { sum: one, budget: two },
        ];
        for reason in holds.map(Reason::Held).into_iter().chain(reasons) {
            let english = reason.to_string();
            for lang in Lang::ALL {
                let text = said(lang, &english);
                assert!(lang == Lang::En || text != english, "{english}");
                assert!(!text.contains('–') && !text.starts_with("said-"), "{english}: {text}");
                let point = if lang == Lang::Id { ',' } else { '.' };
                assert_eq!(text.contains(&format!("5{point}17 Mbit/s")), english.contains("5.17 Mbit/s"), "{text}");
            }
        }
    }

    #[test]
    fn what_was_read_back_is_written_as_the_language_writes() {
        let words = Words::new(Lang::Id);
        let voice = Voice { words: &words, figures: Figures { lang: Lang::Id, zone: &Zone::WIB } };
        assert_eq!(voice.read_back("sd-07 15.24 Mbit/s"), "sd-07 15,24 Mbit/s");
        assert_eq!(voice.read_back("unread"), "unread");
    }

    #[test]
    fn what_a_person_wrote_stays() {
        let text = "Sekolah meminta 5.17 Mbit/s lagi.";
        assert_eq!(said(Lang::Id, text), text);
    }

    proptest! {
        #[test]
        fn rates_are_read_as_they_are_written(bps in 0u64..1_000_000_000_000) {
            // What the sentence rounded off, nobody can know.
            let text = format!("It could give {}, but nobody needs it.", BitsPerSec(bps));
            let read: Vec<u64> = rates(&text).collect();
            prop_assert_eq!(read.len(), 1);
            prop_assert!(read[0] <= bps && bps - read[0] <= bps / 100);
        }

        #[test]
        fn any_sentence_can_be_read(text in ".{0,60}", number in "[0-9.]{0,30}") {
            said(Lang::Id, &text);
            said(Lang::Id, &format!("It could give {number} Gbit/s"));
        }
    }
}
