//! A stand-in for OpenWrt's program `uci`: of its commands those that are run here (show -X, get, set, revert, commit),
//! on real configuration files and with uncommitted changes in a folder of their own. It was held against uci of
//! December 2025 (openwrt/uci 66127cd): what it shows, what it writes, how it ends. Sections must have a name.

mod file;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

pub use file::{Entry, Package, Section};

pub fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(output) => {
            print!("{output}");
            ExitCode::SUCCESS
        }
        Err(fault) => {
            eprintln!("uci: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// Carries out one command line; gives what it shows.
pub fn run(words: &[String]) -> Result<String, String> {
    let mut place = Place { config_dir: "/etc/config".into(), save_dir: "/tmp/.uci".into() };
    let mut words = words.iter().map(String::as_str);
    let command = loop {
        match words.next() {
            Some("-c") => place.config_dir = words.next().ok_or("-c: expected a folder")?.into(),
            Some("-t") => place.save_dir = words.next().ok_or("-t: expected a folder")?.into(),
            Some("-X" | "-q") => {}
            Some(command) => break command,
            None => return Err("expected a command".into()),
        }
    };
    let argument = words.next().ok_or("expected an argument")?;
    match command {
        "show" => place.show(argument),
        "get" => place.get(argument),
        "set" => place.set(argument),
        "revert" => place.keep_changes(argument, &[]),
        "commit" => place.commit(argument),
        other => Err(format!("{other}: expected show, get, set, revert or commit")),
    }
}

struct Place {
    config_dir: PathBuf,
    save_dir: PathBuf,
}

/// Section, option and value that were set and not committed.
type Change = (String, String, String);

impl Place {
    fn show(&self, address: &str) -> Result<String, String> {
        let (name, rest) = address.split_once('.').ok_or("Invalid argument")?;
        let package = self.load(name)?;
        let section = package.section(rest).ok_or("Entry not found")?;
        let mut shown = format!("{name}.{rest}={}\n", section.kind);
        for (option, values) in section.options() {
            let values: Vec<String> = values.iter().map(|value| file::quoted(value)).collect();
            shown += &format!("{name}.{rest}.{option}={}\n", values.join(" "));
        }
        Ok(shown)
    }

    fn get(&self, address: &str) -> Result<String, String> {
        let (name, section, option) = parts(address)?;
        let package = self.load(name)?;
        let value = package.section(section).and_then(|section| section.get(option)).ok_or("Entry not found")?;
        Ok(format!("{value}\n"))
    }

    fn set(&self, assignment: &str) -> Result<String, String> {
        let (address, value) = assignment.split_once('=').ok_or("Invalid argument")?;
        let (name, section, option) = parts(address)?;
        self.load(name)?.section(section).ok_or("Invalid argument")?;
        let mut changes = self.changes(name);
        changes.push((section.into(), option.into(), value.into()));
        self.keep_changes(name, &changes)
    }

    fn commit(&self, name: &str) -> Result<String, String> {
        // As uci has it: a file to which nothing was changed is not written.
        if !self.changes(name).is_empty() {
            let package = self.load(name)?;
            let path = self.config_dir.join(name);
            let beside = self.config_dir.join(format!(".{name}.uci-new"));
            fs::write(&beside, package.to_string()).map_err(|error| told(&beside, &error))?;
            fs::rename(&beside, &path).map_err(|error| told(&path, &error))?;
        }
        self.keep_changes(name, &[])
    }

    /// With what was set in this place since.
    fn load(&self, name: &str) -> Result<Package, String> {
        let path = self.config_dir.join(name);
        let text = fs::read_to_string(&path).map_err(|_| "Entry not found")?;
        let mut package = Package::parse(&text).map_err(|fault| format!("{}: {fault}", path.display()))?;
        for (section, option, value) in self.changes(name) {
            if let Some(section) = package.section_mut(&section) {
                section.set(&option, &value);
            }
        }
        Ok(package)
    }

    fn changes(&self, name: &str) -> Vec<Change> {
        let text = fs::read_to_string(self.save_dir.join(name)).unwrap_or_default();
        let read = |line: &str| {
            let (address, value) = line.split_once('=')?;
            let (_, section, option) = parts(address).ok()?;
            let value = file::words(value).ok()?.pop()?;
            Some((section.to_owned(), option.to_owned(), value))
        };
        text.lines().filter_map(read).collect()
    }

    fn keep_changes(&self, name: &str, changes: &[Change]) -> Result<String, String> {
        let path = self.save_dir.join(name);
        if changes.is_empty() && !path.exists() {
            return Ok(String::new());
        }
        let line = |(section, option, value): &Change| format!("{name}.{section}.{option}={}\n", file::quoted(value));
        let text: String = changes.iter().map(line).collect();
        fs::create_dir_all(&self.save_dir)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| told(&path, &error))?;
        Ok(String::new())
    }
}

/// `package.section.option`.
fn parts(address: &str) -> Result<(&str, &str, &str), String> {
    let mut parts = address.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(package), Some(section), Some(option), None) => Ok((package, section, option)),
        _ => Err("Invalid argument".into()),
    }
}

fn told(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_what_uci_does() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("sqm");
        fs::write(&file, "\n# SQM\nconfig queue 'wan'\n  option interface eth0\n\toption download \"900000\"\n")
            .unwrap();
        let uci = |save: &str, line: &str| {
            let save = dir.path().join(save).display().to_string();
            let place = ["-c", dir.path().to_str().unwrap(), "-t", save.as_str()].map(str::to_owned);
            run(&place.into_iter().chain(line.split(' ').map(str::to_owned)).collect::<Vec<_>>())
        };
        let before = fs::read_to_string(&file).unwrap();
        let shown = "sqm.wan=queue\nsqm.wan.interface='eth0'\nsqm.wan.download='900000'\n";
        assert_eq!(uci("own", "-X show sqm.wan").unwrap(), shown);
        uci("other", "set sqm.wan.interface=eth9").unwrap();
        uci("own", "set sqm.wan.download=800000").unwrap();
        uci("own", "set sqm.wan.upload=7").unwrap();
        assert_eq!(uci("own", "get sqm.wan.download").unwrap(), "800000\n");
        assert_eq!(uci("none", "get sqm.wan.download").unwrap(), "900000\n");
        assert_eq!(fs::read_to_string(&file).unwrap(), before, "what is not committed is not in the file");
        uci("own", "commit sqm").unwrap();
        let written =
            "\nconfig queue 'wan'\n\toption interface 'eth0'\n\toption download '800000'\n\toption upload '7'\n\n";
        assert_eq!(fs::read_to_string(&file).unwrap(), written, "and another's changes are not taken along");
        uci("other", "revert sqm").unwrap();
        uci("other", "commit sqm").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), written);
        for (line, fault) in [
            ("show sqm.lan", "Entry not found"),
            ("show wifi.wan", "Entry not found"),
            ("get sqm.wan.nothing", "Entry not found"),
            ("set sqm.lan.download=1", "Invalid argument"),
            ("set sqm.wan=1", "Invalid argument"),
        ] {
            assert_eq!(uci("own", line).unwrap_err(), fault, "{line}");
        }
    }
}
