//! People before the page: a browser that keeps its cookies, and who the socket says that we are.

// A laboratory that cannot be set up is a failed test, said on the spot.
#![allow(clippy::unwrap_used)]

use std::{cell::RefCell, collections::HashMap, process::Command, sync::Arc, time::Duration};

/// Keeps its cookies; follows nothing by itself.
pub struct Browser {
    agent: ureq::Agent,
    site: String,
    cookies: RefCell<HashMap<String, String>>,
}

impl Browser {
    /// Before the page at `site`, a URL.
    pub fn new(site: &str) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        // Its certificate is of the network's own CA, which no browser knows.
        let tls = ureq::tls::TlsConfig::builder()
            .disable_verification(true)
            .unversioned_rustls_crypto_provider(provider)
            .build();
        let config = ureq::config::Config::builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(Duration::from_secs(20)))
            .build();
        Self { agent: ureq::Agent::new_with_config(config), site: site.into(), cookies: RefCell::default() }
    }

    pub fn get(&self, path: &str) -> (u16, String) {
        let request = self.agent.get(format!("{}{path}", self.site)).header("Cookie", self.cookie());
        self.took(request.call().unwrap())
    }

    /// By a link on another site, a webmail's say: browsers keep strict cookies back. Where it is sent on to.
    pub fn get_from_elsewhere(&self, path: &str) -> Option<String> {
        let request = self.agent.get(format!("{}{path}", self.site)).header("Sec-Fetch-Site", "cross-site");
        let refresh = request.call().unwrap().headers().get("refresh")?.to_str().unwrap().to_owned();
        refresh.strip_prefix("0;url=").map(str::to_owned)
    }

    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
        let request = self.agent.post(format!("{}{path}", self.site)).header("Cookie", self.cookie());
        self.took(request.send_form(fields.iter().copied()).unwrap())
    }

    pub fn log_in(&self, name: &str, password: &str) -> (u16, String) {
        self.post("/login", &[("name", name), ("password", password), ("next", "/")])
    }

    fn cookie(&self) -> String {
        let cookies = self.cookies.borrow();
        cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn took(&self, mut answer: ureq::http::Response<ureq::Body>) -> (u16, String) {
        for value in answer.headers().get_all("set-cookie") {
            let pair = value.to_str().unwrap().split(';').next().unwrap().to_owned();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.borrow_mut().insert(name.into(), value.into());
        }
        let status = answer.status().as_u16();
        let body = answer.body_mut().read_to_string().unwrap_or_default();
        (status, body)
    }
}

/// Who this process is, as the socket will see it.
pub fn me() -> String {
    let name = Command::new("id").arg("-un").output().unwrap().stdout;
    String::from_utf8(name).unwrap().trim().to_owned()
}

/// The token that a page's forms carry.
pub fn token_in(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}
