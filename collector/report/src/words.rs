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

    /// Every key that the code names is there.
    #[test]
    fn every_key_that_is_used_exists() {
        let known = keys(ID);
        for source in [
            include_str!("write.rs"),
            include_str!("write/report.rs"),
            include_str!("write/summary.rs"),
            include_str!("write/letter.rs"),
            include_str!("xlsx.rs"),
        ] {
            let named = source.split("t!(").skip(1).filter_map(|rest| {
                let (before, rest) = rest.split_once('"')?;
                // Some are put together; those are known by their prefixes.
                let is_here = matches!(before.trim(), "writer," | "self,");
                rest.split_once('"').filter(|_| is_here).map(|(key, _)| key)
            });
            for key in named {
                assert!(known.contains_key(key), "{key}");
            }
        }
        for prefix in ["check", "outcome", "kind", "way", "step", "state", "result", "origin"] {
            assert!(known.keys().any(|key| key.starts_with(&format!("{prefix}-"))), "{prefix}");
        }
    }
}
