//! The journal on disk: one file in the state folder, written on change only and made durable before
//! anything relies on it. What is in it, and what counts as damage, is in `takar-agent-core`.
//!
//! When what was appended outgrows the snapshot it begins with, a new snapshot is written beside it,
//! made durable, read back, and only then renamed over it. So whatever the moment of a power cut, the
//! file of this name is one whole journal, the old or the new, and what lies beside it is of no account.

#[cfg(test)]
mod tests;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use takar_agent_core::journal::{self, Record, Recovered, State};

const NAME: &str = "journal";
/// A snapshot that is being written.
const NEXT: &str = "journal.new";
/// What earlier builds called theirs. They are not read, but never taken for nothing either.
const FORMER: [&str; 2] = ["journal.a", "journal.b"];
/// Appended at least, before it is worth a new snapshot.
const LEAST_APPENDED: u64 = 64 * 1024;

pub struct Journal {
    dir: PathBuf,
    state: State,
    file: File,
    length: u64,
    /// Past this length a new snapshot is written.
    turn_at: u64,
    /// What a write that failed may have left behind `length`.
    uncut: bool,
    /// The file's name is not known to be durable.
    unnamed: bool,
    _lock: File,
}

impl Journal {
    /// Recovers the state. Two agents on one folder, or a journal that is damaged, are errors: a fresh
    /// start, or an older state, would forget which serials were consumed.
    pub fn open(dir: &Path) -> anyhow::Result<Self> {
        let lock = lock(dir)?;
        let path = dir.join(NAME);
        match fs::read(&path) {
            Ok(bytes) => match journal::recover(&bytes) {
                Ok(recovered) => Self::resume(dir, recovered, lock),
                Err(damaged) => bail!(
                    "{} is damaged: {damaged}; the agent must be enrolled anew in an empty state folder",
                    path.display()
                ),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::begin(dir, lock),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    /// Appends and makes durable, all or nothing. On failure nothing of it counts, here or (unless the
    /// disk refuses even to cut it off again) after a restart.
    pub fn append(&mut self, records: &[Record]) -> io::Result<()> {
        let bytes = journal::frame(records).map_err(io::Error::other)?;
        self.settle()?;
        if let Err(error) = self.file.write_all_at(&bytes, self.length).and_then(|()| self.file.sync_data()) {
            // Cut off what may have reached the disk; until that is done nothing more is appended.
            self.uncut = true;
            if let Err(cut) = self.settle() {
                tracing::error!(%cut, "journal could not be cut back");
            }
            return Err(error);
        }
        self.length += bytes.len() as u64;
        records.iter().for_each(|record| self.state.fold(record));
        if self.length > self.turn_at
            && let Err(error) = self.turn()
        {
            // All is in the file as it is. The next try comes later, since each one wears the flash.
            self.turn_at = self.length + LEAST_APPENDED;
            tracing::warn!(%error, "journal could not be folded into a snapshot");
        }
        Ok(())
    }

    /// Does what an earlier failure left undone.
    fn settle(&mut self) -> io::Result<()> {
        if self.unnamed {
            File::open(&self.dir)?.sync_all()?;
            self.unnamed = false;
        }
        if self.uncut {
            self.file.set_len(self.length)?;
            self.file.sync_all()?;
            self.uncut = false;
        }
        Ok(())
    }

    /// Goes over to a new snapshot. Until it is renamed, nothing of the old journal is touched.
    fn turn(&mut self) -> io::Result<()> {
        let written = write_snapshot(&self.dir, &self.state);
        let named = written.and_then(|(file, length)| {
            fs::rename(self.dir.join(NEXT), self.dir.join(NAME))?;
            Ok((file, length))
        });
        let (file, length) = named.inspect_err(|_| {
            // It may be what filled the disk.
            let _ = fs::remove_file(self.dir.join(NEXT));
        })?;
        (self.file, self.length, self.turn_at) = (file, length, turn_at(length));
        self.unnamed = true;
        self.settle()
    }

    fn begin(dir: &Path, lock: File) -> anyhow::Result<Self> {
        for former in FORMER.map(|name| dir.join(name)) {
            if former.exists() {
                bail!(
                    "{} is of an earlier build, which this one does not read; the agent must be enrolled anew in an \
                     empty state folder",
                    former.display()
                );
            }
        }
        let state = State::default();
        let begun = write_snapshot(dir, &state).and_then(|(file, length)| {
            fs::rename(dir.join(NEXT), dir.join(NAME))?;
            File::open(dir)?.sync_all()?;
            Ok((file, length))
        });
        let (file, length) = begun.with_context(|| format!("cannot write the journal in {}", dir.display()))?;
        let turn_at = turn_at(length);
        Ok(Self { dir: dir.to_owned(), state, file, length, turn_at, uncut: false, unnamed: false, _lock: lock })
    }

    fn resume(dir: &Path, recovered: Recovered, lock: File) -> anyhow::Result<Self> {
        let path = dir.join(NAME);
        let length = recovered.good_bytes as u64;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        if recovered.torn {
            tracing::warn!(path = %path.display(), "journal ended in a torn record; cut off (it was never relied on)");
        }
        let mut journal = Self {
            dir: dir.to_owned(),
            state: recovered.state,
            file,
            length,
            turn_at: turn_at(recovered.snapshot_bytes as u64),
            uncut: recovered.torn,
            // A crash may have come between the rename and its being made durable.
            unnamed: true,
            _lock: lock,
        };
        journal.settle().with_context(|| format!("cannot write {}", path.display()))?;
        Ok(journal)
    }
}

/// Written no more often than its size is worth, or a large snapshot would wear the flash with each append.
fn turn_at(snapshot: u64) -> u64 {
    snapshot.saturating_add(snapshot.max(LEAST_APPENDED))
}

/// Written, durable and read back, but not yet under the journal's name.
fn write_snapshot(dir: &Path, state: &State) -> io::Result<(File, u64)> {
    let bytes = journal::snapshot(state).map_err(io::Error::other)?;
    let path = dir.join(NEXT);
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    file.rewind()?;
    let mut read = Vec::with_capacity(bytes.len());
    file.read_to_end(&mut read)?;
    holds(&read, state)?;
    Ok((file, bytes.len() as u64))
}

/// Whatever was meant to be written: is it what a restart will make of it?
fn holds(snapshot: &[u8], state: &State) -> io::Result<()> {
    let recovered = journal::recover(snapshot).map_err(io::Error::other)?;
    if recovered.torn || recovered.state != *state {
        return Err(io::Error::other("the snapshot reads back as another state than was written"));
    }
    Ok(())
}

fn lock(dir: &Path) -> anyhow::Result<File> {
    let path = dir.join("lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    if rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_err() {
        let mut holder = String::new();
        let _ = file.read_to_string(&mut holder);
        bail!("state folder {} is in use by another takar-agent (process {})", dir.display(), holder.trim());
    }
    file.set_len(0)
        .and_then(|()| write!(file, "{}", std::process::id()))
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(file)
}
