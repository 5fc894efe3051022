//! `takar audit`: the log as it was written, and whether it still is.

use std::{io, path::Path};

use super::{
    Failure, Printer, Tone,
    table::{Table, time},
};
use crate::{
    api::client,
    view::{AuditView, VerifyView},
};

pub async fn list(socket: &Path, from: u64, out: &mut Printer<'_>) -> Result<(), Failure> {
    if let Some(records) = super::get::<Vec<AuditView>>(socket, &format!("/v1/audit?from={from}"), out).await? {
        print_records(records, from, out)?;
    }
    Ok(())
}

/// Does it hold? Also told where the answer is shown as JSON.
pub async fn verify(socket: &Path, out: &mut Printer<'_>) -> Result<bool, Failure> {
    let view = client::get(socket, "/v1/audit/verify").await?;
    let verified: VerifyView = super::read(view.clone())?;
    if out.wants_json() {
        out.json(&view)?;
    } else {
        print_verdict(&verified, out)?;
    }
    Ok(holds(&verified))
}

/// A fault is a fault, whatever the summary says.
fn holds(verified: &VerifyView) -> bool {
    verified.ok && verified.faults.is_empty()
}

fn print_records(records: Vec<AuditView>, from: u64, out: &mut Printer<'_>) -> io::Result<()> {
    let mut table = Table::new(&["index", "at", "who", "event", "record"], &[0]);
    for record in records {
        let cells =
            vec![record.index.to_string(), time(record.at), record.who, record.event, record.record.to_string()];
        table.row(Tone::Plain, cells);
    }
    table.print(&format!("no records from {from} on"), out)
}

fn print_verdict(verified: &VerifyView, out: &mut Printer<'_>) -> io::Result<()> {
    let VerifyView { records, changes, root, faults, .. } = verified;
    for fault in faults {
        out.toned(Tone::Bad, &format!("fault: {fault}"))?;
    }
    if holds(verified) {
        out.toned(Tone::Good, "the audit log holds")?;
    } else {
        out.toned(Tone::Bad, "the audit log does not hold; see docs/operate.md before anything is changed")?;
    }
    out.line(&format!("{records} records, every one of {changes} changes looked up, root {root}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::admin::tests::printed;

    fn verified(ok: bool, faults: Vec<serde_json::Value>) -> VerifyView {
        VerifyView { ok, records: 12, changes: 3, root: "ab".into(), faults }
    }

    #[test]
    fn a_fault_is_told_first() {
        let fault = json!({ "fault": "no-leaf", "change": "c1" });
        let text = printed(|out| print_verdict(&verified(false, vec![fault.clone()]), out));
        assert!(text.starts_with("fault: {"), "{text}");
        assert!(text.contains("does not hold"), "{text}");
        assert!(!holds(&verified(true, vec![fault])));
        assert!(!holds(&verified(false, Vec::new())));
    }

    #[test]
    fn a_log_that_holds_says_what_was_looked_at() {
        let text = printed(|out| print_verdict(&verified(true, Vec::new()), out));
        assert_eq!(text, "the audit log holds\n12 records, every one of 3 changes looked up, root ab\n");
    }

    #[test]
    fn records_are_a_line_each() {
        let record = AuditView {
            index: 4,
            at: 0,
            who: "siti".into(),
            event: "approved".into(),
            record: json!({ "index": 4, "why": "two\nlines" }),
        };
        let text = printed(|out| print_records(vec![record], 4, out));
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.contains("{\"index\":4,\"why\":\"two\\nlines\"}"), "{text}");
        assert_eq!(printed(|out| print_records(Vec::new(), 9, out)), "no records from 9 on\n");
    }
}
