//! The hub: Mosquitto with TLS, `takar serve`, and whoever watches.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use serde_json::Value;
use takar_shared::Direction;

use super::{CLASS, Edge, Namespace, edge::shaped_on};
use crate::{
    client::Client,
    clock::TurnedClock,
    process::{Process, binaries, run, wait_for},
};

const CONFIG: &str = "takar.toml";

pub struct Hub {
    pub namespace: Namespace,
    folder: PathBuf,
    client: Client,
    broker: Option<Process>,
    serve: Option<Process>,
    /// The collector's, where a test turns it.
    pub clock: Option<TurnedClock>,
}

impl Hub {
    pub const ADDRESS: &'static str = "10.98.0.1";
    pub const PORT: u16 = 8883;

    /// As [`Hub::make_in`], in a namespace of its own.
    pub fn make(place: &Path, rules: &str) -> anyhow::Result<Self> {
        Self::make_in(Namespace::make("hub")?, place, rules)
    }

    /// Makes the network (`takar init`) and writes the collector's config: `rules` beside what it must have.
    pub fn make_in(namespace: Namespace, place: &Path, rules: &str) -> anyhow::Result<Self> {
        namespace.run(&format!("ip addr add {}/32 dev lo", Self::ADDRESS))?;
        let folder = place.join("hub");
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let client = Client::of(folder.join(CONFIG))?;
        let hub = Self { namespace, folder, client, broker: None, serve: None, clock: None };
        let (state, at) = (hub.state(), format!("{}:{}", Self::ADDRESS, Self::PORT));
        let root = place.join("root.key").display().to_string();
        let mut init = hub.client.takar(&[
            "init",
            "--state-dir",
            &state.display().to_string(),
            "--root-out",
            &root,
            "--broker",
            "mosquitto",
            "--broker-name",
            &at,
            "--address",
            &at,
        ]);
        run(&mut init)?;
        hub.write_config(rules)?;
        Ok(hub)
    }

    /// What `takar serve` finds at its next start.
    pub fn write_config(&self, rules: &str) -> anyhow::Result<()> {
        let (state, at) = (self.state(), format!("{}:{}", Self::ADDRESS, Self::PORT));
        let config = format!(
            "state_dir = \"{}\"\n[broker]\nkind = \"mosquitto\"\naddress = \"{at}\"\nname = \"{at}\"\n{rules}",
            state.display()
        );
        fs::write(self.config(), config).with_context(|| self.config().display().to_string())
    }

    pub fn start_broker(&mut self) -> anyhow::Result<()> {
        let mut command = self.namespace.command("mosquitto");
        command.arg("-c").arg(self.state().join("mosquitto/mosquitto.conf"));
        let mut broker = Process::start("mosquitto", command, &self.folder.join("mosquitto.log"))?;
        let port = format!(":{:04X} ", Self::PORT);
        wait_for("mosquitto to listen", Duration::from_secs(10), || {
            broker.check()?;
            let sockets = self.namespace.run("cat /proc/net/tcp /proc/net/tcp6")?;
            Ok(sockets.contains(&port).then_some(()))
        })?;
        self.broker = Some(broker);
        Ok(())
    }

    /// SIGKILL.
    pub fn kill_broker(&mut self) -> anyhow::Result<()> {
        self.broker.take().context("no broker runs")?.kill().map(drop).context("SIGKILL")
    }

    pub fn start_serve(&mut self) -> anyhow::Result<()> {
        let mut command = self.namespace.command(binaries()?.join("takar"));
        command.arg("--config").arg(self.config()).arg("serve");
        if let Some(clock) = &self.clock {
            clock.on(&mut command);
        }
        let mut serve = Process::start("takar serve", command, &self.folder.join("serve.log"))?;
        wait_for("takar serve to be connected", Duration::from_secs(15), || {
            serve.check()?;
            Ok(self.takar(&["status"]).ok().filter(|status| status["broker_connected"] == true))
        })?;
        self.serve = Some(serve);
        Ok(())
    }

    /// SIGKILL.
    pub fn kill_serve(&mut self) -> anyhow::Result<()> {
        self.serve.take().context("takar serve does not run")?.kill().map(drop).context("SIGKILL")
    }

    /// SIGTERM, so that the database may be looked into.
    pub fn end_serve(&mut self) {
        self.serve = None;
    }

    /// What `takar --json` answers.
    pub fn takar(&self, words: &[&str]) -> anyhow::Result<Value> {
        self.client.ask(words)
    }

    pub fn list(&self, words: &[&str]) -> anyhow::Result<Vec<Value>> {
        self.client.list(words)
    }

    /// One uplink that all edges share, their ceilings as they are.
    pub fn register(&self, edges: &[Edge], capacity_bps: u64) -> String {
        let mut text = format!(
            "[[provider]]\nname = \"isp\"\ntitle = \"ISP\"\n[[uplink]]\nname = \"utama\"\nprovider = \"isp\"\n\
             down_bps = {capacity_bps}\nup_bps = {capacity_bps}\n"
        );
        for Edge { name, settings, .. } in edges {
            text += &format!(
                "[[site]]\nname = \"{name}\"\ntitle = \"{name}\"\n[[link]]\nname = \"{name}\"\nsite = \"{name}\"\n\
                 uplink = \"utama\"\ndevice = \"{name}\"\n"
            );
            for direction in Direction::BOTH {
                text += &format!(
                    "[link.{direction}]\nclass = \"{CLASS}\"\ninterface = \"{}\"\ncir_bps = {}\nmir_bps = {}\n",
                    shaped_on(direction),
                    settings.cir_bps,
                    settings.mir_bps
                );
            }
        }
        text
    }

    /// `takar import` of a register in TOML.
    pub fn import(&self, register: &str) -> anyhow::Result<()> {
        let file = self.folder.join("register.toml");
        fs::write(&file, register)?;
        self.takar(&["import", &file.display().to_string()]).map(drop)
    }

    /// An ordinary MQTT client with the monitor's certificate.
    pub fn monitor(&self) -> anyhow::Result<Monitor> {
        let tls = self.state().join("tls");
        let log = self.folder.join("monitor.log");
        let mut command = self.namespace.command("mosquitto_sub");
        command.args(["-h", Self::ADDRESS, "-p", &Self::PORT.to_string(), "-V", "5", "-q", "1"]);
        command.arg("--cafile").arg(tls.join("ca.crt")).arg("--cert").arg(tls.join("monitor.crt"));
        command.arg("--key").arg(tls.join("monitor.key"));
        // It may read what is published for everybody, and asks for what it may not, too.
        command.args(["-F", "%r %t %p", "-t", "takar/1/out/#", "-t", "takar/1/agent/#"]);
        Ok(Monitor { process: Process::start("mosquitto_sub", command, &log)? })
    }

    pub fn database(&self) -> PathBuf {
        self.state().join("takar.db")
    }

    pub fn serve_log(&self) -> String {
        fs::read_to_string(self.folder.join("serve.log")).unwrap_or_default()
    }

    pub fn archive(&self) -> PathBuf {
        self.state().join("archive")
    }

    fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    fn config(&self) -> PathBuf {
        self.folder.join(CONFIG)
    }
}

/// What an ordinary client heard.
pub struct Monitor {
    pub process: Process,
}

/// A message as the client printed it.
#[derive(Clone, Debug)]
pub struct Heard {
    pub retained: bool,
    pub topic: String,
    pub body: Value,
}

impl Monitor {
    pub fn heard(&self) -> Vec<Heard> {
        let log = self.process.log();
        let read = |line: &str| {
            let mut words = line.splitn(3, ' ');
            let retained = words.next()? == "1";
            let (topic, body) = (words.next()?.to_owned(), serde_json::from_str(words.next()?).ok()?);
            Some(Heard { retained, topic, body })
        };
        log.lines().filter_map(read).collect()
    }
}
