//! The arguments of a probe. Passwords come from 0600 files; a v2c community may be given outright, for `public` is
//! what most devices are found with.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use crate::{
    config::{read_certificate, read_secret},
    queue::routeros::Access,
    snmp::{Auth, Credentials, Privacy, TargetConfig},
};

const SNMP_PORT: u16 = 161;
const API_PORT: u16 = 8728;
const API_SSL_PORT: u16 = 8729;

#[derive(Args)]
pub struct Probe {
    /// The device's SNMP service; port 161 unless given.
    #[arg(long, value_name = "HOST[:PORT]", required_unless_present = "api")]
    target: Option<String>,
    /// SNMPv2c community; public unless given. On a machine that others use, prefer --community-file.
    #[arg(long, conflicts_with_all = ["community_file", "v3"])]
    community: Option<String>,
    #[arg(long, value_name = "FILE", conflicts_with = "v3")]
    community_file: Option<PathBuf>,
    /// SNMPv3, as this user.
    #[arg(long, value_name = "USER")]
    v3: Option<String>,
    /// md5, sha1, sha224, sha256, sha384 or sha512.
    #[arg(long, default_value = "sha256", requires = "v3")]
    auth: String,
    #[arg(long, value_name = "FILE", requires = "v3")]
    auth_password_file: Option<PathBuf>,
    /// none, des, aes128, aes192 or aes256.
    #[arg(long, default_value = "aes128", requires = "v3")]
    privacy: String,
    #[arg(long, value_name = "FILE", requires = "v3")]
    privacy_password_file: Option<PathBuf>,
    /// The RouterOS API; port 8728, or 8729 with --api-certificate, unless given.
    #[arg(long, value_name = "HOST[:PORT]")]
    api: Option<String>,
    #[arg(long, value_name = "NAME", default_value = "takar", requires = "api")]
    api_user: String,
    #[arg(long, value_name = "FILE", requires = "api")]
    api_password_file: Option<PathBuf>,
    /// Ask by API-SSL and trust only this certificate, the router's own in PEM.
    #[arg(long, value_name = "FILE", requires = "api")]
    api_certificate: Option<PathBuf>,
    /// How long the first try of a request waits.
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(50..=60_000))]
    timeout_ms: u64,
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(0..=10))]
    retries: u8,
    #[arg(long)]
    pub(super) json: bool,
}

/// What to ask, and as whom.
pub(super) struct Checked {
    pub(super) target: Option<TargetConfig>,
    pub(super) api: Option<Access>,
}

impl Probe {
    /// Reads the files too. All problems at once.
    pub(super) fn check(self) -> Result<Checked, Vec<String>> {
        let mut problems = Vec::new();
        let mut tell = |problem: String| problems.push(problem);
        let timeout = Duration::from_millis(self.timeout_ms);
        let credentials = match (&self.v3, &self.community_file) {
            (Some(user), _) => {
                let auth = choice("--auth", &self.auth, &Auth::NAMES, &mut tell);
                let privacy = choice("--privacy", &self.privacy, &Privacy::NAMES, &mut tell);
                let auth_password = secret("--auth-password-file", self.auth_password_file, &mut tell);
                let privacy_password = match privacy {
                    Some(Privacy::None) => Some(String::new()),
                    _ => secret("--privacy-password-file", self.privacy_password_file, &mut tell),
                };
                match (auth, privacy, auth_password, privacy_password) {
                    (Some(auth), Some(privacy), Some(auth_password), Some(privacy_password)) => {
                        Some(Credentials::V3 { user: user.clone(), auth, auth_password, privacy, privacy_password })
                    }
                    _ => None,
                }
            }
            (None, Some(file)) => secret("--community-file", Some(file.clone()), &mut tell)
                .map(|community| Credentials::V2c { community }),
            (None, None) => Some(Credentials::V2c { community: self.community.unwrap_or_else(|| "public".into()) }),
        };
        let target = self.target.map(|text| (address("--target", &text, SNMP_PORT, &mut tell), credentials));
        let target = target.and_then(|(address, credentials)| {
            let (address, credentials) = (address?, credentials?);
            Some(TargetConfig { address, credentials, timeout, retries: self.retries, interfaces: Vec::new() })
        });
        let api = self.api.and_then(|text| {
            let certificate = self.api_certificate.map(|path| {
                read_certificate(&path).map_err(|problem| tell(format!("--api-certificate: {problem}"))).ok()
            });
            let port = if certificate.is_some() { API_SSL_PORT } else { API_PORT };
            let address = address("--api", &text, port, &mut tell);
            let password = secret("--api-password-file", self.api_password_file, &mut tell);
            let certificate = match certificate {
                Some(read) => Some(read?),
                None => None,
            };
            Some(Access { address: address?, user: self.api_user, password: password?, certificate, timeout })
        });
        if problems.is_empty() { Ok(Checked { target, api }) } else { Err(problems) }
    }
}

fn secret(argument: &str, path: Option<PathBuf>, tell: &mut impl FnMut(String)) -> Option<String> {
    read_secret(path.as_deref()).map_err(|problem| tell(format!("{argument}: {problem}"))).ok()
}

fn choice<T: Copy>(argument: &str, given: &str, known: &[(&str, T)], tell: &mut impl FnMut(String)) -> Option<T> {
    let found = known.iter().find(|(name, _)| *name == given).map(|(_, value)| *value);
    if found.is_none() {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        tell(format!("{argument}: {given:?} is unknown; expected {}", names.join(" or ")));
    }
    found
}

/// With the port that is usual where none is given. An IPv6 address stands in brackets where a port follows.
fn address(argument: &str, text: &str, port: u16, tell: &mut impl FnMut(String)) -> Option<String> {
    let address = match text.parse::<std::net::Ipv6Addr>() {
        Ok(bare) => format!("[{bare}]:{port}"),
        Err(_) => match text.rsplit_once(':') {
            Some((host, digits)) if !host.is_empty() && digits.parse::<u16>().is_ok_and(|port| port != 0) => {
                text.into()
            }
            None if !text.is_empty() => format!("{text}:{port}"),
            _ => {
                tell(format!("{argument}: {text:?} is no address; expected host or host:port"));
                return None;
            }
        },
    };
    Some(address)
}
