use super::*;
use crate::{
    filter::Filter,
    log::Limits,
    select::attributes,
    target::subscriber,
    traffic::{Plan, Profile, busy_sites},
};

const START_MS: u64 = 1_700_000_000_400;

/// A busy site of six behind 60/30 Mbit/s, with these simple and tree queues.
fn site(simple: &[&[(&str, &str)]], tree: &[&[(&str, &str)]], fasttrack: bool) -> (Simulation, Vec<Record>) {
    let mut menus = Menus { filter: Filter::new(fasttrack), ..Menus::default() };
    simple.iter().for_each(|list| drop(menus.simple.add(&attributes(list)).unwrap()));
    tree.iter().for_each(|list| drop(menus.tree.add(&attributes(list)).unwrap()));
    let capacity = Pair { up: BitsPerSec(30_000_000), down: BitsPerSec(60_000_000) };
    let site = busy_sites(3, 6)[0];
    let plan = Plan { seed: 3, site, sites: 6, capacity, day_s: 600, profile: Profile::Skewed };
    let (router, queue) = ("r1".to_owned(), "site".to_owned());
    let subscriber = subscriber("192.168.88.1", "", "");
    Simulation::start(Setup { router, queue, capacity, model: Model::new(plan), subscriber, menus }, START_MS)
}

const HELD: &[(&str, &str)] = &[("name", "site"), ("target", "192.168.88.0/24"), ("max-limit", "5M/10M")];

/// Held to its equal share.
fn busy() -> (Simulation, Vec<Record>) {
    site(&[HELD, &[("name", "guests")]], &[], false)
}

fn shown(fields: Vec<crate::row::Fields>, name: &str, field: &str) -> String {
    let row = fields.into_iter().find(|row| row.contains(&("name", name.to_owned()))).unwrap();
    row.into_iter().find(|(held, _)| *held == field).unwrap().1
}

fn simple(simulation: &Simulation, name: &str, field: &str) -> String {
    shown(simulation.menus().simple.rows().iter().map(|row| row.fields()).collect(), name, field)
}

fn tree(simulation: &Simulation, name: &str, field: &str) -> String {
    shown(simulation.menus().tree.fields(), name, field)
}

fn served(records: &[Record], wanted: &str) -> Vec<u64> {
    records
        .iter()
        .filter_map(|record| match record {
            Record::Second { direction, served_bytes, .. } if *direction == wanted => Some(*served_bytes),
            _ => None,
        })
        .collect()
}

#[test]
fn a_held_site_is_served_its_ceiling_and_more_after_a_raise() {
    let (mut simulation, _) = busy();
    let before = simulation.advance(START_MS + 10_600);
    assert!(served(&before, "down")[1..].iter().all(|bytes| *bytes == 1_250_000), "{before:?}");
    assert!(served(&before, "up")[1..].iter().all(|bytes| *bytes == 625_000), "{before:?}");
    let raise = attributes(&[(".id", "*1"), ("max-limit", "5M/12M")]);
    let (outcome, records) = simulation.edit(|menus| menus.simple.set(&raise));
    assert_eq!(outcome, Ok(()));
    let set = Limits { up_bps: 5_000_000, down_bps: 12_000_000 };
    let (router, queue) = ("r1".to_owned(), "site".to_owned());
    assert_eq!(records, [Record::Set { unix_ms: START_MS + 10_600, router, queue, set }]);
    let after = simulation.advance(START_MS + 14_600);
    assert!(served(&after, "down").iter().all(|bytes| (1_255_000..=1_520_000).contains(bytes)), "{after:?}");
}

#[test]
fn a_late_tick_moves_as_much_as_punctual_ones() {
    let (mut late, mut punctual) = (busy().0, busy().0);
    let all_at_once = late.advance(START_MS + 7_600);
    let mut one_by_one = Vec::new();
    for tick in 1..=76 {
        one_by_one.extend(punctual.advance(START_MS + tick * 100));
    }
    assert_eq!(all_at_once, one_by_one);
    assert_eq!(late.totals(), punctual.totals());
    assert!(late.advance(START_MS).is_empty(), "time ran backwards");
}

#[test]
fn the_log_adds_up_to_the_counters_and_starts_with_what_is_in_force() {
    let (mut simulation, first) = busy();
    assert_eq!(first.len(), 2);
    let records = simulation.advance(START_MS + 20_600);
    let logged: u64 = served(&records, "up").iter().sum();
    assert_eq!(logged, simulation.totals().up.served.bytes());
    let totals = simulation.totals();
    let bytes = format!("{}/{}", totals.up.served.bytes(), totals.down.served.bytes());
    assert_eq!(simple(&simulation, "site", "bytes"), bytes);
    assert_eq!(simple(&simulation, "site", "rate"), "5000000/10000000");
    assert_eq!(
        (simple(&simulation, "guests", "bytes"), simple(&simulation, "guests", "rate")),
        ("0/0".to_owned(), "0/0".to_owned())
    );
}

#[test]
fn without_its_queue_the_site_takes_what_it_wants() {
    let (mut simulation, _) = busy();
    let (outcome, records) = simulation.edit(|menus| menus.simple.remove(&attributes(&[("numbers", "site")])));
    assert_eq!(outcome, Ok(()));
    assert!(matches!(&records[..], [Record::Set { set: Limits { up_bps: 0, down_bps: 0 }, .. }]), "{records:?}");
    let records = simulation.advance(START_MS + 5_600);
    let all_served = |record: &Record| match record {
        Record::Second { dropped_bytes, max_limit_bps, .. } => *dropped_bytes == 0 && *max_limit_bps == 0,
        Record::Set { .. } => false,
    };
    assert!(records.len() == 12 && records.iter().all(all_served), "{records:?}");
}

#[test]
fn an_edit_that_changes_no_ceiling_records_nothing() {
    let (mut simulation, _) = busy();
    let comment = attributes(&[("numbers", "site"), ("comment", "north")]);
    let (outcome, records) = simulation.edit(|menus| menus.simple.set(&comment));
    assert_eq!((outcome, records), (Ok(()), Vec::new()));
}

#[test]
fn a_tree_queue_shapes_its_direction_as_a_simple_queue_does() {
    let down: &[(&str, &str)] = &[("name", "down"), ("parent", "bridge-lan"), ("max-limit", "10M")];
    let (mut by_tree, first) = site(&[], &[down], false);
    let (mut by_simple, _) = busy();
    let set = Limits { up_bps: 0, down_bps: 10_000_000 };
    let (router, queue) = ("r1".to_owned(), "down".to_owned());
    assert_eq!(first, [Record::Set { unix_ms: START_MS, router, queue, set }]);
    let records = by_tree.advance(START_MS + 9_600);
    assert_eq!(served(&records, "down"), served(&by_simple.advance(START_MS + 9_600), "down"));
    assert_eq!(tree(&by_tree, "down", "bytes"), by_tree.totals().down.served.bytes().to_string());
    assert_eq!(
        (tree(&by_tree, "down", "rate"), tree(&by_tree, "down", "packet-rate")),
        ("10000000".to_owned(), "1000".to_owned())
    );
    assert_eq!(tree(&by_tree, "down", "dropped"), by_tree.totals().down.dropped.0.to_string());
    assert_ne!(tree(&by_tree, "down", "queued-packets"), "0");
    // Nobody holds the other direction.
    assert_eq!(by_tree.totals().up.dropped, crate::shaper::Packets(0));
    let raise = attributes(&[("numbers", "down"), ("max-limit", "12M")]);
    let (outcome, records) = by_tree.edit(|menus| menus.tree.set(&raise));
    assert_eq!((outcome, records.len()), (Ok(()), 1));
    let after = by_tree.advance(START_MS + 13_600);
    assert!(served(&after, "down").iter().all(|bytes| (1_255_000..=1_520_000).contains(bytes)), "{after:?}");
}

#[test]
fn a_later_queue_of_the_same_target_counts_nothing_until_it_is_first() {
    let later: &[(&str, &str)] = &[("name", "later"), ("target", "192.168.0.0/16"), ("max-limit", "1M/1M")];
    let (mut simulation, _) = site(&[HELD, later], &[], false);
    simulation.advance(START_MS + 5_600);
    assert_eq!(simple(&simulation, "later", "bytes"), "0/0");
    let shift = attributes(&[("numbers", "later"), ("destination", "site")]);
    assert_eq!(simulation.edit(|menus| menus.simple.shift(&shift)).0, Ok(()));
    let before = simple(&simulation, "site", "bytes");
    simulation.advance(START_MS + 9_600);
    assert_eq!(simple(&simulation, "site", "bytes"), before);
    assert_eq!(
        (simple(&simulation, "site", "rate"), simple(&simulation, "later", "rate")),
        ("0/0".to_owned(), "1000000/1000000".to_owned())
    );
}

#[test]
fn a_total_limit_holds_both_directions_together() {
    let total: &[(&str, &str)] = &[("name", "site"), ("total-max-limit", "6M")];
    let (mut simulation, _) = site(&[total], &[], false);
    let records = simulation.advance(START_MS + 9_600);
    let (up, down) = (served(&records, "up"), served(&records, "down"));
    let sums: Vec<u64> = up.iter().zip(&down).skip(1).map(|(up, down)| up + down).collect();
    assert!(sums.iter().all(|sum| (735_000..=765_000).contains(sum)), "{sums:?}");
    assert!(up.iter().chain(&down).skip(1).all(|bytes| *bytes > 0), "{records:?}");
    let rate: u64 = simple(&simulation, "site", "total-rate").parse().unwrap();
    assert!((5_880_000..=6_120_000).contains(&rate), "{rate}");
}

#[test]
fn fasttracked_traffic_passes_over_the_queues_unshaped() {
    let global: &[(&str, &str)] = &[("name", "all"), ("parent", "global"), ("max-limit", "1M")];
    let (mut simulation, _) = site(&[HELD], &[global], true);
    let records = simulation.advance(START_MS + 5_600);
    let unshaped = |record: &Record| match record {
        Record::Second { dropped_bytes, max_limit_bps, offered_bytes, served_bytes, .. } => {
            *dropped_bytes == 0 && *max_limit_bps == 0 && served_bytes == offered_bytes
        }
        Record::Set { .. } => false,
    };
    assert!(records.len() == 12 && records.iter().all(unshaped), "{records:?}");
    assert_eq!(
        (simple(&simulation, "site", "bytes"), tree(&simulation, "all", "bytes")),
        ("0/0".to_owned(), "0".to_owned())
    );
    let totals = simulation.totals();
    let forwarded = totals.up.served.0 + totals.down.served.0;
    assert_eq!(simulation.menus().filter.fasttracked().0, forwarded);
    let off = attributes(&[(".id", "*1")]);
    assert_eq!(simulation.edit(|menus| menus.filter.set_disabled(&off, true)).0, Ok(()));
    simulation.advance(START_MS + 7_600);
    assert_eq!(simulation.menus().filter.fasttracked().0, forwarded);
    assert_ne!(simple(&simulation, "site", "bytes"), "0/0");
}
