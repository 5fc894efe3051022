//! The agent's config: TOML → raw → validated, with *all* problems at once. Floors, ceilings and
//! the allow-list live here, on the router's side, and never come from the collector.

use std::{
    collections::HashSet,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use takar_shared::{
    BitsPerSec, Direction, Name,
    birth::{Bound, Meter, Mode},
    id,
    queue::{ClassId, Shaper},
};

use crate::{
    queue::ShaperKey,
    snmp::{Auth, Credentials, Privacy, TargetConfig},
};

#[derive(Debug)]
pub struct Config {
    pub mode: Mode,
    pub state_dir: PathBuf,
    pub spool_dir: PathBuf,
    pub spool_max_bytes: usize,
    pub poll_every: Duration,
    pub polls_per_message: u16,
    pub devices: Vec<DeviceConfig>,
}

#[derive(Debug)]
pub struct DeviceConfig {
    pub name: Name,
    pub changes_per_hour: u16,
    pub snmp: Option<TargetConfig>,
    pub queues: QueuesConfig,
    pub bounds: Vec<Bound>,
}

#[derive(Debug)]
pub enum QueuesConfig {
    None,
    Htb,
    RouterOs { address: String, user: String, password: String, timeout: Duration },
}

impl DeviceConfig {
    pub fn shapers(&self) -> Vec<ShaperKey> {
        let key = |bound: &Bound| ShaperKey { shaper: bound.shaper.clone(), direction: bound.direction };
        self.bounds.iter().map(key).collect()
    }

    /// Interfaces first, then the queues' own counters, as the Birth lists them.
    pub fn meters(&self) -> Vec<Meter> {
        let interfaces = self.snmp.iter().flat_map(|snmp| snmp.interfaces.iter().cloned().map(Meter::Interface));
        let shapers =
            self.bounds.iter().map(|bound| Meter::Shaper { shaper: bound.shaper.clone(), direction: bound.direction });
        interfaces.chain(shapers).collect()
    }
}

/// One line: where, what, what was expected.
#[derive(Debug)]
pub struct Problem {
    pub at: String,
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.text)
    }
}

/// Reads and checks the config file and every secret file it names.
pub fn load(path: &Path) -> Result<Config, Vec<Problem>> {
    let here = |text: String| vec![Problem { at: path.display().to_string(), text }];
    let text = std::fs::read_to_string(path).map_err(|error| here(format!("cannot be read: {error}")))?;
    let raw: RawConfig = toml::from_str(&text).map_err(|error| {
        let line = error.span().map(|span| text.get(..span.start).unwrap_or_default().lines().count().max(1));
        let at = line.map_or_else(String::new, |line| format!("line {line}: "));
        here(format!("{at}{}", error.message().replace('\n', " ")))
    })?;
    let mut check = Check { problems: Vec::new() };
    let config = check.config(raw);
    if check.problems.is_empty() {
        Ok(config)
    } else {
        for problem in &mut check.problems {
            problem.at = format!("{}: {}", path.display(), problem.at);
        }
        Err(check.problems)
    }
}

/// A secret's file must be readable by its owner only; one line, without the line's end.
pub fn read_secret(path: &Path) -> Result<String, String> {
    use std::os::unix::fs::MetadataExt as _;
    let shown = path.display();
    let meta = std::fs::metadata(path).map_err(|error| format!("{shown} cannot be read: {error}"))?;
    if meta.mode() & 0o077 != 0 {
        return Err(format!("{shown} has mode {:04o}; expected 0600, since it holds a secret", meta.mode() & 0o7777));
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("{shown} cannot be read: {error}"))?;
    let secret = text.trim_end_matches(['\n', '\r']);
    if secret.is_empty() {
        return Err(format!("{shown} is empty; expected a secret on its first line"));
    }
    Ok(secret.to_owned())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    #[serde(default)]
    mode: Option<String>,
    state_dir: PathBuf,
    spool_dir: PathBuf,
    #[serde(default = "default_spool")]
    spool_max_bytes: u64,
    #[serde(default = "default_poll")]
    poll_every_ms: u64,
    #[serde(default = "default_polls")]
    polls_per_message: u16,
    #[serde(default)]
    device: Vec<RawDevice>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDevice {
    name: String,
    #[serde(default = "default_changes")]
    changes_per_hour: u16,
    snmp: Option<RawSnmp>,
    queues: Option<RawQueues>,
    #[serde(default)]
    shaper: Vec<RawShaper>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSnmp {
    address: String,
    #[serde(default = "default_version")]
    version: String,
    community_file: Option<PathBuf>,
    user: Option<String>,
    auth: Option<String>,
    auth_password_file: Option<PathBuf>,
    privacy: Option<String>,
    privacy_password_file: Option<PathBuf>,
    #[serde(default = "default_timeout")]
    timeout_ms: u64,
    #[serde(default = "default_retries")]
    retries: u8,
    interfaces: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawQueues {
    backend: String,
    address: Option<String>,
    user: Option<String>,
    password_file: Option<PathBuf>,
    #[serde(default = "default_timeout")]
    timeout_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawShaper {
    queue: Option<String>,
    class: Option<String>,
    interface: Option<String>,
    direction: Direction,
    floor_bps: u64,
    ceiling_bps: u64,
}

fn default_spool() -> u64 {
    4 * 1024 * 1024
}
fn default_poll() -> u64 {
    5_000
}
fn default_polls() -> u16 {
    3
}
fn default_changes() -> u16 {
    12
}
fn default_version() -> String {
    "2c".into()
}
fn default_timeout() -> u64 {
    1_000
}
fn default_retries() -> u8 {
    2
}

struct Check {
    problems: Vec<Problem>,
}

impl Check {
    fn say(&mut self, at: impl Into<String>, text: impl Into<String>) {
        self.problems.push(Problem { at: at.into(), text: text.into() });
    }

    fn config(&mut self, raw: RawConfig) -> Config {
        let mode = match raw.mode.as_deref() {
            None | Some("observe") => Mode::Observe,
            Some("live") => Mode::Live,
            Some(other) => {
                self.say("mode", format!("\"{other}\" is unknown; expected \"observe\" or \"live\""));
                Mode::Observe
            }
        };
        for (key, dir) in [("state_dir", &raw.state_dir), ("spool_dir", &raw.spool_dir)] {
            if !dir.is_absolute() {
                self.say(key, format!("\"{}\" is relative; expected an absolute path", dir.display()));
            }
        }
        self.range("spool_max_bytes", raw.spool_max_bytes, 128 * 1024, 1 << 30);
        self.range("poll_every_ms", raw.poll_every_ms, 200, 3_600_000);
        self.range("polls_per_message", raw.polls_per_message.into(), 1, 100);
        if raw.device.is_empty() {
            self.say("device", "no device; expected at least one [[device]] table");
        }
        let mut names = HashSet::new();
        let devices: Vec<_> =
            raw.device.into_iter().enumerate().map(|(at, device)| self.device(at, device, &mut names)).collect();
        if devices.len() > 64 || devices.iter().map(|device| device.meters().len()).sum::<usize>() > 256 {
            self.say("device", "too many; expected at most 64 devices and 256 meters an agent");
        }
        Config {
            mode,
            state_dir: raw.state_dir,
            spool_dir: raw.spool_dir,
            spool_max_bytes: usize::try_from(raw.spool_max_bytes).unwrap_or(usize::MAX),
            poll_every: Duration::from_millis(raw.poll_every_ms),
            polls_per_message: raw.polls_per_message,
            devices,
        }
    }

    fn device(&mut self, at: usize, raw: RawDevice, names: &mut HashSet<String>) -> DeviceConfig {
        let at = format!("device[{at}]");
        let name = self.name(&format!("{at}.name"), &raw.name);
        if !names.insert(raw.name.clone()) {
            self.say(format!("{at}.name"), format!("\"{}\" is there twice; expected a name of its own", raw.name));
        }
        self.range(&format!("{at}.changes_per_hour"), raw.changes_per_hour.into(), 1, 240);
        let snmp = raw.snmp.and_then(|snmp| self.snmp(&format!("{at}.snmp"), snmp));
        let queues = match raw.queues {
            Some(queues) => self.queues(&format!("{at}.queues"), queues),
            None => QueuesConfig::None,
        };
        if matches!(queues, QueuesConfig::None) && !raw.shaper.is_empty() {
            self.say(
                format!("{at}.shaper"),
                "there are shapers but no [device.queues]; expected a backend that reads them",
            );
        }
        if snmp.is_none() && matches!(queues, QueuesConfig::None) {
            self.say(&at, "nothing to read; expected [device.snmp], [device.queues] or both");
        }
        let mut bounds: Vec<Bound> = Vec::new();
        for (row, shaper) in raw.shaper.into_iter().enumerate() {
            let at = format!("{at}.shaper[{row}]");
            if let Some(bound) = self.bound(&at, shaper, &queues) {
                if bounds.iter().any(|other| other.shaper == bound.shaper && other.direction == bound.direction) {
                    self.say(&at, format!("{} {} is there twice", bound.shaper, bound.direction));
                }
                bounds.push(bound);
            }
        }
        DeviceConfig { name, changes_per_hour: raw.changes_per_hour, snmp, queues, bounds }
    }

    fn snmp(&mut self, at: &str, raw: RawSnmp) -> Option<TargetConfig> {
        self.range(&format!("{at}.timeout_ms"), raw.timeout_ms, 50, 60_000);
        self.range(&format!("{at}.retries"), raw.retries.into(), 0, 10);
        self.address(&format!("{at}.address"), &raw.address);
        if raw.interfaces.is_empty() {
            self.say(format!("{at}.interfaces"), "empty; expected at least one ifName");
        }
        let interfaces: Vec<Name> = raw
            .interfaces
            .iter()
            .enumerate()
            .map(|(row, text)| self.name(&format!("{at}.interfaces[{row}]"), text))
            .collect();
        let credentials = match raw.version.as_str() {
            "2c" => Credentials::V2c {
                community: self.secret(&format!("{at}.community_file"), raw.community_file.as_deref())?,
            },
            "3" => {
                let user = raw.user.clone().unwrap_or_default();
                if user.is_empty() {
                    self.say(format!("{at}.user"), "missing; expected the SNMPv3 user");
                }
                let auth = self.choice(&format!("{at}.auth"), raw.auth.as_deref(), &Auth::NAMES);
                let privacy = self.choice(&format!("{at}.privacy"), raw.privacy.as_deref(), &Privacy::NAMES);
                let auth_password = self.secret(&format!("{at}.auth_password_file"), raw.auth_password_file.as_deref());
                let privacy_password =
                    self.secret(&format!("{at}.privacy_password_file"), raw.privacy_password_file.as_deref());
                Credentials::V3 {
                    user,
                    auth: auth?,
                    auth_password: auth_password?,
                    privacy: privacy?,
                    privacy_password: privacy_password?,
                }
            }
            other => {
                self.say(format!("{at}.version"), format!("\"{other}\" is unknown; expected \"2c\" or \"3\""));
                return None;
            }
        };
        let timeout = Duration::from_millis(raw.timeout_ms);
        Some(TargetConfig { address: raw.address, credentials, timeout, retries: raw.retries, interfaces })
    }

    fn queues(&mut self, at: &str, raw: RawQueues) -> QueuesConfig {
        match raw.backend.as_str() {
            "none" => QueuesConfig::None,
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
                let timeout = Duration::from_millis(raw.timeout_ms);
                QueuesConfig::RouterOs { address, user, password: password.unwrap_or_default(), timeout }
            }
            other => {
                let text = format!("\"{other}\" is unknown; expected \"htb\", \"routeros\" or \"none\"");
                self.say(format!("{at}.backend"), text);
                QueuesConfig::None
            }
        }
    }

    fn bound(&mut self, at: &str, raw: RawShaper, queues: &QueuesConfig) -> Option<Bound> {
        let shaper = match (raw.queue, raw.class, raw.interface) {
            (Some(queue), None, None) => Shaper::Queue(self.name(&format!("{at}.queue"), &queue)),
            (None, Some(class), Some(interface)) => {
                let Some(classid) = ClassId::parse(&class) else {
                    self.say(
                        format!("{at}.class"),
                        format!("\"{class}\" is no tc class; expected hexadecimal such as \"1:10\""),
                    );
                    return None;
                };
                Shaper::Class { interface: self.name(&format!("{at}.interface"), &interface), classid }
            }
            _ => {
                self.say(at, "expected either queue = \"…\" or class = \"1:10\" with interface = \"…\"");
                return None;
            }
        };
        let fits = match queues {
            QueuesConfig::RouterOs { .. } => matches!(shaper, Shaper::Queue(_)),
            QueuesConfig::Htb => matches!(shaper, Shaper::Class { .. }),
            QueuesConfig::None => true,
        };
        if !fits {
            self.say(at, format!("a {shaper} does not fit the device's backend"));
        }
        if raw.floor_bps > raw.ceiling_bps || raw.ceiling_bps == 0 {
            let text = format!(
                "floor {} and ceiling {}; expected 0 ≤ floor ≤ ceiling and a ceiling above 0",
                raw.floor_bps, raw.ceiling_bps
            );
            self.say(format!("{at}.floor_bps"), text);
        }
        let (floor, ceiling) = (BitsPerSec(raw.floor_bps), BitsPerSec(raw.ceiling_bps));
        Some(Bound { shaper, direction: raw.direction, floor, ceiling })
    }

    fn name(&mut self, at: &str, text: &str) -> Name {
        match id::name(text) {
            Some(name) if !name.is_empty() => name,
            Some(empty) => {
                self.say(at, "empty; expected a name");
                empty
            }
            None => {
                self.say(at, format!("\"{text}\" is longer than 64 bytes"));
                Name::new()
            }
        }
    }

    fn secret(&mut self, at: &str, path: Option<&Path>) -> Option<String> {
        let read = path
            .ok_or_else(|| "missing; expected the path of a 0600 file with the secret".to_owned())
            .and_then(read_secret);
        read.map_err(|text| self.say(at, text)).ok()
    }

    fn choice<T: Copy>(&mut self, at: &str, given: Option<&str>, known: &[(&str, T)]) -> Option<T> {
        let found = given.and_then(|given| known.iter().find(|(name, _)| *name == given)).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<_> = known.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            self.say(at, format!("\"{}\" is unknown; expected {}", given.unwrap_or_default(), names.join(" or ")));
        }
        found
    }

    fn address(&mut self, at: &str, text: &str) {
        let port =
            text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).and_then(|(_, port)| port.parse::<u16>().ok());
        if port.is_none_or(|port| port == 0) {
            self.say(at, format!("\"{text}\" is no address; expected host:port"));
        }
    }

    fn range(&mut self, at: &str, value: u64, low: u64, high: u64) {
        if !(low..=high).contains(&value) {
            self.say(at, format!("{value} is out of range; expected {low} to {high}"));
        }
    }
}
