use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*};

use super::{Draft, Probe, draft};
use crate::{
    register::{parse, rows},
    view::{InForce, ReportedInterface, ReportedShaper, ReportedView},
};

const M: u64 = 1_000_000;

fn interface(name: &str, mbps: Option<u64>) -> ReportedInterface {
    ReportedInterface { name: name.into(), oper: Some("up".into()), speed_bps: mbps.map(|mbps| mbps * M) }
}

/// A queue of 10 Mbit/s with a guarantee of 1, within bounds of 1 and 50.
fn queue(name: &str, direction: &str) -> ReportedShaper {
    ReportedShaper {
        kind: "queue".into(),
        name: name.into(),
        interface: None,
        direction: direction.into(),
        floor_bps: M,
        ceiling_bps: 50 * M,
        in_force: Some(InForce { cir_bps: Some(M), mir_bps: 10 * M, burst_bps: 0, disabled: false }),
    }
}

fn class(direction: &str, interface: &str) -> ReportedShaper {
    ReportedShaper { kind: "class".into(), interface: Some(interface.into()), ..queue("1:10", direction) }
}

fn device(name: &str, interfaces: Vec<ReportedInterface>, shapers: Vec<ReportedShaper>) -> ReportedView {
    ReportedView { agent: format!("{name}-agent"), device: name.into(), interfaces, shapers }
}

fn pair(name: &str) -> Vec<ReportedShaper> {
    vec![queue(name, "down"), queue(name, "up")]
}

fn drafted(reported: &[ReportedView]) -> Draft {
    draft(reported, &[]).unwrap()
}

/// What is said to be doubtful, in order.
fn doubts(draft: &Draft) -> Vec<&str> {
    draft.text.lines().filter_map(|line| line.strip_prefix("# doubtful: ")).collect()
}

/// As a person does who writes 20 Mbit/s wherever something is to be written.
fn filled(text: &str) -> String {
    let line = |line: &str| match line.strip_prefix("# ").and_then(|line| line.split_once("  # write ")) {
        Some((row, _)) => row.replace("queue = \"…\"", "queue = \"new\"").replace('…', "20_000_000"),
        None => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_draft_without_doubts_is_imported_as_it_is() {
    let core = device(
        "core-1",
        vec![interface("ether1-wan", Some(1000)), interface("ether2", Some(100))],
        [pair("sd-02"), pair("sd 03")].concat(),
    );
    let edge = device(
        "edge",
        vec![interface("e-lan", Some(1000)), interface("e-wan", Some(100))],
        vec![class("down", "e-lan"), class("up", "e-wan")],
    );
    let sites = ["site-1", "site-2"].map(|name| device(name, vec![interface("ether1", Some(100))], pair("site")));
    let draft = drafted(&[vec![core, edge], sites.to_vec()].concat());
    assert_eq!((doubts(&draft), draft.doubtful, draft.links), (vec![], 0, 5), "{}", draft.text);
    let inventory = parse(&draft.text).unwrap_or_else(|problems| panic!("{problems:?}\n{}", draft.text)).inventory;
    let links: Vec<(&str, &str, u64, u64)> = inventory
        .links()
        .iter()
        .map(|link| (link.name.as_str(), link.uplink.as_str(), link.down.mir.0, link.up.cir.unwrap_or_default().0))
        .collect();
    let expected = [
        ("edge", "uplink-edge"),
        ("sd-02", "uplink-core-1"),
        ("sd-03", "uplink-core-1"),
        ("site-1", "uplink-site-1"),
        ("site-2", "uplink-site-2"),
    ];
    assert_eq!(links, expected.map(|(name, uplink)| (name, uplink, 10 * M, M)));
    let edge = &inventory.links()[0];
    assert_eq!(edge.down.shaper.to_string(), "class 1:10 on e-lan");
    assert_eq!((edge.down.floor.0, edge.down.ceiling.0), (M, 50 * M));
    assert!(inventory.links().iter().all(|link| link.mode.is_some_and(|mode| mode.as_str() == "observe")));
    let capacity = |name: &str| inventory.uplink(&name.parse().unwrap()).unwrap().down.0;
    assert_eq!((capacity("uplink-core-1"), capacity("uplink-edge")), (1000 * M, 100 * M));
}

/// A device with one doubt: the doubt, and that the draft is accepted once it is filled in.
fn doubted(change: impl FnOnce(&mut ReportedView)) -> String {
    let mut view = device("core-1", vec![interface("ether1", Some(100))], pair("sd-02"));
    change(&mut view);
    let draft = drafted(&[view]);
    let filled = filled(&draft.text);
    assert!(parse(&filled).is_ok(), "{:?}\n{filled}", parse(&filled).unwrap_err());
    assert!(draft.doubtful > 0);
    doubts(&draft).join("; ")
}

fn set(view: &mut ReportedView) -> &mut InForce {
    view.shapers[0].in_force.as_mut().unwrap()
}

#[test]
fn what_a_person_must_look_at_is_said_and_imports_once_it_is_filled_in() {
    type Spoil = fn(&mut ReportedView);
    let cases: [(&str, Spoil); 12] = [
        ("no capacity known: ether1 does not tell its speed", |view| view.interfaces[0].speed_bps = None),
        ("absurd speed: ether1 says 9 bit/s", |view| view.interfaces[0].speed_bps = Some(9)),
        ("ether1 is down", |view| view.interfaces[0].oper = Some("down".into())),
        ("no uplink meter found: which interface leads to the provider? (ether1, ether2)", |view| {
            view.interfaces.push(interface("ether2", Some(100)));
        }),
        ("no uplink meter found: which interface leads to the provider? (none was seen)", |view| {
            view.interfaces.clear();
        }),
        ("sum of cir down above its speed: 8 Mbit/s of 6 Mbit/s", |view| {
            view.interfaces[0].speed_bps = Some(6 * M);
            set(view).cir_bps = Some(8 * M);
        }),
        ("down: mir 0, which is unlimited", |view| set(view).mir_bps = 0),
        ("down: the ceiling in force was not read", |view| view.shapers[0].in_force = None),
        ("down: disabled: what it shapes is unlimited", |view| set(view).disabled = true),
        ("down: a burst of 20 Mbit/s above its ceiling of 10 Mbit/s", |view| set(view).burst_bps = 20 * M),
        ("down: its ceiling of 60 Mbit/s is not within 1 Mbit/s to 50 Mbit/s, the agent's own bounds", |view| {
            set(view).mir_bps = 60 * M;
        }),
        ("up: no queue was found", |view| drop(view.shapers.remove(1))),
    ];
    for (said, change) in cases {
        let found = doubted(change);
        assert!(found.contains(said), "{said}: {found}");
    }
}

fn probe(text: &str) -> Probe {
    serde_json::from_str(text).unwrap()
}

const PROBED: &str = r#"{"target":"10.0.0.1:161","identity":{"sys_name":"core-9","sys_descr":"RouterOS\nx"},
    "interfaces":[{"if_name":"ether1","if_alias":"WAN","high_speed_bps":100000000,"oper_status":"up"},
        {"if_name":null,"if_descr":"ether2","high_speed_bps":0}],
    "queues":[QUEUES],"oddities":["clock is 1970"]}"#;

fn probed(queues: &str) -> Draft {
    draft(&[], &[probe(&PROBED.replace("QUEUES", queues))]).unwrap()
}

fn both(kind: &str, name: &str, rest: &str) -> String {
    let one = |direction: &str| {
        format!(
            r#"{{"kind":"{kind}","name":"{name}","direction":"{direction}","cir_bps":1000000,"mir_bps":10000000{rest}}}"#
        )
    };
    format!("{},{}", one("down"), one("up"))
}

#[test]
fn a_probed_device_is_drafted_as_well() {
    let draft = probed(&both("simple", "sd-02", r#","target":"10.2.0.0/24""#));
    assert_eq!(doubts(&draft), Vec::<&str>::new(), "{}", draft.text);
    assert!(
        draft.text.contains("# device core-9, as probed at 10.0.0.1:161: RouterOS\u{fffd}x\n# odd: clock is 1970\n")
    );
    let inventory = parse(&draft.text).unwrap().inventory;
    assert_eq!(inventory.uplinks()[0].down.0, 100 * M);
    assert_eq!(inventory.links()[0].name.as_str(), "core-9");
}

#[test]
fn what_is_odd_about_probed_queues_is_said() {
    let cases = [
        (both("simple", "a", r#","dynamic":true"#), "down: dynamic:"),
        (both("simple", "a", r#","invalid":true"#), "up: invalid:"),
        (both("tree", "a", ""), "down: a queue tree"),
        (both("pcq", "a", ""), "down: a queue of the kind pcq"),
        (both("htb", "ten", r#","target":"e-lan""#), "its name or interface is not what a register can hold"),
        (both("htb", "1:10", ""), "its name or interface is not what a register can hold"),
        (both("htb", "1:10", r#","target":"e-lan""#), "down and up are the same class"),
        (
            r#"{"kind":"simple","name":"a","direction":"up","mir_bps":18446744073709551615}"#.into(),
            "up: an absurd ceiling",
        ),
        ([both("simple", "a", ""), both("simple", "a", "")].join(","), "down: name twice: 2 queues are called so"),
        ([both("simple", "a b", ""), both("simple", "a-b", "")].join(","), ""),
        (r#"{"kind":"simple","name":"a","mir_bps":8000000}"#.into(), "its direction is not known"),
    ];
    for (queues, said) in cases {
        let draft = probed(&queues);
        assert!(doubts(&draft).join("; ").contains(said), "{said}\n{}", draft.text);
        assert!(rows(&draft.text).is_ok(), "{}", draft.text);
    }
    // Directions of classes from their interfaces, which is not sure.
    let one = |interface: &str| {
        format!(r#"{{"kind":"htb","name":"1:10","target":"{interface}","cir_bps":1000000,"mir_bps":10000000}}"#)
    };
    let draft = probed(&[one("ether1"), one("br-lan")].join(","));
    assert_eq!(doubts(&draft).len(), 2, "{}", draft.text);
    let link = parse(&draft.text).unwrap().inventory.links()[0].clone();
    assert_eq!(link.up.shaper.to_string(), "class 1:10 on ether1");
}

#[test]
fn routers_as_they_came_from_the_factory_are_told_apart_and_agents_go_first() {
    let own = PROBED.replace("QUEUES", &both("simple", "sd-02", "")).replace("core-9", "MikroTik");
    let other = own.replace("10.0.0.1", "10.0.0.2");
    let draft = draft(&[], &[probe(&own), probe(&other)]).unwrap();
    let inventory = parse(&draft.text).unwrap().inventory;
    let devices: Vec<&str> = inventory.links().iter().map(|link| link.device.as_str()).collect();
    assert_eq!(devices, ["MikroTik-10.0.0.1", "MikroTik-10.0.0.2"]);

    let served = device("core-9", vec![interface("ether1", None)], pair("sd-02"));
    let queues = [both("simple", "sd-02", ""), both("simple", "sd-03", "")].join(",");
    let draft = super::draft(&[served], &[probe(&PROBED.replace("QUEUES", &queues))]).unwrap();
    assert_eq!(draft.links, 2);
    let expected = ["down: the agent's config does not list it", "up: the agent's config does not list it"];
    assert_eq!(doubts(&draft), expected);
    assert_eq!(parse(&draft.text).unwrap().inventory.uplinks()[0].down.0, 100 * M, "the probe knew its speed");
}

#[test]
fn nothing_seen_is_no_draft_and_a_device_without_queues_no_link() {
    assert!(draft(&[], &[]).is_none());
    let draft = drafted(&[device("core-1", Vec::new(), Vec::new())]);
    assert_eq!((draft.links, draft.doubtful), (0, 0));
    assert!(draft.text.contains("no queue was seen on it") && parse(&draft.text).is_ok());
}

fn any_shaper() -> impl Strategy<Value = ReportedShaper> {
    let shaper = prop_oneof![
        "[a-z \"'\\\\#é\n\u{1}]{1,12}".prop_map(|name| ("queue", name, None::<String>)),
        "1:[1-9a-f]{1,2}".prop_map(|name| ("class", name, Some("e-lan".to_owned()))),
        "1:[1-9a-f]{1,2}".prop_map(|name| ("class", name, Some("e-wan".to_owned()))),
        "e-[a-z]{3}".prop_map(|name| ("root", name, None::<String>)),
    ];
    let rate = || prop_oneof![1 => Just(0_u64), 8 => (1..80 * M).prop_map(|rate| rate / 8 * 8), 1 => Just(u64::MAX)];
    let set = (proptest::option::weighted(0.8, rate()), rate(), rate(), any::<bool>());
    (shaper, prop::bool::ANY, proptest::option::weighted(0.9, set)).prop_map(|((kind, name, interface), is_up, set)| {
        ReportedShaper {
            kind: kind.into(),
            name,
            interface,
            direction: if is_up { "up" } else { "down" }.into(),
            floor_bps: M,
            ceiling_bps: 100 * M,
            in_force: set.map(|(cir_bps, mir_bps, burst_bps, disabled)| InForce {
                cir_bps,
                mir_bps,
                burst_bps,
                disabled,
            }),
        }
    })
}

proptest! {
    /// Whatever devices say, the draft is TOML with every name once, and without doubts it is a register.
    #[test]
    fn any_devices_give_a_draft_and_without_doubts_a_register(
        devices in vec((vec(any_shaper(), 0..6), proptest::option::of(0..2_000_u64)), 1..5),
    ) {
        let reported: Vec<ReportedView> = (1..)
            .zip(devices)
            .map(|(number, (shapers, mbps)): (u32, _)| {
                device(&format!("core-{number}"), vec![interface("e-wan", mbps)], shapers)
            })
            .collect();
        let draft = drafted(&reported);
        let raw = rows(&draft.text);
        prop_assert!(raw.is_ok(), "{raw:?}\n{}", draft.text);
        let lines = draft.text.lines().filter(|line| *line == "[[link]]").count();
        prop_assert_eq!(lines, draft.links);
        let names: Vec<&str> = draft.text.lines().filter_map(|line| line.strip_prefix("site = ")).collect();
        let distinct: BTreeSet<&str> = names.iter().copied().collect();
        prop_assert_eq!(names.len(), distinct.len());
        prop_assert_eq!(draft.doubtful == 0, doubts(&draft).is_empty());
        if draft.doubtful == 0 {
            prop_assert!(parse(&draft.text).is_ok(), "{:?}\n{}", parse(&draft.text), draft.text);
        }
    }
}
