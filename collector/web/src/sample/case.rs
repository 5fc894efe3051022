//! A case at four moments.

use super::{DAY, HOUR, MBPS, MINUTE, NOW, Sample};
use crate::{
    clock::{Clock, Pace},
    pages::{
        Answer, Case, CaseRow, Change, Check, Dialogue, Draft, Evidence, Move, Opening, Proposal, Remark, StepRow,
        TeamMember, Trail, Way,
    },
    plot::{Plot, Point},
};

impl Sample {
    pub(super) fn case_to_verify(&self) -> Case {
        let row = self.row(119, "reallocation", ("identify", 2), "Puskesmas Tepi Senja", 27);
        Case {
            row: CaseRow { waits_for: Some(self.code("verify")), mine: true, ..row },
            opening: Opening::Need { name: self.free("lab-komputer"), letter: Some(self.free("421/88")) },
            steps: vec![self.step(1, 1, 18, "done"), self.step(2, 1, 27, "running")],
            may: self.acts(&["confirm", "dismiss", "remark", "assign"]),
            draft: Some(Draft {
                act: "dismiss".into(),
                typed: vec![("reason".into(), self.free("Hanya libur sekolah."))],
                problems: vec![self.free("the reason is shorter than 20 characters")],
            }),
            ..self.case(&["verification"])
        }
    }

    pub(super) fn case_to_approve(&self) -> Case {
        let row = self.row(116, "reallocation", ("coordinate", 3), "SMP Negeri 4 Lembah Jingga", 47);
        Case {
            row: CaseRow { waits_for: Some(self.code("approve")), mine: true, ..row },
            opening: Opening::Finding { place: self.free("SMP Negeri 4 Lembah Jingga"), lacking_bps: 24 * MBPS },
            steps: vec![
                self.step(1, 1, 18, "done"),
                self.step(2, 1, 24, "done"),
                self.step(3, 1, 12, "done"),
                self.step(4, 1, 9, "rolled-back"),
                self.step(3, 2, 47, "running"),
            ],
            plot: Some(self.plot()),
            proposal: Some(self.proposal("proposed")),
            ways: self.ways(),
            may: self.acts(&["approve", "decline", "replan", "ask-provider", "defer", "conclude", "remark", "assign"]),
            ..self.case(&["verification", "options"])
        }
    }

    pub(super) fn case_at_provider(&self) -> Case {
        let row = self.row(117, "addition", ("coordinate", 3), "Arunika Timur", 47);
        let dialogue = Dialogue { answer: None, accepted: None, ..self.dialogue() };
        Case {
            row: CaseRow { waits_for: Some(self.code("provider")), ..row },
            opening: Opening::Person { name: self.free("Sekar Ayuning"), reason: self.free("Uplink penuh.") },
            steps: vec![self.step(1, 1, 18, "done"), self.step(2, 1, 24, "done"), self.step(3, 1, 47, "running")],
            proposal: Some(Proposal {
                decided_by: Some(self.free("bagus")),
                decided_at: Some(NOW - HOUR),
                reason: Some(self.free("Gudang Farmasi akan segera memakainya.")),
                ..self.proposal("declined")
            }),
            dialogue: Some(dialogue),
            may: self.acts(&["answered", "sent", "remind", "accept", "resume", "grant", "end-loan", "remark"]),
            ..self.case(&["verification", "options"])
        }
    }

    pub(super) fn case_done(&self) -> Case {
        let row = self.row_to_receive();
        let opening = Opening::Request {
            name: self.free("Sekar Ayuning"),
            reason: self.free("Ujian daring."),
            letter: Some(self.free("421/90")),
        };
        Case {
            row: CaseRow { state: self.code("archived"), waits_for: None, ..row },
            opening,
            steps: (1..=6).map(|number| self.step(number, 1, 8 * u64::from(number), "done")).collect(),
            plot: Some(self.plot()),
            proposal: Some(Proposal {
                decided_by: Some(self.code("policy")),
                decided_at: Some(NOW - 2 * HOUR),
                ..self.proposal("approved")
            }),
            ways: self.ways(),
            dialogue: Some(self.dialogue()),
            changes: self.changes(),
            papers: vec![self.report()],
            may: self.acts(&["receive", "remark"]),
            ..self.case(&["check", "verification", "options", "allocation", "report"])
        }
    }

    /// What all have.
    fn case(&self, evidence: &[&str]) -> Case {
        let check = |what: &str, outcome: &str, said: &str| Check {
            what: self.code(what),
            outcome: self.code(outcome),
            evidence: self.free(said),
        };
        let evidence = evidence.iter().map(|kind| Evidence {
            kind: self.code(kind),
            at: NOW - HOUR,
            digest: self.free("9f3c1be190aa58c2e6f9d91407b36e40c25df1a83d02a07d114c7c1eb07e6630"),
        });
        Case {
            row: self.row_to_receive(),
            opening: Opening::Need { name: self.free("-"), letter: None },
            steps: Vec::new(),
            checks: vec![
                check("continuity", "passed", "No counter restarted within 288 readings."),
                check("duplex", "unknown", "The device does not tell its duplex."),
                check("queue-effect", "failed", "Traffic was carried at 130 % of the ceiling."),
            ],
            plot: None,
            evidence: evidence.collect(),
            proposal: None,
            ways: Vec::new(),
            dialogue: None,
            changes: Vec::new(),
            remarks: vec![Remark { at: NOW - HOUR, by: self.free("sekar"), text: self.free("Sudah ditelepon.") }],
            trail: vec![
                Trail {
                    index: 48_170,
                    at: NOW - 2 * HOUR,
                    who: self.code("takar"),
                    event: self.code("case-opened"),
                    act: None,
                },
                Trail {
                    index: 48_189,
                    at: NOW - HOUR,
                    who: self.free("bagus"),
                    event: self.code("case-moved"),
                    act: Some(self.code("approve")),
                },
            ],
            papers: Vec::new(),
            may: Vec::new(),
            team: vec![TeamMember { name: self.free("damar"), title: self.free("Damar Wicaksono") }],
            draft: None,
        }
    }

    /// Not marked: these are not shown, and decide which forms there are.
    fn acts(&self, acts: &[&str]) -> Vec<String> {
        acts.iter().map(|act| (*act).to_owned()).collect()
    }

    fn step(&self, number: u8, round: u16, worked: u64, result: &str) -> StepRow {
        let running = result == "running";
        StepRow {
            number,
            round,
            owner: self.free("damar"),
            began_at: NOW - 3 * HOUR,
            ended_at: (!running).then_some(NOW - HOUR),
            clock: Clock {
                worked_ms: worked * MINUTE,
                standard_minutes: if number == 5 { 60 } else { 30 },
                pace: if running { Pace::Running } else { Pace::Done },
            },
            result: self.code(result),
            note: (result == "rolled-back").then(|| self.free("site unreachable for 60 s after the change")),
        }
    }

    fn proposal(&self, state: &str) -> Proposal {
        let link = |place: &str, (from, to): (u64, u64), used: u64| Move {
            place: self.free(place),
            device: self.free("rtr-kym-01 · ether1"),
            from_bps: from * MBPS,
            to_bps: to * MBPS,
            guarantee_bps: Some(from * MBPS / 2),
            contract_bps: Some(100 * MBPS),
            used_bps: Some(used * 100_000),
            peak_bps: Some(used * 150_000),
            demand_bps: None,
        };
        Proposal {
            id: 214,
            made_by: self.free("damar"),
            made_at: NOW - 12 * MINUTE,
            state: state.into(),
            decided_by: None,
            decided_at: None,
            reason: None,
            moves: vec![
                link("Balai Latihan Kerja Kayu Manis", (80, 55), 62),
                link("Kantor Arsip Daerah", (50, 35), 30),
                Move { demand_bps: Some(84 * MBPS), ..link("SMP Negeri 4 Lembah Jingga", (60, 100), 587) },
            ],
            others: vec![(self.free("Dinas Kependudukan"), self.free("its peak leaves less than 25 % spare"))],
            sum_before_bps: 1_130 * MBPS,
            sum_after_bps: 1_130 * MBPS,
            budget_bps: 1_200 * MBPS,
        }
    }

    fn ways(&self) -> Vec<Way> {
        let way = |way: &str, price: Option<u64>, chosen: bool, note: &str| Way {
            way: self.code(way),
            amount_bps: 40 * MBPS,
            price_idr: price,
            chosen,
            note: self.free(note),
        };
        vec![
            way("within-contract", None, true, "40 Mbit/s can be moved within what is bought already, at no cost."),
            way("loan", None, false, "The shortage lasts beyond any loan."),
            way("purchase", Some(4_750_000), false, "Nothing has to be bought."),
        ]
    }

    fn dialogue(&self) -> Dialogue {
        Dialogue {
            provider: self.free("PT Gelombang Rimba"),
            number: self.free("031/L/XI/2026"),
            wanted_bps: 400 * MBPS,
            price_idr: Some(4_750_000),
            asked_at: NOW - DAY,
            asked_by: self.free("sekar"),
            sent: Some((NOW - 23 * HOUR, self.free("e-mail to noc@gelombang.example"))),
            reminded: vec![NOW - 2 * HOUR],
            answer: Some(Answer {
                agreed: true,
                by: self.free("Anggun"),
                at: NOW - HOUR,
                ticket: Some(self.free("GR-20931")),
                promised: Some(NOW + 6 * DAY),
                remark: Some(self.free("Jalur tersedia.")),
                recorded_by: self.free("sekar"),
            }),
            accepted: Some((NOW - 30 * MINUTE, 398 * MBPS)),
        }
    }

    fn changes(&self) -> Vec<Change> {
        let change = |step: u16, state: &str, serial: Option<u64>| Change {
            device: self.free("rtr-ars-01"),
            serial,
            step,
            steps: 2,
            state: self.code(state),
            sentence: self.free("confirmed, 41 s after it was sent"),
            moves: vec![(self.free("ars-01"), 60 * MBPS, 50 * MBPS)],
            dispatched_at: serial.map(|_| NOW - 90 * MINUTE),
            applied_at: serial.map(|_| NOW - 89 * MINUTE),
            ended_at: None,
            receipts: vec![self.free("7c1eb07e6630a07d114c")],
        };
        vec![change(1, "confirmed", Some(1042)), change(2, "rolled-back", Some(64)), change(2, "waiting", None)]
    }

    /// Three days with a gap, a working day's shape and a change of the ceiling.
    fn plot(&self) -> Plot {
        let from = NOW - 3 * DAY;
        let points = (0..288u64).filter(|n| !(120..150).contains(n)).map(|n| {
            let hour = n / 4 % 24;
            let busy = if (1..9).contains(&hour) { 52 - (hour * 7 + n) % 9 } else { 4 + n % 3 };
            let ceiling_bps = Some(if n < 200 { 40 * MBPS } else { 60 * MBPS });
            Point { at: from + n * 15 * MINUTE, mean_bps: busy.min(if n < 200 { 40 } else { 60 }) * MBPS, ceiling_bps }
        });
        Plot {
            link: self.free("lbj-04"),
            from,
            to: NOW,
            points: points.collect(),
            changes: vec![from + 200 * 15 * MINUTE],
        }
    }
}
