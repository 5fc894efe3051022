//! One notice in words: a subject, a sentence, the facts in a table, what to do, where.

use fluent_bundle::{FluentArgs, FluentValue};
use takar_shared::UnixMillis;

use super::{
    clean::{LONG, cut, one_line},
    say::Say,
};
use crate::{
    notice::Notice,
    topic::{Place, Share, Topic},
};

pub(super) struct Draft<'a> {
    say: &'a Say<'a>,
    key: &'static str,
    args: FluentArgs<'a>,
    /// Label and value.
    facts: Vec<(String, String)>,
    url: Option<String>,
    /// Names of attachments.
    attached: Vec<String>,
}

impl<'a> Draft<'a> {
    pub(super) fn of(notice: &Notice, say: &'a Say<'a>) -> Self {
        let attached = notice.attachments.iter().map(|attachment| one_line(&attachment.name)).collect();
        let key = notice.topic.key();
        let mut draft = Self { say, key, args: FluentArgs::new(), facts: Vec::new(), url: None, attached };
        draft.set("case", notice.case.map_or_else(|| "–".into(), |case| case.to_string()));
        draft.set("account", one_line(&notice.to.account));
        draft.fill(&notice.topic);
        draft
    }

    pub(super) fn subject(&self) -> String {
        self.word("subject").unwrap_or_else(|| format!("??{}-subject", self.key))
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.word("lead").unwrap_or_else(|| format!("??{}-lead", self.key))];
        if !self.facts.is_empty() {
            lines.push(String::new());
            let width = self.facts.iter().map(|(label, _)| label.chars().count()).max().unwrap_or_default();
            lines.extend(self.facts.iter().map(|(label, value)| format!("  {label:width$} : {value}")));
        }
        let todo =
            if self.url.is_none() { self.word("reply").or_else(|| self.word("todo")) } else { self.word("todo") };
        let attached =
            (!self.attached.is_empty()).then(|| self.say.say("attached", &[("names", &self.attached.join(", "))]));
        let open = self.url.as_ref().map(|url| self.say.say("open", &[("url", url)]));
        let end: Vec<String> = [todo, open, attached].into_iter().flatten().collect();
        if !end.is_empty() {
            lines.push(String::new());
            lines.extend(end);
        }
        lines
    }

    fn word(&self, part: &str) -> Option<String> {
        self.say.find(&format!("{}-{part}", self.key), &self.args)
    }

    fn fill(&mut self, topic: &Topic) {
        let say = self.say;
        match topic {
            Topic::CaseOpened { kind, place, lacking, url } => {
                self.set("kind", say.w(&format!("kind-{}", kind.as_str())));
                self.place(place, url.as_ref());
                self.maybe("lacking", lacking.map(|lacking| say.rate(lacking)));
            }
            Topic::Verified { place, wanted, url } => {
                self.place(place, url.as_ref());
                self.fact("wanted", say.rate(*wanted));
            }
            Topic::ProposalWaits { place, proposal, by, moved, gives, gets, url } => {
                self.set("proposal", proposal.to_string());
                self.set("by", say.who(by));
                self.place(place, url.as_ref());
                self.fact("moved", say.rate(*moved));
                self.shares(gives, gets);
            }
            Topic::StepOverdue { place, step, owner, since, standard_minutes, url } => {
                let step = (*step).clamp(1, 6).to_string();
                self.set("activity", say.w(&format!("step-{step}")));
                self.set("step", step);
                self.place(place, url.as_ref());
                self.fact("owner", say.who(owner));
                self.fact("since", say.moment(*since));
                self.fact("standard", say.minutes(*standard_minutes));
            }
            Topic::ProviderRequest { place, number, capacity, wanted, until, url, expires } => {
                self.place(place, url.as_ref());
                self.letter(number);
                self.set("capacity", say.rate(*capacity));
                self.set("wanted", say.rate(*wanted));
                self.fact("capacity", say.rate(*capacity));
                self.fact("request", say.rate(*wanted));
                self.moment("until", *until);
                self.moment("expires", expires.filter(|_| url.is_some()));
            }
            Topic::ProviderReminder { place, number, asked_at, wanted, url, expires } => {
                self.place(place, url.as_ref());
                self.letter(number);
                self.set("wanted", say.rate(*wanted));
                self.fact("asked", say.moment(*asked_at));
                self.moment("expires", expires.filter(|_| url.is_some()));
            }
            Topic::ProviderAnswered { place, provider, number, by, ticket, promised, remark, url, agreed: _ } => {
                self.set("provider", one_line(provider));
                self.place(place, url.as_ref());
                self.letter(number);
                self.fact("by", one_line(by));
                self.maybe("ticket", ticket.as_deref().map(one_line));
                self.moment("promised", *promised);
                self.maybe("remark", remark.as_deref().map(one_line));
            }
            Topic::Allocated { place, moved, gives, gets, url } => {
                self.place(place, url.as_ref());
                self.fact("moved", say.rate(*moved));
                self.shares(gives, gets);
            }
            Topic::RolledBack { place, why, url } => {
                self.place(place, url.as_ref());
                self.fact("why", one_line(why));
            }
            Topic::ReportReady { place, number, url } => {
                self.place(place, url.as_ref());
                self.report(number);
            }
            Topic::Received { place, number, by, url } => {
                self.place(place, url.as_ref());
                self.report(number);
                self.fact("by", say.who(by));
            }
            Topic::LoanBegins { place, amount, until, url } => {
                self.set("until", say.moment(*until));
                self.place(place, url.as_ref());
                self.fact("amount", say.rate(*amount));
            }
            Topic::LoanEnds { place, amount, url } => {
                self.place(place, url.as_ref());
                self.fact("amount", say.rate(*amount));
            }
            Topic::DeferralOver { place, reason, url } => {
                self.place(place, url.as_ref());
                self.fact("reason", one_line(reason));
            }
            Topic::MailTrouble { count, some } => {
                self.args.set("n", *count);
                self.facts.extend(some.iter().map(|one| (one_line(&one.to), one_line(&one.why))));
            }
            Topic::PasswordChanged { by, at, url } => {
                self.set("by", say.who(by));
                self.set("at", say.moment(*at));
                self.open(url.as_ref());
            }
        }
    }

    fn place(&mut self, place: &Place, url: Option<&String>) {
        let said = self.say.place(place);
        self.set("uplink", one_line(&place.uplink));
        self.set("place", said.clone());
        self.fact("uplink", said);
        self.maybe("links", (!place.links.is_empty()).then(|| self.say.links(&place.links)));
        self.open(url);
    }

    fn shares(&mut self, gives: &[Share], gets: &[Share]) {
        for (label, shares) in [("gives", gives), ("gets", gets)] {
            self.maybe(label, (!shares.is_empty()).then(|| self.say.shares(shares)));
        }
    }

    fn letter(&mut self, number: &str) {
        self.set("number", one_line(number));
        self.fact("number", one_line(number));
    }

    fn report(&mut self, number: &str) {
        self.set("number", one_line(number));
        self.fact("report", one_line(number));
    }

    fn moment(&mut self, label: &str, at: Option<UnixMillis>) {
        self.maybe(label, at.map(|at| self.say.moment(at)));
    }

    fn open(&mut self, url: Option<&String>) {
        self.url = url.map(|url| cut(url, LONG));
    }

    fn maybe(&mut self, label: &str, value: Option<String>) {
        if let Some(value) = value {
            self.fact(label, value);
        }
    }

    fn fact(&mut self, label: &str, value: String) {
        self.facts.push((self.say.w(&format!("label-{label}")), value));
    }

    fn set(&mut self, name: &'static str, value: String) {
        self.args.set(name, FluentValue::from(value));
    }
}
