//! `.deb` (deb(5)): an ar archive of debian-binary, control.tar.gz and data.tar.gz.

pub mod agent;
pub mod collector;
mod needs;

use super::tree::{Entry, MADE_AT, gzip, tar};

const POSTINST: &str = include_str!("../../debian/postinst");
const PRERM: &str = include_str!("../../debian/prerm");
const POSTRM: &str = include_str!("../../debian/postrm");
const COPYRIGHT: &str = include_str!("../../debian/copyright");

struct Deb<'a> {
    name: &'a str,
    /// As `dpkg --print-architecture` says it.
    architecture: &'a str,
    version: &'a str,
    /// Lines of the control file on other packages.
    relations: &'a str,
    /// After its first line each begins with a space.
    description: &'a str,
    files: Vec<Entry>,
    /// Services, separated by spaces.
    units: &'a str,
    /// Lines of shell that make what the services need.
    prepare: &'a str,
}

impl Deb<'_> {
    fn pack(mut self) -> anyhow::Result<Vec<u8>> {
        let Self { name, architecture, version, relations, description, .. } = self;
        self.files.push(Entry::new(&format!("usr/share/doc/{name}/copyright"), 0o644, COPYRIGHT));
        self.files.sort_by_cached_key(|file| file.path.clone());
        let size: usize = self.files.iter().map(|file| file.bytes.len().div_ceil(1024)).sum();
        let control = format!(
            "Package: {name}\nVersion: {version}-1\nArchitecture: {architecture}\nMaintainer: Takar <takar@localhost>\n\
             Installed-Size: {size}\n{relations}Section: net\nPriority: optional\nDescription: {description}\n"
        );
        // Policy 10.7: every file there is.
        let conffiles: String = self
            .files
            .iter()
            .filter(|file| file.path.starts_with("etc/"))
            .map(|file| format!("/{}\n", file.path))
            .collect();
        let script = |text: &str| text.replace("#UNITS#", self.units).replace("#PREPARE#", self.prepare);
        let mut controls = vec![
            Entry::new("control", 0o644, control),
            Entry::new("postinst", 0o755, script(POSTINST)),
            Entry::new("postrm", 0o755, script(POSTRM)),
            Entry::new("prerm", 0o755, script(PRERM)),
        ];
        if !conffiles.is_empty() {
            controls.push(Entry::new("conffiles", 0o644, conffiles));
        }
        archive(&controls, &self.files)
    }
}

fn archive(controls: &[Entry], files: &[Entry]) -> anyhow::Result<Vec<u8>> {
    let mut archive = b"!<arch>\n".to_vec();
    let parts = [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar.gz", gzip(&tar("./", controls)?)?),
        ("data.tar.gz", gzip(&tar("./", files)?)?),
    ];
    for (name, bytes) in parts {
        archive.extend(format!("{name:<16}{MADE_AT:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, "100644", bytes.len()).bytes());
        archive.extend(&bytes);
        if bytes.len() % 2 == 1 {
            archive.push(b'\n');
        }
    }
    Ok(archive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_have_their_blanks_where_they_are_filled_in() {
        assert_eq!(POSTINST.matches("#UNITS#").count(), 1);
        assert_eq!(POSTINST.matches("\n#PREPARE#\n").count(), 1);
        assert_eq!(PRERM.matches("#UNITS#").count(), 1);
        for script in [POSTINST, PRERM, POSTRM] {
            assert!(script.starts_with("#!/bin/sh\nset -e\n"));
        }
    }
}
