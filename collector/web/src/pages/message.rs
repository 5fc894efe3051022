use askama::Template;

use super::draw;
use crate::{shell::Shell, tongue::Tongue};

/// What went wrong, and what to do about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Of HTTP: 403, 404, 409, 422, 429, 500 have words of their own.
    pub status: u16,
    /// One sentence each, as whoever refused says it.
    pub details: Vec<String>,
    /// A path to go back to; empty: the first page.
    pub back: String,
}

#[derive(Template)]
#[template(path = "message.html")]
struct Page<'a> {
    s: &'a Shell,
    t: Tongue,
    p: &'a Message,
    title: String,
    advice: String,
    back: &'a str,
}

impl Message {
    pub fn render(&self, shell: &Shell) -> String {
        let t = Tongue::of(shell);
        let known = match self.status {
            403 | 404 | 409 | 422 | 429 => self.status,
            400..=499 => 422,
            _ => 500,
        };
        // Only a path of this site, so that nobody is led away.
        let back = if is_own_path(&self.back) { self.back.as_str() } else { "/" };
        let (title, advice) = (t.w(&format!("error-{known}")), t.w(&format!("error-{known}-do")));
        draw(&Page { s: shell, t, p: self, title, advice, back })
    }
}

fn is_own_path(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\n', '\r', '\t'])
}

#[cfg(test)]
mod tests {
    use super::is_own_path;

    #[test]
    fn nobody_is_led_away() {
        assert!(is_own_path("/cases/7?state=open"));
        for path in ["", "https://else.example", "//else.example", "/\\else.example", "/\t/else.example", "cases"] {
            assert!(!is_own_path(path), "{path:?}");
        }
    }
}
