//! Registers to write and read: one with every column filled, and any that are valid.

use proptest::{collection::vec, option, prelude::*};
use takar_collector_core::inventory::{
    RawContract, RawHoliday, RawInventory, RawLink, RawNeed, RawProfile, RawProvider, RawSide, RawSite, RawUplink,
};

/// Every column has a value, sound or not.
pub fn full() -> RawInventory {
    let text = || Some("x".to_owned());
    let side = || RawSide {
        queue: text(),
        class: text(),
        interface: text(),
        root: text(),
        cir_bps: Some(1),
        mir_bps: 1,
        floor_bps: Some(1),
        ceiling_bps: Some(1),
    };
    RawInventory {
        providers: vec![
            RawProvider { address: text(), contact: text(), email: text(), webhook: text(), ..RawProvider::default() }
                .into(),
        ],
        uplinks: vec![uplink("u", "p", 1, 1, Some(1)).into()],
        sites: vec![
            RawSite { users: Some(1), profile: text(), zone: text(), head: text(), ..RawSite::default() }.into(),
        ],
        links: vec![
            RawLink {
                title: text(),
                interface: text(),
                weight: Some(1),
                valid_from: text(),
                valid_to: text(),
                mode: text(),
                down: side(),
                up: side(),
                ..RawLink::default()
            }
            .into(),
        ],
        contracts: vec![
            RawContract {
                international_down_bps: Some(1),
                international_up_bps: Some(1),
                price_per_mbps_idr: Some(1),
                contact: text(),
                ..RawContract::default()
            }
            .into(),
        ],
        profiles: vec![RawProfile { concurrent_per_mille: Some(1), ..RawProfile::default() }.into()],
        needs: vec![
            RawNeed {
                link: text(),
                down_bps: Some(1),
                up_bps: Some(1),
                users: Some(1),
                profile: text(),
                begins: text(),
                ends: text(),
                weekdays: text(),
                from: text(),
                to: text(),
                asked_by: text(),
                letter: text(),
                ..RawNeed::default()
            }
            .into(),
        ],
        holidays: vec![RawHoliday::default().into()],
    }
}

/// A valid register: names by number, so that every reference is to a row that is there.
pub fn register() -> impl Strategy<Value = RawInventory> {
    let counts = (1..3_usize, 1..3_usize, 1..4_usize, 1..3_usize);
    counts.prop_flat_map(|(providers, uplinks, sites, profiles)| {
        let tables = (
            vec(provider(), providers),
            vec((0..providers, capacity(), capacity()), uplinks),
            vec(site(profiles), sites),
            vec((0..sites, 0..uplinks, link()), 0..4),
            vec((0..uplinks, contract()), 0..3),
            vec(profile(), profiles),
            vec((0..sites, need(profiles)), 0..3),
            vec((1..=28_u8, text()), 0..3),
        );
        tables.prop_map(|(providers, uplinks, sites, links, contracts, profiles, needs, holidays)| {
            let of: Vec<usize> = uplinks.iter().map(|(provider, ..)| *provider).collect();
            RawInventory {
                providers: named(providers, |row, name| row.name = format!("p{name}")),
                uplinks: (0..)
                    .zip(uplinks)
                    .map(|(at, (provider, down, up))| {
                        uplink(&format!("u{at}"), &format!("p{provider}"), down, up, (at == 0).then_some(2_000)).into()
                    })
                    .collect(),
                sites: named(sites, |row, name| row.name = format!("s{name}")),
                links: (0..)
                    .zip(links)
                    .map(|(at, (site, uplink, row))| {
                        let (name, site, uplink) = (format!("l{at}"), format!("s{site}"), format!("u{uplink}"));
                        let queue = |side: RawSide| RawSide { queue: Some(format!("q {at}")), ..side };
                        let (down, up) = (queue(row.down.clone()), queue(row.up.clone()));
                        RawLink { name, site, uplink, device: "core-1".into(), down, up, ..row }.into()
                    })
                    .collect(),
                contracts: (0..)
                    .zip(contracts)
                    .map(|(at, (uplink, row))| {
                        let provider = format!("p{}", of.get(uplink).copied().unwrap_or_default());
                        RawContract { name: format!("c{at}"), uplink: format!("u{uplink}"), provider, ..row }.into()
                    })
                    .collect(),
                profiles: named(profiles, |row, name| row.name = format!("f{name}")),
                needs: (0..)
                    .zip(needs)
                    .map(|(at, (site, row))| RawNeed { name: format!("n{at}"), site: format!("s{site}"), ..row }.into())
                    .collect(),
                holidays: (1..)
                    .zip(holidays)
                    .map(|(month, (day, title))| RawHoliday { date: format!("2026-{month:02}-{day:02}"), title }.into())
                    .collect(),
            }
        })
    })
}

fn uplink(name: &str, provider: &str, down_bps: u64, up_bps: u64, contention_per_mille: Option<u32>) -> RawUplink {
    RawUplink { name: name.into(), provider: provider.into(), down_bps, up_bps, contention_per_mille }
}

/// The rows with names by their number.
fn named<T, R: From<T>>(rows: Vec<T>, name: impl Fn(&mut T, usize)) -> Vec<R> {
    let named = rows.into_iter().enumerate().map(|(at, mut row)| {
        name(&mut row, at);
        R::from(row)
    });
    named.collect()
}

/// Whatever people write: signs that calculate, quotes, delimiters, line breaks, other letters.
fn text() -> impl Strategy<Value = String> {
    "[A-Za-z0-9'=,;\"+@é-][ -~é\n]{0,12}[!-~é]"
}

fn maybe_text() -> impl Strategy<Value = Option<String>> {
    option::of(text())
}

/// Also more than a spreadsheet's numbers can hold.
fn capacity() -> impl Strategy<Value = u64> {
    prop_oneof![9 => 100_000_000..10_000_000_000_u64, 1 => Just(1_234_567_890_123_456_789)]
}

fn date(year: u32) -> impl Strategy<Value = String> {
    (1..=12_u32, 1..=28_u32).prop_map(move |(month, day)| format!("{year}-{month:02}-{day:02}"))
}

fn provider() -> impl Strategy<Value = RawProvider> {
    let webhook = option::of(Just("https://isp.example/hook?a=b".to_owned()));
    let email = option::of(Just("noc@isp.example".to_owned()));
    (text(), maybe_text(), maybe_text(), email, webhook).prop_map(|(title, address, contact, email, webhook)| {
        RawProvider { title, address, contact, email, webhook, ..RawProvider::default() }
    })
}

fn site(profiles: usize) -> impl Strategy<Value = RawSite> {
    let profile = option::of((0..profiles).prop_map(|at| format!("f{at}")));
    let zone = option::of(prop_oneof!["WIB", "WITA", "WIT"]);
    (text(), option::of(any::<u32>()), profile, zone, maybe_text()).prop_map(|(title, users, profile, zone, head)| {
        RawSite { title, users, profile, zone, head, ..RawSite::default() }
    })
}

fn link() -> impl Strategy<Value = RawLink> {
    let mode = option::of(prop_oneof!["observe", "propose", "live"]);
    let head = (maybe_text(), option::of(1..=1000_u32), option::of(date(2026)), option::of(date(2027)), mode);
    (head, side(), side()).prop_map(|((title, weight, valid_from, valid_to, mode), down, up)| RawLink {
        title,
        weight,
        valid_from,
        valid_to,
        mode,
        down,
        up,
        ..RawLink::default()
    })
}

/// Of a queue, small enough for any uplink of this room.
fn side() -> impl Strategy<Value = RawSide> {
    let rates = (
        0..1_000_000_u64,
        1_000_000..2_000_000_u64,
        option::of(0..1_000_000_u64),
        option::of(2_000_000..3_000_000_u64),
    );
    rates.prop_map(|(cir, mir_bps, floor_bps, ceiling_bps)| RawSide {
        cir_bps: Some(cir),
        mir_bps,
        floor_bps,
        ceiling_bps,
        ..RawSide::default()
    })
}

fn contract() -> impl Strategy<Value = RawContract> {
    let rates =
        (1_000..1_000_000_u64, 1_000..1_000_000_u64, option::of(0..1_000_u64), 0..=i64::MAX, option::of(0..99_i64));
    (text(), rates, date(2025), date(2026), maybe_text()).prop_map(|(number, rates, begins, ends, contact)| {
        let (down_bps, up_bps, international_down_bps, price_idr, price_per_mbps_idr) = rates;
        RawContract {
            number,
            down_bps,
            up_bps,
            international_down_bps,
            price_idr,
            price_per_mbps_idr,
            begins,
            ends,
            contact,
            ..RawContract::default()
        }
    })
}

fn profile() -> impl Strategy<Value = RawProfile> {
    (1..9_999_999_u64, 1..9_999_999_u64, option::of(1..=1000_u32)).prop_map(|(down_bps, up_bps, concurrent)| {
        RawProfile { down_bps, up_bps, concurrent_per_mille: concurrent, ..RawProfile::default() }
    })
}

fn need(profiles: usize) -> impl Strategy<Value = RawNeed> {
    let wants = prop_oneof![
        (1..99_999_999_u64).prop_map(|down| RawNeed { down_bps: Some(down), ..RawNeed::default() }),
        (1..=u32::MAX, 0..profiles).prop_map(|(users, profile)| RawNeed {
            users: Some(users),
            profile: Some(format!("f{profile}")),
            ..RawNeed::default()
        }),
    ];
    let hours =
        option::of((0..12_u32, 12..=24_u32).prop_map(|(from, to)| (format!("{from:02}:00"), format!("{to:02}:00"))));
    let days = option::of(prop_oneof!["mon-fri", "sab,min", "wed"]);
    (wants, option::of(date(2025)), option::of(date(2026)), days, hours, maybe_text()).prop_map(
        |(wants, begins, ends, weekdays, hours, asked_by)| {
            let (from, to) = hours.unzip();
            RawNeed { begins, ends, weekdays, from, to, asked_by, ..wants }
        },
    )
}
