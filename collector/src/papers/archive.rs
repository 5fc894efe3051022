//! The archive: a folder a paper, and `index.jsonl`, a line a paper, that any tool reads.

use std::{
    collections::HashSet,
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use serde_json::json;
use takar_shared::Digest;
use takar_store::PaperRow;

use crate::view::ArchiveView;

const INDEX: &str = "index.jsonl";

pub struct Archive {
    folder: PathBuf,
}

impl Archive {
    /// The folder is made; the index is written anew from what is stored, oldest first.
    pub fn open(folder: PathBuf, papers: &[PaperRow]) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let lines: String = papers.iter().rev().map(line).collect();
        let new = folder.join("index.jsonl.new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(lines.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, folder.join(INDEX))?;
        Ok(Self { folder })
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.join(below)
    }

    /// A line more. What cannot be written now is there after the next start.
    pub fn note(&self, paper: &PaperRow) {
        let append = || -> io::Result<()> {
            let path = self.folder.join(INDEX);
            OpenOptions::new().append(true).create(true).mode(0o600).open(path)?.write_all(line(paper).as_bytes())
        };
        if let Err(error) = append() {
            tracing::error!(%error, "the archive's index could not be written");
        }
    }

    /// Every file against what is stored, and what is stored against the audit log (`path`, SHA-256).
    pub fn verify(&self, papers: &[PaperRow], logged: &HashSet<(String, String)>) -> ArchiveView {
        let mut faults = Vec::new();
        let mut files = 0;
        for paper in papers {
            for file in &paper.files {
                files += 1;
                let (number, path) = (&paper.number, &file.path);
                if !logged.contains(&(file.path.clone(), file.digest.to_string())) {
                    faults.push(format!("{number}: the audit log does not know {path} with these contents"));
                }
                match fs::read(self.folder.join(&file.path)) {
                    Err(error) => faults.push(format!("{number}: {path} cannot be read: {error}")),
                    Ok(bytes) if Digest::of(&bytes) != file.digest => {
                        faults.push(format!("{number}: {path} was altered since it was written"));
                    }
                    Ok(_) => {}
                }
            }
        }
        let folder = self.folder.display().to_string();
        ArchiveView { ok: faults.is_empty(), papers: papers.len(), files, folder, faults }
    }
}

fn line(paper: &PaperRow) -> String {
    let files: Vec<_> = paper
        .files
        .iter()
        .map(|file| json!({"path": file.path, "bytes": file.bytes, "sha256": file.digest.to_string()}))
        .collect();
    let (kind, case) = (paper.kind.as_str(), paper.case.map(|id| id.0));
    let line = json!({"number": paper.number, "kind": kind, "case": case, "at": paper.at.0, "files": files});
    format!("{line}\n")
}

/// Written beside its place and moved there when all of it is on disk. What lies there is of an attempt that was not
/// made durable: nothing names it.
pub fn put(archive: &Path, folder: &str, files: &[(String, Vec<u8>)]) -> io::Result<()> {
    let place = archive.join(folder);
    let beside = place.with_extension("new");
    for old in [&place, &beside] {
        match fs::remove_dir_all(old) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    DirBuilder::new().recursive(true).mode(0o700).create(&beside)?;
    for (name, bytes) in files {
        let path = beside.join(name);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
    }
    fs::rename(&beside, &place)?;
    if let Some(parent) = place.parent() {
        fs::File::open(parent)?.sync_all()?;
    }
    Ok(())
}
