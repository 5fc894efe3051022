//! The inventory: who sells which uplinks, which sites share them over which links, and how each link is shaped.
//!
//! It exists only as the result of [`validate`], so whoever holds an [`Inventory`] need not check references, bounds
//! or names again. Rates are integer bit/s; [`Direction`] is the subscriber's view.

mod budget;
mod name;
mod place;
mod raw;
mod rows;
mod side;
mod validate;

use alloc::{string::String, vec::Vec};
use core::fmt;
use serde::{Deserialize, Serialize};
use takar_shared::{BitsPerSec, Direction, Name, queue::Shaper};

pub use budget::{BudgetLine, Notice};
pub use name::{BadName, LinkName, ProviderName, SiteName, UplinkName};
pub use place::Problem;
pub use raw::{RawInventory, RawLink, RawProvider, RawSide, RawSite, RawUplink, Row};
pub use validate::{Validated, validate};

/// Everything Takar may touch. Each list is sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Inventory {
    providers: Vec<Provider>,
    uplinks: Vec<Uplink>,
    sites: Vec<Site>,
    links: Vec<Link>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Provider {
    pub name: ProviderName,
    pub title: String,
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

    /// The links that share an uplink, by name.
    pub fn members(&self, uplink: &UplinkName) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(move |link| link.uplink == *uplink)
    }
    /// The links that are shaped on a device, by name.
    pub fn links_on(&self, device: &str) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(move |link| link.device.as_str() == device)
    }

    fn new(mut providers: Vec<Provider>, mut uplinks: Vec<Uplink>, mut sites: Vec<Site>, mut links: Vec<Link>) -> Self {
        providers.sort_by(|a, b| a.name.cmp(&b.name));
        uplinks.sort_by(|a, b| a.name.cmp(&b.name));
        sites.sort_by(|a, b| a.name.cmp(&b.name));
        links.sort_by(|a, b| a.name.cmp(&b.name));
        Self { providers, uplinks, sites, links }
    }
}

/// `rows` are sorted by name: [`Inventory::new`] is the only way to make them.
fn find<'a, T, N: Ord>(rows: &'a [T], name: &N, name_of: impl Fn(&T) -> &N) -> Option<&'a T> {
    rows.binary_search_by(|row| name_of(row).cmp(name)).ok().and_then(|index| rows.get(index))
}
