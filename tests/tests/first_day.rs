//! The first day with many routers, with real programs: a register drafted from what is there, links that go live one by
//! one, links that are worked on, and a device that cannot be polled.
// A test that cannot go on has failed; the programs run in real time.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::{fs, process::Command, thread, time::Duration};

use serde_json::{Value, json};
use takar_e2e::{
    client::in_seconds,
    lab::{Lab, Site, Traffic},
    process::{Process, wait_for},
};

/// Findings within seconds.
const QUICK: &str = "[assess]\nwindow = 4\nsaturated_count = 3\nlook_back = 6\n[plan]\nhold_down_s = 5\n";

struct Office {
    lab: Lab,
    serve: Process,
    sites: Vec<Site>,
    _folder: tempfile::TempDir,
}

/// Two sites of equal share on one line, measured; each link's row has `mode` where it is given.
fn office(profile: &'static str, rules: &str, mode: Option<&str>) -> Office {
    let office = sites(profile, rules);
    let register = register(&office, mode);
    let file = office.lab.dir.join("register.toml");
    fs::write(&file, register).unwrap();
    office.lab.takar(&["import", file.to_str().unwrap()]);
    office.lab.wait_links("every site measured", |links| {
        let measured = |row: &Value| row["poll"] == "ok" && row["observed_bps"].is_u64() && row["used_bps"].is_u64();
        links.len() == 4 && links.iter().all(measured)
    });
    office
}

/// Two routers on which queues look well and shape nothing: the first fast-tracks, the traffic of the second comes from an
/// address that its queue is not for.
fn in_vain() -> Office {
    let folder = tempfile::tempdir().unwrap();
    let traffic = Traffic { profile: "fair", seed: 1, sites: 2, capacity_bps: 20_000_000 };
    let (mut lab, serve) = Lab::start(folder.path(), traffic, QUICK);
    lab.router = vec!["--fasttrack"];
    let first = lab.site("kantor-a", 0);
    lab.router = vec!["--subscriber", "172.16.0.9"];
    let second = lab.site("kantor-b", 1);
    Office { lab, serve, sites: vec![first, second], _folder: folder }
}

/// Without a register.
fn sites(profile: &'static str, rules: &str) -> Office {
    let folder = tempfile::tempdir().unwrap();
    let traffic = Traffic { profile, seed: 1, sites: 2, capacity_bps: 20_000_000 };
    let (lab, serve) = Lab::start(folder.path(), traffic, rules);
    let sites = vec![lab.site("kantor-a", 0), lab.site("kantor-b", 1)];
    Office { lab, serve, sites, _folder: folder }
}

fn register(office: &Office, mode: Option<&str>) -> String {
    let mode = mode.map_or_else(String::new, |mode| format!("mode = \"{mode}\"\n"));
    let mut text = "[[provider]]\nname = \"isp\"\ntitle = \"ISP\"\n[[uplink]]\nname = \"utama\"\nprovider = \"isp\"\n\
                    down_bps = 20_000_000\nup_bps = 20_000_000\n"
        .to_owned();
    for Site { name, .. } in &office.sites {
        let side = format!("{{ queue = \"{name}\", cir_bps = 1_000_000, mir_bps = 10_000_000 }}");
        text += &format!(
            "[[site]]\nname = \"{name}\"\ntitle = \"{name}\"\n[[link]]\nname = \"{name}\"\nsite = \"{name}\"\n\
             uplink = \"utama\"\ndevice = \"{name}\"\ninterface = \"ether1\"\n{mode}down = {side}\nup = {side}\n"
        );
    }
    text
}

impl Office {
    fn takar(&self, words: &[&str]) -> Value {
        self.lab.takar(words)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(self.lab.programs.join("takar"));
        command.arg("--config").arg(self.lab.dir.join("takar.toml")).arg("--json").args(words);
        command
    }

    /// What takar says against it.
    fn refused(&self, words: &[&str]) -> String {
        let output = self.command(words).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "takar {words:?}: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).unwrap()
    }

    fn path(&self, name: &str) -> String {
        self.lab.dir.join(name).to_str().unwrap().to_owned()
    }

    fn import(&self, text: &str) {
        let file = self.path("register.toml");
        fs::write(&file, text).unwrap();
        self.takar(&["import", &file]);
    }

    /// Of a link, down.
    fn row(&self, link: &str) -> Value {
        let rows = self.takar(&["links"]);
        let found = rows.as_array().unwrap().iter().find(|row| row["link"] == link && row["direction"] == "down");
        found.unwrap().clone()
    }

    /// Why a link does not move, by the planner.
    fn why(&self, link: &str) -> String {
        let plan = self.takar(&["propose", "--dry-run"]);
        let reasons = plan["reasons"].as_array().unwrap().iter();
        let of_plans = plan["proposals"].as_array().unwrap().iter().flat_map(|one| one["others"].as_array().unwrap());
        let found = reasons.chain(of_plans).find(|one| one["link"] == link);
        found.unwrap_or_else(|| panic!("{link} has no reason in {plan:#}"))["why"].as_str().unwrap().to_owned()
    }

    fn restart(&mut self) {
        self.serve.kill().unwrap();
        self.serve = self.lab.serve();
    }
}

#[test]
fn a_link_has_a_mode_that_is_kept_and_supersedes() {
    let mut office = office("fair", "", None);
    let mode = |office: &Office, link: &str, mode: &str| office.takar(&["link", "mode", link, mode]);
    let set = mode(&office, "kantor-a", "observe");
    assert_eq!(set, json!({"link": "kantor-a", "mode": "observe", "was": "live", "superseded": []}));
    let row = office.row("kantor-a");
    assert_eq!(row["mode"], "observe");
    assert!(row["why"].as_str().unwrap().contains("only observed"), "{row:#}");
    assert!(office.why("kantor-a").starts_with("It is only observed"));
    assert!(!office.why("kantor-b").starts_with("It is only observed"));
    let refused = office.refused(&["propose", "--move", "kantor-a:up:8M"]);
    assert!(refused.contains("only observed"), "{refused}");
    let refused = office.refused(&["link", "mode", "nirgends", "live"]);
    assert!(refused.contains("link: \"nirgends\" is not in the register"), "{refused}");

    // By hand it may be proposed, and what waits ends with the mode that it was made under.
    mode(&office, "kantor-a", "propose");
    let plan = office.takar(&["propose", "--move", "kantor-a:up:8M", "--reason", "uji"]);
    let proposal = plan["proposals"][0]["id"].as_u64().unwrap();
    let set = mode(&office, "kantor-a", "live");
    assert_eq!(set["superseded"], json!([proposal]));
    let refused = office.refused(&["approve", &proposal.to_string()]);
    assert!(refused.contains("superseded already"), "{refused}");
    assert_eq!(office.takar(&["changes"]), json!([]));

    // Through a restart, and through imports that say nothing new of it.
    mode(&office, "kantor-b", "observe");
    office.restart();
    assert_eq!(office.row("kantor-b")["mode"], "observe");
    let without = register(&office, None);
    office.import(&format!("# again\n{without}"));
    assert_eq!(office.row("kantor-b")["mode"], "observe");
    let with = register(&office, Some("propose"));
    office.import(&with);
    assert_eq!(
        (&office.row("kantor-a")["mode"], &office.row("kantor-b")["mode"]),
        (&json!("propose"), &json!("propose"))
    );
    mode(&office, "kantor-b", "live");
    office.import(&format!("# once more\n{with}"));
    assert_eq!(office.row("kantor-b")["mode"], "live");

    let log = office.takar(&["audit", "list"]);
    let changed = log.as_array().unwrap().iter().filter(|one| one["event"] == "link-mode-changed").count();
    assert_eq!(changed, 7, "{log:#}");
    assert_eq!(office.takar(&["audit", "verify"])["ok"], true);
}

#[test]
fn policy_leaves_links_that_are_to_be_proposed_to_people() {
    let office =
        office("skewed", &format!("{QUICK}[policy]\napprove = true\nmax_gain_per_mille = 1000\n"), Some("propose"));
    let decided = |by: &str| {
        let all = office.takar(&["proposals"]);
        all.as_array().unwrap().iter().any(|one| one["decided_by"] == by)
    };
    wait_for("a proposal", Duration::from_secs(90), || {
        let all = office.takar(&["proposals"]);
        Ok(all.as_array().unwrap().iter().any(|one| one["state"] == "proposed").then_some(()))
    })
    .unwrap();
    thread::sleep(Duration::from_secs(6));
    assert!(!decided("policy"));
    assert_eq!(office.takar(&["changes"]), json!([]));
    // Live, the same is the policy's to approve.
    for link in ["kantor-a", "kantor-b"] {
        office.takar(&["link", "mode", link, "live"]);
    }
    wait_for("the policy to approve", Duration::from_secs(90), || Ok(decided("policy").then_some(()))).unwrap();
}

#[test]
fn nothing_is_found_on_a_line_that_is_worked_on() {
    let mut office = office("skewed", QUICK, None);
    let (soon, late) = (in_seconds(600).unwrap(), in_seconds(1200).unwrap());
    let refused = office.refused(&[
        "maintenance",
        "add",
        "--link",
        "nirgends",
        "--from",
        &late,
        "--until",
        &soon,
        "--reason",
        " ",
    ]);
    for problem in ["link: \"nirgends\"", "until: expected a time after from", "reason: expected some text"] {
        assert!(refused.contains(problem), "{refused}");
    }
    let added =
        office.takar(&["maintenance", "add", "--uplink", "utama", "--until", &soon, "--reason", "pindah serat"]);
    assert_eq!((&added["state"], &added["links"]), (&json!("on"), &json!(["kantor-a", "kantor-b"])), "{added:#}");
    let rests = |office: &Office| {
        let rows = office.takar(&["links"]);
        rows.as_array().unwrap().iter().all(|row| row["state"] == "maintenance")
    };
    assert!(rests(&office) && office.row("kantor-a")["why"].as_str().unwrap().contains("pindah serat"));
    assert!(office.why("kantor-a").starts_with("It is under maintenance"));
    let status = office.takar(&["status"]);
    let told = status["notices"].as_array().unwrap().iter().any(|one| one.as_str().unwrap().contains("utama is under"));
    assert!(told, "{status:#}");

    // A line that starves says so within seconds, but for now nobody asks it; a restart changes nothing.
    office.restart();
    thread::sleep(Duration::from_secs(15));
    assert_eq!(office.takar(&["findings"]), json!([]));
    assert!(rests(&office));

    // Another is to come; the first is ended before its time, once.
    office.takar(&["maintenance", "add", "--site", "kantor-a", "--from", &soon, "--until", &late, "--reason", "x"]);
    let states = |all: bool| {
        let words: &[&str] = if all { &["maintenance", "list", "--all"] } else { &["maintenance", "list"] };
        let rows = office.takar(words);
        rows.as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(states(false), ["on", "to-come"]);
    assert_eq!(office.takar(&["maintenance", "end", "1"])["state"], "ended");
    assert!(office.refused(&["maintenance", "end", "1"]).contains("ended already"));
    assert!(office.refused(&["maintenance", "end", "9"]).contains("no maintenance 9"));
    assert_eq!((states(false), states(true)), (vec!["to-come".to_owned()], vec!["to-come".into(), "ended".into()]));
    wait_for("a shortage", Duration::from_secs(90), || {
        let found = office.takar(&["findings"]);
        Ok(found.as_array().unwrap().iter().any(|one| one["kind"] == "shortage").then_some(()))
    })
    .unwrap();
    let log = office.takar(&["audit", "list"]);
    let count = |event: &str| log.as_array().unwrap().iter().filter(|one| one["event"] == event).count();
    assert_eq!((count("maintenance-added"), count("maintenance-ended")), (2, 1));
}

#[test]
fn a_device_that_cannot_be_polled_neither_gives_nor_gets() {
    let mut office = office("fair", "", None);
    fs::write(office.lab.dir.join("community"), "wrong").unwrap();
    office.sites[1].agent.kill().unwrap();
    office.sites[1].agent = office.lab.run_agent("kantor-b");
    office.lab.wait_links("kantor-b not to answer", |links| {
        let silent = |row: &&Value| !matches!(row["poll"].as_str(), Some("ok" | "not yet"));
        links.iter().filter(|row| row["link"] == "kantor-b").all(|row| silent(&row))
    });
    let why = wait_for("the agent to take changes", Duration::from_secs(20), || {
        let why = office.why("kantor-b");
        Ok((!why.contains("not taking changes")).then_some(why))
    });
    assert!(why.unwrap().starts_with("Its device did not answer the last poll"));
    assert!(!office.why("kantor-a").starts_with("Its device"));
    let refused = office.refused(&["propose", "--move", "kantor-b:up:8M"]);
    assert!(refused.contains("did not answer the last poll"), "{refused}");
}

#[test]
fn a_draft_of_what_is_there_is_imported_as_it_is() {
    let office = sites("fair", "");
    let probe = r#"{"target":"10.9.0.1:161","identity":{"sys_name":"kantor-c"},"interfaces":
        [{"if_name":"ether1","high_speed_bps":100000000}],"queues":[
        {"kind":"simple","name":"kantor-c","direction":"down","cir_bps":1000000,"mir_bps":5000000},
        {"kind":"simple","name":"kantor-c","direction":"up","cir_bps":1000000,"mir_bps":0}]}"#;
    let (probe_file, draft, doubtful) =
        (office.path("probe.json"), office.path("draft.toml"), office.path("doubtful.toml"));
    fs::write(&probe_file, probe).unwrap();
    // Births first, and facts, by which the speed of an interface is known.
    wait_for("devices to be reported whole", Duration::from_secs(90), || {
        let output = office.command(&["inventory", "draft"]).output()?;
        let view: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        Ok((view["links"] == 2 && view["doubtful"] == 0).then_some(()))
    })
    .unwrap_or_else(|error| panic!("{error}\n{}", office.takar(&["inventory", "draft"])["text"].as_str().unwrap()));
    let written = office.takar(&["inventory", "draft", "--out", &draft]);
    assert_eq!((&written["links"], &written["doubtful"]), (&json!(2), &json!(0)));
    assert_eq!(office.takar(&["import", &draft])["links"], 2);
    let row = office.row("kantor-b");
    assert_eq!((&row["recorded_bps"], &row["mode"]), (&json!(10_000_000), &json!("observe")));

    let text = fs::read_to_string(&draft).unwrap();
    let refused = office.refused(&["inventory", "draft", "--out", &draft, "--probe", &office.path("none.json")]);
    assert!(refused.contains("exists; expected what is not there yet") && refused.contains("none.json"), "{refused}");
    assert_eq!(fs::read_to_string(&draft).unwrap(), text);
    let written = office.takar(&["inventory", "draft", "--out", &doubtful, "--probe", &probe_file]);
    assert_eq!((&written["links"], &written["doubtful"]), (&json!(3), &json!(1)));
    let text = fs::read_to_string(&doubtful).unwrap();
    assert!(text.contains("# doubtful: up: mir 0, which is unlimited\n"), "{text}");
    let refused = office.refused(&["import", &doubtful, "--dry-run"]);
    assert!(refused.contains("kantor-c") && refused.contains("up"), "{refused}");
}

#[test]
fn a_queue_that_shapes_nothing_is_told_with_its_reason_and_not_changed() {
    let office = in_vain();
    office.import(&register(&office, None));
    let why = |link: &str, words: &str| {
        office.lab.wait_links(&format!("{link}: {words}"), |links| {
            let of_it =
                |row: &&Value| row["link"] == link && row["why"].as_str().is_some_and(|why| why.contains(words));
            links.iter().filter(of_it).count() == 2
        });
    };
    why("kantor-a", "its queue shapes nothing");
    let log = fs::read_to_string(office.lab.dir.join("kantor-a.log")).unwrap();
    assert!(log.contains("queue has no effect: fast-tracked connections pass it by"), "{log}");
    // What only the counters tell takes a minute of them.
    thread::sleep(Duration::from_secs(60));
    why("kantor-b", "its traffic does not pass its queue");
    for link in ["kantor-a", "kantor-b"] {
        let said = office.refused(&["propose", "--move", &format!("{link}:up:6M"), "--reason", "uji"]);
        let expected = format!("takar: link {link}: Its traffic does not pass its queue, or that shapes nothing");
        assert!(said.starts_with(&expected) && said.lines().count() == 1, "{said}");
    }
    assert_eq!(office.takar(&["changes"]), json!([]));
}
