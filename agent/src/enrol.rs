//! Enrolment by file, for routers that meet nobody: a request goes out, a bundle comes back.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use anyhow::{Context as _, bail};
use ed25519_dalek::SigningKey;
use takar_shared::{
    bundle::{Request, RequestedDevice, request_preimage},
    id, signing,
};

use crate::{config::Config, identity};

/// Writes the request. Draws the agent's key if there is none yet.
pub fn request(config: &Config, name: &str, out: &Path) -> anyhow::Result<()> {
    id::plain_name(name).map_err(|error| anyhow::anyhow!("name {name:?} does not do; {error}"))?;
    let earlier = earlier_request(out)?;
    let key = identity::load_or_make_key(&config.state_dir)?;
    let request = made(config, name, &key);
    let text = serde_json::to_vec_pretty(&request)?;
    let written = match earlier {
        Some(earlier) if earlier.public_key != request.public_key => bail!(not_own(out)),
        Some(_) => fs::write(out, text),
        None => {
            fs::OpenOptions::new().write(true).create_new(true).open(out).and_then(|mut file| file.write_all(&text))
        }
    };
    written.with_context(|| format!("cannot write {}", out.display()))?;
    println!("request written to {}; fingerprint {}", out.display(), request.fingerprint);
    println!("next: takar device approve {} --out BUNDLE, on the collector", out.display());
    Ok(())
}

/// Takes a bundle in, after checking all of it.
pub fn bundle(config: &Config, path: &Path) -> anyhow::Result<()> {
    let bundle = identity::read_bundle(path)?;
    let key =
        identity::load_key(&config.state_dir).context("no key to enrol; run takar-agent enrol --request first")?;
    let identity = identity::check_bundle(key, &bundle).with_context(|| path.display().to_string())?;
    // Serials and receipts in the state folder are of one network; a person who means another says so by a new folder.
    if let Some(network) =
        identity::enrolled_in(&config.state_dir)?.filter(|network| *network != identity.route.network)
    {
        let (path, other) = (path.display(), identity.route.network);
        bail!("{path}: bundle is of network {other}; expected {network}, which this agent is enrolled in");
    }
    identity::store_bundle(&config.state_dir, &bundle)?;
    println!("enrolled as {} ({}) in network {}", identity.name, identity.route.agent, identity.route.network);
    Ok(())
}

/// The request that is there already; anything else there is not to be written over.
fn earlier_request(out: &Path) -> anyhow::Result<Option<Request>> {
    // Far above any request: what is larger need not be read.
    const LARGEST: u64 = 8 * 1024 * 1024;
    let meta = match fs::metadata(out) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot write {}", out.display())),
    };
    if !meta.is_file() || meta.len() > LARGEST {
        bail!(not_own(out));
    }
    let text = fs::read(out).with_context(|| format!("cannot read {}", out.display()))?;
    serde_json::from_slice(&text).map(Some).map_err(|_| anyhow::anyhow!(not_own(out)))
}

fn not_own(out: &Path) -> String {
    format!("{} is there already and is no request of this agent's; expected a new file", out.display())
}

/// The request as it goes out, signed.
fn made(config: &Config, name: &str, key: &SigningKey) -> Request {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let devices = config.devices.iter().map(|device| RequestedDevice {
        device: device.name.as_str().to_owned(),
        changes_per_hour: device.changes_per_hour,
        bounds: device.bounds.clone(),
    });
    let mut request = Request {
        takar_request: 1,
        name: name.to_owned(),
        public_key: hex(key.verifying_key().as_bytes()),
        fingerprint: identity::agent_id(key).to_string(),
        devices: devices.collect(),
        signature: String::new(),
    };
    request.signature = hex(&signing::sign(key, &request_preimage(&request)));
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn config(state_dir: &Path) -> Config {
        let text = format!(
            "state_dir = {:?}\nspool_dir = \"/p\"\n[[device]]\nname = \"gw-1\"\n[device.queues]\nbackend = \"htb\"\n\
             [[device.shaper]]\nclass = \"1:10\"\ninterface = \"wan\"\ndirection = \"up\"\n\
             floor_bps = 1000\nceiling_bps = 2000\n",
            state_dir.display().to_string()
        );
        config::parse(&text).unwrap()
    }

    #[test]
    fn a_name_that_the_collector_refuses_is_refused_in_one_line() {
        let dir = tempfile::tempdir().unwrap();
        let (config, out) = (config(&dir.path().join("state")), dir.path().join("request"));
        let long = "x".repeat(65);
        for name in ["", ".", "..", "core 1", "core/1", "é", "core\n1", long.as_str()] {
            let error = request(&config, name, &out).unwrap_err().to_string();
            assert!(error.ends_with("does not do; expected 1 to 64 of A-Z a-z 0-9 . _ -, but not . or .."), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
        assert!(!out.exists() && !config.state_dir.exists());
    }

    #[test]
    fn the_request_that_is_written_is_the_one_that_was_signed() {
        let dir = tempfile::tempdir().unwrap();
        let (config, out) = (config(&dir.path().join("state")), dir.path().join("request"));
        request(&config, "core-1", &out).unwrap();
        let written: Request = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
        assert_eq!((written.name.as_str(), written.devices[0].device.as_str()), ("core-1", "gw-1"));
        assert_eq!(written.devices[0].bounds, config.devices[0].bounds);
        let key = identity::load_key(&config.state_dir).unwrap();
        assert_eq!(written.public_key, takar_shared::Digest(key.verifying_key().to_bytes()).to_string());
        let signature = signing::sign(&key, &request_preimage(&written));
        assert_eq!(written.signature, signature.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    }

    #[test]
    fn nothing_but_an_earlier_request_of_this_agent_is_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let (own, other) = (config(&dir.path().join("own")), config(&dir.path().join("other")));
        let out = dir.path().join("request");
        fs::write(&out, "precious").unwrap();
        let refused = |config: &Config| request(config, "core-1", &out).unwrap_err().to_string();
        assert!(refused(&own).ends_with("is there already and is no request of this agent's; expected a new file"));
        assert_eq!(fs::read(&out).unwrap(), b"precious");
        assert!(!own.state_dir.exists(), "a key was drawn for nothing");

        fs::remove_file(&out).unwrap();
        request(&other, "core-1", &out).unwrap();
        let theirs = fs::read(&out).unwrap();
        assert!(refused(&own).contains("expected a new file"));
        assert_eq!(fs::read(&out).unwrap(), theirs);
        request(&other, "core-2", &out).unwrap();
        assert_eq!(serde_json::from_slice::<Request>(&fs::read(&out).unwrap()).unwrap().name, "core-2");
        assert!(request(&own, "core-1", dir.path()).unwrap_err().to_string().contains("expected a new file"));
    }
}
