//! Where people reach Takar by browser; absent: only the socket is there.

use std::path::PathBuf;

use serde::Deserialize;

use super::{Endpoint, check::Check};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Web {
    pub listen: Endpoint,
    /// As people and mails write it: `https://takar.example:8443`, without a slash at the end.
    pub url: String,
    /// PEM files; `None`: a certificate of Takar's own CA for the host in `url`.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

impl Web {
    /// The host that a certificate has to name.
    pub fn host(&self) -> &str {
        let rest = self.url.strip_prefix("https://").unwrap_or(&self.url);
        match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address,
            None => rest.split_once(':').map_or(rest, |(host, _)| host),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWeb {
    listen: String,
    url: String,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

pub(super) fn web(raw: RawWeb, check: &mut Check) -> Option<Web> {
    let listen = check.endpoint("web.listen", raw.listen.parse());
    let url = raw.url.trim_end_matches('/').to_owned();
    let host = url.strip_prefix("https://").filter(|host| !host.is_empty() && !host.contains(['/', '@', ' ']));
    if host.is_none() {
        check.say("web.url", "expected https://HOST or https://HOST:PORT, without a path");
    }
    let certificate = match (raw.certificate, raw.key) {
        (Some(certificate), Some(key)) => {
            check.absolute("web.certificate", &certificate);
            check.absolute("web.key", &key);
            Some((certificate, key))
        }
        (None, None) => None,
        _ => {
            check.say("web.certificate", "expected both certificate and key, or neither");
            None
        }
    };
    listen.filter(|_| host.is_some()).map(|listen| Web { listen, url, certificate })
}
