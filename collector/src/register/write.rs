//! The register as TOML that is the same every time.

use std::fmt::Write as _;

use serde_json::Value;
use takar_collector_core::inventory::RawInventory;

use super::{schema::TABLES, sheet, tables};

/// TOML with the tables, and the keys of each row, in a fixed order. Rows that could not be read are not in it.
pub fn toml(raw: &RawInventory) -> String {
    let mut text = String::new();
    for table in &TABLES {
        for row in tables::values(raw, table.name) {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&format!("[[{}]]\n", table.name));
            let mut inner: Vec<&str> = Vec::new();
            for column in table.columns {
                match column.key.split_once('.') {
                    None => {
                        if let Some(value) = sheet::get(&row, column.key) {
                            let _ = writeln!(text, "{} = {}", column.key, literal(value));
                        }
                    }
                    Some((table, _)) if inner.contains(&table) => {}
                    Some((table, _)) => inner.push(table),
                }
            }
            for inner in inner {
                let keys = table.columns.iter().filter_map(|column| Some((column.key, column.key.split_once('.')?)));
                let of_inner = keys.filter(|(_, (table, _))| *table == inner);
                let pairs: Vec<String> = of_inner
                    .filter_map(|(path, (_, key))| Some(format!("{key} = {}", literal(sheet::get(&row, path)?))))
                    .collect();
                let _ = writeln!(text, "{inner} = {{ {} }}", pairs.join(", "));
            }
        }
    }
    text
}

/// As TOML writes it.
pub fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => toml::Value::from(text.as_str()).to_string(),
        number => grouped(&number.to_string()),
    }
}

/// `10_000_000`, as people write rates in TOML.
fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.split_at(digits.len() - digits.trim_start_matches('-').len());
    let mut grouped = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('_');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_as_people_write_them() {
        for (digits, shown) in [("0", "0"), ("999", "999"), ("1000", "1_000"), ("-10000000", "-10_000_000")] {
            assert_eq!(grouped(digits), shown);
        }
    }
}
