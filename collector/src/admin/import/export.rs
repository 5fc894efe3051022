//! `takar export` and `takar import --template`: the register in force, or an empty one, as people keep it.

use std::path::Path;

use serde::Serialize;

use super::super::{Failure, Printer, read, table::time};
use crate::{api::client, register, view::RegisterView};

/// Writes the register in force, or as it was at a time, to a new `.xlsx` or `.toml` file or a new folder of CSV files;
/// for `-` to standard output, as TOML.
pub async fn export(socket: &Path, target: &Path, as_of: Option<u64>, out: &mut Printer<'_>) -> Result<(), Failure> {
    let RegisterView { at, by, text } = in_force(socket, as_of).await?;
    if target == Path::new("-") {
        // As it was imported, comments and all.
        out.write(format_args!("{}", text.trim_end()))?;
        return Ok(());
    }
    register::write_to(&text, target).map_err(Failure::problem)?;
    written(target, &format!("the register that {by} imported at {}", time(at)), out)
}

/// Writes an empty register with explanations, to begin with. Needs no daemon.
pub fn template(target: &Path, out: &mut Printer<'_>) -> Result<(), Failure> {
    register::write_template(target).map_err(Failure::problem)?;
    written(target, "an empty register; what each column holds is explained in it", out)
}

pub(super) async fn in_force(socket: &Path, as_of: Option<u64>) -> Result<RegisterView, Failure> {
    let path = match as_of {
        None => "/v1/register".to_owned(),
        Some(at) => format!("/v1/register?as_of={at}"),
    };
    read(client::get(socket, &path).await?)
}

fn written(target: &Path, what: &str, out: &mut Printer<'_>) -> Result<(), Failure> {
    if out.wants_json() {
        out.json(&Written { written: target.display().to_string() })?;
    } else {
        out.line(&format!("{}: {what}", target.display()))?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Written {
    written: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_written_without_the_daemon_and_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("register.toml");
        let mut bytes = Vec::new();
        template(&path, &mut Printer::new(&mut bytes, false, false)).unwrap();
        assert!(String::from_utf8(bytes).unwrap().starts_with(&format!("{}: an empty register; ", path.display())));
        assert!(register::read(&path).unwrap().check().unwrap().inventory.links().is_empty());
    }
}
