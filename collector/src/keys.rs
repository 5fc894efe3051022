//! Keys, keyset and certificates in the state folder. Private keys lie in files that only their owner may read: hex
//! seeds (Ed25519, RFC 8032) for what signs messages, PKCS #8 in PEM for TLS. [`crate::signer`] alone loads the two
//! that sign messages; the root key is written once, elsewhere, and never read.

mod certificate;
pub(crate) mod pem;

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

use anyhow::{Context as _, bail};
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use takar_shared::{
    Digest, NetworkId,
    keyset::{Keyset, Root},
    signing,
};

use crate::clock;

pub(crate) use certificate::Ca;
pub use certificate::agent_certificate;

/// Where things lie, below the state folder.
pub mod file {
    pub const COMMAND_KEY: &str = "command.key";
    pub const GRANT_KEY: &str = "grant.key";
    /// As it travels: signed by the root.
    pub const KEYSET: &str = "keyset.bin";
    /// Network id and root, as [`super::Network`] reads them.
    pub const NETWORK: &str = "network.json";
    pub const CA_KEY: &str = "tls/ca.key";
    pub const CA: &str = "tls/ca.crt";
    pub const SERVER_KEY: &str = "tls/server.key";
    pub const SERVER: &str = "tls/server.crt";
    pub const COLLECTOR_KEY: &str = "tls/collector.key";
    pub const COLLECTOR: &str = "tls/collector.crt";
    pub const MONITOR_KEY: &str = "tls/monitor.key";
    pub const MONITOR: &str = "tls/monitor.crt";
}

/// The common names in certificates that are no agent's; the broker takes them for user names.
pub mod user {
    pub const COLLECTOR: &str = "takar-collector";
    pub const MONITOR: &str = "takar-monitor";
    /// No user: the broker itself.
    pub const BROKER: &str = "takar-broker";
}

/// What agents pin at enrolment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    pub id: NetworkId,
    pub root: Root,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkFile {
    network: String,
    root_keys: Vec<String>,
    root_threshold: u8,
}

impl Network {
    pub fn load(state: &Path) -> anyhow::Result<Self> {
        let path = state.join(file::NETWORK);
        let text = read_file(&path)?;
        let shown = || path.display().to_string();
        let file: NetworkFile = serde_json::from_slice(&text).with_context(shown)?;
        let id = file.network.parse::<NetworkId>().context("key \"network\"").with_context(shown)?;
        let keys = file.root_keys.iter().map(|key| key.parse::<Digest>().map(|bytes| bytes.0));
        let keys = keys.collect::<Result<Vec<_>, _>>().context("key \"root_keys\"").with_context(shown)?;
        Ok(Self { id, root: Root { keys, threshold: file.root_threshold } })
    }

    pub(crate) fn to_json(&self) -> anyhow::Result<Vec<u8>> {
        let file = NetworkFile {
            network: self.id.to_string(),
            root_keys: self.root.keys.iter().map(|key| hex(key)).collect(),
            root_threshold: self.root.threshold,
        };
        Ok(serde_json::to_vec_pretty(&file)?)
    }

    /// The keyset in the state folder, as it travels and as it reads, after checking that the root signed it.
    pub fn load_keyset(&self, state: &Path) -> anyhow::Result<(Vec<u8>, Keyset)> {
        let path = state.join(file::KEYSET);
        let bytes = read_file(&path)?;
        let keyset =
            signing::open_keyset(&bytes, self.id, &self.root, 0).with_context(|| path.display().to_string())?;
        Ok((bytes, keyset))
    }
}

/// A new Ed25519 key and the text of its file.
pub(crate) fn draw() -> anyhow::Result<(SigningKey, Vec<u8>)> {
    let seed = clock::random::<32>().context("cannot draw a key: no random source")?;
    Ok((SigningKey::from_bytes(&seed), format!("{}\n", hex(&seed)).into_bytes()))
}

/// The key in a file that only its owner may read.
pub(crate) fn load_key(path: &Path) -> anyhow::Result<SigningKey> {
    let text = read_private(path)?;
    // A Digest has the length and the hex form of a seed.
    let seed: Digest = text.trim_end().parse().with_context(|| format!("{} holds no Ed25519 seed", path.display()))?;
    Ok(SigningKey::from_bytes(&seed.0))
}

/// The text of a file with a secret; refused where others may read it.
pub(crate) fn read_private(path: &Path) -> anyhow::Result<String> {
    let shown = path.display();
    let mut file = File::open(path).with_context(|| format!("cannot read {shown}"))?;
    // Of the file that is open, which nobody can exchange any more.
    let mode = file.metadata().with_context(|| format!("cannot read {shown}"))?.mode();
    if mode & 0o077 != 0 {
        bail!("{shown} has mode {:04o}; expected 0600, since it holds a secret", mode & 0o7777);
    }
    let mut text = String::new();
    file.read_to_string(&mut text).with_context(|| format!("cannot read {shown}"))?;
    Ok(text)
}

/// Creates a file of that mode and makes it durable; refuses to overwrite.
pub(crate) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let mut file = file.with_context(|| format!("cannot write {}", path.display()))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a key is worse than none.
        let _ = std::fs::remove_file(path);
    }
    written.with_context(|| format!("cannot write {}", path.display()))
}

pub(crate) fn read_file(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Lower-case digits, two a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What [`hex`] wrote; `None` for anything else.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes: Option<Vec<u8>> = pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect();
    bytes.filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_reads_back_and_only_from_a_private_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.key");
        let (key, text) = draw().unwrap();
        write_new(&path, &text, 0o600).unwrap();
        assert_eq!(load_key(&path).unwrap().to_bytes(), key.to_bytes());

        let error = write_new(&path, b"other", 0o600).unwrap_err();
        assert!(format!("{error:#}").contains("exists"), "{error:#}");
        assert_eq!(fs::read(&path).unwrap(), text, "the first key is still there");

        for mode in [0o640, 0o604, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = load_key(&path).unwrap_err().to_string();
            assert!(error.contains(&format!("mode {mode:04o}; expected 0600")), "{error}");
        }
    }

    #[test]
    fn a_file_without_a_key_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.key");
        write_new(&path, b"00ff\n", 0o600).unwrap();
        let error = format!("{:#}", load_key(&path).unwrap_err());
        assert!(error.contains("a.key holds no Ed25519 seed: expected 64"), "{error}");
    }

    proptest! {
        #[test]
        fn hex_reads_back_and_nothing_else_does(bytes: Vec<u8>, text in "[0-9a-fA-F+]{0,6}") {
            prop_assert_eq!(unhex(&hex(&bytes)), Some(bytes));
            if let Some(bytes) = unhex(&text) {
                prop_assert_eq!(hex(&bytes), text);
            }
        }
    }
}
