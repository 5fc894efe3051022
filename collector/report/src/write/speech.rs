//! The sentences of papers, for pages that say the same.

use super::voice::Voice;
use crate::{Lang, Zone, figures::Figures, model::Check, words::Words};

/// None of these sentences tells a time.
const NO_ZONE: Zone = Zone { name: "UTC", offset_minutes: 0 };

pub struct Speech {
    words: Words,
    lang: Lang,
}

impl Speech {
    pub fn new(lang: Lang) -> Self {
        Self { words: Words::new(lang), lang }
    }

    /// What a check of step 2 rests on.
    pub fn told(&self, check: &Check) -> String {
        self.voice().told(check)
    }

    /// A sentence that Takar keeps in English, in this language; what a person wrote stays as it is.
    pub fn sentence(&self, text: &str) -> String {
        self.voice().sentence(text)
    }

    fn voice(&self) -> Voice<'_> {
        Voice { words: &self.words, figures: Figures { lang: self.lang, zone: &NO_ZONE } }
    }
}
