//! `takar maintenance`: what is worked on, from when until when, and why.

use std::{io, path::Path};

use super::{
    Failure, Printer, Tone,
    table::{Table, time},
};
use crate::view::{MaintenanceBody, MaintenanceView};

pub async fn list(socket: &Path, all: bool, out: &mut Printer<'_>) -> Result<(), Failure> {
    let path = if all { "/v1/maintenance?all=true" } else { "/v1/maintenance" };
    if let Some(rows) = super::get::<Vec<MaintenanceView>>(socket, path, out).await? {
        print(rows, out)?;
    }
    Ok(())
}

pub async fn add(socket: &Path, body: &MaintenanceBody, out: &mut Printer<'_>) -> Result<(), Failure> {
    if let Some(added) = super::post::<MaintenanceView>(socket, "/v1/maintenance", body, out).await? {
        out.line(&told(&added))?;
        if added.links.is_empty() {
            let what = format!("! {} {} has no links in the register in force", added.of, added.name);
            out.toned(Tone::Warn, &what)?;
        }
        out.line(&format!("next: takar maintenance end {}, where it ends before its time", added.id))?;
    }
    Ok(())
}

pub async fn end(socket: &Path, id: u64, out: &mut Printer<'_>) -> Result<(), Failure> {
    let path = format!("/v1/maintenance/{id}/end");
    if let Some(ended) = super::post::<MaintenanceView>(socket, &path, &(), out).await? {
        out.line(&format!(
            "maintenance {} of {} {} ended; its links are measured anew",
            ended.id, ended.of, ended.name
        ))?;
    }
    Ok(())
}

fn told(one: &MaintenanceView) -> String {
    let MaintenanceView { id, of, name, links, from, until, state, .. } = one;
    let (from, until) = (time(*from), time(*until));
    format!("maintenance {id} of {of} {name} ({} links), {state}: {from} to {until}", links.len())
}

fn print(rows: Vec<MaintenanceView>, out: &mut Printer<'_>) -> io::Result<()> {
    let mut table = Table::new(&["id", "state", "of", "links", "from", "until", "by", "reason"], &[0, 3]);
    for row in rows {
        let tone = match row.state.as_str() {
            "on" => Tone::Warn,
            "over" | "ended" => Tone::Quiet,
            _ => Tone::Plain,
        };
        let cells = vec![
            row.id.to_string(),
            row.state,
            format!("{} {}", row.of, row.name),
            row.links.len().to_string(),
            time(row.from),
            time(row.ended_at.map_or(row.until, |ended| ended.min(row.until))),
            row.added_by,
            row.reason,
        ];
        table.row(tone, cells);
    }
    table.print("no maintenance; takar maintenance add says what is worked on", out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::tests::printed;

    fn row(state: &str, ended_at: Option<u64>) -> MaintenanceView {
        MaintenanceView {
            id: 3,
            of: "site".into(),
            name: "sd-02".into(),
            links: vec!["sd-02".into()],
            from: 1_769_871_600_000,
            until: 1_769_875_200_000,
            reason: "the fibre is moved".into(),
            state: state.into(),
            added_at: 0,
            added_by: "siti".into(),
            ended_at,
            ended_by: None,
        }
    }

    #[test]
    fn a_row_says_what_until_when_and_why() {
        let text = printed(|out| print(vec![row("on", None), row("ended", Some(1_769_871_660_000))], out));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].contains("site sd-02") && lines[1].ends_with("siti  the fibre is moved"), "{text}");
        assert!(lines[1].contains(&time(1_769_875_200_000)) && lines[2].contains(&time(1_769_871_660_000)), "{text}");
    }

    #[test]
    fn none_says_what_to_do() {
        assert!(printed(|out| print(Vec::new(), out)).contains("takar maintenance add"));
    }
}
