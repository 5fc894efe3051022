//! Tables of a register by their names.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use takar_collector_core::inventory::{Named, RawInventory, Row};

use super::sheet::Sheet;

/// The sheet's rows into their table; the number of each in the spreadsheet.
pub fn fill(raw: &mut RawInventory, sheet: &mut Sheet) -> Vec<u32> {
    fn into<T: DeserializeOwned>(rows: &mut Vec<Row<T>>, sheet: &mut Sheet) -> Vec<u32> {
        let (typed, numbers) = sheet.typed();
        *rows = typed;
        numbers
    }
    match sheet.table.name {
        "provider" => into(&mut raw.providers, sheet),
        "uplink" => into(&mut raw.uplinks, sheet),
        "site" => into(&mut raw.sites, sheet),
        "link" => into(&mut raw.links, sheet),
        "contract" => into(&mut raw.contracts, sheet),
        "profile" => into(&mut raw.profiles, sheet),
        "need" => into(&mut raw.needs, sheet),
        "holiday" => into(&mut raw.holidays, sheet),
        _ => Vec::new(),
    }
}

/// The table as another register has it.
pub fn take(raw: &mut RawInventory, base: &RawInventory, table: &str) {
    match table {
        "provider" => raw.providers.clone_from(&base.providers),
        "uplink" => raw.uplinks.clone_from(&base.uplinks),
        "site" => raw.sites.clone_from(&base.sites),
        "link" => raw.links.clone_from(&base.links),
        "contract" => raw.contracts.clone_from(&base.contracts),
        "profile" => raw.profiles.clone_from(&base.profiles),
        "need" => raw.needs.clone_from(&base.needs),
        "holiday" => raw.holidays.clone_from(&base.holidays),
        _ => {}
    }
}

/// What the row calls itself.
pub fn name_in<'a>(raw: &'a RawInventory, table: &str, index: usize) -> Option<&'a str> {
    fn of<T: Named>(rows: &[Row<T>], index: usize) -> Option<&str> {
        rows.get(index).and_then(Row::name)
    }
    match table {
        "provider" => of(&raw.providers, index),
        "uplink" => of(&raw.uplinks, index),
        "site" => of(&raw.sites, index),
        "link" => of(&raw.links, index),
        "contract" => of(&raw.contracts, index),
        "profile" => of(&raw.profiles, index),
        "need" => of(&raw.needs, index),
        "holiday" => of(&raw.holidays, index),
        _ => None,
    }
}

/// The rows of a table as values, keyed as in TOML. Those that could not be read are none.
pub fn values(raw: &RawInventory, table: &str) -> Vec<Value> {
    match table {
        "provider" => all(&raw.providers),
        "uplink" => all(&raw.uplinks),
        "site" => all(&raw.sites),
        "link" => all(&raw.links),
        "contract" => all(&raw.contracts),
        "profile" => all(&raw.profiles),
        "need" => all(&raw.needs),
        "holiday" => all(&raw.holidays),
        _ => Vec::new(),
    }
}

fn all<T: Serialize>(rows: &[Row<T>]) -> Vec<Value> {
    let read = rows.iter().filter_map(|row| match row {
        Row::Read(row) => Some(row),
        Row::Unread { .. } => None,
    });
    // Plain structs of text and integers: there is nothing that could not be a value.
    read.filter_map(|row| serde_json::to_value(row).ok()).collect()
}
