//! The command line, and the configuration it amounts to once every value is checked.

use std::{
    fmt, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use clap::{Parser, ValueEnum};

use crate::{
    pair::{BitsPerSec, Pair, read_rates},
    table::Table,
    traffic::{Plan, Profile},
};

/// Simulates one MikroTik router: SNMP v2c, the RouterOS binary API, and a queue that shapes generated traffic.
#[derive(Clone, Debug, Parser)]
#[command(name = "router-sim")]
pub struct Args {
    /// The router's identity and sysName.
    #[arg(long)]
    pub name: String,
    /// Traffic is the same for the same seed, site and time.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Which of the sites this is, from 0.
    #[arg(long, default_value_t = 0)]
    pub site: u32,
    /// How many sites share the uplink.
    #[arg(long, default_value_t = 6)]
    pub sites: u32,
    /// Capacity of the shared uplink towards the sites, in bit/s.
    #[arg(long)]
    pub capacity_down_bps: u64,
    /// Capacity of the shared uplink away from the sites, in bit/s.
    #[arg(long)]
    pub capacity_up_bps: u64,
    /// Length of one simulated day, in seconds.
    #[arg(long, default_value_t = 86_400)]
    pub day_s: u64,
    /// How demand is spread over the sites.
    #[arg(long, value_enum, default_value_t = Profile::Skewed)]
    pub profile: Profile,
    /// Where SNMP listens (UDP).
    #[arg(long, default_value = "127.0.0.1:0")]
    pub snmp: SocketAddr,
    /// Where the API listens (TCP).
    #[arg(long, default_value = "127.0.0.1:0")]
    pub api: SocketAddr,
    /// File that holds the SNMP community.
    #[arg(long, value_name = "FILE")]
    pub community_file: PathBuf,
    /// API user.
    #[arg(long)]
    pub user: String,
    /// File that holds the API password.
    #[arg(long, value_name = "FILE")]
    pub password_file: PathBuf,
    /// The simple queue that the traffic passes.
    #[arg(long)]
    pub queue: String,
    #[arg(long, default_value = "192.168.88.0/24")]
    pub queue_target: String,
    /// Ceiling of that queue, such as 10M/10M; 0 is unlimited.
    #[arg(long, value_name = "UP/DOWN", value_parser = read_rates)]
    pub max_limit: Pair<BitsPerSec>,
    /// Guarantee of that queue.
    #[arg(long, value_name = "UP/DOWN", value_parser = read_rates, default_value = "0/0")]
    pub limit_at: Pair<BitsPerSec>,
    /// A further queue, without traffic. Repeatable.
    #[arg(long, value_name = "NAME")]
    pub extra_queue: Vec<String>,
    /// Where the JSON lines of what happened go; an older file is emptied.
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Written once both sockets listen: {"snmp":"address","api":"address"}.
    #[arg(long, value_name = "FILE")]
    pub ready: Option<PathBuf>,
    /// ifIndex of ether1; bridge-lan has the next one.
    #[arg(long, default_value_t = 1)]
    pub first_ifindex: u32,
    #[arg(long, value_enum, default_value_t = RosVersion::V7_18)]
    pub ros_version: RosVersion,
}

/// Which release the API behaves like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RosVersion {
    /// An empty result is `!done` alone.
    #[value(name = "7.16")]
    V7_16,
    /// An empty result is `!empty`, then `!done`.
    #[value(name = "7.18")]
    V7_18,
}

impl fmt::Display for RosVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V7_16 => "7.16",
            Self::V7_18 => "7.18",
        })
    }
}

/// What a secret file holds; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Checked, with the secrets read.
#[derive(Debug)]
pub struct Config {
    pub name: String,
    pub plan: Plan,
    pub snmp: SocketAddr,
    pub api: SocketAddr,
    pub community: Secret,
    pub user: String,
    pub password: Secret,
    pub queue: String,
    pub table: Table,
    pub log: Option<PathBuf>,
    pub first_ifindex: u32,
    pub version: RosVersion,
}

impl Args {
    pub fn into_config(self) -> anyhow::Result<Config> {
        ensure!(self.site < self.sites, "--site {} is not below --sites {}: sites count from 0", self.site, self.sites);
        if self.profile == Profile::Skewed && self.sites < 2 {
            bail!("--profile skewed needs at least 2 --sites: one that wants more and one that leaves some");
        }
        ensure!(self.sites <= 10_000, "--sites {} is above 10000", self.sites);
        ensure!(self.capacity_down_bps > 0 && self.capacity_up_bps > 0, "a capacity of 0 bit/s carries no traffic");
        ensure!(self.extra_queue.len() <= 256, "more than 256 --extra-queue: each has a /24 of 10.88.0.0/16");
        ensure!(self.day_s > 0, "--day-s must be at least 1");
        ensure!(
            (1..i32::MAX as u32).contains(&self.first_ifindex),
            "--first-ifindex {} is no InterfaceIndex (1 to 2147483646)",
            self.first_ifindex
        );
        let table = self.table()?;
        let capacity = Pair { up: BitsPerSec(self.capacity_up_bps), down: BitsPerSec(self.capacity_down_bps) };
        Ok(Config {
            plan: Plan {
                seed: self.seed,
                site: self.site,
                sites: self.sites,
                capacity,
                day_s: self.day_s,
                profile: self.profile,
            },
            community: read_secret(&self.community_file)?,
            password: read_secret(&self.password_file)?,
            name: self.name,
            snmp: self.snmp,
            api: self.api,
            user: self.user,
            queue: self.queue,
            table,
            log: self.log,
            first_ifindex: self.first_ifindex,
            version: self.ros_version,
        })
    }

    fn table(&self) -> anyhow::Result<Table> {
        let mut table = Table::default();
        let own = [
            ("name", self.queue.clone()),
            ("target", self.queue_target.clone()),
            ("max-limit", self.max_limit.to_string()),
            ("limit-at", self.limit_at.to_string()),
        ];
        add(&mut table, own)?;
        for (name, third) in self.extra_queue.iter().zip(0..=255_u8) {
            add(&mut table, [("name", name.clone()), ("target", format!("10.88.{third}.0/24"))])?;
        }
        Ok(table)
    }
}

fn add<const N: usize>(table: &mut Table, arguments: [(&str, String); N]) -> anyhow::Result<()> {
    let attributes = arguments.map(|(argument, value)| (argument.to_owned(), value));
    table.add(&attributes).with_context(|| format!("queue with {attributes:?}"))?;
    Ok(())
}

/// The file's content without the line end that editors put there.
fn read_secret(path: &Path) -> anyhow::Result<Secret> {
    let mut secret = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    while secret.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        secret.pop();
    }
    ensure!(!secret.is_empty(), "{} is empty, expected a secret", path.display());
    Ok(Secret(secret))
}

/// A busy site of six with a queue `site` held to 5/10 Mbit/s and a plain queue `guests`.
#[cfg(test)]
pub(crate) fn for_tests(version: RosVersion) -> Config {
    let capacity = Pair { up: BitsPerSec(30_000_000), down: BitsPerSec(60_000_000) };
    let mut table = Table::default();
    add(&mut table, [("name", "site".to_owned()), ("max-limit", "5M/10M".to_owned())]).unwrap();
    add(&mut table, [("name", "guests".to_owned())]).unwrap();
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let site = crate::traffic::busy_sites(1, 6)[0];
    Config {
        name: "r1".to_owned(),
        plan: Plan { seed: 1, site, sites: 6, capacity, day_s: 60, profile: Profile::Skewed },
        snmp: anywhere,
        api: anywhere,
        community: Secret(b"takes-care".to_vec()),
        user: "takar".to_owned(),
        password: Secret(b"secret".to_vec()),
        queue: "site".to_owned(),
        table,
        log: None,
        first_ifindex: 1,
        version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUIRED: [&str; 17] = [
        "router-sim",
        "--name",
        "r1",
        "--capacity-down-bps",
        "60000000",
        "--capacity-up-bps",
        "30000000",
        "--community-file",
        "/nowhere/community",
        "--user",
        "takar",
        "--password-file",
        "/nowhere/password",
        "--queue",
        "site",
        "--max-limit",
        "5M/10M",
    ];

    fn parse(more: &[&str]) -> Result<Args, clap::Error> {
        Args::try_parse_from(REQUIRED.iter().chain(more))
    }

    fn refusal(more: &[&str]) -> String {
        format!("{:#}", parse(more).unwrap().into_config().unwrap_err())
    }

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory as _;
        Args::command().debug_assert();
        let args = parse(&["--ros-version", "7.16", "--profile", "fair", "--extra-queue", "a", "--extra-queue", "b"]);
        let args = args.unwrap();
        assert_eq!(args.max_limit, Pair { up: BitsPerSec(5_000_000), down: BitsPerSec(10_000_000) });
        assert_eq!((args.ros_version, args.profile), (RosVersion::V7_16, Profile::Fair));
        let names: Vec<String> = args.table().unwrap().rows().iter().map(|row| row.name.clone()).collect();
        assert_eq!(names, ["site", "a", "b"]);
        assert!(parse(&["--limit-at", "much"]).is_err());
    }

    #[test]
    fn what_cannot_be_simulated_is_refused_with_its_reason() {
        assert!(refusal(&["--site", "6"]).contains("sites count from 0"));
        assert!(refusal(&["--sites", "1"]).contains("at least 2"));
        assert!(refusal(&["--day-s", "0"]).contains("--day-s"));
        assert!(refusal(&["--first-ifindex", "0"]).contains("InterfaceIndex"));
        assert!(refusal(&["--extra-queue", "site"]).contains("already have such name"));
        assert!(refusal(&["--limit-at", "6M/1M"]).contains("upload-max-limit less than upload-limit"));
        assert!(refusal(&[]).contains("/nowhere/community"));
    }
}
