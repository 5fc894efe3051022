//! From rows to an [`Inventory`], or to everything that is wrong with them.

use alloc::{
    collections::{BTreeMap, btree_map::Entry},
    format,
    string::{String, ToString as _},
    vec::Vec,
};
use takar_shared::{BitsPerSec, Direction, Name, id::Quoted, queue::Shaper};

use super::{
    Contention, Inventory, Link, LinkMeter, LinkMode, Notice, Problem, Provider, RawHoliday, RawInventory, RawLink,
    RawProvider, RawSite, RawUplink, Row, Side, Site, Uplink, contact, contract,
    need::{self, NeedReader},
    notice,
    place::{Place, Problems},
    rows::{self, References},
    side::side,
};
use crate::calendar::{Date, Zone};

/// Between the extremes a share can differ by a factor of 1000, which is more than any network's tiers do.
const LEAST_WEIGHT: u32 = 1;
const MOST_WEIGHT: u32 = 1000;
const DEFAULT_WEIGHT: u32 = 10;

/// An inventory that can be used, and what its owner should know about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validated {
    pub inventory: Inventory,
    pub notices: Vec<Notice>,
}

/// Checks every row, reference and sum. The problems come in the order of the tables.
pub fn validate(raw: &RawInventory) -> Result<Validated, Vec<Problem>> {
    let mut problems = Problems::default();
    let providers = rows::build(&raw.providers, &mut problems, provider);
    let (to_provider, to_uplink) = (References::to(&raw.providers), References::to(&raw.uplinks));
    let uplinks =
        rows::build(&raw.uplinks, &mut problems, |row, place, problems| uplink(row, place, &to_provider, problems));
    let to_profile = References::to(&raw.profiles);
    let sites = rows::build(&raw.sites, &mut problems, |row, place, problems| site(row, place, &to_profile, problems));
    let links = links(raw, &uplinks, &mut problems);
    let contracts = rows::build(&raw.contracts, &mut problems, |row, place, problems| {
        contract::contract(row, place, &to_provider, &to_uplink, problems)
    });
    let profiles = rows::build(&raw.profiles, &mut problems, need::profile);
    let reader = NeedReader {
        to_site: References::to(&raw.sites),
        to_link: References::to(&raw.links),
        to_profile,
        profiles: &profiles,
        links: &links,
    };
    let needs = rows::build(&raw.needs, &mut problems, |row, place, problems| reader.need(row, place, problems));
    let holidays = rows::build(&raw.holidays, &mut problems, holiday).into_iter().collect();
    let inventory = Inventory { providers, uplinks, sites, links, contracts, profiles, needs, holidays }.sorted();
    guarantees_fit(&inventory, &raw.uplinks, &mut problems);

    let problems = problems.into_vec();
    if problems.is_empty() {
        let notices = notice::notices(&inventory);
        return Ok(Validated { inventory, notices });
    }
    Err(problems)
}

fn provider(row: &RawProvider, place: &Place, problems: &mut Problems) -> Option<Provider> {
    let (name, title) = (problems.name(place, "name", &row.name), problems.title(place, &row.title));
    let address = problems.text(place, "address", row.address.as_deref());
    let contact = problems.text(place, "contact", row.contact.as_deref());
    let email = contact::email(row.email.as_deref(), place, problems);
    let webhook = contact::webhook(row.webhook.as_deref(), place, problems);
    Some(Provider { name: name?, title: title?, address, contact, email, webhook })
}

fn site(row: &RawSite, place: &Place, to_profile: &References<'_>, problems: &mut Problems) -> Option<Site> {
    let (name, title) = (problems.name(place, "name", &row.name), problems.title(place, &row.title));
    let profile = row.profile.as_deref();
    let profile = profile.and_then(|profile| to_profile.resolve(place, "profile", profile, problems));
    let zone = row.zone.as_deref().and_then(|text| {
        let zone: Option<Zone> = text.parse().ok();
        if zone.is_none() {
            problems.add(place.key("zone"), format!("expected WIB, WITA or WIT, found {}", Quoted(text)));
        }
        zone
    });
    let head = problems.text(place, "head", row.head.as_deref());
    Some(Site { name: name?, title: title?, users: row.users, profile, zone, head })
}

fn holiday(row: &RawHoliday, place: &Place, problems: &mut Problems) -> Option<(Date, String)> {
    let (date, title) = (problems.date(place, "date", Some(&row.date)), problems.title(place, &row.title));
    Some((date??, title?))
}

fn uplink(row: &RawUplink, place: &Place, to_provider: &References<'_>, problems: &mut Problems) -> Option<Uplink> {
    let name = problems.name(place, "name", &row.name);
    let provider = to_provider.resolve(place, "provider", &row.provider, problems);
    for (key, rate) in [("down_bps", row.down_bps), ("up_bps", row.up_bps)] {
        if rate == 0 {
            problems.add(place.key(key), "expected a capacity above 0 bit/s");
        }
    }
    if row.contention_per_mille == Some(0) {
        problems.add(place.key("contention_per_mille"), "expected a ratio above 0 (1000 is 1.0)");
    }
    Some(Uplink {
        name: name?,
        provider: provider?,
        down: BitsPerSec(row.down_bps),
        up: BitsPerSec(row.up_bps),
        contention: row.contention_per_mille.map_or(Contention::ONE, Contention),
    })
}

fn links(raw: &RawInventory, uplinks: &[Uplink], problems: &mut Problems) -> Vec<Link> {
    let mut reader = LinkReader {
        to_site: References::to(&raw.sites),
        to_uplink: References::to(&raw.uplinks),
        uplinks,
        shapers: BTreeMap::new(),
    };
    rows::build(&raw.links, problems, |row, place, problems| reader.link(row, place, problems))
}

struct LinkReader<'a> {
    to_site: References<'a>,
    to_uplink: References<'a>,
    uplinks: &'a [Uplink],
    /// Every shaper taken so far, and where.
    shapers: BTreeMap<(Name, Shaper, Option<Direction>), String>,
}

impl LinkReader<'_> {
    fn link(&mut self, row: &RawLink, place: &Place, problems: &mut Problems) -> Option<Link> {
        let name = problems.name(place, "name", &row.name);
        let title = row.title.as_deref().map(|title| problems.title(place, title));
        let site = self.to_site.resolve(place, "site", &row.site, problems);
        let uplink = self.to_uplink.resolve(place, "uplink", &row.uplink, problems);
        // Also a topic level, though its agent chose it.
        let device = problems.topic_level(place, "device", &row.device);
        let meter = match &row.interface {
            None => Some(LinkMeter::Queues),
            Some(interface) => problems.device_side(place, "interface", interface).map(LinkMeter::Interface),
        };
        let weight = row.weight.unwrap_or(DEFAULT_WEIGHT);
        if !(LEAST_WEIGHT..=MOST_WEIGHT).contains(&weight) {
            problems.add(place.key("weight"), format!("expected {LEAST_WEIGHT} to {MOST_WEIGHT}, found {weight}"));
        }
        let capacity = |direction| {
            let found = self.uplinks.iter().find(|uplink| uplink.name.as_str() == row.uplink);
            found.map(|uplink| uplink.capacity(direction)).filter(|capacity| *capacity > BitsPerSec::ZERO)
        };
        let (from, to) = (("valid_from", row.valid_from.as_deref()), ("valid_to", row.valid_to.as_deref()));
        let valid = problems.days(place, from, to);
        let mode = row.mode.as_deref().and_then(|text| {
            let mode = text.parse::<LinkMode>();
            mode.map_err(|bad| problems.add(place.key("mode"), format!("{bad}, found {}", Quoted(text)))).ok()
        });
        let down = side(&row.down, &place.table("down"), capacity(Direction::Down), problems);
        let up = side(&row.up, &place.table("up"), capacity(Direction::Up), problems);
        if let Some(device) = &device {
            self.take(device, down.as_ref(), Direction::Down, place, problems);
            self.take(device, up.as_ref(), Direction::Up, place, problems);
        }
        let (valid_from, valid_to) = valid?;
        Some(Link {
            name: name?,
            title: title.flatten(),
            site: site?,
            uplink: uplink?,
            device: device?,
            meter: meter?,
            weight,
            valid_from,
            valid_to,
            mode,
            down: down?,
            up: up?,
        })
    }

    /// Two links on one shaper would undo each other's changes.
    fn take(
        &mut self,
        device: &Name,
        side: Option<&Side>,
        direction: Direction,
        place: &Place,
        problems: &mut Problems,
    ) {
        let Some(shaper) = side.map(|side| &side.shaper) else {
            return;
        };
        // A class shapes what leaves its interface, so it cannot be down and up at once; a simple queue or an SQM
        // section can.
        let side_of = (!matches!(shaper, Shaper::Class { .. })).then_some(direction);
        let at = place.table(direction.as_str()).whole();
        match self.shapers.entry((device.clone(), shaper.clone(), side_of)) {
            Entry::Occupied(taken) => {
                let (earlier, shaper) = (taken.get(), shaper.to_string());
                // A queue's name may have any character, and this goes to a terminal.
                let shaper = shaper.escape_debug();
                problems.add(at, format!("expected a shaper of its own, {earlier} has {shaper} on {device}"));
            }
            Entry::Vacant(free) => {
                free.insert(at);
            }
        }
    }
}

/// What is guaranteed must exist. Links that were themselves a problem are left out, so a sum found here is real.
fn guarantees_fit(inventory: &Inventory, rows: &[Row<RawUplink>], problems: &mut Problems) {
    for line in inventory.budget() {
        if line.capacity == BitsPerSec::ZERO || line.sum_cir <= line.capacity {
            continue;
        }
        let name = line.uplink.as_str();
        let index = rows.iter().position(|row| matches!(row, Row::Read(raw) if raw.name == name)).unwrap_or(0);
        let (sum, capacity, direction) = (line.sum_cir, line.capacity, line.direction);
        let key = match direction {
            Direction::Down => "down_bps",
            Direction::Up => "up_bps",
        };
        problems.add(
            Place::row("uplink", index, Some(name)).key(key),
            format!("expected at least the guarantees (cir_bps) of its links, which add up to {sum}, found {capacity}"),
        );
    }
}
