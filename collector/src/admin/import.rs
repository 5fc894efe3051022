//! `takar import` and `takar check-config`: files in, problems out.

use std::path::Path;

use takar_collector_core::inventory::Validated;

use super::{Failure, Printer, Tone};
use crate::{
    config::Config,
    inventory_file,
    view::{ErrorView, ImportBody, ImportView},
};

pub async fn import(socket: &Path, file: &Path, dry_run: bool, out: &mut Printer<'_>) -> Result<(), Failure> {
    let text = read_text(file)?;
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
    let shown = file.display();
    let found = inventory_file::parse(&read_text(file)?);
    found.map_err(|problems| {
        Failure::Problems(problems.into_iter().map(|problem| format!("{shown}: {problem}")).collect())
    })
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
