use askama::Template;

use super::draw;
use crate::{shell::Shell, tongue::Tongue};

/// What the provider sees by its signed link, `GET /provider/{token}`. Opening it changes nothing; the answer is
/// `POST /provider/{token}` with `name`, `ticket`, `promised`, `answer` (agree, refuse), `remark`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    pub standing: Standing,
    /// As typed before, of an answer that was not taken.
    pub typed: Reply,
    pub problems: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    Open(Box<Request>),
    /// It was answered by this link or otherwise.
    Answered {
        number: String,
        agreed: bool,
        by: String,
        at: u64,
        ticket: Option<String>,
        promised: Option<u64>,
    },
    Expired {
        number: String,
        at: u64,
    },
}

/// What is asked. Rates are bit/s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where the form goes: the token of the link.
    pub token: String,
    /// Of the letter.
    pub number: String,
    pub provider: String,
    pub contract: Option<String>,
    pub uplink: String,
    pub direction: String,
    pub capacity_bps: u64,
    pub wanted_bps: u64,
    pub from: Option<u64>,
    /// Of a loan.
    pub until: Option<u64>,
    pub price_idr: Option<u64>,
    pub sites: Vec<String>,
    pub asked_at: u64,
    pub asked_by: String,
    pub expires_at: u64,
}

/// What the form holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    pub name: String,
    pub ticket: String,
    /// `2026-12-01`
    pub promised: String,
    /// agree, refuse
    pub answer: String,
    pub remark: String,
}

#[derive(Template)]
#[template(path = "provider.html")]
struct Page<'a> {
    s: &'a Shell,
    t: Tongue,
    p: &'a Provider,
    title: String,
    lead: String,
    /// Label and text.
    facts: Vec<(String, String)>,
    token: Option<&'a str>,
    today: String,
}

impl Provider {
    pub fn render(&self, shell: &Shell) -> String {
        let t = Tongue::of(shell);
        let (title, lead, facts, token) = match &self.standing {
            Standing::Open(request) => {
                let lead = t.say("provider-lead", &[("office", &shell.office), ("provider", &request.provider)]);
                (t.w("provider-title"), lead, request.facts(&t), Some(request.token.as_str()))
            }
            Standing::Answered { number, agreed, by, at, ticket, promised } => {
                let mut facts = vec![
                    (t.w("provider-number"), number.clone()),
                    (t.w("provider-answer"), t.w(if *agreed { "answer-agree" } else { "answer-refuse" })),
                    (t.w("provider-by"), by.clone()),
                    (t.w("provider-at"), t.moment(*at)),
                ];
                facts.extend(ticket.clone().map(|ticket| (t.w("field-ticket"), ticket)));
                facts.extend(promised.map(|at| (t.w("field-promised"), t.date(at))));
                (t.w("provider-used"), t.w("provider-used-more"), facts, None)
            }
            Standing::Expired { number, at } => {
                let facts = vec![(t.w("provider-number"), number.clone()), (t.w("provider-expires"), t.moment(*at))];
                (t.w("provider-expired"), t.say("provider-expired-more", &[("office", &shell.office)]), facts, None)
            }
        };
        let today = t.iso_date(shell.now);
        draw(&Page { s: shell, t, p: self, title, lead, facts, token, today })
    }
}

impl Request {
    fn facts(&self, t: &Tongue) -> Vec<(String, String)> {
        let mut facts = vec![(t.w("provider-number"), self.number.clone())];
        facts.extend(self.contract.clone().map(|contract| (t.w("provider-contract"), contract)));
        let uplink =
            t.say("case-uplink", &[("uplink", &self.uplink), ("direction", &t.code("direction", &self.direction))]);
        let capacity = t.rates(self.capacity_bps, self.wanted_bps);
        facts.extend([(t.w("provider-uplink"), uplink), (t.w("provider-capacity"), capacity)]);
        facts.extend(self.from.map(|at| (t.w("provider-from"), t.date(at))));
        facts.extend(self.until.map(|at| (t.w("provider-until"), t.date(at))));
        facts.extend(
            self.price_idr.map(|price| (t.w("provider-price"), t.say("a-month", &[("price", &t.rupiah(price))]))),
        );
        if !self.sites.is_empty() {
            facts.push((t.w("provider-sites"), self.sites.join(", ")));
        }
        facts.push((t.w("provider-asked"), format!("{}, {}", t.moment(self.asked_at), self.asked_by)));
        facts.push((t.w("provider-expires"), t.moment(self.expires_at)));
        facts
    }
}
