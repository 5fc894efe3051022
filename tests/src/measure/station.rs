//! A collector and its broker on loopback, of this machine or of a namespace. The broker is a Mosquitto without TLS
//! and without an access list: its time is not the collector's, anybody may listen, and collectd, which knows no
//! MQTT 5, finds the same one.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Context as _;
use serde_json::Value;

use crate::{
    client::Client,
    netlab::Namespace,
    process::{Process, binaries, free_port, run, wait_for},
};

pub struct Station {
    pub place: PathBuf,
    pub port: u16,
    client: Client,
    // In this order they end: nobody's network goes before him.
    serve: Process,
    _broker: Process,
    namespace: Option<Namespace>,
}

impl Station {
    /// `rules` is more of the collector's config.
    pub fn start(place: &Path, namespace: Option<Namespace>, rules: &str) -> anyhow::Result<Self> {
        // Free in a new namespace too, where everything is.
        let port = free_port().context("a free port")?;
        let at = format!("127.0.0.1:{port}");
        let (state, config) = (place.join("state"), place.join("takar.toml"));
        let mut init = Command::new(binaries()?.join("takar"));
        init.arg("--config").arg(&config).arg("init").arg("--state-dir").arg(&state);
        init.arg("--root-out").arg(place.join("root.key"));
        run(init.args(["--broker", "mosquitto", "--broker-name", &at, "--address", &at]))?;
        let text = format!(
            "state_dir = \"{}\"\n[broker]\nkind = \"mosquitto\"\naddress = \"{at}\"\nname = \"{at}\"\ntls = false\n{rules}",
            state.display()
        );
        write(&config, &text)?;
        let mut broker = start_broker(namespace.as_ref(), place, port)?;
        let mut command = command(namespace.as_ref(), &binaries()?.join("takar"));
        command.arg("--config").arg(&config).arg("serve");
        let mut serve = Process::start("takar serve", command, &place.join("serve.log"))?;
        // By the daemon's socket, which no namespace hides.
        let client = Client::of(config)?;
        wait_for("takar serve to be connected", Duration::from_secs(20), || {
            broker.check()?;
            serve.check()?;
            let status = client.ask(&["status"]).ok();
            Ok(status.filter(|status| status["broker_connected"] == true).map(drop))
        })?;
        Ok(Self { place: place.to_owned(), port, client, serve, _broker: broker, namespace })
    }

    /// A command that starts `program` where broker and collector are.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        command(self.namespace.as_ref(), program.as_ref())
    }

    pub fn namespace(&self) -> anyhow::Result<&Namespace> {
        self.namespace.as_ref().context("this station has no namespace of its own")
    }

    pub fn serve_pid(&self) -> u32 {
        self.serve.pid()
    }

    /// What `takar --json` answers.
    pub fn takar(&self, words: &[&str]) -> anyhow::Result<Value> {
        self.client.ask(words)
    }

    pub fn samples_stored(&self) -> anyhow::Result<u64> {
        let status = self.takar(&["status"])?;
        status["samples_stored"].as_u64().with_context(|| format!("takar status has no samples_stored: {status}"))
    }

    /// An agent that only measures, with a config of `head` and one device of its own name that is counted by
    /// `source`, enrolled by file.
    pub fn enrol(&self, name: &str, head: &str, source: &str) -> anyhow::Result<Enrolled> {
        let enrolled = Enrolled { folder: self.place.join(name), name: name.to_owned() };
        let folder = enrolled.folder.display();
        fs::create_dir_all(&enrolled.folder).with_context(|| folder.to_string())?;
        let config = format!(
            "state_dir = \"{folder}/agent\"\nspool_dir = \"{folder}/spool\"\n{head}[[device]]\nname = \"{name}\"\n\
             {source}[device.queues]\nbackend = \"none\"\n"
        );
        write(&enrolled.config(), &config)?;
        let (request, bundle) = (enrolled.folder.join("request"), enrolled.bundle());
        self.agent_enrol(&enrolled, &["--name", name, "--request"], &request)?;
        self.takar(&["device", "approve", &request.display().to_string(), "--out", &bundle.display().to_string()])?;
        self.agent_enrol(&enrolled, &["--bundle"], &bundle)?;
        Ok(enrolled)
    }

    pub fn run_agent(&self, enrolled: &Enrolled) -> anyhow::Result<Process> {
        let mut command = self.command(binaries()?.join("takar-agent"));
        command.arg("--config").arg(enrolled.config()).arg("run");
        Process::start(&format!("agent {}", enrolled.name), command, &enrolled.folder.join("agent.log"))
    }

    /// An ordinary client that prints what comes on `topic`, a line a message, into a log of its own.
    pub fn listen(&self, topic: &str, format: &str) -> anyhow::Result<Process> {
        let mut command = self.command("mosquitto_sub");
        command.args([
            "-h",
            "127.0.0.1",
            "-p",
            &self.port.to_string(),
            "-V",
            "5",
            "-q",
            "1",
            "-F",
            format,
            "-t",
            topic,
        ]);
        Process::start("mosquitto_sub", command, &self.place.join("heard.log"))
    }

    fn agent_enrol(&self, enrolled: &Enrolled, words: &[&str], file: &Path) -> anyhow::Result<()> {
        let mut command = Command::new(binaries()?.join("takar-agent"));
        run(command.arg("--config").arg(enrolled.config()).arg("enrol").args(words).arg(file)).map(drop)
    }
}

/// An agent that was let in.
pub struct Enrolled {
    pub name: String,
    folder: PathBuf,
}

impl Enrolled {
    pub fn state_dir(&self) -> PathBuf {
        self.folder.join("agent")
    }

    pub fn bundle(&self) -> PathBuf {
        self.folder.join("bundle")
    }

    fn config(&self) -> PathBuf {
        self.folder.join("agent.toml")
    }
}

fn start_broker(namespace: Option<&Namespace>, place: &Path, port: u16) -> anyhow::Result<Process> {
    let config = place.join("mosquitto.conf");
    // The limits of the config that takar init writes.
    let text = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\nuser root\nset_tcp_nodelay true\nmax_queued_messages 10000\n\
         max_queued_bytes 67108864\nmax_packet_size 66048\nlog_dest stderr\nlog_type error\nlog_type warning\n"
    );
    write(&config, &text)?;
    let mut command = command(namespace, Path::new("mosquitto"));
    command.arg("-c").arg(&config);
    Process::start("mosquitto", command, &place.join("mosquitto.log"))
}

fn command(namespace: Option<&Namespace>, program: &Path) -> Command {
    namespace.map_or_else(|| Command::new(program), |namespace| namespace.command(program))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| path.display().to_string())
}
