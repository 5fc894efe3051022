//! The simulated routers: one a site, all behind one uplink that starts out split into equal parts.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Context as _;
use serde::Deserialize;

use super::{
    args::Args,
    evidence::PerDirection,
    place::{Place, write_private},
};
use crate::process::{Process, wait_for};

/// Of the uplink, in bit/s.
pub const CAPACITY: PerDirection<u64> = PerDirection { down: 100_000_000, up: 40_000_000 };
/// What every site keeps in any case, in bit/s: its queue's limit-at, and the floor of its ceiling.
pub const GUARANTEE_BPS: u64 = 1_000_000;
pub const QUEUE: &str = "site";
pub const USER: &str = "takar";
/// Rates are multiples of this, as the planner's are.
const GRANULE_BPS: u64 = 8_000;

pub struct Router {
    pub name: String,
    /// host:port
    pub snmp: String,
    /// host:port
    pub api: String,
    pub log: PathBuf,
    process: Process,
}

pub struct Routers {
    pub all: Vec<Router>,
    /// Each site's at the start, in bit/s.
    pub ceiling: PerDirection<u64>,
    pub community_file: PathBuf,
    pub password_file: PathBuf,
}

/// What `router-sim` writes once it listens.
#[derive(Deserialize)]
struct Ready {
    snmp: String,
    api: String,
}

impl Routers {
    pub fn start(args: &Args, binaries: &Path, place: &Place) -> anyhow::Result<Self> {
        let folder = place.folder("routers")?;
        let (community_file, password_file) = (folder.join("community"), folder.join("password"));
        write_private(&community_file, "takar-demo\n")?;
        write_private(&password_file, "router-password\n")?;
        let share = |capacity: u64| capacity / u64::from(args.sites) / GRANULE_BPS * GRANULE_BPS;
        let ceiling = PerDirection { down: share(CAPACITY.down), up: share(CAPACITY.up) };
        let mut routers = Self { all: Vec::new(), ceiling, community_file, password_file };
        let mut started = Vec::new();
        for site in 0..args.sites {
            let name = format!("site-{}", site + 1);
            let command = routers.command(args, site, &name, &binaries.join("router-sim"), &folder);
            started.push((Process::start(&name, command, &folder.join(format!("{name}.out")))?, name));
        }
        for (mut process, name) in started {
            let ready = folder.join(format!("{name}.ready"));
            let text = wait_for(&format!("router {name}"), Duration::from_secs(10), || {
                process.check()?;
                Ok(std::fs::read_to_string(&ready).ok())
            })?;
            let Ready { snmp, api } = serde_json::from_str(&text).with_context(|| ready.display().to_string())?;
            let log = folder.join(format!("{name}.jsonl"));
            routers.all.push(Router { name, snmp, api, log, process });
        }
        Ok(routers)
    }

    pub fn check(&mut self) -> anyhow::Result<()> {
        self.all.iter_mut().try_for_each(|router| router.process.check())
    }

    pub fn logs(&self) -> Vec<&Path> {
        self.all.iter().map(|router| router.log.as_path()).collect()
    }

    fn command(&self, args: &Args, site: u32, name: &str, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .args(["--name", name, "--queue", QUEUE, "--user", USER, "--profile", args.profile(), "--day-s", "600"])
            .args(["--seed", &args.seed.to_string(), "--site", &site.to_string(), "--sites", &args.sites.to_string()])
            .args(["--capacity-down-bps", &CAPACITY.down.to_string()])
            .args(["--capacity-up-bps", &CAPACITY.up.to_string()])
            .args(["--max-limit", &format!("{}/{}", self.ceiling.up, self.ceiling.down)])
            .args(["--limit-at", &format!("{GUARANTEE_BPS}/{GUARANTEE_BPS}")])
            .arg("--community-file")
            .arg(&self.community_file)
            .arg("--password-file")
            .arg(&self.password_file)
            .arg("--log")
            .arg(folder.join(format!("{name}.jsonl")))
            .arg("--ready")
            .arg(folder.join(format!("{name}.ready")));
        command
    }
}
