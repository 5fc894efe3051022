use askama::Template;

use super::draw;
use crate::{shell::Shell, tongue::Tongue};

/// `POST /login` with `name`, `password`, `code`, `next`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Login {
    /// As typed before; the password is never sent back.
    pub name: String,
    /// Where to go afterwards: a path.
    pub next: String,
    pub refusal: Option<Refusal>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Name, password or code: which of them is not told.
    Wrong,
    /// Too many tries.
    Wait { seconds: u64 },
    /// The session is over.
    Expired,
}

#[derive(Template)]
#[template(path = "login.html")]
struct Page<'a> {
    s: &'a Shell,
    t: Tongue,
    p: &'a Login,
    refusal: Option<String>,
}

impl Login {
    pub fn render(&self, shell: &Shell) -> String {
        let t = Tongue::of(shell);
        let refusal = self.refusal.map(|refusal| match refusal {
            Refusal::Wrong => t.w("login-wrong"),
            Refusal::Wait { seconds } => t.say("login-wait", &[("span", &t.span(seconds.max(1).saturating_mul(1000)))]),
            Refusal::Expired => t.w("login-expired"),
        });
        draw(&Page { s: shell, t, p: self, refusal })
    }
}
