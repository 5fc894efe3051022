//! What may be done to a case, as forms: `POST /cases/{id}/{act}`.

use super::Case;
use crate::tongue::Tongue;

/// A form that was not taken: shown again as it was filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    pub act: String,
    /// Name and text of each field.
    pub typed: Vec<(String, String)>,
    /// Why it was not taken.
    pub problems: Vec<String>,
}

/// Of a team, whom a step can be given to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamMember {
    /// Of the account.
    pub name: String,
    pub title: String,
}

pub(super) struct Act {
    pub action: String,
    pub title: String,
    pub hint: Option<String>,
    pub button: String,
    pub danger: bool,
    pub open: bool,
    pub hidden: Vec<(&'static str, String)>,
    pub fields: Vec<Field>,
}

pub(super) struct Field {
    pub id: String,
    pub name: &'static str,
    pub label: String,
    pub required: bool,
    /// line, area, date, number, choice
    pub form: &'static str,
    /// The longest text, the earliest date or the step of a number.
    pub limit: String,
    pub value: String,
    /// Value, text, chosen.
    pub choices: Vec<(String, String, bool)>,
}

/// Every act that has a form of its own here, in the order of the procedure. `approve` and `decline` stand beside the
/// proposal, `receive` has a page.
const FORMS: [&str; 15] = [
    "confirm",
    "dismiss",
    "grant",
    "replan",
    "ask-provider",
    "sent",
    "remind",
    "answered",
    "accept",
    "resume",
    "end-loan",
    "assign",
    "defer",
    "conclude",
    "remark",
];

impl Case {
    pub(super) fn acts(&self, t: &Tongue) -> Vec<Act> {
        FORMS.into_iter().filter(|act| self.may(act)).map(|act| self.form(t, act)).collect()
    }

    /// Approves this proposal and no other, whatever became of it since the page was drawn.
    pub(super) fn decision(&self, t: &Tongue) -> Option<Act> {
        let proposal = self.proposal.as_ref().filter(|_| self.may("approve"))?;
        let mut act = self.form(t, "approve");
        act.button = t.say("act-approve-amount", &[("amount", &t.rate(proposal.total()))]);
        act.hidden = vec![("proposal", proposal.id.to_string())];
        Some(act)
    }

    pub(super) fn refusal(&self, t: &Tongue) -> Option<Act> {
        let proposal = self.proposal.as_ref().filter(|_| self.may("decline"))?;
        let mut act = self.form(t, "decline");
        act.hidden = vec![("proposal", proposal.id.to_string())];
        Some(act)
    }

    fn form(&self, t: &Tongue, act: &'static str) -> Act {
        let of = Of { case: self, t, act };
        let fields = match act {
            "confirm" | "dismiss" | "decline" | "conclude" | "end-loan" => vec![of.area("reason", true)],
            "ask-provider" => vec![of.number("wanted_mbps", true, "any"), of.number("price_idr", false, "1")],
            "sent" => vec![of.line("how", true, 200)],
            "answered" => vec![
                of.choice("answer", of.answers()),
                of.line("name", true, 100),
                of.line("ticket", false, 100),
                of.date("promised", false, String::new()),
                of.area("remark", false),
            ],
            "accept" => vec![of.number("measured_mbps", true, "any")],
            "defer" => vec![of.date("until", true, t.iso_today()), of.area("reason", true)],
            "assign" => vec![of.choice("to", of.team())],
            "remark" => vec![of.area("text", true)],
            _ => Vec::new(),
        };
        Act {
            action: format!("{}/{act}", self.row.href()),
            title: t.w(&format!("act-{act}")),
            hint: HINTED.contains(&act).then(|| t.w(&format!("act-{act}-hint"))),
            button: t.w(&format!("act-{act}-do")),
            danger: matches!(act, "dismiss" | "decline" | "conclude" | "end-loan"),
            open: self.draft.as_ref().is_some_and(|draft| draft.act == act),
            hidden: Vec::new(),
            fields,
        }
    }
}

/// Acts that need a sentence of explanation.
const HINTED: [&str; 10] =
    ["approve", "confirm", "dismiss", "grant", "replan", "ask-provider", "accept", "defer", "conclude", "end-loan"];

/// What the fields of one form are made from.
struct Of<'a> {
    case: &'a Case,
    t: &'a Tongue,
    act: &'static str,
}

impl Of<'_> {
    fn line(&self, name: &'static str, required: bool, longest: u16) -> Field {
        self.field(name, required, "line", longest.to_string())
    }

    fn area(&self, name: &'static str, required: bool) -> Field {
        self.field(name, required, "area", "2000".into())
    }

    fn date(&self, name: &'static str, required: bool, earliest: String) -> Field {
        self.field(name, required, "date", earliest)
    }

    fn number(&self, name: &'static str, required: bool, step: &str) -> Field {
        self.field(name, required, "number", step.into())
    }

    fn choice(&self, name: &'static str, choices: Vec<(String, String, bool)>) -> Field {
        Field { choices, ..self.field(name, true, "choice", String::new()) }
    }

    fn field(&self, name: &'static str, required: bool, form: &'static str, limit: String) -> Field {
        Field {
            id: format!("{}-{name}", self.act),
            name,
            label: self.t.w(&format!("field-{}", name.replace('_', "-"))),
            required,
            form,
            limit,
            value: self.typed(name),
            choices: Vec::new(),
        }
    }

    fn typed(&self, name: &str) -> String {
        let draft = self.case.draft.as_ref().filter(|draft| draft.act == self.act);
        let typed = draft.and_then(|draft| draft.typed.iter().find(|(field, _)| field == name));
        typed.map(|(_, text)| text.clone()).unwrap_or_default()
    }

    fn answers(&self) -> Vec<(String, String, bool)> {
        let typed = self.typed("answer");
        let choice = |value: &str, key: &str| (value.to_owned(), self.t.w(key), typed == value);
        vec![choice("agree", "answer-agree"), choice("refuse", "answer-refuse")]
    }

    fn team(&self) -> Vec<(String, String, bool)> {
        let typed = self.typed("to");
        self.case.team.iter().map(|one| (one.name.clone(), one.title.clone(), one.name == typed)).collect()
    }
}
