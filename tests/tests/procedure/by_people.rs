//! Where the procedure wants people: a dismissed case, a declined proposal, a rollback that reopens
//! and two people who are two people on the socket as well.

use std::{process::Command, thread};

use super::{office, steps};

#[test]
fn people_decide_and_every_end_but_the_procedures_no_has_a_report() {
    let office = office("fair", "");

    // Dismissed in step 2: the procedure's own no.
    let no = office.opened("kantor-a");
    let refused = office.refused(&["case", &no.to_string(), "dismiss", "--reason", " "]);
    assert!(refused.contains("reason: expected some text"), "{refused}");
    let refused = office.refused(&["case", &no.to_string(), "receive"]);
    assert!(refused.contains("receive belongs to step 6 (receive); the case is in step 2 (identify)"), "{refused}");
    let case = office.act(no, &["dismiss", "--reason", "sudah normal"]);
    assert_eq!((case["state"].as_str(), steps(&case).len()), (Some("dismissed"), 2));

    // Declined, concluded, reported, received.
    let moves = ["--move", "kantor-a:up:8M", "--move", "kantor-b:up:12M", "--reason", "rapat"];
    let plan = office.lab.takar(&[&["propose"], &moves[..]].concat());
    let proposal = plan["proposals"][0]["id"].to_string();
    let cases = office.lab.takar(&["cases"]);
    let id = cases[0]["id"].as_u64().unwrap();
    assert_eq!((&cases[0]["state"], &cases[0]["waits_for"]), (&"coordinate".into(), &"approve".into()));
    let refused = office.refused(&["case", &id.to_string(), "conclude", "--reason", "x"]);
    assert!(refused.contains("a proposal waits"), "{refused}");
    office.lab.takar(&["decline", &proposal, "--reason", "minggu ujian"]);
    office.act(id, &["conclude", "--reason", "sesudah ujian"]);
    let case = office.wait_case(id, "receive");
    assert_eq!(steps(&case), ["check", "identify", "coordinate", "allocate", "report", "receive"]);
    assert_eq!(case["steps"][3]["result"], "not-needed");
    assert_eq!(office.act(id, &["receive"])["state"], "archived");
    assert_eq!(office.lab.takar(&["changes"]).as_array().unwrap().len(), 0, "nothing was sent");
}

#[test]
fn a_rollback_reopens_the_case() {
    let office = office("fair", "withhold_confirm = true\n");
    let plan = office.lab.takar(&["propose", "--move", "kantor-a:up:8M", "--reason", "uji"]);
    let proposal = &plan["proposals"][0]["id"];
    let id = office.lab.takar(&["cases"])[0]["id"].as_u64().unwrap();
    office.lab.takar(&["approve", &proposal.to_string()]);
    assert_eq!(office.case(id)["state"], "allocate");
    let case = office.wait_case(id, "coordinate");
    assert_eq!(steps(&case), ["check", "identify", "coordinate", "allocate", "coordinate"]);
    assert_eq!((&case["steps"][3]["result"], &case["round"]), (&"rolled-back".into(), &2.into()));
    assert!(case["steps"][3]["note"].as_str().unwrap().contains("no confirmation in time"), "{case:#}");
    assert_eq!(office.lab.takar(&["audit", "verify"])["ok"], true);
}

#[test]
fn four_eyes_bind_on_the_socket() {
    let office = office("fair", "");
    let id = |what: &str| {
        let said = std::process::Command::new("id").arg(what).output().unwrap().stdout;
        String::from_utf8(said).unwrap().trim().to_owned()
    };
    let (me, uid) = (id("-un"), id("-u"));
    let account = |words: &[&str]| office.lab.takar(&[&["account"], words].concat());
    let refused = office.refused(&["account", "add", "siti", "--role", "member", "--title", "Siti"]);
    assert!(refused.contains("admin"), "the first must be an admin: {refused}");
    account(&["add", "ratna", "--role", "admin", "--title", "Ratna"]);
    account(&["add", "budi", "--role", "head", "--title", "Budi Santoso", "--os-user", &me]);
    // Whoever runs this is Budi now. What he asks for himself another head has to approve.
    let plan = office.lab.takar(&["propose", "--move", "kantor-a:up:8M", "--reason", "uji"]);
    let proposal = plan["proposals"][0]["id"].to_string();
    let refused = office.refused(&["approve", &proposal]);
    assert!(refused.contains("four eyes are asked for"), "{refused}");
    let refused = office.refused(&["account", "set", "ratna", "--disable"]);
    assert!(refused.contains("manage accounts"), "a head manages no accounts: {refused}");
    let log = office.lab.takar(&["audit", "list"]);
    let proposed = log.as_array().unwrap().iter().rev().find(|one| one["event"] == "proposed").unwrap();
    assert_eq!((&proposed["who"], &proposed["record"]["from"]), (&"budi".into(), &format!("socket uid {uid}").into()));
}

/// Eight people, four for it and four against, all in the same moment.
#[test]
fn of_many_who_decide_at_once_one_has_decided() {
    let office = office("fair", "");
    let plan = office.lab.takar(&["propose", "--move", "kantor-a:up:8M", "--reason", "rapat"]);
    let proposal = plan["proposals"][0]["id"].to_string();
    let id = office.lab.takar(&["cases"])[0]["id"].as_u64().unwrap();
    let decide = |index: usize| {
        let mut command = Command::new(office.lab.programs.join("takar"));
        command.arg("--config").arg(office.lab.dir.join("takar.toml"));
        match index % 2 {
            0 => command.args(["approve", &proposal]),
            _ => command.args(["decline", &proposal, "--reason", "minggu ujian"]),
        };
        command.output().unwrap()
    };
    let outcomes: Vec<_> = thread::scope(|scope| {
        let people: Vec<_> = (0..8).map(|index| scope.spawn(move || decide(index))).collect();
        people.into_iter().map(|person| person.join().unwrap()).collect()
    });
    let decided = outcomes.iter().filter(|outcome| outcome.status.success()).count();
    assert_eq!(decided, 1, "{outcomes:#?}");
    for refused in outcomes.iter().filter(|outcome| !outcome.status.success()) {
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1));
        assert!(said.contains("already") || said.contains("is not open"), "{said}");
    }
    let case = office.case(id);
    let acts = case["trail"].as_array().unwrap().iter().filter_map(|one| one["record"]["what"]["act"].as_str());
    assert_eq!(acts.filter(|act| matches!(*act, "approve" | "decline")).count(), 1, "{case:#}");
}
