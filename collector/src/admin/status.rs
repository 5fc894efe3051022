//! `takar status`: what needs a person first, then the numbers.

use std::{io, path::Path};

use super::{Failure, Printer, Tone, table::time};
use crate::view::StatusView;

pub async fn show(socket: &Path, out: &mut Printer<'_>) -> Result<(), Failure> {
    if let Some(status) = super::get::<StatusView>(socket, "/v1/status", out).await? {
        print(&status, out)?;
    }
    Ok(())
}

fn print(status: &StatusView, out: &mut Printer<'_>) -> io::Result<()> {
    for notice in &status.notices {
        out.toned(Tone::Warn, &format!("! {notice}"))?;
    }
    let StatusView { version, network, samples_stored, messages_refused, audit_size, audit_root, .. } = status;
    let connected = if status.broker_connected { "connected" } else { "not connected" };
    let facts = [
        ("takar", format!("{version}, up since {}", time(status.started_at))),
        ("network", network.clone()),
        ("broker", format!("{}, {connected}", status.broker)),
        ("agents", format!("{} of {} online", status.agents_online, status.agents)),
        ("inventory", format!("{} uplinks, {} links", status.uplinks, status.links)),
        ("findings", format!("{} open", status.findings_open)),
        ("proposals", format!("{} waiting for a decision", status.proposals_waiting)),
        ("changes", format!("{} under way", status.changes_open)),
        ("cases", format!("{} open, {} overdue", status.cases_open, status.cases_overdue)),
        ("samples", format!("{samples_stored} stored; {messages_refused} messages refused")),
        ("audit log", format!("{audit_size} records, root {audit_root}")),
    ];
    for (name, fact) in facts {
        let tone = if name == "broker" && !status.broker_connected { Tone::Bad } else { Tone::Plain };
        out.toned(tone, &format!("{name:<10} {fact}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::tests::printed;

    #[test]
    fn problems_come_first() {
        let mut status = StatusView {
            version: "0.1.0".into(),
            network: "00".into(),
            started_at: 0,
            now: 0,
            broker: "mqtts://broker:8883".into(),
            broker_connected: false,
            agents_online: 1,
            agents: 2,
            uplinks: 1,
            links: 3,
            findings_open: 1,
            proposals_waiting: 1,
            changes_open: 0,
            cases_open: 2,
            cases_overdue: 1,
            samples_stored: 12,
            messages_refused: 0,
            audit_size: 4,
            audit_root: "ab".into(),
            notices: vec!["agent core-2 was not heard of for 9 minutes".into()],
        };
        let text = printed(|out| print(&status, out));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "! agent core-2 was not heard of for 9 minutes");
        assert!(text.contains("broker     mqtts://broker:8883, not connected"), "{text}");
        assert!(text.contains("cases      2 open, 1 overdue"), "{text}");
        assert!(text.contains("agents     1 of 2 online"), "{text}");
        status.broker_connected = true;
        status.notices.clear();
        assert!(printed(|out| print(&status, out)).starts_with("takar      0.1.0, up since "));
    }
}
