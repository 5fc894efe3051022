//! A package's files, as tar: in order, of root, of one time, so that the same files are the same bytes.

use std::io::Write as _;

use anyhow::Context as _;
use flate2::{Compression, GzBuilder};

/// 1 January 2026: packages carry no time of their building.
pub const MADE_AT: u64 = 1_767_225_600;

pub struct Entry {
    /// Without a leading slash.
    pub path: String,
    pub mode: u32,
    pub bytes: Vec<u8>,
}

impl Entry {
    pub fn new(path: &str, mode: u32, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), mode, bytes: bytes.into() }
    }
}

/// `prefix` is put before every path: `./` where packagers expect it.
pub fn tar(prefix: &str, entries: &[Entry]) -> anyhow::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut folders: Vec<String> = Vec::new();
    for entry in entries {
        for (at, _) in entry.path.match_indices('/') {
            let folder = entry.path.get(..=at).unwrap_or_default().to_owned();
            if !folders.contains(&folder) {
                let header = header(tar::EntryType::Directory, 0o755, 0);
                append(&mut archive, header, &format!("{prefix}{folder}"), &[])?;
                folders.push(folder);
            }
        }
        let header = header(tar::EntryType::Regular, entry.mode, entry.bytes.len() as u64);
        append(&mut archive, header, &format!("{prefix}{}", entry.path), &entry.bytes)?;
    }
    archive.into_inner().context("a tar archive")
}

pub fn gzip(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    // No time and no name in its header.
    let mut writer = GzBuilder::new().write(Vec::new(), Compression::best());
    writer.write_all(bytes)?;
    writer.finish().context("gzip")
}

fn header(kind: tar::EntryType, mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(MADE_AT);
    header.set_uid(0);
    header.set_gid(0);
    header
}

fn append(
    archive: &mut tar::Builder<Vec<u8>>,
    mut header: tar::Header,
    path: &str,
    bytes: &[u8],
) -> anyhow::Result<()> {
    archive.append_data(&mut header, path, bytes).with_context(|| path.to_owned())
}
