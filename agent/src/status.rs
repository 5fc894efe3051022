//! What the agent says of itself: a small file beside the spool, rewritten after each round of
//! polls, and `takar-agent status`, which reads it.

use std::{fs, io, path::Path};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::clock;

const FILE: &str = "status.json";

#[derive(Debug, Serialize, Deserialize)]
pub struct Status {
    pub name: String,
    pub agent: String,
    pub version: String,
    pub mode: String,
    pub boot_epoch: u32,
    pub process: u32,
    /// On the boot-time clock, in ms.
    pub written_at_ms: u64,
    pub connected: bool,
    /// Seconds that the newest grant still lives; absent without one.
    pub grant_s: Option<u64>,
    pub seq: u64,
    pub spooled_messages: usize,
    pub spooled_bytes: usize,
    pub alarms: u32,
    pub devices: Vec<DeviceStatus>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DeviceStatus {
    pub device: String,
    pub outcome: String,
    pub detail: Option<String>,
    pub last_serial: u64,
    pub pending: Option<String>,
}

pub fn write(dir: &Path, status: &Status) -> io::Result<()> {
    let part = dir.join("status.part");
    fs::write(&part, serde_json::to_vec(status)?)?;
    fs::rename(part, dir.join(FILE))
}

/// Prints the newest status. `Ok(false)`: there is none or it is old, so the agent does not run.
pub fn print(dir: &Path, json: bool, stale_after_ms: u64) -> anyhow::Result<bool> {
    let path = dir.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            eprintln!("takar-agent: no status in {}; takar-agent run has not written one", path.display());
            return Ok(false);
        }
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let status: Status = serde_json::from_str(&text).with_context(|| format!("{} is no status", path.display()))?;
    // One from before a reboot is of a clock that began anew, and may be ahead of it.
    let age_ms = clock::now().0.checked_sub(status.written_at_ms);
    let fresh = age_ms.is_some_and(|age_ms| age_ms <= stale_after_ms);
    if json {
        println!("{}", serde_json::to_string(&status)?);
        return Ok(fresh);
    }
    let Status { name, agent, mode, version, .. } = &status;
    println!("{name} ({agent}), {mode}, takar-agent {version}");
    match age_ms {
        _ if fresh => {}
        Some(age_ms) => println!("not running: the last sign of life is {} s old", age_ms / 1000),
        None => println!("not running: the last sign of life is from before a reboot"),
    }
    let broker = if status.connected { "connected" } else { "not connected" };
    let grant =
        status.grant_s.map_or("no living grant: commands are refused".into(), |s| format!("grant for {s} s more"));
    println!("broker {broker}; {grant}");
    println!(
        "{} messages ({} bytes) wait in the spool; {} messages refused",
        status.spooled_messages, status.spooled_bytes, status.alarms
    );
    for device in &status.devices {
        let detail = device.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
        let pending = device.pending.as_deref().unwrap_or("no change pending");
        println!("{}: poll {}{detail}; serial {}; {pending}", device.device, device.outcome, device.last_serial);
    }
    Ok(fresh)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(written_at_ms: u64) -> Status {
        Status {
            name: "core-1".into(),
            agent: "00".into(),
            version: "0".into(),
            mode: "observe".into(),
            boot_epoch: 1,
            process: 1,
            written_at_ms,
            connected: false,
            grant_s: None,
            seq: 0,
            spooled_messages: 0,
            spooled_bytes: 0,
            alarms: 0,
            devices: vec![DeviceStatus::default()],
        }
    }

    #[test]
    fn only_a_fresh_status_is_of_an_agent_that_runs() {
        let dir = tempfile::tempdir().unwrap();
        let runs = |json| print(dir.path(), json, 10_000);
        assert!(!runs(true).unwrap(), "there is none");
        let now = clock::now().0;
        for (written_at_ms, expected) in
            [(now, true), (now.saturating_sub(60_000), now <= 10_000), (now + 3_600_000, false)]
        {
            write(dir.path(), &status(written_at_ms)).unwrap();
            for json in [false, true] {
                assert_eq!(runs(json).unwrap(), expected, "written at {written_at_ms}, now {now}");
            }
        }
        fs::write(dir.path().join(FILE), "hello").unwrap();
        for json in [false, true] {
            assert!(runs(json).unwrap_err().to_string().ends_with("is no status"));
        }
    }
}
