//! The program `uci`, run directly: no shell, and nothing in its arguments that was not checked.
//!
//! It has a folder of its own for what is set and not yet committed, so that a commit takes nobody else's half-made
//! changes along. It is never waited for longer than [`PATIENCE`]: another program may hold the file's lock.

use std::{
    ffi::OsStr,
    fmt, fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime},
};

use crate::queue::QueueError;

const PATIENCE: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// SQM's file, which is its package's name too.
const PACKAGE: &str = "sqm";

/// The name of a section as UCI takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionName(String);

impl SectionName {
    /// `None` for what is no name: expected are 1 to 64 of `A-Z a-z 0-9 _`.
    pub fn parse(text: &str) -> Option<Self> {
        let sound = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        (sound && (1..=64).contains(&text.len())).then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for SectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One section of SQM's settings, and how to reach it.
#[derive(Clone, Debug)]
pub struct Uci {
    section: SectionName,
    program: PathBuf,
    config_dir: PathBuf,
    save_dir: PathBuf,
}

impl Uci {
    /// Where OpenWrt has everything. /var is in memory there.
    pub fn new(section: SectionName) -> Self {
        Self::at(section, "uci".into(), "/etc/config".into(), "/var/run/takar-agent-uci".into())
    }

    pub fn at(section: SectionName, program: PathBuf, config_dir: PathBuf, save_dir: PathBuf) -> Self {
        Self { section, program, config_dir, save_dir }
    }

    pub fn name(&self) -> &SectionName {
        &self.section
    }

    /// An option as UCI addresses it.
    pub fn place(&self, option: &str) -> String {
        format!("{PACKAGE}.{}.{option}", self.section)
    }

    /// Tells whether the file was written since; `None` where it is not there.
    pub fn stamp(&self) -> Option<(SystemTime, u64)> {
        let file = fs::metadata(self.config_dir.join(PACKAGE)).ok()?;
        Some((file.modified().ok()?, file.len()))
    }

    /// What is committed.
    pub async fn section(&self) -> Result<Section, QueueError> {
        // A folder that is never there: nothing that was only set, by whomever, is shown.
        let none = self.save_dir.join("none");
        let shown = self.run(none.as_os_str(), &["-X", "show", &format!("{PACKAGE}.{}", self.section)]).await?;
        Ok(Section::parse(&shown, &self.section))
    }

    /// Sets these options and commits them, all or none.
    pub async fn write(&self, options: &[(&str, u64)]) -> Result<(), QueueError> {
        let save_dir = self.save_dir.as_os_str();
        // What a power cut may have left of an earlier try.
        self.run(save_dir, &["revert", PACKAGE]).await?;
        for (option, value) in options {
            self.run(save_dir, &["set", &format!("{}={value}", self.place(option))]).await?;
        }
        self.run(save_dir, &["commit", PACKAGE]).await.map(drop)
    }

    async fn run(&self, save_dir: &OsStr, words: &[&str]) -> Result<String, QueueError> {
        let command = format!("uci {}", words.join(" "));
        let child = Command::new(&self.program)
            .arg("-c")
            .arg(&self.config_dir)
            .arg("-t")
            .arg(save_dir)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| QueueError::Unreachable { address: self.program.display().to_string(), source })?;
        finished(child, command).await
    }
}

/// What it wrote, once it has ended well.
async fn finished(mut child: Child, command: String) -> Result<String, QueueError> {
    let mut waited = Duration::ZERO;
    let failed = |command: &str, source| QueueError::Unreachable { address: command.to_owned(), source };
    while child.try_wait().map_err(|error| failed(&command, error))?.is_none() {
        if waited >= PATIENCE {
            // It may have ended just now; and once it is killed there is nothing to wait for.
            let _ = child.kill();
            let _ = child.wait();
            let after_ms = u64::try_from(PATIENCE.as_millis()).unwrap_or(u64::MAX);
            return Err(QueueError::Timeout { address: command, after_ms });
        }
        tokio::time::sleep(LOOK_EVERY).await;
        waited += LOOK_EVERY;
    }
    let output = child.wait_with_output().map_err(|error| failed(&command, error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().escape_debug();
        return Err(QueueError::Refused { command, message: format!("{} ({said})", output.status) });
    }
    String::from_utf8(output.stdout).map_err(|_| QueueError::Garbage { what: format!("{command}: expected UTF-8") })
}

/// The options of a section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section(Vec<(String, String)>);

impl Section {
    /// Reads `sqm.wan.download='20000'`, a line an option. Lists are of no use here and read as one value.
    fn parse(shown: &str, section: &SectionName) -> Self {
        let begin = format!("{PACKAGE}.{section}.");
        let options = shown.lines().filter_map(|line| {
            let (option, value) = line.strip_prefix(&begin)?.split_once('=')?;
            let value = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\'')).unwrap_or(value);
            Some((option.to_owned(), value.replace(r"'\''", "'")))
        });
        Self(options.collect())
    }

    pub fn get(&self, option: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == option).map(|(_, value)| value.as_str())
    }

    /// A rate in kbit/s.
    pub fn kbit(&self, option: &str) -> Option<u64> {
        self.get(option)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_section_is_what_uci_shows_of_it() {
        let shown = "sqm.wan=queue\nsqm.wan.enabled='1'\nsqm.wan.interface='eth0'\nsqm.wan.download='900000'\n\
                     sqm.wan.note='it'\\''s'\nsqm.wan.list='a b' 'c'\nsqm.other.upload='7'\n";
        let section = Section::parse(shown, &SectionName::parse("wan").unwrap());
        assert_eq!((section.get("interface"), section.get("note")), (Some("eth0"), Some("it's")));
        assert_eq!(
            (section.kbit("download"), section.kbit("upload"), section.kbit("note")),
            (Some(900_000), None, None)
        );
    }

    #[test]
    fn nothing_but_a_name_becomes_an_argument() {
        assert_eq!(SectionName::parse("wan_2").unwrap().to_string(), "wan_2");
        for odd in ["", "a b", "wan.download", "@queue[0]", "-x", "w\u{e4}n", "a=b", &"x".repeat(65)] {
            assert_eq!(SectionName::parse(odd), None, "{odd:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(shown in "(sqm\\.wan(\\.[a-z]{0,3})?=?'?[^a]{0,9}'?\n?){0,5}") {
            let section = Section::parse(&shown, &SectionName::parse("wan").unwrap());
            prop_assert!(section.0.len() <= shown.lines().count());
        }
    }
}
