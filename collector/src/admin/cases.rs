//! `takar cases`, `takar case`, `takar bod`: the procedure, what is overdue on top.

use std::{io, path::Path};

use serde_json::{Value, json};

use super::{
    Failure, Printer, Tone,
    table::{Table, UNKNOWN, or_unknown, time, time_or_unknown},
};
use crate::view::{BodBody, CaseActBody, CaseDetailView, CaseView, OpenCaseBody, StepView};

pub async fn list(socket: &Path, all: bool, out: &mut Printer<'_>) -> Result<(), Failure> {
    let path = if all { "/v1/cases?all=true" } else { "/v1/cases" };
    if let Some(cases) = super::get::<Vec<CaseView>>(socket, path, out).await? {
        print_list(&cases, if all { "no cases" } else { "no open cases; takar cases --all shows the others" }, out)?;
    }
    Ok(())
}

pub async fn show(socket: &Path, id: u64, out: &mut Printer<'_>) -> Result<(), Failure> {
    if let Some(case) = super::get::<CaseDetailView>(socket, &format!("/v1/cases/{id}"), out).await? {
        print_case(&case, out)?;
    }
    Ok(())
}

pub async fn open(socket: &Path, body: &OpenCaseBody, out: &mut Printer<'_>) -> Result<(), Failure> {
    if let Some(case) = super::post::<CaseDetailView>(socket, "/v1/cases", body, out).await? {
        print_case(&case, out)?;
    }
    Ok(())
}

pub async fn bod(socket: &Path, body: &BodBody, out: &mut Printer<'_>) -> Result<(), Failure> {
    if let Some(case) = super::post::<CaseDetailView>(socket, "/v1/bod", body, out).await? {
        print_case(&case, out)?;
        out.line(&format!("next: takar case {} grant, by the head of the team", case.row.id))?;
    }
    Ok(())
}

pub async fn act(socket: &Path, id: u64, body: &CaseActBody, out: &mut Printer<'_>) -> Result<(), Failure> {
    if let Some(case) = super::post::<CaseDetailView>(socket, &format!("/v1/cases/{id}"), body, out).await? {
        print_case(&case, out)?;
    }
    Ok(())
}

const HEADER: &[&str] = &["case", "kind", "uplink", "dir", "state", "step", "clock", "due", "waits for", "opened by"];

fn print_list(cases: &[CaseView], when_empty: &str, out: &mut Printer<'_>) -> io::Result<()> {
    let mut table = Table::new(HEADER, &[0]);
    for case in cases {
        let tone = match (case.overdue, case.state.as_str(), &case.waits_for) {
            (true, ..) => Tone::Bad,
            (_, "archived" | "dismissed", _) => Tone::Quiet,
            (_, _, Some(_)) => Tone::Warn,
            _ => Tone::Plain,
        };
        let cells = vec![
            case.id.to_string(),
            case.kind.clone(),
            case.uplink.clone(),
            case.direction.clone(),
            if case.overdue { format!("{}, overdue", case.state) } else { case.state.clone() },
            format!("{}/6", case.step),
            clock(case.worked_ms, case.standard_minutes),
            time_or_unknown(case.due_at),
            or_unknown(case.waits_for.clone()),
            case.origin.clone(),
        ];
        table.row(tone, cells);
    }
    table.print(when_empty, out)
}

/// Working minutes so far, of those that the procedure allows.
fn clock(worked_ms: u64, standard_minutes: u32) -> String {
    format!("{}/{standard_minutes} min", worked_ms / 60_000)
}

fn print_case(case: &CaseDetailView, out: &mut Printer<'_>) -> io::Result<()> {
    let row = &case.row;
    let tone = if row.overdue { Tone::Bad } else { Tone::Heading };
    let head = format!("case {}: {} of {} {}, {}", row.id, row.kind, row.uplink, row.direction, row.state);
    out.toned(tone, &head)?;
    out.line(&format!("  opened {} by {}: {}", time(row.opened_at), row.opened_by, row.origin))?;
    if let Some(until) = row.until {
        out.line(&format!("  until {}", time(until)))?;
    }
    print_steps(&case.steps, out)?;
    for evidence in &case.evidence {
        let digest = evidence.digest.get(..16).unwrap_or(&evidence.digest);
        out.line(&format!("  evidence {} {} {digest}", time(evidence.at), evidence.kind))?;
        print_evidence(&evidence.kind, &evidence.what, out)?;
    }
    for proposal in &case.proposals {
        out.line(&format!("  proposal {}: {}", proposal.id, proposal.state))?;
    }
    if let Some(remarks) = case.case["remarks"].as_array() {
        for remark in remarks {
            let by = remark["by"]["person"].as_str().or(remark["by"].as_str()).unwrap_or(UNKNOWN);
            out.line(&format!("  {by}: {}", remark["text"].as_str().unwrap_or_default()))?;
        }
    }
    for paper in &case.papers {
        out.line(&format!("  {} {}", paper.kind, paper.number))?;
        for file in &paper.files {
            out.line(&format!("    {}", file.path))?;
        }
    }
    if !case.may.is_empty() {
        out.toned(Tone::Quiet, &format!("  you may: {}", case.may.join(", ")))?;
    }
    Ok(())
}

const STEPS: &[&str] = &["step", "round", "began", "took", "result", "owner", "note"];

fn print_steps(steps: &[StepView], out: &mut Printer<'_>) -> io::Result<()> {
    let mut table = Table::new(STEPS, &[1]);
    for step in steps {
        let tone = match (step.overdue, step.result.as_str()) {
            (true, _) | (_, "rolled-back") => Tone::Bad,
            (_, "running") => Tone::Plain,
            _ => Tone::Quiet,
        };
        let result = if step.paused { "paused".to_owned() } else { step.result.clone() };
        let cells = vec![
            format!("{} {}", step.number, step.step),
            step.round.to_string(),
            time(step.began_at),
            clock(step.worked_ms, step.standard_minutes),
            if step.overdue { format!("{result}, overdue") } else { result },
            step.owner.clone(),
            or_unknown(step.note.clone()),
        ];
        table.row(tone, cells);
    }
    table.print("no steps", out)
}

fn print_evidence(kind: &str, what: &Value, out: &mut Printer<'_>) -> io::Result<()> {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    match kind {
        "verification" => {
            for check in what["checks"].as_array().into_iter().flatten() {
                let line = format!("    {} {}: {}", text(check, "what"), text(check, "outcome"), text(check, "told"));
                out.line(&line)?;
            }
        }
        "options" => {
            for way in what.as_array().into_iter().flatten() {
                let chosen = if way["chosen"] == json!(true) { "*" } else { " " };
                out.line(&format!("   {chosen}{}: {}", text(way, "way"), text(way, "note")))?;
            }
        }
        "check" => {
            for row in what.as_array().into_iter().flatten() {
                let (link, verdict) = (text(row, "link"), text(row, "verdict"));
                out.line(&format!("    {link} {verdict}: {}", text(row, "why")))?;
            }
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::tests::printed;

    fn row(id: u64, overdue: bool) -> CaseView {
        CaseView {
            id,
            kind: "reallocation".into(),
            uplink: "ast-01".into(),
            direction: "down".into(),
            links: vec!["sd-02".into()],
            state: "coordinate".into(),
            step: 3,
            round: 1,
            owner: "takar".into(),
            opened_at: 0,
            opened_by: "takar".into(),
            origin: "finding 1".into(),
            due_at: Some(1_800_000),
            worked_ms: 1_860_000,
            standard_minutes: 30,
            overdue,
            proposal: None,
            waits_for: Some("approve".into()),
            report: None,
            until: None,
        }
    }

    #[test]
    fn what_is_overdue_says_so() {
        let text = printed(|out| print_list(&[row(7, true), row(8, false)], "none", out));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].contains("coordinate, overdue") && lines[1].contains("31/30 min"), "{text}");
        assert!(!lines[2].contains("overdue"), "{text}");
    }
}
