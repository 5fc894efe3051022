//! `takar import` and `takar check-config`: files in, problems out. The daemon takes TOML; what is kept in
//! spreadsheets is checked here first, so that problems carry the places of the spreadsheet.

mod export;

use std::path::Path;

use takar_collector_core::inventory::Validated;

pub use export::{export, template};

use super::{Failure, Printer, Tone};
use crate::{
    api::client::{self, ClientError},
    config::Config,
    register,
    view::{ErrorView, ImportBody, ImportView, StatusView},
};

/// `file`: TOML, `.csv` (one table), `.xlsx`, or a folder of CSV files. Tables that a spreadsheet does not have stay
/// as they are in force.
pub async fn import(socket: &Path, file: &Path, dry_run: bool, out: &mut Printer<'_>) -> Result<(), Failure> {
    let text = if register::is_toml(file) {
        // As it is: on record is the file that people have.
        read_text(file)?
    } else {
        converted(socket, file, out).await?
    };
    let body = ImportBody { file: file.display().to_string(), text, dry_run };
    let Some(done) = super::post::<ImportView>(socket, "/v1/import", &body, out).await? else {
        return Ok(());
    };
    let ImportView { uplinks, sites, links, changed, .. } = done;
    let verdict = match (dry_run, changed) {
        (true, true) => "can be imported; dry run: nothing was stored",
        (true, false) => "is what is in force already; dry run",
        (false, true) => "imported",
        (false, false) => "is what is in force already; nothing changed",
    };
    for notice in &done.notices {
        out.toned(Tone::Warn, &format!("! {notice}"))?;
    }
    out.line(&format!("{}: {verdict}; {uplinks} uplinks, {sites} sites, {links} links", body.file))?;
    Ok(())
}

/// The config of `takar serve`, read and found right by the caller.
pub fn config_is_right(path: &Path, config: &Config, out: &mut Printer<'_>) -> Result<(), Failure> {
    if !out.wants_json() {
        let (state, socket) = (config.state_dir.display(), config.socket.display());
        out.toned(Tone::Good, &format!("{}: ok; state in {state}, socket {socket}", path.display()))?;
    }
    Ok(())
}

/// Reads and checks an inventory without asking the daemon.
pub fn read_inventory(file: &Path) -> Result<Validated, Failure> {
    register::read(file).and_then(|tables| tables.check()).map_err(Failure::Problems)
}

pub fn inventory_is_right(file: &Path, valid: &Validated, out: &mut Printer<'_>) -> Result<(), Failure> {
    if out.wants_json() {
        return Ok(());
    }
    for notice in &valid.notices {
        out.toned(Tone::Warn, &format!("! {notice}"))?;
    }
    let inventory = &valid.inventory;
    let (uplinks, sites, links) = (inventory.uplinks().len(), inventory.sites().len(), inventory.links().len());
    let shown = file.display();
    out.toned(Tone::Good, &format!("{shown}: ok; {uplinks} uplinks, {sites} sites, {links} links"))?;
    Ok(())
}

/// What was checked, for programs: no problems, or the ones it failed for.
pub fn checked(failure: Option<&Failure>, out: &mut Printer<'_>) -> Result<(), Failure> {
    if out.wants_json() {
        let problems = failure.map(ToString::to_string).unwrap_or_default().lines().map(str::to_owned).collect();
        out.json(&ErrorView { problems })?;
    }
    Ok(())
}

/// A spreadsheet as TOML, checked together with what is in force.
async fn converted(socket: &Path, file: &Path, out: &mut Printer<'_>) -> Result<String, Failure> {
    let mut tables = register::read(file).map_err(Failure::Problems)?;
    let absent = tables.absent();
    if !absent.is_empty() {
        let base = text_in_force(socket).await?;
        tables = tables.over(&base).map_err(Failure::Problems)?;
        if !out.wants_json() && !base.is_empty() {
            let what = format!("{}: without {}, which stay as they are in force", file.display(), absent.join(", "));
            out.toned(Tone::Quiet, &what)?;
        }
    }
    tables.check().map_err(Failure::Problems)?;
    Ok(register::write_toml(tables.raw()))
}

/// Empty where no register is in force yet. That the daemon could not read it is another matter, and an error.
async fn text_in_force(socket: &Path) -> Result<String, Failure> {
    let refused = match export::in_force(socket, None).await {
        Ok(view) => return Ok(view.text),
        Err(Failure::Client(ClientError::Refused(problems))) => problems,
        Err(other) => return Err(other),
    };
    let status: StatusView = super::read(client::get(socket, "/v1/status").await?)?;
    if status.uplinks + status.links == 0 { Ok(String::new()) } else { Err(ClientError::Refused(refused).into()) }
}

fn read_text(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file)
        .map_err(|error| Failure::problem(format!("{} cannot be read: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked_json(failure: Option<&Failure>) -> String {
        let mut bytes = Vec::new();
        checked(failure, &mut Printer::new(&mut bytes, true, false)).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn problems_are_told_to_programs_too() {
        assert_eq!(checked_json(None), "{\"problems\":[]}\n");
        let failure = Failure::Problems(vec!["broker: missing".into(), "socket: relative".into()]);
        assert_eq!(checked_json(Some(&failure)), "{\"problems\":[\"broker: missing\",\"socket: relative\"]}\n");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = read_text(Path::new("/nowhere/inventory.toml")).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/inventory.toml cannot be read"), "{error}");
    }
}
