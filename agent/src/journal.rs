//! The journal on disk: two segments in the state folder, written on change only and made durable
//! before anything relies on them. What records mean is in `takar-agent-core`.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use takar_agent_core::journal::{self, Record, State};

/// A segment is folded into a snapshot past this many bytes.
const SEGMENT_BYTES: u64 = 64 * 1024;
const NAMES: [&str; 2] = ["journal.a", "journal.b"];

pub struct Journal {
    dir: PathBuf,
    state: State,
    generation: u64,
    /// Which of the two is written.
    active: usize,
    file: File,
    length: u64,
    _lock: File,
}

impl Journal {
    /// Recovers the newest state. Two agents on one folder, or a journal of which nothing can be
    /// read, are errors: a fresh start would forget which serials were consumed.
    pub fn open(dir: &Path) -> anyhow::Result<Self> {
        let lock = lock(dir)?;
        let mut best: Option<(usize, journal::Recovered)> = None;
        let mut damaged = Vec::new();
        for (at, name) in NAMES.iter().enumerate() {
            let path = dir.join(name);
            let bytes = match fs::read(&path) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
            };
            let recovered = journal::recover(&bytes);
            match recovered.generation {
                None if !bytes.is_empty() => damaged.push(path.display().to_string()),
                generation if best.as_ref().is_none_or(|(_, best)| generation > best.generation) => {
                    best = Some((at, recovered));
                }
                _ => {}
            }
        }
        match best.filter(|(_, recovered)| recovered.generation.is_some()) {
            Some((active, recovered)) => Self::resume(dir, active, recovered, lock),
            None if damaged.is_empty() => Self::begin(dir, 0, 1, State::default(), lock),
            None => bail!(
                "journal is damaged ({}); the agent must be enrolled anew in an empty state folder",
                damaged.join(", ")
            ),
        }
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    /// Appends and makes durable. On failure nothing of it counts, here or after a restart.
    pub fn append(&mut self, records: &[Record]) -> io::Result<()> {
        let bytes: Vec<u8> = records.iter().flat_map(journal::frame).collect();
        if let Err(error) = self.file.write_all(&bytes).and_then(|()| self.file.sync_data()) {
            // Cut off what may have reached the disk; recovery would stop before a torn frame anyway.
            self.file
                .set_len(self.length)
                .and_then(|()| self.file.seek(SeekFrom::End(0)))
                .map_or_else(|cut| tracing::error!(%cut, "journal could not be cut back"), |_| ());
            return Err(error);
        }
        self.length += bytes.len() as u64;
        records.iter().for_each(|record| self.state.fold(record));
        if self.length > SEGMENT_BYTES
            && let Err(error) = self.turn()
        {
            // The full segment still holds everything; the next append tries again.
            tracing::warn!(%error, "journal segment could not be turned");
        }
        Ok(())
    }

    fn turn(&mut self) -> io::Result<()> {
        let (active, generation) = (1 - self.active, self.generation + 1);
        let (file, length) = write_snapshot(&self.dir, active, generation, &self.state)?;
        (self.active, self.generation, self.file, self.length) = (active, generation, file, length);
        Ok(())
    }

    fn begin(dir: &Path, active: usize, generation: u64, state: State, lock: File) -> anyhow::Result<Self> {
        let written = write_snapshot(dir, active, generation, &state);
        let (file, length) = written.with_context(|| format!("cannot write the journal in {}", dir.display()))?;
        Ok(Self { dir: dir.to_owned(), state, generation, active, file, length, _lock: lock })
    }

    fn resume(dir: &Path, active: usize, recovered: journal::Recovered, lock: File) -> anyhow::Result<Self> {
        let path = dir.join(NAMES[active]);
        let length = recovered.good_bytes as u64;
        let open = || -> io::Result<File> {
            let mut file = OpenOptions::new().read(true).write(true).open(&path)?;
            if recovered.torn {
                tracing::warn!(path = %path.display(), "journal ended in a torn record; cut off (it was never relied on)");
                file.set_len(length)?;
                file.sync_data()?;
            }
            file.seek(SeekFrom::Start(length))?;
            Ok(file)
        };
        let file = open().with_context(|| format!("cannot open {}", path.display()))?;
        let generation = recovered.generation.unwrap_or(1);
        Ok(Self { dir: dir.to_owned(), state: recovered.state, generation, active, file, length, _lock: lock })
    }
}

fn write_snapshot(dir: &Path, active: usize, generation: u64, state: &State) -> io::Result<(File, u64)> {
    let path = dir.join(NAMES[active]);
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let bytes = journal::frame(&Record::Snapshot { generation, state: state.clone() });
    file.write_all(&bytes)?;
    file.sync_all()?;
    File::open(dir)?.sync_all()?;
    Ok((file, bytes.len() as u64))
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

#[cfg(test)]
mod tests {
    use super::*;
    use takar_shared::{BootEpoch, UnixMillis};

    #[test]
    fn what_was_appended_is_there_again_over_many_segments() {
        let dir = tempfile::tempdir().unwrap();
        for round in 0..3u64 {
            let mut journal = Journal::open(dir.path()).unwrap();
            assert_eq!(journal.state().high_water, UnixMillis(round * 5_000));
            for at in 1..=5_000 {
                journal.append(&[Record::HighWater(UnixMillis(round * 5_000 + at))]).unwrap();
            }
            journal.append(&[Record::Boot { epoch: BootEpoch(7) }]).unwrap();
        }
        let sizes = NAMES.map(|name| fs::metadata(dir.path().join(name)).unwrap().len());
        assert!(sizes.iter().all(|size| *size < 2 * SEGMENT_BYTES), "{sizes:?}");
    }

    #[test]
    fn a_second_agent_is_told_who_holds_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let _first = Journal::open(dir.path()).unwrap();
        let error = Journal::open(dir.path()).err().unwrap().to_string();
        assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
    }

    #[test]
    fn a_journal_of_garbage_is_not_a_fresh_start() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("journal.a"), b"garbage, not a journal").unwrap();
        assert!(Journal::open(dir.path()).err().unwrap().to_string().contains("damaged"));
    }

    #[test]
    fn a_torn_tail_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        Journal::open(dir.path()).unwrap().append(&[Record::Boot { epoch: BootEpoch(3) }]).unwrap();
        let path = dir.path().join("journal.a");
        let whole = fs::read(&path).unwrap();
        fs::write(&path, [&whole[..], &[9, 0, 0, 0, 1]].concat()).unwrap();
        let mut journal = Journal::open(dir.path()).unwrap();
        journal.append(&[Record::Boot { epoch: BootEpoch(4) }]).unwrap();
        drop(journal);
        assert_eq!(Journal::open(dir.path()).unwrap().state().epoch, BootEpoch(4));
    }
}
