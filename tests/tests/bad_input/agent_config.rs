//! The agent's config and the secrets that it names.

use std::fs;

use crate::{
    place::{Place, set_mode},
    table::Table,
};

#[test]
fn each_problem_of_an_agent_config_is_a_line_and_nothing_runs() {
    let mut trial = Trial { place: Place::new(), table: Table::default() };
    let place = &trial.place;
    place.write("secret", "public\n");
    place.write("empty", "\n");
    set_mode(place.write("open", "public\n"), 0o644);
    place.write("binary", b"\xff\xfe\n");
    place.write("two-lines", "public\nprivate\n");
    fs::create_dir(place.at("folder")).unwrap();
    set_mode(place.at("folder"), 0o700);

    let least = format!("state_dir = \"{}\"\nspool_dir = \"{}\"\n", place.at("state"), place.at("spool"));
    let device = |snmp: &str| format!("{least}[[device]]\nname = \"core-1\"\n[device.snmp]\n{snmp}");
    let dir = place.at("");
    let with_secret = |file: &str| {
        device(&format!("address = \"127.0.0.1:9\"\ncommunity_file = \"{dir}{file}\"\ninterfaces = [\"ether1\"]\n"))
    };
    let community = "device[0].snmp.community_file: ";

    trial.config("syntax", format!("{least}mode = \n"), &[&["line 3", "expected"]]);
    trial.config("unknown key", format!("{least}colour = 1\n"), &[&["line 3", "`colour`", "expected one of `mode`"]]);
    trial.config("key twice", format!("{least}{least}"), &[&["line 3", "duplicate key"]]);
    trial.config("empty", "", &[&["missing field `state_dir`"]]);
    trial.config("no UTF-8", b"mode = \"\xff\"\n", &[&["cannot be read", "UTF-8"]]);
    trial.config(
        "several at once",
        "mode = \"fast\"\nstate_dir = \"s\"\nspool_dir = \"t\"\npoll_every_ms = 1\n",
        &[
            &["mode: ", "\"fast\"", "expected \"observe\" or \"live\""],
            &["state_dir: ", "\"s\"", "expected an absolute path"],
            &["spool_dir: ", "\"t\"", "expected an absolute path"],
            &["poll_every_ms: ", "1 ", "expected 200 to 3600000"],
            &["device: ", "expected at least one [[device]]"],
        ],
    );
    trial.config("secret of all", with_secret("open"), &[&[community, "open", "mode 0644", "expected 0600"]]);
    trial.config("empty secret", with_secret("empty"), &[&[community, "empty", "expected a secret"]]);
    trial.config("missing secret", with_secret("nowhere"), &[&[community, "nowhere cannot be read", "No such file"]]);
    trial.config("secret is a folder", with_secret("folder"), &[&[community, "folder", "directory"]]);
    trial.config("secret is binary", with_secret("binary"), &[&[community, "binary", "UTF-8"]]);
    trial.config("secret of two lines", with_secret("two-lines"), &[&[community, "two-lines", "expected one line"]]);
    trial.config(
        "address, version",
        device("address = \"router\"\nversion = \"1\"\ninterfaces = []\n"),
        &[
            &["device[0].snmp.address: ", "\"router\"", "expected host:port"],
            &["device[0].snmp.interfaces: ", "expected at least one ifName"],
            &["device[0].snmp.version: ", "\"1\"", "expected \"2c\" or \"3\""],
        ],
    );
    trial.config(
        "nothing to read",
        format!("{least}[[device]]\nname = \"core-1\"\n"),
        &[&["device[0]: ", "expected [device.snmp], [device.kernel] or [device.queues]"]],
    );
    let queues = "[device.queues]\nbackend = \"htb\"\n[[device.shaper]]\nclass = \"1:zz\"\ninterface = \"e\"\n\
                  direction = \"up\"\nfloor_bps = 9\nceiling_bps = 8\n[[device.shaper]]\nqueue = \"q\"\n\
                  direction = \"up\"\nfloor_bps = 9\nceiling_bps = 8\n";
    trial.config(
        "shapers",
        format!("{least}[[device]]\nname = \"core-1\"\n{queues}"),
        &[
            &["device[0].shaper[0].class: ", "\"1:zz\"", "expected hexadecimal"],
            &["device[0].shaper[1]: ", "queue q", "does not fit"],
            &["device[0].shaper[1].floor_bps: ", "floor 9 and ceiling 8", "expected 0 ≤ floor ≤ ceiling"],
        ],
    );
    for made in ["state", "spool"] {
        assert!(!trial.place.has(made), "a config that was refused made {made}");
    }
}

#[test]
fn an_agent_config_that_is_not_there_is_named() {
    let (place, mut table) = (Place::new(), Table::default());
    let (missing, folder) = (place.at("missing.toml"), place.at(""));
    for command in ["check-config", "run", "status"] {
        let told = place.run("takar-agent", &["--config", &missing, command]);
        table.refused("missing", &told, 1, &missing, &[&["cannot be read", "No such file"]]);
        let told = place.run("takar-agent", &["--config", &folder, command]);
        table.refused("a folder", &told, 1, &folder, &[&["cannot be read", "directory"]]);
    }
}

struct Trial {
    place: Place,
    table: Table,
}

impl Trial {
    fn config(&mut self, case: &str, text: impl AsRef<[u8]>, lines: &[&[&str]]) {
        let config = self.place.write("agent.toml", text);
        for command in ["check-config", "run"] {
            let told = self.place.run("takar-agent", &["--config", &config, command]);
            self.table.refused(case, &told, 1, &config, lines);
        }
    }
}
