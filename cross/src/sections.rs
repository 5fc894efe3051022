//! What a loader never reads is cut off an ELF program: section headers, and sections that are in no segment (ELF
//! specification, "Program Header"). On MIPS that is a tenth of the file, which `strip` leaves. OpenWrt's sstrip does the
//! same.

use anyhow::{Context as _, bail, ensure};

/// Offsets of the file header's fields: 32 and 64 bits.
struct Layout {
    wide: bool,
    big: bool,
}

pub fn cut(mut file: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    ensure!(file.starts_with(b"\x7fELF"), "no ELF file");
    let layout = match (file.get(4), file.get(5)) {
        (Some(class @ 1..=2), Some(order @ 1..=2)) => Layout { wide: *class == 2, big: *order == 2 },
        _ => bail!("an ELF file of no known class and byte order"),
    };
    // e_phoff, e_shoff, e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx.
    let (phoff, shoff, sizes) = if layout.wide { (32, 40, 52) } else { (28, 32, 40) };
    let (headers, size, count) =
        (layout.word(&file, phoff)?, layout.half(&file, sizes + 2)?, layout.half(&file, sizes + 4)?);
    let mut end = headers + size * count;
    for index in 0..count {
        let at = headers + index * size;
        let (offset, length) = if layout.wide { (at + 8, at + 32) } else { (at + 4, at + 16) };
        end = end.max(layout.word(&file, offset)? + layout.word(&file, length)?);
    }
    ensure!(end <= file.len(), "a segment lies beyond the file's end");
    file.truncate(end);
    let width = if layout.wide { 8 } else { 4 };
    for (at, length) in [(shoff, width), (sizes + 8, 4)] {
        file.get_mut(at..at + length).context("a file header that is cut off")?.fill(0);
    }
    Ok(file)
}

impl Layout {
    fn number(&self, file: &[u8], at: usize, length: usize) -> anyhow::Result<usize> {
        let bytes = file.get(at..at.saturating_add(length)).context("a header beyond the file's end")?;
        let digit = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        let number = if self.big { bytes.iter().fold(0, digit) } else { bytes.iter().rev().fold(0, digit) };
        // So that sums of a few stay in range whatever the file says.
        ensure!(number < 1 << 40, "a header that points beyond any file");
        Ok(usize::try_from(number)?)
    }

    fn half(&self, file: &[u8], at: usize) -> anyhow::Result<usize> {
        self.number(file, at, 2)
    }

    fn word(&self, file: &[u8], at: usize) -> anyhow::Result<usize> {
        self.number(file, at, if self.wide { 8 } else { 4 })
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// This test's own program, which must still run.
    #[test]
    fn what_is_left_still_runs() {
        let own = std::env::current_exe().unwrap();
        let whole = std::fs::read(&own).unwrap();
        let cut = cut(whole.clone()).unwrap();
        assert!(cut.len() < whole.len());
        let folder = std::env::temp_dir().join(format!("takar-cross-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("cut");
        std::fs::write(&file, cut).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&file, mode).unwrap();
        let listed = Command::new(&file).arg("--list").output().unwrap();
        std::fs::remove_dir_all(folder).unwrap();
        assert!(String::from_utf8_lossy(&listed.stdout).contains("what_is_left_still_runs"));
    }

    #[test]
    fn what_is_no_program_is_told() {
        for wrong in [&b""[..], b"#!/bin/sh", b"\x7fELF", b"\x7fELF\x09\x01", &[0x7f, b'E', b'L', b'F', 2, 1, 1, 0]] {
            assert!(cut(wrong.to_vec()).is_err());
        }
        let mut far = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        far[32..40].fill(0xff);
        assert!(cut(far).is_err());
    }
}
