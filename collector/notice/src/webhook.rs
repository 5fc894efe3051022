//! Webhooks: a batch as JSON, posted over https, signed so that the receiver knows whose it is and that it is new.
//!
//! `Takar-Signature: t=SECONDS,v1=HEX` with HEX = HMAC-SHA256(secret, SECONDS "." body). `Takar-Message` is the
//! message's own: one that comes twice is the same message.

use std::{
    fmt::Write as _,
    fs, io,
    io::Read as _,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;
use takar_shared::UnixMillis;
use tokio::task::spawn_blocking;
use ureq::{
    Agent, Error, Timeout,
    config::Config,
    http::Uri,
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
};

use crate::{
    lang::Zone,
    post::{CannotSend, Outcome, chain},
    queue::Batch,
    secret,
    words::{self, one_line},
};

/// Characters; less would be guessed.
const SHORTEST_SECRET: usize = 16;
/// Of an answer, for the record of a failure.
const MOST_READ: u64 = 1_024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    pub secret_file: PathBuf,
    /// PEM: the only authorities that may vouch for receivers. `None`: those of this machine.
    pub ca_file: Option<PathBuf>,
    pub timeout: Duration,
}

pub struct Poster {
    /// Everybody else: https only, by the proxy of the environment if there is one.
    outside: Agent,
    /// This machine.
    inside: Agent,
    secret: Arc<str>,
}

impl Poster {
    /// Reads the secret and the certificates.
    pub fn new(webhook: &Webhook) -> Result<Self, CannotSend> {
        let secret = secret::read(&webhook.secret_file, SHORTEST_SECRET)?.into();
        let roots: RootCerts = roots(webhook.ca_file.as_deref())?.into();
        let config = || {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let tls = TlsConfig::builder().root_certs(roots.clone()).unversioned_rustls_crypto_provider(provider);
            Config::builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .max_idle_connections(0)
                .timeout_global(Some(webhook.timeout))
                .user_agent("takar")
                .tls_config(tls.build())
        };
        let outside = Agent::new_with_config(config().https_only(true).build());
        let inside = Agent::new_with_config(config().proxy(None).build());
        Ok(Self { outside, inside, secret })
    }

    pub async fn send(&self, url: &str, batch: &Batch, zone: &Zone, now: UnixMillis) -> Outcome {
        let agent = match reach(url) {
            Ok(Reach::Inside) => self.inside.clone(),
            Ok(Reach::Outside) => self.outside.clone(),
            Err(why) => return Outcome::Permanent(why),
        };
        let body = body(batch, zone);
        let signature = signature(&self.secret, now, &body);
        let (url, key) = (url.to_owned(), batch.key.clone());
        let posted = spawn_blocking(move || post(&agent, &url, &key, &signature, &body)).await;
        posted.unwrap_or_else(|error| Outcome::Unclear(format!("posting broke off: {error}")))
    }
}

enum Reach {
    Inside,
    Outside,
}

/// In the clear only within this machine.
fn reach(url: &str) -> Result<Reach, String> {
    let expected = "expected a URL of https (http only to this machine)";
    let uri = url.parse::<Uri>().map_err(|_| format!("{}: {expected}", one_line(url)))?;
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match uri.scheme_str() {
        Some("http" | "https") if is_here => Ok(Reach::Inside),
        Some("https") if !host.is_empty() => Ok(Reach::Outside),
        _ => Err(format!("{}: {expected}", one_line(url))),
    }
}

/// Everything but other people's addresses, and files, which are fetched where the notice says.
fn body(batch: &Batch, zone: &Zone) -> String {
    let notices: Vec<serde_json::Value> = batch
        .notices
        .iter()
        .map(|notice| {
            let text = words::notice(notice, batch.lang(), zone);
            let files: Vec<&str> = notice.attachments.iter().map(|attachment| attachment.name.as_str()).collect();
            json!({
                "id": notice.id,
                "made_at": notice.made_at,
                "case": notice.case,
                "urgent": notice.urgent,
                "about": notice.topic.key(),
                "topic": notice.topic,
                "subject": text.subject,
                "text": text.body,
                "attachments": files,
            })
        })
        .collect();
    json!({"message": batch.key, "to": batch.to.account, "lang": batch.lang(), "notices": notices}).to_string()
}

fn signature(secret: &str, now: UnixMillis, body: &str) -> String {
    let seconds = now.0 / 1000;
    // HMAC takes a key of any length, so there is no error to speak of.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return format!("t={seconds}") };
    mac.update(format!("{seconds}.{body}").as_bytes());
    let mut text = format!("t={seconds},v1=");
    for byte in mac.finalize().into_bytes().iter() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn post(agent: &Agent, url: &str, key: &str, signature: &str, body: &str) -> Outcome {
    let answer = agent
        .post(url)
        .header("Content-Type", "application/json")
        .header("Takar-Message", key)
        .header("Takar-Signature", signature)
        .send(body);
    let mut answer = match answer {
        Ok(answer) => answer,
        Err(error) => return failed(&error),
    };
    let status = answer.status();
    let code = status.as_u16();
    if status.is_success() {
        return Outcome::Sent { reference: format!("HTTP {code}") };
    }
    let mut read = Vec::new();
    let _ = answer.body_mut().as_reader().take(MOST_READ).read_to_end(&mut read);
    let why = one_line(&format!("HTTP {code} {}", String::from_utf8_lossy(&read)));
    match code {
        // Too many, and not now: it was not looked at.
        429 | 503 => Outcome::Temporary(why),
        // Something behind it may have taken it.
        408 | 500..=599 => Outcome::Unclear(why),
        _ => Outcome::Permanent(why),
    }
}

fn failed(error: &Error) -> Outcome {
    let why = one_line(&chain(error));
    match error {
        Error::BadUri(_) | Error::RequireHttpsOnly(_) | Error::Http(_) => Outcome::Permanent(why),
        Error::HostNotFound
        | Error::ConnectionFailed
        | Error::ConnectProxyFailed(_)
        | Error::Tls(_)
        | Error::Timeout(Timeout::Resolve | Timeout::Connect) => Outcome::Temporary(why),
        Error::Io(error) if never_connected(error.kind()) => Outcome::Temporary(why),
        _ => Outcome::Unclear(why),
    }
}

fn never_connected(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
    matches!(kind, ConnectionRefused | HostUnreachable | NetworkUnreachable)
}

fn roots(ca_file: Option<&Path>) -> Result<Vec<Certificate<'static>>, CannotSend> {
    let Some(path) = ca_file else {
        let found = rustls_native_certs::load_native_certs().certs;
        return Ok(found.iter().map(|der| Certificate::from_der(der.as_ref()).to_owned()).collect());
    };
    let pem = fs::read(path).map_err(|source| CannotSend::Roots { path: path.to_owned(), source })?;
    let roots: Vec<Certificate<'static>> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if roots.is_empty() { Err(CannotSend::NoRoots { path: path.to_owned() }) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_the_clear_only_within_this_machine() {
        let is = |url: &str| match reach(url) {
            Ok(Reach::Inside) => "inside",
            Ok(Reach::Outside) => "outside",
            Err(_) => "no",
        };
        for url in ["http://127.0.0.1:8080/hook", "http://[::1]/", "http://localhost/x", "https://127.9.9.9/"] {
            assert_eq!(is(url), "inside", "{url}");
        }
        for url in ["https://isp.example/hook?a=b", "https://localhost.evil.example/"] {
            assert_eq!(is(url), "outside", "{url}");
        }
        for url in ["http://isp.example/", "http://127.0.0.1.evil.example/", "ftp://isp.example/", "", "isp", "/x"] {
            assert_eq!(is(url), "no", "{url}");
        }
    }

    #[test]
    fn signatures_are_what_the_documentation_says() {
        // printf '%s' '1795000000.{"a":1}' | openssl dgst -sha256 -hmac 'sixteen or more characters'
        let expected = "e24dae6d07299cf0a1a65b5a2a1eee5a6dbc854be2005d5866f31715fd6f9f8f";
        let signed = signature("sixteen or more characters", UnixMillis(1_795_000_000_999), "{\"a\":1}");
        assert_eq!(signed, format!("t=1795000000,v1={expected}"));
    }
}
