//! A network namespace with a name of this process's own, gone with its value.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::Context as _;

use crate::process::run;

/// Which of these programs are not installed.
pub fn lacking<'a>(programs: &[&'a str]) -> Vec<&'a str> {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = || path.split(':').chain(["/usr/sbin", "/sbin"]);
    let is_there = |program: &str| folders().any(|folder| Path::new(folder).join(program).is_file());
    programs.iter().copied().filter(|program| !is_there(program)).collect()
}

/// Sockets belong to the namespace of their process, so a test that opens some itself starts itself once more
/// in a new namespace: `inside` runs in that other process. `test` is the test's own name.
///
/// # Panics
/// Where the namespace cannot be made, or the test failed inside.
pub fn run_inside(role: &str, test: &str, inside: impl FnOnce(Namespace)) {
    const INSIDE: &str = "TAKAR_TEST_INSIDE_NAMESPACE";
    if let Ok(name) = std::env::var(INSIDE) {
        return inside(Namespace { name, own: false });
    }
    let namespace = Namespace::make(role).unwrap_or_else(|error| panic!("{error:#}"));
    let mut command = namespace.command(std::env::current_exe().unwrap_or_default());
    let status = command.args([test, "--exact", "--nocapture"]).env(INSIDE, &namespace.name).status();
    assert!(status.is_ok_and(|status| status.success()), "{test} failed inside the namespace {}", namespace.name);
}

pub struct Namespace {
    name: String,
    /// The one who made it takes it away.
    own: bool,
}

impl Namespace {
    /// Named after this process and `role`, so that several laboratories may stand side by side.
    pub fn make(role: &str) -> anyhow::Result<Self> {
        let name = format!("tk{}-{role}", std::process::id());
        run(Command::new("ip").args(["netns", "add", &name]))?;
        let namespace = Self { name, own: true };
        namespace.run("ip link set lo up")?;
        Ok(namespace)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// A command that starts `program` inside. Its pid is the program's own.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program.as_ref());
        command
    }

    /// Runs a line of words inside; fails with what it said.
    pub fn run(&self, line: &str) -> anyhow::Result<String> {
        let mut words = line.split(' ');
        run(self.command(words.next().unwrap_or_default()).args(words))
    }

    /// Bytes that came in at an interface, with their Ethernet headers: what was on the wire.
    pub fn rx_bytes(&self, interface: &str) -> anyhow::Result<u64> {
        // /sys of a namespace is only seen from inside it.
        let text = self.run(&format!("cat /sys/class/net/{interface}/statistics/rx_bytes"))?;
        text.trim().parse().with_context(|| format!("rx_bytes of {interface}: \"{text}\""))
    }

    /// Rates of HTB are exact only where every packet is one packet of the wire.
    pub fn without_offloads(&self, interface: &str) -> anyhow::Result<()> {
        self.run(&format!("ethtool -K {interface} tso off gso off gro off")).map(drop)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if self.own {
            let _ = Command::new("ip").args(["netns", "del", &self.name]).stderr(Stdio::null()).status();
        }
    }
}

/// Writes a file that holds a secret.
pub(super) fn write_secret(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(path, text).with_context(|| path.display().to_string())?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).with_context(|| path.display().to_string())
}
