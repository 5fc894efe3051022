//! `takar init`: a network's keys, certificates, keyset, config and, where wanted, the broker's config; and how agents
//! are let in. It never overwrites anything, and on an error it leaves nothing of what it wrote.

mod enrolment;
mod mosquitto;
#[cfg(test)]
mod tests;

use std::{
    collections::HashSet,
    fmt,
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt as _,
    path::{Component, Path, PathBuf},
};

use anyhow::{Context as _, anyhow, bail};
use takar_shared::{
    NetworkId,
    keyset::{Keyset, Root},
    signing,
};

use crate::{
    clock,
    config::{self, BrokerKind, Endpoint},
    keys::{self, Ca, Network, file, user},
};

pub use enrolment::{bundle_for, check_request};

/// Secret, or of no use to others.
const PRIVATE: u32 = 0o600;
/// The config holds no secret, and people look into it.
const PUBLIC: u32 = 0o644;

/// What was made; as text, what to do next.
#[derive(Debug)]
pub struct InitReport {
    pub network: NetworkId,
    pub root_key: PathBuf,
    pub config: PathBuf,
    /// Of the Mosquitto that the config expects, if it does.
    pub mosquitto: Option<PathBuf>,
    pub written: Vec<PathBuf>,
}

impl fmt::Display for InitReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "network {} made: {} files written", self.network, self.written.len())?;
        writeln!(f, "root key: {}", self.root_key.display())?;
        writeln!(f, "  Take it offline now: it says which keys agents obey, and takar serve never needs it.")?;
        writeln!(f, "config: {}", self.config.display())?;
        match &self.mosquitto {
            Some(conf) => writeln!(f, "next: mosquitto -c {}, then takar serve", conf.display()),
            None => writeln!(f, "next: takar serve. The embedded broker serves agents on this machine only."),
        }
    }
}

/// Makes a network. `dir` is the state folder; `broker_name` is what agents connect to and the broker's certificate
/// names, a host or host:port; `address` is where the collector connects to (host:port).
///
/// Errors: a file that is there already (all of them are named), a root key inside the state folder, a broker that the
/// config would refuse, a folder that cannot be written.
pub fn init(
    dir: &Path,
    config_path: &Path,
    root_out: &Path,
    broker: BrokerKind,
    broker_name: &str,
    address: &str,
) -> anyhow::Result<InitReport> {
    let state = std::path::absolute(dir).with_context(|| format!("state folder {}", dir.display()))?;
    if resolved(root_out)?.starts_with(resolved(&state)?) {
        let (root, state) = (root_out.display(), state.display());
        bail!("the root key {root} would lie in the state folder {state}; expected a place that can be taken offline");
    }
    let address: Endpoint = address.parse().context("address of the broker")?;
    let name = Endpoint::with_port(broker_name, address.port).context("name of the broker")?;
    let state_text = plain(&state)?;
    let config = config::default_text(state_text, broker, &address, &name);
    config::parse(&config).map_err(|problems| {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        anyhow!("the config would not do: {}", problems.join("; "))
    })?;

    let mut files = Files { state: &state, all: Vec::new() };
    let network = files.add_network(root_out)?;
    files.add_certificates(network, &name, &address)?;
    if broker == BrokerKind::Mosquitto {
        let account = mosquitto::account();
        let conf = mosquitto::conf(state_text, &name, &address, account.as_deref());
        files.add(mosquitto::CONF, conf);
        files.add(mosquitto::ACL, mosquitto::acl());
    }
    files.all.push(NewFile { path: config_path.to_owned(), bytes: config.into_bytes(), mode: PUBLIC });
    refuse_what_is_there(&files.all)?;

    let mut folders = vec![(state.clone(), 0o700), (state.join("tls"), 0o700)];
    if broker == BrokerKind::Mosquitto {
        folders.push((state.join(mosquitto::DATA), 0o700));
    }
    // Of the account's umask, as others' folders.
    folders.extend(config_path.parent().map(|parent| (parent.to_owned(), 0o777)));
    let mut made = Made::default();
    let written =
        folders.iter().try_for_each(|(path, mode)| made.make(path, *mode)).and_then(|()| write_all(&files.all));
    if let Err(error) = written {
        made.undo();
        return Err(error);
    }
    Ok(InitReport {
        network,
        root_key: root_out.to_owned(),
        config: config_path.to_owned(),
        mosquitto: (broker == BrokerKind::Mosquitto).then(|| state.join(mosquitto::CONF)),
        written: files.all.into_iter().map(|file| file.path).collect(),
    })
}

struct NewFile {
    path: PathBuf,
    bytes: Vec<u8>,
    mode: u32,
}

/// What is to be written, before any of it is.
struct Files<'a> {
    state: &'a Path,
    all: Vec<NewFile>,
}

impl Files<'_> {
    fn add(&mut self, name: &str, bytes: impl Into<Vec<u8>>) {
        self.all.push(NewFile { path: self.state.join(name), bytes: bytes.into(), mode: PRIVATE });
    }

    /// Root, command and grant keys, and the first keyset.
    fn add_network(&mut self, root_out: &Path) -> anyhow::Result<NetworkId> {
        let (root_key, root_text) = keys::draw()?;
        let (command, command_text) = keys::draw()?;
        let (grant, grant_text) = keys::draw()?;
        let id = NetworkId(clock::random().context("cannot draw the network's id")?);
        let root = Root { keys: vec![root_key.verifying_key().to_bytes()], threshold: 1 };
        let keyset = Keyset {
            version: 1,
            command_keys: vec![command.verifying_key().to_bytes()],
            grant_keys: vec![grant.verifying_key().to_bytes()],
            next_ca: None,
            root: root.clone(),
        };
        let signed = signing::seal_keyset(&keyset, id, &[&root_key]).context("the keyset is larger than it may be")?;
        self.all.push(NewFile { path: root_out.to_owned(), bytes: root_text, mode: PRIVATE });
        self.add(file::COMMAND_KEY, command_text);
        self.add(file::GRANT_KEY, grant_text);
        self.add(file::KEYSET, signed);
        self.add(file::NETWORK, Network { id, root }.to_json()?);
        Ok(id)
    }

    fn add_certificates(&mut self, network: NetworkId, name: &Endpoint, address: &Endpoint) -> anyhow::Result<()> {
        let now = clock::now();
        let (ca, issued) = Ca::make(network, now)?;
        self.add(file::CA_KEY, issued.key);
        self.add(file::CA, issued.certificate);
        let server = ca.server(server_names(name, address), now)?;
        self.add(file::SERVER_KEY, server.key);
        self.add(file::SERVER, server.certificate);
        let users = [
            (user::COLLECTOR, file::COLLECTOR_KEY, file::COLLECTOR),
            (user::MONITOR, file::MONITOR_KEY, file::MONITOR),
        ];
        for (name, key, certificate) in users {
            let issued = ca.user(name, now)?;
            self.add(key, issued.key);
            self.add(certificate, issued.certificate);
        }
        Ok(())
    }
}

/// What agents connect to first; then what the collector connects to; this machine's names where either is one.
fn server_names(name: &Endpoint, address: &Endpoint) -> Vec<String> {
    let mut names = vec![name.host.clone(), address.host.clone()];
    if name.is_loopback() || address.is_loopback() {
        names.extend(["localhost", "127.0.0.1", "::1"].map(String::from));
    }
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

fn refuse_what_is_there(files: &[NewFile]) -> anyhow::Result<()> {
    // A link that leads nowhere is something too.
    let there = files.iter().filter(|file| fs::symlink_metadata(&file.path).is_ok());
    let there: Vec<_> = there.map(|file| file.path.display().to_string()).collect();
    if !there.is_empty() {
        bail!("nothing is overwritten, and there is already {}", there.join(", "));
    }
    Ok(())
}

/// The folders that were not there before.
#[derive(Default)]
struct Made(Vec<PathBuf>);

impl Made {
    /// With all that are missing above it.
    fn make(&mut self, path: &Path, mode: u32) -> anyhow::Result<()> {
        // The parent of a name alone: where we are.
        if path.as_os_str().is_empty() {
            return Ok(());
        }
        let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.is_dir()).collect();
        for folder in missing.into_iter().rev().filter(|folder| !folder.as_os_str().is_empty()) {
            match DirBuilder::new().mode(mode).create(folder) {
                Ok(()) => self.0.push(folder.to_owned()),
                // Such as `x/..`, which came with x.
                Err(_) if folder.is_dir() => {}
                Err(error) => return Err(error).with_context(|| format!("cannot make the folder {}", path.display())),
            }
        }
        Ok(())
    }

    /// As far as they are empty, so that nothing that came from elsewhere goes with them.
    fn undo(self) {
        for folder in self.0.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

fn write_all(files: &[NewFile]) -> anyhow::Result<()> {
    for (done, file) in files.iter().enumerate() {
        if let Err(error) = keys::write_new(&file.path, &file.bytes, file.mode) {
            // What was written before is of no use without the rest, and would be in the way of the next try.
            for written in files.iter().take(done) {
                let _ = fs::remove_file(&written.path);
            }
            return Err(error);
        }
    }
    Ok(())
}

/// A path that fits into a line of a config.
fn plain(path: &Path) -> anyhow::Result<&str> {
    let text = path.to_str().filter(|text| !text.chars().any(char::is_control));
    text.with_context(|| {
        format!("state folder {}: expected a path in UTF-8 without control characters", path.display())
    })
}

/// Where a path leads: links followed as far as it exists, dots done away with in the rest.
fn resolved(path: &Path) -> anyhow::Result<PathBuf> {
    let absolute = std::path::absolute(path).with_context(|| path.display().to_string())?;
    let mut found = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::ParentDir => {
                found.pop();
            }
            part => {
                found.push(part);
                found = fs::canonicalize(&found).unwrap_or(found);
            }
        }
    }
    Ok(found)
}
