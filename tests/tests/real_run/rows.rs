//! Rows of `takar --json`, and the inventory that is imported.

use anyhow::Context as _;
use serde_json::Value;
use takar_e2e::lab::edge::{Edge, IFB, WAN};

use super::{CIR, MIR};

pub fn number(row: &Value, key: &str) -> anyhow::Result<u64> {
    row[key].as_u64().with_context(|| format!("no number \"{key}\" in {row}"))
}

pub fn is_final(change: &Value) -> bool {
    change["ended_at"].is_u64()
}

/// Link, old and new ceiling in bit/s.
pub fn moves(row: &Value) -> Vec<(String, u64, u64)> {
    let moves = row["moves"].as_array().into_iter().flatten();
    moves
        .filter_map(|one| Some((one["link"].as_str()?.to_owned(), one["from_bps"].as_u64()?, one["to_bps"].as_u64()?)))
        .collect()
}

/// No link has an `interface`: the queues' own counters are the meter, since snmpd moves its counters every 3 s only,
/// too rarely for readings of 3 s.
pub fn inventory_of(edges: &[Edge]) -> String {
    let mut text = String::from(
        "[[provider]]\nname = \"isp\"\ntitle = \"ISP\"\n\
         [[uplink]]\nname = \"utama\"\nprovider = \"isp\"\ndown_bps = 40_000_000\nup_bps = 40_000_000\n",
    );
    for Edge { name, .. } in edges {
        let side = |interface: &str| {
            format!("{{ class = \"1:10\", interface = \"{interface}\", cir_bps = {CIR}, mir_bps = {MIR} }}")
        };
        text += &format!("[[site]]\nname = \"{name}\"\ntitle = \"Site {name}\"\n");
        text += &format!("[[link]]\nname = \"{name}\"\nsite = \"{name}\"\nuplink = \"utama\"\ndevice = \"{name}\"\n");
        text += &format!("down = {}\nup = {}\n", side(IFB), side(WAN));
    }
    text
}
