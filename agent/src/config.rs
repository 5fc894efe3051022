//! The agent's config: TOML → raw → validated, with *all* problems at once. Floors, ceilings and
//! the allow-list live here, on the router's side, and never come from the collector.

mod check;
mod raw;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use takar_shared::{
    Name,
    birth::{Bound, Meter, Mode},
};

use crate::{
    queue::{
        ShaperKey,
        routeros::{Access, Certificate},
        sqm::uci::SectionName,
    },
    snmp::TargetConfig,
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
    /// Interfaces of this machine, counted by its kernel instead of by SNMP.
    pub kernel: Option<Vec<Name>>,
    pub queues: QueuesConfig,
    pub bounds: Vec<Bound>,
    /// Of the RouterOS queues among the bounds those in `/queue/tree`.
    pub trees: BTreeSet<Name>,
}

/// How a device's queues are reached.
#[derive(Debug)]
pub enum QueuesConfig {
    None,
    Cake,
    Htb,
    RouterOs(Access),
    Sqm { section: SectionName },
}

impl QueuesConfig {
    /// Is what was set lost at a reboot, so that the agent sets what was confirmed once more when it starts?
    pub fn forgets(&self) -> bool {
        matches!(self, Self::Cake | Self::Htb | Self::Sqm { .. })
    }
}

impl DeviceConfig {
    pub fn shapers(&self) -> Vec<ShaperKey> {
        let key = |bound: &Bound| ShaperKey { shaper: bound.shaper.clone(), direction: bound.direction };
        self.bounds.iter().map(key).collect()
    }

    /// Those that are counted.
    pub fn interfaces(&self) -> &[Name] {
        match (&self.snmp, &self.kernel) {
            (Some(snmp), _) => &snmp.interfaces,
            (None, Some(interfaces)) => interfaces,
            (None, None) => &[],
        }
    }

    /// Interfaces first, then the queues' own counters, as the Birth lists them.
    pub fn meters(&self) -> Vec<Meter> {
        let interfaces = self.interfaces().iter().cloned().map(Meter::Interface);
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

/// Gives every secret that the config names the mode 0600, and says so of each that had another. A config that does not
/// read is left to [`load`].
pub fn protect(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let Ok(raw) = toml::from_str::<raw::RawConfig>(&text) else { return Ok(()) };
    for secret in raw.device.iter().flat_map(raw::RawDevice::secrets) {
        let shown = secret.display();
        // One that is not there is told by what loads it.
        let Ok(meta) = std::fs::metadata(secret) else { continue };
        let mut permissions = meta.permissions();
        if permissions.mode() & 0o7777 != 0o600 {
            permissions.set_mode(0o600);
            std::fs::set_permissions(secret, permissions).with_context(|| format!("{shown}: its mode"))?;
            println!("{shown}: now of mode 0600");
        }
    }
    Ok(())
}

/// A secret's file must be named, and readable by its owner only; one line, without the line's end.
pub fn read_secret(path: Option<&Path>) -> Result<String, String> {
    use std::os::unix::fs::MetadataExt as _;
    let path = path.ok_or("missing; expected the path of a 0600 file with the secret")?;
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
    if secret.contains(['\n', '\r']) {
        return Err(format!("{shown} has more lines than one; expected one line, the secret"));
    }
    Ok(secret.to_owned())
}

/// A router's certificate in PEM, the only one that is trusted there. It is no secret.
pub fn read_certificate(path: &Path) -> Result<Certificate, String> {
    let shown = path.display();
    let text = std::fs::read(path).map_err(|error| format!("{shown} cannot be read: {error}"))?;
    let mut found = CertificateDer::pem_slice_iter(&text);
    match (found.next(), found.next()) {
        (Some(Ok(certificate)), None) => Ok(Certificate(certificate)),
        _ => Err(format!("{shown} is not one certificate; expected the router's own, X.509 in PEM")),
    }
}
