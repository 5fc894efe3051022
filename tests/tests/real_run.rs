//! The whole of Takar on real parts: namespaces and queues of this kernel, snmpd, Mosquitto, iperf3. Needs root; takes
//! about four minutes. `cargo test -p takar-e2e --test real_run -- --nocapture` shows what is measured.

#[path = "real_run/rows.rs"]
mod rows;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, thread,
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use takar_e2e::{
    lab::{
        edge::{Edge, IFB, SnmpVersion, WAN},
        hub::{BROKER_ADDRESS, BROKER_PORT, Hub},
        require_root,
        traffic::{self, Load, Trace},
    },
    process::wait_for,
};
use tempfile::TempDir;

use rows::{inventory_of, is_final, moves, number};

/// Every link's guarantee and ceiling at the start, in bit/s.
const CIR: u64 = 2_000_000;
const MIR: u64 = 10_000_000;
const WITHHOLD: &str = "withhold_confirm = true";

#[test]
fn bandwidth_moves_to_the_links_that_starve_and_survives_every_kill() -> anyhow::Result<()> {
    require_root()?;
    let mut story = Story::begin()?;
    story.shortages_are_found()?;
    let after = story.moved_by_approval()?;
    story.withheld(after)?;
    story.kill_the_agent()?;
    story.kill_the_collector()?;
    story.kill_the_broker()?;
    story.the_record_is_whole()
}

/// Fields are dropped in this order: load, edges, hub, files.
struct Story {
    _load: Vec<Load>,
    edges: Vec<Edge>,
    hub: Hub,
    samples: u64,
    dir: TempDir,
}

impl Story {
    fn begin() -> anyhow::Result<Self> {
        println!("begin: a hub and four edges");
        let dir = tempfile::Builder::new().prefix("takar-").tempdir()?;
        let prefix = format!("tk{}", std::process::id());
        let mut hub = Hub::make(&prefix, dir.path())?;
        hub.configure("readings", "length_s = 3\ncounter_step_ms = 0")?;
        hub.configure("plan", "hold_down_s = 5\nmax_gain_per_mille = 2000")?;
        hub.configure("change", "confirm_within_s = 8\nexpires_in_s = 20")?;
        hub.start_broker()?;
        hub.start_serve()?;
        let mut edges = Vec::new();
        for number in 1..=4 {
            let version = if number <= 2 { SnmpVersion::V2c } else { SnmpVersion::V3 };
            let broker = (BROKER_ADDRESS, BROKER_PORT);
            let mut edge = Edge::make(&hub.namespace, &prefix, number, dir.path(), version, (CIR, MIR), broker)?;
            let (request, bundle) = (edge.request()?.display().to_string(), edge.bundle());
            hub.ask(&["device", "approve", &request, "--out", &bundle.display().to_string()])?;
            edge.take_bundle(&bundle)?;
            edge.start_agent()?;
            edges.push(edge);
        }
        let inventory = dir.path().join("inventory.toml");
        fs::write(&inventory, inventory_of(&edges))?;
        hub.ask(&["import", &inventory.display().to_string()])?;
        let load = vec![
            traffic::upload(&hub.namespace, &edges[0], 5201, dir.path())?,
            traffic::upload(&hub.namespace, &edges[1], 5202, dir.path())?,
        ];
        let story = Self { _load: load, edges, hub, samples: 0, dir };
        story.all_are_polled()?;
        Ok(story)
    }

    /// Every agent is online and its SNMP poll is ok, v2c and v3 alike.
    fn all_are_polled(&self) -> anyhow::Result<()> {
        wait_for("four agents with ok polls", Duration::from_secs(60), || {
            let devices = self.hub.list(&["device", "list"])?;
            let ok = devices.iter().filter(|device| device["online"] == true && device["poll"] == "ok").count();
            Ok((ok == 4).then_some(()))
        })
    }

    fn shortages_are_found(&mut self) -> anyhow::Result<()> {
        println!("load on the way up of e1 and e2, beyond their 10 Mbit/s");
        let found = wait_for("a shortage on e1 and e2", Duration::from_secs(90), || {
            let findings = self.hub.list(&["findings"])?;
            let of = |link: &str| {
                let mut all = findings.iter().filter(|finding| finding["kind"] == "shortage");
                all.find(|finding| finding["link"] == link && finding["direction"] == "up").cloned()
            };
            Ok(of("e1").zip(of("e2")))
        })?;
        for finding in [&found.0, &found.1] {
            println!("  found: {}", finding["sentence"]);
            ensure!(number(finding, "size_bps")? > 0, "a shortage without a size: {finding}");
            let evidence = &finding["evidence"];
            let some = evidence.as_object().is_some_and(|map| !map.is_empty())
                || evidence.as_array().is_some_and(|list| !list.is_empty());
            ensure!(some, "a shortage without evidence: {finding}");
        }
        let idle = self.hub.list(&["findings"])?;
        let wrong = idle.iter().find(|one| one["kind"] == "shortage" && (one["link"] == "e3" || one["link"] == "e4"));
        ensure!(wrong.is_none(), "an idle link is short: {wrong:?}");
        let retained = self.published_within(3)?;
        for link in ["e1", "e2", "e3", "e4"] {
            ensure!(retained.contains(&format!("takar/1/out/link/{link}/up {{")), "{link} is not retained: {retained}");
        }
        Ok(())
    }

    /// Approves what the planner proposes; gives the new ceiling of e1.
    fn moved_by_approval(&mut self) -> anyhow::Result<u64> {
        let proposal = wait_for("a proposal that raises e1 and e2", Duration::from_secs(60), || {
            for proposal in self.waiting()? {
                let moves = moves(&proposal);
                let raised = |link: &str| moves.iter().any(|(name, from, to)| name == link && to > from);
                if raised("e1") && raised("e2") {
                    return Ok(Some(proposal));
                }
                // Made between the one finding and the other.
                self.decline(&proposal, "both links starve")?;
            }
            Ok(None)
        })?;
        let (id, moved) = (number(&proposal, "id")?, moves(&proposal));
        moved.iter().for_each(|(link, from, to)| println!("  proposed: {link} {from} to {to} bit/s"));
        ensure!(moved.iter().any(|(_, from, to)| to < from), "nobody gives: {proposal}");
        let log = self.dir.path().join("events.log");
        let mut watcher = self.hub.watch(120, &log)?;
        thread::sleep(Duration::from_secs(1));
        watcher.check()?;
        self.hub.ask(&["approve", &id.to_string()])?;

        let mut traces = [Trace::default(), Trace::default()];
        let changes = wait_for("all changes confirmed", Duration::from_secs(90), || {
            for (trace, edge) in traces.iter_mut().zip(&self.edges) {
                trace.sample(&self.hub.namespace, &edge.hub_device)?;
            }
            let changes = self.changes_of(id)?;
            if let Some(bad) = changes.iter().find(|one| is_final(one) && one["state"] != "confirmed") {
                bail!("a change was not confirmed: {bad}");
            }
            Ok((!changes.is_empty() && changes.iter().all(is_final)).then_some(changes))
        })?;
        for _ in 0..20 {
            for (trace, edge) in traces.iter_mut().zip(&self.edges) {
                trace.sample(&self.hub.namespace, &edge.hub_device)?;
            }
            thread::sleep(Duration::from_millis(80));
        }
        let raises = |change: &Value| moves(change).iter().any(|(_, from, to)| to > from);
        let (up, down): (Vec<&Value>, Vec<&Value>) = changes.iter().partition(|&change| raises(change));
        let freed = down.iter().map(|change| number(change, "ended_at")).collect::<anyhow::Result<Vec<_>>>()?;
        let taken = up.iter().map(|change| number(change, "dispatched_at")).collect::<anyhow::Result<Vec<_>>>()?;
        let (freed, taken) = (freed.into_iter().max(), taken.into_iter().min());
        ensure!(freed.is_some() && freed <= taken, "an increase went out before a decrease stood: {changes:?}");
        for change in &up {
            for (link, _, to) in moves(change) {
                let at = self.edges.iter().position(|edge| edge.name == link).context("a link that is none")?;
                let settled =
                    traces.get(at).and_then(|trace| trace.settled_after(number(change, "dispatched_at").ok()?, to));
                let settled = settled.with_context(|| format!("{link} never came to {to} bit/s"))?;
                println!("  {link} at {to} bit/s about {settled} ms after its command was sent");
            }
        }
        thread::sleep(Duration::from_secs(2));
        for (link, from, to) in &moved {
            let edge = self.edge(link)?;
            self.agrees(link, *to)?;
            if to > from {
                traffic::expect_rate(&self.hub.namespace, edge, *to)?;
            }
            ensure!(edge.namespace.ceiling(IFB)? == MIR, "{link}: the other direction moved");
        }
        watcher.end();
        ensure!(watcher.log().contains("takar/1/out/event/change {"), "no event of a change: {}", watcher.log());
        println!("{}", self.edge("e1")?.namespace.run(&format!("tc -s class show dev {WAN}"))?);
        let after = moved.iter().find(|(link, ..)| link == "e1").map(|(_, _, to)| *to);
        after.context("e1 did not move")
    }

    fn withheld(&mut self, before_bps: u64) -> anyhow::Result<()> {
        println!("a change that nobody confirms");
        let measured = traffic::expect_rate(&self.hub.namespace, self.edge("e1")?, before_bps)?;
        self.hub.serve = None;
        self.hub.configure("change", WITHHOLD)?;
        self.restart_serve()?;
        let id = self.proposed_by_hand("e1", 6_000_000)?;
        self.hub.ask(&["approve", &id.to_string()])?;
        wait_for("the ceiling to fall", Duration::from_secs(30), || {
            Ok((self.edge("e1")?.namespace.ceiling(WAN)? == 6_000_000).then_some(()))
        })?;
        let ended = self.ended(id, "e1")?;
        ensure!(ended["state"] == "rolled-back", "expected a rollback: {ended}");
        println!("  {}", ended["sentence"]);
        self.agrees("e1", before_bps)?;
        thread::sleep(Duration::from_secs(2));
        let again = traffic::expect_rate(&self.hub.namespace, self.edge("e1")?, before_bps)?;
        let off = (again / measured - 1.0).abs();
        ensure!(off <= 0.02, "{again:.0} bit/s after the rollback, {measured:.0} before");
        self.hub.serve = None;
        self.hub.unconfigure("change", WITHHOLD)?;
        self.restart_serve()
    }

    fn kill_the_agent(&mut self) -> anyhow::Result<()> {
        println!("kill -9 of the agent, within a change");
        let before = self.edge("e1")?.namespace.ceiling(WAN)?;
        let id = self.proposed_by_hand("e1", 7_000_000)?;
        self.hub.ask(&["approve", &id.to_string()])?;
        let at = wait_for("the change to be under way", Duration::from_secs(30), || {
            let state = self.changes_of(id)?.first().map(|change| change["state"].clone());
            Ok(state.filter(|state| state != "waiting"))
        })?;
        self.edge_mut("e1")?.kill_agent()?;
        println!("  killed when it was {at}");
        self.edge_mut("e1")?.start_agent()?;
        self.ends_as_recorded(id, before, 7_000_000)
    }

    fn kill_the_collector(&mut self) -> anyhow::Result<()> {
        println!("kill -9 of the collector, right after an approval");
        let before = self.edge("e1")?.namespace.ceiling(WAN)?;
        let id = self.proposed_by_hand("e1", 8_000_000)?;
        self.hub.ask(&["approve", &id.to_string()])?;
        let mut serve = self.hub.serve.take().context("no collector runs")?;
        serve.kill()?;
        self.restart_serve()?;
        self.ends_as_recorded(id, before, 8_000_000)
    }

    fn kill_the_broker(&mut self) -> anyhow::Result<()> {
        println!("kill -9 of Mosquitto, right after an approval");
        let before = self.edge("e1")?.namespace.ceiling(WAN)?;
        let id = self.proposed_by_hand("e1", 9_000_000)?;
        self.hub.ask(&["approve", &id.to_string()])?;
        let mut broker = self.hub.broker.take().context("no broker runs")?;
        broker.kill()?;
        self.hub.start_broker()?;
        self.ends_as_recorded(id, before, 9_000_000)?;
        self.all_are_polled()
    }

    fn the_record_is_whole(&mut self) -> anyhow::Result<()> {
        println!("the record");
        let verified = self.hub.ask(&["audit", "verify"])?;
        ensure!(verified["ok"] == true && verified["faults"] == Value::Array(Vec::new()), "{verified}");
        println!("  {} records, {} changes, root {}", verified["records"], verified["changes"], verified["root"]);
        let events = self.hub.list(&["audit", "list"])?;
        let changes = self.hub.list(&["changes"])?;
        let of = |change: &Value, event: &str| -> Vec<&Value> {
            let what = events.iter().map(|row| &row["record"]["what"]);
            what.filter(|what| what["event"] == event && what["change"] == change["id"]).collect()
        };
        let mut serials: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        let mut dispatched: BTreeMap<String, usize> = BTreeMap::new();
        for change in changes.iter().filter(|change| change["dispatched_at"].is_u64()) {
            ensure!(is_final(change), "still open: {change}");
            let device = change["device"].as_str().context("a change without a device")?.to_owned();
            *dispatched.entry(device.clone()).or_default() += 1;
            let sent = of(change, "dispatched");
            let [once] = sent.as_slice() else { bail!("{} records of dispatching {change}", sent.len()) };
            serials.entry(device).or_default().insert(number(once, "serial")?);
            let received = of(change, "received");
            let applied = received.iter().filter(|what| what["phase"] == "applied").count();
            ensure!(applied <= 1, "applied {applied} times: {change}");
            let state = change["state"].as_str().unwrap_or_default().replace('-', "");
            let ended = received.iter().filter(|what| what["phase"].as_str().is_some_and(|it| it.contains(&state)));
            ensure!(ended.count() == 1, "no one receipt of its end: {change}, {received:?}");
            let signed = of(change, "confirm-signed").len();
            ensure!(change["state"] != "confirmed" || signed == 1, "confirmed without a signature: {change}");
        }
        ensure!(!dispatched.is_empty(), "no change was ever sent");
        for (device, changes) in &dispatched {
            let distinct = serials.get(device).map_or(0, BTreeSet::len);
            println!("  {device}: {changes} changes, {distinct} serials");
            ensure!(distinct == *changes, "{device}: {changes} changes but {distinct} serials");
        }
        self.samples_grew()
    }

    /// Whatever was killed, the change ends one way or the other and the queue is as the record says.
    fn ends_as_recorded(&mut self, id: u64, before: u64, asked: u64) -> anyhow::Result<()> {
        let ended = self.ended(id, "e1")?;
        println!("  {}", ended["sentence"]);
        match ended["state"].as_str() {
            Some("confirmed") => self.agrees("e1", asked)?,
            Some("rolled-back") => self.agrees("e1", before)?,
            _ => bail!("expected confirmed or rolled-back: {ended}"),
        }
        self.samples_grew()
    }

    /// The one change of proposal `id` once it has ended.
    fn ended(&self, id: u64, link: &str) -> anyhow::Result<Value> {
        wait_for(&format!("the change of {link} to end"), Duration::from_secs(120), || {
            Ok(self.changes_of(id)?.into_iter().find(is_final))
        })
    }

    /// tc, the record and what was read back all say `bps`.
    fn agrees(&self, link: &str, bps: u64) -> anyhow::Result<()> {
        let ceiling = self.edge(link)?.namespace.ceiling(WAN)?;
        ensure!(ceiling == bps, "{link}: tc says {ceiling} bit/s, expected {bps}");
        wait_for(&format!("{link} up on record with {bps} bit/s"), Duration::from_secs(30), || {
            let links = self.hub.list(&["links"])?;
            let found = links.into_iter().find(|row| row["link"] == link && row["direction"] == "up");
            Ok(found.filter(|row| row["recorded_bps"] == bps && row["observed_bps"] == bps))
        })
        .map(drop)
    }

    /// Proposes by hand, again while agents are coming back or a proposal of the planner is in the way.
    fn proposed_by_hand(&self, link: &str, bps: u64) -> anyhow::Result<u64> {
        let asked = format!("{link}:up:{bps}");
        let mut refusal = String::new();
        let made = wait_for("a proposal by hand", Duration::from_secs(90), || {
            for proposal in self.waiting()? {
                self.decline(&proposal, "somebody proposes by hand")?;
            }
            if let Err(error) = self.hub.ask(&["propose", "--move", &asked, "--reason", "a drill"]) {
                refusal = format!("{error:#}");
                return Ok(None);
            }
            let wanted = |proposal: &Value| moves(proposal).iter().any(|(name, _, to)| name == link && *to == bps);
            self.waiting()?.iter().find(|proposal| wanted(proposal)).map(|one| number(one, "id")).transpose()
        });
        made.with_context(|| format!("{asked}: {refusal}"))
    }

    fn waiting(&self) -> anyhow::Result<Vec<Value>> {
        let proposals = self.hub.list(&["proposals"])?;
        Ok(proposals.into_iter().filter(|proposal| proposal["state"] == "proposed").collect())
    }

    fn decline(&self, proposal: &Value, reason: &str) -> anyhow::Result<()> {
        let id = number(proposal, "id")?.to_string();
        // It may have been superseded meanwhile; what counts is that it no longer waits.
        let declined = self.hub.ask(&["decline", &id, "--reason", reason]);
        let waits = self.waiting()?.iter().any(|other| other["id"] == proposal["id"]);
        if waits { declined.map(drop) } else { Ok(()) }
    }

    fn changes_of(&self, proposal: u64) -> anyhow::Result<Vec<Value>> {
        let changes = self.hub.list(&["changes"])?;
        Ok(changes.into_iter().filter(|change| change["proposal"] == proposal).collect())
    }

    fn restart_serve(&mut self) -> anyhow::Result<()> {
        self.hub.start_serve()?;
        self.samples_grew()
    }

    /// What was stored stays stored.
    fn samples_grew(&mut self) -> anyhow::Result<()> {
        let samples = number(&self.hub.ask(&["status"])?, "samples_stored")?;
        ensure!(samples >= self.samples, "{samples} samples stored, {} before", self.samples);
        self.samples = samples;
        println!("  {samples} samples stored");
        Ok(())
    }

    fn published_within(&self, seconds: u32) -> anyhow::Result<String> {
        let log = self.dir.path().join("retained.log");
        let watcher = self.hub.watch(seconds, &log)?;
        thread::sleep(Duration::from_secs(u64::from(seconds) + 1));
        Ok(watcher.log())
    }

    fn edge(&self, name: &str) -> anyhow::Result<&Edge> {
        self.edges.iter().find(|edge| edge.name == name).with_context(|| format!("no edge {name}"))
    }

    fn edge_mut(&mut self, name: &str) -> anyhow::Result<&mut Edge> {
        self.edges.iter_mut().find(|edge| edge.name == name).with_context(|| format!("no edge {name}"))
    }
}
