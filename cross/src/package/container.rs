//! A container for RouterOS 7.4 and later (`/container/add file=…`): the classic docker-archive of one platform and one
//! layer, not the OCI layout, which RouterOS does not read.

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::tree::{Entry, tar};
use crate::table::RouterOs;

/// Of the container, `CONFIG` is a mount: `/container/mounts/add src=disk1/takar dst=/etc/takar`.
const CONFIG: &str = "/etc/takar/agent.toml";

pub fn archive(platform: &RouterOs, version: &str, agent: &[u8]) -> anyhow::Result<Vec<u8>> {
    let layer =
        tar("", &[Entry::new("etc/takar/README", 0o644, README), Entry::new("usr/bin/takar-agent", 0o755, agent)])?;
    let mut config = json!({
        "architecture": platform.architecture,
        "os": "linux",
        "created": "2026-01-01T00:00:00Z",
        "config": {
            "Entrypoint": ["/usr/bin/takar-agent", "--config", CONFIG],
            "Cmd": ["run"],
            "WorkingDir": "/",
        },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", hex(&layer))] },
    });
    if let Some(variant) = &platform.variant {
        config["variant"] = variant.as_str().into();
    }
    let config = serde_json::to_vec(&config)?;
    let (id, folder) = (hex(&config), hex(&layer));
    let manifest = json!([{
        "Config": format!("{id}.json"),
        "RepoTags": [format!("takar-agent:{version}")],
        "Layers": [format!("{folder}/layer.tar")],
    }]);
    tar(
        "",
        &[
            Entry::new(&format!("{id}.json"), 0o644, config),
            Entry::new(&format!("{folder}/layer.tar"), 0o644, layer),
            Entry::new("manifest.json", 0o644, serde_json::to_vec(&manifest)?),
        ],
    )
}

const README: &str = "agent.toml belongs here, by a mount; see docs/operate.md.\n";

pub fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
