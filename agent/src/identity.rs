//! Who this agent is: its key, and the bundle it was enrolled with. Both in the state folder.

#[cfg(test)]
mod tests;

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use anyhow::{Context as _, bail};
use ed25519_dalek::SigningKey;
use takar_shared::{
    AgentId, NetworkId, UnixMillis,
    bundle::{self, Bundle},
    envelope::Route,
    id::{self, Quoted, unhex},
    keyset::{Keyset, Root},
    signing,
};

use crate::{clock, tls};

const KEY: &str = "agent.key";
const BUNDLE: &str = "bundle.json";

/// An enrolled agent.
pub struct Identity {
    pub key: SigningKey,
    pub route: Route,
    pub name: String,
    pub server_time: UnixMillis,
    pub keyset: Keyset,
    pub broker: Broker,
}

/// Where the broker is, and how to trust it.
pub struct Broker {
    pub host: String,
    pub port: u16,
    /// CA and own certificate (PEM); absent on loopback only.
    pub tls: Option<(String, String)>,
}

pub fn agent_id(key: &SigningKey) -> AgentId {
    AgentId::of_key(key.verifying_key().as_bytes())
}

/// The key in the state folder; drawn and written (0600) when there is none yet.
pub fn load_or_make_key(state_dir: &Path) -> anyhow::Result<SigningKey> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(state_dir)
        .with_context(|| format!("cannot make the state folder {}", state_dir.display()))?;
    let path = state_dir.join(KEY);
    if is_there(&path)? {
        return load_key(state_dir);
    }
    let seed = clock::random::<32>().context("cannot draw a key: no random source")?;
    let key = SigningKey::from_bytes(&seed);
    let text: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
    write_private(&path, text.as_bytes())?;
    Ok(key)
}

pub fn load_key(state_dir: &Path) -> anyhow::Result<SigningKey> {
    let path = state_dir.join(KEY);
    let text = crate::config::read_secret(Some(&path)).map_err(anyhow::Error::msg)?;
    // A Digest has the length and the hex form of a seed.
    let seed: takar_shared::Digest =
        text.parse().map_err(|error| anyhow::anyhow!("{}: {error} (an Ed25519 seed)", path.display()))?;
    Ok(SigningKey::from_bytes(&seed.0))
}

/// Checks a bundle wholly: made for this key, keyset signed by the root it pins, address and certificates usable.
pub fn check_bundle(key: SigningKey, bundle: &Bundle) -> anyhow::Result<Identity> {
    if bundle.takar_bundle != 1 {
        bail!("bundle is of version {}; expected 1", bundle.takar_bundle);
    }
    let agent = agent_id(&key);
    if bundle.agent != agent.to_string() {
        bail!("bundle was made for agent {}; this agent is {agent}", Quoted(&bundle.agent));
    }
    let name = id::plain_name(&bundle.name)
        .map_err(|error| anyhow::anyhow!("bundle's key \"name\": {} does not do; {error}", Quoted(&bundle.name)))?;
    let network: NetworkId = bundle.network.parse().context("bundle's key \"network\"")?;
    let keys = bundle.root_keys.iter().map(|key| key.parse::<takar_shared::Digest>().map(|bytes| bytes.0));
    let keys = keys.collect::<Result<Vec<_>, _>>().context("bundle's key \"root_keys\"")?;
    let root = root(keys, bundle.root_threshold)?;
    let bytes = unhex(&bundle.keyset).context("bundle's key \"keyset\": expected hexadecimal digits")?;
    let keyset = signing::open_keyset(&bytes, network, &root, 0).map_err(|error| anyhow::anyhow!("bundle: {error}"))?;
    let broker = broker(bundle)?;
    if let Some((ca, certificate)) = &broker.tls {
        tls::check(&key, ca, certificate, UnixMillis(bundle.server_time))?;
    }
    Ok(Identity {
        key,
        route: Route { network, agent },
        name: name.as_str().to_owned(),
        server_time: UnixMillis(bundle.server_time),
        keyset,
        broker,
    })
}

pub fn store_bundle(state_dir: &Path, bundle: &Bundle) -> anyhow::Result<()> {
    let text = serde_json::to_vec_pretty(bundle)?;
    let path = state_dir.join(BUNDLE);
    let fresh = state_dir.join("bundle.json.new");
    let _ = fs::remove_file(&fresh);
    write_private(&fresh, &text)?;
    fs::rename(&fresh, &path).with_context(|| format!("cannot write {}", path.display()))
}

/// The identity of an enrolled agent, or one line that says how to enrol.
pub fn load(state_dir: &Path) -> anyhow::Result<Identity> {
    let path = state_dir.join(BUNDLE);
    if !is_there(&path)? {
        bail!("not enrolled: {} is missing; run takar-agent enrol --request FILE, then --bundle FILE", path.display());
    }
    let bundle = read_bundle(&path)?;
    check_bundle(load_key(state_dir)?, &bundle).with_context(|| path.display().to_string())
}

/// The network this agent was enrolled in, if it was. A stored bundle that does not read is in nobody's way.
pub fn enrolled_in(state_dir: &Path) -> anyhow::Result<Option<NetworkId>> {
    let path = state_dir.join(BUNDLE);
    if !is_there(&path)? {
        return Ok(None);
    }
    let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(serde_json::from_slice::<Bundle>(&text).ok().and_then(|stored| bundle::network_of(&stored)))
}

pub fn read_bundle(path: &Path) -> anyhow::Result<Bundle> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is no bundle", path.display()))
}

/// Creates a file only its owner may read; refuses to overwrite.
pub fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).with_context(|| format!("cannot write {}", path.display()))
}

fn is_there(path: &Path) -> anyhow::Result<bool> {
    fs::exists(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Keys that need not sign, or that are too few to, are no root.
fn root(keys: Vec<[u8; 32]>, threshold: u8) -> anyhow::Result<Root> {
    if keys.is_empty() {
        bail!("bundle's key \"root_keys\" is empty; expected at least one root key");
    }
    if !(1..=keys.len()).contains(&usize::from(threshold)) {
        bail!("bundle's key \"root_threshold\": {threshold} is out of range; expected 1 to {}", keys.len());
    }
    Ok(Root { keys, threshold })
}

fn broker(bundle: &Bundle) -> anyhow::Result<Broker> {
    let expected = || format!("bundle's key \"broker\": {}; expected mqtts://host:port", Quoted(&bundle.broker));
    let (scheme, rest) = bundle.broker.split_once("://").with_context(expected)?;
    let (host, port) = rest.rsplit_once(':').with_context(expected)?;
    let port: u16 = port.parse().with_context(expected)?;
    let tls = match scheme {
        "mqtts" => {
            let ca = bundle.ca.clone().context("bundle has no \"ca\", which mqtts:// needs")?;
            Some((ca, bundle.certificate.clone().context("bundle has no \"certificate\", which mqtts:// needs")?))
        }
        "mqtt" if is_loopback(host) => None,
        "mqtt" => {
            bail!(
                "bundle's key \"broker\": without TLS only loopback is accepted, not {}; expected mqtts://",
                Quoted(host)
            )
        }
        _ => bail!(expected()),
    };
    Ok(Broker { host: host.trim_matches(['[', ']']).to_owned(), port, tls })
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}
