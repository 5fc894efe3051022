//! A document as one page of HTML: nothing else is loaded, no script, printable on A4.

use std::fmt::Write as _;

use crate::document::{Align, Block, Document, Labelled, PlotBlock, Signature, Table, Tone};

const STYLE: &str = include_str!("html/paper.css");
/// Of a plot, in SVG units.
const WIDTH: u64 = 720;
const HEIGHT: u64 = 240;
const LEFT: u64 = 84;
const BOTTOM: u64 = 34;
const TOP: u64 = 12;

pub fn page(document: &Document) -> String {
    let mut out = String::new();
    let title = if document.title.is_empty() { document.number.clone() } else { document.title.join(" ") };
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n",
        escaped(&document.lang),
        escaped(&title)
    );
    head(document, &mut out);
    for block in &document.blocks {
        draw(block, &mut out);
    }
    foot(document, &mut out);
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn head(document: &Document, out: &mut String) {
    out.push_str("<header class=\"kop\">\n");
    for line in &document.kop.lines {
        let _ = writeln!(out, "<p class=\"kop-line\">{}</p>", escaped(line));
    }
    for line in &document.kop.contact {
        let _ = writeln!(out, "<p class=\"kop-contact\">{}</p>", escaped(line));
    }
    out.push_str("</header>\n");
    if let Some(dateline) = &document.dateline {
        let _ = writeln!(out, "<p class=\"dateline\">{}</p>", escaped(dateline));
    }
    if document.reference.is_empty() {
        let title: Vec<String> = document.title.iter().map(|line| escaped(line)).collect();
        let _ = writeln!(out, "<h1>{}</h1>\n<p class=\"number\">{}</p>", title.join("<br>"), escaped(&document.number));
    } else {
        // A letter is known by what it is about.
        let subject = document.reference.last().map_or("", |row| row.text.as_str());
        let _ = writeln!(out, "<h1 class=\"unseen\">{}</h1>", escaped(subject));
        facts(&document.reference, out);
        let to: Vec<String> = document.addressee.iter().map(|line| escaped(line)).collect();
        let _ = writeln!(out, "<address>{}</address>", to.join("<br>"));
    }
}

fn foot(document: &Document, out: &mut String) {
    out.push_str("<section class=\"end\">\n");
    if let Some(text) = &document.place_date {
        let _ = writeln!(out, "<p class=\"place\">{}</p>", escaped(text));
    }
    out.push_str("<div class=\"signatures\">\n");
    document.signatures.iter().for_each(|one| signature(one, out));
    out.push_str("</div>\n</section>\n");
    if !document.copies.is_empty() {
        let copies: Vec<String> = document.copies.iter().map(|copy| format!("<li>{}</li>", escaped(copy))).collect();
        let label = if document.lang == "id" { "Tembusan:" } else { "Copies:" };
        let _ = writeln!(out, "<p class=\"copies\">{label}</p>\n<ol class=\"copies\">{}</ol>", copies.concat());
    }
    let _ = writeln!(out, "<footer>{}</footer>", escaped(&document.footer));
}

fn signature(one: &Signature, out: &mut String) {
    let name = if one.name.is_empty() { "(………………………)" } else { one.name.as_str() };
    let _ = write!(out, "<div class=\"signature\"><p>{}</p>", escaped(&one.role));
    if let Some(note) = &one.note {
        let _ = write!(out, "<p class=\"note\">{}</p>", escaped(note));
    }
    let _ = write!(out, "<p class=\"name\">{}</p>", escaped(name));
    if let Some(id) = &one.id {
        let _ = write!(out, "<p>{}</p>", escaped(id));
    }
    out.push_str("</div>\n");
}

fn draw(block: &Block, out: &mut String) {
    match block {
        Block::Heading { level, label, text } => {
            let level = if *level <= 1 { 2 } else { 3 };
            let _ = writeln!(out, "<h{level}>{} {}</h{level}>", escaped(label), escaped(text));
        }
        Block::Paragraph { text } if text.starts_with("https://") => {
            let url = escaped(text);
            let _ = writeln!(out, "<p><a href=\"{url}\">{url}</a></p>");
        }
        Block::Paragraph { text } => {
            let _ = writeln!(out, "<p>{}</p>", escaped(text));
        }
        Block::List { items } => {
            out.push_str("<ul>\n");
            for item in items {
                let _ = writeln!(out, "<li><span>{}</span> {}</li>", escaped(&item.label), escaped(&item.text));
            }
            out.push_str("</ul>\n");
        }
        Block::Facts { rows } => facts(rows, out),
        Block::Table(one) => table(one, out),
        Block::Plot(one) => plot(one, out),
    }
}

fn facts(rows: &[Labelled], out: &mut String) {
    out.push_str("<dl>\n");
    for row in rows {
        let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escaped(&row.label), escaped(&row.text));
    }
    out.push_str("</dl>\n");
}

fn table(table: &Table, out: &mut String) {
    let wide = if table.wide { " class=\"wide\"" } else { "" };
    let _ = write!(out, "<table{wide}>\n<caption>{}</caption>\n<thead><tr>", escaped(&table.caption));
    for column in &table.columns {
        let _ = write!(out, "<th scope=\"col\" class=\"{}\">{}</th>", align(column.align), escaped(&column.title));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        let _ = write!(out, "<tr class=\"{}\">", tone(row.tone));
        for (cell, column) in row.cells.iter().zip(&table.columns) {
            let _ = write!(out, "<td class=\"{}\">{}</td>", align(column.align), escaped(cell));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n");
}

fn plot(plot: &PlotBlock, out: &mut String) {
    let span = u128::from(plot.to.saturating_sub(plot.from).max(1));
    let (wide, high) = (WIDTH - LEFT - 12, HEIGHT - TOP - BOTTOM);
    let x = |at: u64| LEFT + narrowed(u128::from(at.saturating_sub(plot.from)) * u128::from(wide) / span, wide);
    let y =
        |bps: u64| TOP + high - narrowed(u128::from(bps) * u128::from(high) / u128::from(plot.top_bps.max(1)), high);
    let _ = write!(
        out,
        "<figure>\n<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n",
        escaped(&plot.caption)
    );
    for tick in &plot.y_ticks {
        let (at, text) = (y(tick.at), escaped(&tick.text));
        let right = LEFT + wide;
        let _ = write!(out, "<path class=\"grid\" d=\"M{LEFT} {at}H{right}\"/>");
        let _ = writeln!(out, "<text class=\"y\" x=\"{}\" y=\"{}\">{text}</text>", LEFT - 8, at + 4);
    }
    for tick in &plot.x_ticks {
        let _ = writeln!(
            out,
            "<text class=\"x\" x=\"{}\" y=\"{}\">{}</text>",
            x(tick.at),
            HEIGHT - 12,
            escaped(&tick.text)
        );
    }
    let path = |points: &[(u64, u64)], steps: bool| {
        let mut path = String::new();
        for (index, (at, bps)) in points.iter().enumerate() {
            let (x, y) = (x(*at), y(*bps));
            let _ = match (index, steps) {
                (0, _) => write!(path, "M{x} {y}"),
                (_, true) => write!(path, "H{x}V{y}"),
                (_, false) => write!(path, "L{x} {y}"),
            };
        }
        path
    };
    for stretch in &plot.ceiling {
        let _ = writeln!(out, "<path class=\"ceiling\" d=\"{}\"/>", path(stretch, true));
    }
    for stretch in &plot.curve {
        let _ = writeln!(out, "<path class=\"carried\" d=\"{}\"/>", path(stretch, false));
    }
    for mark in &plot.marks {
        let at = x(mark.at);
        let _ = write!(out, "<path class=\"mark\" d=\"M{at} {TOP}V{}\"/>", TOP + high);
        let _ =
            writeln!(out, "<text class=\"letter\" x=\"{}\" y=\"{}\">{}</text>", at + 4, TOP + 12, escaped(&mark.text));
    }
    let legend = [&plot.legend_carried, &plot.legend_ceiling, &plot.legend_change].map(|text| escaped(text));
    let _ = writeln!(
        out,
        "</svg>\n<figcaption>{} <span class=\"key carried\">{}</span> <span class=\"key ceiling\">{}</span> \
         <span class=\"key mark\">{}</span></figcaption>\n</figure>",
        escaped(&plot.caption),
        legend[0],
        legend[1],
        legend[2]
    );
}

fn narrowed(value: u128, most: u64) -> u64 {
    u64::try_from(value).unwrap_or(most).min(most)
}

fn align(align: Align) -> &'static str {
    match align {
        Align::Start => "start",
        Align::Centre => "centre",
        Align::End => "end",
    }
}

fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "plain",
        Tone::Strong => "strong",
        Tone::Good => "good",
        Tone::Bad => "bad",
        Tone::Faint => "faint",
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() && c != '\n' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
