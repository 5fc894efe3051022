//! `takar papers`, `takar summary`, `takar archive verify`.

use std::path::Path;

use super::{
    Failure, Printer, Tone,
    table::{Table, or_unknown, time},
};
use crate::view::{ArchiveView, PaperView, SummaryBody};

pub async fn list(socket: &Path, out: &mut Printer<'_>) -> Result<(), Failure> {
    let Some(papers) = super::get::<Vec<PaperView>>(socket, "/v1/papers", out).await? else { return Ok(()) };
    let mut table = Table::new(&["number", "kind", "case", "written", "files"], &[2]);
    for paper in papers {
        let files: Vec<&str> = paper.files.iter().map(|file| file.path.as_str()).collect();
        let case = or_unknown(paper.case.map(|id| id.to_string()));
        let cells = vec![paper.number.clone(), paper.kind.clone(), case, time(paper.at), files.join(" ")];
        table.row(Tone::Plain, cells);
    }
    table.print("no papers yet", out)?;
    Ok(())
}

pub async fn summary(socket: &Path, body: &SummaryBody, out: &mut Printer<'_>) -> Result<(), Failure> {
    if super::post::<serde_json::Value>(socket, "/v1/summaries", body, out).await?.is_some() {
        out.line("the summary is being drawn; takar papers shows it in a moment")?;
    }
    Ok(())
}

/// `false` where something was altered.
pub async fn verify(socket: &Path, out: &mut Printer<'_>) -> Result<bool, Failure> {
    let view = super::read::<ArchiveView>(crate::api::client::get(socket, "/v1/archive/verify").await?)?;
    if out.wants_json() {
        out.json(&view)?;
        return Ok(view.ok);
    }
    for fault in &view.faults {
        out.toned(Tone::Bad, fault)?;
    }
    let (papers, files, folder) = (view.papers, view.files, &view.folder);
    let (tone, verdict) =
        if view.ok { (Tone::Good, "the archive holds") } else { (Tone::Bad, "the archive does not hold") };
    out.toned(tone, &format!("{verdict}: {papers} papers, {files} files in {folder}"))?;
    Ok(view.ok)
}
