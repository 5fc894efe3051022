//! Both languages say the same things, and say them of every topic there is.

use std::collections::{BTreeMap, BTreeSet};

use fluent_bundle::FluentResource;
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};

use super::*;
use crate::{
    queue::{self, Rules, Ways},
    sample,
};

/// Each key with its variables.
fn keys(source: &str) -> BTreeMap<String, BTreeSet<String>> {
    let resource = FluentResource::try_new(source.to_owned()).map_err(|(_, errors)| errors).unwrap();
    let mut keys = BTreeMap::new();
    for entry in resource.entries() {
        match entry {
            Entry::Message(message) => {
                let mut variables = BTreeSet::new();
                gather(message.value.as_ref().unwrap(), &mut variables);
                let twice = keys.insert(message.id.name.to_owned(), variables);
                assert!(twice.is_none(), "{} is there twice", message.id.name);
            }
            Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) => {}
            other => panic!("{other:?}"),
        }
    }
    keys
}

fn gather(pattern: &Pattern<&str>, variables: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        match element {
            PatternElement::TextElement { .. } => {}
            PatternElement::Placeable { expression: Expression::Inline(inline) } => variable(inline, variables),
            PatternElement::Placeable { expression: Expression::Select { selector, variants } } => {
                variable(selector, variables);
                variants.iter().for_each(|variant| gather(&variant.value, variables));
            }
        }
    }
}

fn variable(inline: &InlineExpression<&str>, variables: &mut BTreeSet<String>) {
    match inline {
        InlineExpression::VariableReference { id } => {
            variables.insert(id.name.to_owned());
        }
        other => panic!("{other:?}"),
    }
}

fn zone() -> Zone {
    Zone::named("WIB").unwrap()
}

fn texts(lang: Lang) -> Vec<(Notice, Text)> {
    let of = |made: Notice| (made.clone(), notice(&made, lang, &zone()));
    sample::notices(lang).into_iter().map(of).collect()
}

/// All of the samples in one mail.
fn digest(lang: Lang) -> Text {
    let notices = sample::notices(lang);
    let made = |made: &Notice| queue::deliveries(made, made.id, Ways { mail: true, webhook: false });
    let deliveries: Vec<queue::Delivery> = notices.iter().flat_map(made).collect();
    let batch = queue::plan(sample::NOW.plus(3_600_000), &deliveries, &Rules::default()).remove(0);
    assert_eq!(batch.notices, notices);
    mail(&batch, &zone())
}

#[test]
fn both_files_have_the_same_keys_and_variables() {
    assert_eq!(keys(bundle::INDONESIAN), keys(bundle::ENGLISH));
}

#[test]
fn every_topic_has_words_and_every_word_of_a_topic_a_topic() {
    let known: BTreeSet<&str> = sample::notices(Lang::Id).iter().map(|made| made.topic.key()).collect();
    let keys = keys(bundle::ENGLISH);
    let of = |part: &str| -> BTreeSet<String> {
        keys.keys().filter_map(|key| key.strip_suffix(part)).filter(|key| *key != "digest").map(String::from).collect()
    };
    let all: BTreeSet<String> = known.iter().map(|key| (*key).to_owned()).collect();
    assert_eq!(of("-subject"), all);
    assert_eq!(of("-lead"), all);
    // Nothing is left to do when these arrive.
    let idle = ["received", "loan-begins", "loan-ends"].map(String::from);
    let busy: BTreeSet<String> = all.iter().filter(|key| !idle.contains(key)).cloned().collect();
    assert_eq!(of("-todo"), busy);
    let asked = ["provider-request", "provider-reminder"].map(String::from);
    assert_eq!(of("-reply"), BTreeSet::from(asked));
}

#[test]
fn nothing_is_left_unsaid() {
    for lang in Lang::ALL {
        let mut all: Vec<Text> = texts(lang).into_iter().map(|(_, text)| text).collect();
        all.push(digest(lang));
        for text in all {
            assert!(!text.subject.is_empty() && !text.subject.contains('\n'), "{text:?}");
            for bad in ["??", "{", "}", "$", "None", "Some("] {
                assert!(!text.subject.contains(bad) && !text.body.contains(bad), "{bad} in {text:#?}");
            }
        }
    }
}

#[test]
fn what_a_reader_needs_is_there_in_one_look() {
    for lang in Lang::ALL {
        for (made, text) in texts(lang) {
            let said = format!("{}\n{}", text.subject, text.body);
            let json = serde_json::to_value(&made.topic).unwrap();
            for key in ["number", "provider", "ticket", "remark", "why", "reason", "url"] {
                if let Some(value) = json.get(key).and_then(|value| value.as_str()) {
                    assert!(said.contains(value), "{key} of {said}");
                }
            }
            if let Some(uplink) = json.pointer("/place/uplink").and_then(|value| value.as_str()) {
                assert!(text.body.contains(uplink) && text.body.contains("sdn-kalibening"), "{said}");
            }
        }
    }
}

#[test]
fn figures_are_of_the_language() {
    let indonesian = digest(Lang::Id).body;
    assert!(indonesian.contains("12,5 Mbit/s") && indonesian.contains("24 November 2026 pukul 09.12 WIB"));
    assert!(!indonesian.contains("12.5 Mbit/s"));
    let english = digest(Lang::En).body;
    assert!(english.contains("12.5 Mbit/s") && english.contains("24 November 2026, 09:12 WIB"));
    assert!(!english.contains("12,5 Mbit/s"));
}

#[test]
fn one_and_many() {
    let zone = zone();
    let say = Say::new(Lang::En, &zone);
    assert_eq!(say.count("digest-subject", 1), "1 notice from Takar");
    assert_eq!(say.count("digest-subject", 12), "12 notices from Takar");
    assert_eq!(say.minutes(60), "1 hour");
    assert_eq!(say.minutes(90), "90 minutes");
    assert_eq!(say.minutes(0), "0 minutes");
}

#[test]
fn a_letter_from_top_to_bottom() {
    let made = sample::notices(Lang::Id).into_iter().find(|made| made.topic.key() == "step-overdue").unwrap();
    let deliveries = queue::deliveries(&made, 1, Ways { mail: true, webhook: false });
    let batch = queue::plan(sample::NOW.plus(3_600_000), &deliveries, &Rules::default()).remove(0);
    let text = mail(&batch, &zone());
    assert_eq!(text.subject, "Terlambat: kasus 42, langkah 3 di magelang-1");
    let expected = "Yth. Siti Rahmawati,\n\n\
        Langkah 3 kasus 42, yaitu koordinasi alokasi/re-alokasi bandwidth, telah melewati waktu standarnya.\n\n  \
        Uplink           : magelang-1, arah unduh\n  \
        Link             : sdn-kalibening, sdn-secang-1\n  \
        Penanggung jawab : Budi Santoso\n  \
        Dimulai          : 24 November 2026 pukul 09.12 WIB\n  \
        Waktu standar    : 30 menit\n\n\
        Mohon selesaikan langkah ini, atau tunda kasusnya dengan menyebutkan alasan.\n\
        Buka: https://takar.office.example/cases/42\n\n\
        -- \n\
        Surel ini dikirim otomatis oleh Takar. Mohon tidak membalas surel ini.\n";
    assert_eq!(text.body, expected);
}

#[test]
fn who_has_no_name_is_greeted_all_the_same() {
    let mut made = sample::notices(Lang::Id).remove(0);
    made.to.name = " \r\n".into();
    let deliveries = queue::deliveries(&made, 1, Ways { mail: true, webhook: false });
    let batch = queue::plan(sample::NOW.plus(3_600_000), &deliveries, &Rules::default()).remove(0);
    assert!(mail(&batch, &zone()).body.starts_with("Dengan hormat,\n"));
}
