use askama::Template;

use super::{
    draw,
    row::{CaseRow, urgent_first},
};
use crate::{
    bar::{Bar, Share, Shares},
    look,
    shell::Shell,
    tongue::Tongue,
};

/// What waits, and for whom; links in trouble; what Takar did by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Today {
    /// Open cases.
    pub cases: Vec<CaseRow>,
    /// Every link in a direction; those in trouble are shown, the others counted.
    pub links: Vec<LinkRow>,
    pub uplinks: Vec<UplinkRow>,
    /// Newest first.
    pub deeds: Vec<Deed>,
}

/// A link in one direction. Rates are bit/s.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkRow {
    pub site: String,
    pub device: String,
    pub uplink: String,
    pub direction: String,
    /// As `GET /v1/links` or `GET /v1/check` says: shortage, idle, fits, drifted, over-promised, not-measured, …
    pub state: String,
    /// On record, and last read on the device.
    pub recorded_bps: u64,
    pub observed_bps: Option<u64>,
    pub guarantee_bps: Option<u64>,
    pub contract_bps: Option<u64>,
    pub used_bps: Option<u64>,
    pub peak_bps: Option<u64>,
    /// What is asked for and not served.
    pub unserved_bps: Option<u64>,
    /// The case that is open for it.
    pub case: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UplinkRow {
    pub name: String,
    pub direction: String,
    pub capacity_bps: u64,
    /// Sum of what is promised to its links.
    pub promised_bps: u64,
    pub links: Vec<Share>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    Confirmed {
        at: u64,
        case: u64,
        place: String,
        from_bps: u64,
        to_bps: u64,
    },
    RolledBack {
        at: u64,
        case: u64,
        place: String,
    },
    Reported {
        at: u64,
        case: u64,
        number: String,
    },
    /// A device is not heard any more.
    Silent {
        at: u64,
        device: String,
    },
}

#[derive(Template)]
#[template(path = "today.html")]
struct Page<'a> {
    s: &'a Shell,
    t: Tongue,
    title: String,
    lead: String,
    groups: Vec<Group>,
    troubled: Vec<Trouble>,
    fitting: Vec<Trouble>,
    fitting_title: String,
    uplinks: Vec<UplinkView>,
    deeds: Vec<DeedView>,
}

struct Group {
    title: String,
    class: &'static str,
    count: usize,
    tasks: Vec<Task>,
}

struct Task {
    class: &'static str,
    icon: &'static str,
    href: String,
    title: String,
    line: String,
    clock: String,
    button: Option<String>,
    primary: bool,
}

/// A link as a row of the table.
struct Trouble {
    site: String,
    device: String,
    bar: String,
    figures: String,
    class: &'static str,
    icon: &'static str,
    state: String,
    case: Option<(String, String)>,
}

struct UplinkView {
    title: String,
    used: String,
    bar: String,
    figures: String,
    over: bool,
}

struct DeedView {
    at: String,
    text: String,
    case: Option<(String, String)>,
}

impl Today {
    pub fn render(&self, shell: &Shell) -> String {
        let t = Tongue::of(shell);
        let rows = urgent_first(&self.cases);
        let (overdue, rest): (Vec<&CaseRow>, Vec<&CaseRow>) = rows.into_iter().partition(|row| row.is_overdue());
        let (mine, others): (Vec<&CaseRow>, Vec<&CaseRow>) = rest.into_iter().partition(|row| row.mine);
        let (trouble, fits): (Vec<&LinkRow>, Vec<&LinkRow>) =
            self.links.iter().partition(|link| look::is_trouble(&link.state));
        let waiting = self.cases.iter().filter(|row| row.mine).count();
        let groups = vec![
            group(&t, "today-overdue", "bad", &overdue),
            group(&t, "today-mine", "", &mine),
            group(&t, "today-others", "", &others),
        ];
        let page = Page {
            s: shell,
            title: t.today(),
            lead: lead(&t, shell, waiting, overdue.len(), (fits.len(), self.links.len())),
            groups,
            troubled: trouble.iter().map(|link| link.view(&t)).collect(),
            fitting_title: t.count("today-fitting", fits.len(), &[]),
            fitting: fits.iter().map(|link| link.view(&t)).collect(),
            uplinks: self.uplinks.iter().map(|uplink| uplink.view(&t)).collect(),
            deeds: self.deeds.iter().map(|deed| deed.view(&t)).collect(),
            t,
        };
        draw(&page)
    }
}

/// Greeting and counts, a sentence each.
fn lead(t: &Tongue, shell: &Shell, waiting: usize, overdue: usize, (fit, all): (usize, usize)) -> String {
    let part = match t.hour() {
        0..=10 => "greeting-morning",
        11..=14 => "greeting-noon",
        15..=17 => "greeting-afternoon",
        _ => "greeting-evening",
    };
    let name = shell.user.as_ref().map_or("", |user| user.title.as_str());
    let mut said = vec![t.say(part, &[("name", name)]), t.count("today-waiting", waiting, &[])];
    if overdue > 0 {
        said.push(t.count("today-over", overdue, &[]));
    }
    if all > 0 {
        said.push(t.say("today-links", &[("fit", &fit.to_string()), ("all", &all.to_string())]));
    }
    said.join(" ")
}

fn group(t: &Tongue, key: &str, class: &'static str, rows: &[&CaseRow]) -> Group {
    let tasks: Vec<Task> = rows.iter().map(|row| task(t, row)).collect();
    Group { title: t.w(key), class, count: tasks.len(), tasks }
}

fn task(t: &Tongue, row: &CaseRow) -> Task {
    let waits_for = row.waits_for.as_deref().unwrap_or_default();
    let receive = waits_for == "receive" && row.mine;
    Task {
        class: if row.is_overdue() { "bad" } else { "" },
        icon: if row.is_overdue() { "i-late" } else { look::of_wait(waits_for) },
        href: if receive { format!("{}/receive", row.href()) } else { row.href() },
        title: row.task(t),
        line: row.line(t),
        clock: row.clock.draw(t),
        button: row.mine.then(|| t.code("do", if waits_for.is_empty() { "open" } else { waits_for })),
        primary: row.is_overdue(),
    }
}

impl LinkRow {
    /// The wall is what the device has; the hatch reaches to what is on record.
    fn bar(&self) -> Bar {
        let ceiling = self.observed_bps.unwrap_or(self.recorded_bps);
        let gap =
            (ceiling != self.recorded_bps).then(|| (ceiling.min(self.recorded_bps), ceiling.max(self.recorded_bps)));
        Bar {
            contract: self.contract_bps,
            ceiling,
            guarantee: self.guarantee_bps,
            used: self.used_bps,
            peak: self.peak_bps,
            demand: self.unserved_bps.map(|unserved| ceiling.saturating_add(unserved)),
            slice: gap,
            look: look::bar_of(&self.state),
            scale: 0,
        }
    }

    fn view(&self, t: &Tongue) -> Trouble {
        let (class, icon) = look::of_link(&self.state);
        let ceiling = t.rate(self.observed_bps.unwrap_or(self.recorded_bps));
        let mut figures = format!("{} / {ceiling}", t.rate_or_unknown(self.used_bps));
        if let Some(unserved) = self.unserved_bps.filter(|bps| *bps > 0) {
            figures = t.say("link-unserved", &[("figures", &figures), ("unserved", &t.rate(unserved))]);
        }
        Trouble {
            site: self.site.clone(),
            device: format!("{} · {} · {}", self.device, self.uplink, t.code("direction", &self.direction)),
            bar: self.bar().draw(t),
            figures,
            class,
            icon,
            state: t.code("link", &self.state),
            case: self.case.map(case_link),
        }
    }
}

impl UplinkRow {
    fn view(&self, t: &Tongue) -> UplinkView {
        let shares = Shares { capacity: self.capacity_bps, promised: self.promised_bps, links: self.links.clone() };
        let figures = format!("{} / {}", t.rate(shares.used()), t.rate(self.capacity_bps));
        let over = self.promised_bps > self.capacity_bps;
        let promised = t.say("uplink-promised", &[("promised", &t.rate(self.promised_bps))]);
        UplinkView {
            title: t.say("uplink-title", &[("name", &self.name), ("direction", &t.code("direction", &self.direction))]),
            used: t.say("uplink-used", &[("percent", &t.percent(shares.used(), self.capacity_bps))]),
            bar: shares.draw(t, &self.name),
            figures: if over { format!("{figures} · {promised}") } else { figures },
            over,
        }
    }
}

impl Deed {
    fn view(&self, t: &Tongue) -> DeedView {
        let (at, text, case) = match self {
            Self::Confirmed { at, case, place, from_bps, to_bps } => {
                let change = t.rates(*from_bps, *to_bps);
                (at, t.say("deed-confirmed", &[("place", place), ("change", &change)]), Some(*case))
            }
            Self::RolledBack { at, case, place } => (at, t.say("deed-rolled-back", &[("place", place)]), Some(*case)),
            Self::Reported { at, case, number } => (at, t.say("deed-reported", &[("number", number)]), Some(*case)),
            Self::Silent { at, device } => (at, t.say("deed-silent", &[("device", device)]), None),
        };
        DeedView { at: t.moment(*at), text, case: case.map(case_link) }
    }
}

/// Where a case is, and its number.
fn case_link(id: u64) -> (String, String) {
    (format!("/cases/{id}"), format!("K-{id}"))
}
