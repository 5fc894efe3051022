//! Bytes a sample on MQTT: the payloads of telemetry as an ordinary client hears them, signature and header of the
//! envelope included, MQTT's own header not. Polled as seldom as an agent does unless told otherwise, since snmpd
//! moves its counters only every few seconds and a counter that did not move takes one byte.

use std::{collections::HashMap, path::Path, thread, time::Duration};

use anyhow::{Context as _, ensure};
use takar_shared::id::unhex;

use super::{
    args::Figure,
    member::Member,
    ports,
    report::{Beside, Row, Spread},
    station::Station,
    tell,
};
use crate::netlab::{Snmpd, Version};

pub fn measure(place: &Path, quick: bool) -> anyhow::Result<Vec<Row>> {
    // A message each 15 s.
    let seconds = if quick { 50 } else { 200 };
    let station = Station::start(place, Some(ports::make()?), "")?;
    let _snmpd = Snmpd::start(station.namespace()?, place)?;
    let _traffic = ports::traffic(&station)?;
    let head = "poll_every_ms = 5000\npolls_per_message = 3\n";
    let enrolled = station.enrol("agent", head, &ports::snmp(&Version::V2c.access(place)?))?;
    let member = Member::load(&enrolled)?;
    let mut heard = station.listen("takar/1/agent/+/up/telemetry", "%x")?;
    let mut agent = station.run_agent(&enrolled)?;
    tell(&format!("wire: {seconds} s"));
    thread::sleep(Duration::from_secs(seconds));
    agent.check()?;
    heard.check()?;
    heard.end();
    let mut seen = Seen::default();
    for line in heard.log().lines() {
        let bytes = unhex(line).with_context(|| format!("mosquitto_sub said: {line}"))?;
        seen.take(&member, &bytes)?;
    }
    Ok(vec![seen.row()?])
}

/// What was heard, as far as it says something of the size.
#[derive(Default)]
struct Seen {
    /// Bytes and samples of each message.
    messages: Vec<(usize, usize)>,
    polls: usize,
    /// Messages with the state of devices in them, which takes bytes too.
    with_states: usize,
    again: usize,
    newest: u64,
    octets: HashMap<u16, [u64; 2]>,
    /// Octet counters that were read after an earlier poll, and those of them that had moved.
    followed: usize,
    moved: usize,
}

impl Seen {
    fn take(&mut self, member: &Member, bytes: &[u8]) -> anyhow::Result<()> {
        let telemetry = member.open_telemetry(bytes)?;
        // Sent again is sent: its bytes count, its samples were counted.
        let again = telemetry.seq.0 <= self.newest;
        self.messages.push((bytes.len(), if again { 0 } else { telemetry.samples() }));
        if again {
            self.again += 1;
            return Ok(());
        }
        self.newest = telemetry.seq.0;
        self.with_states += usize::from(!telemetry.states.is_empty());
        for poll in telemetry.polls() {
            self.polls += 1;
            for reading in &poll.readings {
                let [received, sent, ..] = reading.values;
                if let Some(before) = self.octets.insert(reading.meter, [received, sent]) {
                    self.followed += 2;
                    self.moved += usize::from(before[0] != received) + usize::from(before[1] != sent);
                }
            }
        }
        Ok(())
    }

    fn row(&self) -> anyhow::Result<Row> {
        let sum = |of: fn(&(usize, usize)) -> usize| self.messages.iter().map(of).sum::<usize>();
        let (bytes, samples) = (sum(|message| message.0), sum(|message| message.1));
        ensure!(samples > 0 && self.followed > 0, "no samples came in {} messages", self.messages.len());
        let each = self.messages.iter().filter(|(_, samples)| *samples > 0);
        let each: Vec<f64> = each.map(|(bytes, samples)| *bytes as f64 / *samples as f64).collect();
        Ok(Row {
            figure: Figure::Wire,
            case: "telemetry, SNMP v2c".into(),
            value: bytes as f64 / samples as f64,
            unit: "bytes a sample",
            n: format!("{samples} samples"),
            spread: Spread::of(&each),
            beside: Some(Beside::one("JSON", 23.0)),
            note: format!(
                "{} messages, {:.1} polls a message, a poll each 5 s; {} of {} octet counters had moved since the poll \
                 before, drops hardly; {} messages with device states, {} sent again",
                self.messages.len(),
                self.polls as f64 / (self.messages.len() - self.again) as f64,
                self.moved,
                self.followed,
                self.with_states,
                self.again
            ),
        })
    }
}
