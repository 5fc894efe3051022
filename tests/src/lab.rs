//! A laboratory without namespaces: the collector with its embedded broker or a Mosquitto with TLS, agents, and
//! simulated RouterOS routers, all real programs on loopback ports of their own.

// Test code: a laboratory that cannot be set up is a failed test, said on the spot.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::Value;

use crate::process::{Process, binaries, free_port, wait_for};

/// A router and the agent beside it.
pub struct Site {
    pub name: String,
    pub agent: Process,
    _router: Process,
}

/// What every router of a laboratory simulates.
pub struct Traffic {
    pub profile: &'static str,
    pub seed: u64,
    pub sites: usize,
    pub capacity_bps: u64,
}

pub struct Lab {
    pub dir: PathBuf,
    pub programs: PathBuf,
    pub traffic: Traffic,
    /// What starts an agent, before its own arguments: the program, or who runs it and the program.
    pub agent: Vec<PathBuf>,
    /// More arguments for the routers that are started from now on.
    pub router: Vec<&'static str>,
    _broker: Option<Process>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broker {
    Embedded,
    /// With TLS and client certificates.
    Mosquitto,
}

impl Broker {
    fn kind(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Mosquitto => "mosquitto",
        }
    }
}

impl Lab {
    /// Sets a collector with its embedded broker up and starts it; `rules` is more of its config.
    pub fn start(dir: &Path, traffic: Traffic, rules: &str) -> (Self, Process) {
        Self::start_with(Broker::Embedded, dir, traffic, rules)
    }

    pub fn start_with(broker: Broker, dir: &Path, traffic: Traffic, rules: &str) -> (Self, Process) {
        let programs = binaries().unwrap();
        let agent = vec![programs.join("takar-agent")];
        let mut lab = Self { dir: dir.to_owned(), programs, traffic, agent, router: Vec::new(), _broker: None };
        let port = free_port().unwrap();
        let address = format!("127.0.0.1:{port}");
        let (state, root) = (dir.join("state"), dir.join("root.key"));
        let kind = broker.kind();
        let place = ["init", "--state-dir", path(&state), "--root-out", path(&root), "--broker", kind];
        let name: &[&str] = if broker == Broker::Mosquitto { &["--broker-name", &address] } else { &[] };
        lab.takar(&[&place[..], name, &["--address", &address]].concat());
        let config = format!(
            "state_dir = \"{}\"\n[broker]\nkind = \"{kind}\"\naddress = \"{address}\"\nname = \"{address}\"\n\
             [readings]\nlength_s = 2\ncounter_step_ms = 0\nkeep = 60\n{rules}",
            state.display()
        );
        fs::write(dir.join("takar.toml"), config).unwrap();
        if broker == Broker::Mosquitto {
            let mut command = Command::new("mosquitto");
            command.arg("-c").arg(state.join("mosquitto/mosquitto.conf"));
            let mut process = Process::start("mosquitto", command, &dir.join("mosquitto.log")).unwrap();
            wait_for("mosquitto to listen", Duration::from_secs(10), || {
                process.check()?;
                Ok(std::net::TcpStream::connect(("127.0.0.1", port)).ok())
            })
            .unwrap();
            lab._broker = Some(process);
        }
        let serve = lab.serve();
        (lab, serve)
    }

    /// Each site's part of an evenly split uplink.
    pub fn share_bps(&self) -> u64 {
        self.traffic.capacity_bps / self.traffic.sites as u64 / 8_000 * 8_000
    }

    /// One uplink, every site on it with an equal share; waits until all are measured.
    pub fn import(&self, sites: &[Site]) {
        let (capacity, share) = (self.traffic.capacity_bps, self.share_bps());
        let mut inventory = format!(
            "[[provider]]\nname = \"isp\"\ntitle = \"ISP\"\n[[uplink]]\nname = \"utama\"\nprovider = \"isp\"\n\
             down_bps = {capacity}\nup_bps = {capacity}\n"
        );
        for Site { name, .. } in sites {
            inventory += &format!(
                "[[site]]\nname = \"{name}\"\ntitle = \"{name}\"\n[[link]]\nname = \"{name}\"\nsite = \"{name}\"\n\
                 uplink = \"utama\"\ndevice = \"{name}\"\ninterface = \"ether1\"\n"
            );
            for direction in ["down", "up"] {
                inventory += &format!("[link.{direction}]\nqueue = \"{name}\"\ncir_bps = 1000000\nmir_bps = {share}\n");
            }
        }
        let file = self.dir.join("inventory.toml");
        fs::write(&file, inventory).unwrap();
        self.takar(&["import", path(&file)]);
        self.wait_links("every site measured", |links| {
            links.len() == sites.len() * 2
                && links
                    .iter()
                    .all(|row| row["poll"] == "ok" && row["observed_bps"].is_u64() && row["used_bps"].is_u64())
        });
    }

    pub fn takar(&self, words: &[&str]) -> Value {
        let output = Command::new(self.programs.join("takar"))
            .arg("--config")
            .arg(self.dir.join("takar.toml"))
            .arg("--json")
            .args(words)
            .output()
            .unwrap();
        assert!(output.status.success(), "takar {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    fn secret(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    pub fn serve(&self) -> Process {
        let mut command = Command::new(self.programs.join("takar"));
        command.arg("--config").arg(self.dir.join("takar.toml")).arg("serve");
        let mut serve = Process::start("takar serve", command, &self.dir.join("serve.log")).unwrap();
        wait_for("takar serve", Duration::from_secs(10), || {
            serve.check()?;
            let mut status = Command::new(self.programs.join("takar"));
            let answered = status.arg("--config").arg(self.dir.join("takar.toml")).arg("status").output()?;
            Ok(answered.status.success().then_some(()))
        })
        .unwrap();
        serve
    }

    fn agent_command(&self) -> Command {
        let (first, rest) = self.agent.split_first().unwrap();
        let mut command = Command::new(first);
        command.args(rest);
        command
    }

    pub fn run_agent(&self, name: &str) -> Process {
        let mut command = self.agent_command();
        command.arg("--config").arg(self.dir.join(format!("{name}.toml"))).arg("run");
        Process::start(name, command, &self.dir.join(format!("{name}.log"))).unwrap()
    }

    pub fn site(&self, name: &str, site: usize) -> Site {
        let (community, password) = (self.secret("community", "public"), self.secret("password", "secret"));
        let ready = self.dir.join(format!("{name}.ready"));
        let mut command = Command::new(self.programs.join("router-sim"));
        let Traffic { profile, seed, sites, capacity_bps } = &self.traffic;
        let (capacity, share) = (capacity_bps.to_string(), self.share_bps());
        command.args([
            "--name",
            name,
            "--site",
            &site.to_string(),
            "--sites",
            &sites.to_string(),
            "--profile",
            profile,
        ]);
        command.args(["--capacity-down-bps", &capacity, "--capacity-up-bps", &capacity, "--user", "takar"]);
        command.args(&self.router);
        command.args(["--seed", &seed.to_string(), "--queue", name, "--limit-at", "1M/1M", "--day-s", "600"]);
        command
            .args(["--max-limit", &format!("{share}/{share}")])
            .arg("--log")
            .arg(self.dir.join(format!("{name}.jsonl")));
        command
            .arg("--community-file")
            .arg(&community)
            .arg("--password-file")
            .arg(&password)
            .arg("--ready")
            .arg(&ready);
        let mut router = Process::start("router-sim", command, &self.dir.join("router.log")).unwrap();
        let ports: Value = wait_for("router-sim", Duration::from_secs(10), || {
            router.check()?;
            Ok(fs::read(&ready).ok().and_then(|text| serde_json::from_slice(&text).ok()))
        })
        .unwrap();
        let shaper = |direction: &str| {
            format!(
                "[[device.shaper]]\nqueue = \"{name}\"\ndirection = \"{direction}\"\nfloor_bps = 1000000\nceiling_bps = 20000000\n"
            )
        };
        let config = format!(
            "mode = \"live\"\nstate_dir = \"{dir}/{name}\"\nspool_dir = \"{dir}/{name}-spool\"\npoll_every_ms = 500\npolls_per_message = 1\n\
             [[device]]\nname = \"{name}\"\n[device.snmp]\naddress = {snmp}\ncommunity_file = \"{community}\"\ninterfaces = [\"ether1\"]\n\
             [device.queues]\nbackend = \"routeros\"\naddress = {api}\nuser = \"takar\"\npassword_file = \"{password}\"\n{up}{down}",
            dir = self.dir.display(),
            snmp = ports["snmp"],
            api = ports["api"],
            community = community.display(),
            password = password.display(),
            up = shaper("up"),
            down = shaper("down"),
        );
        fs::write(self.dir.join(format!("{name}.toml")), config).unwrap();
        let (request, bundle) = (self.dir.join(format!("{name}.request")), self.dir.join(format!("{name}.bundle")));
        self.enrol(name, &["--request", path(&request), "--name", name]);
        self.takar(&["device", "approve", path(&request), "--out", path(&bundle)]);
        self.enrol(name, &["--bundle", path(&bundle)]);
        Site { name: name.into(), agent: self.run_agent(name), _router: router }
    }

    fn enrol(&self, name: &str, words: &[&str]) {
        let mut command = self.agent_command();
        command.arg("--config").arg(self.dir.join(format!("{name}.toml"))).arg("enrol").args(words);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub fn wait_links(&self, what: &str, holds: impl Fn(&[Value]) -> bool) {
        wait_for(what, Duration::from_secs(20), || {
            let links = self.takar(&["links"]);
            Ok(links.as_array().is_some_and(|links| holds(links)).then_some(()))
        })
        .unwrap_or_else(|error| panic!("{error}\n{:#}\n{}", self.takar(&["links"]), self.log()));
    }

    pub fn wait_changes(&self, what: &str, holds: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        wait_for(what, Duration::from_secs(30), || {
            let changes = self.takar(&["changes"]).as_array().cloned().unwrap_or_default();
            Ok(holds(&changes).then_some(changes))
        })
        .unwrap_or_else(|error| panic!("{error}\n{:#}\n{}", self.takar(&["changes"]), self.log()))
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.join("serve.log")).unwrap_or_default()
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
