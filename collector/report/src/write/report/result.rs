//! What came of it: allocations before and after, what was measured, what the devices answered.

use crate::{
    document::{Align, Row, Tone},
    model::{CaseReport, Command, Outcome, SiteChange, Why},
    write::{Page, Writer, plot, row, t},
};

pub(super) fn write(model: &CaseReport, writer: &Writer<'_>, page: &mut Page) {
    let figures = &writer.figures;
    page.part(t!(writer, "part-result"));
    page.section(t!(writer, "allocation"));
    page.say(match &model.outcome {
        Outcome::Allocated => t!(writer, "outcome-allocated"),
        Outcome::Returned => t!(writer, "outcome-returned"),
        Outcome::NotCarriedOut { why } => {
            // The sentence that it ends is the paper's.
            let why = writer.voice().sentence(why);
            t!(writer, "outcome-not-carried-out", why = why.trim_end_matches('.'))
        }
    });
    let columns = [
        ("column-site", Align::Start, 4),
        ("column-before", Align::End, 3),
        ("column-after", Align::End, 3),
        ("column-change", Align::End, 3),
        ("column-device", Align::End, 3),
        ("column-why", Align::Start, 6),
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
    unmoved(model, writer, page);
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

fn site_row(site: &SiteChange, writer: &Writer<'_>) -> Row {
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

/// The other links of the uplink, and why they stayed as they were.
fn unmoved(model: &CaseReport, writer: &Writer<'_>, page: &mut Page) {
    if model.unmoved.is_empty() {
        return;
    }
    let columns = [("column-link", Align::Start, 2), ("column-why", Align::Start, 7)];
    let rows = model.unmoved.iter().map(|one| {
        let why = writer.voice().sentence(&one.why);
        row(Tone::Plain, vec![one.link.clone(), why])
    });
    page.table(t!(writer, "table-unmoved"), writer.columns(&columns), rows.collect(), false);
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

fn command_row(command: &Command, writer: &Writer<'_>) -> Row {
    let clock = |at: Option<u64>| at.map_or_else(|| "–".to_owned(), |at| writer.figures.clock_to_the_second(at));
    let tone = match command.state.as_str() {
        "confirmed" => Tone::Good,
        "withdrawn" => Tone::Faint,
        _ => Tone::Bad,
    };
    let voice = writer.voice();
    let state = voice.state(&command.state);
    let serial = command.serial.map_or_else(|| "–".to_owned(), |serial| serial.to_string());
    let change = command.change.get(..8).unwrap_or(&command.change);
    let read_back: Vec<String> = command.read_back.iter().map(|text| voice.read_back(text)).collect();
    let read_back = if read_back.is_empty() { "–".to_owned() } else { read_back.join("; ") };
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
