//! `takar inventory draft`: a register to begin with, made of what is there already.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Failure, Printer, Tone};
use crate::{api::client, register, view::ReportedView};

/// Of the devices that agents report and of those in probe files; to a new file, or to standard output.
pub async fn draft(
    socket: &Path,
    target: Option<&Path>,
    probes: &[PathBuf],
    out: &mut Printer<'_>,
) -> Result<(), Failure> {
    let (mut problems, mut probed) = (Vec::new(), Vec::new());
    for file in probes {
        match register::read_probes(file) {
            Ok(found) => probed.extend(found),
            Err(problem) => problems.push(problem),
        }
    }
    if let Some(path) = target.filter(|path| path.symlink_metadata().is_ok()) {
        problems.push(format!("{} exists; expected what is not there yet", path.display()));
    }
    if !problems.is_empty() {
        return Err(Failure::Problems(problems));
    }
    let reported: Vec<ReportedView> = super::read(client::get(socket, "/v1/devices/reported").await?)?;
    let draft = register::draft(&reported, &probed).ok_or_else(|| {
        Failure::problem("no enrolled agent has reported a device, and no --probe FILE was given: nothing to draft")
    })?;
    let (links, doubtful) = (draft.links, draft.doubtful);
    let Some(path) = target else {
        if out.wants_json() {
            out.json(&Drafted { written: None, text: Some(&draft.text), links, doubtful })?;
            return Ok(());
        }
        for line in draft.text.lines() {
            out.line(line)?;
        }
        return Ok(());
    };
    register::write_new(&draft.text, path).map_err(Failure::problem)?;
    if out.wants_json() {
        out.json(&Drafted { written: Some(path), text: None, links, doubtful })?;
        return Ok(());
    }
    let shown = path.display();
    let tone = if doubtful == 0 { Tone::Good } else { Tone::Warn };
    out.toned(tone, &format!("{shown}: {links} links drafted, {doubtful} rows are doubtful"))?;
    out.line(&format!("next: look at it, then takar import {shown} --dry-run"))?;
    Ok(())
}

#[derive(Serialize)]
struct Drafted<'a> {
    written: Option<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    links: usize,
    doubtful: usize,
}
