//! How a device is reached: SNMP for its counters, a backend for its queues, and their secrets.

use std::{path::Path, time::Duration};

use takar_shared::Name;

use super::Check;
use crate::{
    config::{
        QueuesConfig,
        raw::{RawQueues, RawSnmp},
        read_certificate, read_secret,
    },
    queue::{routeros::Access, sqm::uci::SectionName},
    snmp::{Auth, Credentials, Privacy, TargetConfig},
};

/// In bytes (RFC 3414, usmUserName).
const LONGEST_USER: usize = 32;

impl Check {
    pub(super) fn snmp(&mut self, at: &str, raw: RawSnmp) -> Option<TargetConfig> {
        self.range(&format!("{at}.timeout_ms"), raw.timeout_ms, 50, 60_000);
        self.range(&format!("{at}.retries"), raw.retries.into(), 0, 10);
        self.address(&format!("{at}.address"), &raw.address);
        let interfaces = self.interfaces(&format!("{at}.interfaces"), &raw.interfaces);
        let credentials = match raw.version.as_str() {
            "2c" => Credentials::V2c {
                community: self.secret(&format!("{at}.community_file"), raw.community_file.as_deref())?,
            },
            "3" => {
                let user = raw.user.clone().unwrap_or_default();
                if user.is_empty() {
                    self.say(format!("{at}.user"), "missing; expected the SNMPv3 user");
                }
                if user.len() > LONGEST_USER {
                    let text = format!("{} bytes long; expected an SNMPv3 user of at most {LONGEST_USER}", user.len());
                    self.say(format!("{at}.user"), text);
                }
                let auth = self.choice(&format!("{at}.auth"), raw.auth.as_deref(), &Auth::NAMES);
                let privacy = self.choice(&format!("{at}.privacy"), raw.privacy.as_deref(), &Privacy::NAMES);
                let auth_password = self.secret(&format!("{at}.auth_password_file"), raw.auth_password_file.as_deref());
                let privacy_password = match privacy {
                    Some(Privacy::None) => Some(String::new()),
                    _ => self.secret(&format!("{at}.privacy_password_file"), raw.privacy_password_file.as_deref()),
                };
                Credentials::V3 {
                    user,
                    auth: auth?,
                    auth_password: auth_password?,
                    privacy: privacy?,
                    privacy_password: privacy_password?,
                }
            }
            other => {
                self.say(format!("{at}.version"), format!("{other:?} is unknown; expected \"2c\" or \"3\""));
                return None;
            }
        };
        let timeout = Duration::from_millis(raw.timeout_ms);
        Some(TargetConfig { address: raw.address, credentials, timeout, retries: raw.retries, interfaces })
    }

    pub(super) fn interfaces(&mut self, at: &str, given: &[String]) -> Vec<Name> {
        if given.is_empty() {
            self.say(at, "empty; expected at least one ifName");
        }
        for (row, text) in given.iter().enumerate() {
            // Two meters of one interface: its traffic would count twice.
            if !text.is_empty() && given.iter().take(row).any(|earlier| earlier == text) {
                self.say(format!("{at}[{row}]"), format!("{text:?} is there twice; expected each interface once"));
            }
        }
        given.iter().enumerate().map(|(row, text)| self.name(&format!("{at}[{row}]"), text)).collect()
    }

    pub(super) fn queues(&mut self, at: &str, raw: RawQueues) -> QueuesConfig {
        if raw.sqm_section.is_some() && raw.backend != "sqm" {
            self.say(format!("{at}.sqm_section"), "expected only with backend = \"sqm\"");
        }
        match raw.backend.as_str() {
            "none" => QueuesConfig::None,
            "cake" => QueuesConfig::Cake,
            "htb" => QueuesConfig::Htb,
            "routeros" => {
                let address = raw.address.unwrap_or_default();
                self.address(&format!("{at}.address"), &address);
                let user = raw.user.unwrap_or_default();
                if user.is_empty() {
                    self.say(format!("{at}.user"), "missing; expected the RouterOS user");
                }
                self.range(&format!("{at}.timeout_ms"), raw.timeout_ms, 50, 60_000);
                let password = self.secret(&format!("{at}.password_file"), raw.password_file.as_deref());
                let certificate = raw.certificate_file.as_deref().and_then(|path| {
                    read_certificate(path).map_err(|text| self.say(format!("{at}.certificate_file"), text)).ok()
                });
                let timeout = Duration::from_millis(raw.timeout_ms);
                let password = password.unwrap_or_default();
                QueuesConfig::RouterOs(Access { address, user, password, certificate, timeout })
            }
            "sqm" => {
                let section = raw.sqm_section.unwrap_or_default();
                match SectionName::parse(&section) {
                    Some(section) => QueuesConfig::Sqm { section },
                    None => {
                        let text =
                            format!("{section:?} is no section; expected its name in /etc/config/sqm, of a-z 0-9 _");
                        self.say(format!("{at}.sqm_section"), text);
                        // What else is wrong is told by what fits SQM.
                        QueuesConfig::Cake
                    }
                }
            }
            other => {
                let text =
                    format!("{other:?} is unknown; expected \"cake\", \"htb\", \"routeros\", \"sqm\" or \"none\"");
                self.say(format!("{at}.backend"), text);
                QueuesConfig::None
            }
        }
    }

    fn secret(&mut self, at: &str, path: Option<&Path>) -> Option<String> {
        read_secret(path).map_err(|text| self.say(at, text)).ok()
    }

    fn choice<T: Copy>(&mut self, at: &str, given: Option<&str>, known: &[(&str, T)]) -> Option<T> {
        let found = given.and_then(|given| known.iter().find(|(name, _)| *name == given)).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<_> = known.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            self.say(at, format!("{:?} is unknown; expected {}", given.unwrap_or_default(), names.join(" or ")));
        }
        found
    }

    fn address(&mut self, at: &str, text: &str) {
        let port =
            text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).and_then(|(_, port)| port.parse::<u16>().ok());
        if port.is_none_or(|port| port == 0) {
            self.say(at, format!("{text:?} is no address; expected host:port"));
        }
    }
}
