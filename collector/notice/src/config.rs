//! `[notice]` of the collector's config: raw as it is written, and what is wrong with it, all at once. Without it
//! nothing is sent, and nothing is lost: what there is to tell is in the cases and among the events.

use std::{net::IpAddr, ops::RangeInclusive, path::PathBuf, time::Duration};

use lettre::message::Mailbox;
use serde::Deserialize;

use crate::{
    mail::{Mailer, Smtp, Tls},
    post::chain,
    queue::{Rules, Ways},
    webhook::{Poster, Webhook},
};

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawNotice {
    digest_after_s: Option<u64>,
    cap_per_hour: Option<u64>,
    mail: Option<RawMail>,
    webhook: Option<RawWebhook>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMail {
    host: String,
    port: Option<u64>,
    tls: Option<String>,
    user: Option<String>,
    password_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    from: String,
    timeout_s: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWebhook {
    secret_file: PathBuf,
    ca_file: Option<PathBuf>,
    timeout_s: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub rules: Rules,
    pub mail: Option<Smtp>,
    pub webhook: Option<Webhook>,
}

/// Key, and what is wrong with it: (`notice.mail.port`, `0 is out of range; expected 1 to 65535`).
pub type Problem = (String, String);

impl RawNotice {
    pub fn validate(self) -> Result<Settings, Vec<Problem>> {
        let mut check = Check { problems: Vec::new() };
        let settings = check.settings(self);
        match settings {
            Some(settings) if check.problems.is_empty() => Ok(settings),
            _ => Err(check.problems),
        }
    }
}

impl Settings {
    pub fn ways(&self) -> Ways {
        Ways { mail: self.mail.is_some(), webhook: self.webhook.is_some() }
    }

    /// What is wrong with the files that it names, on this machine.
    pub fn check_files(&self) -> Vec<Problem> {
        let mail = self.mail.clone().and_then(|smtp| Mailer::new(smtp).err()).map(|error| ("notice.mail", error));
        let webhook = self.webhook.as_ref().and_then(|webhook| Poster::new(webhook).err());
        let webhook = webhook.map(|error| ("notice.webhook", error));
        mail.into_iter().chain(webhook).map(|(key, error)| (key.to_owned(), chain(&error))).collect()
    }
}

struct Check {
    problems: Vec<Problem>,
}

impl Check {
    /// `None` only together with a problem.
    fn settings(&mut self, raw: RawNotice) -> Option<Settings> {
        let digest_after_s = self.number("notice.digest_after_s", raw.digest_after_s, 600, 0..=86_400);
        let cap = self.number("notice.cap_per_hour", raw.cap_per_hour, 12, 1..=1_000);
        if raw.mail.is_none() && raw.webhook.is_none() {
            self.say("notice", "says no way; expected [notice.mail], [notice.webhook] or both, or no [notice] at all");
        }
        let has_mail = raw.mail.is_some();
        let mail = raw.mail.and_then(|raw| self.mail(raw));
        let webhook = raw.webhook.map(|raw| self.webhook(raw));
        let rules = Rules {
            digest_after_ms: digest_after_s.saturating_mul(1000),
            cap_per_hour: usize::try_from(cap).unwrap_or(usize::MAX),
        };
        (mail.is_some() || !has_mail).then_some(Settings { rules, mail, webhook })
    }

    fn mail(&mut self, raw: RawMail) -> Option<Smtp> {
        let host = raw.host;
        let plain = host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_'));
        if host.is_empty() || !plain {
            self.say("notice.mail.host", format!("{host:?}; expected a host's name or address"));
        }
        let tls = self.tls(raw.tls.as_deref(), &host);
        let usual = match tls {
            Some(Tls::None) => 25,
            Some(Tls::Implicit) => 465,
            Some(Tls::StartTls) | None => 587,
        };
        let port = self.number("notice.mail.port", raw.port, usual, 1..=65_535);
        let login = match (raw.user, raw.password_file) {
            (Some(user), Some(file)) => {
                if user.is_empty() || user.contains(|c: char| c.is_control()) {
                    self.say("notice.mail.user", format!("{user:?}; expected the name of an account"));
                }
                self.absolute("notice.mail.password_file", Some(&file));
                Some((user, file))
            }
            (None, None) => None,
            _ => {
                self.say("notice.mail.user", "expected both user and password_file, or neither");
                None
            }
        };
        self.absolute("notice.mail.ca_file", raw.ca_file.as_ref());
        if raw.ca_file.is_some() && tls == Some(Tls::None) {
            self.say("notice.mail.ca_file", "there is nothing to vouch for with tls = \"none\"; expected no ca_file");
        }
        let timeout_s = self.number("notice.mail.timeout_s", raw.timeout_s, 60, 5..=600);
        let from = raw.from.parse::<Mailbox>();
        if from.is_err() {
            let expected = "expected an address like \"Takar <takar@office.example>\"";
            self.say("notice.mail.from", format!("{:?}; {expected}", raw.from));
        }
        Some(Smtp {
            host,
            port: u16::try_from(port).unwrap_or(u16::MAX),
            tls: tls?,
            login,
            ca_file: raw.ca_file,
            from: from.ok()?,
            timeout: Duration::from_secs(timeout_s),
        })
    }

    /// In the clear only to this machine, where there is nobody between.
    fn tls(&mut self, word: Option<&str>, host: &str) -> Option<Tls> {
        match word.unwrap_or("starttls") {
            "starttls" => Some(Tls::StartTls),
            "implicit" => Some(Tls::Implicit),
            "none" if host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()) => Some(Tls::None),
            "none" => {
                self.say("notice.mail.tls", format!("\"none\" does only for this machine, and {host:?} is another"));
                None
            }
            other => {
                self.say("notice.mail.tls", format!("{other:?}; expected \"starttls\", \"implicit\" or \"none\""));
                None
            }
        }
    }

    fn webhook(&mut self, raw: RawWebhook) -> Webhook {
        self.absolute("notice.webhook.secret_file", Some(&raw.secret_file));
        self.absolute("notice.webhook.ca_file", raw.ca_file.as_ref());
        let timeout_s = self.number("notice.webhook.timeout_s", raw.timeout_s, 10, 1..=120);
        Webhook { secret_file: raw.secret_file, ca_file: raw.ca_file, timeout: Duration::from_secs(timeout_s) }
    }

    fn absolute(&mut self, key: &str, path: Option<&PathBuf>) {
        if let Some(path) = path.filter(|path| !path.is_absolute()) {
            self.say(key, format!("\"{}\" is relative; expected an absolute path", path.display()));
        }
    }

    fn number(&mut self, key: &str, given: Option<u64>, default: u64, range: RangeInclusive<u64>) -> u64 {
        let value = given.unwrap_or(default);
        if !range.contains(&value) {
            self.say(key, format!("{value} is out of range; expected {} to {}", range.start(), range.end()));
        }
        value
    }

    fn say(&mut self, key: &str, problem: impl Into<String>) {
        self.problems.push((key.to_owned(), problem.into()));
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    fn read(text: &str) -> Result<Settings, Vec<Problem>> {
        toml::from_str::<RawNotice>(text).unwrap().validate()
    }

    #[test]
    fn defaults() {
        let settings = read("[mail]\nhost = \"mail.office.example\"\nfrom = \"takar@office.example\"\n").unwrap();
        assert_eq!(settings.rules, Rules { digest_after_ms: 600_000, cap_per_hour: 12 });
        assert_eq!(settings.ways(), Ways { mail: true, webhook: false });
        let mail = settings.mail.unwrap();
        assert_eq!((mail.port, mail.tls, mail.timeout.as_secs()), (587, Tls::StartTls, 60));
        let here = "[mail]\nhost = \"::1\"\ntls = \"none\"\nfrom = \"Takar <takar@office.example>\"\n";
        let mail = read(here).unwrap().mail.unwrap();
        assert_eq!((mail.port, mail.tls, mail.from.name.as_deref()), (25, Tls::None, Some("Takar")));
        let webhook = read("[webhook]\nsecret_file = \"/etc/takar/hook.secret\"\n").unwrap().webhook.unwrap();
        assert_eq!(webhook.timeout.as_secs(), 10);
    }

    #[test]
    fn every_problem_at_once() {
        let text = "digest_after_s = 90000\ncap_per_hour = 0\n\
                    [mail]\nhost = \"mail example\"\nport = 0\ntls = \"none\"\nuser = \"takar\"\n\
                    ca_file = \"ca.pem\"\nfrom = \"nobody\"\ntimeout_s = 1\n\
                    [webhook]\nsecret_file = \"secret\"\nca_file = \"ca.pem\"\ntimeout_s = 0\n";
        let problems = read(text).unwrap_err();
        let keys: Vec<&str> = problems.iter().map(|(key, _)| key.as_str()).collect();
        let expected = [
            "notice.digest_after_s",
            "notice.cap_per_hour",
            "notice.mail.host",
            "notice.mail.tls",
            "notice.mail.port",
            "notice.mail.user",
            "notice.mail.ca_file",
            "notice.mail.timeout_s",
            "notice.mail.from",
            "notice.webhook.secret_file",
            "notice.webhook.ca_file",
            "notice.webhook.timeout_s",
        ];
        assert_eq!(keys, expected, "{problems:#?}");
        assert!(problems.iter().all(|(_, text)| !text.contains('\n')));
        assert_eq!(read("").unwrap_err().len(), 1);
    }

    #[test]
    fn files_are_looked_at() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let text = format!(
            "[mail]\nhost = \"mail.office.example\"\nfrom = \"takar@office.example\"\nuser = \"takar\"\n\
             password_file = {:?}\n[webhook]\nsecret_file = {:?}\nca_file = {:?}\n",
            at("password"),
            at("secret"),
            at("ca.pem")
        );
        let settings = read(&text).unwrap();
        let keys = || settings.check_files().into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        assert_eq!(keys(), ["notice.mail", "notice.webhook"]);
        for name in ["password", "secret"] {
            fs::write(at(name), "sixteen or more characters\n").unwrap();
            fs::set_permissions(at(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
        assert_eq!(keys(), ["notice.webhook"]);
        fs::write(at("ca.pem"), "no certificate\n").unwrap();
        let texts: Vec<String> = settings.check_files().into_iter().map(|(_, text)| text).collect();
        assert!(texts.len() == 1 && texts[0].contains("holds no certificate"), "{texts:?}");
    }
}
