use super::*;
use crate::{select::attributes, target::subscriber};

/// Down by bridge-lan with a marked and an unmarked leaf, up by ether1, as an export of a small provider has it.
fn tree() -> QueueTree {
    let mut tree = QueueTree::default();
    for (list, id) in [
        (vec![("name", "down"), ("parent", "bridge-lan"), ("max-limit", "20M")], "*1000000"),
        (vec![("name", "vip"), ("parent", "down"), ("packet-mark", "vip"), ("max-limit", "15M")], "*1000001"),
        (vec![("name", "rest"), ("parent", "down"), ("packet-mark", "no-mark"), ("max-limit", "10M")], "*1000002"),
        (vec![("name", "up"), ("parent", "ether1"), ("max-limit", "5M")], "*1000003"),
    ] {
        assert_eq!(tree.add(&attributes(&list)), Ok(id.to_owned()));
    }
    tree
}

fn shown(tree: &QueueTree, name: &str, field: &str) -> String {
    let row = tree.fields().into_iter().find(|row| row.contains(&("name", name.to_owned()))).unwrap();
    row.into_iter().find(|(held, _)| *held == field).unwrap().1
}

fn passed(tree: &QueueTree, place: Place, direction: Direction, mark: &str) -> Vec<String> {
    let passage = tree.passage(place, &subscriber("192.168.88.1", mark, mark), direction);
    passage.into_iter().map(|at| tree.rows()[at].name.clone()).collect()
}

#[test]
fn a_parent_is_an_interface_a_queue_or_global_and_must_be_given() {
    let mut tree = tree();
    for list in [
        vec![("name", "x"), ("parent", "nobody")],
        vec![("name", "x"), ("parent", "global-out")],
        vec![("name", "x"), ("parent", "none")],
        vec![("name", "x")],
    ] {
        let refused = tree.add(&attributes(&list)).unwrap_err();
        assert_eq!(refused.to_string(), "input does not match any value of parent");
    }
    assert_eq!(tree.add(&attributes(&[("name", "x"), ("parent", "global")])), Ok("*1000004".to_owned()));
    assert_eq!(tree.add(&attributes(&[("name", "x"), ("parent", "global")])), Err(Refusal::NameTaken));
    tree.set(&attributes(&[(".id", "*1000004"), ("parent", "*1000000")])).unwrap();
    assert_eq!(shown(&tree, "x", "parent"), "down");
    let ring = tree.set(&attributes(&[("numbers", "down"), ("parent", "x")]));
    assert_eq!(ring, Err(Refusal::NoMatch("parent")));
    assert_eq!(shown(&tree, "down", "parent"), "bridge-lan");
}

#[test]
fn a_leaf_takes_its_mark_and_everything_above_it_counts() {
    let tree = tree();
    assert_eq!(passed(&tree, Place::Interface, Direction::Down, "vip"), ["vip", "down"]);
    assert_eq!(passed(&tree, Place::Interface, Direction::Down, ""), ["rest", "down"]);
    assert!(passed(&tree, Place::Interface, Direction::Down, "voip").is_empty());
    assert_eq!(passed(&tree, Place::Interface, Direction::Up, "vip"), ["up"]);
    assert!(passed(&tree, Place::Global, Direction::Down, "vip").is_empty());
}

#[test]
fn without_its_parent_a_queue_is_invalid_and_takes_nothing() {
    let mut tree = tree();
    tree.remove(&attributes(&[("numbers", "down")])).unwrap();
    assert_eq!(
        (shown(&tree, "vip", "invalid"), shown(&tree, "vip", "parent")),
        ("true".to_owned(), "*1000000".to_owned())
    );
    assert_eq!(shown(&tree, "up", "invalid"), "false");
    assert!(passed(&tree, Place::Interface, Direction::Down, "vip").is_empty());
    tree.set(&attributes(&[("numbers", "vip"), ("parent", "global")])).unwrap();
    assert_eq!(shown(&tree, "vip", "invalid"), "false");
    assert_eq!(passed(&tree, Place::Global, Direction::Up, "vip"), ["vip"]);
}

#[test]
fn disabled_queues_pass_nothing_on_and_stay_in_the_list() {
    let mut tree = tree();
    tree.set_disabled(&attributes(&[("numbers", "vip,rest")]), true).unwrap();
    // Without enabled children the parent is a leaf again, and without a mark it takes every packet.
    assert_eq!(passed(&tree, Place::Interface, Direction::Down, "vip"), ["down"]);
    tree.set_disabled(&attributes(&[("numbers", "vip")]), false).unwrap();
    tree.set_disabled(&attributes(&[("numbers", "down")]), true).unwrap();
    assert!(passed(&tree, Place::Interface, Direction::Down, "vip").is_empty());
    assert_eq!(
        (shown(&tree, "down", "disabled"), shown(&tree, "down", "invalid")),
        ("true".to_owned(), "false".to_owned())
    );
    assert_eq!(tree.set_disabled(&attributes(&[("numbers", "*1")]), true), Err(Refusal::NoSuchItem));
}

#[test]
fn what_is_in_force_is_told_for_the_way_that_a_queue_carries() {
    let mut tree = tree();
    let both =
        |tree: &QueueTree, at: usize| Direction::BOTH.map(|direction| tree.in_force(&tree.rows()[at], direction).0);
    assert_eq!(both(&tree, 1), [0, 15_000_000]);
    assert_eq!(both(&tree, 3), [5_000_000, 0]);
    tree.set(&attributes(&[("numbers", "up"), ("parent", "global")])).unwrap();
    assert_eq!(both(&tree, 3), [5_000_000, 5_000_000]);
    tree.remove(&attributes(&[("numbers", "down")])).unwrap();
    assert_eq!(both(&tree, 0), [0, 0]);
}

#[test]
fn a_refused_set_changes_no_queue_at_all() {
    let mut tree = tree();
    let refused = tree.set(&attributes(&[("numbers", "vip,rest"), ("limit-at", "12M"), ("max-limit", "11M")]));
    assert_eq!(refused, Err(Refusal::MaxBelowLimit("")));
    assert_eq!(tree.set(&attributes(&[(".id", "*1000001,*9"), ("max-limit", "1M")])), Err(Refusal::NoSuchItem));
    assert_eq!(tree.set(&attributes(&[("max-limit", "1M")])), Ok(()));
    assert_eq!(tree.set(&attributes(&[("numbers", "vip"), ("name", "rest")])), Err(Refusal::NameTaken));
    assert_eq!([1, 2].map(|at: usize| tree.rows()[at].max_limit.0), [15_000_000, 10_000_000]);
}
