use askama::Template;
use qrcode::{QrCode, render::svg};

use super::draw;
use crate::{
    shell::{Lang, Shell},
    tongue::Tongue,
};

/// `GET /account`: one's own. Acts are `POST /account/language`, `password`, `totp-begin`, `totp-confirm`, `totp-remove`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Of notices and, at first, of the pages.
    pub lang: Lang,
    pub email: Option<String>,
    pub totp: Totp,
    pub problems: Vec<String>,
    /// Something was changed: `language`, `password`, `totp`.
    pub done: Option<String>,
}

/// One-time codes.
#[derive(Clone, PartialEq, Eq)]
pub enum Totp {
    Off,
    /// Waits for the first code that proves that the secret arrived.
    Enrolling {
        /// In base 32, to be typed.
        secret: String,
        /// `otpauth://totp/…`, to be scanned.
        url: String,
    },
    On,
}

impl std::fmt::Debug for Totp {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Off => "Off",
            Self::Enrolling { .. } => "Enrolling",
            Self::On => "On",
        })
    }
}

#[derive(Template)]
#[template(path = "account.html")]
struct Page<'a> {
    s: &'a Shell,
    t: Tongue,
    p: &'a Account,
    name: String,
    line: String,
    done: Option<String>,
    choices: Vec<(String, String, bool)>,
    /// off, enrolling, on
    totp: &'static str,
    secret: String,
    qr: Option<String>,
}

impl Account {
    pub fn render(&self, shell: &Shell) -> String {
        let t = Tongue::of(shell);
        let (totp, secret, url) = match &self.totp {
            Totp::Off => ("off", String::new(), None),
            Totp::Enrolling { secret, url } => ("enrolling", in_fours(secret), Some(url)),
            Totp::On => ("on", String::new(), None),
        };
        let user = shell.user.as_ref();
        let role = user.map(|user| t.code("role", &user.role)).unwrap_or_default();
        let page = Page {
            s: shell,
            p: self,
            name: user.map(|user| format!("{} ({})", user.title, user.name)).unwrap_or_default(),
            line: self.email.as_ref().map_or_else(|| role.clone(), |email| format!("{role} · {email}")),
            done: self.done.as_ref().map(|what| t.code("account-done", what)),
            choices: Lang::ALL
                .map(|lang| (lang.as_str().to_owned(), lang.own_name().to_owned(), lang == self.lang))
                .into(),
            totp,
            secret,
            qr: url.and_then(|url| qr(url)),
            t,
        };
        draw(&page)
    }
}

/// As an SVG element in the page, black on white in every theme, or readers fail. Without what belongs to a file.
fn qr(text: &str) -> Option<String> {
    let code = QrCode::new(text).ok()?;
    let drawn = code.render::<svg::Color<'_>>().min_dimensions(200, 200).build();
    drawn.find("<svg").and_then(|begin| drawn.get(begin..)).map(str::to_owned)
}

/// Easier to type.
fn in_fours(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_a_drawing_and_nothing_else() {
        let drawn = qr("otpauth://totp/Takar:sekar?secret=JBSWY3DPEHPK3PXP&issuer=Takar").unwrap();
        assert!(drawn.starts_with("<svg") && drawn.ends_with("</svg>"));
        assert!(!drawn.contains("otpauth") && !drawn.contains("<?"));
    }

    #[test]
    fn a_secret_is_read_in_fours_and_never_logged() {
        assert_eq!(in_fours("JBSWY3DPEH"), "JBSW Y3DP EH");
        let totp = Totp::Enrolling { secret: "JBSWY3DP".into(), url: "otpauth://JBSWY3DP".into() };
        assert_eq!(format!("{totp:?}"), "Enrolling");
    }
}
