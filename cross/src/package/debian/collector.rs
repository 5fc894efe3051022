//! `takar` for Debian and Ubuntu: the collector, what draws its papers, and the services, which wait for a network that
//! somebody makes (`takar init`).

use std::{fs, path::Path};

use anyhow::Context as _;

use super::{Deb, Entry, needs};
use crate::collector::PROGRAMS;

const SERVICE: &str = include_str!("../../../systemd/takar.service");
const BROKER: &str = include_str!("../../../systemd/takar-mosquitto.service");
const SYSUSERS: &str = include_str!("../../../debian/takar.sysusers");
const TMPFILES: &str = include_str!("../../../debian/takar.tmpfiles");
const CONFIG: &str = include_str!("../../../../collector/src/config/default.toml");
const PREPARE: &str = "systemd-sysusers ${DPKG_ROOT:+--root=\"$DPKG_ROOT\"} takar.conf\n\
                       systemd-tmpfiles ${DPKG_ROOT:+--root=\"$DPKG_ROOT\"} --create takar.conf";
/// Beside the copyright.
const DOCS: [(&str, &str); 4] = [
    ("operate.md", include_str!("../../../../docs/operate.md")),
    ("register.md", include_str!("../../../../docs/register.md")),
    ("trust.md", include_str!("../../../../docs/trust.md")),
    ("glossary.md", include_str!("../../../../docs/glossary.md")),
];

/// Of the programs in `folder`, which were built for this machine's processor.
pub fn deb(architecture: &str, version: &str, folder: &Path) -> anyhow::Result<Vec<u8>> {
    let mut files = vec![
        Entry::new("usr/lib/systemd/system/takar.service", 0o644, SERVICE),
        Entry::new("usr/lib/systemd/system/takar-mosquitto.service", 0o644, BROKER),
        Entry::new("usr/lib/sysusers.d/takar.conf", 0o644, SYSUSERS),
        Entry::new("usr/lib/tmpfiles.d/takar.conf", 0o644, TMPFILES),
        Entry::new("usr/share/doc/takar/examples/takar.toml", 0o644, CONFIG),
    ];
    files.extend(DOCS.map(|(name, text)| Entry::new(&format!("usr/share/doc/takar/{name}"), 0o644, text)));
    let mut needs = needs::Needs::default();
    for program in PROGRAMS {
        let file = folder.join(program);
        let bytes = fs::read(&file).with_context(|| file.display().to_string())?;
        needs.add(&file)?;
        files.push(Entry::new(&format!("usr/bin/{program}"), 0o755, bytes));
    }
    let deb = Deb {
        name: "takar",
        architecture,
        version,
        relations: &format!("Depends: {needs}, systemd\nSuggests: mosquitto (>= 2.0)\n"),
        description: "moves bandwidth to office links that starve\n Collects what agents on routers measure, finds links that starve beside idle ones, and has\n \
                      changes of queues signed that a person or an agreed policy approved. With takar-pdf, which\n draws its reports and letters.",
        files,
        units: "takar.service takar-mosquitto.service",
        prepare: PREPARE,
    };
    deb.pack()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
        let values = unit.lines().filter_map(|line| line.split_once('='));
        values.filter(|(name, _)| *name == key).map(|(_, value)| value).collect()
    }

    /// The unit, the account, the folders and the config that init writes speak of the same places.
    #[test]
    fn the_collectors_places_agree() {
        let account = SYSUSERS.split(' ').nth(1).unwrap();
        for unit in [SERVICE, BROKER] {
            assert_eq!((of(unit, "User"), of(unit, "Group")), (vec![account], vec![account]));
        }
        assert!(CONFIG.contains("\nstate_dir = \"/var/lib/takar\"\n"));
        assert_eq!(of(SERVICE, "StateDirectory"), ["takar"]);
        assert!(TMPFILES.contains(&format!("d /var/lib/takar 0700 {account} {account} ")));
        assert!(SYSUSERS.contains(" /var/lib/takar /usr/sbin/nologin\n"));
        let config = of(SERVICE, "ConditionPathExists")[0];
        assert!(of(SERVICE, "ExecStart")[0].starts_with(&format!("/usr/bin/takar --config {config} serve")));
        let broker = of(BROKER, "ConditionPathExists")[0];
        assert_eq!(of(BROKER, "ExecStart"), [format!("/usr/sbin/mosquitto -c {broker}")]);
    }
}
