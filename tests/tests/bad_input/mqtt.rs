//! What anybody can publish on the embedded broker: noise is counted, and the loop goes on.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use ed25519_dalek::SigningKey;
use serde_json::Value;
use takar_e2e::{
    lab::{Lab, Traffic},
    process::wait_for,
};
use takar_shared::{
    AgentId, BootEpoch, Challenge, Seq, UnixMillis,
    envelope::{self, Message, Route},
    grant::Grant,
    telemetry::Gap,
};

use crate::table::{PATIENCE, Table};

#[test]
fn noise_on_the_broker_is_counted_and_the_loop_goes_on() {
    let (folder, mut table) = (tempfile::tempdir().unwrap(), Table::default());
    let traffic = Traffic { profile: "fair", seed: 1, sites: 1, capacity_bps: 8_000_000 };
    let (lab, mut serve) = Lab::start(folder.path(), traffic, "");
    let mut site = lab.site("kantor-a", 0);
    let status = || lab.takar(&["status"]);
    wait_for("samples", PATIENCE, || Ok((status()["samples_stored"].as_u64() > Some(0)).then_some(()))).unwrap();
    let address = fs::read_to_string(lab.dir.join("takar.toml")).unwrap();
    let address = address.split("address = \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let agent = agent_status(&lab)["agent"].as_str().unwrap().to_owned();
    let up = |leaf: &str| format!("takar/1/agent/{agent}/up/{leaf}");

    // Unsigned, cut, signed for something else: all of it is counted, none of it taken.
    let refused = || status()["messages_refused"].as_u64().unwrap();
    let (mut client, before) = (Client::connect(&address, "noise"), refused());
    let signed = Signed::by_the_agent(&lab, &status(), &agent);
    let mut sent = 0;
    let mut noise = |topic: &str, payload: &[u8], retain: bool| {
        client.publish(topic, payload, retain);
        sent += 1;
    };
    let every_byte: Vec<u8> = (0..=255).collect();
    for leaf in ["birth", "telemetry", "receipt"] {
        let payloads: [&[u8]; 7] =
            [b"", b"\0", b"junk", &every_byte, &[0xff; 300], &signed.gap[..20], &[&signed.gap[..], b"x"].concat()];
        payloads.iter().for_each(|payload| noise(&up(leaf), payload, false));
        noise(&up(leaf), &signed.grant, false);
    }
    noise(&up("birth"), &signed.gap, false);
    noise(&up("receipt"), &signed.gap, false);
    noise(&up("telemetry"), &[0; 65_537], false);
    noise(&up("telemetry"), b"retained", true);
    noise(&up("nonsense"), b"x", false);
    noise("takar/1/agent/zz/up/birth", b"x", false);
    noise(&format!("takar/1/agent/{}/up/birth", "0".repeat(32)), &signed.gap, false);
    wait_for("all of it to be counted", PATIENCE, || Ok((refused() >= before + sent).then_some(()))).unwrap();
    table.holds("up", &format!("{} counted of {sent}", refused() - before), refused() == before + sent);

    // Unsigned by design, a hint: what is heard next puts it right.
    client.publish(&up("state"), b"junk", false);
    client.publish(&up("state"), b"{\"state\":\"offline\"}", false);
    wait_for("the agent online", PATIENCE, || Ok((status()["agents_online"] == 1).then_some(()))).unwrap();

    // The other way: nothing of it is obeyed.
    let down = |leaf: &str| format!("takar/1/agent/{agent}/down/{leaf}");
    let alarms = agent_status(&lab)["alarms"].as_u64().unwrap();
    for leaf in ["grant", "command", "nonsense"] {
        let payloads: [&[u8]; 4] = [b"", b"junk", &[0xff; 5_000], &signed.grant];
        payloads.iter().for_each(|payload| client.publish(&down(leaf), payload, false));
    }
    wait_for("12 alarms", PATIENCE, || Ok((agent_status(&lab)["alarms"].as_u64() >= Some(alarms + 12)).then_some(())))
        .unwrap();
    table.holds("down", "the collector knows", {
        let told = |status: &Value| status["notices"].to_string().contains("agent kantor-a refused");
        wait_for("the notice", PATIENCE, || Ok(told(&status()).then_some(()))).is_ok()
    });

    // Retained control messages are old copies, whatever they say; a new subscription gets them.
    client.publish(&down("command"), &signed.gap, true);
    site.agent.kill().unwrap();
    site.agent = lab.run_agent("kantor-a");
    let met = wait_for("a retained command", PATIENCE, || {
        site.agent.check()?;
        Ok(site.agent.log().contains("a retained control message").then_some(()))
    });
    table.holds("retained", "it is refused by name", met.is_ok());
    client.publish(&down("command"), b"", true);

    // Larger than any message may be: it costs whoever sent it, not the collector and not the agents.
    for (topic, retain) in [(up("telemetry"), false), (up("state"), true), (down("grant"), false)] {
        for size in [67_000, 69_000, 200_000] {
            Client::connect(&address, "large").try_publish(&topic, &vec![0; size], retain);
        }
    }
    // And what is no MQTT at all.
    for bytes in [&b"GET / HTTP/1.0\r\n\r\n"[..], &[0xff; 1_000], b"\x10\xff\xff\xff\xff\x7f", b"\x10\x04", b""] {
        let _ = TcpStream::connect(&address).unwrap().write_all(bytes);
    }
    let before = refused();
    Client::connect(&address, "last").publish(&up("birth"), b"the last of it", false);
    let heard = wait_for("the last of it", PATIENCE, || Ok((refused() > before).then_some(())));
    table.holds("large", "the collector still hears", heard.is_ok());
    for (who, log) in [("collector", serve.log()), ("agent", site.agent.log())] {
        let lost = log.lines().filter(|line| line.contains("connection to the broker lost")).count();
        table.holds("large", &format!("the {who} lost its connection {lost} times"), lost == 0);
    }

    let samples = status()["samples_stored"].as_u64();
    let more = wait_for("more samples", PATIENCE, || {
        serve.check()?;
        site.agent.check()?;
        Ok((status()["samples_stored"].as_u64() > samples).then_some(()))
    });
    table.holds("afterwards", "samples still come in", more.is_ok());
    let status = status();
    table.holds("afterwards", "both are connected", status["broker_connected"] == true && status["agents_online"] == 1);
    table.holds("afterwards", "the log holds", lab.takar(&["audit", "verify"])["ok"] == true);
}

fn agent_status(lab: &Lab) -> Value {
    let mut command = std::process::Command::new(lab.programs.join("takar-agent"));
    let output = command.arg("--config").arg(lab.dir.join("kantor-a.toml")).args(["status", "--json"]).output();
    serde_json::from_slice(&output.unwrap().stdout).unwrap()
}

/// Sound signatures by the agent's own key, over what nobody waits for.
struct Signed {
    gap: Vec<u8>,
    grant: Vec<u8>,
}

impl Signed {
    fn by_the_agent(lab: &Lab, status: &Value, agent: &str) -> Self {
        let seed: takar_shared::Digest =
            fs::read_to_string(lab.dir.join("kantor-a/agent.key")).unwrap().trim_end().parse().unwrap();
        let key = SigningKey::from_bytes(&seed.0);
        let agent: AgentId = agent.parse().unwrap();
        let route = Route { network: status["network"].as_str().unwrap().parse().unwrap(), agent };
        let grant = Grant {
            challenge: Challenge([0; 16]),
            valid_s: 86_400,
            server_time: UnixMillis(1),
            stored_up_to: (BootEpoch(1), Seq(u64::MAX)),
            receipts_stored: Vec::new(),
            keyset_min: 1,
            tell_states: false,
        };
        let gap = Gap { boot_epoch: BootEpoch(1), first: Seq(1), seq: Seq(2), samples: 0 };
        let seal = |message: Message| envelope::seal(&message, route, &key).unwrap();
        Self { gap: seal(Message::Gap(gap)), grant: seal(Message::Grant(grant)) }
    }
}

/// As much of MQTT 5 as it takes to make noise.
struct Client(TcpStream);

impl Client {
    fn connect(address: &str, id: &str) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        // Version 5, clean start, kept alive for ten minutes, no properties (MQTT 5, 3.1).
        let connect = [&text("MQTT")[..], &[5, 2, 2, 88, 0], &text(id)].concat();
        stream.write_all(&packet(0x10, &connect)).unwrap();
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!((answer[0], answer[3]), (0x20, 0), "CONNACK with success");
        Self(stream)
    }

    fn publish(&mut self, topic: &str, payload: &[u8], retain: bool) {
        assert!(self.try_publish(topic, payload, retain), "{topic}");
    }

    /// QoS 0. False where the broker hung up while it was sent.
    fn try_publish(&mut self, topic: &str, payload: &[u8], retain: bool) -> bool {
        let body = [&text(topic)[..], &[0], payload].concat();
        self.0.write_all(&packet(0x30 | u8::from(retain), &body)).is_ok()
    }
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let (mut bytes, mut rest) = (vec![kind], body.len());
    loop {
        let more = if rest >= 128 { 0x80 } else { 0 };
        bytes.push(more | u8::try_from(rest % 128).unwrap());
        rest /= 128;
        if rest == 0 {
            break;
        }
    }
    bytes.extend_from_slice(body);
    bytes
}

fn text(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap().to_be_bytes();
    [&length[..], text.as_bytes()].concat()
}
