//! What programs told, and whether it is what they should tell.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{Read as _, Seek as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use takar_e2e::process::wait_for;

/// Longer than anything here takes on a busy machine; a program that is still there is told, and killed.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// A line longer than this is not a clear one.
const LONGEST_LINE: usize = 2_000;

/// A program that ran to its end.
pub struct Told {
    shown: String,
    /// `None`: it did not end.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Runs `command` to its end, with a log of errors only, so that standard error holds nothing but problems.
pub fn run(mut command: Command) -> Told {
    // Files, because a pipe that nobody empties would stop a program that says too much.
    let (out, err) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
    command.env("TAKAR_LOG", "error").stdin(Stdio::null());
    command.stdout(out.try_clone().unwrap()).stderr(err.try_clone().unwrap());
    let shown = format!("{command:?}");
    let mut child = command.spawn().unwrap();
    let ended = wait_for(&shown, PATIENCE, || Ok(child.try_wait()?));
    if ended.is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
    Told { shown, code: ended.ok().and_then(|status| status.code()), out: text_of(out), err: text_of(err) }
}

impl Told {
    /// The program did what it was asked.
    pub fn done(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{}: {}", self.shown, self.err);
        self
    }
}

/// Everything that did not come out as it should; dropping it fails the test if there is anything.
#[derive(Default)]
pub struct Table(Vec<String>);

impl Table {
    /// The program ended with `code` and said one line for each of `lines`, in their order. A line holds `file` and
    /// each of its parts, and nothing that only a programmer can read.
    pub fn refused(&mut self, case: &str, told: &Told, code: i32, file: &str, lines: &[&[&str]]) {
        let mut faults = Vec::new();
        match told.code {
            Some(found) if found == code => {}
            Some(found) => faults.push(format!("exit code {found}, expected {code}")),
            None => {
                faults.push(format!("it was still there after {} s, expected exit code {code}", PATIENCE.as_secs()))
            }
        }
        if !told.out.is_empty() {
            faults.push(format!("standard output is not empty: {}", short(&told.out)));
        }
        let found: Vec<&str> = told.err.lines().collect();
        if found.len() != lines.len() {
            faults.push(format!("{} lines, expected {}", found.len(), lines.len()));
        }
        for (line, parts) in found.iter().zip(lines) {
            faults.extend(fault_of(line));
            let lacks = std::iter::once(&file).chain(*parts).filter(|part| !line.contains(**part));
            faults.extend(lacks.map(|part| format!("a line lacks {part:?}")));
        }
        if !faults.is_empty() {
            let said: Vec<String> = found.iter().take(8).map(|line| format!("    {}", short(line))).collect();
            let (shown, said) = (short(&told.shown), said.join("\n"));
            self.0.push(format!("{case}: {}\n  {shown} said:\n{said}", faults.join("; ")));
        }
    }

    /// `what` is so.
    pub fn holds(&mut self, case: &str, what: &str, so: bool) {
        if !so {
            self.0.push(format!("{case}: not so: {what}"));
        }
    }

    /// Nothing below `folder` is other than it was.
    pub fn unchanged(&mut self, case: &str, before: &Snapshot, folder: &Path) {
        let changed = before.changed(&Snapshot::of(folder));
        if !changed.is_empty() {
            self.0.push(format!("{case}: changed: {changed:?}"));
        }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.0.is_empty(), "{} rows are not as they should be\n\n{}", self.0.len(), self.0.join("\n\n"));
        }
    }
}

/// Every file and folder below one, with modes and contents; of a socket only that it is there.
#[derive(PartialEq)]
pub struct Snapshot(BTreeMap<PathBuf, (u32, Option<Vec<u8>>)>);

impl Snapshot {
    pub fn of(folder: &Path) -> Self {
        let mut found = BTreeMap::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                let meta = fs::symlink_metadata(&path).unwrap();
                if meta.is_dir() {
                    folders.push(path.clone());
                }
                let bytes = meta.is_file().then(|| fs::read(&path).unwrap());
                found.insert(path, (meta.permissions().mode(), bytes));
            }
        }
        Self(found)
    }

    fn changed(&self, after: &Self) -> Vec<PathBuf> {
        let either = self.0.keys().chain(after.0.keys().filter(|path| !self.0.contains_key(*path)));
        either.filter(|path| self.0.get(*path) != after.0.get(*path)).cloned().collect()
    }
}

/// What makes a line unfit for people.
fn fault_of(line: &str) -> Option<String> {
    const DUMPS: [&str; 8] =
        ["panicked", "RUST_BACKTRACE", "Err(", "Some(", "Error(", "Os {", "KeyMismatch", "BadEncoding"];
    let is_number = |item: &&str| item.trim().parse::<u8>().is_ok();
    let has_bytes = line.split('[').skip(1).any(|rest| rest.split(',').take(2).filter(is_number).count() == 2);
    if !line.starts_with("takar: ") && !line.starts_with("takar-agent: ") {
        return Some("a line does not say which program complains".into());
    }
    if let Some(dump) = DUMPS.iter().find(|dump| line.contains(**dump)) {
        return Some(format!("a line is a dump ({dump})"));
    }
    if has_bytes {
        return Some("a line has a list of bytes".into());
    }
    (line.len() > LONGEST_LINE).then(|| format!("a line has {} bytes", line.len()))
}

fn short(text: &str) -> String {
    match text.char_indices().nth(500) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn text_of(mut file: File) -> String {
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}
