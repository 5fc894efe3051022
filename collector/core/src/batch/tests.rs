use alloc::format;
use proptest::{collection::vec, prelude::*};
use takar_shared::{
    BitsPerSec, Direction, id,
    queue::{Setting, Shaper},
};

use super::*;

fn assigned(link: usize, agent: u8, device: u8, from: u64, to: u64) -> Assigned {
    let shaper = Shaper::Queue(id::name(&format!("q{link}")).unwrap());
    let set = Setting { shaper, direction: Direction::Down, cir: None, mir: BitsPerSec(to) };
    let moved = LinkMove { link: format!("l{link}").parse().unwrap(), from: BitsPerSec(from), set };
    Assigned { agent: AgentId([agent; 16]), device: id::name(&format!("d{device}")).unwrap(), moved }
}

fn row(part: &Part) -> (u16, u16, &str, Vec<&str>) {
    (part.step, part.steps, part.device.as_str(), part.moves.iter().map(|one| one.link.as_str()).collect())
}

#[test]
fn a_device_that_lowers_and_raises_gets_two_parts_and_decreases_come_first() {
    let parts = split(alloc::vec![
        assigned(0, 1, 1, 10, 30),
        assigned(1, 1, 1, 40, 30),
        assigned(2, 1, 2, 50, 40),
        assigned(3, 1, 1, 20, 10),
    ]);
    let rows: Vec<_> = parts.iter().map(row).collect();
    assert_eq!(
        rows,
        [(1, 3, "d1", alloc::vec!["l1", "l3"]), (2, 3, "d2", alloc::vec!["l2"]), (3, 3, "d1", alloc::vec!["l0"])]
    );
}

#[test]
fn nothing_to_move_is_no_part() {
    assert!(split(Vec::new()).is_empty());
}

proptest! {
    #[test]
    fn every_move_is_in_one_part_and_no_part_does_both(
        asked in vec((0..3u8, 0..3u8, 1..5u64, 1..5u64), 0..12),
    ) {
        let all: Vec<Assigned> = asked
            .iter()
            .enumerate()
            .map(|(link, &(agent, device, from, to))| assigned(link, agent, device, from, to))
            .collect();
        let parts = split(all.clone());
        let mut kinds = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            prop_assert_eq!((usize::from(part.step), usize::from(part.steps)), (index + 1, parts.len()));
            let up = part.moves.iter().filter(|one| one.set.mir > one.from).count();
            prop_assert!(!part.moves.is_empty() && (up == 0 || up == part.moves.len()), "{:?}", part);
            let kind = (up > 0, part.agent, part.device.clone());
            prop_assert!(!kinds.contains(&kind), "two parts of one device and sense: {:?}", kind);
            // Once something is raised, nothing is lowered any more.
            prop_assert!(up > 0 || kinds.iter().all(|(raised, ..)| !raised));
            kinds.push(kind);
        }
        // Each move comes back once, on the device it was assigned to.
        let back = |wanted: &Assigned| {
            let parts = parts.iter().filter(|part| part.agent == wanted.agent && part.device == wanted.device);
            parts.flat_map(|part| &part.moves).filter(|moved| **moved == wanted.moved).count()
        };
        prop_assert!(all.iter().all(|one| back(one) == 1));
        prop_assert_eq!(parts.iter().map(|part| part.moves.len()).sum::<usize>(), all.len());
    }
}
