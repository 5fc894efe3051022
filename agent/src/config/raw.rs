//! The config file as it is written, before anything about it was checked.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use takar_shared::Direction;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    #[serde(default)]
    pub(super) mode: Option<String>,
    pub(super) state_dir: PathBuf,
    pub(super) spool_dir: PathBuf,
    #[serde(default = "default_spool")]
    pub(super) spool_max_bytes: u64,
    #[serde(default = "default_poll")]
    pub(super) poll_every_ms: u64,
    #[serde(default = "default_polls")]
    pub(super) polls_per_message: u16,
    #[serde(default)]
    pub(super) device: Vec<RawDevice>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDevice {
    pub(super) name: String,
    #[serde(default = "default_changes")]
    pub(super) changes_per_hour: u16,
    pub(super) snmp: Option<RawSnmp>,
    pub(super) kernel: Option<RawKernel>,
    pub(super) queues: Option<RawQueues>,
    #[serde(default)]
    pub(super) shaper: Vec<RawShaper>,
}

impl RawDevice {
    /// The files of its secrets.
    pub(super) fn secrets(&self) -> Vec<&Path> {
        let snmp = self.snmp.iter().flat_map(|snmp| {
            [&snmp.community_file, &snmp.auth_password_file, &snmp.privacy_password_file].into_iter().flatten()
        });
        let queues = self.queues.iter().flat_map(|queues| &queues.password_file);
        snmp.chain(queues).map(PathBuf::as_path).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSnmp {
    pub(super) address: String,
    #[serde(default = "default_version")]
    pub(super) version: String,
    pub(super) community_file: Option<PathBuf>,
    pub(super) user: Option<String>,
    pub(super) auth: Option<String>,
    pub(super) auth_password_file: Option<PathBuf>,
    pub(super) privacy: Option<String>,
    pub(super) privacy_password_file: Option<PathBuf>,
    #[serde(default = "default_timeout")]
    pub(super) timeout_ms: u64,
    #[serde(default = "default_retries")]
    pub(super) retries: u8,
    pub(super) interfaces: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawKernel {
    pub(super) interfaces: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawQueues {
    pub(super) backend: String,
    pub(super) address: Option<String>,
    pub(super) user: Option<String>,
    pub(super) password_file: Option<PathBuf>,
    pub(super) certificate_file: Option<PathBuf>,
    pub(super) sqm_section: Option<String>,
    #[serde(default = "default_timeout")]
    pub(super) timeout_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawShaper {
    pub(super) queue: Option<String>,
    pub(super) tree: Option<String>,
    pub(super) class: Option<String>,
    pub(super) interface: Option<String>,
    pub(super) direction: Direction,
    pub(super) floor_bps: u64,
    pub(super) ceiling_bps: u64,
}

fn default_spool() -> u64 {
    4 * 1024 * 1024
}
fn default_poll() -> u64 {
    5_000
}
fn default_polls() -> u16 {
    3
}
fn default_changes() -> u16 {
    12
}
fn default_version() -> String {
    "2c".into()
}
fn default_timeout() -> u64 {
    1_000
}
fn default_retries() -> u8 {
    2
}
