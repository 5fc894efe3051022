//! One story each.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use takar_e2e::{
    client::in_seconds,
    netlab::{Flow, measure},
    people::Browser,
    post::link_in,
};
use takar_shared::Direction::{Down, Up};

use crate::{
    office::{CAPACITY, Office, SHARE, SITE},
    steps,
};

const DAY_S: u64 = 86_400;
const ALL_SIX: [&str; 6] = ["check", "identify", "coordinate", "allocate", "report", "receive"];

/// Found in what was measured, verified, proposed from a link that was idle for weeks, approved by policy, carried out
/// on real queues, reported; the head receives. Nobody does anything until then.
pub fn a_school_starves_on_monday_morning(office: &Office) {
    let id = office.wait("a case", || {
        let cases = office.takar(&["cases"]);
        cases.as_array().unwrap().iter().find(|case| case["links"][0] == "sdn-1").and_then(|case| case["id"].as_u64())
    });
    let case = office.wait_case(id, "receive");
    assert_eq!((steps(&case), &case["kind"]), (ALL_SIX.into(), &"reallocation".into()), "{case:#}");
    let frozen = |kind: &str| {
        let all = case["evidence"].as_array().unwrap();
        all.iter().rev().find(|one| one["kind"] == kind).unwrap_or_else(|| panic!("no {kind} in {all:#?}"))["what"]
            .clone()
    };
    assert_eq!(frozen("verification")["verdict"], "confirmed");
    assert_eq!(frozen("options")[0]["way"], "within-contract");
    let proposal = case["proposals"].as_array().unwrap().last().unwrap();
    assert_eq!(proposal["decided_by"], "policy");
    let mut moved: Vec<&str> =
        proposal["moves"].as_array().unwrap().iter().map(|one| one["link"].as_str().unwrap()).collect();
    moved.sort_unstable();
    assert_eq!(moved, ["kelurahan", "sdn-1"], "from who was idle, and from nobody else");
    let (gained, left) = (office.in_force("sdn-1", Down), office.in_force("kelurahan", Down));
    assert!(gained > SHARE && left < SHARE && gained + left + SHARE <= CAPACITY, "{gained} {left}");
    let changes = frozen("allocation")["changes"].as_array().unwrap().clone();
    assert!(changes.iter().all(|change| change["state"] == "confirmed"), "{changes:#?}");

    // The queue really gives what the report says.
    let flow = Flow::start(&office.hub, office.edge("sdn-1"), Down, 5301, &office.hub.archive()).unwrap();
    let measured = measure(&office.hub, office.edge("sdn-1"), Down, gained).unwrap();
    drop(flow);
    let papers = files(&case);
    for ending in [".id.pdf", ".en.pdf", ".id.html", ".id.xlsx", ".json"] {
        assert!(papers.iter().any(|path| path.ends_with(ending)), "{ending} is not among {papers:?}");
    }
    office.post.wait("budi@office.example", |mail| mail.contains(case["report"].as_str().unwrap()));
    office.head().receives(id);
    let case = office.case(id);
    assert_eq!(case["state"], "archived");
    let at = |value: &Value| value.as_u64().unwrap();
    let steps = case["steps"].as_array().unwrap();
    let worked: Vec<String> = steps
        .iter()
        .map(|step| format!("{} {:.1} s", step["step"].as_str().unwrap(), at(&step["worked_ms"]) as f64 / 1000.0))
        .collect();
    let minutes: u64 = steps.iter().map(|step| at(&step["standard_minutes"])).sum();
    println!(
        "a school starved: {} → {gained} bit/s, measured {} bit/s on the wire; {} is written and received {:.1} s after \
         the case was opened, where the procedure has {minutes} minutes ({})",
        SHARE,
        measured.mean_bps,
        case["report"].as_str().unwrap(),
        (at(&steps[5]["ended_at"]) - at(&case["opened_at"])) as f64 / 1000.0,
        worked.join(", ")
    );
}

/// A letter by e-mail, answered once over its link, measured, planned, approved by the head, allocated, received.
pub fn a_provider_is_needed(office: &Office) {
    let id = office.opened("sdn-1:up", "kelas daring");
    office.act(id, &["confirm", "--reason", "surat kepala sekolah"]);
    office.act(id, &["ask-provider", "--wanted", "30M"]);
    let letter = office.post.wait("noc@isp.example", |mail| mail.contains("/provider/"));
    let (path, provider) = (link_in(&letter, SITE), Browser::new(SITE));
    assert_eq!(provider.get(&path).0, 200);
    assert!(office.case(id)["case"]["provider"]["answer"].is_null(), "looking decides nothing");
    let answer = [("answer", "agree"), ("name", "Tono Wijaya"), ("ticket", "T-77"), ("promised", "2030-01-02")];
    assert_eq!(provider.post(&path, &answer).0, 200);
    assert_eq!(provider.post(&path, &answer).0, 409, "once");
    office.act(id, &["accept", "--measured", "29.6M"]);
    let plan = office.takar(&["propose", "--move", "sdn-1:up:12M", "--reason", "kapasitas baru"]);
    assert_eq!(plan["proposals"][0]["budget_bps"], 30_000_000);
    let head = office.head();
    head.decides(id, "approve", &[("proposal", &plan["proposals"][0]["id"].to_string())]);
    let case = office.wait_case(id, "receive");
    assert_eq!((steps(&case), &case["kind"]), (ALL_SIX.into(), &"addition".into()));
    assert_eq!(office.in_force("sdn-1", Up), 12_000_000);
    assert!(files(&case).iter().any(|path| path.contains("letter") && path.ends_with(".id.pdf")), "{:?}", files(&case));
    head.receives(id);
    println!("a provider was needed: asked by mail, agreed over its link, 24 → 30 Mbit/s, {}", case["report"]);
}

pub fn one_is_dismissed_and_one_declined(office: &Office) {
    let no = office.opened("kelurahan:up", "terasa lambat");
    let case = office.act(no, &["dismiss", "--reason", "kabel di kantor longgar"]);
    assert_eq!((case["state"].as_str(), steps(&case)), (Some("dismissed"), vec!["check", "identify"]));

    let (id, proposal) = proposed(office, "kelurahan:up:6M", "rapat koordinasi");
    let head = office.head();
    head.decides(id, "decline", &[("proposal", &proposal), ("reason", "minggu ujian")]);
    office.act(id, &["conclude", "--reason", "sesudah ujian"]);
    let case = office.wait_case(id, "receive");
    assert_eq!((steps(&case), &case["steps"][3]["result"]), (ALL_SIX.into(), &"not-needed".into()));
    assert_eq!(office.in_force("kelurahan", Up), SHARE, "nothing was moved");
    head.receives(id);
    println!("one was dismissed; one was declined and ended with {}", case["report"]);
}

/// The collector dies the moment the kernel has the new rate, so nobody confirms it: the device takes it back, and the
/// case is in step 3 again.
pub fn a_rollback_reopens_the_case(office: &mut Office) {
    let before = office.in_force("puskesmas", Up);
    let known = office.edge("puskesmas").ceilings_set(Up).unwrap().len();
    let (id, proposal) = proposed(office, "puskesmas:up:5M", "uji");
    office.head().decides(id, "approve", &[("proposal", &proposal)]);
    assert_eq!(office.edge("puskesmas").wait_set(Up, known).unwrap(), 5_000_000);
    office.hub.kill_serve().unwrap();
    assert_eq!(office.edge("puskesmas").wait_set(Up, known + 1).unwrap(), before, "by the device itself");
    office.hub.start_serve().unwrap();
    let case = office.wait_case(id, "coordinate");
    assert_eq!(steps(&case), ["check", "identify", "coordinate", "allocate", "coordinate"]);
    assert_eq!((&case["steps"][3]["result"], &case["round"]), (&"rolled-back".into(), &2.into()));
    office.act(id, &["conclude", "--reason", "diulang bulan depan"]);
    let case = office.wait_case(id, "receive");
    office.head().receives(id);
    println!("a rollback reopened its case, which ended with {}", case["report"]);
}

/// From Saturday to Monday, by the collector's clock, which is turned to either: the loan begins, and ends by itself.
pub fn a_weekend_is_lent(office: &Office) {
    let now = seconds_now();
    // 1 January 1970 was a Thursday.
    let saturday = (now / DAY_S + 1..).find(|day| day % 7 == 2).unwrap() * DAY_S;
    let monday = saturday + 2 * DAY_S;
    let (from, until) = (in_seconds(saturday - now).unwrap(), in_seconds(monday - now).unwrap());
    let asked = ["bod", "--to", "puskesmas:up:10M", "--from", &from, "--until", &until, "--letter", "S-12/2026"];
    let case = office.takar(&[&asked[..], &["--reason", "pekan imunisasi"]].concat());
    let id = case["id"].as_u64().unwrap();
    let before = office.in_force("puskesmas", Up);
    let known = office.edge("puskesmas").ceilings_set(Up).unwrap().len();
    office.head().decides(id, "grant", &[]);
    assert_eq!((office.case(id)["state"].as_str(), office.in_force("puskesmas", Up)), (Some("scheduled"), before));
    office.turn_clock(saturday - seconds_now() + 5);
    office.wait_case(id, "on-loan");
    assert_eq!(office.in_force("puskesmas", Up), 10_000_000);
    office.turn_clock(monday - seconds_now() + 5);
    let case = office.wait_case(id, "receive");
    assert_eq!((steps(&case), &case["case"]["outcome"]["is"]), (ALL_SIX.into(), &"returned".into()));
    let set = office.edge("puskesmas").ceilings_set(Up).unwrap().split_off(known);
    assert_eq!(set, [10_000_000, before], "lent once, taken back once");
    office.head().receives(id);
    println!("a weekend was lent: {before} → 10000000 → {before} bit/s, {}", case["report"]);
}

/// Opened before the weekend and forgotten over it.
pub fn a_step_is_overdue(office: &Office, id: u64) {
    let status = office.wait("the overdue step to be told", || {
        let status = office.takar(&["status"]);
        let said = status["notices"].to_string().contains(&format!("case {id} is overdue in step 2 (identify)"));
        said.then_some(status)
    });
    assert_eq!((&status["cases_open"], &status["cases_overdue"]), (&1.into(), &1.into()), "{status:#}");
    assert_eq!(office.takar(&["cases"])[0]["overdue"], true);
    let page = office.head().browser.get("/cases").1;
    assert!(page.contains("1 kasus sudah lewat waktu baku"), "{page}");
    office.post.wait("budi@office.example", |mail| mail.contains("melewati waktu standarnya"));
    let case = office.act(id, &["dismiss", "--reason", "sudah normal"]);
    assert_eq!((&case["steps"][1]["overdue"], &case["overdue"]), (&true.into(), &false.into()));
    println!("a step was overdue, and told on the command line, the page and by mail");
}

/// Months and years are summed up on request, as papers of their own.
pub fn the_month_and_the_year_are_summed_up(office: &Office) {
    let today = in_seconds(0).unwrap();
    let (year, month) = (&today[..4], &today[5..7]);
    for words in [&["summary", "--year", year, "--month", month][..], &["summary", "--year", year]] {
        let number = office.takar(words)["number"].clone();
        let paper = office.wait("the summary", || {
            let papers = office.takar(&["papers"]);
            papers.as_array().unwrap().iter().find(|paper| paper["number"] == number).cloned()
        });
        assert_eq!(paper["kind"], "summary");
        let paths = paper["files"].to_string();
        assert!(paths.contains(".id.pdf") && paths.contains(".en.pdf") && paths.contains(".id.xlsx"), "{paths}");
    }
}

/// By Siti, who may not approve it; the case that it opened, and the proposal's number.
fn proposed(office: &Office, to: &str, reason: &str) -> (u64, String) {
    let plan = office.takar(&["propose", "--move", to, "--reason", reason]);
    let proposal = plan["proposals"][0]["id"].clone();
    let cases = office.takar(&["cases"]);
    let case = cases.as_array().unwrap().iter().find(|case| case["proposal"] == proposal);
    (case.unwrap_or_else(|| panic!("{cases:#}"))["id"].as_u64().unwrap(), proposal.to_string())
}

/// Paths of all its papers' files.
fn files(case: &Value) -> Vec<String> {
    let papers = case["papers"].as_array().unwrap().iter().flat_map(|paper| paper["files"].as_array().unwrap());
    papers.map(|file| file["path"].as_str().unwrap().to_owned()).collect()
}

fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
