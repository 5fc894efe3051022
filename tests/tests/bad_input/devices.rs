//! Devices that answer with garbage, with too little, or not at all.

use std::{
    fs,
    io::Write as _,
    net::{TcpListener, UdpSocket},
    process::Command,
    thread,
};

use serde_json::Value;
use takar_e2e::{
    lab::{Lab, Site, Traffic},
    process::wait_for,
};

use crate::{
    place::{Collector, inventory_of},
    table::{PATIENCE, Table},
};

#[test]
fn garbage_and_silence_are_told_by_name_and_the_agent_goes_on() {
    let (collector, mut table) = (Collector::embedded(), Table::default());
    let mut serve = collector.serve();
    let unheard = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let closed = UdpSocket::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let snmp: [(&str, u16, &str, &str); 8] = [
        ("junk", responder(|_| b"\xff\0hello".to_vec()), "garbage", "answer does not decode"),
        ("empty", responder(|_| Vec::new()), "garbage", "answer does not decode"),
        ("cut", responder(|request| request[..request.len() / 2].to_vec()), "garbage", "answer does not decode"),
        ("echo", responder(<[u8]>::to_vec), "garbage", "expected a Response"),
        ("other-community", responder(other_community), "garbage", "another community"),
        ("other-id", responder(other_id), "timeout", "no answer within 200 ms"),
        ("silent", unheard.local_addr().unwrap().port(), "timeout", "no answer within 200 ms"),
        ("closed", closed, "unreachable", "refused"),
    ];
    // It accepts (the kernel does) and says nothing.
    let mute = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let shut = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    // No word of RouterOS is announced by such a byte.
    let other = responder_tcp(&[0xff; 32]);
    let unreadable = "queues unreadable";
    let api: [(&str, u16, &str, &str); 3] = [
        ("api-mute", mute.local_addr().unwrap().port(), unreadable, "within 300 ms"),
        ("api-shut", shut, unreadable, "refused"),
        ("api-other", other, unreadable, "not understood"),
    ];

    let secret = collector.place.write("secret", "public\n");
    let mut config = String::new();
    for (name, port, ..) in snmp {
        config += &format!(
            "[[device]]\nname = \"{name}\"\n[device.snmp]\naddress = \"127.0.0.1:{port}\"\ncommunity_file = \"{secret}\"\n\
             interfaces = [\"ether1\"]\ntimeout_ms = 100\nretries = 1\n"
        );
    }
    for (name, port, ..) in api {
        config += &format!(
            "[[device]]\nname = \"{name}\"\n[device.queues]\nbackend = \"routeros\"\naddress = \"127.0.0.1:{port}\"\n\
             user = \"takar\"\npassword_file = \"{secret}\"\ntimeout_ms = 300\n[[device.shaper]]\nqueue = \"{name}\"\n\
             direction = \"up\"\nfloor_bps = 8\nceiling_bps = 8000\n"
        );
    }
    collector.agent_config("kantor-a", &config);
    collector.enrol("kantor-a");
    let names: Vec<&str> = snmp.iter().chain(&api).map(|row| row.0).collect();
    let inventory = collector.place.write("inventory.toml", inventory_of(&names));
    collector.takar(&["import", &inventory]).done();
    let mut agent = collector.run_agent("kantor-a");

    let mut links = Value::Null;
    let told = wait_for("the outcome of every poll", PATIENCE, || {
        agent.check()?;
        serve.check()?;
        links = collector.ask(&["links"]);
        let outcome = |name: &str| links.as_array()?.iter().find(|row| row["link"] == name)?["poll"].as_str();
        let all = snmp.iter().chain(&api).all(|(name, _, expected, _)| outcome(name) == Some(*expected));
        Ok(all.then_some(()))
    });
    table.holds("takar links", &format!("each poll ended as expected: {links:#}"), told.is_ok());
    let status = || -> Value { serde_json::from_str(&collector.agent("kantor-a", &["status", "--json"]).out).unwrap() };
    let first = status();
    for (name, port, outcome, detail) in snmp.iter().chain(&api) {
        let devices = first["devices"].as_array().unwrap();
        let row = devices.iter().find(|row| row["device"] == *name).unwrap();
        let said = row["detail"].as_str().unwrap_or_default();
        table.holds(name, &format!("outcome {outcome}, not {}", row["outcome"]), row["outcome"] == *outcome);
        let clear = said.contains(*detail) && said.contains(&format!("127.0.0.1:{port}")) && !said.contains('\n');
        table.holds(name, &format!("a line with the address and {detail:?}, not {said:?}"), clear);
        let row = links.as_array().unwrap().iter().find(|row| row["link"] == *name).unwrap();
        table.holds(
            name,
            &format!("takar links says why: {}", row["why"]),
            row["why"].as_str().unwrap().contains(*outcome),
        );
    }
    wait_for("more polls", PATIENCE, || {
        agent.check()?;
        serve.check()?;
        Ok((status()["seq"].as_u64() >= first["seq"].as_u64().map(|seq| seq + 5)).then_some(()))
    })
    .unwrap();
    // Once when it begins, and not at every poll. Fields of a line come after its text.
    for name in names {
        let lines = agent.log().lines().filter(|line| line.ends_with(&format!("device={name}"))).count();
        table.holds(name, &format!("its trouble is logged once, not {lines} times"), lines == 1);
    }
}

#[test]
fn an_unknown_interface_and_an_unknown_queue_are_named() {
    let (folder, mut table) = (tempfile::tempdir().unwrap(), Table::default());
    let traffic = Traffic { profile: "fair", seed: 1, sites: 2, capacity_bps: 16_000_000 };
    let (lab, mut serve) = Lab::start(folder.path(), traffic, "");
    let mut sites = [lab.site("kantor-a", 0), lab.site("kantor-b", 1)];
    // In the inventory only: no agent has ever reported them.
    let ghost = "[[link]]\nname = \"ghost\"\nsite = \"kantor-a\"\nuplink = \"utama\"\ndevice = \"kantor-a\"\n\
                 interface = \"ether7\"\n[link.down]\nqueue = \"spook\"\ncir_bps = 0\nmir_bps = 8000000\n\
                 [link.up]\nqueue = \"spook\"\ncir_bps = 0\nmir_bps = 8000000\n";
    let inventory = lab.dir.join("inventory.toml");
    fs::write(&inventory, inventory_of(&["kantor-a", "kantor-b"]) + ghost).unwrap();
    lab.takar(&["import", inventory.to_str().unwrap()]);
    lab.wait_links("both devices are read", |links| {
        links.iter().filter(|row| row["link"] != "ghost").all(|row| row["poll"] == "ok" && row["observed_bps"].is_u64())
    });
    for row in lab.takar(&["links"]).as_array().unwrap().iter().filter(|row| row["link"] == "ghost") {
        let why = row["why"].as_str().unwrap();
        let named = why.contains("ether7") || why.contains("spook");
        table.holds(
            "inventory",
            &format!("why names what is not there: {why}"),
            named && row["state"] == "not-measured",
        );
    }

    // In the agents' configs: the routers do not have them.
    configured(&lab, &mut sites[0], "interfaces = [\"ether1\"]", "interfaces = [\"ether1\", \"ether9\"]");
    let down = |queue: &str| format!("queue = \"{queue}\"\ndirection = \"down\"");
    configured(&lab, &mut sites[1], &down("kantor-b"), &down("nowhere"));
    lab.wait_links("both are told", |links| {
        let poll = |link: &str| links.iter().find(|row| row["link"] == link).map(|row| row["poll"].clone());
        poll("kantor-a") == Some("partial".into()) && poll("kantor-b") == Some("queues unreadable".into())
    });
    for (name, outcome, parts) in [
        ("kantor-a", "partial", ["ether9", "expected"]),
        ("kantor-b", "queues unreadable", ["queue nowhere", "not on"]),
    ] {
        let device = status(&lab, name)["devices"][0].clone();
        let detail = device["detail"].as_str().unwrap_or_default();
        table.holds(name, &format!("outcome {outcome}, not {}", device["outcome"]), device["outcome"] == outcome);
        table.holds(name, &format!("{parts:?} in {detail:?}"), parts.iter().all(|part| detail.contains(part)));
    }
    // Told once, not at every poll.
    let first = status(&lab, "kantor-a")["seq"].as_u64().unwrap();
    wait_for(
        "more polls",
        PATIENCE,
        || Ok((status(&lab, "kantor-a")["seq"].as_u64() >= Some(first + 6)).then_some(())),
    )
    .unwrap();
    let lines = sites[0].agent.log().lines().filter(|line| line.contains("ether9")).count();
    table.holds("kantor-a", &format!("logged once, not {lines} times"), lines == 1);
    for process in sites.iter_mut().map(|site| &mut site.agent).chain([&mut serve]) {
        table.holds("afterwards", "every program runs", process.check().is_ok());
    }
}

/// Restarts the site's agent with another config.
fn configured(lab: &Lab, site: &mut Site, from: &str, to: &str) {
    let path = lab.dir.join(format!("{}.toml", site.name));
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
    site.agent.end();
    site.agent = lab.run_agent(&site.name);
}

fn status(lab: &Lab, name: &str) -> Value {
    let mut command = Command::new(lab.programs.join("takar-agent"));
    let output = command.arg("--config").arg(lab.dir.join(format!("{name}.toml"))).args(["status", "--json"]).output();
    serde_json::from_slice(&output.unwrap().stdout).unwrap()
}

/// Answers every datagram for as long as the test runs; its port.
fn responder(answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> u16 {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let port = socket.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(&answer(&buffer[..length]), peer);
        }
    });
    port
}

/// Says the same to whoever connects, and stays.
fn responder_tcp(says: &'static [u8]) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut streams = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(says);
            streams.push(stream);
        }
    });
    port
}

/// A Response that carries another community than was asked with.
fn other_community(request: &[u8]) -> Vec<u8> {
    let mut response = as_response(request);
    let at = response.windows(6).position(|part| part == b"public").unwrap();
    response[at..at + 6].copy_from_slice(b"secret");
    response
}

/// A Response to a request that nobody made.
fn other_id(request: &[u8]) -> Vec<u8> {
    let mut response = as_response(request);
    let id = after_header(request, pdu_at(request));
    let last = id + 1 + usize::from(request[id + 1]);
    response[last] ^= 1;
    response
}

fn as_response(request: &[u8]) -> Vec<u8> {
    let mut response = request.to_vec();
    response[pdu_at(request)] = 0xa2;
    response
}

/// Where the PDU begins: behind version and community (RFC 1901).
fn pdu_at(request: &[u8]) -> usize {
    let community = after_header(request, 0) + 3;
    community + 2 + usize::from(request[community + 1])
}

/// Where the contents of the element at `at` begin (X.690, 8.1.3: a long length says how many bytes it has).
fn after_header(message: &[u8], at: usize) -> usize {
    let length = message[at + 1];
    at + 2 + if length < 0x80 { 0 } else { usize::from(length & 0x7f) }
}
