use super::*;

const LEAST: &str = "state_dir = \"/s\"\n[broker]\nkind = \"embedded\"\naddress = \"127.0.0.1:1883\"\n";

/// Where the tables without defaults begin.
const OPTIONAL: &str = "\n# Who the office is";

/// The places of all problems, in the order in which they are told.
fn places(text: &str) -> Vec<String> {
    parse(text).unwrap_err().into_iter().map(|problem| problem.at).collect()
}

#[test]
fn a_short_config_has_the_documented_defaults() {
    let config = parse(LEAST).unwrap();
    assert_eq!(config.socket, Path::new("/s/takar.sock"));
    assert_eq!(config.broker.url(), "mqtt://127.0.0.1:1883");
    assert_eq!((config.grant_valid_s, config.hold_down_ms, config.commit_every.as_millis()), (300, 900_000, 250));
    let readings = Readings { length_ms: 300_000, keep: 288, max_gap_ms: 900_000, counter_step_ms: 3_000 };
    assert_eq!(config.readings, readings);
    assert_eq!(config.change, ChangeRules { confirm_within_s: 60, expires_in_s: 120, withhold_confirm: false });
    assert_eq!(config.policy, Policy { approve: false, max_gain_per_mille: 500, uplinks: Vec::new() });
}

/// What the default config says in comments is what happens without them.
#[test]
fn every_commented_key_of_the_default_is_a_key_and_shows_its_default() {
    let is_key = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let mut keys = 0;
    let mut uncommented = String::new();
    let (with_defaults, _) = DEFAULT.split_once(OPTIONAL).unwrap();
    for line in with_defaults.lines() {
        let bare = line.strip_prefix("# ").filter(|bare| bare.split_once(" = ").is_some_and(|(key, _)| is_key(key)));
        keys += usize::from(bare.is_some());
        uncommented.push_str(bare.unwrap_or(line));
        uncommented.push('\n');
    }
    assert_eq!(keys, 40, "keys that are commented in {uncommented}");
    let mut expected = parse(DEFAULT).unwrap();
    assert_eq!(expected.socket_group, None);
    expected.socket_group = Some("takar".into());
    assert_eq!((&expected.papers.templates, &expected.papers.pdf_program), (&None, &None));
    expected.papers.templates = Some("/etc/takar/templates".into());
    expected.papers.pdf_program = Some("/usr/libexec/takar-pdf".into());
    assert_eq!(parse(&uncommented).unwrap(), expected);
}

/// Tables that are not there unless somebody writes them: shown as they could be.
#[test]
fn the_optional_tables_of_the_default_are_right() {
    let (_, optional) = DEFAULT.split_once(OPTIONAL).unwrap();
    let is_toml = |bare: &&str| bare.starts_with('[') || bare.contains(" = ");
    let bare: Vec<&str> = optional.lines().filter_map(|line| line.strip_prefix("# ")).filter(is_toml).collect();
    let config = parse(&format!("{LEAST}{}\n", bare.join("\n"))).unwrap();
    assert_eq!(config.papers.office.place, "Magelang");
    assert_eq!(config.web.map(|web| web.host().to_owned()).as_deref(), Some("takar.example"));
    let notice = config.notice.unwrap();
    let without = parse(&format!("{LEAST}[notice]\n[notice.mail]\nhost = \"mail.example\"\nfrom = \"a@b.example\"\n"))
        .unwrap()
        .notice
        .unwrap();
    assert_eq!(notice.rules, without.rules);
    let (shown, usual) = (notice.mail.unwrap(), without.mail.unwrap());
    assert_eq!((shown.port, shown.tls, shown.timeout), (usual.port, usual.tls, usual.timeout));
    assert!(notice.webhook.is_some());
}

#[test]
fn init_fills_the_default_in() {
    let (address, name) = ("127.0.0.1:8883".parse().unwrap(), "broker.example:8883".parse().unwrap());
    let text = default_text("/var/lib/a \"b\"", BrokerKind::Mosquitto, &address, &name);
    assert_eq!(text.lines().count(), DEFAULT.lines().count());
    assert!(text.contains("\n# tls = true\n"), "{text}");
    let config = parse(&text).unwrap();
    assert_eq!(config.state_dir, Path::new("/var/lib/a \"b\""));
    assert_eq!(config.broker, Broker { kind: BrokerKind::Mosquitto, address, name, tls: true });
    assert_eq!(config.broker.url(), "mqtts://broker.example:8883");
    assert_eq!(config.broker.to_string(), "mosquitto at 127.0.0.1:8883, with TLS");
}

#[test]
fn every_problem_is_told_at_once() {
    let text = "state_dir = \"s\"\nsocket_group = \"\"\n\
        [broker]\nkind = \"embedded\"\naddress = \"10.0.0.1:1883\"\nname = \"host:1:2\"\n\
        [grant]\nvalid_s = 29\n[readings]\nlength_s = 0\nkeep = 5\nmax_gap_s = 0\n\
        [assess]\nsaturated_count = 7\nclear_per_mille = 930\n\
        [plan]\ngranule_bps = 9\nhold_down_s = 86401\n\
        [policy]\nmax_gain_per_mille = 0\nuplinks = [\"a/b\", \"c\", \"c\"]\n\
        [change]\nconfirm_within_s = 4\nexpires_in_s = 3601\n[commit]\nevery_ms = 9\n\
        [procedure]\nzone = \"UTC\"\nstandard_minutes = [1]\nweek = { mon = \"7-16\" }\n\
        [papers]\nlanguages = [\"id\", \"fr\", \"id\"]\ntemplates = \"t\"\n";
    let expected = [
        "state_dir",
        "socket_group",
        "broker.name",
        "grant.valid_s",
        "readings.length_s",
        "readings.max_gap_s",
        "assess.saturated_count",
        "assess.clear_per_mille",
        "readings.keep",
        "plan.granule_bps",
        "plan.hold_down_s",
        "policy.max_gain_per_mille",
        "policy.uplinks[0]",
        "policy.uplinks[2]",
        "change.confirm_within_s",
        "change.expires_in_s",
        "procedure.zone",
        "procedure.week.mon",
        "procedure.standard_minutes",
        "papers.languages[1]",
        "papers.languages[2]",
        "papers.templates",
        "commit.every_ms",
    ];
    assert_eq!(places(text), expected);
}

#[test]
fn a_socket_that_nobody_could_connect_to_is_refused() {
    let with = |bytes: usize| format!("socket = \"/{}\"\n{LEAST}", "s".repeat(bytes - 1));
    assert!(parse(&with(107)).is_ok());
    let found = parse(&with(108)).unwrap_err();
    assert!(found.len() == 1 && found[0].at == "socket", "{found:?}");
    assert!(found[0].text.ends_with("has 108 bytes; expected at most 107 bytes"), "{found:?}");
    // The default lies in the state folder.
    assert_eq!(places(&LEAST.replace("\"/s\"", &format!("\"/{}\"", "s".repeat(100)))), ["socket"]);
}

#[test]
fn a_broker_fits_its_kind() {
    let broker = |keys: &str| places(&format!("state_dir = \"/s\"\n[broker]\n{keys}\n"));
    assert_eq!(broker("kind = \"embedded\"\naddress = \"10.0.0.1:1883\""), ["broker.address", "broker.name"]);
    assert_eq!(broker("kind = \"embedded\"\naddress = \"[::1]:1883\"\ntls = true"), ["broker.tls"]);
    let remote = "kind = \"mosquitto\"\naddress = \"127.0.0.1:1883\"\nname = \"broker.example\"\ntls = false";
    assert_eq!(broker(remote), ["broker.name"]);
    assert_eq!(broker("kind = \"rumqttd\"\naddress = \"localhost\""), ["broker.kind", "broker.address"]);
    let plain = "state_dir = \"/s\"\n[broker]\nkind = \"mosquitto\"\naddress = \"[::1]:1883\"\ntls = false\n";
    assert_eq!(parse(plain).unwrap().broker.url(), "mqtt://[::1]:1883");
}

#[test]
fn a_short_reading_allows_a_short_counter_step_only() {
    let short = parse(&format!("{LEAST}[readings]\nlength_s = 2\n")).unwrap().readings;
    assert_eq!((short.counter_step_ms, short.max_gap_ms), (100, 6_000));
    assert_eq!(
        places(&format!("{LEAST}[readings]\nlength_s = 2\ncounter_step_ms = 101\n")),
        ["readings.counter_step_ms"]
    );
}

#[test]
fn what_does_not_read_is_named_by_line() {
    assert_eq!(places(&format!("{LEAST}[grant]\nvalid = 1\n")), ["line 6"]);
    assert_eq!(places("state_dir = \"/s\"\nstate_dir = \"/t\"\n"), ["line 2"]);
}

#[test]
fn the_file_is_named_in_each_problem() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("takar.toml");
    assert!(load(&path).unwrap_err()[0].text.starts_with("cannot be read"));
    std::fs::write(&path, format!("{LEAST}[grant]\nvalid_s = 1\n[commit]\nevery_ms = 0\n")).unwrap();
    let problems = load(&path).unwrap_err();
    let found: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(found[0], format!("{}: grant.valid_s: 1 is out of range; expected 30 to 86400", path.display()));
    assert_eq!(found.len(), 2);
}
