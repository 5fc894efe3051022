//! `targets.toml`: which processors there are.

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

const TABLE: &str = include_str!("../targets.toml");

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    pub name: String,
    pub triple: String,
    pub devices: String,
    pub openwrt: Vec<String>,
    /// As `dpkg --print-architecture` says it.
    pub debian: Option<String>,
    pub routeros: Option<RouterOs>,
    pub qemu: String,
    #[serde(default)]
    pub rustflags: Vec<String>,
    /// Octets.
    pub budget: u64,
}

/// A platform of container images.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RouterOs {
    pub architecture: String,
    pub variant: Option<String>,
}

#[derive(Deserialize)]
struct Table {
    target: Vec<Target>,
}

pub fn all() -> anyhow::Result<Vec<Target>> {
    Ok(toml::from_str::<Table>(TABLE).context("targets.toml")?.target)
}

/// By name or triple; every name that is none of them is told at once.
pub fn chosen(names: &[String], take_all: bool) -> anyhow::Result<Vec<Target>> {
    let all = all()?;
    if take_all {
        return Ok(all);
    }
    let is = |target: &Target, name: &String| target.name == *name || target.triple == *name;
    let unknown: Vec<&str> =
        names.iter().filter(|name| !all.iter().any(|one| is(one, name))).map(String::as_str).collect();
    if !unknown.is_empty() || names.is_empty() {
        let known: Vec<&str> = all.iter().map(|target| target.name.as_str()).collect();
        let what = if names.is_empty() { "no target was named".to_owned() } else { unknown.join(", ") };
        bail!("{what}: expected --all or some of {}", known.join(", "));
    }
    Ok(all.into_iter().filter(|target| names.iter().any(|name| is(target, name))).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_table_reads_and_names_are_told_apart() {
        let all = all().unwrap();
        let names: HashSet<&str> = all.iter().flat_map(|one| [one.name.as_str(), one.triple.as_str()]).collect();
        assert_eq!(names.len(), all.len() * 2);
        assert!(all.iter().all(|one| !one.devices.is_empty() && !one.openwrt.is_empty()));
        assert!(all.iter().all(|one| one.triple.contains("-linux-musl")), "static, for any firmware");
    }

    #[test]
    fn wrong_names_are_told_all_at_once() {
        let names = ["mips".to_owned(), "sparc".to_owned(), "vax".to_owned()];
        let problem = chosen(&names, false).unwrap_err().to_string();
        assert!(problem.starts_with("sparc, vax: expected --all or some of aarch64, "), "{problem}");
        assert!(chosen(&[], false).is_err());
        assert_eq!(chosen(&["armv5te-unknown-linux-musleabi".into()], false).unwrap()[0].name, "armv5te");
    }
}
