//! What a provider promised for an uplink: rates, price and dates.

use alloc::{format, string::String};
use serde::Serialize;
use takar_shared::{BitsPerSec, Direction};

use super::{
    ContractName, ProviderName, RawContract, UplinkName,
    place::{Place, Problems},
    rows::References,
};
use crate::calendar::Date;

/// `begins <= ends` holds, and what is promised towards networks abroad is at most what is promised at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contract {
    pub name: ContractName,
    pub provider: ProviderName,
    pub uplink: UplinkName,
    /// As it stands on the paper.
    pub number: String,
    pub down: BitsPerSec,
    pub up: BitsPerSec,
    /// Where less is promised towards networks abroad.
    pub international_down: Option<BitsPerSec>,
    pub international_up: Option<BitsPerSec>,
    /// Rupiah a month.
    pub price_idr: u64,
    /// Rupiah a month for another Mbit/s.
    pub price_per_mbps_idr: Option<u64>,
    pub begins: Date,
    pub ends: Date,
    pub contact: Option<String>,
}

impl Contract {
    pub fn rate(&self, direction: Direction) -> BitsPerSec {
        match direction {
            Direction::Down => self.down,
            Direction::Up => self.up,
        }
    }

    /// From the first to the last day, both included.
    pub fn in_force(&self, date: Date) -> bool {
        (self.begins..=self.ends).contains(&date)
    }
}

pub(super) fn contract(
    row: &RawContract,
    place: &Place,
    to_provider: &References<'_>,
    to_uplink: &References<'_>,
    problems: &mut Problems,
) -> Option<Contract> {
    let name = problems.name(place, "name", &row.name);
    let provider = to_provider.resolve(place, "provider", &row.provider, problems);
    let uplink = to_uplink.resolve(place, "uplink", &row.uplink, problems);
    let number = problems.text(place, "number", Some(&row.number));
    let abroad = [
        ("down_bps", row.down_bps, "international_down_bps", row.international_down_bps),
        ("up_bps", row.up_bps, "international_up_bps", row.international_up_bps),
    ];
    for (key, rate, abroad_key, abroad) in abroad {
        problems.above_zero(place, key, Some(rate));
        let (rate, abroad) = (BitsPerSec(rate), abroad.map(BitsPerSec));
        if let Some(abroad) = abroad.filter(|abroad| *abroad > rate) {
            problems.add(place.key(abroad_key), format!("expected at most {key} ({rate}), found {abroad}"));
        }
    }
    let price_idr = problems.rupiah(place, "price_idr", row.price_idr);
    let price_per_mbps_idr = match row.price_per_mbps_idr {
        None => Some(None),
        Some(price) => problems.rupiah(place, "price_per_mbps_idr", price).map(Some),
    };
    let contact = problems.text(place, "contact", row.contact.as_deref());
    let (begins, ends) = problems.days(place, ("begins", Some(&row.begins)), ("ends", Some(&row.ends)))?;
    Some(Contract {
        name: name?,
        provider: provider?,
        uplink: uplink?,
        number: number?,
        down: BitsPerSec(row.down_bps),
        up: BitsPerSec(row.up_bps),
        international_down: row.international_down_bps.map(BitsPerSec),
        international_up: row.international_up_bps.map(BitsPerSec),
        price_idr: price_idr?,
        price_per_mbps_idr: price_per_mbps_idr?,
        begins: begins?,
        ends: ends?,
        contact,
    })
}
