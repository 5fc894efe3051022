//! Enrolment by file, for routers that meet nobody: a request goes out, a bundle comes back.

use std::{fs, path::Path};

use anyhow::{Context as _, bail};
use takar_shared::{
    bundle::{Request, RequestedDevice, request_preimage},
    signing,
};

use crate::{config::Config, identity};

/// Writes the request. Draws the agent's key if there is none yet.
pub fn request(config: &Config, name: &str, out: &Path) -> anyhow::Result<()> {
    if name.is_empty() || name.len() > 64 || !name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
        bail!("name \"{name}\" does not do; expected 1 to 64 of A-Z a-z 0-9 . _ -");
    }
    let key = identity::load_or_make_key(&config.state_dir)?;
    let public = key.verifying_key().to_bytes();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let devices = config.devices.iter().map(|device| RequestedDevice {
        device: device.name.as_str().to_owned(),
        changes_per_hour: device.changes_per_hour,
        bounds: device.bounds.clone(),
    });
    let request = Request {
        takar_request: 1,
        name: name.to_owned(),
        public_key: hex(&public),
        fingerprint: identity::agent_id(&key).to_string(),
        devices: devices.collect(),
        signature: hex(&signing::sign(&key, &request_preimage(&public, name))),
    };
    fs::write(out, serde_json::to_vec_pretty(&request)?).with_context(|| format!("cannot write {}", out.display()))?;
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
    identity::store_bundle(&config.state_dir, &bundle)?;
    println!("enrolled as {} ({}) in network {}", identity.name, identity.route.agent, identity.route.network);
    Ok(())
}
