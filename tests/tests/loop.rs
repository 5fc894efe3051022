//! The loop, with real programs: collector with its embedded broker, agents, simulated RouterOS
//! routers. A change proposed by hand is approved, applied, confirmed and proved.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::Value;
use takar_e2e::process::{Process, binaries, free_port, wait_for};

struct Site {
    name: &'static str,
    _router: Process,
    agent: Process,
}

struct Lab {
    dir: PathBuf,
    programs: PathBuf,
}

impl Lab {
    fn takar(&self, words: &[&str]) -> Value {
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

    fn serve(&self) -> Process {
        let mut command = Command::new(self.programs.join("takar"));
        command.arg("--config").arg(self.dir.join("takar.toml")).arg("serve");
        Process::start("takar serve", command, &self.dir.join("serve.log")).unwrap()
    }

    fn run_agent(&self, name: &str) -> Process {
        let mut command = Command::new(self.programs.join("takar-agent"));
        command.arg("--config").arg(self.dir.join(format!("{name}.toml"))).arg("run");
        Process::start(name, command, &self.dir.join(format!("{name}.log"))).unwrap()
    }

    fn site(&self, name: &'static str, site: usize) -> Site {
        let (community, password) = (self.secret("community", "public"), self.secret("password", "secret"));
        let ready = self.dir.join(format!("{name}.ready"));
        let mut command = Command::new(self.programs.join("router-sim"));
        command.args([
            "--name",
            name,
            "--site",
            &site.to_string(),
            "--sites",
            "2",
            "--profile",
            "fair",
            "--day-s",
            "60",
        ]);
        command.args(["--capacity-down-bps", "20000000", "--capacity-up-bps", "20000000", "--user", "takar"]);
        command.args(["--queue", name, "--max-limit", "10M/10M", "--limit-at", "1M/1M"]);
        command
            .arg("--community-file")
            .arg(&community)
            .arg("--password-file")
            .arg(&password)
            .arg("--ready")
            .arg(&ready);
        let router = Process::start("router-sim", command, &self.dir.join("router.log")).unwrap();
        let ports: Value = wait_for("router-sim", Duration::from_secs(10), || {
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
        Site { name, _router: router, agent: self.run_agent(name) }
    }

    fn enrol(&self, name: &str, words: &[&str]) {
        let mut command = Command::new(self.programs.join("takar-agent"));
        command.arg("--config").arg(self.dir.join(format!("{name}.toml"))).arg("enrol").args(words);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn wait_links(&self, what: &str, holds: impl Fn(&[Value]) -> bool) {
        wait_for(what, Duration::from_secs(20), || {
            let links = self.takar(&["links"]);
            Ok(links.as_array().is_some_and(|links| holds(links)).then_some(()))
        })
        .unwrap_or_else(|error| panic!("{error}\n{:#}\n{}", self.takar(&["links"]), self.log()));
    }

    fn wait_changes(&self, what: &str, holds: impl Fn(&[Value]) -> bool) -> Vec<Value> {
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

fn observed(links: &[Value], link: &str) -> Option<u64> {
    let row = links.iter().find(|row| row["link"] == link && row["direction"] == "up")?;
    row["observed_bps"].as_u64()
}

#[test]
fn a_change_by_hand_is_confirmed_and_an_interrupted_one_rolls_back() {
    let folder = tempfile::tempdir().unwrap();
    let lab = Lab { dir: folder.path().to_owned(), programs: binaries().unwrap() };
    let address = format!("127.0.0.1:{}", free_port().unwrap());
    let (state, root) = (lab.dir.join("state"), lab.dir.join("root.key"));
    lab.takar(&[
        "init",
        "--state-dir",
        path(&state),
        "--root-out",
        path(&root),
        "--broker",
        "embedded",
        "--address",
        &address,
    ]);
    let config = format!(
        "state_dir = \"{}\"\n[broker]\nkind = \"embedded\"\naddress = \"{address}\"\nname = \"{address}\"\n\
         [readings]\nlength_s = 2\ncounter_step_ms = 0\n[change]\nconfirm_within_s = 6\nexpires_in_s = 20\n",
        state.display()
    );
    fs::write(lab.dir.join("takar.toml"), config).unwrap();
    let mut serve = lab.serve();
    wait_for("takar serve", Duration::from_secs(10), || {
        serve.check()?;
        Ok(state.join("takar.sock").exists().then_some(()))
    })
    .unwrap();
    let mut sites = [lab.site("kantor-a", 0), lab.site("kantor-b", 1)];
    let mut inventory = String::from(
        "[[provider]]\nname = \"isp\"\ntitle = \"ISP\"\n[[uplink]]\nname = \"utama\"\nprovider = \"isp\"\ndown_bps = 20000000\nup_bps = 20000000\n",
    );
    for Site { name, .. } in &sites {
        inventory += &format!(
            "[[site]]\nname = \"{name}\"\ntitle = \"{name}\"\n[[link]]\nname = \"{name}\"\nsite = \"{name}\"\nuplink = \"utama\"\ndevice = \"{name}\"\ninterface = \"ether1\"\n"
        );
        for direction in ["down", "up"] {
            inventory += &format!("[link.{direction}]\nqueue = \"{name}\"\ncir_bps = 1000000\nmir_bps = 10000000\n");
        }
    }
    let file = lab.dir.join("inventory.toml");
    fs::write(&file, inventory).unwrap();
    lab.takar(&["import", path(&file)]);
    lab.wait_links("both sites measured", |links| {
        links.len() == 4
            && links
                .iter()
                .all(|row| row["poll"] == "ok" && row["observed_bps"] == 10_000_000 && row["used_bps"].is_u64())
    });

    // Four megabits move; the decrease is Confirmed before the increase leaves.
    let moves = ["--move", "kantor-a:up:6M", "--move", "kantor-b:up:14M", "--reason", "test"];
    let plan = lab.takar(&[&["propose"], &moves[..]].concat());
    let proposal = plan["proposals"][0]["id"].to_string();
    lab.takar(&["approve", &proposal]);
    let changes = lab.wait_changes("both changes confirmed", |changes| {
        changes.len() == 2 && changes.iter().all(|change| change["state"] == "confirmed")
    });
    let step = |step: u64| changes.iter().find(|change| change["step"] == step).unwrap();
    assert!(step(1)["ended_at"].as_u64() <= step(2)["dispatched_at"].as_u64(), "{changes:#?}");
    lab.wait_links("the new ceilings", |links| {
        observed(links, "kantor-a") == Some(6_000_000) && observed(links, "kantor-b") == Some(14_000_000)
    });

    // The agent dies as its change is applied and returns: nothing unconfirmed stays, nothing is applied twice.
    let plan = lab.takar(&["propose", "--move", "kantor-b:up:12M", "--reason", "test"]);
    let samples = lab.takar(&["status"])["samples_stored"].as_u64();
    lab.takar(&["approve", &plan["proposals"][0]["id"].to_string()]);
    sites[1].agent.kill().unwrap();
    sites[1].agent = lab.run_agent("kantor-b");
    let changes = lab.wait_changes("the interrupted change to end", |changes| {
        let ended = |change: &Value| matches!(change["state"].as_str(), Some("confirmed" | "rolled-back" | "refused"));
        changes.len() == 3 && changes.iter().all(ended)
    });
    let last = changes.iter().find(|change| change["proposal"] == plan["proposals"][0]["id"]).unwrap();
    let expected = if last["state"] == "confirmed" { 12_000_000 } else { 14_000_000 };
    lab.wait_links("record and device agree", |links| {
        links.iter().all(|row| row["observed_bps"] == row["recorded_bps"])
            && observed(links, "kantor-b") == Some(expected)
    });

    // The collector dies and returns: what was stored is there, and the log proves every change.
    serve.kill().unwrap();
    let mut serve = lab.serve();
    wait_for("takar serve again", Duration::from_secs(10), || {
        serve.check()?;
        let answered = Command::new(lab.programs.join("takar"))
            .arg("--config")
            .arg(lab.dir.join("takar.toml"))
            .arg("status")
            .output()?;
        Ok(answered.status.success().then_some(()))
    })
    .unwrap();
    assert!(lab.takar(&["status"])["samples_stored"].as_u64() >= samples);
    let verified = lab.takar(&["audit", "verify"]);
    assert_eq!((&verified["ok"], &verified["changes"]), (&Value::from(true), &Value::from(3)), "{verified:#}");
}
