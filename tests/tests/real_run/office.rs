//! What the story is played with: hub, four edges, and what may be asked of them.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use takar_e2e::{
    netlab::{Edge, Hub, Monitor, Settings, Version, measure},
    process::wait_for,
};
use takar_shared::Direction;

/// Longer than agents take at most to tell a collector that came back where their devices stand.
const PATIENCE: Duration = Duration::from_secs(90);
const RULES: &str = "[readings]\nlength_s = 2\ncounter_step_ms = 0\nkeep = 60\n\
    [change]\nconfirm_within_s = 15\nexpires_in_s = 30\n";

pub struct Office {
    pub hub: Hub,
    pub edges: Vec<Edge>,
    pub story: Story,
    monitors: Vec<Monitor>,
    place: PathBuf,
}

impl Office {
    /// Everything made, enrolled, running and measured.
    pub fn open(place: &Path, capacity_bps: u64, share_bps: u64) -> anyhow::Result<Self> {
        let story = Story::begin();
        let mut hub = Hub::make(place, RULES)?;
        hub.start_broker()?;
        hub.start_serve()?;
        let mut edges = Vec::new();
        for number in 1..=4 {
            let snmp = if number % 2 == 1 { Version::V2c } else { Version::V3 };
            let settings = Settings {
                cir_bps: 1_000_000,
                mir_bps: share_bps,
                floor_bps: 1_000_000,
                ceiling_bps: capacity_bps,
                snmp,
                poll_every_ms: 500,
                changes_per_hour: 60,
            };
            let mut edge = Edge::make(&format!("edge-{number}"), number, settings, &hub, place)?;
            edge.enrol(&hub)?;
            edge.start_agent()?;
            edges.push(edge);
        }
        hub.import(&hub.register(&edges, capacity_bps))?;
        let monitors = vec![hub.monitor()?];
        let office = Self { hub, edges, story, monitors, place: place.into() };
        office.wait_measured();
        office.story.tell("four edges measured, by SNMP v2c and v3, every poll ok".into());
        Ok(office)
    }

    /// Also after a collector came back: until it has heard a device's ceilings it takes the worst for granted.
    pub fn wait_measured(&self) {
        self.wait_for("every link measured", || {
            let links = self.hub.list(&["links"])?;
            let good = |row: &Value| row["poll"] == "ok" && row["used_bps"].is_u64() && row["observed_bps"].is_u64();
            Ok((links.len() == 2 * self.edges.len() && links.iter().all(good)).then_some(()))
        });
    }

    pub fn place(&self) -> &Path {
        &self.place
    }

    pub fn edge(&self, name: &str) -> &Edge {
        self.edges.iter().find(|edge| edge.name == name).unwrap()
    }

    /// The ceiling on record.
    pub fn recorded(&self, link: &str, direction: Direction) -> u64 {
        let links = self.hub.list(&["links"]).unwrap();
        let row = links.iter().find(|row| row["link"] == link && row["direction"] == direction.to_string());
        row.unwrap()["recorded_bps"].as_u64().unwrap()
    }

    /// `takar approve`; gives the proposal's changes.
    pub fn approve(&self, proposal: &Value) -> Vec<Value> {
        let id = proposal["id"].to_string();
        self.hub.takar(&["approve", &id]).unwrap();
        let of_it = |change: &Value| change["proposal"] == proposal["id"];
        self.hub.list(&["changes"]).unwrap().into_iter().filter(of_it).collect()
    }

    pub fn change_by_hand(&self, link: &str, direction: Direction, to_bps: u64) -> Vec<Value> {
        let one = format!("{link}:{direction}:{to_bps}");
        let plan = self.hub.takar(&["propose", "--move", &one, "--reason", "the real run"]).unwrap();
        let changes = self.approve(&plan["proposals"][0]);
        assert_eq!(changes.len(), 1, "{changes:#?}");
        changes
    }

    pub fn wait_state(&self, change: &Value, states: &[&str]) -> Value {
        self.wait_row(&format!("a change to be {states:?}"), &["changes"], |row| {
            row["id"] == change["id"] && states.iter().any(|state| row["state"] == *state)
        })
    }

    pub fn wait_all(&self, changes: &[Value], states: &[&str]) -> Vec<Value> {
        changes.iter().map(|change| self.wait_state(change, states)).collect()
    }

    pub fn wait_row(&self, what: &str, ask: &[&str], is_it: impl Fn(&Value) -> bool) -> Value {
        self.wait_for(what, || Ok(self.hub.list(ask)?.into_iter().find(|row| is_it(row))))
    }

    fn wait_for<T>(&self, what: &str, done: impl FnMut() -> anyhow::Result<Option<T>>) -> T {
        wait_for(what, PATIENCE, done).unwrap_or_else(|error| {
            let ask =
                |words: &[&str]| self.hub.takar(words).map_or_else(|error| error.to_string(), |it| format!("{it:#}"));
            let logs: Vec<_> =
                self.edges.iter().map(|edge| format!("{}:\n{}", edge.name, tail(&edge.agent_log()))).collect();
            panic!(
                "{error}\nlinks {}\nproposals {}\nchanges {}\nserve:\n{}\n{}",
                ask(&["links"]),
                ask(&["proposals"]),
                ask(&["changes"]),
                tail(&self.hub.serve_log()),
                logs.join("\n")
            )
        })
    }

    pub fn measure(&self, link: &str, direction: Direction, rate_bps: u64, when: &str) {
        let measured = measure(&self.hub, self.edge(link), direction, rate_bps)
            .unwrap_or_else(|error| panic!("{when}: {error:#}"));
        let off = (measured.mean_bps as f64 / rate_bps as f64 - 1.0) * 100.0;
        self.story.tell(format!(
            "measured {link} {direction}, {when}: {} bit/s of the wire over 5 s, {off:+.2} % of {rate_bps}; these began {} ms after",
            measured.mean_bps,
            measured.settled_after.as_millis()
        ));
    }

    /// After the broker died its clients are gone with it.
    pub fn watch_again(&mut self) {
        self.monitors.push(self.hub.monitor().unwrap());
    }

    pub fn heard(&self) -> Vec<takar_e2e::netlab::Heard> {
        self.monitors.iter().flat_map(Monitor::heard).collect()
    }

    /// Looks into the collector's database, once the collector has ended.
    pub fn nothing_was_lost_or_done_twice(&mut self) {
        let verified = self.hub.takar(&["audit", "verify"]).unwrap();
        assert_eq!(verified["ok"], true, "{verified:#}");
        self.story
            .tell(format!("audit log: {} records, {} changes, verified", verified["records"], verified["changes"]));
        self.hub.end_serve();
        let database = Connection::open_with_flags(self.hub.database(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let count = |sql: &str| database.query_row(sql, (), |row| row.get::<_, i64>(0)).unwrap();
        // The run of an agent that was killed has an open end: nobody knows how many polls it had not sent yet. Every
        // other row would be of messages that were made and never came.
        let open_ends = count("SELECT count(*) FROM losses WHERE to_seq = 0 AND samples IS NULL");
        assert_eq!(count("SELECT count(*) FROM losses"), open_ends, "messages were lost");
        assert_eq!(open_ends, 1, "one agent was killed once");
        let samples = count("SELECT count(*) FROM samples");
        assert_eq!(count("SELECT count(*) FROM (SELECT DISTINCT meter, at FROM samples)"), samples, "stored twice");
        assert_eq!(count("SELECT count(*) FROM outbox WHERE NOT done"), 0, "commands without an end");
        let (serials, changes) = (count("SELECT count(*) FROM outbox"), count("SELECT count(*) FROM changes"));
        assert_eq!(serials, changes, "each change was sent under one serial");
        self.story.tell(format!("{samples} rows of samples, none lost, none twice; {changes} changes, a serial each"));
    }
}

/// What the kernels say they were told, put in order by time: its sum never exceeds the capacity, at no moment. No
/// Takar code wrote these logs.
pub fn sum_in_force_stays_below(office: &Office, capacity_bps: u64) {
    for direction in Direction::BOTH {
        let mut set: Vec<(String, usize, u64)> = Vec::new();
        for (at, edge) in office.edges.iter().enumerate() {
            let of_edge = edge.ceilings_by_time(direction).unwrap();
            set.extend(of_edge.into_iter().map(|(time, rate)| (time, at, rate)));
        }
        set.sort();
        let mut in_force: Vec<u64> = office.edges.iter().map(|edge| edge.settings.mir_bps).collect();
        let mut largest: u64 = in_force.iter().sum();
        for (time, at, rate) in &set {
            in_force[*at] = *rate;
            let sum = in_force.iter().sum();
            assert!(sum <= capacity_bps, "{direction}, {time}: {sum} bit/s in force, the uplink has {capacity_bps}");
            largest = largest.max(sum);
        }
        office.story.tell(format!(
            "{direction}: the kernels were told {} ceilings, at most {largest} bit/s at once; the uplink has {capacity_bps}",
            set.len()
        ));
    }
}

/// What happens, with seconds since the beginning.
pub struct Story(Instant);

impl Story {
    pub fn begin() -> Self {
        Self(Instant::now())
    }

    pub fn tell(&self, what: String) {
        println!("{:6.1} s  {what}", self.0.elapsed().as_secs_f64());
    }

    pub fn end(&self) {
        self.tell("the real run is through".into());
    }
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}
