//! Today, the list of cases, accounts.

use super::{DAY, HOUR, MBPS, MINUTE, NOW, Sample};
use crate::{
    bar::Share,
    clock::{Clock, Pace},
    pages::{AccountRow, Accounts, CaseRow, Cases, Deed, Filter, LinkRow, Today, UplinkRow},
};

impl Sample {
    pub(super) fn today(&self) -> Today {
        Today {
            cases: self.rows(),
            links: self.links(),
            uplinks: vec![
                self.uplink(
                    "Arunika Utara",
                    500,
                    412,
                    &[(116, false), (59, false), (57, true), (27, true), (20, false)],
                ),
                self.uplink(
                    "Arunika Timur",
                    300,
                    310,
                    &[(95, true), (70, false), (63, true), (30, false), (24, false)],
                ),
            ],
            deeds: vec![
                Deed::Confirmed {
                    at: NOW - 20 * MINUTE,
                    case: 112,
                    place: self.free("RSUD Arunika"),
                    from_bps: 120 * MBPS,
                    to_bps: 145 * MBPS,
                },
                Deed::RolledBack { at: NOW - HOUR, case: 118, place: self.free("Terminal Kayu Sembilan") },
                Deed::Reported { at: NOW - DAY, case: 111, number: self.free("094/K-111/XI/2026") },
                Deed::Silent { at: NOW - 400 * DAY, device: self.free("rtr-rkp-01") },
            ],
        }
    }

    pub(super) fn cases(&self) -> Cases {
        let filter = Filter { state: Some(self.code("coordinate")), kind: Some(self.code("reallocation")) };
        Cases { rows: self.rows(), filter, more: true }
    }

    pub(super) fn no_cases(&self) -> Cases {
        Cases::default()
    }

    pub(super) fn accounts(&self) -> Accounts {
        let row = |name: &str, title: &str, role: &str| AccountRow {
            name: self.free(name),
            title: self.free(title),
            role: self.code(role),
            email: Some(self.free("orang@arunika.example")),
            lang: self.code("id"),
            os_user: Some(self.free(name)),
            has_password: true,
            has_totp: role == "head",
            changed_at: NOW - 3 * DAY,
            ..AccountRow::default()
        };
        let provider = Some(self.free("benang-cahaya"));
        Accounts {
            rows: vec![
                row("sekar", "Sekar Ayuning", "member"),
                row("bagus", "Bagus Pramudito", "head"),
                AccountRow { provider, has_password: false, ..row("benang", "PT Benang Cahaya", "provider") },
                AccountRow { disabled: true, ..row("nirmala", "Nirmala Hadiwijaya", "auditor") },
            ],
            providers: vec![self.free("benang-cahaya"), self.free("gelombang-rimba")],
            typed: row("damar", "Damar Wicaksono", "member"),
            problems: vec![self.free("account damar: there is one of this name already")],
            done: Some(self.free("sekar")),
        }
    }

    /// A row in a state and step; the clock runs.
    pub(crate) fn row(&self, id: u64, kind: &str, (state, step): (&str, u8), place: &str, worked: u64) -> CaseRow {
        CaseRow {
            id,
            kind: self.code(kind),
            uplink: self.free("Arunika Utara"),
            direction: self.code("down"),
            places: vec![self.free(place)],
            state: self.code(state),
            step,
            owner: self.free("sekar"),
            clock: Clock { worked_ms: worked * MINUTE, standard_minutes: 30, pace: Pace::Running },
            waits_for: None,
            mine: false,
            amount_bps: Some(40 * MBPS),
            opened_at: NOW - 2 * HOUR,
            report: None,
        }
    }

    pub(super) fn row_to_receive(&self) -> CaseRow {
        CaseRow {
            waits_for: Some(self.code("receive")),
            mine: true,
            report: Some(self.free("094/K-111/XI/2026")),
            ..self.row(111, "reallocation", ("receive", 6), "Dinas Kependudukan", 26)
        }
    }

    fn rows(&self) -> Vec<CaseRow> {
        let waits = |row: CaseRow, wait: &str, mine| CaseRow { waits_for: Some(self.code(wait)), mine, ..row };
        let stopped =
            Clock { worked_ms: 40 * MINUTE, standard_minutes: 30, pace: Pace::Stopped { until: Some(NOW + 5 * DAY) } };
        vec![
            waits(self.row(116, "reallocation", ("coordinate", 3), "SMP Negeri 4 Lembah Jingga", 12), "approve", true),
            waits(self.row(119, "reallocation", ("identify", 2), "Puskesmas Tepi Senja", 27), "verify", true),
            CaseRow {
                places: Vec::new(),
                amount_bps: None,
                uplink: self.free("Arunika Timur"),
                ..waits(self.row(117, "addition", ("coordinate", 3), "-", 47), "provider", false)
            },
            self.row_to_receive(),
            waits(self.row(120, "reallocation", ("coordinate", 3), "Gudang Farmasi", 38), "choose", true),
            waits(self.row(122, "bod", ("coordinate", 3), "Gedung Serbaguna", 4), "grant", false),
            CaseRow {
                places: vec![self.free("Pendopo"), self.free("Balai Kota"), self.free("Alun-alun")],
                clock: stopped,
                ..self.row(114, "bod", ("scheduled", 4), "-", 0)
            },
            CaseRow {
                owner: self.code("takar"),
                ..self.row(115, "reallocation", ("allocate", 4), "Kantor Desa Bukit Kapas", 2)
            },
            CaseRow {
                clock: Clock { worked_ms: 22 * MINUTE, standard_minutes: 30, pace: Pace::Done },
                ..self.row(109, "deferral", ("archived", 6), "Kantor Desa Rimba Sunyi", 22)
            },
        ]
    }

    fn links(&self) -> Vec<LinkRow> {
        let link = |site: &str, state: &str, ceiling: u64, used: Option<u64>| LinkRow {
            site: self.free(site),
            device: self.free("rtr-lbj-04"),
            uplink: self.free("Arunika Utara"),
            direction: self.code("down"),
            state: self.code(state),
            recorded_bps: ceiling * MBPS,
            observed_bps: Some(ceiling * MBPS),
            guarantee_bps: Some(ceiling * MBPS / 2),
            contract_bps: Some(100 * MBPS),
            used_bps: used.map(|used| used * 100_000),
            peak_bps: used.map(|used| used * 120_000),
            unserved_bps: None,
            case: None,
        };
        vec![
            LinkRow {
                unserved_bps: Some(24 * MBPS),
                case: Some(116),
                ..link("SMP Negeri 4 Lembah Jingga", "shortage", 60, Some(587))
            },
            LinkRow { recorded_bps: 50 * MBPS, ..link("Kelurahan Muara Lontar", "drifted", 30, Some(220)) },
            link("Pustu Ranting Kapas", "not-measured", 30, None),
            link("Kantor Arsip Daerah", "fits", 50, Some(300)),
            link("Balai Latihan Kerja Kayu Manis", "idle", 80, Some(62)),
        ]
    }

    fn uplink(&self, name: &str, capacity: u64, promised: u64, links: &[(u64, bool)]) -> UplinkRow {
        UplinkRow {
            name: self.free(name),
            direction: self.code("down"),
            capacity_bps: capacity * MBPS,
            promised_bps: promised * MBPS,
            links: links.iter().map(|(used, short)| Share { used: used * MBPS, short: *short }).collect(),
        }
    }
}
