//! OpenWrt: an `.ipk` (up to 24.10) is a gzip tar of debian-binary, data.tar.gz and control.tar.gz. For its build system
//! and SDK, which also make the `.apk` of 25.12, there is a feed with the programs in it.

use std::fmt::Write as _;

use super::{
    container::hex,
    tree::{Entry, gzip, tar},
};
use crate::table::Target;

const INIT: &str = include_str!("../../openwrt/takar-agent.init");
const CONFIG: &str = include_str!("../../openwrt/takar.config");
const CAPABILITIES: &str = include_str!("../../openwrt/capabilities.json");
const EXAMPLE: &str = include_str!("../../openwrt/agent.toml.example");
const MAKEFILE: &str = include_str!("../../openwrt/Makefile");
/// What OpenWrt's own build gives every package: services of it are enabled and started, or stopped and disabled.
/// The agent's start does nothing until /etc/config/takar enables it.
const POSTINST: &str = "#!/bin/sh\n[ \"${IPKG_NO_SCRIPT}\" = \"1\" ] && exit 0\n\
     [ -s ${IPKG_INSTROOT}/lib/functions.sh ] || exit 0\n. ${IPKG_INSTROOT}/lib/functions.sh\ndefault_postinst $0 $@\n";
const PRERM: &str = "#!/bin/sh\n[ -s ${IPKG_INSTROOT}/lib/functions.sh ] || exit 0\n\
     . ${IPKG_INSTROOT}/lib/functions.sh\ndefault_prerm $0 $@\n";
/// What people write; an upgrade, of the package or of the firmware, keeps it.
const CONFFILES: &str = "/etc/config/takar\n/etc/takar/\n";

/// `architecture` as `opkg print-architecture` says it.
pub fn ipk(architecture: &str, version: &str, agent: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut files = installed(agent);
    // OpenWrt's build writes it, of the conffiles that are no files of the package.
    files.push(Entry::new("lib/upgrade/keep.d/takar-agent", 0o644, "/etc/takar/\n"));
    let size: usize = files.iter().map(|file| file.bytes.len()).sum();
    let control = format!(
        "Package: takar-agent\nVersion: {version}-1\nDepends: libc\nSource: cross\nSection: net\nPriority: optional\n\
         Maintainer: Takar\nLicense: Apache-2.0\nArchitecture: {architecture}\nInstalled-Size: {size}\n\
         Description: Takar's agent: reads counters, publishes them, applies signed queue changes.\n"
    );
    let controls = [
        Entry::new("control", 0o644, control),
        Entry::new("conffiles", 0o644, CONFFILES),
        Entry::new("postinst", 0o755, POSTINST),
        Entry::new("prerm", 0o755, PRERM),
    ];
    let parts = [
        Entry::new("debian-binary", 0o644, "2.0\n"),
        Entry::new("data.tar.gz", 0o644, gzip(&tar("./", &files)?)?),
        Entry::new("control.tar.gz", 0o644, gzip(&tar("./", &controls)?)?),
    ];
    gzip(&tar("./", &parts)?)
}

/// A folder for `feeds.conf`, by gzip tar: the package's Makefile, what it installs, and the programs of `agents`.
pub fn feed(version: &str, agents: &[(Target, Vec<u8>)]) -> anyhow::Result<Vec<u8>> {
    let at = |path: &str| format!("takar-feed/takar-agent/{path}");
    let mut files = vec![
        Entry::new(&at("Makefile"), 0o644, MAKEFILE),
        Entry::new(&at("files/agent.toml.example"), 0o644, EXAMPLE),
        Entry::new(&at("files/capabilities.json"), 0o644, CAPABILITIES),
        Entry::new(&at("files/takar-agent.init"), 0o755, INIT),
        Entry::new(&at("files/takar.config"), 0o644, CONFIG),
        Entry::new(&at("prebuilt.mk"), 0o644, prebuilt(version, agents)),
    ];
    files.extend(agents.iter().map(|(target, agent)| {
        Entry::new(&at(&format!("programs/{}", program(version, target))), 0o755, agent.as_slice())
    }));
    gzip(&tar("", &files)?)
}

/// As the file is called among the packages.
pub fn program(version: &str, target: &Target) -> String {
    format!("takar-agent-{version}-{}", target.name)
}

/// The files of the package. The feed's Makefile puts the same ones there.
fn installed(agent: &[u8]) -> Vec<Entry> {
    vec![
        Entry::new("etc/capabilities/takar-agent.json", 0o644, CAPABILITIES),
        Entry::new("etc/config/takar", 0o600, CONFIG),
        Entry::new("etc/init.d/takar-agent", 0o755, INIT),
        Entry::new("etc/takar/agent.toml.example", 0o644, EXAMPLE),
        Entry::new("usr/bin/takar-agent", 0o755, agent),
    ]
}

/// What the Makefile has to know of the programs: their version, which one is whose, and what it must be.
fn prebuilt(version: &str, agents: &[(Target, Vec<u8>)]) -> String {
    let mut text = format!("# Written by `cargo cross package`, from cross/targets.toml.\nPKG_VERSION:={version}\n");
    let all: Vec<&str> = agents.iter().flat_map(|(target, _)| &target.openwrt).map(String::as_str).collect();
    let _ = writeln!(text, "TAKAR_ARCHITECTURES:={}", all.join(" "));
    for (target, agent) in agents {
        let program = program(version, target);
        for architecture in &target.openwrt {
            let _ = writeln!(text, "TAKAR_PROGRAM_{architecture}:={program}");
        }
        let _ = writeln!(text, "TAKAR_HASH_{program}:={}", hex(agent));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::table;

    fn line(beginning: &str) -> &'static str {
        MAKEFILE.lines().find_map(|line| line.trim().strip_prefix(beginning)).unwrap()
    }

    #[test]
    fn the_makefile_installs_what_the_ipk_has() {
        let at = |word: &&str| word.starts_with("$(1)/");
        let made: HashSet<&str> = line("$(INSTALL_DIR) ").split(' ').filter(at).collect();
        let files = installed(b"");
        for file in &files {
            let how = match file.mode {
                0o600 => "$(INSTALL_CONF) ",
                0o644 => "$(INSTALL_DATA) ",
                0o755 => "$(INSTALL_BIN) ",
                other => panic!("{}: mode {other:o}", file.path),
            };
            let place = format!(" $(1)/{}", file.path);
            let found = MAKEFILE.lines().filter(|line| line.ends_with(&place)).collect::<Vec<_>>();
            assert_eq!(found.len(), 1, "{}", file.path);
            assert!(found[0].trim().starts_with(how), "{}: mode {:o}", file.path, file.mode);
            let folder = place.trim().rsplit_once('/').unwrap().0;
            assert!(made.contains(folder), "{folder} is not made");
        }
        let placed = MAKEFILE.lines().filter(|line| line.starts_with("\t$(INSTALL_")).count();
        assert_eq!(placed, files.len() + 1, "it installs something else too");
        let conffiles = MAKEFILE.split_once("/conffiles\n").unwrap().1.split_once("endef").unwrap().0;
        assert_eq!(conffiles, CONFFILES);
    }

    #[test]
    fn every_architecture_has_one_program_and_may_be_chosen() {
        let all = table::all().unwrap();
        let agents: Vec<_> = all.iter().map(|target| (target.clone(), target.name.clone().into_bytes())).collect();
        let text = prebuilt("1.2.3", &agents);
        let families: HashSet<&str> = line("DEPENDS:=@(").trim_end_matches(')').split("||").collect();
        let mut seen = HashSet::new();
        for target in &all {
            let program = format!("takar-agent-1.2.3-{}", target.name);
            let hash = hex(target.name.as_bytes());
            assert!(text.contains(&format!("\nTAKAR_HASH_{program}:={hash}\n")), "{text}");
            for architecture in &target.openwrt {
                assert!(seen.insert(architecture.as_str()), "{architecture} has two programs");
                assert!(text.contains(&format!("\nTAKAR_PROGRAM_{architecture}:={program}\n")), "{text}");
                let family = if architecture == "x86_64" { "x86_64" } else { architecture.split('_').next().unwrap() };
                assert!(families.contains(family), "{architecture}: {family} is not in DEPENDS");
            }
        }
        let listed = text.lines().find_map(|line| line.strip_prefix("TAKAR_ARCHITECTURES:=")).unwrap();
        assert_eq!(listed.split(' ').collect::<HashSet<_>>(), seen);
    }

    /// The words that the Makefile takes from what is generated.
    #[test]
    fn the_makefile_reads_what_is_generated() {
        for word in ["TAKAR_PROGRAM_$(ARCH_PACKAGES)", "TAKAR_HASH_$(TAKAR_PROGRAM)", "TAKAR_ARCHITECTURES"] {
            assert!(MAKEFILE.contains(&format!("$({word})")), "{word}");
        }
        assert!(MAKEFILE.contains("\ninclude ./prebuilt.mk\n"));
    }
}
