//! Where a demo's files lie, and the small acts on them.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};

/// A folder that goes with its owner, unless it was asked for by name.
pub struct Place {
    path: PathBuf,
    /// Held for its drop, which removes the folder.
    _temporary: Option<tempfile::TempDir>,
}

impl Place {
    pub fn open(keep: Option<&Path>) -> anyhow::Result<Self> {
        let Some(keep) = keep else {
            let temporary = tempfile::Builder::new().prefix("takar-demo-").tempdir().context("no temporary folder")?;
            return Ok(Self { path: temporary.path().to_owned(), _temporary: Some(temporary) });
        };
        let path = std::path::absolute(keep)?;
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        let empty = fs::read_dir(&path)?.next().is_none();
        ensure!(empty, "{} is not empty, expected a new folder", path.display());
        Ok(Self { path, _temporary: None })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A new folder in it.
    pub fn folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.path.join(name);
        fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(path)
    }
}

/// Writes a new file that only its owner may read (0600).
pub fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let shown = || format!("cannot write {}", path.display());
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).with_context(shown)?;
    file.write_all(text.as_bytes()).with_context(shown)
}

pub fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// A path as a TOML string. JSON's escapes are TOML's too.
pub fn quoted(path: &Path) -> String {
    serde_json::Value::String(path.display().to_string()).to_string()
}
