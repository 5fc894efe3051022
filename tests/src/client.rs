//! `takar --json`, asked as a program would ask it.

use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::process::{binaries, run};

/// The command line of one collector.
pub struct Client {
    program: PathBuf,
    config: PathBuf,
}

impl Client {
    /// Of the collector with this config, by the workspace's own build of `takar`.
    pub fn of(config: PathBuf) -> anyhow::Result<Self> {
        Ok(Self { program: binaries()?.join("takar"), config })
    }

    /// The command, so that it may be given more.
    pub fn takar(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(&self.config).arg("--json").args(words);
        command
    }

    /// What it answers.
    pub fn ask(&self, words: &[&str]) -> anyhow::Result<Value> {
        let text = run(&mut self.takar(words))?;
        serde_json::from_str(&text).with_context(|| format!("takar --json {} wrote no JSON", words.join(" ")))
    }

    /// An answer that is a list.
    pub fn list(&self, words: &[&str]) -> anyhow::Result<Vec<Value>> {
        match self.ask(words)? {
            Value::Array(rows) => Ok(rows),
            other => bail!("takar --json {} answered {other}, expected a list", words.join(" ")),
        }
    }
}

/// So long from now, as the command line reads a time.
pub fn in_seconds(seconds: u64) -> anyhow::Result<String> {
    let at = SystemTime::now().duration_since(UNIX_EPOCH)? + Duration::from_secs(seconds);
    let text = run(Command::new("date").args(["-u", "-d", &format!("@{}", at.as_secs()), "+%FT%TZ"]))?;
    Ok(text.trim().to_owned())
}
