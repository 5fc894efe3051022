//! *Laporan*: A. Pendahuluan, B. Kegiatan yang dilaksanakan, C. Hasil yang dicapai, D. Simpulan dan saran, E. Penutup.

use super::{Page, Writer, row, t};
use crate::{
    document::{Align, Document, Kind, Tone},
    model::{CaseKind, CaseReport, Check, Command, Origin, Outcome, SiteChange, Step, Why},
    write::plot,
};

/// The rule that the procedure stands in.
const PROCEDURE: &str = "SDM-236-OT.02.02";

pub(super) fn write(model: &CaseReport, writer: &Writer<'_>) -> Document {
    let mut page = Page::default();
    introduction(model, writer, &mut page);
    activity(model, writer, &mut page);
    result(model, writer, &mut page);
    conclusion(model, writer, &mut page);
    page.part(t!(writer, "part-closing"));
    page.say(t!(writer, "closing"));
    let mut document = writer.document(Kind::CaseReport, &model.number, writer.footer(&model.number, &model.audit));
    document.title = vec![t!(writer, "report"), t!(writer, "about"), title(model, writer)];
    document.blocks = page.into_blocks();
    document.place_date = Some(writer.place_date(model.made_at));
    let office = writer.office;
    document.signatures = office.member.iter().chain([&office.head]).map(|one| writer.signature(one, None)).collect();
    document
}

fn title(model: &CaseReport, writer: &Writer<'_>) -> String {
    let direction = writer.direction(&model.direction);
    let key = match model.kind {
        CaseKind::Reallocation => "title-reallocation",
        CaseKind::Addition => "title-addition",
        CaseKind::Bod => "title-bod",
        CaseKind::Deferral => "title-deferral",
    };
    t!(writer, key, uplink = model.uplink.name, direction = direction.to_uppercase())
}

fn introduction(model: &CaseReport, writer: &Writer<'_>, page: &mut Page) {
    let figures = &writer.figures;
    let direction = writer.direction(&model.direction);
    page.part(t!(writer, "part-introduction"));
    page.section(t!(writer, "general"));
    page.say(t!(writer, "general-text", date = figures.date(model.opened_at), origin = origin(model, writer)));
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
    let mut basis = vec![t!(writer, "basis-procedure", number = PROCEDURE)];
    if let Some(contract) = &model.uplink.contract {
        basis.push(t!(writer, "basis-contract", number = contract, provider = model.uplink.provider_title));
    }
    basis.extend(writer.office.basis.iter().cloned());
    page.list(basis);
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

fn activity(model: &CaseReport, writer: &Writer<'_>, page: &mut Page) {
    page.part(t!(writer, "part-activity"));
    page.section(t!(writer, "six-steps"));
    page.say(t!(writer, "six-steps-text"));
    let columns = [
        ("column-no", Align::Centre, 1),
        ("column-activity", Align::Start, 6),
        ("column-who", Align::Start, 3),
        ("column-standard", Align::End, 2),
        ("column-took", Align::End, 2),
        ("column-result", Align::Start, 3),
    ];
    let rows = model.steps.iter().map(|step| step_row(step, writer)).collect();
    page.table(t!(writer, "table-steps"), writer.columns(&columns), rows, false);
    verification(model, writer, page);
    coordination(model, writer, page);
}

fn step_row(step: &Step, writer: &Writer<'_>) -> crate::document::Row {
    let figures = &writer.figures;
    let took = match step.ended_at {
        Some(_) => figures.duration(step.worked_ms),
        None => t!(writer, "running"),
    };
    let result = match (step.overdue, step.result.as_str()) {
        (true, _) => t!(writer, "result-overdue"),
        (_, "running") => t!(writer, "result-running"),
        (_, "not-needed") => t!(writer, "result-not-needed"),
        (_, "rolled-back") => t!(writer, "result-rolled-back"),
        _ => t!(writer, "result-done"),
    };
    let tone = match (step.overdue, step.result.as_str()) {
        (true, _) | (_, "rolled-back") => Tone::Bad,
        (_, "not-needed" | "running") => Tone::Faint,
        _ => Tone::Plain,
    };
    let number = if step.round > 1 { format!("{}.{}", step.number, step.round) } else { step.number.to_string() };
    let activity = writer.words.text(&format!("step-{}", step.number.clamp(1, 6)));
    let standard = figures.duration(step.standard_minutes * 60_000);
    row(tone, vec![number, activity, writer.who(&step.owner), standard, took, result])
}

fn verification(model: &CaseReport, writer: &Writer<'_>, page: &mut Page) {
    page.section(t!(writer, "verification"));
    if model.verification.is_empty() {
        page.say(t!(writer, "verification-by-person"));
        return;
    }
    page.say(t!(writer, "verification-text"));
    let columns =
        [("column-check", Align::Start, 3), ("column-outcome", Align::Start, 2), ("column-evidence", Align::Start, 6)];
    let rows = model.verification.iter().map(|check| check_row(check, writer)).collect();
    page.table(t!(writer, "table-verification"), writer.columns(&columns), rows, false);
}

fn check_row(check: &Check, writer: &Writer<'_>) -> crate::document::Row {
    let tone = match check.outcome.as_str() {
        "passed" => Tone::Good,
        "failed" => Tone::Bad,
        _ => Tone::Faint,
    };
    let outcome = match check.outcome.as_str() {
        "passed" => t!(writer, "outcome-passed"),
        "failed" => t!(writer, "outcome-failed"),
        _ => t!(writer, "outcome-unknown"),
    };
    let name = writer.words.text(&format!("check-{}", check.what));
    row(tone, vec![name, outcome, told(check, writer)])
}

/// The check's numbers, in the language of the paper.
pub(crate) fn told(check: &Check, writer: &Writer<'_>) -> String {
    let figures = &writer.figures;
    let number = |key: &str| check.numbers.get(key).and_then(serde_json::Value::as_u64);
    let count = |key: &str| number(key).unwrap_or_default().to_string();
    let rate = |key: &str| figures.rate_or_unknown(number(key));
    let span = |key: &str| figures.duration(number(key).unwrap_or_default());
    let word = |key: &str| check.numbers.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
    if check.outcome == "unknown" {
        return t!(writer, "told-unknown");
    }
    match check.what.as_str() {
        "continuity" => t!(
            writer,
            "told-continuity",
            usable = count("usable"),
            readings = count("readings"),
            broken = count("broken")
        ),
        "link-errors" => {
            t!(
                writer,
                "told-link-errors",
                errors = count("errors"),
                million = count("per_million"),
                span = span("over_ms")
            )
        }
        "flaps" => t!(writer, "told-flaps", changes = count("changes"), span = span("over_ms")),
        "duplex" => {
            let duplex = match word("duplex") {
                "half" => t!(writer, "duplex-half"),
                "full" => t!(writer, "duplex-full"),
                _ => t!(writer, "duplex-unknown"),
            };
            let speed = figures.rate_or_unknown(number("mbps").map(|mbps| mbps.saturating_mul(1_000_000)));
            t!(writer, "told-duplex", duplex = duplex, speed = speed)
        }
        "device-up" if check.outcome == "passed" => t!(writer, "told-device-up", silent = span("silent_ms")),
        "device-up" => t!(writer, "told-device-down"),
        "sustained" => t!(writer, "told-sustained", readings = count("readings"), span = span("over_ms")),
        "queue-effect" => {
            let highest = u32::try_from(number("highest_per_mille").unwrap_or_default()).unwrap_or(u32::MAX);
            t!(
                writer,
                "told-queue-effect",
                recorded = rate("recorded"),
                observed = rate("observed"),
                highest = figures.per_mille(highest)
            )
        }
        _ => check.evidence.clone(),
    }
}

fn coordination(model: &CaseReport, writer: &Writer<'_>, page: &mut Page) {
    let (figures, talks) = (&writer.figures, &model.coordination);
    page.section(t!(writer, "coordination"));
    page.say(t!(writer, "coordination-text"));
    let columns = [
        ("column-way", Align::Start, 4),
        ("column-amount", Align::End, 2),
        ("column-price", Align::End, 2),
        ("column-chosen", Align::Centre, 2),
    ];
    let rows = talks.options.iter().map(|option| {
        let name = match option.way.as_str() {
            "within-contract" => t!(writer, "way-within-contract"),
            "loan" => t!(writer, "way-loan"),
            _ => t!(writer, "way-purchase"),
        };
        let price = option.price_idr.map_or_else(|| "–".to_owned(), |price| figures.rupiah(price));
        let (tone, chosen) =
            if option.chosen { (Tone::Strong, t!(writer, "chosen")) } else { (Tone::Plain, "–".to_owned()) };
        row(tone, vec![name, figures.rate(option.amount_bps), price, chosen])
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        page.table(t!(writer, "table-options"), writer.columns(&columns), rows, false);
    }
    if let (Some(by), Some(at)) = (&talks.decided_by, talks.decided_at) {
        let proposed = talks.proposed_by.as_deref().map(|name| writer.who(name)).unwrap_or_else(|| "–".into());
        let proposal = talks.proposal.map_or_else(|| "–".to_owned(), |id| id.to_string());
        let (by, at) = (writer.who(by), figures.moment(at));
        page.say(match &talks.reason {
            Some(reason) => {
                t!(writer, "declined", proposal = proposal, proposed = proposed, by = by, at = at, reason = reason)
            }
            None => t!(writer, "approved", proposal = proposal, proposed = proposed, by = by, at = at),
        });
    }
    if let Some(provider) = &talks.provider {
        let mut facts = vec![
            (t!(writer, "letter-number"), provider.letter_number.clone()),
            (t!(writer, "letter-sent"), sent(provider.sent_at, provider.sent_by.as_deref(), writer)),
        ];
        let answer = match provider.answer.as_deref() {
            Some("agreed") => t!(writer, "answer-agreed"),
            Some(_) => t!(writer, "answer-refused"),
            None => t!(writer, "answer-none"),
        };
        facts.push((t!(writer, "answer"), answer));
        if let (Some(by), Some(at)) = (&provider.answered_by, provider.answered_at) {
            facts.push((t!(writer, "answered-by"), format!("{by}, {}", figures.moment(at))));
        }
        for (key, value) in [("ticket", &provider.ticket), ("remark", &provider.remark)] {
            facts.extend(value.as_ref().map(|value| (writer.words.text(key), value.clone())));
        }
        facts.extend(provider.promised_at.map(|at| (t!(writer, "promised"), figures.date(at))));
        if let (Some(rate), Some(at)) = (provider.accepted_bps, provider.accepted_at) {
            facts.push((t!(writer, "accepted"), format!("{}, {}", figures.rate(rate), figures.moment(at))));
        }
        page.facts(facts);
    } else {
        page.say(t!(writer, "no-provider"));
    }
}

fn sent(at: Option<u64>, how: Option<&str>, writer: &Writer<'_>) -> String {
    match (at, how) {
        (Some(at), Some(how)) => format!("{}, {how}", writer.figures.moment(at)),
        _ => t!(writer, "not-sent"),
    }
}

fn result(model: &CaseReport, writer: &Writer<'_>, page: &mut Page) {
    let figures = &writer.figures;
    page.part(t!(writer, "part-result"));
    page.section(t!(writer, "allocation"));
    page.say(match &model.outcome {
        Outcome::Allocated => t!(writer, "outcome-allocated"),
        Outcome::Returned => t!(writer, "outcome-returned"),
        Outcome::NotCarriedOut { why } => t!(writer, "outcome-not-carried-out", why = why),
    });
    let columns = [
        ("column-site", Align::Start, 4),
        ("column-before", Align::End, 2),
        ("column-after", Align::End, 2),
        ("column-change", Align::End, 2),
        ("column-device", Align::End, 2),
        ("column-why", Align::Start, 5),
    ];
    let mut rows: Vec<_> = model.sites.iter().map(|site| site_row(site, writer)).collect();
    let (before, after) = (model.uplink.sum_before_bps, model.uplink.sum_after_bps);
    let budget = t!(writer, "of-budget", budget = figures.rate(model.uplink.budget_bps));
    let sum = vec![
        t!(writer, "sum", uplink = model.uplink.name),
        figures.rate(before),
        figures.rate(after),
        figures.change(before, after),
        String::from("–"),
        budget,
    ];
    rows.push(row(Tone::Strong, sum));
    page.table(t!(writer, "table-sites"), writer.columns(&columns), rows, false);
    utilisation(model, writer, page);
    devices(model, writer, page);
    if !model.plots.is_empty() {
        page.section(t!(writer, "evidence"));
        page.say(t!(writer, "evidence-text"));
        for one in &model.plots {
            page.push(plot::block(one, writer));
        }
    }
}

fn site_row(site: &SiteChange, writer: &Writer<'_>) -> crate::document::Row {
    let figures = &writer.figures;
    let why = match site.why {
        Why::Gives { spare_bps } => t!(writer, "why-gives", spare = figures.rate(spare_bps)),
        Why::Gets { wanted_bps, served_bps } => {
            t!(writer, "why-gets", wanted = figures.rate(wanted_bps), served = figures.rate(served_bps))
        }
        Why::Asked => t!(writer, "why-asked"),
        Why::Lent { wanted_bps } => t!(writer, "why-lent", wanted = figures.rate(wanted_bps)),
        Why::Unchanged => t!(writer, "why-unchanged"),
    };
    let name =
        if site.link == site.site { site.site_title.clone() } else { format!("{} ({})", site.site_title, site.link) };
    row(
        Tone::Plain,
        vec![
            name,
            figures.rate(site.before_bps),
            figures.rate(site.after_bps),
            figures.change(site.before_bps, site.after_bps),
            figures.rate_or_unknown(site.device_bps),
            why,
        ],
    )
}

fn utilisation(model: &CaseReport, writer: &Writer<'_>, page: &mut Page) {
    page.section(t!(writer, "utilisation-head"));
    let columns = [
        ("column-site", Align::Start, 3),
        ("column-used-before", Align::Start, 5),
        ("column-used-after", Align::Start, 5),
    ];
    let rows = model.sites.iter().map(|site| {
        let (before, after) = (site.utilisation_before.as_ref(), site.utilisation_after.as_ref());
        row(Tone::Plain, vec![site.site_title.clone(), writer.utilisation(before), writer.utilisation(after)])
    });
    page.table(t!(writer, "table-utilisation"), writer.columns(&columns), rows.collect(), false);
}

fn devices(model: &CaseReport, writer: &Writer<'_>, page: &mut Page) {
    page.section(t!(writer, "devices"));
    if model.commands.is_empty() {
        page.say(t!(writer, "no-commands"));
        return;
    }
    page.say(t!(writer, "devices-text"));
    let columns = [
        ("column-command", Align::Start, 3),
        ("column-device-name", Align::Start, 3),
        ("column-sent", Align::End, 2),
        ("column-applied", Align::End, 2),
        ("column-ended", Align::End, 2),
        ("column-state", Align::Start, 2),
        ("column-read-back", Align::Start, 4),
    ];
    let rows = model.commands.iter().map(|command| command_row(command, writer)).collect();
    page.table(t!(writer, "table-commands"), writer.columns(&columns), rows, true);
}

fn command_row(command: &Command, writer: &Writer<'_>) -> crate::document::Row {
    let clock = |at: Option<u64>| at.map_or_else(|| "–".to_owned(), |at| writer.figures.clock_to_the_second(at));
    let (tone, state) = match command.state.as_str() {
        "confirmed" => (Tone::Good, t!(writer, "state-confirmed")),
        "rolled-back" => (Tone::Bad, t!(writer, "state-rolled-back")),
        "refused" => (Tone::Bad, t!(writer, "state-refused")),
        "withdrawn" => (Tone::Faint, t!(writer, "state-withdrawn")),
        _ => (Tone::Bad, t!(writer, "state-other")),
    };
    let serial = command.serial.map_or_else(|| "–".to_owned(), |serial| serial.to_string());
    let change = command.change.get(..8).unwrap_or(&command.change);
    let read_back = if command.read_back.is_empty() { "–".to_owned() } else { command.read_back.join("; ") };
    row(
        tone,
        vec![
            format!("{change} ({serial})"),
            command.device.clone(),
            clock(command.dispatched_at),
            clock(command.applied_at),
            clock(command.ended_at),
            state,
            read_back,
        ],
    )
}

fn conclusion(model: &CaseReport, writer: &Writer<'_>, page: &mut Page) {
    let figures = &writer.figures;
    page.part(t!(writer, "part-conclusion"));
    page.section(t!(writer, "conclusion"));
    let took = figures.duration(model.worked_ms);
    let standard = figures.duration(model.standard_minutes * 60_000);
    page.say(t!(writer, "conclusion-time", took = took, standard = standard));
    let late = model.steps.iter().filter(|step| step.overdue).count();
    if late > 0 {
        page.say(t!(writer, "conclusion-late", late = late.to_string()));
    }
    let moved: u64 = model.sites.iter().map(|site| site.after_bps.saturating_sub(site.before_bps)).sum();
    if moved > 0 {
        page.say(t!(writer, "conclusion-moved", moved = figures.rate(moved)));
    }
    page.section(t!(writer, "advice"));
    page.list(advice(model, writer));
    for remark in &model.remarks {
        let (by, at) = (writer.who(&remark.by), figures.moment(remark.at));
        page.say(t!(writer, "remarked", by = by, at = at, text = remark.text));
    }
}

/// By rule, from the numbers.
fn advice(model: &CaseReport, writer: &Writer<'_>) -> Vec<String> {
    let mut advice = Vec::new();
    let bought = model.coordination.options.iter().find(|option| option.way == "purchase" && option.amount_bps > 0);
    if let Some(option) = bought {
        advice.push(t!(writer, "advice-buy", amount = writer.figures.rate(option.amount_bps)));
    }
    for site in &model.sites {
        let full = site.utilisation_after.as_ref().is_some_and(|used| used.p95_per_mille > 900);
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
