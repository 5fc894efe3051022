//! A folder to go wrong in: a collector's network, and agents that only observe.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use takar_e2e::process::{Process, binaries, free_port, wait_for};

use crate::table::{PATIENCE, Told, run};

pub struct Place {
    folder: tempfile::TempDir,
    programs: PathBuf,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), programs: binaries().unwrap() }
    }

    pub fn dir(&self) -> &Path {
        self.folder.path()
    }

    pub fn at(&self, name: &str) -> String {
        self.dir().join(name).to_str().unwrap().to_owned()
    }

    pub fn has(&self, name: &str) -> bool {
        self.dir().join(name).exists()
    }

    /// A file that only its owner may read; where it is.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.at(name);
        fs::write(&path, bytes).unwrap();
        set_mode(&path, 0o600);
        path
    }

    pub fn command(&self, program: &str, words: &[&str]) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.args(words);
        command
    }

    pub fn run(&self, program: &str, words: &[&str]) -> Told {
        run(self.command(program, words))
    }
}

/// A network made by `takar init`; `takar.toml` in its folder is the config.
pub struct Collector {
    pub place: Place,
    pub address: String,
}

impl Collector {
    /// With the embedded broker.
    pub fn embedded() -> Self {
        Self::of_kind("embedded")
    }

    /// With TLS, and with a Mosquitto that is not there: the daemon serves all the same.
    pub fn with_tls() -> Self {
        Self::of_kind("mosquitto")
    }

    fn of_kind(kind: &str) -> Self {
        let place = Place::new();
        let address = format!("127.0.0.1:{}", free_port().unwrap());
        let (state, root, config) = (place.at("state"), place.at("root.key"), place.at("init.toml"));
        let words = ["--state-dir", &state, "--root-out", &root, "--config", &config, "--address", &address];
        place.run("takar", &[&["init"][..], &words].concat()).done();
        let broker = format!("[broker]\nkind = \"{kind}\"\naddress = \"{address}\"\n");
        place.write("takar.toml", format!("state_dir = \"{state}\"\n{broker}"));
        Self { place, address }
    }

    pub fn state(&self) -> PathBuf {
        self.place.dir().join("state")
    }

    pub fn takar(&self, words: &[&str]) -> Told {
        let config = self.place.at("takar.toml");
        self.place.run("takar", &[&["--config", &config][..], words].concat())
    }

    /// What the daemon answers.
    pub fn ask(&self, words: &[&str]) -> Value {
        let told = self.takar(&[&["--json"][..], words].concat());
        serde_json::from_str(&told.done().out).unwrap()
    }

    pub fn serve(&self) -> Process {
        let config = self.place.at("takar.toml");
        let command = self.place.command("takar", &["--config", &config, "serve"]);
        let mut serve = Process::start("takar serve", command, &self.place.dir().join("serve.log")).unwrap();
        wait_for("takar serve", PATIENCE, || {
            serve.check()?;
            Ok((self.takar(&["status"]).code == Some(0)).then_some(()))
        })
        .unwrap();
        serve
    }

    /// An agent's config with these `[[device]]` tables; polls often.
    pub fn agent_config(&self, name: &str, devices: &str) -> String {
        let (state, spool) = (self.place.at(name), self.place.at(&format!("{name}-spool")));
        let head =
            format!("state_dir = \"{state}\"\nspool_dir = \"{spool}\"\npoll_every_ms = 300\npolls_per_message = 1\n");
        self.place.write(&format!("{name}.toml"), head + devices)
    }

    /// An agent that polls one device, named as itself, where nobody answers.
    pub fn observer(&self, name: &str, device: &str) -> String {
        let community = self.place.write("community", "public\n");
        let snmp = format!("address = \"127.0.0.1:9\"\ncommunity_file = \"{community}\"\ninterfaces = [\"ether1\"]\n");
        self.agent_config(name, &format!("[[device]]\nname = \"{device}\"\n[device.snmp]\n{snmp}"))
    }

    pub fn agent(&self, name: &str, words: &[&str]) -> Told {
        let config = self.place.at(&format!("{name}.toml"));
        self.place.run("takar-agent", &[&["--config", &config][..], words].concat())
    }

    /// Writes the agent's request; where it is.
    pub fn request(&self, name: &str) -> String {
        let request = self.place.at(&format!("{name}.request"));
        self.agent(name, &["enrol", "--request", &request, "--name", name]).done();
        request
    }

    /// Approves the agent's request; where the bundle is.
    pub fn approve(&self, name: &str) -> String {
        let (request, bundle) = (self.request(name), self.place.at(&format!("{name}.bundle")));
        self.takar(&["device", "approve", &request, "--out", &bundle]).done();
        bundle
    }

    pub fn enrol(&self, name: &str) {
        let bundle = self.approve(name);
        self.agent(name, &["enrol", "--bundle", &bundle]).done();
    }

    pub fn run_agent(&self, name: &str) -> Process {
        let config = self.place.at(&format!("{name}.toml"));
        let command = self.place.command("takar-agent", &["--config", &config, "run"]);
        Process::start(name, command, &self.place.dir().join(format!("{name}.log"))).unwrap()
    }
}

pub fn set_mode(path: impl AsRef<Path>, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// One uplink of 100 Mbit/s and a link on each device: its queue is named as the device, its interface is ether1.
pub fn inventory_of(devices: &[&str]) -> String {
    let mut text = String::from(
        "[[provider]]\nname = \"isp\"\ntitle = \"ISP\"\n[[uplink]]\nname = \"utama\"\nprovider = \"isp\"\n\
         down_bps = 100_000_000\nup_bps = 100_000_000\n",
    );
    for name in devices {
        text += &format!(
            "[[site]]\nname = \"{name}\"\ntitle = \"{name}\"\n[[link]]\nname = \"{name}\"\nsite = \"{name}\"\n\
             uplink = \"utama\"\ndevice = \"{name}\"\ninterface = \"ether1\"\n"
        );
        for direction in ["down", "up"] {
            text += &format!("[link.{direction}]\nqueue = \"{name}\"\ncir_bps = 1000000\nmir_bps = 8000000\n");
        }
    }
    text
}
