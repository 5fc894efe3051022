//! Invented papers, to look at and to test with.

use crate::{
    model::{
        AuditMark, CaseKind, CaseReport, Check, Command, Coordination, CoordinationOption, Origin, Outcome, Plot,
        Point, ProviderDialogue, ProviderRequest, Remark, SiteChange, Step, SummaryCase, SummaryLink, SummaryReport,
        Unmoved, Uplink, Utilisation, Why,
    },
    office::{Office, Signatory},
};

/// Tuesday, 24 November 2026, 08.00 WIB.
pub const MORNING: u64 = 1_795_482_000_000;
const MINUTE: u64 = 60_000;

pub fn office() -> Office {
    Office {
        letterhead: vec!["PEMERINTAH KABUPATEN MAGELANG".into(), "DINAS KOMUNIKASI DAN INFORMATIKA".into()],
        contact: vec!["Jalan Soekarno-Hatta 59, Kota Mungkid, telepon (0293) 788181".into()],
        logo: None,
        place: "Kota Mungkid".into(),
        report_number: "LAP-{n:3}/TI/{roman-month}/{year}".into(),
        letter_number: "B-{n:3}/TI/{roman-month}/{year}".into(),
        head: Signatory {
            role: "Ketua Tim Kerja Pengelolaan Sistem Informasi".into(),
            name: "Ratna Wulandari, S.Kom.".into(),
            id: Some("19850412 201001 2 003".into()),
        },
        member: Some(Signatory {
            role: "Anggota Tim Kerja Pengelolaan Sistem Informasi".into(),
            name: "Budi Santoso, A.Md.".into(),
            id: None,
        }),
        basis: vec!["Peraturan Bupati Nomor 12 Tahun 2024 tentang Penyelenggaraan SPBE.".into()],
        copies: vec!["Kepala Dinas Komunikasi dan Informatika".into()],
    }
}

/// A school starved on Tuesday morning; two links gave.
pub fn case_report() -> CaseReport {
    let step = |number: u8, began: u64, took: Option<u64>, owner: &str| Step {
        number,
        round: 1,
        owner: owner.into(),
        began_at: MORNING + began,
        ended_at: took.map(|took| MORNING + began + took),
        standard_minutes: if number == 5 { 60 } else { 30 },
        worked_ms: took.unwrap_or_default(),
        overdue: false,
        result: if took.is_some() { "done".into() } else { "running".into() },
        note: None,
    };
    CaseReport {
        number: "LAP-007/TI/XI/2026".into(),
        case: 12,
        kind: CaseKind::Reallocation,
        outcome: Outcome::Allocated,
        made_at: MORNING + 2 * MINUTE,
        opened_at: MORNING,
        origin: Origin::Finding {
            id: 31,
            sentence: "sd-07 down lacks about 5.17 Mbit/s".into(),
            link: "sd-07".into(),
            lacking_bps: 5_170_000,
        },
        uplink: Uplink {
            name: "ast-01".into(),
            provider: "astinet".into(),
            provider_title: "PT Jaringan Nusantara".into(),
            capacity_bps: 100_000_000,
            sum_before_bps: 100_000_000,
            sum_after_bps: 100_000_000,
            budget_bps: 100_000_000,
            contract: Some("K-114/DISKOMINFO/2026".into()),
        },
        direction: "down".into(),
        sites: vec![
            site("sd-02", "SD Negeri 2 Muntilan", (10_000_000, 7_480_000), Why::Gives { spare_bps: 7_130_000 }),
            site("sd-03", "SD Negeri 3 Salam", (10_000_000, 7_280_000), Why::Gives { spare_bps: 7_680_000 }),
            site(
                "sd-07",
                "SMP Negeri 1 Mertoyudan",
                (10_000_000, 15_240_000),
                Why::Gets { wanted_bps: 15_220_000, served_bps: 10_000_000 },
            ),
        ],
        unmoved: vec![Unmoved {
            link: "kec-01".into(),
            why: "It is not at its ceiling and has nothing to give; with headroom it needs 3.12 Mbit/s.".into(),
        }],
        verification: checks(),
        coordination: Coordination {
            options: vec![
                option("within-contract", 5_240_000, None, true),
                option("loan", 21_000_000, None, false),
                option("purchase", 0, None, false),
            ],
            proposal: Some(44),
            proposed_by: Some("takar".into()),
            decided_by: Some("policy".into()),
            decided_at: Some(MORNING + MINUTE / 2),
            reason: None,
            provider: None,
        },
        steps: vec![
            step(1, 0, Some(800), "takar"),
            step(2, 800, Some(1_200), "takar"),
            step(3, 2_000, Some(4_000), "policy"),
            step(4, 6_000, Some(21_000), "takar"),
            step(5, 27_000, None, "takar"),
        ],
        commands: vec![command("sd-02", 1), command("sd-03", 2), command("sd-07", 3)],
        plots: vec![plot("sd-07", 10_000_000, 15_240_000)],
        audit: AuditMark {
            size: 4_211,
            root: "02f0d3b66ffe243ec616f6b098cac20c3f98953e396db6265c14eadcdc15aa6b".into(),
        },
        remarks: vec![Remark { at: MORNING + MINUTE, by: "budi".into(), text: "Sekolah sudah dihubungi.".into() }],
        standard_minutes: 210,
        worked_ms: 29_000,
    }
}

/// The same office asks its provider.
pub fn provider_request() -> ProviderRequest {
    ProviderRequest {
        number: "B-003/TI/XI/2026".into(),
        case: 13,
        kind: CaseKind::Addition,
        made_at: MORNING,
        provider: "astinet".into(),
        provider_title: "PT Jaringan Nusantara".into(),
        provider_address: Some("Jalan Pemuda 10, Semarang".into()),
        contact: Some("Bapak Tono Wijaya".into()),
        contract: Some("K-114/DISKOMINFO/2026".into()),
        uplink: "ast-01".into(),
        direction: "down".into(),
        capacity_bps: 100_000_000,
        wanted_bps: 150_000_000,
        from: None,
        until: None,
        price_idr: Some(20_000_000),
        reason: "finding 32".into(),
        sites: vec!["SMP Negeri 1 Mertoyudan".into(), "SD Negeri 3 Salam".into()],
        link: Some("https://takar.example:8443/provider/AAAA".into()),
        link_expires_at: Some(MORNING + 7 * 1440 * MINUTE),
    }
}

/// A month with so many links.
pub fn summary(links: usize) -> SummaryReport {
    let month = 30 * 1440 * MINUTE;
    let link = |index: usize| SummaryLink {
        link: format!("sd-{index:03}"),
        site_title: format!("SD Negeri {index} Sleman"),
        uplink: format!("ast-{:02}", index / 20),
        direction: if index.is_multiple_of(2) { "down".into() } else { "up".into() },
        ceiling_bps: 10_000_000,
        utilisation: (!index.is_multiple_of(9)).then(|| used(2_000_000 + index as u64 * 30_000, 10_000_000)),
        shortage_ms: if index.is_multiple_of(13) { 3 * 60 * MINUTE } else { 0 },
        changes: 2,
    };
    SummaryReport {
        number: "R-LAP-011/TI/XI/2026".into(),
        made_at: MORNING,
        from: MORNING - month,
        to: MORNING,
        cases: vec![SummaryCase {
            case: 12,
            kind: CaseKind::Reallocation,
            state: "archived".into(),
            outcome: Some(Outcome::Allocated),
            uplink: "ast-01".into(),
            direction: "down".into(),
            opened_at: MORNING,
            closed_at: Some(MORNING + 30 * MINUTE),
            worked_ms: 29_000,
            overdue_steps: 0,
            moved_bps: 5_240_000,
            report: Some("LAP-007/TI/XI/2026".into()),
        }],
        links: (1..=links).map(link).collect(),
        audit: AuditMark { size: 4_300, root: "aa".repeat(32) },
    }
}

/// A case that asked its provider, and was refused.
pub fn refused() -> CaseReport {
    let mut model = case_report();
    model.kind = CaseKind::Addition;
    model.outcome = Outcome::NotCarriedOut { why: "penyedia belum memiliki kapasitas".into() };
    model.commands.clear();
    for site in &mut model.sites {
        (site.after_bps, site.why, site.utilisation_after) = (site.before_bps, Why::Unchanged, None);
    }
    model.coordination.decided_by = None;
    model.coordination.options = vec![option("purchase", 50_000_000, Some(20_000_000), true)];
    model.coordination.provider = Some(ProviderDialogue {
        letter_number: "B-003/TI/XI/2026".into(),
        sent_at: Some(MORNING),
        sent_by: Some("e-mail to noc@provider.example".into()),
        ticket: Some("T-991".into()),
        promised_at: None,
        answer: Some("refused".into()),
        answered_by: Some("Tono Wijaya".into()),
        answered_at: Some(MORNING + 90 * MINUTE),
        remark: Some("Kapasitas penuh sampai Januari.".into()),
        accepted_bps: None,
        accepted_at: None,
    });
    model
}

fn site(link: &str, title: &str, (before, after): (u64, u64), why: Why) -> SiteChange {
    SiteChange {
        site: link.into(),
        site_title: title.into(),
        link: link.into(),
        before_bps: before,
        after_bps: after,
        device_bps: Some(after),
        cir_bps: Some(2_000_000),
        need_bps: None,
        utilisation_before: Some(used(before * 9 / 10, before)),
        utilisation_after: (after > before).then(|| used(after * 8 / 10, after)),
        why,
    }
}

fn used(p95: u64, ceiling: u64) -> Utilisation {
    let share = |rate: u64| u32::try_from(rate * 1000 / ceiling.max(1)).unwrap_or(u32::MAX);
    Utilisation {
        from: MORNING - 60 * MINUTE,
        to: MORNING,
        mean_bps: p95 * 8 / 10,
        p95_bps: p95,
        peak_bps: p95 * 11 / 10,
        mean_per_mille: share(p95 * 8 / 10),
        p95_per_mille: share(p95),
        readings: 12,
        gaps: 1,
    }
}

fn checks() -> Vec<Check> {
    let numbers = |json: serde_json::Value| json.as_object().cloned().unwrap_or_default();
    let check = |what: &str, outcome: &str, json: serde_json::Value| Check {
        what: what.into(),
        outcome: outcome.into(),
        evidence: "as measured".into(),
        numbers: numbers(json),
    };
    use serde_json::json;
    vec![
        check("continuity", "passed", json!({"readings": 6, "usable": 6, "broken": 0})),
        check("link-errors", "passed", json!({"errors": 3, "per_million": 1, "over_ms": 1_800_000})),
        check("flaps", "passed", json!({"changes": 0, "over_ms": 3_600_000})),
        check("duplex", "passed", json!({"duplex": "full", "mbps": 1000})),
        check("device-up", "passed", json!({"online": true, "polled_ok": true, "silent_ms": 4_000, "oper": "up"})),
        check("sustained", "passed", json!({"readings": 5, "over_ms": 1_500_000})),
        check("queue-effect", "unknown", json!({"recorded": 10_000_000, "observed": null, "highest_per_mille": 996})),
    ]
}

fn option(way: &str, amount_bps: u64, price_idr: Option<u64>, chosen: bool) -> CoordinationOption {
    CoordinationOption { way: way.into(), amount_bps, price_idr, chosen, note: String::new() }
}

fn command(device: &str, step: u16) -> Command {
    let at = MORNING + 6_000 + u64::from(step) * 5_000;
    Command {
        change: format!("{step:08x}{step:024x}"),
        device: device.into(),
        serial: Some(u64::from(step)),
        step,
        steps: 3,
        state: "confirmed".into(),
        sentence: "confirmed".into(),
        links: vec![device.into()],
        dispatched_at: Some(at),
        applied_at: Some(at + 300),
        ended_at: Some(at + 4_000),
        receipts: vec!["ab".repeat(32), "cd".repeat(32)],
        read_back: vec![format!("{device} 7.48 Mbit/s")],
    }
}

fn plot(link: &str, before: u64, after: u64) -> Plot {
    let from = MORNING - 60 * MINUTE;
    let point = |index: u64| {
        let ceiling = if index < 60 { before } else { after };
        let wave = 700 + (index * 37 % 29) * 10;
        Point { at: from + index * MINUTE, mean_bps: ceiling * wave.min(995) / 1000, ceiling_bps: Some(ceiling) }
    };
    Plot {
        link: link.into(),
        direction: "down".into(),
        from,
        to: from + 75 * MINUTE,
        // A quarter of an hour nobody measured.
        points: (0..75).filter(|index| !(20..28).contains(index)).map(point).collect(),
        changes: vec![MORNING + MINUTE],
    }
}
