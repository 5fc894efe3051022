//! collectd with its snmp and mqtt plugins and no other, tuned: bulk requests, one thread that reads, one that writes.

use std::{fs, process::Command, thread, time::Duration};

use anyhow::{Context as _, ensure};

use super::{
    cost::Cpu,
    poll::{POLL_EVERY_MS, Span, memory},
    ports::INTERFACES,
    report::Row,
    station::Station,
    tell,
};
use crate::{
    netlab::{lacking, snmpd},
    process::{Process, wait_for},
};

/// Octets of nine interfaces, and discards of nine: a value of two counters each.
const MESSAGES_OF_A_POLL: usize = 2 * INTERFACES;
const SETTLED_AFTER: Duration = Duration::from_secs(5);

/// Processor seconds of 1,000 polls, and the rows; `None` where collectd is not installed.
pub fn measure(station: &Station, span: Span) -> anyhow::Result<Option<(f64, Vec<Row>)>> {
    if !lacking(&["collectd"]).is_empty() {
        tell("poll: collectd is not installed, so it is not measured beside");
        return Ok(None);
    }
    let case = format!("collectd {}, SNMP v2c", version()?);
    tell(&format!("poll: {case}: {} s", span.seconds()));
    let config = station.place.join("collectd.conf");
    fs::write(&config, text(station)).with_context(|| config.display().to_string())?;
    let heard = station.listen("collectd/#", "%t")?;
    let messages = || heard.log().lines().filter(|line| line.starts_with("collectd/")).count();
    let mut command = station.command("collectd");
    // Objects are named by number, so no MIB need be read.
    command.arg("-f").arg("-C").arg(&config).env("MIBS", "");
    let mut collectd = Process::start("collectd", command, &station.place.join("collectd.log"))?;
    wait_for("values of collectd", Duration::from_secs(20), || {
        collectd.check()?;
        Ok((messages() >= MESSAGES_OF_A_POLL).then_some(()))
    })
    .with_context(|| collectd_says(&collectd))?;
    thread::sleep(SETTLED_AFTER);
    let polls = || Ok(messages() as f64 / MESSAGES_OF_A_POLL as f64);
    let taken = span.take(&Cpu::of(collectd.pid())?, polls).with_context(|| collectd_says(&collectd))?;
    collectd.check()?;
    let note = format!(
        "a poll each {POLL_EVERY_MS} ms, two tables of two columns and the names (the agent asks for more), BulkSize 20, \
         QoS 0, a message each interface and table"
    );
    let row = Row { note, ..taken.row(&case)? };
    let memory = memory(&case, collectd.pid(), format!("{:.0} polls", taken.polls()))?;
    Ok(Some((row.value, vec![row, memory])))
}

fn text(station: &Station) -> String {
    let place = station.place.display();
    let every_s = POLL_EVERY_MS as f64 / 1000.0;
    let data = |name: &str, kind: &str, columns: [&str; 2]| {
        format!(
            "  <Data \"{name}\">\n    Type \"{kind}\"\n    Table true\n    TypeInstanceOID \"1.3.6.1.2.1.31.1.1.1.1\"\n    \
             Values \"{}\" \"{}\"\n  </Data>\n",
            columns[0], columns[1]
        )
    };
    let octets = data("octets", "if_octets", ["1.3.6.1.2.1.31.1.1.1.6", "1.3.6.1.2.1.31.1.1.1.10"]);
    let discards = data("discards", "if_dropped", ["1.3.6.1.2.1.2.2.1.13", "1.3.6.1.2.1.2.2.1.19"]);
    format!(
        "Hostname \"measured\"\nFQDNLookup false\nBaseDir \"{place}\"\nPIDFile \"{place}/collectd.pid\"\n\
         Interval {every_s}\nReadThreads 1\nWriteThreads 1\nLoadPlugin snmp\nLoadPlugin mqtt\n\
         <Plugin snmp>\n{octets}{discards}  <Host \"router\">\n    Address \"127.0.0.1:161\"\n    Version 2\n    \
         Community \"{}\"\n    Collect \"octets\" \"discards\"\n    Interval {every_s}\n    BulkSize 20\n  </Host>\n</Plugin>\n\
         <Plugin mqtt>\n  <Publish \"broker\">\n    Host \"127.0.0.1\"\n    Port {}\n    Prefix \"collectd\"\n    \
         StoreRates false\n  </Publish>\n</Plugin>\n",
        snmpd::COMMUNITY,
        station.port
    )
}

/// `5.12.0`, from the help's last line: `collectd 5.12.0, http://collectd.org/`.
fn version() -> anyhow::Result<String> {
    let output = Command::new("collectd").arg("-h").output().context("collectd -h")?;
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = help.lines().find_map(|line| line.trim().strip_prefix("collectd ")?.split([',', ' ']).next());
    let version = version.with_context(|| format!("collectd -h names no version: {}", help.trim()))?;
    ensure!(!version.is_empty(), "collectd -h names no version");
    Ok(version.to_owned())
}

fn collectd_says(collectd: &Process) -> String {
    let log = collectd.log();
    let lines: Vec<_> = log.lines().take(10).collect();
    format!("collectd said: {}", lines.join(" | "))
}
