//! The inventory file: an inventory that keeps its own promises, or problems of one line each, the same every time.
#![no_main]

// Read as source: it is private to the collector.
#[path = "../../collector/src/register/toml.rs"]
mod register;

use libfuzzer_sys::fuzz_target;
use register::{parse, rows};
use takar_collector_core::inventory::{Inventory, Notice};
use takar_shared::{BitsPerSec, Direction};

/// Problems that are told line by line.
const TOLD: usize = 20;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else { return };
    let parsed = parse(text);
    assert_eq!(parse(text), parsed);
    match parsed {
        Ok(validated) => {
            assert!(rows(text).is_ok());
            keeps_its_promises(&validated.inventory);
            let over = |notice: &Notice| match notice {
                Notice::OverBudget(over) => over.line.over_budget(),
                Notice::ContractDiffers(_) => true,
            };
            assert!(validated.notices.iter().all(over));
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            let (told, more) = problems.split_at(problems.len().min(TOLD));
            for problem in told {
                assert!(problem.contains("line ") && !problem.contains('\n'), "{problem:?}");
            }
            // Of very many the first are told, and then only how many more there are.
            assert!(more.len() <= 1, "{} problems", problems.len());
            let count = more.first().map(|more| more.strip_prefix("and ").and_then(|more| more.strip_suffix(" more")));
            assert!(count.is_none_or(|count| count.is_some_and(|n| n.parse::<u64>().is_ok_and(|n| n > 0))), "{more:?}");
        }
    }
});

fn keeps_its_promises(inventory: &Inventory) {
    // Sorted without equals: every name once.
    assert!(inventory.providers().is_sorted_by(|a, b| a.name < b.name));
    assert!(inventory.uplinks().is_sorted_by(|a, b| a.name < b.name));
    assert!(inventory.sites().is_sorted_by(|a, b| a.name < b.name));
    assert!(inventory.links().is_sorted_by(|a, b| a.name < b.name));
    assert!(inventory.contracts().is_sorted_by(|a, b| a.name < b.name));
    assert!(inventory.needs().is_sorted_by(|a, b| a.name < b.name));
    for contract in inventory.contracts() {
        assert!(contract.begins <= contract.ends, "{contract:?}");
        assert!(inventory.uplink(&contract.uplink).is_some(), "{contract:?}");
        assert!(contract.international_down.is_none_or(|abroad| abroad <= contract.down), "{contract:?}");
    }
    for need in inventory.needs() {
        assert!(inventory.site(&need.site).is_some(), "{need:?}");
        assert!([Direction::Down, Direction::Up].iter().any(|way| need.rate(*way).is_some()), "{need:?}");
        assert!(need.when.from_minute < need.when.to_minute, "{need:?}");
    }
    assert!(inventory.uplinks().iter().all(|uplink| inventory.provider(&uplink.provider).is_some()));
    for link in inventory.links() {
        assert!(inventory.site(&link.site).is_some() && inventory.uplink(&link.uplink).is_some(), "{link:?}");
        assert!((1..=1000).contains(&link.weight), "{link:?}");
        for direction in [Direction::Down, Direction::Up] {
            let side = link.side(direction);
            assert!(side.floor <= side.mir && side.mir <= side.ceiling && side.mir > BitsPerSec::ZERO, "{link:?}");
            assert!(side.cir.is_none_or(|cir| cir <= side.mir), "{link:?}");
        }
    }
    for line in inventory.budget() {
        assert!(line.capacity > BitsPerSec::ZERO && line.sum_cir <= line.capacity, "{line:?}");
    }
}
