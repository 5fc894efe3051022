use askama::Template;

use super::{
    draw,
    row::{CaseRow, urgent_first},
};
use crate::{
    shell::{Shell, initials},
    tongue::Tongue,
};

/// States that can be asked for.
pub const STATES: [&str; 13] = [
    "open",
    "check",
    "identify",
    "coordinate",
    "allocate",
    "report",
    "receive",
    "deferred",
    "scheduled",
    "on-loan",
    "dismissed",
    "archived",
    "all",
];

/// Kinds that can be asked for.
pub const KINDS: [&str; 4] = ["reallocation", "addition", "bod", "deferral"];

/// `GET /cases` with `state`, `kind`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cases {
    /// Those that pass the filter.
    pub rows: Vec<CaseRow>,
    pub filter: Filter,
    /// More than are shown.
    pub more: bool,
}

/// One of [`STATES`] and [`KINDS`]; absent: open ones, of every kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub state: Option<String>,
    pub kind: Option<String>,
}

#[derive(Template)]
#[template(path = "cases.html")]
struct Page<'a> {
    s: &'a Shell,
    t: Tongue,
    lead: String,
    states: Vec<Choice>,
    kinds: Vec<Choice>,
    rows: Vec<Row>,
    more: bool,
}

struct Choice {
    value: &'static str,
    text: String,
    chosen: bool,
}

struct Row {
    class: &'static str,
    href: String,
    number: String,
    title: String,
    uplink: String,
    standing: String,
    clock: String,
    owner: String,
    face: String,
    opened: String,
    waits: String,
}

impl Cases {
    pub fn render(&self, shell: &Shell) -> String {
        let t = Tongue::of(shell);
        let overdue = self.rows.iter().filter(|row| row.is_overdue()).count();
        let counted = t.count("cases-count", self.rows.len(), &[]);
        let lead = if overdue > 0 { format!("{counted} {}", t.count("today-over", overdue, &[])) } else { counted };
        let state = self.filter.state.as_deref().unwrap_or("open");
        let any = Choice { value: "", text: t.w("filter-every-kind"), chosen: self.filter.kind.is_none() };
        let kinds = KINDS.map(|value| Choice {
            value,
            text: t.code("kind", value),
            chosen: self.filter.kind.as_deref() == Some(value),
        });
        let page = Page {
            s: shell,
            lead,
            states: STATES.map(|value| Choice { value, text: t.code("state", value), chosen: value == state }).into(),
            kinds: std::iter::once(any).chain(kinds).collect(),
            rows: urgent_first(&self.rows).into_iter().map(|row| view(&t, row)).collect(),
            more: self.more,
            t,
        };
        draw(&page)
    }
}

fn view(t: &Tongue, row: &CaseRow) -> Row {
    let owner = t.who(&row.owner);
    Row {
        class: if row.is_overdue() { "is-late" } else { "" },
        href: row.href(),
        number: row.number(),
        title: row.title(t),
        uplink: t.say("case-uplink", &[("uplink", &row.uplink), ("direction", &t.code("direction", &row.direction))]),
        standing: row.standing(t),
        clock: if row.is_open() { row.clock.draw(t) } else { String::new() },
        face: initials(&owner),
        owner,
        opened: t.moment(row.opened_at),
        waits: row.waits_for.as_deref().map(|wait| t.code("wait", wait)).unwrap_or_default(),
    }
}
