//! The libraries in a package's programs, as CycloneDX 1.5 says it.

use std::{path::Path, process::Command};

use serde_json::{Value, json};

use super::VERSION;
use crate::place::{ask, cargo};

/// `packages` are cargo's, of which the programs are made; `name` is what they make together.
pub fn of(workspace: &Path, name: &str, packages: &[&str]) -> anyhow::Result<Vec<u8>> {
    let mut command = Command::new(cargo());
    command.args(["tree", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}\t{l}"]);
    for package in packages {
        command.arg("--package").arg(package);
    }
    let tree = ask(command.current_dir(workspace))?;
    let mut components: Vec<Value> = tree.lines().filter_map(|line| component(line, packages)).collect();
    components.sort_by_key(|one| one["purl"].as_str().unwrap_or_default().to_owned());
    components.dedup();
    Ok(serde_json::to_vec_pretty(&json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": { "component": { "type": "application", "name": name, "version": VERSION } },
        "components": components,
    }))?)
}

/// `serde v1.0.228<TAB>MIT OR Apache-2.0`, with ` (*)` behind it where cargo has shown it before.
fn component(line: &str, programs: &[&str]) -> Option<Value> {
    let (package, licence) = line.split_once('\t').unwrap_or((line, ""));
    let mut words = package.split(' ');
    let (name, version) = (words.next()?, words.next()?.trim_start_matches('v'));
    if programs.contains(&name) {
        return None;
    }
    Some(json!({
        "type": "library", "name": name, "version": version,
        "purl": format!("pkg:cargo/{name}@{version}"),
        "licenses": [{ "expression": licence.trim_end_matches(" (*)") }],
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_told_with_its_licence_and_the_programs_are_not() {
        let told = component("serde v1.0.228\tMIT OR Apache-2.0 (*)", &["takar"]).unwrap();
        assert_eq!((&told["purl"], &told["version"]), (&json!("pkg:cargo/serde@1.0.228"), &json!("1.0.228")));
        assert_eq!(told["licenses"], json!([{ "expression": "MIT OR Apache-2.0" }]));
        assert_eq!(component("takar v0.1.0 (/takar/collector)\tApache-2.0", &["takar"]), None);
        assert_eq!(component("", &["takar"]), None);
    }
}
