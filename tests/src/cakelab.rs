//! A laboratory with CAKE: a User-Mode Linux guest, since the kernel that the tests run on may have none. It boots in
//! about two seconds, sees this machine's files and runs its programs as they are. It has no network but its own.
//! Needs Debian's user-mode-linux (its modules too), kmod and iproute2; not root.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use crate::{
    netlab::lacking,
    process::{Process, wait_for},
};

const INIT: &str = include_str!("cakelab/init.sh");
/// What Debian calls the kernel that is a program: by its own name, or by an alternative's.
const KERNELS: [&str; 2] = ["linux.uml", "linux"];
const BOOT_WITHIN: Duration = Duration::from_secs(60);
const RUN_WITHIN: Duration = Duration::from_secs(300);
/// Names the shared folder on the kernel's command line, by which a program knows that it runs inside.
const SHARE: &str = "TAKAR_SHARE";

/// Starts a test once more inside a guest of its own: `inside` runs there. `test` is the test's own name.
///
/// # Panics
/// Where the guest cannot be had, or the test failed inside.
pub fn run_inside(test: &str, inside: impl FnOnce()) {
    if is_inside() {
        return inside();
    }
    let ended = Guest::boot().and_then(|mut guest| {
        let own = std::env::current_exe()?;
        guest.run(&own, &[test, "--exact", "--nocapture"])
    });
    let ended = ended.unwrap_or_else(|error| panic!("{error:#}"));
    assert!(ended.status == 0, "{test} failed inside the guest:\n{}", ended.output);
}

/// A running guest. Dropping it ends it.
pub struct Guest {
    kernel: Process,
    share: PathBuf,
    jobs: u32,
    _folder: TempDir,
}

/// What became of a program that ran inside.
#[derive(Clone, Debug)]
pub struct Ended {
    pub status: i32,
    /// What it wrote, errors too.
    pub output: String,
}

impl Guest {
    pub fn boot() -> anyhow::Result<Self> {
        let kernel = KERNELS.into_iter().find(|name| lacking(&[*name]).is_empty());
        let kernel = kernel.context("no program linux.uml; expected Debian's user-mode-linux to be installed")?;
        let folder = TempDir::new()?;
        let share = folder.path().join("share");
        fs::create_dir(&share)?;
        let init = folder.path().join("init");
        fs::write(&init, INIT)?;
        run_by_owner(&init)?;

        let mut command = Command::new(kernel);
        command.env("HOME", folder.path()).arg(format!("uml_dir={}/", folder.path().display()));
        command.args(["umid=guest", "mem=256M", "rootfstype=hostfs", "rootflags=/", "root=/dev/root", "ro", "quiet"]);
        command.args(["con=null", "con0=null,fd:2", "panic=-1"]);
        command.arg(format!("{SHARE}={}", share.display())).arg(format!("init={}", init.display()));
        let kernel = Process::start("the guest", command, &folder.path().join("console.log"))?;
        let mut guest = Self { kernel, share, jobs: 0, _folder: folder };
        guest.wait("the guest to be ready", BOOT_WITHIN, "ready")?;
        let console = guest.kernel.log();
        ensure!(!console.contains("no module"), "the guest lacks modules:\n{console}");
        Ok(guest)
    }

    /// Runs a program of this machine inside, as root, to its end.
    pub fn run(&mut self, program: impl AsRef<OsStr>, arguments: &[&str]) -> anyhow::Result<Ended> {
        let program = program.as_ref().to_str().context("a program whose path is no UTF-8")?;
        let words: Vec<String> = [program].iter().chain(arguments).map(|word| quoted(word)).collect();
        self.jobs += 1;
        let job = self.jobs;
        // Renamed when it is whole, since the guest takes it as soon as it is there.
        let written = self.share.join("next");
        fs::write(&written, format!("{}\n", words.join(" ")))?;
        fs::rename(&written, self.share.join(format!("{job}.job")))?;
        let status = self.wait(&format!("{program} in the guest"), RUN_WITHIN, &format!("{job}.status"))?;
        let output = String::from_utf8_lossy(&fs::read(self.share.join(format!("{job}.out")))?).into_owned();
        let status = status.trim().parse().with_context(|| format!("{program} in the guest ended with {status:?}"))?;
        Ok(Ended { status, output })
    }

    /// The text of a file that the guest writes to the shared folder.
    fn wait(&mut self, what: &str, within: Duration, file: &str) -> anyhow::Result<String> {
        let path = self.share.join(file);
        wait_for(what, within, || {
            self.kernel.check()?;
            Ok(if path.exists() { Some(fs::read_to_string(&path)?) } else { None })
        })
    }
}

fn is_inside() -> bool {
    let line = fs::read_to_string("/proc/cmdline").unwrap_or_default();
    line.split_whitespace().any(|word| word.split_once('=').is_some_and(|(name, _)| name == SHARE))
}

/// As one word of a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn run_by_owner(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_reach_the_shell_as_they_are() {
        for word in ["", "a b", "it's", "$HOME \"x\" \\ `y`", "'"] {
            let said = Command::new("sh").arg("-c").arg(format!("printf %s {}", quoted(word))).output().unwrap();
            assert_eq!(String::from_utf8(said.stdout).unwrap(), word);
        }
    }

    #[test]
    fn this_machine_is_no_guest() {
        assert!(!is_inside());
    }
}
