//! What a poll costs the agent, and what memory it then has: nine interfaces of a real snmpd, published to a broker,
//! stored by a collector. collectd, where it is installed, does the same before, in the same place.

use std::{path::Path, thread, time::Duration};

use anyhow::{Context as _, ensure};

use super::{
    args::Figure,
    collectd,
    cost::{Cpu, pss_kb},
    ports::{self, INTERFACES},
    report::{Beside, Row, Spread},
    station::Station,
    tell,
};
use crate::{
    netlab::{Snmpd, Version},
    process::wait_for,
};

/// The least that an agent takes.
pub const POLL_EVERY_MS: u64 = 200;
/// Walks, key derivation and the like are over by then.
const SETTLED_AFTER: Duration = Duration::from_secs(5);

pub fn measure(place: &Path, quick: bool) -> anyhow::Result<Vec<Row>> {
    // 1,000 polls, or 150.
    let span = if quick { Span { parts: 3, part_s: 10 } } else { Span { parts: 5, part_s: 40 } };
    let station = Station::start(place, Some(ports::make()?), "")?;
    let _snmpd = Snmpd::start(station.namespace()?, place)?;
    let _traffic = ports::traffic(&station)?;
    let mut rows = Vec::new();
    let beside = match collectd::measure(&station, span)? {
        Some((value, mut measured)) => {
            rows.append(&mut measured);
            Beside::one("collectd here, v2c", value)
        }
        // As it was measured elsewhere, on a machine of the same kind.
        None => Beside { what: "tuned collectd, elsewhere (none here)".into(), low: 1.0, high: 1.15 },
    };
    let v2c = ports::snmp(&Version::V2c.access(place)?);
    let v3 = ports::snmp(&Version::V3.access(place)?);
    for (name, source, case) in [
        ("agent-v2c", v2c, "agent, SNMP v2c"),
        ("agent-v3", v3, "agent, SNMP v3 SHA-256 AES-128"),
        ("agent-kernel", ports::kernel(), "agent, this kernel by netlink"),
    ] {
        rows.extend(agent(&station, span, (name, &source), case, &beside)?);
    }
    rows.push(Row {
        note: "broker not in it; one agent, no inventory".into(),
        ..memory("takar serve", station.serve_pid(), format!("{} polls stored", 3 * span.polls()))?
    });
    Ok(rows)
}

fn agent(
    station: &Station,
    span: Span,
    (name, source): (&str, &str),
    case: &str,
    beside: &Beside,
) -> anyhow::Result<[Row; 2]> {
    tell(&format!("poll: {case}: {} s", span.seconds()));
    let head = format!("poll_every_ms = {POLL_EVERY_MS}\npolls_per_message = 3\n");
    let enrolled = station.enrol(name, &head, source)?;
    let before = station.samples_stored()?;
    let mut agent = station.run_agent(&enrolled)?;
    wait_for("samples of the agent", Duration::from_secs(20), || {
        agent.check()?;
        Ok((station.samples_stored()? > before).then_some(()))
    })?;
    thread::sleep(SETTLED_AFTER);
    let samples_of_a_poll = (INTERFACES * 4) as f64;
    let taken = span.take(&Cpu::of(agent.pid())?, || Ok(station.samples_stored()? as f64 / samples_of_a_poll))?;
    agent.check()?;
    let poll = Row {
        beside: Some(beside.clone()),
        note: format!("a poll each {POLL_EVERY_MS} ms, 3 polls a message, QoS 1, counters moving"),
        ..taken.row(case)?
    };
    Ok([poll, memory(case, agent.pid(), format!("{:.0} polls", taken.polls()))?])
}

pub fn memory(case: &str, pid: u32, n: String) -> anyhow::Result<Row> {
    let value = pss_kb(pid).with_context(|| format!("memory of {case}"))? as f64;
    let (figure, case) = (Figure::Memory, case.to_owned());
    Ok(Row { figure, case, value, unit: "kB PSS", n, spread: None, beside: None, note: String::new() })
}

/// How long is looked at, in parts, so that it shows how much they differ.
#[derive(Clone, Copy)]
pub struct Span {
    parts: usize,
    part_s: u64,
}

/// Processor time and polls of each part.
pub struct Taken(Vec<(f64, f64)>);

impl Span {
    pub fn seconds(self) -> u64 {
        self.parts as u64 * self.part_s
    }

    /// As many as there should be.
    fn polls(self) -> u64 {
        self.seconds() * 1000 / POLL_EVERY_MS
    }

    /// `polls` tells how many there were since ever.
    pub fn take(self, cpu: &Cpu, mut polls: impl FnMut() -> anyhow::Result<f64>) -> anyhow::Result<Taken> {
        let mut parts = Vec::new();
        let mut before = (cpu.seconds()?, polls()?);
        for _ in 0..self.parts {
            thread::sleep(Duration::from_secs(self.part_s));
            let now = (cpu.seconds()?, polls()?);
            parts.push((now.0 - before.0, now.1 - before.1));
            before = now;
        }
        let taken = Taken(parts);
        let expected = self.polls();
        ensure!(taken.polls() > expected as f64 / 2.0, "{:.0} polls came, of {expected}", taken.polls());
        Ok(taken)
    }
}

impl Taken {
    pub fn polls(&self) -> f64 {
        self.0.iter().map(|(_, polls)| polls).sum()
    }

    pub fn row(&self, case: &str) -> anyhow::Result<Row> {
        let cpu: f64 = self.0.iter().map(|(cpu, _)| cpu).sum();
        ensure!(cpu > 0.0, "{case}: no processor time in {:.0} polls", self.polls());
        let parts = self.0.iter().filter(|(_, polls)| *polls > 0.0).map(|(cpu, polls)| cpu / polls * 1000.0);
        let parts: Vec<f64> = parts.collect();
        Ok(Row {
            figure: Figure::Poll,
            case: case.to_owned(),
            value: cpu / self.polls() * 1000.0,
            unit: "CPU s per 1,000 polls",
            n: format!("{:.0} polls", self.polls()),
            spread: Spread::of(&parts),
            beside: None,
            note: String::new(),
        })
    }
}
