use std::{fs, os::unix::fs::PermissionsExt as _};

use proptest::prelude::*;
use takar_shared::{
    BitsPerSec, Direction, id,
    queue::{ClassId, Shaper},
};

use super::*;
use crate::snmp::{Auth, Credentials, Privacy};

/// Ends within `[device.queues]`, at its line 6.
const LEAST: &str = "state_dir = \"/s\"\nspool_dir = \"/p\"\n[[device]]\nname = \"core-1\"\n\
    [device.queues]\nbackend = \"htb\"\n";

/// The places of all problems, in the order in which they are told.
fn places(text: &str) -> Vec<String> {
    problems(text).into_iter().map(|problem| problem.at).collect()
}

fn problems(text: &str) -> Vec<Problem> {
    parse(text).unwrap_err()
}

fn class(class: &str, direction: &str) -> String {
    let rates = "floor_bps = 1000\nceiling_bps = 2000\n";
    format!("[[device.shaper]]\nclass = \"{class}\"\ninterface = \"wan\"\ndirection = \"{direction}\"\n{rates}")
}

/// `[device.snmp]` of version 2c, for so many interfaces.
fn snmp(community: &Path, interfaces: usize) -> String {
    let names: Vec<String> = (0..interfaces).map(|at| format!("\"ether{at}\"")).collect();
    format!(
        "[device.snmp]\naddress = \"127.0.0.1:161\"\ncommunity_file = {:?}\ninterfaces = [{}]\n",
        community.display().to_string(),
        names.join(", ")
    )
}

/// A secret's file, with `mode`.
fn secret(dir: &Path, text: &str, mode: u32) -> PathBuf {
    let path = dir.join(format!("secret-{mode:o}"));
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn a_short_config_has_the_documented_defaults() {
    let config = parse(LEAST).unwrap();
    assert_eq!((config.mode, config.spool_max_bytes), (Mode::Observe, 4 * 1024 * 1024));
    assert_eq!((config.poll_every.as_millis(), config.polls_per_message), (5_000, 3));
    assert_eq!((config.state_dir.as_path(), config.spool_dir.as_path()), (Path::new("/s"), Path::new("/p")));
    let [device] = &config.devices[..] else { panic!("{:?}", config.devices) };
    assert_eq!((device.name.as_str(), device.changes_per_hour), ("core-1", 12));
    assert!(device.snmp.is_none() && device.bounds.is_empty() && matches!(device.queues, QueuesConfig::Htb));

    let dir = tempfile::tempdir().unwrap();
    let text = format!("{LEAST}{}", snmp(&secret(dir.path(), "public\n", 0o600), 1));
    let target = parse(&text).unwrap().devices.remove(0).snmp.unwrap();
    assert_eq!((target.timeout.as_millis(), target.retries), (1_000, 2));
    // Without the line's end.
    assert!(matches!(target.credentials, Credentials::V2c { community } if community == "public"));
}

#[test]
fn every_problem_is_told_at_once() {
    let long = "x".repeat(65);
    let text = format!(
        "mode = \"on\"\nstate_dir = \"s\"\nspool_dir = \"p\"\n\
        spool_max_bytes = 1\npoll_every_ms = 199\npolls_per_message = 0\n\
        [[device]]\nname = \"a b\"\nchanges_per_hour = 241\n\
        [device.snmp]\naddress = \"10.0.0.1\"\ntimeout_ms = 49\nretries = 11\ninterfaces = [\"\", \"{long}\"]\n\
        [device.queues]\nbackend = \"routeros\"\ntimeout_ms = 60001\n\
        [[device.shaper]]\nclass = \"1:10\"\ninterface = \"e\"\ndirection = \"down\"\nfloor_bps = 2\nceiling_bps = 1\n\
        [[device.shaper]]\nqueue = \"q\"\nclass = \"1:10\"\ndirection = \"up\"\nfloor_bps = 0\nceiling_bps = 1\n\
        [[device]]\nname = \"a b\"\n"
    );
    let expected = [
        "mode",
        "state_dir",
        "spool_dir",
        "spool_max_bytes",
        "poll_every_ms",
        "polls_per_message",
        "device[0].name",
        "device[0].changes_per_hour",
        "device[0].snmp.timeout_ms",
        "device[0].snmp.retries",
        "device[0].snmp.address",
        "device[0].snmp.interfaces[0]",
        "device[0].snmp.interfaces[1]",
        "device[0].snmp.community_file",
        "device[0].queues.address",
        "device[0].queues.user",
        "device[0].queues.timeout_ms",
        "device[0].queues.password_file",
        "device[0].shaper[0]",
        "device[0].shaper[0].floor_bps",
        "device[0].shaper[1]",
        "device[1].name",
        "device[1].name",
        "device[1]",
    ];
    assert_eq!(places(&text), expected);
}

#[test]
fn what_does_not_read_is_named_by_line() {
    let begin = "state_dir = \"/s\"\nspool_dir = \"/p\"\n";
    // In column 1, and further right.
    assert_eq!(places(&format!("{begin}spool = 1\n")), ["line 3"]);
    assert_eq!(places(&format!("{begin}\n  spool = 1\n")), ["line 4"]);
    assert_eq!(places(&format!("{begin}poll_every_ms = \"5 s\"\n")), ["line 3"]);
    assert_eq!(places("state_dir = \"/s\"\nstate_dir = \"/t\"\n"), ["line 2"]);
    assert_eq!(places("mode = 1\n"), ["line 1"]);
}

#[test]
fn unknown_keys_are_named_wherever_they_are() {
    assert_eq!(places(&format!("{LEAST}priority = 1\n")), ["line 7"]);
    let shaper = class("1:10", "up");
    let unknown = problems(&format!("{LEAST}{shaper}burst_bps = 1\n"));
    assert_eq!(unknown.len(), 1);
    assert!(unknown[0].at == "line 13" && unknown[0].text.contains("burst_bps"), "{}", unknown[0]);
    let missing = problems("state_dir = \"/s\"\n");
    assert!(missing[0].text.contains("spool_dir"), "{}", missing[0]);
}

#[test]
fn a_shaper_is_there_once() {
    let (up, down) = (class("1:10", "up"), class("1:10", "down"));
    let config = parse(&format!("{LEAST}{up}{down}")).unwrap();
    let bound = &config.devices[0].bounds[0];
    let expected = Shaper::Class { interface: id::name("wan").unwrap(), classid: ClassId::parse("1:10").unwrap() };
    assert_eq!((&bound.shaper, bound.direction), (&expected, Direction::Up));
    assert_eq!((bound.floor, bound.ceiling), (BitsPerSec(1_000), BitsPerSec(2_000)));
    // By what it is, not by how it is written.
    let again = class("0001:0010", "up");
    assert_eq!(places(&format!("{LEAST}{up}{down}{up}{again}")), ["device[0].shaper[2]", "device[0].shaper[3]"]);
    assert_eq!(places(&format!("{LEAST}{}", class("+1:10", "up"))), ["device[0].shaper[0].class"]);
}

#[test]
fn there_are_not_too_many_meters_and_devices() {
    let dir = tempfile::tempdir().unwrap();
    let community = secret(dir.path(), "public", 0o600);
    let of = |interfaces: usize| {
        parse(&format!("{LEAST}{}{}{}", class("1:10", "up"), class("1:10", "down"), snmp(&community, interfaces)))
    };
    assert_eq!(of(254).unwrap().devices[0].meters().len(), 256);
    let problems = of(255).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].to_string(), "device: 1 devices and 257 meters; expected at most 64 and 256 an agent");

    let (begin, device) = LEAST.split_at(LEAST.find("[[device]]").unwrap());
    let devices = |count: usize| {
        let all: String = (0..count).map(|at| device.replace("core-1", &format!("core-{at}"))).collect();
        parse(&format!("{begin}{all}"))
    };
    assert_eq!(devices(64).unwrap().devices.len(), 64);
    assert_eq!(devices(65).unwrap_err()[0].at, "device");
    assert_eq!(places(&format!("{begin}{device}{device}")), ["device[1].name"]);
    assert_eq!(places(begin), ["device"]);
}

proptest! {
    /// What the collector would refuse at enrolment is refused here, in one line.
    #[test]
    fn a_device_is_named_as_the_collector_will_have_it(name in "[A-Za-z0-9._-]{0,66}|[a-z/+# é\n]{0,4}|[.]{1,3}") {
        let parsed = parse(&LEAST.replace("\"core-1\"", &toml::Value::String(name.clone()).to_string()));
        match id::plain_name(&name) {
            Ok(plain) => {
                let config = parsed.unwrap();
                prop_assert_eq!(&config.devices[0].name, &plain);
            }
            Err(_) => {
                let problems = parsed.unwrap_err();
                prop_assert_eq!(problems.len(), 1);
                prop_assert_eq!(problems[0].at.as_str(), "device[0].name");
                prop_assert_eq!(problems[0].text.lines().count(), 1);
            }
        }
    }
}

#[test]
fn a_secret_is_for_its_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let given = |path: &Path| parse(&format!("{LEAST}{}", snmp(path, 1)));
    for mode in [0o600, 0o400] {
        assert!(given(&secret(dir.path(), "public", mode)).is_ok(), "{mode:o}");
    }
    for mode in [0o640, 0o604, 0o644, 0o610, 0o601, 0o602, 0o620] {
        let problems = given(&secret(dir.path(), "public", mode)).unwrap_err();
        assert_eq!(problems.len(), 1, "{mode:o}");
        assert_eq!(problems[0].at, "device[0].snmp.community_file");
        let told = format!("has mode {mode:04o}; expected 0600");
        assert!(problems[0].text.contains(&told) && !problems[0].text.contains("public"), "{}", problems[0]);
    }
    let empty = given(&secret(dir.path(), "\n", 0o600)).unwrap_err();
    assert!(empty.len() == 1 && empty[0].text.contains("is empty"), "{}", empty[0]);
    for two in ["public\nprivate\n", "public\rprivate", "\npublic\n"] {
        let problems = given(&secret(dir.path(), two, 0o600)).unwrap_err();
        let told = problems.len() == 1 && problems[0].text.contains("expected one line");
        assert!(told && !problems[0].text.contains("public"), "{two:?}: {}", problems[0]);
    }
    let missing = given(&dir.path().join("nowhere")).unwrap_err();
    assert!(missing.len() == 1 && missing[0].text.contains("cannot be read"), "{}", missing[0]);
}

#[test]
fn version_3_needs_a_password_for_what_it_uses() {
    let dir = tempfile::tempdir().unwrap();
    let password = secret(dir.path(), "password", 0o600).display().to_string();
    let v3 = |keys: &str| {
        format!(
            "{LEAST}[device.snmp]\nversion = \"3\"\naddress = \"[::1]:161\"\nuser = \"u\"\nauth = \"sha256\"\n\
            auth_password_file = {password:?}\ninterfaces = [\"e\"]\n{keys}\n"
        )
    };
    let plain = parse(&v3("privacy = \"none\"")).unwrap().devices.remove(0).snmp.unwrap();
    assert!(matches!(
        plain.credentials,
        Credentials::V3 { auth: Auth::Sha256, auth_password, privacy: Privacy::None, .. } if auth_password == "password"
    ));
    let private = format!("privacy = \"aes128\"\nprivacy_password_file = {password:?}");
    let private = parse(&v3(&private)).unwrap().devices.remove(0).snmp.unwrap();
    assert!(matches!(private.credentials, Credentials::V3 { privacy: Privacy::Aes128, .. }));
    assert_eq!(places(&v3("privacy = \"aes128\"")), ["device[0].snmp.privacy_password_file"]);
    assert_eq!(places(&v3("")), ["device[0].snmp.privacy", "device[0].snmp.privacy_password_file"]);
}

#[test]
fn an_snmp_user_is_no_longer_than_the_protocol_has_room_for() {
    let dir = tempfile::tempdir().unwrap();
    let password = secret(dir.path(), "password", 0o600).display().to_string();
    let of = |user: &str| {
        format!(
            "{LEAST}[device.snmp]\nversion = \"3\"\naddress = \"[::1]:161\"\nuser = \"{user}\"\nauth = \"sha256\"\n\
            auth_password_file = {password:?}\nprivacy = \"none\"\ninterfaces = [\"e\"]\n"
        )
    };
    assert!(parse(&of(&"u".repeat(32))).is_ok());
    // By bytes: 17 characters of two each.
    for (long, bytes) in [("u".repeat(33), 33), ("é".repeat(17), 34)] {
        let found = problems(&of(&long));
        let [problem] = &found[..] else { panic!("{found:?}") };
        let expected = format!("device[0].snmp.user: {bytes} bytes long; expected an SNMPv3 user of at most 32");
        assert_eq!(problem.to_string(), expected);
    }
}

#[test]
fn an_interface_is_there_once() {
    let dir = tempfile::tempdir().unwrap();
    let three = format!("{LEAST}{}", snmp(&secret(dir.path(), "public", 0o600), 3));
    assert!(parse(&three).is_ok());
    let found = problems(&three.replace("ether2", "ether0"));
    let [problem] = &found[..] else { panic!("{found:?}") };
    let expected = "device[0].snmp.interfaces[2]: \"ether0\" is there twice; expected each interface once";
    assert_eq!(problem.to_string(), expected);
}

#[test]
fn secrets_are_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    let password = secret(dir.path(), "hunter2", 0o600);
    let routeros = format!(
        "backend = \"routeros\"\naddress = \"10.0.0.1:8728\"\nuser = \"takar\"\npassword_file = {:?}",
        password.display().to_string()
    );
    let text = LEAST.replace("backend = \"htb\"", &routeros);
    let config = parse(&format!("{text}{}", snmp(&password, 1))).unwrap();
    assert!(matches!(&config.devices[0].queues, QueuesConfig::RouterOs(access) if access.password == "hunter2"));
    let shown = format!("{config:?} {config:#?}");
    assert!(shown.contains("10.0.0.1:8728") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn cake_stands_at_roots_each_in_one_direction() {
    let root = |interface: &str, direction: &str| {
        let rates = "floor_bps = 1000\nceiling_bps = 2000\n";
        format!("[[device.shaper]]\ninterface = \"{interface}\"\ndirection = \"{direction}\"\n{rates}")
    };
    let cake = LEAST.replace("htb", "cake");
    let config = parse(&format!("{cake}{}{}", root("wan", "up"), root("ifb4wan", "down"))).unwrap();
    let device = &config.devices[0];
    assert!(matches!(device.queues, QueuesConfig::Cake) && device.queues.forgets());
    let shapers: Vec<String> = device.shapers().iter().map(ToString::to_string).collect();
    assert_eq!(shapers, ["root of wan up", "root of ifb4wan down"]);

    let found = problems(&format!("{cake}{}{}{}", root("wan", "up"), root("wan", "down"), class("1:10", "up")));
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "device[0].shaper[1]: root of wan is there for both directions; expected one",
            "device[0].shaper[2]: a class 1:10 on wan does not fit the device's backend",
        ]
    );
    assert_eq!(places(&format!("{LEAST}{}", root("wan", "up"))), ["device[0].shaper[0]"]);
}

#[test]
fn sqm_needs_the_name_of_its_section() {
    let sqm = |section: &str| LEAST.replace("\"htb\"", &format!("\"sqm\"\n{section}"));
    let config = parse(&sqm("sqm_section = \"wan\"")).unwrap();
    assert!(matches!(&config.devices[0].queues, QueuesConfig::Sqm { section } if section.to_string() == "wan"));
    assert!(config.devices[0].queues.forgets());
    for odd in ["", "sqm_section = \"\"", "sqm_section = \"@queue[0]\"", "sqm_section = \"a b\""] {
        let queue = "[[device.shaper]]\nqueue = \"q\"\ndirection = \"up\"\nfloor_bps = 1\nceiling_bps = 2\n";
        let found = places(&format!("{}{queue}", sqm(odd)));
        assert_eq!(found, ["device[0].queues.sqm_section", "device[0].shaper[0]"], "{odd}");
    }
    let elsewhere = LEAST.replace("\"htb\"", "\"htb\"\nsqm_section = \"wan\"");
    assert_eq!(places(&elsewhere), ["device[0].queues.sqm_section"]);
}

#[test]
fn what_is_wrong_is_not_told_as_missing_too() {
    let unknown = LEAST.replace("htb", "tbf");
    assert_eq!(places(&format!("{unknown}{}", class("1:10", "up"))), ["device[0].queues.backend"]);
    let none = LEAST.replace("htb", "none");
    assert_eq!(places(&format!("{none}{}", class("1:10", "up"))), ["device[0].shaper", "device[0]"]);
    let snmp_only = format!("{none}{}", snmp(Path::new("/nowhere/at/all"), 1));
    assert_eq!(places(&snmp_only), ["device[0].snmp.community_file"]);
}

#[test]
fn a_problem_is_one_line_whatever_the_config_calls_its_queues() {
    let queue = "[[device.shaper]]\nqueue = \"a\\n\\u001b[2Jb\"\ndirection = \"up\"\nfloor_bps = 1\nceiling_bps = 2\n";
    for backend in ["htb", "none"] {
        let found = problems(&format!("{}{queue}{queue}", LEAST.replace("htb", backend)));
        let named = found.iter().filter(|problem| problem.text.contains("queue a\\n\\u{1b}[2Jb")).count();
        assert!(named > 0, "{backend}: {found:?}");
        assert!(found.iter().all(|problem| !problem.text.contains(['\n', '\u{1b}'])), "{backend}: {found:?}");
    }
}

#[test]
fn the_file_is_named_in_each_problem() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("agent.toml");
    assert!(load(&path).unwrap_err()[0].text.starts_with("cannot be read"));
    fs::write(&path, format!("poll_every_ms = 1\npolls_per_message = 0\n{LEAST}")).unwrap();
    let found: Vec<String> = load(&path).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(found[0], format!("{}: poll_every_ms: 1 is out of range; expected 200 to 3600000", path.display()));
    assert_eq!(found.len(), 2);
    fs::write(&path, "mode = 1\n").unwrap();
    assert!(load(&path).unwrap_err()[0].to_string().starts_with(&format!("{}: line 1: ", path.display())));
}

#[test]
fn protected_secrets_are_of_mode_0600_and_nothing_else_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    for name in ["community", "other"] {
        fs::write(path(name), "public").unwrap();
        fs::set_permissions(path(name), fs::Permissions::from_mode(0o644)).unwrap();
    }
    let text = LEAST.replace(
        "[device.queues]",
        &format!(
            "[device.snmp]\naddress = \"10.0.0.1:161\"\ncommunity_file = {:?}\ninterfaces = [\"wan\"]\n[device.queues]",
            path("community")
        ),
    );
    fs::write(path("agent.toml"), &text).unwrap();
    assert!(load(&path("agent.toml")).unwrap_err()[0].text.contains("mode 0644"));
    protect(&path("agent.toml")).unwrap();
    load(&path("agent.toml")).unwrap();
    let mode = |name: &str| fs::metadata(path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("community"), mode("other")), (0o600, 0o644));
    fs::write(path("agent.toml"), "mode = [").unwrap();
    protect(&path("agent.toml")).unwrap();
    assert!(protect(&path("none.toml")).is_err());
}
