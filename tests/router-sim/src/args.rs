//! The command line.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use anyhow::{Context as _, bail, ensure};
use clap::Parser;

use crate::{
    account::{Account, Described, Policies, Secret},
    config::{Config, add},
    filter::Filter,
    login::{Gate, LoginStyle},
    menus::Menus,
    pair::{BitsPerSec, Pair, read_rates},
    spec::Spec,
    target::{Subscriber, read_targets},
    traffic::{Plan, Profile},
    version::RosVersion,
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
    /// Where the API listens with TLS (TCP); without this it does not.
    #[arg(long)]
    pub api_ssl: Option<SocketAddr>,
    /// The certificate for it, in PEM. Without one it is made at start and written beside the ready file.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub certificate: Option<PathBuf>,
    /// The certificate's private key, in PEM.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub key: Option<PathBuf>,
    /// File that holds the SNMP community.
    #[arg(long, value_name = "FILE")]
    pub community_file: PathBuf,
    /// API user.
    #[arg(long)]
    pub user: String,
    /// File that holds the API password.
    #[arg(long, value_name = "FILE")]
    pub password_file: PathBuf,
    /// What that user's group allows.
    #[arg(long, value_name = "POLICIES", default_value = "api,read,write")]
    pub policy: Policies,
    /// A further user, such as watcher:password-file:api,read. Repeatable.
    #[arg(long, value_name = "NAME:FILE:POLICIES")]
    pub more_user: Vec<Described>,
    /// How users log in; by default as the release has it.
    #[arg(long, value_enum)]
    pub login: Option<LoginStyle>,
    /// The first simple queue, for the address whose traffic it is.
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
    /// A further simple queue, such as name=guests,target=10.1.0.0/24,max-limit=1M/2M; a target may come again. Beside
    /// the router's own properties: dynamic=yes and invalid=yes, and same-name=yes for a name that is taken.
    /// Repeatable.
    #[arg(long, value_name = "PROPERTY=VALUE,…")]
    pub simple: Vec<Spec>,
    /// A tree queue, such as name=down,parent=bridge-lan,max-limit=20M. A parent comes before its children. Under
    /// bridge-lan it is passed by what comes to the site, under ether1 by what leaves it, under global by both.
    /// Repeatable.
    #[arg(long, value_name = "PROPERTY=VALUE,…")]
    pub tree: Vec<Spec>,
    /// The address whose traffic it is; by default the first one that --queue is for.
    #[arg(long, value_name = "ADDRESS")]
    pub subscriber: Option<IpAddr>,
    /// The mark of packets that leave the site, by which tree queues know them.
    #[arg(long, value_name = "MARK", default_value = "")]
    pub packet_mark_up: String,
    /// The mark of packets that come to the site.
    #[arg(long, value_name = "MARK", default_value = "")]
    pub packet_mark_down: String,
    /// The firewall fasttracks: traffic passes over simple queues and over trees under global.
    #[arg(long)]
    pub fasttrack: bool,
    /// Where the JSON lines of what happened go; an older file is emptied.
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Written once the sockets listen: {"snmp":"address","api":"address"}, and where the API listens with TLS also
    /// "api_ssl":"address" and "certificate":"file".
    #[arg(long, value_name = "FILE")]
    pub ready: Option<PathBuf>,
    /// ifIndex of ether1; bridge-lan has the next one.
    #[arg(long, default_value_t = 1)]
    pub first_ifindex: u32,
    /// Which release the router behaves like, such as 6.42.12 or 7.16.
    #[arg(long, visible_alias = "version", default_value_t = RosVersion::V7_18)]
    pub ros_version: RosVersion,
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
        let menus = self.menus()?;
        let subscriber = self.subscriber();
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
            community: Secret::read(&self.community_file)?,
            gate: Gate {
                style: self.login.unwrap_or_else(|| LoginStyle::of(self.ros_version)),
                version: self.ros_version,
                accounts: accounts(self.user, Secret::read(&self.password_file)?, self.policy, self.more_user)?,
            },
            name: self.name,
            snmp: self.snmp,
            api: self.api,
            api_ssl: self.api_ssl,
            certificate: self.certificate.zip(self.key),
            queue: self.queue,
            subscriber,
            menus,
            log: self.log,
            first_ifindex: self.first_ifindex,
        })
    }

    fn subscriber(&self) -> Subscriber {
        let behind = || read_targets(&self.queue_target).as_deref().and_then(Subscriber::behind);
        let address = self.subscriber.or_else(behind).unwrap_or(IpAddr::V4(Ipv4Addr::new(192, 168, 88, 1)));
        Subscriber { address, marks: Pair { up: self.packet_mark_up.clone(), down: self.packet_mark_down.clone() } }
    }

    fn menus(&self) -> anyhow::Result<Menus> {
        let mut menus = Menus { filter: Filter::new(self.fasttrack), ..Menus::default() };
        let own = [
            ("name", self.queue.clone()),
            ("target", self.queue_target.clone()),
            ("max-limit", self.max_limit.to_string()),
            ("limit-at", self.limit_at.to_string()),
        ];
        add(&mut menus.simple, own)?;
        for (name, third) in self.extra_queue.iter().zip(0..=255_u8) {
            add(&mut menus.simple, [("name", name.clone()), ("target", format!("10.88.{third}.0/24"))])?;
        }
        for described in &self.simple {
            let mut spec = described.clone();
            let [dynamic, invalid, same_name] = ["dynamic", "invalid", "same-name"].map(|key| spec.take_flag(key));
            let (dynamic, invalid, same_name) = (dynamic?, invalid?, same_name?);
            let outcome = match dynamic || invalid || same_name {
                true => menus.simple.force(spec.attributes(), dynamic, invalid),
                false => menus.simple.add(spec.attributes()),
            };
            outcome.with_context(|| format!("--simple {:?}", spec.attributes()))?;
        }
        for spec in &self.tree {
            menus.tree.add(spec.attributes()).with_context(|| format!("--tree {:?}", spec.attributes()))?;
        }
        Ok(menus)
    }
}

fn accounts(user: String, password: Secret, policies: Policies, more: Vec<Described>) -> anyhow::Result<Vec<Account>> {
    let mut all = vec![Account { name: user, password, policies }];
    for described in more {
        let account = described.read()?;
        ensure!(all.iter().all(|other| other.name != account.name), "there are two users {:?}", account.name);
        all.push(account);
    }
    Ok(all)
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
        let names: Vec<String> = args.menus().unwrap().simple.rows().iter().map(|row| row.name.clone()).collect();
        assert_eq!(names, ["site", "a", "b"]);
        assert!(parse(&["--limit-at", "much"]).is_err());
        assert!(parse(&["--certificate", "a.pem"]).is_err());
        assert_eq!(parse(&["--version", "6.42.12"]).unwrap().ros_version, RosVersion::new(6, 42, 12));
    }

    #[test]
    fn queues_of_both_menus_can_be_described() {
        let args = parse(&[
            "--simple",
            "name=anna,target=192.168.88.7,target=192.168.88.8,dynamic=yes,place-before=site",
            "--simple",
            "name=site,same-name=yes,max-limit=1M/1M",
            "--tree",
            "name=down,parent=bridge-lan,max-limit=20M",
            "--tree",
            "name=vip,parent=down,packet-mark=vip",
            "--packet-mark-down",
            "vip",
            "--fasttrack",
        ]);
        let args = args.unwrap();
        let menus = args.menus().unwrap();
        let rows: Vec<(&str, bool)> = menus.simple.rows().iter().map(|row| (row.name.as_str(), row.dynamic)).collect();
        assert_eq!(rows, [("anna", true), ("site", false), ("site", false)]);
        assert_eq!(menus.simple.rows()[0].target(), "192.168.88.7/32,192.168.88.8/32");
        assert_eq!(menus.tree.rows().len(), 2);
        assert!(menus.filter.fasttracks());
        assert_eq!(args.subscriber(), crate::target::subscriber("192.168.88.1", "", "vip"));
        let elsewhere = parse(&["--subscriber", "10.0.0.9", "--queue-target", "bridge-lan"]).unwrap();
        assert_eq!(elsewhere.subscriber(), crate::target::subscriber("10.0.0.9", "", ""));
    }

    #[test]
    fn what_cannot_be_simulated_is_refused_with_its_reason() {
        assert!(refusal(&["--site", "6"]).contains("sites count from 0"));
        assert!(refusal(&["--sites", "1"]).contains("at least 2"));
        assert!(refusal(&["--day-s", "0"]).contains("--day-s"));
        assert!(refusal(&["--first-ifindex", "0"]).contains("InterfaceIndex"));
        assert!(refusal(&["--extra-queue", "site"]).contains("already have such name"));
        assert!(refusal(&["--simple", "name=site"]).contains("already have such name"));
        assert!(refusal(&["--simple", "name=a,dynamic=2"]).contains("dynamic=2"));
        assert!(refusal(&["--tree", "name=a,parent=b"]).contains("any value of parent"));
        assert!(refusal(&["--limit-at", "6M/1M"]).contains("upload-max-limit less than upload-limit"));
        assert!(refusal(&[]).contains("/nowhere/community"));
    }
}
