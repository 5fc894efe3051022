//! The inventory, or register: who sells which uplinks by which contract, which sites share them over which links, how
//! each link is shaped, and what the sites asked for.
//!
//! It exists only as the result of [`validate`], so whoever holds an [`Inventory`] need not check references, bounds
//! or names again. Rates are integer bit/s; [`Direction`] is the subscriber's view.

mod budget;
mod contact;
mod contract;
mod mode;
mod name;
mod need;
mod notice;
mod place;
mod raw;
mod rows;
mod side;
mod validate;

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::fmt;
use serde::{Deserialize, Serialize};
use takar_shared::{BitsPerSec, Direction, Name, queue::Shaper};

pub use budget::BudgetLine;
pub use contract::Contract;
pub use mode::{BadMode, LinkMode};
pub use name::{BadName, ContractName, LinkName, NeedName, ProfileName, ProviderName, SiteName, UplinkName};
pub use need::{Need, Profile, Wants, Weekdays, When};
pub use notice::{ContractDiffers, Differs, Notice, OverBudget};
pub use place::Problem;
pub use raw::{
    RawContract, RawHoliday, RawInventory, RawLink, RawNeed, RawProfile, RawProvider, RawSide, RawSite, RawUplink, Row,
};
pub use rows::Named;
pub use validate::{Validated, validate};

use crate::calendar::{Date, Zone};

/// Everything Takar may touch. Each list is sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Inventory {
    providers: Vec<Provider>,
    uplinks: Vec<Uplink>,
    sites: Vec<Site>,
    links: Vec<Link>,
    contracts: Vec<Contract>,
    profiles: Vec<Profile>,
    needs: Vec<Need>,
    holidays: BTreeMap<Date, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Provider {
    pub name: ProviderName,
    pub title: String,
    pub address: Option<String>,
    pub contact: Option<String>,
    pub email: Option<String>,
    /// Where requests are posted to.
    pub webhook: Option<String>,
}

/// Capacity bought from a provider, shared by the links that name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Uplink {
    pub name: UplinkName,
    pub provider: ProviderName,
    pub down: BitsPerSec,
    pub up: BitsPerSec,
    pub contention: Contention,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Site {
    pub name: SiteName,
    pub title: String,
    pub users: Option<u32>,
    pub profile: Option<ProfileName>,
    pub zone: Option<Zone>,
    /// Who answers for it.
    pub head: Option<String>,
}

/// One site's path through one uplink: where it is metered, where it is shaped, how much it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    pub name: LinkName,
    pub title: Option<String>,
    pub site: SiteName,
    pub uplink: UplinkName,
    /// The device its shapers are on, as its agent names it.
    pub device: Name,
    pub meter: LinkMeter,
    /// 1 to 1000; a share of scarce capacity is in proportion to it.
    pub weight: u32,
    /// First and last day of the allocation; `None`: without end.
    pub valid_from: Option<Date>,
    pub valid_to: Option<Date>,
    /// What the register says; `None`: nothing, so that what was set stays.
    pub mode: Option<LinkMode>,
    pub down: Side,
    pub up: Side,
}

/// Where a link's traffic is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkMeter {
    /// IF-MIB counters of this ifName (never a bare ifIndex, which moves at a reboot).
    Interface(Name),
    /// The counters of the link's own queues.
    Queues,
}

/// One direction of a link. `floor <= mir <= ceiling` and `cir <= mir` hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Side {
    pub shaper: Shaper,
    /// Guarantee; absent where the backend has none (CAKE).
    pub cir: Option<BitsPerSec>,
    /// The ceiling in force when the inventory was written.
    pub mir: BitsPerSec,
    /// Takar never sets `mir` below this...
    pub floor: BitsPerSec,
    /// ...nor above this.
    pub ceiling: BitsPerSec,
}

/// How far the ceilings of an uplink's links may add up beyond its capacity, in thousandths: 1000 is not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Contention(pub u32);

impl Contention {
    pub const ONE: Self = Self(1000);
}

impl Default for Contention {
    fn default() -> Self {
        Self::ONE
    }
}

/// `1.25`, three digits at most.
impl fmt::Display for Contention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1000, self.0 % 1000);
        match rest {
            r if r % 100 == 0 => write!(f, "{whole}.{}", r / 100),
            r if r % 10 == 0 => write!(f, "{whole}.{:02}", r / 10),
            r => write!(f, "{whole}.{r:03}"),
        }
    }
}

impl Uplink {
    pub fn capacity(&self, direction: Direction) -> BitsPerSec {
        match direction {
            Direction::Down => self.down,
            Direction::Up => self.up,
        }
    }

    /// What the ceilings of its links may add up to: capacity × contention.
    pub fn mir_budget(&self, direction: Direction) -> BitsPerSec {
        self.capacity(direction).per_mille(self.contention.0)
    }
}

impl Link {
    pub fn side(&self, direction: Direction) -> &Side {
        match direction {
            Direction::Down => &self.down,
            Direction::Up => &self.up,
        }
    }
}

impl Inventory {
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }
    pub fn uplinks(&self) -> &[Uplink] {
        &self.uplinks
    }
    pub fn sites(&self) -> &[Site] {
        &self.sites
    }
    pub fn links(&self) -> &[Link] {
        &self.links
    }
    pub fn contracts(&self) -> &[Contract] {
        &self.contracts
    }
    pub fn profiles(&self) -> &[Profile] {
        &self.profiles
    }
    pub fn needs(&self) -> &[Need] {
        &self.needs
    }
    /// The days on which offices are closed, and why.
    pub fn holidays(&self) -> &BTreeMap<Date, String> {
        &self.holidays
    }

    pub fn provider(&self, name: &ProviderName) -> Option<&Provider> {
        find(&self.providers, name, |provider| &provider.name)
    }
    pub fn uplink(&self, name: &UplinkName) -> Option<&Uplink> {
        find(&self.uplinks, name, |uplink| &uplink.name)
    }
    pub fn site(&self, name: &SiteName) -> Option<&Site> {
        find(&self.sites, name, |site| &site.name)
    }
    pub fn link(&self, name: &LinkName) -> Option<&Link> {
        find(&self.links, name, |link| &link.name)
    }
    pub fn contract(&self, name: &ContractName) -> Option<&Contract> {
        find(&self.contracts, name, |contract| &contract.name)
    }
    pub fn profile(&self, name: &ProfileName) -> Option<&Profile> {
        find(&self.profiles, name, |profile| &profile.name)
    }

    /// The links that share an uplink, by name.
    pub fn members(&self, uplink: &UplinkName) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(move |link| link.uplink == *uplink)
    }
    /// The links that are shaped on a device, by name.
    pub fn links_on(&self, device: &str) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(move |link| link.device.as_str() == device)
    }

    /// What a site asked for, by name.
    pub fn needs_of(&self, site: &SiteName) -> impl Iterator<Item = &Need> {
        self.needs.iter().filter(move |need| need.site == *site)
    }
    /// The contract an uplink is under on this day; of several the one that ends last.
    pub fn contract_on(&self, uplink: &UplinkName, date: Date) -> Option<&Contract> {
        let of = self.contracts.iter().filter(|contract| contract.uplink == *uplink && contract.in_force(date));
        of.max_by_key(|contract| (contract.ends, contract.begins))
    }

    fn sorted(mut self) -> Self {
        self.providers.sort_by(|a, b| a.name.cmp(&b.name));
        self.uplinks.sort_by(|a, b| a.name.cmp(&b.name));
        self.sites.sort_by(|a, b| a.name.cmp(&b.name));
        self.links.sort_by(|a, b| a.name.cmp(&b.name));
        self.contracts.sort_by(|a, b| a.name.cmp(&b.name));
        self.profiles.sort_by(|a, b| a.name.cmp(&b.name));
        self.needs.sort_by(|a, b| a.name.cmp(&b.name));
        self
    }
}

/// `rows` are sorted by name: [`Inventory::sorted`] made them so.
fn find<'a, T, N: Ord>(rows: &'a [T], name: &N, name_of: impl Fn(&T) -> &N) -> Option<&'a T> {
    rows.binary_search_by(|row| name_of(row).cmp(name)).ok().and_then(|index| rows.get(index))
}
