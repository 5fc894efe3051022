//! Reports, and what a provider sees.

use super::{DAY, HOUR, MBPS, NOW, Sample};
use crate::pages::{Paper, PaperFile, Provider, Reply, Reports, Request, Standing};

impl Sample {
    pub(super) fn reports(&self) -> Reports {
        let letter = Paper {
            number: self.free("031/L/XI/2026"),
            kind: self.code("letter"),
            case: Some(117),
            received_at: None,
            ..self.report()
        };
        let summary = Paper { kind: self.code("summary"), case: None, received_at: None, ..self.report() };
        let received = Paper { received_at: Some(NOW - HOUR), ..self.report() };
        Reports { papers: vec![self.report(), letter, summary, received], more: true }
    }

    pub(super) fn report(&self) -> Paper {
        let file = |name: &str, bytes: u64| PaperFile {
            path: format!("{}/{name}", self.free("2026/094-K-111")),
            bytes,
            sha256: self.free("9f3c1be190aa58c2"),
        };
        Paper {
            number: self.free("094/K-111/XI/2026"),
            kind: self.code("report"),
            case: Some(111),
            at: NOW - 30 * 60_000,
            received_at: None,
            files: vec![
                file("report.id.pdf", 214_560),
                file("report.id.html", 41_200),
                file("report.id.xlsx", 28_800),
                file("report.en.pdf", 213_900),
                file("report.en.html", 40_100),
                file("report.en.xlsx", 28_700),
                file("report.json", 18_044),
            ],
        }
    }

    pub(super) fn provider(&self) -> Provider {
        let request = Request {
            token: self.free("MTE3LnE3WnIwbVlrM3NKMXZU"),
            number: self.free("031/L/XI/2026"),
            provider: self.free("PT Gelombang Rimba"),
            contract: Some(self.free("KTR-2025-118")),
            uplink: self.free("Arunika Timur"),
            direction: self.code("down"),
            capacity_bps: 300 * MBPS,
            wanted_bps: 400 * MBPS,
            from: Some(NOW + DAY),
            until: Some(NOW + 30 * DAY),
            price_idr: Some(4_750_000),
            sites: vec![self.free("RSUD Arunika"), self.free("SMK Negeri 1 Rawa Emas")],
            asked_at: NOW - HOUR,
            asked_by: self.free("Sekar Ayuning"),
            expires_at: NOW + 7 * DAY,
        };
        Provider {
            standing: Standing::Open(Box::new(request)),
            typed: Reply {
                name: self.free("Anggun"),
                ticket: self.free("GR-20931"),
                promised: self.free("2026-12-01"),
                answer: self.code("agree"),
                remark: self.free("Jalur fiber tersedia."),
            },
            problems: vec![self.free("the promised date is in the past")],
        }
    }

    pub(super) fn provider_used(&self) -> Provider {
        let standing = Standing::Answered {
            number: self.free("031/L/XI/2026"),
            agreed: true,
            by: self.free("Anggun"),
            at: NOW - HOUR,
            ticket: Some(self.free("GR-20931")),
            promised: Some(NOW + 6 * DAY),
        };
        Provider { standing, typed: Reply::default(), problems: Vec::new() }
    }

    pub(super) fn provider_expired(&self) -> Provider {
        let standing = Standing::Expired { number: self.free("031/L/XI/2026"), at: NOW - DAY };
        Provider { standing, typed: Reply::default(), problems: Vec::new() }
    }
}
