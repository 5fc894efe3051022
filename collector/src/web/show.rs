//! From the API's views to what the pages draw.

use std::collections::BTreeMap;

use serde_json::Value;
use takar_collector_core::case::{Case, Origin};
use takar_report::{Speech, model};
use takar_web::{
    Clock, Pace, Plot, Share, Shell, User,
    pages::{
        self, Answer, Change, Check, Deed, Dialogue, Draft, Evidence, LinkRow, Move, Opening, Paper, PaperFile,
        Proposal, Remark, StepRow, TeamMember, Trail, UplinkRow, Way,
    },
};

use crate::view::{AuditView, CaseDetailView, CaseView, ChangeView, CheckView, PaperView, ProposalView, StepView};

pub fn case_row(case: &CaseView, checks: &[CheckView], user: Option<&User>) -> pages::CaseRow {
    let paused = matches!(case.state.as_str(), "deferred" | "scheduled" | "on-loan");
    let over = matches!(case.state.as_str(), "dismissed" | "archived");
    let pace = match (over, paused) {
        (true, _) => Pace::Done,
        (_, true) => Pace::Stopped { until: case.until },
        _ => Pace::Running,
    };
    let role = user.map_or("", |user| user.role.as_str());
    let mine = match case.waits_for.as_deref() {
        Some("approve" | "grant" | "receive") => role == "head",
        Some("verify" | "choose" | "provider") => matches!(role, "member" | "head"),
        _ => false,
    };
    pages::CaseRow {
        id: case.id,
        kind: case.kind.clone(),
        uplink: case.uplink.clone(),
        direction: case.direction.clone(),
        places: case.links.iter().map(|link| site_of(link, checks)).collect(),
        state: case.state.clone(),
        step: case.step,
        owner: case.owner.clone(),
        clock: Clock { worked_ms: case.worked_ms, standard_minutes: case.standard_minutes, pace },
        waits_for: case.waits_for.clone(),
        mine: mine || user.is_some_and(|user| user.name == case.owner && !over),
        amount_bps: None,
        opened_at: case.opened_at,
        report: case.report.clone(),
    }
}

pub fn link_row(check: &CheckView, links: &Value, cases: &[CaseView]) -> LinkRow {
    let all = links.as_array().map(Vec::as_slice).unwrap_or_default();
    let live =
        all.iter().find(|row| row["link"] == check.link.as_str() && row["direction"] == check.direction.as_str());
    let of_link = cases.iter().find(|case| case.direction == check.direction && case.links.contains(&check.link));
    LinkRow {
        site: check.site_title.clone(),
        device: live.and_then(|row| row["device"].as_str()).unwrap_or_default().to_owned(),
        uplink: check.uplink.clone(),
        direction: check.direction.clone(),
        state: check.verdict.clone(),
        recorded_bps: check.recorded_bps,
        observed_bps: check.observed_bps,
        guarantee_bps: check.cir_bps,
        contract_bps: None,
        used_bps: live.and_then(|row| row["used_bps"].as_u64()),
        peak_bps: check.peak_bps,
        unserved_bps: check.unserved_bps.filter(|_| check.verdict == "starved"),
        case: of_link.map(|case| case.id),
    }
}

pub fn uplinks(checks: &[CheckView]) -> Vec<UplinkRow> {
    let mut rows: BTreeMap<(String, String), UplinkRow> = BTreeMap::new();
    for check in checks {
        let key = (check.uplink.clone(), check.direction.clone());
        let row = rows.entry(key).or_insert_with(|| UplinkRow {
            name: check.uplink.clone(),
            direction: check.direction.clone(),
            capacity_bps: check.budget_bps,
            promised_bps: check.promised_bps,
            links: Vec::new(),
        });
        let used = check.p95_bps.unwrap_or_default();
        row.links.push(Share { used, short: check.verdict == "starved" });
    }
    rows.into_values().collect()
}

/// What was done last, the newest first.
pub fn deeds(changes: &[ChangeView], papers: &[PaperView], cases: &[CaseView], most: usize) -> Vec<Deed> {
    let case_of = |change: &ChangeView| {
        let found = cases.iter().find(|case| change.moves.iter().any(|one| case.links.contains(&one.link)));
        found.map_or(0, |case| case.id)
    };
    let mut deeds: Vec<(u64, Deed)> = Vec::new();
    for change in changes {
        let (Some(at), Some(one)) = (change.ended_at, change.moves.first()) else { continue };
        let (case, place) = (case_of(change), one.link.clone());
        match change.state.as_str() {
            "confirmed" => {
                let (from_bps, to_bps) = (one.from_bps, one.to_bps);
                deeds.push((at, Deed::Confirmed { at, case, place, from_bps, to_bps }));
            }
            "rolled-back" => deeds.push((at, Deed::RolledBack { at, case, place })),
            _ => {}
        }
    }
    for paper in papers.iter().filter(|paper| paper.kind == "report") {
        let (at, number) = (paper.at, paper.number.clone());
        deeds.push((at, Deed::Reported { at, case: paper.case.unwrap_or_default(), number }));
    }
    deeds.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    deeds.into_iter().take(most).map(|(_, deed)| deed).collect()
}

pub fn case(
    view: &CaseDetailView,
    checks: &[CheckView],
    team: Vec<TeamMember>,
    draft: Option<Draft>,
    shell: &Shell,
) -> pages::Case {
    let user = shell.user.as_ref();
    let speech = Speech::new(shell.lang.as_str().parse().unwrap_or_default());
    let record: Option<Case> = serde_json::from_value(view.case.clone()).ok();
    let frozen = |kind: &str| view.evidence.iter().rev().find(|one| one.kind == kind).map(|one| &one.what);
    let mut row = case_row(&view.row, checks, user);
    row.amount_bps = record.as_ref().and_then(|case| match (&case.origin, &case.loan) {
        (_, Some(loan)) => Some(loan.to.0),
        (Origin::Finding { lacking, .. }, None) => Some(lacking.0),
        _ => None,
    });
    let received = record.as_ref().and_then(|case| case.received.as_ref()).map(|received| received.at.0);
    pages::Case {
        row,
        opening: record.as_ref().map_or_else(nobody, |case| opening(case, checks)),
        steps: view.steps.iter().map(step).collect(),
        checks: frozen("verification").map(|what| verification(what, &speech)).unwrap_or_default(),
        plot: frozen("report").and_then(plot),
        evidence: view
            .evidence
            .iter()
            .map(|one| Evidence { kind: one.kind.clone(), at: one.at, digest: one.digest.clone() })
            .collect(),
        proposal: view.proposals.last().map(|one| proposal(one, checks, &speech)),
        ways: frozen("options").map(|what| ways(what, &speech)).unwrap_or_default(),
        dialogue: record.as_ref().and_then(dialogue),
        changes: view.changes.iter().map(change).collect(),
        remarks: record.iter().flat_map(|case| &case.remarks).map(remark).collect(),
        trail: view.trail.iter().map(trail).collect(),
        papers: view.papers.iter().map(|one| paper(one, received)).collect(),
        may: view.may.clone(),
        team,
        draft,
    }
}

pub fn paper(paper: &PaperView, received_at: Option<u64>) -> Paper {
    Paper {
        number: paper.number.clone(),
        kind: paper.kind.clone(),
        case: paper.case,
        at: paper.at,
        received_at,
        files: paper
            .files
            .iter()
            .map(|file| PaperFile { path: file.path.clone(), bytes: file.bytes, sha256: file.sha256.clone() })
            .collect(),
    }
}

fn site_of(link: &str, checks: &[CheckView]) -> String {
    let found = checks.iter().find(|check| check.link == link);
    found.map_or_else(|| link.to_owned(), |check| check.site_title.clone())
}

fn nobody() -> Opening {
    Opening::Person { name: String::new(), reason: String::new() }
}

fn opening(case: &Case, checks: &[CheckView]) -> Opening {
    let place = case.links.first().map_or_else(|| case.uplink.to_string(), |link| site_of(link.as_str(), checks));
    match &case.origin {
        Origin::Finding { lacking, .. } => Opening::Finding { place, lacking_bps: lacking.0 },
        Origin::Need { name, letter } => Opening::Need { name: name.clone(), letter: letter.clone() },
        Origin::Person { name, reason } => Opening::Person { name: name.clone(), reason: reason.clone() },
        Origin::Request { name, reason, letter } => {
            Opening::Request { name: name.clone(), reason: reason.clone(), letter: letter.clone() }
        }
    }
}

fn step(step: &StepView) -> StepRow {
    let pace = match (step.ended_at, step.paused) {
        (Some(_), _) => Pace::Done,
        (None, true) => Pace::Stopped { until: None },
        (None, false) => Pace::Running,
    };
    StepRow {
        number: step.number,
        round: step.round,
        owner: step.owner.clone(),
        began_at: step.began_at,
        ended_at: step.ended_at,
        clock: Clock { worked_ms: step.worked_ms, standard_minutes: step.standard_minutes, pace },
        result: step.result.clone(),
        note: step.note.clone(),
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn verification(what: &Value, speech: &Speech) -> Vec<Check> {
    let checks = what["checks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let check = |one: &Value| {
        let kept = model::Check {
            what: text(one, "what"),
            outcome: text(one, "outcome"),
            evidence: text(one, "told"),
            numbers: one["numbers"].as_object().cloned().unwrap_or_default(),
        };
        Check { evidence: speech.told(&kept), what: kept.what, outcome: kept.outcome }
    };
    checks.iter().map(check).collect()
}

fn ways(what: &Value, speech: &Speech) -> Vec<Way> {
    let way = |one: &Value| Way {
        way: text(one, "way"),
        amount_bps: one["amount_bps"].as_u64().unwrap_or_default(),
        price_idr: one["price_idr"].as_u64(),
        chosen: one["chosen"] == true,
        note: speech.sentence(&text(one, "note")),
    };
    what.as_array().map(Vec::as_slice).unwrap_or_default().iter().map(way).collect()
}

/// The first curve of the report.
fn plot(report: &Value) -> Option<Plot> {
    let plot: model::Plot = serde_json::from_value(report["plots"].get(0)?.clone()).ok()?;
    let point =
        |one: &model::Point| takar_web::Point { at: one.at, mean_bps: one.mean_bps, ceiling_bps: one.ceiling_bps };
    Some(Plot {
        link: plot.link.clone(),
        from: plot.from,
        to: plot.to,
        points: plot.points.iter().map(point).collect(),
        changes: plot.changes.clone(),
    })
}

fn proposal(view: &ProposalView, checks: &[CheckView], speech: &Speech) -> Proposal {
    let moved = |one: &crate::view::MoveView| {
        let check = checks.iter().find(|check| check.link == one.link && check.direction == view.direction);
        Move {
            place: site_of(&one.link, checks),
            device: one.link.clone(),
            from_bps: one.from_bps,
            to_bps: one.to_bps,
            guarantee_bps: check.and_then(|check| check.cir_bps),
            contract_bps: None,
            used_bps: check.and_then(|check| check.p95_bps),
            peak_bps: check.and_then(|check| check.peak_bps),
            demand_bps: None,
        }
    };
    Proposal {
        id: view.id,
        made_by: view.made_by.clone(),
        made_at: view.made_at,
        state: view.state.clone(),
        decided_by: view.decided_by.clone(),
        decided_at: view.decided_at,
        reason: view.reason.clone(),
        moves: view.moves.iter().map(moved).collect(),
        others: view.others.iter().map(|other| (other.link.clone(), speech.sentence(&other.why))).collect(),
        sum_before_bps: view.sum_before_bps,
        sum_after_bps: view.sum_after_bps,
        budget_bps: view.budget_bps,
    }
}

fn dialogue(case: &Case) -> Option<Dialogue> {
    let talk = case.provider.as_ref()?;
    let answer = talk.answer.as_ref().map(|answer| Answer {
        agreed: answer.agreed,
        by: answer.by.clone(),
        at: answer.at.0,
        ticket: answer.ticket.clone(),
        promised: answer.promised.map(|at| at.0),
        remark: answer.remark.clone(),
        recorded_by: answer.recorded_by.to_string(),
    });
    Some(Dialogue {
        provider: talk.provider.to_string(),
        number: talk.number.clone(),
        wanted_bps: talk.wanted.0,
        price_idr: talk.price_idr,
        asked_at: talk.asked_at.0,
        asked_by: talk.asked_by.to_string(),
        sent: talk.sent.as_ref().map(|(at, how)| (at.0, how.clone())),
        reminded: talk.reminded.iter().map(|at| at.0).collect(),
        answer,
        accepted: talk.accepted.as_ref().map(|accepted| (accepted.at.0, accepted.measured.0)),
    })
}

fn change(view: &ChangeView) -> Change {
    Change {
        device: view.device.clone(),
        serial: view.serial,
        step: view.step,
        steps: view.steps,
        state: view.state.clone(),
        sentence: view.sentence.clone(),
        moves: view.moves.iter().map(|one| (one.link.clone(), one.from_bps, one.to_bps)).collect(),
        dispatched_at: view.dispatched_at,
        applied_at: view.applied_at,
        ended_at: view.ended_at,
        receipts: Vec::new(),
    }
}

fn remark(remark: &takar_collector_core::case::Remark) -> Remark {
    Remark { at: remark.at.0, by: remark.by.to_string(), text: remark.text.clone() }
}

fn trail(view: &AuditView) -> Trail {
    Trail {
        index: view.index,
        at: view.at,
        who: view.who.clone(),
        event: view.event.clone(),
        act: view.record["what"]["act"].as_str().map(str::to_owned),
    }
}
