//! The parts of a case, put into words.

use super::{
    Answer, Change, ChangeView, Check, Dialogue, Evidence, Fact, Item, Opening, Remark, StepRow, StepView,
    TimelineStep, Trail, Way,
};
use crate::{figures::UNKNOWN, look, pages::CaseRow, shell::initials, tongue::Tongue};

/// The six steps, each with the clock of its last round.
pub(in crate::pages::case) fn timeline(t: &Tongue, row: &CaseRow, steps: &[StepRow]) -> Vec<TimelineStep> {
    let number = |n: u8| steps.iter().rev().find(|step| step.number == n);
    (1..=6)
        .map(|n| {
            let current = n == row.step && row.is_open();
            let behind = n < row.step || !row.is_open();
            let record = number(n).filter(|_| current || behind);
            TimelineStep {
                class: match (current, record.is_some()) {
                    (true, _) => "now",
                    (false, true) => "done",
                    (false, false) => "",
                },
                current,
                title: format!("{n}. {}", t.w(&format!("step-{n}"))),
                word: record.map(|step| t.code("result", &step.result)).unwrap_or_default(),
                clock: record.map(|step| step.clock.draw(t)),
            }
        })
        .collect()
}

pub(in crate::pages::case) fn facts(t: &Tongue, row: &CaseRow) -> Vec<Fact> {
    let fact = |key: &str, text: String| Fact { label: t.w(key), text };
    let mut facts = vec![
        fact("col-state", row.standing(t)),
        fact("col-owner", t.who(&row.owner)),
        fact("col-kind", t.code("kind", &row.kind)),
        fact("fact-uplink", row.uplink.clone()),
        fact("fact-direction", t.code("direction", &row.direction)),
    ];
    if !row.places.is_empty() {
        facts.push(fact("fact-sites", row.places.join(", ")));
    }
    facts.push(fact("col-opened", t.moment(row.opened_at)));
    facts.extend(row.report.clone().map(|report| fact("paper-report", report)));
    facts
}

impl Opening {
    pub(in crate::pages::case) fn sentence(&self, t: &Tongue) -> String {
        match self {
            Self::Finding { place, lacking_bps } => {
                t.say("opening-finding", &[("place", place), ("lacking", &t.rate(*lacking_bps))])
            }
            Self::Need { name, .. } => t.say("opening-need", &[("name", name)]),
            Self::Person { name, reason } => t.say("opening-person", &[("name", name), ("reason", reason)]),
            Self::Request { name, reason, .. } => t.say("opening-request", &[("name", name), ("reason", reason)]),
        }
    }

    pub(in crate::pages::case) fn letter(&self) -> Option<&str> {
        match self {
            Self::Need { letter, .. } | Self::Request { letter, .. } => letter.as_deref(),
            Self::Finding { .. } | Self::Person { .. } => None,
        }
    }
}

impl StepRow {
    pub(in crate::pages::case) fn view(&self, t: &Tongue) -> StepView {
        let name = t.w(&format!("step-{}", self.number.clamp(1, 6)));
        let round = if self.round > 1 { t.say("step-round", &[("n", &self.round.to_string())]) } else { String::new() };
        let owner = t.who(&self.owner);
        StepView {
            title: format!("{}. {name}{round}", self.number),
            face: initials(&owner),
            owner,
            began: t.moment(self.began_at),
            ended: t.moment_or_unknown(self.ended_at),
            clock: self.clock.draw(t),
            class: if self.clock.is_over() { "is-late" } else { "" },
            result: t.code("result", &self.result),
            note: self.note.clone(),
        }
    }
}

impl Check {
    pub(in crate::pages::case) fn item(&self, t: &Tongue) -> Item {
        let (class, icon) = look::of_check(&self.outcome);
        Item {
            class,
            icon,
            title: t.code("check", &self.what),
            text: self.evidence.clone(),
            lang: Some("en"),
            aside: t.code("outcome", &self.outcome),
        }
    }
}

impl Evidence {
    pub(in crate::pages::case) fn item(&self, t: &Tongue) -> Item {
        Item {
            class: "",
            icon: "i-seal",
            title: t.code("evidence", &self.kind),
            text: self.digest.clone(),
            lang: None,
            aside: t.moment(self.at),
        }
    }
}

impl Way {
    pub(in crate::pages::case) fn item(&self, t: &Tongue) -> Item {
        let price = self.price_idr.map(|price| t.say("a-month", &[("price", &t.rupiah(price))]));
        let amount = t.rate(self.amount_bps);
        let aside = price.map_or_else(|| amount.clone(), |price| format!("{amount} · {price}"));
        let (class, icon) = if self.chosen { ("ok", "i-fit") } else { ("muted", "i-down") };
        let chosen = t.w(if self.chosen { "way-chosen" } else { "way-not-chosen" });
        Item {
            class,
            icon,
            title: format!("{} ({chosen})", t.code("way", &self.way)),
            text: self.note.clone(),
            lang: Some("en"),
            aside,
        }
    }
}

impl Dialogue {
    /// What happened, in order.
    pub(in crate::pages::case) fn items(&self, t: &Tongue) -> Vec<Item> {
        let item = |icon, title, text, at: u64| Item { class: "", icon, title, text, lang: None, aside: t.moment(at) };
        let mut wanted = t.say("dialogue-wanted", &[("number", &self.number), ("wanted", &t.rate(self.wanted_bps))]);
        if let Some(price) = self.price_idr {
            wanted = format!("{wanted}, {}", t.say("a-month", &[("price", &t.rupiah(price))]));
        }
        let by = t.who(&self.asked_by);
        let asked = t.say("dialogue-asked", &[("provider", &self.provider), ("by", &by)]);
        let mut items = vec![item("i-doc", asked, wanted, self.asked_at)];
        match &self.sent {
            Some((at, how)) => items.push(item("i-send", t.w("dialogue-sent"), how.clone(), *at)),
            None => items.push(Item {
                class: "warn",
                icon: "i-clock",
                title: t.w("dialogue-not-sent"),
                text: String::new(),
                lang: None,
                aside: UNKNOWN.into(),
            }),
        }
        items.extend(self.reminded.iter().map(|at| item("i-send", t.w("dialogue-reminded"), String::new(), *at)));
        if let Some(answer) = &self.answer {
            items.push(answer.item(t));
        }
        if let Some((at, measured)) = self.accepted {
            let text = t.say("dialogue-measured", &[("measured", &t.rate(measured))]);
            items.push(item("i-seal", t.w("dialogue-accepted"), text, at));
        }
        items
    }
}

impl Answer {
    fn item(&self, t: &Tongue) -> Item {
        let mut said = Vec::new();
        said.extend(self.ticket.as_ref().map(|ticket| t.say("dialogue-ticket", &[("ticket", ticket)])));
        said.extend(self.promised.map(|at| t.say("dialogue-promised", &[("date", &t.date(at))])));
        said.extend(self.remark.as_ref().map(|remark| t.say("dialogue-remark", &[("remark", remark)])));
        said.push(t.say("dialogue-recorded", &[("by", &t.who(&self.recorded_by))]));
        let key = if self.agreed { "dialogue-agreed" } else { "dialogue-refused" };
        Item {
            class: if self.agreed { "ok" } else { "bad" },
            icon: if self.agreed { "i-fit" } else { "i-down" },
            title: t.say(key, &[("by", &self.by)]),
            text: said.join(" · "),
            lang: None,
            aside: t.moment(self.at),
        }
    }
}

impl Change {
    pub(in crate::pages::case) fn view(&self, t: &Tongue) -> ChangeView {
        let (class, icon) = look::of_change(&self.state);
        let moves = self.moves.iter().map(|(link, from, to)| format!("{link} {}", t.rates(*from, *to)));
        ChangeView {
            title: format!("{}/{} · {}", self.step, self.steps, self.device),
            class,
            icon,
            state: t.code("change", &self.state),
            moves: moves.collect(),
            serial: self.serial.map_or_else(|| UNKNOWN.into(), |serial| t.whole(serial)),
            dispatched: t.moment_or_unknown(self.dispatched_at),
            applied: t.moment_or_unknown(self.applied_at),
            ended: t.moment_or_unknown(self.ended_at),
            sentence: self.sentence.clone(),
            receipts: self.receipts.iter().map(|digest| digest.chars().take(16).collect()).collect(),
        }
    }
}

impl Remark {
    pub(in crate::pages::case) fn item(&self, t: &Tongue) -> Item {
        Item {
            class: "",
            icon: "i-doc",
            title: t.who(&self.by),
            text: self.text.clone(),
            lang: None,
            aside: t.moment(self.at),
        }
    }
}

impl Trail {
    pub(in crate::pages::case) fn item(&self, t: &Tongue) -> Item {
        Item {
            class: "",
            icon: "i-seal",
            title: self.act.as_ref().map_or_else(|| t.code("event", &self.event), |act| t.code("moved", act)),
            text: t.who(&self.who),
            lang: None,
            aside: format!("{} · #{}", t.moment(self.at), t.whole(self.index)),
        }
    }
}
