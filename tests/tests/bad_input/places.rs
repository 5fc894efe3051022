//! Where things lie and what is listened on: folders, ports, sockets; and nobody there.

use std::{fs, net::TcpListener, os::unix::net::UnixListener};

use takar_e2e::process::{free_port, wait_for};

use crate::{
    place::{Collector, Place},
    table::{PATIENCE, Snapshot, Table},
};

#[test]
fn init_overwrites_nothing_and_leaves_nothing_half_made() {
    let (place, mut table) = (Place::new(), Table::default());
    let port = free_port().unwrap().to_string();
    let address = format!("127.0.0.1:{port}");
    let init = |state: &str, root: &str, config: &str, more: &[&str]| {
        let (state, root, config) = (place.at(state), place.at(root), place.at(config));
        let words = ["init", "--state-dir", &state, "--root-out", &root, "--config", &config];
        place.run("takar", &[&words[..], more].concat())
    };
    let here = ["--address", &address];
    init("state", "root.key", "takar.toml", &here).done();
    place.write("precious", "precious");
    let before = Snapshot::of(place.dir());

    let everything: &[&str] =
        &["nothing is overwritten", "state/command.key", "state/tls/ca.key", "root.key", "takar.toml"];
    table.refused("all is there", &init("state", "root.key", "takar.toml", &here), 1, "", &[everything]);
    let told = init("new", "new.key", "precious", &here);
    table.refused("the config is there", &told, 1, &place.at("precious"), &[&["nothing is overwritten"]]);
    let told = init("new", "precious", "new.toml", &here);
    table.refused("the root key is there", &told, 1, &place.at("precious"), &[&["nothing is overwritten"]]);
    let told = init("precious", "new.key", "new.toml", &here);
    table.refused("the state folder is a file", &told, 1, &place.at("precious"), &[&["cannot make the folder"]]);
    let told = init("new", "new.key", "precious/new.toml", &here);
    table.refused("the config's folder is a file", &told, 1, &place.at("precious"), &[&["cannot make the folder"]]);
    let told = init("new", "nowhere/new.key", "new.toml", &here);
    table.refused("no folder for the root key", &told, 1, &place.at("nowhere/new.key"), &[&["cannot write"]]);
    let told = init("new", "new/root.key", "new.toml", &here);
    table.refused("the root key in the state folder", &told, 1, &place.at("new/root.key"), &[&["expected a place"]]);
    let told = init("new", "new.key", "new.toml", &["--address", "10.0.0.1:1883"]);
    table.refused("a far broker", &told, 1, "10.0.0.1", &[&["broker.address", "expected a loopback address"]]);
    let told = init("new", "new.key", "new.toml", &["--broker-name", "a b"]);
    table.refused("no name", &told, 1, "", &[&["--broker-name", "\"a b\"", "expected"]]);
    table.unchanged("whatever was wrong", &before, place.dir());

    let told = init("new", "new.key", "new.toml", &["--address", "nonsense"]);
    table.holds("no address", "it is wrong use", told.code == Some(2) && told.err.contains("expected host:port"));
    init("new", "new.key", "new.toml", &here).done();
}

#[test]
fn a_state_folder_that_is_none_stops_both_programs_in_one_line() {
    let (collector, mut table) = (Collector::embedded(), Table::default());
    let mut serve = collector.serve();
    collector.observer("kantor-a", "kantor-a");
    collector.enrol("kantor-a");
    serve.end();
    let (state, aside) = (collector.state(), collector.place.dir().join("aside"));

    fs::rename(&state, &aside).unwrap();
    let shown = state.to_str().unwrap();
    table.refused("missing", &collector.takar(&["serve"]), 1, shown, &[&["No such file"]]);
    table.holds("missing", "it is not made", !state.exists());
    fs::write(&state, "precious").unwrap();
    table.refused("a file", &collector.takar(&["serve"]), 1, shown, &[&["directory"]]);
    table.holds("a file", "it is as it was", fs::read(&state).unwrap() == b"precious");
    fs::remove_file(&state).unwrap();
    fs::rename(&aside, &state).unwrap();

    let (own, spool) = (collector.place.dir().join("kantor-a"), collector.place.at("kantor-a-spool"));
    collector.place.write("kantor-a-spool", "precious");
    let told = collector.agent("kantor-a", &["run"]);
    table.refused("the spool is a file", &told, 1, &spool, &[&["cannot use the spool folder"]]);
    fs::rename(&own, &aside).unwrap();
    collector.place.write("kantor-a", "precious");
    let told = collector.agent("kantor-a", &["run"]);
    table.refused("the agent's is a file", &told, 1, own.to_str().unwrap(), &[&["directory"]]);
    let request = collector.place.at("new.request");
    let told = collector.agent("kantor-a", &["enrol", "--request", &request, "--name", "kantor-a"]);
    table.refused("the agent's is a file", &told, 1, own.to_str().unwrap(), &[&["cannot make the state folder"]]);
    for file in ["kantor-a", "kantor-a-spool"] {
        table.holds(file, "it is as it was", fs::read(collector.place.at(file)).unwrap() == b"precious");
    }
    table.holds("afterwards", "no request was written", !collector.place.has("new.request"));
}

#[test]
fn a_damaged_journal_and_a_second_agent_are_refused() {
    let (collector, mut table) = (Collector::embedded(), Table::default());
    let _serve = collector.serve();
    collector.observer("kantor-a", "kantor-a");
    collector.enrol("kantor-a");
    let mut agent = collector.run_agent("kantor-a");
    wait_for("a status", PATIENCE, || {
        agent.check()?;
        Ok(collector.place.has("kantor-a-spool/status.json").then_some(()))
    })
    .unwrap();
    let state = collector.place.dir().join("kantor-a");
    let told = collector.agent("kantor-a", &["run"]);
    let process = agent.pid().to_string();
    table.refused("second", &told, 1, state.to_str().unwrap(), &[&["in use by another takar-agent", &process]]);
    table.holds("second", "the first goes on", agent.check().is_ok());
    agent.end();

    let journals = ["journal"].map(|name| state.join(name));
    for journal in journals.iter().filter(|journal| journal.exists()) {
        fs::write(journal, "garbage".repeat(20)).unwrap();
    }
    let told = collector.agent("kantor-a", &["run"]);
    // A fresh start would forget which serials were used up.
    table.refused("journal", &told, 1, state.to_str().unwrap(), &[&["journal is damaged", "enrolled anew"]]);
    for journal in &journals {
        let so = !journal.exists() || fs::read(journal).unwrap().starts_with(b"garbage");
        table.holds("journal", "evidence is left alone", so);
    }
}

#[test]
fn a_status_that_is_not_there_or_no_status_is_told() {
    let (place, mut table) = (Collector::embedded(), Table::default());
    place.observer("kantor-a", "kantor-a");
    let status = place.place.at("kantor-a-spool/status.json");
    // Docs: 3 is `status` of an agent that does not run.
    table.refused("never ran", &place.agent("kantor-a", &["status"]), 3, &status, &[&["no status", "takar-agent run"]]);
    fs::create_dir(place.place.at("kantor-a-spool")).unwrap();
    fs::write(&status, "hello").unwrap();
    for words in [["status"].as_slice(), &["status", "--json"]] {
        table.refused("garbage", &place.agent("kantor-a", words), 1, &status, &[&["is no status", "line 1"]]);
    }
}

#[test]
fn a_taken_port_and_a_taken_socket_are_told_and_whoever_has_them_goes_on() {
    let (collector, mut table) = (Collector::embedded(), Table::default());
    let socket = collector.state().join("takar.sock");
    let shown = socket.to_str().unwrap();

    let taken = TcpListener::bind(&collector.address).unwrap();
    let told = collector.takar(&["serve"]);
    table.refused("port", &told, 1, &collector.address, &[&["cannot listen", "in use"]]);
    table.refused("port", &collector.takar(&["status"]), 3, shown, &[&["does not answer"]]);
    drop(taken);

    let _ = fs::remove_file(&socket);
    fs::write(&socket, "precious").unwrap();
    table.refused("a file", &collector.takar(&["serve"]), 1, shown, &[&["is no socket", "expected a free path"]]);
    table.holds("a file", "it is as it was", fs::read(&socket).unwrap() == b"precious");
    fs::remove_file(&socket).unwrap();

    // Of a daemon that died: it is in nobody's way.
    drop(UnixListener::bind(&socket).unwrap());
    let mut first = collector.serve();
    table.refused("second daemon", &collector.takar(&["serve"]), 1, shown, &[&["takar serve already runs on"]]);
    let elsewhere = collector.place.at("other.sock");
    let told = collector.takar(&["--socket", &elsewhere, "serve"]);
    table.refused("second daemon elsewhere", &told, 1, "state/takar.db", &[&["in use", "another takar serve"]]);
    table.holds("second daemon", "the first answers", collector.takar(&["status"]).code == Some(0));
    table.holds("second daemon", "the first runs", first.check().is_ok());
    first.end();

    let nowhere = collector.place.at("no/such/takar.sock");
    let told = collector.takar(&["--socket", &nowhere, "serve"]);
    table.refused(
        "no folder",
        &told,
        1,
        &collector.place.at("no/such"),
        &[&["expected a folder that takar may write"]],
    );
    let config = fs::read_to_string(collector.place.at("takar.toml")).unwrap();
    collector.place.write("takar.toml", format!("socket_group = \"no-such-group\"\n{config}"));
    let told = collector.takar(&["serve"]);
    table.refused("group", &told, 1, "", &[&["\"no-such-group\"", "is not in /etc/group"]]);
}

#[test]
fn where_nobody_serves_every_question_ends_with_3() {
    let (collector, mut table) = (Collector::embedded(), Table::default());
    let socket = collector.state().join("takar.sock");
    collector.observer("kantor-a", "kantor-a");
    let (request, out) = (collector.request("kantor-a"), collector.place.at("kantor-a.bundle"));
    let inventory = collector.place.write("inventory.toml", "");
    let questions: [&[&str]; 14] = [
        &["status"],
        &["--json", "status"],
        &["links"],
        &["findings", "--all"],
        &["proposals"],
        &["propose", "--dry-run"],
        &["approve", "1", "--wait"],
        &["decline", "1", "--reason", "because"],
        &["changes"],
        &["audit", "list"],
        &["audit", "verify"],
        &["device", "add", &request],
        &["device", "approve", &request, "--out", &out],
        &["import", &inventory],
    ];
    for left_over in [false, true] {
        if left_over {
            drop(UnixListener::bind(&socket).unwrap());
        }
        for words in questions {
            let told = collector.takar(words);
            let parts: &[&str] = &["takar serve does not answer on", "start it with takar serve"];
            table.refused(&words.join(" "), &told, 3, socket.to_str().unwrap(), &[parts]);
        }
    }
    table.holds("afterwards", "no bundle is there", !collector.place.has("kantor-a.bundle"));
}
