//! Which packages a program's libraries are in, and how new the C library must be: what `objdump` says of it.

use std::{collections::BTreeMap, fmt, path::Path, process::Command};

use anyhow::{Context as _, bail};

use crate::place::ask;

/// Rust's programs are linked with these and no other.
const LIBRARIES: [(&str, &str); 6] = [
    ("libc.so.6", "libc6"),
    ("libm.so.6", "libc6"),
    ("libdl.so.2", "libc6"),
    ("libpthread.so.0", "libc6"),
    ("ld-linux", "libc6"),
    ("libgcc_s.so.1", "libgcc-s1"),
];
/// Of a reference that nobody minds if it leads nowhere (`VER_FLG_WEAK`).
const WEAK: &str = "0x02";

/// As `Depends:` says it: `libc6 (>= 2.34), libgcc-s1`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Needs(BTreeMap<&'static str, Vec<u32>>);

impl Needs {
    /// Errors: no objdump (binutils), no ELF program, a library of which no package is known.
    pub fn add(&mut self, program: &Path) -> anyhow::Result<()> {
        let told = ask(Command::new("objdump").arg("-p").arg(program).env("LC_ALL", "C"))
            .context("expected objdump, of Debian's binutils")?;
        self.take(&told).with_context(|| program.display().to_string())
    }

    fn take(&mut self, told: &str) -> anyhow::Result<()> {
        for line in told.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["NEEDED", library] => {
                    let Some((_, package)) = LIBRARIES.iter().find(|(name, _)| library.starts_with(name)) else {
                        bail!("it needs {library}; expected a library of known packages");
                    };
                    self.0.entry(*package).or_default();
                }
                // 0x069691b4 0x00 02 GLIBC_2.34
                [_, flags, _, version] if *flags != WEAK => {
                    if let Some(version) = version.strip_prefix("GLIBC_").and_then(numbers) {
                        let newest = self.0.entry("libc6").or_default();
                        *newest = version.max(std::mem::take(newest));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn numbers(version: &str) -> Option<Vec<u32>> {
    version.split('.').map(|number| number.parse().ok()).collect()
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (package, newest)) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            f.write_str(package)?;
            if !newest.is_empty() {
                let newest: Vec<String> = newest.iter().map(u32::to_string).collect();
                write!(f, " (>= {})", newest.join("."))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "
takar:     file format elf64-x86-64

Program Header:
    PHDR off    0x0000000000000040 vaddr 0x0000000000000040 paddr 0x0000000000000040 align 2**3

Dynamic Section:
  NEEDED               libgcc_s.so.1
  NEEDED               libc.so.6
  NEEDED               ld-linux-x86-64.so.2
  FLAGS                0x0000000000000008

Version References:
  required from libgcc_s.so.1:
    0x0b792650 0x00 04 GCC_3.0
  required from libc.so.6:
    0x0d696917 0x00 14 GLIBC_2.7
    0x069691b4 0x00 02 GLIBC_2.34
    0x06969189 0x00 20 GLIBC_2.29
    0x069691b9 0x02 21 GLIBC_2.39
";

    #[test]
    fn the_newest_version_counts_by_its_numbers() {
        let mut needs = Needs::default();
        needs.take(TOLD).unwrap();
        assert_eq!(needs.to_string(), "libc6 (>= 2.34), libgcc-s1");
        needs.take("  NEEDED libm.so.6\n    0x1 0x00 3 GLIBC_2.4\n").unwrap();
        assert_eq!(needs.to_string(), "libc6 (>= 2.34), libgcc-s1");
        needs.take("    0x1 0x00 3 GLIBC_2.35\n").unwrap();
        assert_eq!(needs.to_string(), "libc6 (>= 2.35), libgcc-s1");
    }

    #[test]
    fn a_library_of_no_known_package_is_told() {
        let told = Needs::default().take("  NEEDED               libssl.so.3\n").unwrap_err().to_string();
        assert_eq!(told, "it needs libssl.so.3; expected a library of known packages");
    }

    /// This test's own program.
    #[test]
    fn a_program_of_rust_needs_the_c_library() {
        let mut needs = Needs::default();
        needs.add(&std::env::current_exe().unwrap()).unwrap();
        assert!(needs.to_string().starts_with("libc6 (>= 2."), "{needs}");
    }
}
