//! *Laporan*: A. Pendahuluan, B. Kegiatan yang dilaksanakan, C. Hasil yang dicapai, D. Simpulan dan saran, E. Penutup.

mod activity;
mod result;

use super::{Page, Writer, t};
use crate::{
    document::{Document, Kind, Signature},
    model::{CaseKind, CaseReport, Origin, Outcome, Why},
    office::Signatory,
};

/// The rule that the procedure stands in.
const PROCEDURE: &str = "SDM-236-OT.02.02";
/// A link that uses more of its ceiling after the change is watched.
const FULL_PER_MILLE: u32 = 900;
/// The step in which the head receives the report.
const RECEIVE: u8 = 6;

pub(super) fn write(model: &CaseReport, writer: &Writer<'_>) -> Document {
    let mut page = Page::default();
    introduction(model, writer, &mut page);
    activity::write(model, writer, &mut page);
    result::write(model, writer, &mut page);
    conclusion(model, writer, &mut page);
    page.part(t!(writer, "part-closing"));
    page.say(t!(writer, "closing"));
    let mut document = writer.document(Kind::CaseReport, &model.number, writer.footer(&model.number, &model.audit));
    document.title = vec![t!(writer, "report"), t!(writer, "about"), title(model, writer)];
    document.blocks = page.into_blocks();
    document.place_date = Some(writer.place_date(model.made_at));
    document.signatures = signatures(model, writer);
    document
}

fn title(model: &CaseReport, writer: &Writer<'_>) -> String {
    // Titles are capitals throughout; the uplink's name is its name.
    let direction = writer.direction(&model.direction).to_uppercase();
    let key = match model.kind {
        CaseKind::Reallocation => "title-reallocation",
        CaseKind::Addition => "title-addition",
        CaseKind::Bod => "title-bod",
        CaseKind::Deferral => "title-deferral",
    };
    t!(writer, key, uplink = model.uplink.name, direction = direction)
}

/// The team's on the left, the head's on the right.
fn signatures(model: &CaseReport, writer: &Writer<'_>) -> Vec<Signature> {
    let office = writer.office;
    let own = model.steps.iter().rev().filter(|step| step.number < RECEIVE);
    let mut people = own.map(|step| step.owner.as_str()).filter(|owner| !matches!(*owner, "takar" | "policy"));
    let member = office.member.clone().or_else(|| {
        let name = people.next()?;
        Some(Signatory { role: t!(writer, "role-member"), name: name.into(), id: None })
    });
    let received = model.steps.iter().rev().find(|step| step.number == RECEIVE).and_then(|step| step.ended_at);
    let note = received.map(|at| t!(writer, "received", at = writer.figures.moment(at)));
    let member = member.iter().map(|member| writer.signature(member, None));
    member.chain([writer.signature(&office.head, note)]).collect()
}

fn introduction(model: &CaseReport, writer: &Writer<'_>, page: &mut Page) {
    let figures = &writer.figures;
    let direction = writer.direction(&model.direction);
    page.part(t!(writer, "part-introduction"));
    page.section(t!(writer, "general"));
    let subject = match model.kind {
        CaseKind::Reallocation => t!(writer, "subject-reallocation"),
        CaseKind::Addition => t!(writer, "subject-addition"),
        CaseKind::Bod => t!(writer, "subject-bod"),
        CaseKind::Deferral => t!(writer, "subject-deferral"),
    };
    page.say(t!(
        writer,
        "general-text",
        date = figures.date(model.opened_at),
        subject = subject,
        case = model.case.to_string(),
        origin = origin(model, writer),
    ));
    page.section(t!(writer, "purpose"));
    page.say(t!(writer, "purpose-text"));
    page.section(t!(writer, "scope"));
    page.say(t!(
        writer,
        "scope-text",
        uplink = model.uplink.name,
        provider = model.uplink.provider_title,
        capacity = figures.rate(model.uplink.capacity_bps),
        direction = direction,
        links = model.sites.len().to_string(),
    ));
    page.section(t!(writer, "basis"));
    page.list(basis(model, writer));
}

fn basis(model: &CaseReport, writer: &Writer<'_>) -> Vec<String> {
    let mut basis = vec![t!(writer, "basis-procedure", number = PROCEDURE)];
    match model.kind {
        CaseKind::Bod => basis.push(t!(writer, "basis-bod")),
        CaseKind::Addition => basis.push(t!(writer, "basis-addition")),
        CaseKind::Reallocation | CaseKind::Deferral => {}
    }
    if let Some(contract) = &model.uplink.contract {
        basis.push(t!(writer, "basis-contract", number = contract, provider = model.uplink.provider_title));
    }
    basis.extend(writer.office.basis.iter().cloned());
    basis
}

fn origin(model: &CaseReport, writer: &Writer<'_>) -> String {
    match &model.origin {
        Origin::Finding { id, link, lacking_bps, .. } => {
            let lacking = writer.figures.rate(*lacking_bps);
            t!(writer, "origin-finding", id = id.to_string(), link = link, lacking = lacking)
        }
        Origin::Need { name, site, letter } => match letter {
            Some(letter) => t!(writer, "origin-need-letter", name = name, site = site, letter = letter),
            None => t!(writer, "origin-need", name = name, site = site),
        },
        Origin::Person { name, reason } => t!(writer, "origin-person", name = name, reason = reason),
        Origin::Request { name, reason, letter } => match letter {
            Some(letter) => t!(writer, "origin-request-letter", name = name, reason = reason, letter = letter),
            None => t!(writer, "origin-request", name = name, reason = reason),
        },
    }
}

fn conclusion(model: &CaseReport, writer: &Writer<'_>, page: &mut Page) {
    let figures = &writer.figures;
    page.part(t!(writer, "part-conclusion"));
    page.section(t!(writer, "conclusion"));
    let standard_ms = model.standard_minutes.saturating_mul(60_000);
    let (took, standard) = (figures.duration(model.worked_ms), figures.duration(standard_ms));
    page.say(if model.worked_ms <= standard_ms {
        t!(writer, "conclusion-in-time", took = took, standard = standard)
    } else {
        t!(writer, "conclusion-too-late", took = took, standard = standard)
    });
    let confirmed = model.commands.iter().filter(|command| command.state == "confirmed");
    if let Some(last) = confirmed.filter_map(|command| command.ended_at).max() {
        let clock = figures.duration(last.saturating_sub(model.opened_at));
        page.say(t!(writer, "conclusion-by-clock", clock = clock));
    }
    let late = model.steps.iter().filter(|step| step.overdue).count();
    if late > 0 {
        page.say(t!(writer, "conclusion-late", late = late.to_string()));
    }
    let gains = model.sites.iter().map(|site| site.after_bps.saturating_sub(site.before_bps));
    let moved = gains.fold(0, u64::saturating_add);
    if moved > 0 {
        let moved = figures.rate(moved);
        page.say(match model.outcome {
            Outcome::Returned => t!(writer, "conclusion-lent", moved = moved),
            _ => t!(writer, "conclusion-moved", moved = moved),
        });
    }
    page.list(unserved(model, writer));
    page.section(t!(writer, "advice"));
    page.list(advice(model, writer));
    if !model.remarks.is_empty() {
        page.section(t!(writer, "remarks"));
        let remark = |remark: &crate::model::Remark| {
            let (by, at) = (writer.who(&remark.by), figures.moment(remark.at));
            t!(writer, "remarked", by = by, at = at, text = writer.voice().sentence(&remark.text))
        };
        page.list(model.remarks.iter().map(remark).collect());
    }
}

/// Who got less than was wanted.
fn unserved(model: &CaseReport, writer: &Writer<'_>) -> Vec<String> {
    let lacks = model.sites.iter().filter_map(|site| {
        let Why::Gets { wanted_bps, .. } = site.why else { return None };
        let lacking = wanted_bps.checked_sub(site.after_bps).filter(|lacking| *lacking > 0)?;
        Some(t!(writer, "conclusion-unserved", site = site.site_title, lacking = writer.figures.rate(lacking)))
    });
    lacks.collect()
}

/// By rule, from the numbers.
fn advice(model: &CaseReport, writer: &Writer<'_>) -> Vec<String> {
    let mut advice = Vec::new();
    let bought = model.coordination.options.iter().find(|option| option.way == "purchase" && option.amount_bps > 0);
    let is_settled = matches!(model.outcome, Outcome::Allocated) && model.kind == CaseKind::Addition;
    if let Some(option) = bought.filter(|_| !is_settled) {
        advice.push(t!(writer, "advice-buy", amount = writer.figures.rate(option.amount_bps)));
    }
    for site in &model.sites {
        let full = site.utilisation_after.as_ref().is_some_and(|used| used.p95_per_mille > FULL_PER_MILLE);
        if full && site.after_bps > site.before_bps {
            advice.push(t!(writer, "advice-watch", site = site.site_title));
        }
    }
    if model.steps.iter().any(|step| step.result == "rolled-back") {
        advice.push(t!(writer, "advice-device"));
    }
    if matches!(model.outcome, Outcome::NotCarriedOut { .. }) {
        advice.push(t!(writer, "advice-again"));
    }
    if advice.is_empty() {
        advice.push(t!(writer, "advice-keep"));
    }
    advice
}
