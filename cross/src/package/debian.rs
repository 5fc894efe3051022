//! `.deb` (deb(5)): an ar archive of debian-binary, control.tar.gz and data.tar.gz.

use super::tree::{Entry, MADE_AT, gzip, tar};

const SERVICE: &str = include_str!("../../systemd/takar-agent.service");
const EXAMPLE: &str = include_str!("../../systemd/agent.toml.example");

/// `architecture` as `dpkg --print-architecture` says it.
pub fn deb(architecture: &str, version: &str, agent: &[u8]) -> anyhow::Result<Vec<u8>> {
    let files = [
        Entry::new("etc/takar/agent.toml.example", 0o644, EXAMPLE),
        Entry::new("lib/systemd/system/takar-agent.service", 0o644, SERVICE),
        Entry::new("usr/bin/takar-agent", 0o755, agent),
    ];
    let size = files.iter().map(|file| file.bytes.len()).sum::<usize>().div_ceil(1024);
    let control = format!(
        "Package: takar-agent\nVersion: {version}-1\nArchitecture: {architecture}\nMaintainer: Takar <takar@localhost>\n\
         Installed-Size: {size}\nSection: net\nPriority: optional\n\
         Description: agent of Takar\n Reads counters of routers, publishes them over MQTT, and applies signed changes of queues,\n \
         which it takes back by itself where nobody confirms them.\n"
    );
    let controls =
        [Entry::new("control", 0o644, control), Entry::new("conffiles", 0o644, "/etc/takar/agent.toml.example\n")];
    let mut archive = b"!<arch>\n".to_vec();
    let parts = [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar.gz", gzip(&tar("./", &controls)?)?),
        ("data.tar.gz", gzip(&tar("./", &files)?)?),
    ];
    for (name, bytes) in parts {
        archive.extend(format!("{name:<16}{MADE_AT:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, "100644", bytes.len()).bytes());
        archive.extend(&bytes);
        if bytes.len() % 2 == 1 {
            archive.push(b'\n');
        }
    }
    Ok(archive)
}
