//! The only room that reads the keys that sign messages. It chooses the key by what is to be signed and keeps no
//! clock: whether something may be signed now is decided by who asks.

use std::{fmt, path::Path};

use anyhow::bail;
use ed25519_dalek::SigningKey;
use takar_shared::{
    AgentId, NetworkId,
    envelope::{self, Message, Route},
    keyset::Keyset,
};

use crate::keys::{self, Network, file};

pub struct Signer {
    network: NetworkId,
    keyset: Keyset,
    command: SigningKey,
    grant: SigningKey,
}

impl Signer {
    /// Errors: a key that others may read or that is not in the keyset, a keyset that the root did not sign.
    pub fn load(state_dir: &Path) -> anyhow::Result<Self> {
        let network = Network::load(state_dir)?;
        let (_, keyset) = network.load_keyset(state_dir)?;
        let command = load(state_dir, file::COMMAND_KEY, Some((&keyset, keyset.command_keys.as_slice())))?;
        let grant = load(state_dir, file::GRANT_KEY, Some((&keyset, keyset.grant_keys.as_slice())))?;
        Ok(Self { network: network.id, keyset, command, grant })
    }

    /// Everything for which [`Signer::load`] would refuse, not only the first.
    pub fn problems(state_dir: &Path) -> Vec<anyhow::Error> {
        let keyset = Network::load(state_dir).and_then(|network| network.load_keyset(state_dir));
        let known = keyset.as_ref().ok().map(|(_, keyset)| keyset);
        let command = load(state_dir, file::COMMAND_KEY, known.map(|keyset| (keyset, keyset.command_keys.as_slice())));
        let grant = load(state_dir, file::GRANT_KEY, known.map(|keyset| (keyset, keyset.grant_keys.as_slice())));
        let keys = [command.err(), grant.err()];
        keyset.err().into_iter().chain(keys.into_iter().flatten()).collect()
    }

    pub fn network(&self) -> NetworkId {
        self.network
    }

    pub fn keyset(&self) -> &Keyset {
        &self.keyset
    }

    /// `None` for what a collector does not say, and for what is larger than its kind may be.
    pub fn seal(&self, message: &Message, agent: AgentId) -> Option<Vec<u8>> {
        let key = match message {
            Message::Grant(_) => &self.grant,
            Message::Command(_) | Message::Confirm(_) | Message::Cancel(_) => &self.command,
            Message::Birth(_) | Message::Telemetry(_) | Message::Gap(_) | Message::Receipt(_) | Message::Facts(_) => {
                return None;
            }
        };
        envelope::seal(message, Route { network: self.network, agent }, key)
    }
}

/// The key in that file; refused where it is not among those that the keyset lists for its kind of message.
fn load(state_dir: &Path, name: &str, listed: Option<(&Keyset, &[[u8; 32]])>) -> anyhow::Result<SigningKey> {
    let path = state_dir.join(name);
    let key = keys::load_key(&path)?;
    if let Some((keyset, listed)) = listed
        && !listed.contains(key.verifying_key().as_bytes())
    {
        let (shown, version) = (path.display(), keyset.version);
        bail!("{shown} is not in keyset {version}; expected a key that agents take this from");
    }
    Ok(key)
}

/// Without the keys.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Signer");
        shown.field("network", &self.network).field("keyset", &self.keyset.version).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

    use takar_shared::{
        BootEpoch, Challenge, ChangeId, Seq, Serial, UnixMillis,
        command::{Cancel, Confirm},
        envelope::{Kind, Refused},
        grant::Grant,
        id,
        telemetry::Gap,
    };

    use super::*;
    use crate::{config::BrokerKind, init::init};

    const AGENT: AgentId = AgentId([9; 16]);

    fn network() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let (state, config, root) =
            (dir.path().join("state"), dir.path().join("takar.toml"), dir.path().join("root.key"));
        init(&state, &config, &root, BrokerKind::Embedded, "127.0.0.1", "127.0.0.1:1883").unwrap();
        (dir, state)
    }

    fn confirm() -> Message {
        Message::Confirm(Confirm { change: ChangeId([1; 16]), device: id::name("core-1").unwrap(), serial: Serial(1) })
    }

    fn grant() -> Message {
        Message::Grant(Grant {
            challenge: Challenge([2; 16]),
            valid_s: 300,
            server_time: UnixMillis(1),
            stored_up_to: (BootEpoch(1), Seq(1)),
            receipts_stored: Vec::new(),
            keyset_min: 1,
            tell_states: false,
        })
    }

    #[test]
    fn each_kind_is_signed_by_its_own_key() {
        let (_dir, state) = network();
        let signer = Signer::load(&state).unwrap();
        let (command, grant_key) = (signer.keyset().command_keys[0], signer.keyset().grant_keys[0]);
        let route = Route { network: signer.network(), agent: AGENT };
        let opened_by = |message: &Message, key: [u8; 32]| {
            let bytes = signer.seal(message, AGENT).unwrap();
            envelope::open(&bytes, route, |_: Kind, id| (id == takar_shared::KeyId::of_key(&key)).then_some(key))
        };
        let cancel = Cancel { change: ChangeId([1; 16]), device: id::name("core-1").unwrap(), serial: Serial(1) };
        for message in [confirm(), Message::Cancel(cancel)] {
            assert_eq!(opened_by(&message, command).unwrap().message, message);
            assert!(matches!(opened_by(&message, grant_key), Err(Refused::UnknownKey(_))));
        }
        assert_eq!(opened_by(&grant(), grant_key).unwrap().message, grant());
        assert!(matches!(opened_by(&grant(), command), Err(Refused::UnknownKey(_))));
    }

    #[test]
    fn what_agents_say_is_not_signed() {
        let (_dir, state) = network();
        let gap = Gap { boot_epoch: BootEpoch(1), first: Seq(1), seq: Seq(2), samples: 0 };
        assert_eq!(Signer::load(&state).unwrap().seal(&Message::Gap(gap), AGENT), None);
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        for name in [file::COMMAND_KEY, file::GRANT_KEY] {
            let (_dir, state) = network();
            fs::set_permissions(state.join(name), fs::Permissions::from_mode(0o644)).unwrap();
            let error = format!("{:#}", Signer::load(&state).unwrap_err());
            assert!(error.contains(name) && error.contains("mode 0644; expected 0600"), "{error}");
        }
    }

    #[test]
    fn keys_must_be_those_of_the_keyset_and_the_keyset_of_the_network() {
        let ((_one, mine), (_other, theirs)) = (network(), network());
        for (name, expected) in [(file::GRANT_KEY, "not in keyset 1"), (file::KEYSET, "of network")] {
            let before = fs::read(mine.join(name)).unwrap();
            fs::write(mine.join(name), fs::read(theirs.join(name)).unwrap()).unwrap();
            let error = format!("{:#}", Signer::load(&mine).unwrap_err());
            assert!(error.contains(name) && error.contains(expected), "{error}");
            fs::write(mine.join(name), before).unwrap();
        }
        // The two keys are not interchangeable.
        fs::copy(mine.join(file::GRANT_KEY), mine.join(file::COMMAND_KEY)).unwrap();
        assert!(Signer::load(&mine).is_err());
    }

    #[test]
    fn debug_tells_no_key() {
        let (_dir, state) = network();
        let signer = Signer::load(&state).unwrap();
        let shown = format!("{signer:?}");
        assert_eq!(shown, format!("Signer {{ network: {}, keyset: 1, .. }}", signer.network()));
    }
}
