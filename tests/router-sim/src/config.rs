//! What the command line amounts to once every value is checked.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Context as _;

use crate::{account::Secret, login::Gate, menus::Menus, table::Table, target::Subscriber, traffic::Plan};

/// Checked, with the secrets read.
#[derive(Debug)]
pub struct Config {
    pub name: String,
    pub plan: Plan,
    pub snmp: SocketAddr,
    pub api: SocketAddr,
    pub api_ssl: Option<SocketAddr>,
    /// The certificate's file and that of its key.
    pub certificate: Option<(PathBuf, PathBuf)>,
    pub community: Secret,
    pub gate: Gate,
    pub queue: String,
    pub subscriber: Subscriber,
    pub menus: Menus,
    pub log: Option<PathBuf>,
    pub first_ifindex: u32,
}

/// Adds a simple queue.
pub(crate) fn add<const N: usize>(table: &mut Table, arguments: [(&str, String); N]) -> anyhow::Result<()> {
    let attributes = arguments.map(|(argument, value)| (argument.to_owned(), value));
    table.add(&attributes).with_context(|| format!("queue with {attributes:?}"))?;
    Ok(())
}

/// A busy site of six with a queue `site` held to 5/10 Mbit/s and a plain queue `guests`.
#[cfg(test)]
pub(crate) fn for_tests(version: crate::version::RosVersion) -> Config {
    use crate::{
        account::{Account, Policies},
        login::LoginStyle,
        pair::{BitsPerSec, Pair},
        traffic::Profile,
    };

    let capacity = Pair { up: BitsPerSec(30_000_000), down: BitsPerSec(60_000_000) };
    let mut menus = Menus::default();
    add(&mut menus.simple, [("name", "site".to_owned()), ("max-limit", "5M/10M".to_owned())]).unwrap();
    add(&mut menus.simple, [("name", "guests".to_owned())]).unwrap();
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let site = crate::traffic::busy_sites(1, 6)[0];
    let takar = Account { name: "takar".to_owned(), password: Secret::new(b"secret"), policies: Policies::FULL };
    Config {
        name: "r1".to_owned(),
        plan: Plan { seed: 1, site, sites: 6, capacity, day_s: 60, profile: Profile::Skewed },
        snmp: anywhere,
        api: anywhere,
        api_ssl: None,
        certificate: None,
        community: Secret::new(b"takes-care"),
        gate: Gate { style: LoginStyle::New, version, accounts: vec![takar] },
        queue: "site".to_owned(),
        subscriber: crate::target::subscriber("192.168.88.1", "", ""),
        menus,
        log: None,
        first_ifindex: 1,
    }
}
