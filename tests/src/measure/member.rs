//! An enrolled agent's key and what it needs to speak as that agent, from the files that its enrolment left.

use std::{fs, path::Path};

use anyhow::{Context as _, anyhow, bail};
use ed25519_dalek::SigningKey;
use takar_shared::{
    AgentId, Digest, KeyId, NetworkId,
    bundle::Bundle,
    envelope::{self, Kind, Message, Route},
    id::unhex,
    keyset::{Keyset, Root},
    signing,
    telemetry::Telemetry,
};

use super::station::Enrolled;

pub struct Member {
    pub key: SigningKey,
    pub route: Route,
    keyset: Keyset,
}

impl Member {
    pub fn load(enrolled: &Enrolled) -> anyhow::Result<Self> {
        let path = enrolled.state_dir().join("agent.key");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        // A Digest has the length and the hex form of a seed.
        let seed: Digest = text.trim().parse().with_context(|| format!("{}: an Ed25519 seed", path.display()))?;
        let key = SigningKey::from_bytes(&seed.0);
        let path = enrolled.bundle();
        let (network, keyset) = read_bundle(&path).with_context(|| path.display().to_string())?;
        let agent = AgentId::of_key(key.verifying_key().as_bytes());
        Ok(Self { key, route: Route { network, agent }, keyset })
    }

    pub fn seal(&self, message: &Message) -> anyhow::Result<Vec<u8>> {
        envelope::seal(message, self.route, &self.key).with_context(|| format!("a {:?} is too large", message.kind()))
    }

    /// A telemetry of its own, as it came by.
    pub fn open_telemetry(&self, bytes: &[u8]) -> anyhow::Result<Telemetry> {
        let public = self.key.verifying_key().to_bytes();
        let may = |kind: Kind, key: KeyId| (kind == Kind::Telemetry && key == KeyId::of_key(&public)).then_some(public);
        let opened = envelope::open(bytes, self.route, may).context("a message of the agent's")?;
        match opened.message {
            Message::Telemetry(telemetry) => Ok(telemetry),
            other => bail!("a {:?}; expected telemetry", other.kind()),
        }
    }

    /// The sequence number up to which a Grant says that all is stored.
    pub fn open_grant(&self, bytes: &[u8]) -> anyhow::Result<u64> {
        let keys = &self.keyset.grant_keys;
        let may = |kind: Kind, key: KeyId| {
            let known = keys.iter().find(|public| KeyId::of_key(public) == key).copied();
            known.filter(|_| kind == Kind::Grant)
        };
        let opened = envelope::open(bytes, self.route, may).context("a message of the collector's")?;
        match opened.message {
            Message::Grant(grant) => Ok(grant.stored_up_to.1.0),
            other => bail!("a {:?}; expected a grant", other.kind()),
        }
    }
}

fn read_bundle(path: &Path) -> anyhow::Result<(NetworkId, Keyset)> {
    let bundle: Bundle = serde_json::from_slice(&fs::read(path)?)?;
    let network: NetworkId = bundle.network.parse().context("network")?;
    let keys = bundle.root_keys.iter().map(|key| key.parse::<Digest>().map(|bytes| bytes.0));
    let keys = keys.collect::<Result<Vec<_>, _>>().context("root_keys")?;
    let root = Root { keys, threshold: bundle.root_threshold };
    let bytes = unhex(&bundle.keyset).context("keyset: expected hexadecimal digits")?;
    let keyset = signing::open_keyset(&bytes, network, &root, 0).map_err(|error| anyhow!("keyset: {error}"))?;
    Ok((network, keyset))
}
