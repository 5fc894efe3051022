//! The collector's config: TOML → raw → validated, with *all* problems at once.

mod check;
mod endpoint;
mod files;
mod papers;
mod procedure;
mod raw;
#[cfg(test)]
mod tests;
mod web;

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use takar_collector_core::{assess::AssessSettings, plan::PlanSettings, policy::Policy};

pub use endpoint::{BadEndpoint, Endpoint};
pub use files::check_files;
pub use papers::Papers;
pub use procedure::Procedure;
pub use web::Web;

/// What `takar init` writes: every key, with its default and what it means.
pub const DEFAULT: &str = include_str!("config/default.toml");

/// To a socket with a longer path nobody can connect (unix(7)).
pub const LONGEST_SOCKET: usize = 107;

#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Keys, certificates, database; absolute.
    pub state_dir: PathBuf,
    pub socket: PathBuf,
    /// With a group the socket is root:group 0660, else 0600.
    pub socket_group: Option<String>,
    pub broker: Broker,
    pub grant_valid_s: u32,
    pub readings: Readings,
    pub assess: AssessSettings,
    pub plan: PlanSettings,
    /// A link that changed is left alone so long.
    pub hold_down_ms: u64,
    pub policy: Policy,
    pub change: ChangeRules,
    pub procedure: Procedure,
    pub papers: Papers,
    pub web: Option<Web>,
    pub notice: Option<takar_notice::config::Settings>,
    /// The most that telemetry waits for its transaction.
    pub commit_every: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    pub kind: BrokerKind,
    /// Where the collector connects to, and where the embedded broker listens.
    pub address: Endpoint,
    /// What agents are told to connect to.
    pub name: Endpoint,
    pub tls: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokerKind {
    /// Inside this process, on loopback, without access control.
    Embedded,
    Mosquitto,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readings {
    pub length_ms: u64,
    pub keep: usize,
    /// Nothing is said about the time between two samples further apart.
    pub max_gap_ms: u64,
    /// How rarely agents' devices move their counters.
    pub counter_step_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeRules {
    pub confirm_within_s: u32,
    pub expires_in_s: u32,
    /// A drill: Confirm is never signed, so every change rolls back.
    pub withhold_confirm: bool,
}

impl Broker {
    /// As the bundle tells it to agents: `mqtts://host:port`.
    pub fn url(&self) -> String {
        let scheme = if self.tls { "mqtts" } else { "mqtt" };
        format!("{scheme}://{}", self.name)
    }

    /// Where the embedded broker listens; `None` where DNS would have to be asked.
    pub fn socket_address(&self) -> Option<SocketAddr> {
        self.address.socket_addr()
    }
}

/// `mosquitto at broker.example:8883, with TLS`
impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secured = if self.tls { "with TLS" } else { "without TLS" };
        write!(f, "{} at {}, {secured}", self.kind, self.address)
    }
}

impl BrokerKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Mosquitto => "mosquitto",
        }
    }
}

impl fmt::Display for BrokerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for BrokerKind {
    type Err = UnknownBroker;
    fn from_str(text: &str) -> Result<Self, UnknownBroker> {
        [Self::Embedded, Self::Mosquitto]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(UnknownBroker(text.into()))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is unknown; expected \"embedded\" or \"mosquitto\"")]
pub struct UnknownBroker(String);

/// One line: where, what, what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub at: String,
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.text)
    }
}

/// Reads and checks the config file.
pub fn load(path: &Path) -> Result<Config, Vec<Problem>> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| vec![Problem { at: shown.clone(), text: format!("cannot be read: {error}") }])?;
    parse(&text).map_err(|mut problems| {
        for problem in &mut problems {
            problem.at = format!("{shown}: {}", problem.at);
        }
        problems
    })
}

/// The config in `text`; problems are named by line where it does not read, else by key.
pub fn parse(text: &str) -> Result<Config, Vec<Problem>> {
    let raw: raw::RawConfig = toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        vec![Problem { at: format!("line {line}"), text: error.message().replace('\n', " ") }]
    })?;
    check::config(raw)
}

/// [`DEFAULT`] for these four values, which `takar init` knows.
pub fn default_text(state_dir: &str, kind: BrokerKind, address: &Endpoint, name: &Endpoint) -> String {
    let quoted = |text: String| toml::Value::String(text).to_string();
    let mut written = String::with_capacity(DEFAULT.len());
    for line in DEFAULT.lines() {
        let key = line.split_once(" = ").map_or("", |(key, _)| key);
        let value = match key {
            "state_dir" => quoted(state_dir.to_owned()),
            "kind" => quoted(kind.to_string()),
            "address" => quoted(address.to_string()),
            "name" => quoted(name.to_string()),
            "# tls" => (kind == BrokerKind::Mosquitto).to_string(),
            _ => {
                written.push_str(line);
                written.push('\n');
                continue;
            }
        };
        written.push_str(&format!("{key} = {value}\n"));
    }
    written
}
