//! `cargo cross package`: what is installed on routers, with sums and a list of what is in it.

mod container;
mod debian;
mod openwrt;
mod tree;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::{
    build::Built,
    place::{Place, ask},
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Makes the packages of what was built, in a folder of its own; gives the folder.
pub fn package(place: &Place, built: &[Built]) -> anyhow::Result<PathBuf> {
    let folder = place.build().join("packages");
    fs::create_dir_all(&folder)?;
    let mut sums: Vec<(String, String)> = Vec::new();
    let mut keep = |name: String, bytes: &[u8]| -> anyhow::Result<()> {
        fs::write(folder.join(&name), bytes).with_context(|| name.clone())?;
        sums.push((name, container::hex(bytes)));
        Ok(())
    };
    for one in built {
        let agent = fs::read(&one.file).with_context(|| one.file.display().to_string())?;
        let target = &one.target;
        keep(format!("takar-agent-{VERSION}-{}", target.name), &agent)?;
        for architecture in &target.openwrt {
            keep(format!("takar-agent_{VERSION}-1_{architecture}.ipk"), &openwrt::ipk(architecture, VERSION, &agent)?)?;
        }
        if let Some(architecture) = &target.debian {
            keep(format!("takar-agent_{VERSION}-1_{architecture}.deb"), &debian::deb(architecture, VERSION, &agent)?)?;
        }
        if let Some(platform) = &target.routeros {
            let of = format!("{}{}", platform.architecture, platform.variant.as_deref().unwrap_or_default());
            let archive = container::archive(platform, VERSION, &agent)?;
            keep(format!("takar-agent-{VERSION}-routeros-{of}.tar"), &archive)?;
        }
    }
    keep("takar-agent.cdx.json".into(), &serde_json::to_vec_pretty(&contents(&place.workspace)?)?)?;
    sums.sort();
    let lines: String = sums.iter().map(|(name, sum)| format!("{sum}  {name}\n")).collect();
    fs::write(folder.join("SHA256SUMS"), lines)?;
    Ok(folder)
}

/// The libraries in the agent, as CycloneDX 1.5 says it.
fn contents(workspace: &Path) -> anyhow::Result<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let words = ["tree", "--locked", "--package", "takar-agent", "--edges", "normal", "--prefix", "none"];
    let tree = ask(Command::new(cargo).args(words).args(["--format", "{p}\t{l}"]).current_dir(workspace))?;
    let mut components: Vec<Value> = Vec::new();
    for line in tree.lines() {
        let (package, licence) = line.split_once('\t').unwrap_or((line, ""));
        let mut words = package.split(' ');
        let (Some(name), Some(version)) = (words.next(), words.next()) else { continue };
        let version = version.trim_start_matches('v');
        let licence = licence.trim_end_matches(" (*)");
        let component = json!({
            "type": "library", "name": name, "version": version,
            "purl": format!("pkg:cargo/{name}@{version}"),
            "licenses": [{ "expression": licence }],
        });
        if name != "takar-agent" && !components.contains(&component) {
            components.push(component);
        }
    }
    components.sort_by_key(|one| one["purl"].as_str().unwrap_or_default().to_owned());
    Ok(json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": { "component": { "type": "application", "name": "takar-agent", "version": VERSION } },
        "components": components,
    }))
}
