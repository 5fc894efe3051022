//! A password or key in a file of its own, which nobody else may read.

use std::{
    fs::File,
    io::{self, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// No password is longer.
const MOST_BYTES: u64 = 4_096;

#[derive(Debug, Error)]
pub enum SecretError {
    #[error("cannot read {}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} has mode {mode:04o}; expected 0600, so that nobody else reads it", .path.display())]
    Open { path: PathBuf, mode: u32 },
    #[error("{} has more than {} bytes; expected one line", .path.display(), MOST_BYTES)]
    Long { path: PathBuf },
    #[error("{}: expected one line of at least {expected} characters", .path.display())]
    Short { path: PathBuf, expected: usize },
}

/// The first and only line of a file, of at least so many characters.
pub(crate) fn read(path: &Path, expected: usize) -> Result<String, SecretError> {
    let cannot = |source| SecretError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(cannot)?;
    let mode = file.metadata().map_err(cannot)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(SecretError::Open { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(cannot)?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > MOST_BYTES {
        return Err(SecretError::Long { path: path.to_owned() });
    }
    let line = text.trim_end_matches(['\r', '\n']);
    if line.contains(['\r', '\n', '\0']) || line.chars().count() < expected.max(1) {
        return Err(SecretError::Short { path: path.to_owned(), expected: expected.max(1) });
    }
    Ok(line.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn said(text: &str, mode: u32) -> Result<String, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        read(&path, 4).map_err(|error| error.to_string())
    }

    #[test]
    fn a_line_without_its_end() {
        assert_eq!(said("open sesame\n", 0o600).unwrap(), "open sesame");
        assert_eq!(said("open sesame\r\n", 0o400).unwrap(), "open sesame");
    }

    #[test]
    fn what_others_may_read_is_no_secret() {
        for mode in [0o640, 0o604, 0o660] {
            assert!(said("open sesame", mode).unwrap_err().contains("expected 0600"));
        }
    }

    #[test]
    fn one_line_that_is_long_enough() {
        for text in ["", "\n", "abc\n", "open\nsesame\n"] {
            assert!(said(text, 0o600).unwrap_err().contains("expected one line of at least 4"), "{text:?}");
        }
        assert!(said(&"x".repeat(5_000), 0o600).unwrap_err().contains("more than 4096 bytes"));
    }
}
