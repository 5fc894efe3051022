//! The spool's files: one per message in the spool folder (tmpfs: it outlives the process, not the
//! power). The name says what the message covers, so that nothing must be decoded at start.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use takar_agent_core::spool::{Covers, Spooled};
use takar_shared::{AgentId, BootEpoch, Seq};

/// Names the agent whose messages these are.
const OWNER: &str = "owner";

pub struct SpoolFiles {
    dir: PathBuf,
}

impl SpoolFiles {
    /// What `agent` left there. Messages of another agent, whose key this one does not have, are thrown away: nobody
    /// would take them, and their numbers would stand in the way of this one's.
    pub fn open(dir: &Path, agent: AgentId) -> anyhow::Result<(Self, Vec<Spooled>)> {
        let cannot = || format!("cannot use the spool folder {}", dir.display());
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).with_context(cannot)?;
        let owner = dir.join(OWNER);
        let is_ours = match fs::read_to_string(&owner) {
            Ok(text) => text == agent.to_string(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", owner.display())),
        };
        let (mut kept, mut thrown) = (Vec::new(), 0);
        for entry in fs::read_dir(dir).with_context(cannot)? {
            let path = entry.with_context(cannot)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if let Some(covers) = parse(name) {
                if !is_ours {
                    fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
                    thrown += 1;
                    continue;
                }
                let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
                // A file cut short by a kill: its rename never happened, so an empty one cannot be.
                kept.push(Spooled { covers, bytes });
            } else if name.ends_with(".part") {
                fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
            }
        }
        if thrown > 0 {
            tracing::warn!(thrown, "the spool was of an agent with another key; its messages are thrown away");
        }
        // Last: until then they are still another's.
        fs::write(&owner, agent.to_string()).with_context(|| format!("cannot write {}", owner.display()))?;
        Ok((Self { dir: dir.to_owned() }, kept))
    }

    pub fn write(&self, message: &Spooled) -> io::Result<()> {
        use io::Write as _;
        let part = self.dir.join("message.part");
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        file.write_all(&message.bytes)?;
        fs::rename(part, self.dir.join(file_name(message.covers)))
    }

    pub fn remove(&self, covers: Covers) -> io::Result<()> {
        match fs::remove_file(self.dir.join(file_name(covers))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn file_name(covers: Covers) -> String {
    format!("{}-{}-{}-{}.msg", covers.epoch.0, covers.first.0, covers.last.0, covers.samples)
}

fn parse(name: &str) -> Option<Covers> {
    let mut parts = name.strip_suffix(".msg")?.split('-');
    let mut next = || parts.next()?.parse::<u64>().ok();
    let (epoch, first, last, samples) = (next()?, next()?, next()?, next()?);
    Some(Covers { epoch: BootEpoch(u32::try_from(epoch).ok()?), first: Seq(first), last: Seq(last), samples })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: AgentId = AgentId([7; 16]);

    #[test]
    fn messages_are_there_again() {
        let dir = tempfile::tempdir().unwrap();
        let (files, kept) = SpoolFiles::open(dir.path(), OURS).unwrap();
        assert!(kept.is_empty());
        let covers = Covers { epoch: BootEpoch(3), first: Seq(1), last: Seq(9), samples: 77 };
        let message = Spooled { covers, bytes: vec![1, 2, 3] };
        files.write(&message).unwrap();
        fs::write(dir.path().join("message.part"), b"half").unwrap();
        assert_eq!(SpoolFiles::open(dir.path(), OURS).unwrap().1, [message]);
        files.remove(covers).unwrap();
        files.remove(covers).unwrap();
        assert!(SpoolFiles::open(dir.path(), OURS).unwrap().1.is_empty());
    }

    #[test]
    fn what_an_agent_with_another_key_left_is_thrown_away() {
        let dir = tempfile::tempdir().unwrap();
        let (files, _) = SpoolFiles::open(dir.path(), OURS).unwrap();
        let covers = Covers { epoch: BootEpoch(3), first: Seq(1), last: Seq(9), samples: 77 };
        files.write(&Spooled { covers, bytes: vec![1] }).unwrap();
        let other = AgentId([8; 16]);
        assert!(SpoolFiles::open(dir.path(), other).unwrap().1.is_empty());
        assert!(SpoolFiles::open(dir.path(), OURS).unwrap().1.is_empty(), "they do not come back");
    }
}
