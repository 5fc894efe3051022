//! Contracts, profiles, needs and holidays, and what was added to the tables that every inventory has.

use proptest::prelude::*;
use takar_collector_core::{
    calendar::{Date, Zone},
    inventory::{
        Differs, Notice, RawContract, RawHoliday, RawInventory, RawNeed, RawProfile, RawProvider, RawSite, Row,
        UplinkName, Wants, validate,
    },
};
use takar_shared::{BitsPerSec, Direction};

use super::{places, problems, read, sound};

fn date(text: &str) -> Date {
    text.parse().ok().unwrap()
}

fn contract() -> RawContract {
    RawContract {
        name: "c-2026".into(),
        provider: "isp".into(),
        uplink: "ast-01".into(),
        number: "027/SPK/2026".into(),
        down_bps: 100_000_000,
        up_bps: 40_000_000,
        price_idr: 18_500_000,
        begins: "2026-01-01".into(),
        ends: "2026-12-31".into(),
        ..RawContract::default()
    }
}

fn profile() -> RawProfile {
    RawProfile { name: "school".into(), down_bps: 1_000_000, up_bps: 250_001, concurrent_per_mille: Some(300) }
}

fn need() -> RawNeed {
    let profile = Some("school".into());
    RawNeed { name: "exams".into(), site: "hq".into(), users: Some(3), profile, ..RawNeed::default() }
}

/// The sound inventory with a row in each of the other tables.
fn complete() -> RawInventory {
    let holiday = RawHoliday { date: "2026-12-25".into(), title: "Natal".into() };
    RawInventory {
        contracts: vec![contract().into()],
        profiles: vec![profile().into()],
        needs: vec![need().into()],
        holidays: vec![holiday.into()],
        ..sound()
    }
}

fn need_problems(change: impl FnOnce(&mut RawNeed)) -> Vec<String> {
    let mut raw = complete();
    change(read(&mut raw.needs[0]));
    let problems = validate(&raw).err().unwrap_or_default();
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_complete_register_is_kept_as_it_is() {
    let validated = validate(&complete()).unwrap();
    assert!(validated.notices.is_empty());
    let inventory = validated.inventory;
    let contract = &inventory.contracts()[0];
    assert_eq!((contract.price_idr, contract.rate(Direction::Up)), (18_500_000, BitsPerSec(40_000_000)));
    let need = &inventory.needs()[0];
    assert!(matches!(&need.wants, Wants::Users { users: 3, profile } if profile.name.as_str() == "school"));
    // 3 × 1 Mbit/s × 0.3, and 3 × 250001 × 0.3 rounded up.
    assert_eq!(need.rate(Direction::Down), Some(BitsPerSec(900_000)));
    assert_eq!(need.rate(Direction::Up), Some(BitsPerSec(225_001)));
    assert_eq!(inventory.holidays().get(&date("2026-12-25")).map(String::as_str), Some("Natal"));
    assert_eq!(inventory.needs_of(&"hq".parse().unwrap()).count(), 1);
}

#[test]
fn a_contract_is_in_force_from_its_first_to_its_last_day() {
    let mut raw = complete();
    let renewed =
        RawContract { name: "c-2027".into(), begins: "2026-12-31".into(), ends: "2027-12-31".into(), ..contract() };
    raw.contracts.push(renewed.into());
    let inventory = validate(&raw).unwrap().inventory;
    let uplink: UplinkName = "ast-01".parse().unwrap();
    let on = |day: &str| inventory.contract_on(&uplink, date(day)).map(|contract| contract.name.as_str());
    assert_eq!(on("2025-12-31"), None);
    assert_eq!((on("2026-01-01"), on("2026-12-30")), (Some("c-2026"), Some("c-2026")));
    // Of two the one that ends last.
    assert_eq!((on("2026-12-31"), on("2027-12-31")), (Some("c-2027"), Some("c-2027")));
    assert_eq!(on("2028-01-01"), None);
}

#[test]
fn a_contract_that_its_uplink_does_not_fit_is_a_notice() {
    let mut raw = complete();
    read(&mut raw.contracts[0]).down_bps = 200_000_000;
    let notices = validate(&raw).unwrap().notices;
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].to_string(), "uplink ast-01 down: contract c-2026 has 200 Mbit/s, its row has 100 Mbit/s");
    // An older contract had other rates, and nobody minds.
    let newer =
        RawContract { name: "c-2027".into(), begins: "2027-01-01".into(), ends: "2027-12-31".into(), ..contract() };
    raw.contracts.push(newer.into());
    assert!(validate(&raw).unwrap().notices.is_empty());
    raw.providers.push(RawProvider { name: "other".into(), title: "Other".into(), ..RawProvider::default() }.into());
    read(&mut raw.contracts[1]).provider = "other".into();
    let notices = validate(&raw).unwrap().notices;
    assert!(
        matches!(&notices[..], [Notice::ContractDiffers(one)] if matches!(one.what, Differs::Provider { .. })),
        "{notices:?}"
    );
}

#[test]
fn everything_wrong_with_the_other_tables_is_said_at_once() {
    let found = problems(|raw| {
        *raw = complete();
        let provider = read(&mut raw.providers[0]);
        (provider.email, provider.webhook) = (Some("nobody".into()), Some("http://isp.example".into()));
        let site = read(&mut raw.sites[0]);
        (site.profile, site.zone, site.head) = (Some("nothing".into()), Some("UTC".into()), Some(" ".into()));
        let link = read(&mut raw.links[0]);
        (link.valid_from, link.valid_to) = (Some("2026-02-01".into()), Some("2026-01-31".into()));
        let contract = read(&mut raw.contracts[0]);
        (contract.provider, contract.uplink, contract.number) = ("nobody".into(), "nowhere".into(), String::new());
        (contract.price_idr, contract.price_per_mbps_idr) = (-1, Some(-2));
        contract.international_up_bps = Some(40_000_001);
        (contract.begins, contract.ends) = ("2026-02-30".into(), "soon".into());
        let profile = read(&mut raw.profiles[0]);
        (profile.up_bps, profile.concurrent_per_mille) = (0, Some(1001));
        read(&mut raw.needs[0]).site = "nowhere".into();
        let again = RawHoliday { date: "2026-12-25".into(), title: String::new() };
        raw.holidays.push(again.into());
    });
    let expected = [
        "provider[0].email (provider \"isp\")",
        "provider[0].webhook (provider \"isp\")",
        "site[0].profile (site \"hq\")",
        "site[0].zone (site \"hq\")",
        "site[0].head (site \"hq\")",
        "link[0].valid_to (link \"b\")",
        "contract[0].provider (contract \"c-2026\")",
        "contract[0].uplink (contract \"c-2026\")",
        "contract[0].number (contract \"c-2026\")",
        "contract[0].international_up_bps (contract \"c-2026\")",
        "contract[0].price_idr (contract \"c-2026\")",
        "contract[0].price_per_mbps_idr (contract \"c-2026\")",
        "contract[0].begins (contract \"c-2026\")",
        "contract[0].ends (contract \"c-2026\")",
        "profile[0].up_bps (profile \"school\")",
        "profile[0].concurrent_per_mille (profile \"school\")",
        "need[0].site (need \"exams\")",
        "holiday[1].date (holiday \"2026-12-25\")",
        "holiday[1].title (holiday \"2026-12-25\")",
    ];
    assert_eq!(places(&found), expected);
    assert_eq!(found[5].what, "expected valid_from (2026-02-01) or later, found 2026-01-31");
    assert_eq!(found[10].what, "expected 0 rupiah or more, found -1");
    assert_eq!(found[12].what, "expected a date like 2026-01-31, found \"2026-02-30\"");
    assert_eq!(found[17].what, "expected a date of its own, holiday[0] has it");
}

#[test]
fn reversed_dates_of_a_contract_are_told_at_its_end() {
    let found = problems(|raw| {
        *raw = complete();
        read(&mut raw.contracts[0]).ends = "2025-12-31".into();
    });
    assert_eq!(places(&found), ["contract[0].ends (contract \"c-2026\")"]);
}

#[test]
fn a_need_has_rates_or_users_and_not_both() {
    assert!(need_problems(|_| ()).is_empty());
    let at = "need[0] (need \"exams\"): expected a rate (down_bps, up_bps) or users with their profile, found";
    assert_eq!(need_problems(|need| need.up_bps = Some(1)), [format!("{at} both")]);
    assert_eq!(need_problems(|need| (need.users, need.profile) = (None, None)), [format!("{at} neither")]);
    let zero = need_problems(|need| (need.users, need.profile, need.down_bps) = (None, None, Some(0)));
    assert_eq!(zero, ["need[0].down_bps (need \"exams\"): expected a rate above 0 bit/s"]);
    assert_eq!(need_problems(|need| need.profile = None).len(), 1);
    assert_eq!(need_problems(|need| (need.users, need.profile) = (None, Some("x".into()))).len(), 2);
    // Rates alone may be of one direction.
    let mut raw = complete();
    let need = read(&mut raw.needs[0]);
    (need.users, need.profile, need.up_bps) = (None, None, Some(5));
    let inventory = validate(&raw).unwrap().inventory;
    let need = &inventory.needs()[0];
    assert_eq!((need.rate(Direction::Down), need.rate(Direction::Up)), (None, Some(BitsPerSec(5))));
}

#[test]
fn a_need_is_of_a_link_of_its_site() {
    assert!(need_problems(|need| need.link = Some("a".into())).is_empty());
    assert_eq!(need_problems(|need| need.link = Some("z".into())).len(), 1);
    let mut raw = complete();
    raw.sites.push(RawSite { name: "s2".into(), title: "Second".into(), ..RawSite::default() }.into());
    let need = read(&mut raw.needs[0]);
    (need.site, need.link) = ("s2".into(), Some("a".into()));
    let found = validate(&raw).unwrap_err();
    assert_eq!(found[0].to_string(), "need[0].link (need \"exams\"): expected a link of site s2, a is of hq");
    // A link that could not be read is not called unknown.
    raw.links[1] = Row::Unread { name: Some("a".into()), why: "unread".into() };
    assert_eq!(places(&validate(&raw).unwrap_err()), ["link[1] (link \"a\")"]);
}

#[test]
fn a_need_holds_on_its_days_and_hours() {
    let mut raw = complete();
    let need = read(&mut raw.needs[0]);
    (need.begins, need.ends) = (Some("2026-12-07".into()), Some("2026-12-18".into()));
    (need.weekdays, need.from, need.to) = (Some("sen-jum".into()), Some("07:00".into()), Some("12:00".into()));
    let inventory = validate(&raw).unwrap().inventory;
    let need = &inventory.needs()[0];
    let holds = |day: &str| need.in_force(date(day));
    // 7 and 18 December 2026 are a Monday and a Friday, the 12th is a Saturday.
    assert!(holds("2026-12-07") && holds("2026-12-18"));
    assert!(!holds("2026-12-06") && !holds("2026-12-12") && !holds("2026-12-21"));
    let at = |minute: u16| need.when.at(date("2026-12-07"), minute);
    assert!(at(420) && at(719) && !at(419) && !at(720));

    for wrong in ["x-y", "mon-", ""] {
        assert_eq!(need_problems(|need| need.weekdays = Some(wrong.into())).len(), 1, "{wrong}");
    }
    assert_eq!(need_problems(|need| need.from = Some("07:00".into())).len(), 1);
    assert_eq!(need_problems(|need| (need.from, need.to) = (Some("7".into()), Some("25:00".into()))).len(), 2);
    assert_eq!(need_problems(|need| (need.from, need.to) = (Some("12:00".into()), Some("12:00".into()))).len(), 1);
    assert!(need_problems(|need| (need.from, need.to) = (Some("00:00".into()), Some("24:00".into()))).is_empty());
}

#[test]
fn a_site_knows_its_zone() {
    let mut raw = complete();
    read(&mut raw.sites[0]).zone = Some("WITA".into());
    assert_eq!(validate(&raw).unwrap().inventory.sites()[0].zone, Some(Zone::Wita));
}

proptest! {
    /// More users, a higher rate or more of them at once never come to less; nothing overflows.
    #[test]
    fn what_users_come_to_grows_with_each_of_its_factors(
        users in 1..u32::MAX, rate in 1..u64::MAX, concurrent in 1..1000_u32, more in 0..3_usize,
    ) {
        let come_to = |users: u32, rate: u64, concurrent: u32| {
            let mut raw = complete();
            let profile = read(&mut raw.profiles[0]);
            (profile.down_bps, profile.concurrent_per_mille) = (rate, Some(concurrent));
            read(&mut raw.needs[0]).users = Some(users);
            validate(&raw).unwrap().inventory.needs()[0].rate(Direction::Down).unwrap()
        };
        let before = come_to(users, rate, concurrent);
        prop_assert!(before > BitsPerSec::ZERO);
        let grown = match more {
            0 => come_to(users + 1, rate, concurrent),
            1 => come_to(users, rate + 1, concurrent),
            _ => come_to(users, rate, concurrent + 1),
        };
        prop_assert!(grown >= before);
        prop_assert_eq!(come_to(users, rate, 1000), BitsPerSec(rate.saturating_mul(u64::from(users))));
    }
}
