//! What was done: the six steps, what was ruled out before anything moved, and who agreed to what.

use crate::{
    document::{Align, Row, Tone},
    model::{CaseReport, Check, ProviderDialogue, Step},
    write::{Page, Writer, row, t},
};

const STEPS: std::ops::RangeInclusive<u8> = 1..=6;

pub(super) fn write(model: &CaseReport, writer: &Writer<'_>, page: &mut Page) {
    page.part(t!(writer, "part-activity"));
    steps(model, writer, page);
    verification(model, writer, page);
    coordination(model, writer, page);
}

fn steps(model: &CaseReport, writer: &Writer<'_>, page: &mut Page) {
    page.section(t!(writer, "six-steps"));
    page.say(t!(writer, "six-steps-text"));
    page.list(model.steps.iter().map(|step| did(step, model, writer)).collect());
    let columns = [
        ("column-no", Align::Centre, 1),
        ("column-activity", Align::Start, 6),
        ("column-who", Align::Start, 3),
        ("column-when", Align::Start, 3),
        ("column-standard", Align::End, 2),
        ("column-took", Align::End, 2),
        ("column-result", Align::Start, 3),
    ];
    let to_come = STEPS.filter(|number| model.steps.iter().all(|step| step.number != *number));
    let to_come = to_come.map(|number| coming(number, model, writer));
    let rows = model.steps.iter().map(|step| step_row(step, writer)).chain(to_come).collect();
    page.table(t!(writer, "table-steps"), writer.columns(&columns), rows, true);
}

/// One step in a sentence or two.
fn did(step: &Step, model: &CaseReport, writer: &Writer<'_>) -> String {
    let text = match (step.result.as_str(), step.number) {
        ("not-needed", number) => t!(writer, "did-not-need", step = number.to_string()),
        ("rolled-back", _) => t!(writer, "did-roll-back"),
        (_, 1) => t!(writer, "did-check"),
        (_, 2) if model.verification.is_empty() => t!(writer, "did-confirm"),
        (_, 2) => t!(writer, "did-verify"),
        (_, 3) => t!(writer, "did-coordinate"),
        (_, 4) if model.commands.is_empty() => t!(writer, "did-nothing"),
        (_, 4) => t!(writer, "did-allocate"),
        (_, 5) => t!(writer, "did-report"),
        _ => t!(writer, "did-receive"),
    };
    // What a device said of a change that did not hold is among its answers.
    match step.note.as_deref().filter(|note| !note.is_empty() && step.result != "rolled-back") {
        Some(note) => t!(writer, "did-noted", text = text, note = writer.voice().sentence(note)),
        None => text,
    }
}

fn step_row(step: &Step, writer: &Writer<'_>) -> Row {
    let (figures, voice) = (&writer.figures, writer.voice());
    let began = figures.short(step.began_at);
    let (when, took) = match step.ended_at {
        Some(ended) if figures.date(ended) == figures.date(step.began_at) => {
            (format!("{began}–{}", figures.clock(ended)), figures.duration(step.worked_ms))
        }
        Some(ended) => (format!("{began}–{}", figures.short(ended)), figures.duration(step.worked_ms)),
        None => (began, t!(writer, "running")),
    };
    let tone = match (step.overdue, step.result.as_str()) {
        (true, _) | (_, "rolled-back") => Tone::Bad,
        (_, "not-needed" | "running") => Tone::Faint,
        _ => Tone::Plain,
    };
    let number = if step.round > 1 { format!("{}.{}", step.number, step.round) } else { step.number.to_string() };
    let standard = figures.duration(step.standard_minutes.saturating_mul(60_000));
    let (who, result) = (voice.who(&step.owner), voice.result(step));
    row(tone, vec![number, voice.step(step.number), who, when, standard, took, result])
}

/// A step that has not begun as the report is written. What is left of the whole time is its own if it is the last.
fn coming(number: u8, model: &CaseReport, writer: &Writer<'_>) -> Row {
    let known = model.steps.iter().filter(|step| step.round == 1);
    let counted = known.clone().count() == 5 && number == 6;
    let known = known.fold(0, |sum: u64, step| sum.saturating_add(step.standard_minutes));
    let left = model.standard_minutes.checked_sub(known).filter(|left| counted && *left > 0);
    let unknown = || "–".to_owned();
    let standard = left.map_or_else(unknown, |left| writer.figures.duration(left.saturating_mul(60_000)));
    let who = if number == 6 { writer.office.head.role.clone() } else { unknown() };
    let result = t!(writer, "result-to-come");
    let cells = vec![number.to_string(), writer.voice().step(number), who, unknown(), standard, unknown(), result];
    row(Tone::Faint, cells)
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

fn check_row(check: &Check, writer: &Writer<'_>) -> Row {
    let tone = match check.outcome.as_str() {
        "passed" => Tone::Good,
        "failed" => Tone::Bad,
        _ => Tone::Faint,
    };
    let voice = writer.voice();
    let name = writer.words.text(&format!("check-{}", check.what));
    row(tone, vec![name, voice.checked(&check.outcome), voice.told(check)])
}

fn coordination(model: &CaseReport, writer: &Writer<'_>, page: &mut Page) {
    let (figures, talks) = (&writer.figures, &model.coordination);
    page.section(t!(writer, "coordination"));
    options(model, writer, page);
    if let (Some(by), Some(at)) = (&talks.decided_by, talks.decided_at) {
        let proposed = talks.proposed_by.as_deref().map_or_else(|| "–".to_owned(), |name| writer.who(name));
        let proposal = talks.proposal.map_or_else(|| "–".to_owned(), |id| id.to_string());
        let (by, at) = (writer.who(by), figures.moment(at));
        page.say(match &talks.reason {
            Some(reason) => {
                let reason = writer.voice().sentence(reason);
                t!(writer, "declined", proposal = proposal, proposed = proposed, by = by, at = at, reason = reason)
            }
            None => t!(writer, "approved", proposal = proposal, proposed = proposed, by = by, at = at),
        });
    }
    match &talks.provider {
        Some(provider) => page.facts(dialogue(provider, writer)),
        None => page.say(t!(writer, "no-provider")),
    }
}

fn options(model: &CaseReport, writer: &Writer<'_>, page: &mut Page) {
    let figures = &writer.figures;
    let columns = [
        ("column-way", Align::Start, 4),
        ("column-amount", Align::End, 2),
        ("column-price", Align::End, 2),
        ("column-chosen", Align::Centre, 2),
    ];
    let rows = model.coordination.options.iter().map(|option| {
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
        page.say(t!(writer, "coordination-text"));
        page.table(t!(writer, "table-options"), writer.columns(&columns), rows, false);
    }
}

fn dialogue(provider: &ProviderDialogue, writer: &Writer<'_>) -> Vec<(String, String)> {
    let figures = &writer.figures;
    let sent = match (provider.sent_at, provider.sent_by.as_deref()) {
        (Some(at), Some(how)) => format!("{}, {}", figures.moment(at), sent_by(how, writer)),
        (Some(at), None) => figures.moment(at),
        _ => t!(writer, "not-sent"),
    };
    let answer = match provider.answer.as_deref() {
        Some("agreed") => t!(writer, "answer-agreed"),
        Some(_) => t!(writer, "answer-refused"),
        None => t!(writer, "answer-none"),
    };
    let mut facts = vec![
        (t!(writer, "letter-number"), provider.letter_number.clone()),
        (t!(writer, "letter-sent"), sent),
        (t!(writer, "answer"), answer),
    ];
    if let (Some(by), Some(at)) = (&provider.answered_by, provider.answered_at) {
        facts.push((t!(writer, "answered-by"), format!("{}, {}", writer.who(by), figures.moment(at))));
    }
    facts.extend(provider.ticket.as_ref().map(|ticket| (t!(writer, "ticket"), ticket.clone())));
    facts.extend(provider.promised_at.map(|at| (t!(writer, "promised"), figures.date(at))));
    facts.extend(provider.remark.as_ref().map(|remark| (t!(writer, "remark"), remark.clone())));
    if let (Some(rate), Some(at)) = (provider.accepted_bps, provider.accepted_at) {
        facts.push((t!(writer, "accepted"), format!("{}, {}", figures.rate(rate), figures.moment(at))));
    }
    facts
}

/// How a letter went out, of which Takar keeps a code or two words.
fn sent_by(how: &str, writer: &Writer<'_>) -> String {
    match how.strip_prefix("e-mail to ") {
        Some(to) => t!(writer, "sent-mail", to = to),
        None if how.starts_with("webhook") => t!(writer, "sent-webhook"),
        None if how == "by hand" => t!(writer, "sent-by-hand"),
        None => how.to_owned(),
    }
}
