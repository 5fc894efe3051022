//! The sentences that a client gets back.

use crate::{refusal::Refusal, row::Fields, words};

/// One sentence of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// `!re`, `!done`, `!trap`, `!empty` or `!fatal`.
    pub word: &'static str,
    pub fields: Fields,
    /// `!fatal` says why in a bare word.
    pub reason: Option<&'static str>,
}

impl Reply {
    pub fn of(word: &'static str, fields: Fields) -> Self {
        Self { word, fields, reason: None }
    }

    pub fn fatal(reason: &'static str) -> Self {
        Self { word: "!fatal", fields: Fields::new(), reason: Some(reason) }
    }

    pub fn trap(refusal: &Refusal) -> Self {
        let mut fields = Fields::new();
        fields.extend(refusal.category().map(|category| ("category", category.to_string())));
        fields.push(("message", refusal.to_string()));
        Self::of("!trap", fields)
    }

    /// Appends the reply in the API's framing, with the tag that the command had.
    pub fn push_to(&self, out: &mut Vec<u8>, tag: Option<&str>) {
        words::push_word(out, self.word.as_bytes());
        if let Some(reason) = self.reason {
            words::push_word(out, reason.as_bytes());
        }
        for (name, value) in &self.fields {
            words::push_word(out, format!("={name}={value}").as_bytes());
        }
        if let Some(tag) = tag {
            words::push_word(out, format!(".tag={tag}").as_bytes());
        }
        words::end_sentence(out);
    }
}

/// The answer to one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub replies: Vec<Reply>,
    /// After it the router closes the connection.
    pub closes: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_echoed_on_every_sentence() {
        let mut out = Vec::new();
        Reply::of("!re", vec![("name", "x".to_owned())]).push_to(&mut out, Some("12"));
        assert_eq!(out, b"\x03!re\x07=name=x\x07.tag=12\x00");
        let mut out = Vec::new();
        Reply::fatal("not logged in").push_to(&mut out, None);
        assert_eq!(out, b"\x06!fatal\x0dnot logged in\x00");
    }
}
