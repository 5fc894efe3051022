//! From approval to applied: changes by hand to and fro, on real HTB classes, through a Mosquitto with TLS. Both times
//! are the collector's own: when it was told to, and when it had stored that the device did.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, bail};
use serde_json::Value;
use takar_shared::Direction;

use super::{
    args::Figure,
    report::{Row, Spread, percentile},
    tell,
};
use crate::{
    netlab::{Edge, Hub, Settings, Version},
    process::wait_for,
};

/// By turns: an agent takes 240 changes an hour for a device, at most, and what it says of itself after one change must
/// have come before the next is sent.
const EDGES: usize = 4;
const CHANGES_PER_HOUR: u16 = 240;
const CAPACITY: u64 = 100_000_000;
const HIGH: u64 = 8_000_000;
const LOW: u64 = 6_000_000;
const RULES: &str = "[readings]\nlength_s = 2\ncounter_step_ms = 0\nkeep = 60\n";

pub fn measure(place: &Path, quick: bool) -> anyhow::Result<Vec<Row>> {
    let changes = if quick { 20 } else { 240 };
    let mut hub = Hub::make(place, RULES)?;
    hub.start_broker()?;
    hub.start_serve()?;
    let mut edges = Vec::new();
    for number in 1..=EDGES {
        edges.push(edge(&hub, u8::try_from(number)?, place)?);
    }
    hub.import(&hub.register(&edges, CAPACITY))?;
    wait_for("every link to be measured", Duration::from_secs(60), || {
        let links = hub.list(&["links"])?;
        let good = |row: &Value| row["poll"] == "ok" && row["used_bps"].is_u64() && row["observed_bps"].is_u64();
        Ok((links.len() == 2 * edges.len() && links.iter().all(good)).then_some(()))
    })?;
    let mut took = Vec::new();
    for number in 0..changes {
        if number % 20 == 0 {
            tell(&format!("latency: {number} of {changes} changes"));
        }
        let rate = if (number / EDGES).is_multiple_of(2) { LOW } else { HIGH };
        let edge = edges.get(number % EDGES).context("an edge")?;
        took.push(change(&hub, &edge.name, rate).with_context(|| format!("change {number}, of {}", edge.name))?);
    }
    rows(&took)
}

fn edge(hub: &Hub, number: u8, place: &Path) -> anyhow::Result<Edge> {
    let settings = Settings {
        cir_bps: 1_000_000,
        mir_bps: HIGH,
        floor_bps: 1_000_000,
        ceiling_bps: CAPACITY,
        snmp: Version::V2c,
        poll_every_ms: 500,
        changes_per_hour: CHANGES_PER_HOUR,
    };
    let mut edge = Edge::make(&format!("edge-{number}"), number, settings, hub, place)?;
    edge.enrol(hub)?;
    edge.start_agent()?;
    Ok(edge)
}

/// Proposes, approves, waits until it is confirmed; gives the milliseconds from approval to applied.
fn change(hub: &Hub, link: &str, to_bps: u64) -> anyhow::Result<f64> {
    let asked = format!("{link}:{}:{to_bps}", Direction::Up);
    let plan = hub.takar(&["propose", "--move", &asked, "--reason", "takar-measure"])?;
    let id = &plan["proposals"][0]["id"];
    hub.takar(&["approve", &id.to_string()])?;
    let confirmed = wait_for("the change to be confirmed", Duration::from_secs(60), || {
        let changes = hub.list(&["changes"])?;
        let Some(change) = changes.into_iter().find(|change| change["proposal"] == *id) else { return Ok(None) };
        match change["state"].as_str() {
            Some("confirmed") => Ok(Some(change)),
            Some("refused" | "rolled-back" | "cancelled") => bail!("it ended otherwise: {}", change["sentence"]),
            _ => Ok(None),
        }
    })?;
    let time = |key: &str| confirmed[key].as_u64().with_context(|| format!("no {key} in {confirmed}"));
    let (made, applied) = (time("made_at")?, time("applied_at")?);
    let took = applied.checked_sub(made).with_context(|| format!("applied before it was approved: {confirmed}"))?;
    Ok(took as f64)
}

fn rows(took: &[f64]) -> anyhow::Result<Vec<Row>> {
    let one = |percent: usize, note: String| -> anyhow::Result<Row> {
        Ok(Row {
            figure: Figure::Latency,
            case: format!("approval to applied, p{percent}"),
            value: percentile(took, percent).context("no change was made")?,
            unit: "ms",
            n: format!("{} changes", took.len()),
            spread: Spread::of(took),
            beside: None,
            note,
        })
    };
    let note = format!(
        "{EDGES} routers in namespaces, one HTB class each, by turns; Mosquitto with TLS 1.3; each change confirmed \
         before the next; whole milliseconds of the collector's clock"
    );
    Ok(vec![one(50, note)?, one(99, String::new())?])
}
