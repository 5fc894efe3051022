//! Words in two languages, read once from `words/`. The tests hold both files to the same keys and variables.

use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentResource, concurrent::FluentBundle};

use crate::shell::Lang;

static INDONESIAN: LazyLock<Words> = LazyLock::new(|| Words::read(Lang::Id, include_str!("../words/id.ftl")));
static ENGLISH: LazyLock<Words> = LazyLock::new(|| Words::read(Lang::En, include_str!("../words/en.ftl")));

pub(crate) struct Words {
    bundle: FluentBundle<FluentResource>,
}

impl Words {
    pub(crate) fn of(lang: Lang) -> &'static Self {
        match lang {
            Lang::Id => &INDONESIAN,
            Lang::En => &ENGLISH,
        }
    }

    /// `None` where there is no such word.
    pub(crate) fn find(&self, key: &str, args: &FluentArgs<'_>) -> Option<String> {
        let message = self.bundle.get_message(key)?;
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(message.value()?, Some(args), &mut errors).into_owned();
        errors.is_empty().then_some(text)
    }

    /// What cannot be read is left out, and found by the tests, which ask for every word.
    fn read(lang: Lang, source: &str) -> Self {
        let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(readable, _)| readable);
        let mut bundle = FluentBundle::new_concurrent(vec![lang.as_str().parse().unwrap_or_default()]);
        // The marks around what is put in are for text that runs both ways; here they would end up in titles and labels.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource);
        Self { bundle }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::{KINDS, ROLES, STATES};
    use std::collections::{BTreeMap, BTreeSet};

    const SOURCES: [(Lang, &str); 2] =
        [(Lang::Id, include_str!("../words/id.ftl")), (Lang::En, include_str!("../words/en.ftl"))];

    /// Every key with the variables of its text.
    fn keys(source: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut current = String::new();
        for line in source.lines() {
            if let Some((key, _)) = line.split_once(" =")
                && key.starts_with(|c: char| c.is_ascii_lowercase())
            {
                current = key.to_owned();
                assert!(keys.insert(current.clone(), BTreeSet::new()).is_none(), "{current} is there twice");
            }
            let variables = line
                .split('$')
                .skip(1)
                .map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect::<String>());
            keys.entry(current.clone()).or_default().extend(variables);
        }
        keys.remove("");
        keys
    }

    fn args(variables: &BTreeSet<String>, n: u64) -> FluentArgs<'_> {
        let mut args = FluentArgs::new();
        for variable in variables {
            if variable == "n" {
                args.set("n", n);
            } else {
                args.set(variable.as_str(), "text");
            }
        }
        args
    }

    #[test]
    fn both_languages_have_the_same_words_and_variables() {
        let [id, en] = SOURCES.map(|(_, source)| keys(source));
        assert!(id.len() > 400, "{}", id.len());
        assert_eq!(id, en);
    }

    #[test]
    fn both_files_are_read_whole() {
        for (lang, source) in SOURCES {
            assert!(FluentResource::try_new(source.to_owned()).is_ok(), "{lang:?}");
        }
    }

    #[test]
    fn every_word_can_be_said() {
        for (lang, source) in SOURCES {
            for (key, variables) in keys(source) {
                for n in [0, 1, 2, 17] {
                    let text = Words::of(lang).find(&key, &args(&variables, n));
                    let text = text.unwrap_or_else(|| panic!("{lang:?} {key}"));
                    assert!(!text.trim().is_empty() && !text.contains(['{', '}', '$']), "{lang:?} {key}: {text}");
                }
            }
        }
    }

    #[test]
    fn a_word_or_a_variable_that_is_missing_is_noticed() {
        let words = Words::of(Lang::Id);
        assert_eq!(words.find("no-such-word", &FluentArgs::new()), None);
        assert_eq!(words.find("bar-used", &FluentArgs::new()), None);
    }

    #[test]
    fn what_a_filter_or_a_form_offers_has_words() {
        let offered = STATES.map(|state| format!("state-{state}")).into_iter();
        let offered = offered.chain(KINDS.map(|kind| format!("kind-{kind}")));
        for key in offered.chain(ROLES.map(|role| format!("role-{role}"))) {
            for lang in Lang::ALL {
                assert!(Words::of(lang).find(&key, &FluentArgs::new()).is_some(), "{lang:?} {key}");
            }
        }
    }
}
