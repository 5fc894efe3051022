//! What clients can change, together: both menus of queues and the firewall's filter, and which of it a packet of the
//! subscriber passes.

use std::collections::BTreeMap;

use crate::{
    filter::Filter,
    pair::{BitsPerSec, Direction, Pair},
    shaper::{Counters, Packets},
    stats::Stats,
    table::Table,
    target::Subscriber,
    tree::{Place, QueueTree},
};

#[derive(Clone, Debug, Default)]
pub struct Menus {
    pub simple: Table,
    pub tree: QueueTree,
    pub filter: Filter,
}

/// A queue on a packet's way, by its position in its menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Simple(usize),
    Tree(usize),
}

/// A ceiling, and the queue that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub to: BitsPerSec,
    pub by: Stage,
}

impl Menus {
    /// The queues that the subscriber's packets pass, in their order: a tree under `global`, the first simple queue
    /// that matches and no later one, the tree of the interface by which they leave (MikroTik manual, "Packet Flow in
    /// RouterOS" and "Queues"). FastTracked packets pass over the first two; an interface's tree is not touched by it
    /// (manual, "Connection tracking", FastTrack).
    pub fn way(&self, subscriber: &Subscriber, direction: Direction) -> Vec<Stage> {
        let branches = |place| self.tree.passage(place, subscriber, direction).into_iter().map(Stage::Tree);
        let mut way = Vec::new();
        if !self.filter.fasttracks() {
            way.extend(branches(Place::Global));
            let first = self.simple.rows().iter().position(|row| row.takes(subscriber, direction));
            way.extend(first.map(Stage::Simple));
        }
        way.extend(branches(Place::Interface));
        way
    }

    /// The lowest ceiling on a way; `None` where no queue has one.
    pub fn tightest(&self, way: &[Stage], direction: Direction) -> Option<Held> {
        lowest(way.iter().map(|stage| Held { to: self.ceiling(*stage, direction), by: *stage }))
    }

    /// The lowest ceiling that both directions share.
    pub fn shared(&self, ways: &Pair<Vec<Stage>>) -> Option<Held> {
        let both = ways.up.iter().filter(|stage| ways.down.contains(stage));
        lowest(both.map(|stage| Held { to: self.total_ceiling(*stage), by: *stage }))
    }

    /// Before a step: nothing is known to wait.
    pub fn forget_queued(&mut self) {
        self.all_stats().for_each(Stats::forget_queued);
    }

    /// What one step moved in one direction. Only the queue that holds the traffic drops and lets wait.
    pub fn count(
        &mut self,
        way: &[Stage],
        holder: Option<Stage>,
        direction: Direction,
        moved: Counters,
        queued: Packets,
    ) {
        for stage in way {
            let Some(stats) = self.stats_mut(*stage, direction) else { continue };
            if holder == Some(*stage) {
                stats.count(moved, queued);
            } else {
                stats.count(Counters { dropped: Packets(0), ..moved }, Packets(0));
            }
        }
    }

    pub fn close_second(&mut self, took_ms: u64) {
        self.all_stats().for_each(|stats| stats.close_second(took_ms));
    }

    /// What each queue holds its traffic to, by name and number.
    pub fn in_force(&self) -> BTreeMap<(String, u32), Pair<BitsPerSec>> {
        let simple = self.simple.rows().iter().map(|row| ((row.name.clone(), row.id), row.in_force()));
        let tree = self.tree.rows().iter().map(|row| {
            let limits = Pair::of(|direction| self.tree.in_force(row, direction));
            ((row.name.clone(), row.id), limits)
        });
        simple.chain(tree).collect()
    }

    fn ceiling(&self, stage: Stage, direction: Direction) -> BitsPerSec {
        let own = match stage {
            Stage::Simple(at) => self.simple.rows().get(at).map(|row| *row.max_limit.get(direction)),
            Stage::Tree(at) => self.tree.rows().get(at).map(|row| row.max_limit),
        };
        let limits = [own.unwrap_or_default(), self.total_ceiling(stage)];
        limits.into_iter().filter(|limit| *limit > BitsPerSec(0)).min().unwrap_or_default()
    }

    fn total_ceiling(&self, stage: Stage) -> BitsPerSec {
        let total = match stage {
            Stage::Simple(at) => self.simple.rows().get(at).map(|row| row.total_max_limit),
            Stage::Tree(at) => self.tree.rows().get(at).map(|row| row.max_limit),
        };
        total.unwrap_or_default()
    }

    fn stats_mut(&mut self, stage: Stage, direction: Direction) -> Option<&mut Stats> {
        match stage {
            Stage::Simple(at) => self.simple.rows_mut().get_mut(at).map(|row| row.stats.get_mut(direction)),
            Stage::Tree(at) => self.tree.rows_mut().get_mut(at).map(|row| &mut row.stats),
        }
    }

    fn all_stats(&mut self) -> impl Iterator<Item = &mut Stats> {
        let simple = self.simple.rows_mut().iter_mut().flat_map(|row| [&mut row.stats.up, &mut row.stats.down]);
        simple.chain(self.tree.rows_mut().iter_mut().map(|row| &mut row.stats))
    }
}

fn lowest(ceilings: impl Iterator<Item = Held>) -> Option<Held> {
    ceilings.filter(|held| held.to > BitsPerSec(0)).min_by_key(|held| held.to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{select::attributes, target::subscriber};

    fn menus(simple: &[&[(&str, &str)]], tree: &[&[(&str, &str)]]) -> Menus {
        let mut menus = Menus::default();
        simple.iter().for_each(|list| drop(menus.simple.add(&attributes(list)).unwrap()));
        tree.iter().for_each(|list| drop(menus.tree.add(&attributes(list)).unwrap()));
        menus
    }

    fn way(menus: &Menus, direction: Direction) -> Vec<Stage> {
        menus.way(&subscriber("192.168.88.1", "", ""), direction)
    }

    #[test]
    fn the_first_simple_queue_that_matches_takes_the_traffic() {
        let shared = ("target", "10.0.0.0/8,192.168.88.0/24");
        let mut menus = menus(
            &[&[("name", "a"), ("target", "10.0.0.0/8")], &[("name", "b"), shared], &[("name", "c"), shared]],
            &[],
        );
        assert_eq!(way(&menus, Direction::Down), [Stage::Simple(1)]);
        menus.simple.shift(&attributes(&[("numbers", "c"), ("destination", "a")])).unwrap();
        assert_eq!(way(&menus, Direction::Down), [Stage::Simple(0)]);
        menus.simple.set_disabled(&attributes(&[("numbers", "c")]), true).unwrap();
        assert_eq!(way(&menus, Direction::Up), [Stage::Simple(2)]);
        menus.simple.set(&attributes(&[("numbers", "b"), ("packet-marks", "voip")])).unwrap();
        assert!(way(&menus, Direction::Up).is_empty());
    }

    #[test]
    fn invalid_queues_take_nothing() {
        let mut menus = Menus::default();
        menus.simple.force(&attributes(&[("name", "broken"), ("max-limit", "1M/1M")]), false, true).unwrap();
        assert!(way(&menus, Direction::Up).is_empty());
        assert_eq!(menus.in_force().into_values().collect::<Vec<_>>(), [Pair::<BitsPerSec>::default()]);
    }

    #[test]
    fn a_packet_passes_all_three_places_and_the_lowest_ceiling_holds() {
        let simple: &[(&str, &str)] = &[("name", "site"), ("max-limit", "4M/8M")];
        let global: &[(&str, &str)] = &[("name", "all"), ("parent", "global"), ("max-limit", "9M")];
        let down: &[(&str, &str)] = &[("name", "down"), ("parent", "bridge-lan"), ("max-limit", "6M")];
        let mut menus = menus(&[simple], &[global, down]);
        let ways = Pair { up: way(&menus, Direction::Up), down: way(&menus, Direction::Down) };
        assert_eq!(ways.up, [Stage::Tree(0), Stage::Simple(0)]);
        assert_eq!(ways.down, [Stage::Tree(0), Stage::Simple(0), Stage::Tree(1)]);
        let held = |to, by| Some(Held { to: BitsPerSec(to), by });
        assert_eq!(menus.tightest(&ways.up, Direction::Up), held(4_000_000, Stage::Simple(0)));
        assert_eq!(menus.tightest(&ways.down, Direction::Down), held(6_000_000, Stage::Tree(1)));
        assert_eq!(menus.shared(&ways), held(9_000_000, Stage::Tree(0)));
        menus.simple.set(&attributes(&[("numbers", "site"), ("total-max-limit", "3M")])).unwrap();
        assert_eq!(menus.shared(&ways), held(3_000_000, Stage::Simple(0)));
        menus.filter = Filter::new(true);
        assert!(way(&menus, Direction::Up).is_empty());
        assert_eq!(way(&menus, Direction::Down), [Stage::Tree(1)]);
    }

    #[test]
    fn every_queue_on_the_way_counts_and_the_holder_drops() {
        let global: &[(&str, &str)] = &[("name", "all"), ("parent", "global"), ("max-limit", "9M")];
        let mut menus = menus(&[&[("name", "site"), ("max-limit", "4M/8M")]], &[global]);
        let way = way(&menus, Direction::Down);
        let moved = Counters { offered: Packets(9), served: Packets(5), dropped: Packets(3) };
        for _ in 0..2 {
            menus.forget_queued();
            menus.count(&way, Some(Stage::Simple(0)), Direction::Down, moved, Packets(1));
        }
        menus.close_second(1000);
        let site = menus.simple.rows()[0].stats.down;
        assert_eq!(
            (site.served, site.dropped, site.queued, site.rate.0),
            (Packets(10), Packets(6), Packets(1), 100_000)
        );
        let all = menus.tree.rows()[0].stats;
        assert_eq!((all.served, all.dropped, all.queued, all.rate.0), (Packets(10), Packets(0), Packets(0), 100_000));
    }
}
