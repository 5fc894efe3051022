//! What a site asked for, and what its users come to.

mod when;

use alloc::{format, string::String};
use serde::Serialize;
use takar_shared::{BitsPerSec, Direction};

pub use when::{Weekdays, When};

use super::{
    Link, LinkName, NeedName, ProfileName, RawNeed, RawProfile, SiteName,
    place::{Place, Problems},
    rows::References,
};
use crate::calendar::Date;

const ALL_PER_MILLE: u32 = 1000;

/// What one user of a kind needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Profile {
    pub name: ProfileName,
    pub down: BitsPerSec,
    pub up: BitsPerSec,
    /// How many of a thousand users are active at once; 1 to 1000.
    pub concurrent_per_mille: u32,
}

impl Profile {
    /// What so many users need together: users × rate × concurrency, rounded up.
    pub fn rate(&self, users: u32, direction: Direction) -> BitsPerSec {
        let each = match direction {
            Direction::Down => self.down,
            Direction::Up => self.up,
        };
        // At most 2^64 × 2^32 × 1000, which u128 holds.
        let wide = u128::from(each.0) * u128::from(users) * u128::from(self.concurrent_per_mille);
        BitsPerSec(u64::try_from(wide.div_ceil(u128::from(ALL_PER_MILLE))).unwrap_or(u64::MAX))
    }
}

/// What a site asked for, of one of its links or of all of them together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Need {
    pub name: NeedName,
    pub site: SiteName,
    /// `None`: the site's links share it.
    pub link: Option<LinkName>,
    pub wants: Wants,
    pub when: When,
    pub asked_by: Option<String>,
    /// The letter that asked for it, by number.
    pub letter: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wants {
    /// At least one of them is there.
    Rates {
        down: Option<BitsPerSec>,
        up: Option<BitsPerSec>,
    },
    Users {
        users: u32,
        profile: Profile,
    },
}

impl Need {
    /// `None` where nothing was asked for in this direction.
    pub fn rate(&self, direction: Direction) -> Option<BitsPerSec> {
        match (&self.wants, direction) {
            (Wants::Rates { down, .. }, Direction::Down) => *down,
            (Wants::Rates { up, .. }, Direction::Up) => *up,
            (Wants::Users { users, profile }, direction) => Some(profile.rate(*users, direction)),
        }
    }

    /// Whether it holds at some hour of this day.
    pub fn in_force(&self, date: Date) -> bool {
        self.when.on(date)
    }
}

pub(super) fn profile(row: &RawProfile, place: &Place, problems: &mut Problems) -> Option<Profile> {
    let name = problems.name(place, "name", &row.name);
    problems.above_zero(place, "down_bps", Some(row.down_bps));
    problems.above_zero(place, "up_bps", Some(row.up_bps));
    let concurrent_per_mille = row.concurrent_per_mille.unwrap_or(ALL_PER_MILLE);
    if !(1..=ALL_PER_MILLE).contains(&concurrent_per_mille) {
        let what = format!("expected 1 to {ALL_PER_MILLE}, found {concurrent_per_mille}");
        problems.add(place.key("concurrent_per_mille"), what);
    }
    Some(Profile { name: name?, down: BitsPerSec(row.down_bps), up: BitsPerSec(row.up_bps), concurrent_per_mille })
}

/// What a need may refer to.
pub(super) struct NeedReader<'a> {
    pub(super) to_site: References<'a>,
    pub(super) to_link: References<'a>,
    pub(super) to_profile: References<'a>,
    pub(super) profiles: &'a [Profile],
    pub(super) links: &'a [Link],
}

impl NeedReader<'_> {
    pub(super) fn need(&self, row: &RawNeed, place: &Place, problems: &mut Problems) -> Option<Need> {
        let name = problems.name(place, "name", &row.name);
        let site: Option<SiteName> = self.to_site.resolve(place, "site", &row.site, problems);
        let link = match row.link.as_deref() {
            None => Some(None),
            Some(link) => self.link(link, site.as_ref(), place, problems).map(Some),
        };
        let wants = self.wants(row, place, problems);
        let when = when::when(row, place, problems);
        let asked_by = problems.text(place, "asked_by", row.asked_by.as_deref());
        let letter = problems.text(place, "letter", row.letter.as_deref());
        Some(Need { name: name?, site: site?, link: link?, wants: wants?, when: when?, asked_by, letter })
    }

    /// A link that exists, and is of this site.
    fn link(&self, text: &str, site: Option<&SiteName>, place: &Place, problems: &mut Problems) -> Option<LinkName> {
        let name: LinkName = self.to_link.resolve(place, "link", text, problems)?;
        let of = self.links.iter().find(|link| link.name == name).map(|link| &link.site);
        if let (Some(of), Some(site)) = (of, site)
            && of != site
        {
            problems.add(place.key("link"), format!("expected a link of site {site}, {name} is of {of}"));
            return None;
        }
        Some(name)
    }

    fn wants(&self, row: &RawNeed, place: &Place, problems: &mut Problems) -> Option<Wants> {
        let rates = row.down_bps.is_some() || row.up_bps.is_some();
        let users = row.users.is_some() || row.profile.is_some();
        let found = match (rates, users) {
            (true, false) => {
                problems.above_zero(place, "down_bps", row.down_bps);
                problems.above_zero(place, "up_bps", row.up_bps);
                return Some(Wants::Rates { down: row.down_bps.map(BitsPerSec), up: row.up_bps.map(BitsPerSec) });
            }
            (false, true) => return self.users(row, place, problems),
            (true, true) => "both",
            (false, false) => "neither",
        };
        let expected = "expected a rate (down_bps, up_bps) or users with their profile";
        problems.add(place.whole(), format!("{expected}, found {found}"));
        None
    }

    fn users(&self, row: &RawNeed, place: &Place, problems: &mut Problems) -> Option<Wants> {
        if row.users.is_none_or(|users| users == 0) {
            let found = row.users.map_or("none", |_| "0");
            problems.add(place.key("users"), format!("expected how many users there are, found {found}"));
        }
        let Some(profile) = &row.profile else {
            problems.add(place.key("profile"), "expected the profile of the users, found none");
            return None;
        };
        let profile: ProfileName = self.to_profile.resolve(place, "profile", profile, problems)?;
        let profile = self.profiles.iter().find(|known| known.name == profile)?.clone();
        Some(Wants::Users { users: row.users?, profile })
    }
}
