//! Why a queue that is set may have no effect: pure, from what a router prints.
//!
//! Sources: MikroTik's manual, "Queues" (simple queues are tried in their order, the first whose target fits takes the
//! packet) and "FastTrack" (fast-tracked connections bypass simple queues and queue trees whose parent is global).

use std::{fmt, net::IpAddr};

use serde::Serialize;

/// What keeps traffic from a queue, or the queue from shaping it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hindrance {
    /// By a person.
    Disabled,
    /// The router says so: something it names is gone.
    Invalid,
    /// Connections that the router fast-tracks pass it by.
    FastTrack,
    /// This earlier queue takes all its traffic.
    Behind(String),
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disabled => f.write_str("it is disabled"),
            Self::Invalid => f.write_str("it is invalid, something it names is gone"),
            Self::FastTrack => {
                f.write_str("fast-tracked connections pass it by, a firewall rule has action fasttrack-connection")
            }
            Self::Behind(queue) => write!(f, "queue {queue:?} stands before it and takes its traffic"),
        }
    }
}

/// What of a printed queue decides whether it has an effect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub name: String,
    /// Simple queues: addresses, prefixes and interfaces.
    pub target: String,
    pub parent: String,
    /// Simple queues: it takes only part of its target's traffic (a destination, a packet mark, a time).
    pub is_partial: bool,
    pub disabled: bool,
    pub invalid: bool,
}

/// For each simple queue, in the router's order, what hinders it.
pub fn of_simple(queues: &[Standing], fast_track: bool) -> Vec<Vec<Hindrance>> {
    let hindrances = queues.iter().enumerate().map(|(at, queue)| {
        let mut found = own(queue);
        if fast_track {
            found.push(Hindrance::FastTrack);
        }
        let earlier = queues.iter().take(at).find(|earlier| takes_all(earlier, queue));
        found.extend(earlier.map(|earlier| Hindrance::Behind(earlier.name.clone())));
        found
    });
    hindrances.collect()
}

/// For each tree queue what hinders it.
pub fn of_trees(queues: &[Standing], fast_track: bool) -> Vec<Vec<Hindrance>> {
    let hindrances = queues.iter().map(|queue| {
        let mut found = own(queue);
        if fast_track && is_under_global(queue, queues) {
            found.push(Hindrance::FastTrack);
        }
        found
    });
    hindrances.collect()
}

fn own(queue: &Standing) -> Vec<Hindrance> {
    let disabled = queue.disabled.then_some(Hindrance::Disabled);
    let invalid = queue.invalid.then_some(Hindrance::Invalid);
    disabled.into_iter().chain(invalid).collect()
}

fn takes_all(earlier: &Standing, queue: &Standing) -> bool {
    let works = !earlier.disabled && !earlier.invalid && !earlier.is_partial;
    let takers = targets(earlier);
    // Children are tried within their parent.
    works
        && earlier.parent == queue.parent
        && earlier.name != queue.name
        && targets(queue).iter().all(|target| takers.iter().any(|taker| taker.covers(target)))
}

fn targets(queue: &Standing) -> Vec<Target<'_>> {
    queue.target.split(',').map(Target::read).collect()
}

fn is_under_global(queue: &Standing, queues: &[Standing]) -> bool {
    let mut parent = queue.parent.as_str();
    // A chain longer than there are queues goes in a circle.
    for _ in 0..=queues.len() {
        match queues.iter().find(|other| other.name == parent) {
            Some(other) => parent = &other.parent,
            None => break,
        }
    }
    parent == "global"
}

#[derive(Debug, PartialEq, Eq)]
enum Target<'a> {
    Prefix(IpAddr, u8),
    Interface(&'a str),
}

impl<'a> Target<'a> {
    fn read(text: &'a str) -> Self {
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let Ok(address) = address.parse::<IpAddr>() else { return Self::Interface(text) };
        let longest = if address.is_ipv4() { 32 } else { 128 };
        match length.map_or(Ok(longest), str::parse) {
            Ok(length) if length <= longest => Self::Prefix(address, length),
            _ => Self::Interface(text),
        }
    }

    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Interface(one), Self::Interface(two)) => one == two,
            (Self::Prefix(IpAddr::V4(one), length), Self::Prefix(IpAddr::V4(two), longer)) => {
                length <= longer && begins_as(one.to_bits().into(), two.to_bits().into(), 32 - u32::from(*length))
            }
            (Self::Prefix(IpAddr::V6(one), length), Self::Prefix(IpAddr::V6(two), longer)) => {
                length <= longer && begins_as(one.to_bits(), two.to_bits(), 128 - u32::from(*length))
            }
            _ => false,
        }
    }
}

fn begins_as(one: u128, two: u128, host_bits: u32) -> bool {
    one.checked_shr(host_bits) == two.checked_shr(host_bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn queue(name: &str, target: &str) -> Standing {
        Standing { name: name.into(), target: target.into(), parent: "none".into(), ..Standing::default() }
    }

    fn tree(name: &str, parent: &str) -> Standing {
        Standing { name: name.into(), parent: parent.into(), ..Standing::default() }
    }

    fn behind(queues: &[Standing]) -> Vec<Option<&'static str>> {
        let names = ["all", "lan", "one", "six", "wan"];
        let behind = |found: Vec<Hindrance>| {
            found.into_iter().find_map(|one| match one {
                Hindrance::Behind(name) => names.into_iter().find(|known| *known == name),
                _ => None,
            })
        };
        of_simple(queues, false).into_iter().map(behind).collect()
    }

    #[test]
    fn the_first_queue_whose_target_fits_takes_the_traffic() {
        let lan = queue("lan", "10.0.0.0/8");
        let one = queue("one", "10.1.2.3/32");
        assert_eq!(behind(&[lan.clone(), one.clone()]), [None, Some("lan")]);
        assert_eq!(behind(&[one.clone(), lan.clone()]), [None, None]);
        let all = queue("all", "0.0.0.0/0");
        assert_eq!(behind(&[all.clone(), queue("six", "2001:db8::/32"), lan.clone()]), [None, None, Some("all")]);
        let both = queue("wan", "10.1.2.3,192.168.0.0/16");
        assert_eq!(behind(&[lan.clone(), both.clone()]), [None, None], "one of its targets is free");
        assert_eq!(behind(&[queue("all", "10.0.0.0/8,192.168.0.0/16"), both]), [None, Some("all")]);
        assert_eq!(behind(&[queue("wan", "ether2"), queue("one", "ether2")]), [None, Some("wan")]);
    }

    #[test]
    fn a_queue_that_does_not_take_everything_is_in_nobodys_way() {
        let one = queue("one", "10.1.2.3/32");
        for not in [
            Standing { disabled: true, ..queue("lan", "10.0.0.0/8") },
            Standing { invalid: true, ..queue("lan", "10.0.0.0/8") },
            Standing { is_partial: true, ..queue("lan", "10.0.0.0/8") },
            Standing { parent: "wan".into(), ..queue("lan", "10.0.0.0/8") },
        ] {
            assert_eq!(behind(&[not, one.clone()]), [None, None]);
        }
    }

    #[test]
    fn fast_track_passes_simple_queues_and_trees_under_global() {
        assert_eq!(of_simple(&[queue("one", "10.1.2.3")], true), [[Hindrance::FastTrack]]);
        let trees = [tree("top", "global"), tree("leaf", "top"), tree("out", "ether1"), tree("a", "b"), tree("b", "a")];
        let found = of_trees(&trees, true);
        assert_eq!(found[..2], [[Hindrance::FastTrack], [Hindrance::FastTrack]]);
        assert!(found[2..].iter().all(Vec::is_empty), "{found:?}");
        assert!(of_trees(&trees, false).iter().all(Vec::is_empty));
    }

    proptest! {
        #[test]
        fn any_texts_are_judged(texts in prop::collection::vec(("[a-c]{1}", "[0-9a-f.:/,]{0,24}", "[a-c]{1}"), 0..8)) {
            let queues: Vec<Standing> = texts
                .iter()
                .map(|(name, target, parent)| Standing { parent: parent.clone(), ..queue(name, target) })
                .collect();
            prop_assert_eq!(of_simple(&queues, true).len(), queues.len());
            prop_assert_eq!(of_trees(&queues, true).len(), queues.len());
        }
    }
}
