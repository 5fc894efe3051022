//! Words in two languages, read once from `words/`. The tests hold both files to the same keys and variables.

use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentResource, concurrent::FluentBundle};

use crate::lang::Lang;

pub(super) const INDONESIAN: &str = include_str!("../../words/id.ftl");
pub(super) const ENGLISH: &str = include_str!("../../words/en.ftl");

static IN_INDONESIAN: LazyLock<Words> = LazyLock::new(|| Words::read(Lang::Id, INDONESIAN));
static IN_ENGLISH: LazyLock<Words> = LazyLock::new(|| Words::read(Lang::En, ENGLISH));

pub(super) struct Words {
    bundle: FluentBundle<FluentResource>,
}

impl Words {
    pub(super) fn of(lang: Lang) -> &'static Self {
        match lang {
            Lang::Id => &IN_INDONESIAN,
            Lang::En => &IN_ENGLISH,
        }
    }

    /// `None` where there is no such word.
    pub(super) fn find(&self, key: &str, args: &FluentArgs<'_>) -> Option<String> {
        let message = self.bundle.get_message(key)?;
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(message.value()?, Some(args), &mut errors).into_owned();
        errors.is_empty().then_some(text)
    }

    /// What cannot be read is left out, and found by the tests, which ask for every word.
    fn read(lang: Lang, source: &str) -> Self {
        let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(readable, _)| readable);
        let mut bundle = FluentBundle::new_concurrent(vec![lang.as_str().parse().unwrap_or_default()]);
        // The marks around what is put in are for text that runs both ways; here they would end up in subjects.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource);
        Self { bundle }
    }
}
