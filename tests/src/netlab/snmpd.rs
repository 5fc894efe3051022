//! Debian's snmpd in a namespace, on port 161 of its loopback.

use std::{fs, path::Path, time::Duration};

use anyhow::Context as _;

use super::{Namespace, namespace::write_secret};
use crate::process::{Process, wait_for};

pub const COMMUNITY: &str = "takar-lab";
pub const USER: &str = "poller";
pub const AUTH_PASSWORD: &str = "authpass12";
pub const PRIVACY_PASSWORD: &str = "privpass12";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    V2c,
    /// authPriv: SHA-256 and AES-128.
    V3,
}

impl Version {
    /// The lines of an agent's `[device.snmp]` that say how to ask; the secrets that they name are written to `folder`.
    pub fn access(self, folder: &Path) -> anyhow::Result<String> {
        for (file, secret) in [("community", COMMUNITY), ("auth", AUTH_PASSWORD), ("privacy", PRIVACY_PASSWORD)] {
            write_secret(&folder.join(file), secret)?;
        }
        let folder = folder.display();
        Ok(match self {
            Self::V2c => format!("version = \"2c\"\ncommunity_file = \"{folder}/community\"\n"),
            Self::V3 => format!(
                "version = \"3\"\nuser = \"{USER}\"\nauth = \"sha256\"\nauth_password_file = \"{folder}/auth\"\n\
                 privacy = \"aes128\"\nprivacy_password_file = \"{folder}/privacy\"\n"
            ),
        })
    }
}

pub struct Snmpd {
    pub process: Process,
}

impl Snmpd {
    /// Serves v2c and v3 both; ready when it answers.
    pub fn start(namespace: &Namespace, folder: &Path) -> anyhow::Result<Self> {
        let config = folder.join("snmpd.conf");
        let text = format!(
            "agentaddress udp:127.0.0.1:161\nrocommunity {COMMUNITY}\n\
             createUser {USER} SHA-256 \"{AUTH_PASSWORD}\" AES \"{PRIVACY_PASSWORD}\"\nrouser {USER} authpriv\n"
        );
        fs::write(&config, text).with_context(|| config.display().to_string())?;
        let mut command = namespace.command("snmpd");
        command.args(["-f", "-Lo"]);
        // Its config and its store of engine boots are this laboratory's, not the machine's. By -C it would not
        // read its store either, and be a device that always boots for the first time.
        let store = folder.join("snmpd-state");
        let path = format!("{}:{}", folder.display(), store.display());
        command.env("SNMPCONFPATH", path).env("SNMP_PERSISTENT_DIR", store).env("MIBS", "");
        let mut process = Process::start("snmpd", command, &folder.join("snmpd.log"))?;
        wait_for("snmpd to listen", Duration::from_secs(20), || {
            process.check()?;
            Ok(namespace.run("cat /proc/net/udp")?.contains(":00A1 ").then_some(()))
        })?;
        Ok(Self { process })
    }
}
