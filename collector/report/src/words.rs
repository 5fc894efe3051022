//! Every word of a paper, by key, in two Fluent files with the same keys.

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource, FluentValue};

use crate::Lang;

const ID: &str = include_str!("../words/id.ftl");
const EN: &str = include_str!("../words/en.ftl");

pub struct Words {
    bundle: FluentBundle<FluentResource>,
}

impl Words {
    pub fn new(lang: Lang) -> Self {
        let mut bundle = FluentBundle::new(vec![lang.as_str().parse().unwrap_or_default()]);
        // Papers are left to right throughout.
        bundle.set_use_isolating(false);
        let text = match lang {
            Lang::Id => ID,
            Lang::En => EN,
        };
        // What does not read is found by the tests.
        let (Ok(resource) | Err((resource, _))) = FluentResource::try_new(text.to_owned());
        let _ = bundle.add_resource(resource);
        Self { bundle }
    }

    pub fn text(&self, key: &str) -> String {
        self.with(key, &[])
    }

    pub fn with(&self, key: &str, given: &[(&str, &str)]) -> String {
        let mut args = FluentArgs::new();
        for (name, value) in given {
            args.set(*name, FluentValue::from(*value));
        }
        let Some(pattern) = self.bundle.get_message(key).and_then(|message| message.value()) else {
            return key.to_owned();
        };
        self.bundle.format_pattern(pattern, Some(&args), &mut Vec::new()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use fluent_syntax::{ast, parser};

    use super::*;

    /// Keys with the variables that each uses.
    fn keys(text: &str) -> BTreeMap<String, BTreeSet<String>> {
        let resource = parser::parse(text).unwrap_or_else(|(_, errors)| panic!("{errors:?}"));
        let mut keys = BTreeMap::new();
        for entry in resource.body {
            let ast::Entry::Message(message) = entry else { continue };
            let mut variables = BTreeSet::new();
            for element in message.value.into_iter().flat_map(|pattern| pattern.elements) {
                if let ast::PatternElement::Placeable { expression: ast::Expression::Inline(inline) } = element
                    && let ast::InlineExpression::VariableReference { id } = inline
                {
                    variables.insert(id.name.to_owned());
                }
            }
            assert!(keys.insert(message.id.name.to_owned(), variables).is_none(), "{} is there twice", message.id.name);
        }
        keys
    }

    #[test]
    fn both_languages_have_the_same_keys_and_variables() {
        assert_eq!(keys(ID), keys(EN));
    }

    const SOURCES: [&str; 10] = [
        include_str!("write.rs"),
        include_str!("write/voice.rs"),
        include_str!("write/plot.rs"),
        include_str!("write/report.rs"),
        include_str!("write/report/activity.rs"),
        include_str!("write/report/result.rs"),
        include_str!("write/summary.rs"),
        include_str!("write/letter.rs"),
        include_str!("xlsx.rs"),
        include_str!("xlsx/sheets.rs"),
    ];
    /// Keys that are put together from a code begin so.
    const PUT_TOGETHER: [&str; 2] = ["step-", "check-"];

    /// Whatever stands between quotation marks, without the tests.
    fn quoted() -> BTreeSet<&'static str> {
        let code = SOURCES.iter().map(|source| source.split("#[cfg(test)]").next().unwrap());
        code.flat_map(|code| code.split('"').skip(1).step_by(2)).collect()
    }

    #[test]
    fn every_key_that_is_used_exists() {
        let known = keys(ID);
        let first = |key: &str| key.split('-').next().unwrap().to_owned();
        // A code such as `rolled-back` begins like no key.
        let beginnings: BTreeSet<String> = known.keys().filter(|key| key.contains('-')).map(|key| first(key)).collect();
        let is_key = |text: &str| {
            text.contains('-')
                && beginnings.contains(&first(text))
                && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        };
        // Codes of the model that happen to begin like one.
        let codes = ["not-needed"];
        let used: Vec<&str> = quoted().into_iter().filter(|text| is_key(text) && !codes.contains(text)).collect();
        assert!(used.len() > 150, "{}", used.len());
        for key in used {
            assert!(known.contains_key(key), "{key}");
        }
        for number in 1..=6 {
            assert!(known.contains_key(&format!("step-{number}")));
        }
        for what in ["continuity", "link-errors", "flaps", "duplex", "device-up", "sustained", "queue-effect"] {
            assert!(known.contains_key(&format!("check-{what}")), "{what}");
        }
    }

    #[test]
    fn every_word_is_used() {
        let used = quoted();
        for key in keys(ID).into_keys().filter(|key| !PUT_TOGETHER.iter().any(|begin| key.starts_with(begin))) {
            assert!(used.contains(key.as_str()), "{key}");
        }
    }
}
