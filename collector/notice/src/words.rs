//! A batch as its reader has it: subject and plain text, in the reader's language.

mod bundle;
mod clean;
mod draft;
mod figures;
mod say;
#[cfg(test)]
mod tests;

use crate::{
    lang::{Lang, Zone},
    notice::Notice,
    queue::Batch,
};

use draft::Draft;
use say::Say;

pub(crate) use clean::one_line;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// One line.
    pub subject: String,
    pub body: String,
}

/// The mail for a batch: one notice by itself, or a digest of several.
pub fn mail(batch: &Batch, zone: &Zone) -> Text {
    let say = Say::new(batch.lang(), zone);
    let mut lines = vec![salutation(&say, &batch.to.name), String::new()];
    let subject = match batch.notices.as_slice() {
        [only] => {
            let draft = Draft::of(only, &say);
            lines.extend(draft.lines());
            draft.subject()
        }
        several => {
            lines.push(say.count("digest-lead", several.len()));
            for (at, notice) in several.iter().enumerate() {
                let draft = Draft::of(notice, &say);
                lines.extend([String::new(), format!("{}. {}", at.saturating_add(1), draft.subject())]);
                lines.extend(draft.lines().into_iter().map(|line| indented(&line)));
            }
            say.count("digest-subject", several.len())
        }
    };
    // What follows `-- ` is a signature to mail programs.
    lines.extend([String::new(), "-- ".into(), say.w("footer"), String::new()]);
    Text { subject, body: lines.join("\n") }
}

/// One notice without salutation, as a webhook carries it.
pub fn notice(notice: &Notice, lang: Lang, zone: &Zone) -> Text {
    let say = Say::new(lang, zone);
    let draft = Draft::of(notice, &say);
    Text { subject: draft.subject(), body: draft.lines().join("\n") }
}

fn salutation(say: &Say<'_>, name: &str) -> String {
    match one_line(name) {
        name if name.is_empty() => say.w("salutation-nobody"),
        name => say.say("salutation", &[("name", &name)]),
    }
}

fn indented(line: &str) -> String {
    if line.is_empty() { String::new() } else { format!("   {line}") }
}
