//! Child processes that end with their owner: started with a log file each, ended by pid.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

/// A running program. Dropping it ends it (SIGTERM, then SIGKILL after two seconds).
pub struct Process {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with stdout and stderr appended to `log`.
    pub fn start(name: &str, mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let file = File::options().create(true).append(true).open(log).with_context(|| log.display().to_string())?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start {name} ({command:?})"))?;
        Ok(Self { child, name: name.into(), log: log.into() })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Fails, with the end of its log, if the program has ended.
    pub fn check(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            let log = self.log();
            let tail: Vec<_> = log.lines().rev().take(15).collect();
            let tail: Vec<_> = tail.into_iter().rev().collect();
            bail!("{} ended ({status}):\n{}", self.name, tail.join("\n"));
        }
        Ok(())
    }

    /// SIGKILL, at once: the power cut of a process.
    pub fn kill(&mut self) -> io::Result<ExitStatus> {
        self.child.kill()?;
        self.child.wait()
    }

    /// SIGTERM, and SIGKILL after two seconds.
    pub fn end(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        // The pid is our own unreaped child, so it cannot have been given to another process.
        let _ = Command::new("kill").arg(self.pid().to_string()).stderr(Stdio::null()).status();
        let deadline = Instant::now() + Duration::from_secs(2);
        while Instant::now() < deadline {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Runs a command to its end. Gives its standard output; an error holds what it said on standard error.
pub fn run(command: &mut Command) -> anyhow::Result<String> {
    let done = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {command:?}"))?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        bail!("{command:?} ended with {}: {}", done.status, said.trim());
    }
    String::from_utf8(done.stdout).with_context(|| format!("{command:?} wrote no UTF-8"))
}

/// Asks `done` every 50 ms until it gives something; an error that names `what` after `within`.
pub fn wait_for<T>(
    what: &str,
    within: Duration,
    mut done: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + within;
    loop {
        if let Some(value) = done()? {
            return Ok(value);
        }
        if Instant::now() >= deadline {
            bail!("waited {} s in vain for {what}", within.as_secs());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The folder with the workspace's built programs: where this program itself was built.
pub fn binaries() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().context("this program has no folder")?;
    // Test binaries lie one level deeper, in deps.
    Ok(if folder.ends_with("deps") { folder.parent().unwrap_or(folder).into() } else { folder.into() })
}

/// A port of 127.0.0.1 that was free a moment ago.
pub fn free_port() -> io::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
