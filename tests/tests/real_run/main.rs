//! The real run: a hub and four edges in network namespaces; Debian's snmpd, this kernel's queues,
//! Mosquitto with TLS and iperf3. A shortage is found, approved, carried out, measured on the wire, reported and received;
//! a change that nobody confirms comes back; agent, broker and collector are killed at the worst
//! moment. Needs root, so it runs only when it is asked for by name (`tests/run` does, as root).
// A test that cannot go on has failed; the programs run in real time.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod office;

use std::{thread, time::Duration};

use office::{Office, sum_in_force_stays_below};
use serde_json::Value;
use takar_e2e::netlab::{Flow, lacking};
use takar_shared::Direction::{self, Down, Up};

/// What the uplink has in each direction, and what each of its four links begins with.
const CAPACITY: u64 = 24_000_000;
const SHARE: u64 = 6_000_000;

#[test]
fn the_loop_closes_on_real_queues() {
    let missing = lacking(&["ip", "tc", "ethtool", "snmpd", "mosquitto", "mosquitto_sub", "iperf3"]);
    assert!(missing.is_empty(), "not installed: {missing:?}");
    let folder = tempfile::tempdir().unwrap();
    let mut office = Office::open(folder.path(), CAPACITY, SHARE).unwrap();

    // Two sites want more than they may; two lie idle.
    let _flows = [
        Flow::start(&office.hub, &office.edges[0], Up, 5301, folder.path()).unwrap(),
        Flow::start(&office.hub, &office.edges[1], Down, 5302, folder.path()).unwrap(),
    ];
    for (link, direction) in [("edge-1", Up), ("edge-2", Down)] {
        a_shortage_becomes_a_confirmed_change(&mut office, link, direction);
        its_case_is_reported_and_received(&mut office, link, direction);
    }
    donors_have_what_they_were_left(&office);
    a_decrease_is_exact(&office);
    an_agent_dies_between_applying_and_telling(&mut office);
    a_collector_dies_and_nobody_confirms(&mut office);
    a_broker_dies_under_a_change(&mut office);

    everybody_may_watch(&office);
    sum_in_force_stays_below(&office, CAPACITY);
    office.nothing_was_lost_or_done_twice();
    office.story.end();
}

fn a_shortage_becomes_a_confirmed_change(office: &mut Office, link: &str, direction: Direction) {
    let finding = office.wait_row("a finding", &["findings"], |row| {
        row["kind"] == "shortage" && row["link"] == link && row["direction"] == direction.to_string()
    });
    assert!(finding["size_bps"].as_u64() > Some(0) && !finding["evidence"].is_null(), "{finding:#}");
    office.story.tell(format!("finding: {}", finding["sentence"].as_str().unwrap()));
    let proposal = office.wait_row("a proposal", &["proposals"], |row| {
        row["state"] == "proposed" && row["direction"] == direction.to_string()
    });
    assert!(proposal["sum_after_bps"].as_u64() <= Some(CAPACITY), "{proposal:#}");
    for one in proposal["moves"].as_array().unwrap() {
        let word = |key: &str| one[key].to_string();
        office.story.tell(format!("  {} {} → {}: {}", word("link"), word("from_bps"), word("to_bps"), word("why")));
    }
    let known = office.edge(link).ceilings_set(direction).unwrap().len();
    let changes = office.approve(&proposal);
    let gains = |change: &Value| change["moves"].as_array().unwrap().iter().any(|one| one["link"] == link);
    let gain = changes.iter().find(|change| gains(change)).unwrap();
    let rate = gain["moves"][0]["to_bps"].as_u64().unwrap();
    assert!(rate > SHARE, "{gain:#}");
    office.edge(link).wait_set(direction, known).unwrap();
    office.measure(link, direction, rate, "after an increase was applied");
    let ended = office.wait_all(&changes, &["confirmed"]);
    let increase_sent = ended.iter().find(|change| gains(change)).unwrap()["dispatched_at"].as_u64();
    for decrease in ended.iter().filter(|change| !gains(change)) {
        assert!(decrease["ended_at"].as_u64() <= increase_sent, "released before it was paid for: {ended:#?}");
    }
    office.story.tell(format!("{} changes confirmed, every decrease before the increase was sent", ended.len()));
}

/// The shortage had become a case; its report is written without anybody's doing, and the head receives it.
fn its_case_is_reported_and_received(office: &mut Office, link: &str, direction: Direction) {
    let row = office
        .wait_row("a report", &["cases"], |row| row["state"] == "receive" && row["direction"] == direction.to_string());
    assert!(row["links"].as_array().unwrap().iter().any(|one| one == link), "{row:#}");
    let case = office.hub.takar(&["case", &row["id"].to_string(), "receive", "--remark", "baik"]).unwrap();
    assert_eq!(case["state"], "archived", "{case:#}");
    let steps = case["steps"].as_array().unwrap();
    let names: Vec<&str> = steps.iter().filter_map(|step| step["step"].as_str()).collect();
    assert_eq!(names, ["check", "identify", "coordinate", "allocate", "report", "receive"]);
    let papers = case["papers"].as_array().unwrap().iter().flat_map(|paper| paper["files"].as_array().unwrap());
    let paths: Vec<&str> = papers.filter_map(|file| file["path"].as_str()).collect();
    for ending in [".id.pdf", ".en.pdf", ".id.xlsx", ".json"] {
        assert!(paths.iter().any(|path| path.ends_with(ending)), "{ending} is not among {paths:?}");
    }
    let at = |value: &Value| value.as_u64().unwrap();
    let took_s = at(&steps[5]["ended_at"]).saturating_sub(at(&case["opened_at"])) as f64 / 1000.0;
    let minutes: u64 = steps.iter().map(|step| at(&step["standard_minutes"])).sum();
    office.story.tell(format!(
        "case {}: {} is written and received {took_s:.1} s after the case was opened; the procedure has {minutes} minutes",
        case["id"],
        case["report"].as_str().unwrap()
    ));
}

/// Nobody used the links that gave, so what they were left is measured under load of its own.
fn donors_have_what_they_were_left(office: &Office) {
    let edge = office.edge("edge-3");
    for (direction, port) in [(Up, 5303), (Down, 5304)] {
        let flow = Flow::start(&office.hub, edge, direction, port, office.place()).unwrap();
        office.measure("edge-3", direction, office.recorded("edge-3", direction), "a donor under load");
        drop(flow);
    }
}

fn a_decrease_is_exact(office: &Office) {
    let known = office.edge("edge-1").ceilings_set(Up).unwrap().len();
    let changes = office.change_by_hand("edge-1", Up, 4_000_000);
    office.edge("edge-1").wait_set(Up, known).unwrap();
    office.measure("edge-1", Up, 4_000_000, "after a decrease was applied");
    office.wait_all(&changes, &["confirmed"]);
}

/// SIGKILL the moment the kernel has the new rate: applied, and not yet journalled as applied.
fn an_agent_dies_between_applying_and_telling(office: &mut Office) {
    let before = office.recorded("edge-2", Down);
    let known = office.edge("edge-2").ceilings_set(Down).unwrap().len();
    let changes = office.change_by_hand("edge-2", Down, 5_000_000);
    office.edge("edge-2").wait_set(Down, known).unwrap();
    let edge = office.edges.iter_mut().find(|edge| edge.name == "edge-2").unwrap();
    edge.kill_agent().unwrap();
    edge.start_agent().unwrap();
    let ended = office.wait_all(&changes, &["rolled-back"]);
    office.story.tell(format!("agent killed as its change was in force: {}", ended[0]["sentence"]));
    office.measure("edge-2", Down, before, "after the agent was killed and restarted");
    let set = office.edge("edge-2").ceilings_set(Down).unwrap();
    let since: Vec<u64> = set.into_iter().skip(known).collect();
    assert_eq!(since.iter().filter(|rate| **rate == 5_000_000).count(), 1, "applied twice: {since:?}");
}

/// SIGKILL the moment the kernel has the new rate, so nobody confirms it; and what was stored stays.
fn a_collector_dies_and_nobody_confirms(office: &mut Office) {
    let known = office.edge("edge-1").ceilings_set(Up).unwrap().len();
    let stored = office.hub.takar(&["status"]).unwrap()["samples_stored"].as_u64().unwrap();
    let changes = office.change_by_hand("edge-1", Up, 6_000_000);
    office.edge("edge-1").wait_set(Up, known).unwrap();
    office.hub.kill_serve().unwrap();
    office.measure("edge-1", Up, 6_000_000, "a change that nobody will confirm");
    let set = office.edge("edge-1").wait_set(Up, known + 1).unwrap();
    assert_eq!(set, 4_000_000, "the device takes it back by itself");
    office.measure("edge-1", Up, 4_000_000, "after nobody confirmed, no collector being there");
    office.hub.start_serve().unwrap();
    let ended = office.wait_all(&changes, &["rolled-back"]);
    office.story.tell(format!("collector killed: {}", ended[0]["sentence"]));
    assert!(office.hub.takar(&["status"]).unwrap()["samples_stored"].as_u64() >= Some(stored));
    assert_eq!(office.edge("edge-1").ceilings_set(Up).unwrap().len(), known + 2, "set once, taken back once");
}

/// SIGKILL the moment the kernel has the new rate: the receipt may be lost with the broker.
fn a_broker_dies_under_a_change(office: &mut Office) {
    office.wait_measured();
    let known = office.edge("edge-1").ceilings_set(Up).unwrap().len();
    let changes = office.change_by_hand("edge-1", Up, 5_000_000);
    office.edge("edge-1").wait_set(Up, known).unwrap();
    office.hub.kill_broker().unwrap();
    thread::sleep(Duration::from_secs(2));
    office.hub.start_broker().unwrap();
    office.watch_again();
    let ended = office.wait_all(&changes, &["confirmed", "rolled-back"]);
    let expected = if ended[0]["state"] == "confirmed" { 5_000_000 } else { 4_000_000 };
    office.story.tell(format!("broker killed: {}", ended[0]["sentence"]));
    office.measure("edge-1", Up, expected, "after the broker was killed and restarted");
    assert_eq!(office.recorded("edge-1", Up), expected);
}

/// An ordinary client reads every link's state, and events; and nothing that is not meant for it.
fn everybody_may_watch(office: &Office) {
    let heard = office.heard();
    assert!(heard.iter().all(|message| message.topic.starts_with("takar/1/out/")), "the access list does not hold");
    for edge in &office.edges {
        for direction in Direction::BOTH {
            let topic = format!("takar/1/out/link/{}/{direction}", edge.name);
            let newest = heard.iter().rev().find(|message| message.topic == topic);
            let newest = newest.unwrap_or_else(|| panic!("nothing on {topic}"));
            assert_eq!(newest.body["recorded_bps"], office.recorded(&edge.name, direction), "{}", newest.body);
            assert!(heard.iter().any(|message| message.topic == topic && message.retained), "{topic} is not retained");
        }
    }
    let mut states: Vec<&str> = heard
        .iter()
        .filter(|message| message.topic == "takar/1/out/event/change")
        .filter_map(|message| message.body["change"]["state"].as_str())
        .collect();
    states.sort_unstable();
    states.dedup();
    for state in ["applied", "confirmed", "dispatched", "rolled-back"] {
        assert!(states.contains(&state), "no event says {state}: {states:?}");
    }
    office.story.tell(format!("an ordinary client heard {} messages; events of changes: {states:?}", heard.len()));
}
