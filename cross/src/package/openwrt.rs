//! `.ipk` (OpenWrt up to 24.10): a gzip tar of debian-binary, data.tar.gz and control.tar.gz.

use super::tree::{Entry, gzip, tar};

const INIT: &str = include_str!("../../openwrt/takar-agent.init");
const EXAMPLE: &str = include_str!("../../openwrt/agent.toml.example");
/// What an upgrade of the firmware keeps.
const KEEP: &str = "/etc/takar/\n";

/// `architecture` as `opkg print-architecture` says it.
pub fn ipk(architecture: &str, version: &str, agent: &[u8]) -> anyhow::Result<Vec<u8>> {
    let files = [
        Entry::new("etc/init.d/takar-agent", 0o755, INIT),
        Entry::new("etc/takar/agent.toml.example", 0o644, EXAMPLE),
        Entry::new("lib/upgrade/keep.d/takar-agent", 0o644, KEEP),
        Entry::new("usr/bin/takar-agent", 0o755, agent),
    ];
    let size: usize = files.iter().map(|file| file.bytes.len()).sum();
    let control = format!(
        "Package: takar-agent\nVersion: {version}-1\nDepends: libc\nSource: cross\nSection: net\nPriority: optional\n\
         Maintainer: Takar\nLicense: Apache-2.0\nArchitecture: {architecture}\nInstalled-Size: {size}\n\
         Description: Takar's agent: reads counters, publishes them, applies signed queue changes.\n"
    );
    let installed = "#!/bin/sh\n[ -n \"$IPKG_INSTROOT\" ] || /etc/init.d/takar-agent enable\n";
    let removed =
        "#!/bin/sh\n[ -n \"$IPKG_INSTROOT\" ] || { /etc/init.d/takar-agent stop; /etc/init.d/takar-agent disable; }\n";
    let controls = [
        Entry::new("control", 0o644, control),
        Entry::new("postinst", 0o755, installed),
        Entry::new("prerm", 0o755, removed),
    ];
    let parts = [
        Entry::new("debian-binary", 0o644, "2.0\n"),
        Entry::new("data.tar.gz", 0o644, gzip(&tar("./", &files)?)?),
        Entry::new("control.tar.gz", 0o644, gzip(&tar("./", &controls)?)?),
    ];
    gzip(&tar("./", &parts)?)
}
