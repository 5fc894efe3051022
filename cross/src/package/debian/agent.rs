//! `takar-agent` for Debian and Ubuntu: static, so it depends on nothing.

use super::{Deb, Entry};

const SERVICE: &str = include_str!("../../../systemd/takar-agent.service");
const EXAMPLE: &str = include_str!("../../../systemd/agent.toml.example");

/// `architecture` as `dpkg --print-architecture` says it.
pub fn deb(architecture: &str, version: &str, agent: &[u8]) -> anyhow::Result<Vec<u8>> {
    let deb = Deb {
        name: "takar-agent",
        architecture,
        version,
        relations: "",
        description: "agent of Takar\n Reads counters of routers, publishes them over MQTT, and applies signed changes of queues,\n \
                      which it takes back by itself where nobody confirms them.",
        files: vec![
            Entry::new("etc/takar/agent.toml.example", 0o644, EXAMPLE),
            Entry::new("usr/lib/systemd/system/takar-agent.service", 0o644, SERVICE),
            Entry::new("usr/bin/takar-agent", 0o755, agent),
        ],
        units: "takar-agent.service",
        prepare: "",
    };
    deb.pack()
}
