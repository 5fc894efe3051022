//! An inventory is taken whole or refused with everything that is wrong with it.
#![allow(clippy::unwrap_used, clippy::type_complexity)] // helpers of tests may unwrap as tests do

#[path = "inventory/terms.rs"]
mod terms;

use takar_collector_core::inventory::{
    Contention, LinkMeter, LinkMode, LinkName, Notice, OverBudget, Problem, RawInventory, RawLink, RawProvider,
    RawSide, RawSite, RawUplink, Row, UplinkName, validate,
};
use takar_shared::{
    BitsPerSec, Direction,
    queue::{ClassId, Shaper},
};

fn queue(name: &str, cir_bps: u64, mir_bps: u64) -> RawSide {
    RawSide { queue: Some(name.into()), cir_bps: Some(cir_bps), mir_bps, ..RawSide::default() }
}

fn class(class: &str, interface: &str, cir_bps: u64, mir_bps: u64) -> RawSide {
    let (class, interface) = (Some(class.into()), Some(interface.into()));
    RawSide { class, interface, cir_bps: Some(cir_bps), mir_bps, ..RawSide::default() }
}

fn link(name: &str, down: RawSide, up: RawSide) -> RawLink {
    RawLink {
        name: name.into(),
        site: "hq".into(),
        uplink: "ast-01".into(),
        device: "core-1".into(),
        down,
        up,
        ..RawLink::default()
    }
}

/// Two links on an uplink of 100 Mbit/s down and 40 up.
fn sound() -> RawInventory {
    let uplink = RawUplink {
        name: "ast-01".into(),
        provider: "isp".into(),
        down_bps: 100_000_000,
        up_bps: 40_000_000,
        contention_per_mille: None,
    };
    let b = RawLink { weight: Some(20), interface: Some("eth1".into()), ..link("b", class_down(), class_up()) };
    RawInventory {
        providers: vec![provider("isp", "An ISP").into()],
        uplinks: vec![uplink.into()],
        sites: vec![RawSite { name: "hq".into(), title: "Head office".into(), ..RawSite::default() }.into()],
        links: vec![b.into(), link("a", queue("a", 1_000_000, 60_000_000), queue("a", 0, 20_000_000)).into()],
        ..RawInventory::default()
    }
}

fn provider(name: &str, title: &str) -> RawProvider {
    RawProvider { name: name.into(), title: title.into(), ..RawProvider::default() }
}

fn class_down() -> RawSide {
    class("1:10", "e-lan", 2_000_000, 40_000_000)
}

fn class_up() -> RawSide {
    class("1:10", "e-wan", 2_000_000, 20_000_000)
}

fn read<T>(row: &mut Row<T>) -> &mut T {
    match row {
        Row::Read(row) => row,
        Row::Unread { why, .. } => panic!("{why}"),
    }
}

/// Validates the sound inventory after a change, which must make it unsound.
fn problems(change: impl FnOnce(&mut RawInventory)) -> Vec<Problem> {
    let mut raw = sound();
    change(&mut raw);
    validate(&raw).unwrap_err()
}

/// As [`problems`], with a change to the link `b`, which comes first.
fn link_problems(change: impl FnOnce(&mut RawLink)) -> Vec<Problem> {
    problems(|raw| change(read(&mut raw.links[0])))
}

fn places(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|problem| problem.at.as_str()).collect()
}

#[test]
fn a_sound_inventory_is_sorted_and_complete() {
    let validated = validate(&sound()).unwrap();
    assert!(validated.notices.is_empty());
    let inventory = validated.inventory;
    let names: Vec<&str> = inventory.links().iter().map(|link| link.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);

    let b = inventory.link(&"b".parse::<LinkName>().unwrap()).unwrap();
    assert_eq!(b.weight, 20);
    assert_eq!(b.meter, LinkMeter::Interface(takar_shared::id::name("eth1").unwrap()));
    let interface = takar_shared::id::name("e-wan").unwrap();
    assert_eq!(b.up.shaper, Shaper::Class { interface, classid: ClassId::parse("1:10").unwrap() });
    // Defaults: the floor is the guarantee, the ceiling is what the uplink has.
    assert_eq!(b.side(Direction::Down).floor, BitsPerSec(2_000_000));
    assert_eq!(b.side(Direction::Up).ceiling, BitsPerSec(40_000_000));

    let a = inventory.links().first().unwrap();
    assert_eq!((a.weight, &a.meter, a.up.cir), (10, &LinkMeter::Queues, Some(BitsPerSec::ZERO)));

    let uplink = "ast-01".parse::<UplinkName>().unwrap();
    assert_eq!(inventory.members(&uplink).count(), 2);
    assert_eq!(inventory.uplink(&uplink).unwrap().mir_budget(Direction::Up), BitsPerSec(40_000_000));
    let budget = inventory.budget();
    assert_eq!(budget.len(), 2);
    assert_eq!((budget[0].sum_cir, budget[0].sum_mir), (BitsPerSec(3_000_000), BitsPerSec(100_000_000)));
    assert_eq!(budget[0].ratio, Contention::ONE);
}

#[test]
fn more_ceiling_than_capacity_is_a_notice_with_the_line_that_accepts_it() {
    let mut raw = sound();
    read(&mut raw.links[0]).down.mir_bps = 41_000_008;
    read(&mut raw.links[0]).up.mir_bps = 24_000_000;
    let notices: Vec<OverBudget> = validate(&raw).unwrap().notices.into_iter().map(over_budget).collect();
    let directions: Vec<Direction> = notices.iter().map(|notice| notice.line.direction).collect();
    assert_eq!(directions, Direction::BOTH);
    // 44 ÷ 40 up is more than 101.000008 ÷ 100 down (1011, rounded up), and one line must do for both.
    assert_eq!(notices[0].line.ratio, Contention(1011));
    assert_eq!(notices[0].accepting_line(), "contention_per_mille = 1100");
    assert!(notices[0].to_string().contains("1.011 times its capacity of 100 Mbit/s"), "{}", notices[0]);

    read(&mut raw.uplinks[0]).contention_per_mille = Some(1100);
    assert!(validate(&raw).unwrap().notices.is_empty());
    read(&mut raw.uplinks[0]).contention_per_mille = Some(1099);
    assert_eq!(validate(&raw).unwrap().notices.len(), 1);
}

fn over_budget(notice: Notice) -> OverBudget {
    match notice {
        Notice::OverBudget(over) => over,
        Notice::ContractDiffers(differs) => panic!("{differs}"),
    }
}

#[test]
fn everything_wrong_is_said_at_once() {
    let found = problems(|raw| {
        raw.providers.push(provider("isp", " ").into());
        read(&mut raw.uplinks[0]).up_bps = 0;
        read(&mut raw.uplinks[0]).provider = "other".into();
        read(&mut raw.sites[0]).name = "h/q".into();
        read(&mut raw.links[0]).weight = Some(0);
        read(&mut raw.links[0]).down.mir_bps = 0;
        read(&mut raw.links[1]).uplink = "nowhere".into();
    });
    let expected = [
        "provider[1].name (provider \"isp\")",
        "provider[1].title (provider \"isp\")",
        "uplink[0].provider (uplink \"ast-01\")",
        "uplink[0].up_bps (uplink \"ast-01\")",
        "site[0].name (site \"h/q\")",
        "link[0].site (link \"b\")",
        "link[0].weight (link \"b\")",
        "link[0].down.mir_bps (link \"b\")",
        "link[0].down.cir_bps (link \"b\")",
        "link[1].site (link \"a\")",
        "link[1].uplink (link \"a\")",
    ];
    assert_eq!(places(&found), expected);
    assert_eq!(
        found[2].to_string(),
        "uplink[0].provider (uplink \"ast-01\"): expected the name of a [[provider]], found \"other\""
    );
}

#[test]
fn a_row_that_could_not_be_read_hides_nothing_and_blames_nobody() {
    let found = problems(|raw| {
        raw.uplinks[0] = Row::Unread { name: Some("ast-01".into()), why: "unknown field `downn_bps`".into() };
        raw.links.insert(0, Row::Unread { name: None, why: "missing field `site`".into() });
        read(&mut raw.links[2]).weight = Some(1001);
    });
    assert_eq!(places(&found), ["uplink[0] (uplink \"ast-01\")", "link[0]", "link[2].weight (link \"a\")"]);
    assert_eq!(found[0].what, "unknown field `downn_bps`");
}

#[test]
fn rates_must_fit_each_other() {
    let cases: [(&str, fn(&mut RawSide)); 9] = [
        ("cir_bps", |side| side.cir_bps = Some(41_000_000)),
        ("cir_bps", |side| side.cir_bps = None),
        ("cir_bps", |side| side.cir_bps = Some(0)),
        ("mir_bps", |side| side.floor_bps = Some(40_000_008)),
        ("mir_bps", |side| side.ceiling_bps = Some(39_999_992)),
        ("mir_bps", |side| side.mir_bps = 39_999_999),
        ("mir_bps", |side| side.mir_bps = 100_000_008),
        ("floor_bps", |side| side.floor_bps = Some(1_000_001)),
        ("ceiling_bps", |side| side.ceiling_bps = Some(50_000_001)),
    ];
    for (index, (key, change)) in cases.into_iter().enumerate() {
        let found = link_problems(|link| change(&mut link.down));
        assert_eq!(places(&found), [format!("link[0].down.{key} (link \"b\")")], "case {index}");
    }
    let found = link_problems(|link| {
        link.down.floor_bps = Some(48_000_000);
        link.down.ceiling_bps = Some(32_000_000);
    });
    assert_eq!(found.len(), 3, "floor above ceiling, mir below floor, mir above ceiling: {found:?}");
}

#[test]
fn a_queue_of_the_router_needs_no_whole_bytes_and_a_root_does() {
    let mut raw = sound();
    let side = RawSide { queue: Some("wan".into()), cir_bps: Some(1), mir_bps: 20_000_001, ..RawSide::default() };
    read(&mut raw.links[1]).up = side;
    read(&mut raw.links[0]).up.mir_bps = 16_000_000;
    let inventory = validate(&raw).unwrap().inventory;
    let up = &inventory.links()[0].up;
    assert_eq!((up.cir, up.floor), (Some(BitsPerSec(1)), BitsPerSec(1)));

    let root = |mir_bps| RawSide { root: Some("wan".into()), mir_bps, ..RawSide::default() };
    read(&mut raw.links[1]).up = root(20_000_000);
    let inventory = validate(&raw).unwrap().inventory;
    assert_eq!((inventory.links()[0].up.cir, inventory.links()[0].up.floor), (None, BitsPerSec::ZERO));
    read(&mut raw.links[1]).up = root(20_000_001);
    let problems = validate(&raw).unwrap_err();
    assert!(problems[0].what.contains("CAKE keeps its rate in bytes/s"), "{problems:?}");
}

#[test]
fn a_class_defaults_to_whole_bytes() {
    let mut raw = sound();
    read(&mut raw.uplinks[0]).down_bps = 100_000_007;
    let inventory = validate(&raw).unwrap().inventory;
    assert_eq!(inventory.links()[0].down.ceiling, BitsPerSec(100_000_007));
    assert_eq!(inventory.links()[1].down.ceiling, BitsPerSec(100_000_000));
}

#[test]
fn a_side_has_exactly_one_shaper() {
    let both = link_problems(|link| link.up.queue = Some("q".into()));
    assert_eq!(places(&both), ["link[0].up (link \"b\")"]);
    assert!(both[0].what.ends_with("found queue and class"), "{}", both[0]);
    let none = link_problems(|link| (link.up.class, link.up.interface) = (None, None));
    assert!(none[0].what.ends_with("found none"), "{}", none[0]);
    let no_interface = link_problems(|link| link.up.interface = None);
    assert_eq!(places(&no_interface), ["link[0].up.interface (link \"b\")"]);
    let bad_class = link_problems(|link| link.up.class = Some("10".into()));
    assert_eq!(places(&bad_class), ["link[0].up.class (link \"b\")"]);
    let stray = problems(|raw| read(&mut raw.links[1]).up.interface = Some("eth0".into()));
    assert_eq!(places(&stray), ["link[1].up.interface (link \"a\")"]);
    let guaranteed_cake = link_problems(|link| {
        link.up = RawSide { root: Some("wan".into()), cir_bps: Some(8), mir_bps: 8_000, ..RawSide::default() };
    });
    assert_eq!(places(&guaranteed_cake), ["link[0].up.cir_bps (link \"b\")"]);
}

#[test]
fn two_links_cannot_share_a_shaper() {
    let shared = problems(|raw| read(&mut raw.links[1]).down = class_down());
    assert_eq!(places(&shared), ["link[1].down (link \"a\")"]);
    assert!(shared[0].what.contains("link[0].down (link \"b\")"), "{}", shared[0]);
    // A class shapes one direction; a simple queue shapes both, as link `a` shows.
    let both_ways = link_problems(|link| link.up = class_down());
    assert_eq!(places(&both_ways), ["link[0].up (link \"b\")"]);
    // On another device it is another shaper.
    let mut raw = sound();
    read(&mut raw.links[1]).down = class_down();
    read(&mut raw.links[1]).device = "core-2".into();
    assert!(validate(&raw).is_ok());
}

#[test]
fn guarantees_must_fit_the_uplink() {
    let found = problems(|raw| {
        read(&mut raw.links[0]).up = class("1:10", "e-wan", 20_000_000, 20_000_000);
        read(&mut raw.links[1]).up = queue("a", 20_000_001, 20_000_001);
    });
    assert_eq!(places(&found), ["uplink[0].up_bps (uplink \"ast-01\")"]);
    assert!(found[0].what.contains("40 Mbit/s"), "{}", found[0]);
}

#[test]
fn a_mode_is_one_of_three_or_none() {
    let mut raw = sound();
    read(&mut raw.links[0]).mode = Some("observe".into());
    let inventory = validate(&raw).unwrap().inventory;
    let modes: Vec<Option<LinkMode>> = inventory.links().iter().map(|link| link.mode).collect();
    assert_eq!(modes, [None, Some(LinkMode::Observe)]);
    let found = link_problems(|link| link.mode = Some("Live".into()));
    assert_eq!(places(&found), ["link[0].mode (link \"b\")"]);
    assert_eq!(found[0].what, "expected observe, propose or live, found \"Live\"");
}

#[test]
fn names_are_unique_within_their_table() {
    let found = problems(|raw| read(&mut raw.links[1]).name = "b".into());
    assert_eq!(places(&found), ["link[1].name (link \"b\")"]);
    assert_eq!(found[0].what, "expected a name of its own, link[0] has it");
}
