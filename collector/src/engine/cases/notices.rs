//! Who is told what of a case. What is to be told is stored in the transaction that makes it so; how it goes out is
//! `engine/post.rs`.

use takar_collector_core::{
    case::{Act, By, Case, CaseId, Dialogue, Kind, Loan, Pause, State, Step},
    ledger::ProposalRecord,
};
use takar_notice::{
    Attachment, Content, Lang, Recipient, Topic,
    topic::{Kind as NoticeKind, Place, Share},
};
use takar_shared::{BitsPerSec, UnixMillis};
use takar_store::{PaperRow, Write};
use takar_web::auth::{Account, ProviderToken, Role, ServerKey};

use crate::engine::Engine;

/// A notice that is not yet anybody's.
struct Told {
    topic: Topic,
    to: Vec<Recipient>,
    urgent: bool,
    attachments: Vec<Attachment>,
}

impl Told {
    fn new(topic: Topic, to: Vec<Recipient>) -> Self {
        Self { topic, to, urgent: false, attachments: Vec::new() }
    }

    fn urgent(self) -> Self {
        Self { urgent: true, ..self }
    }
}

impl Engine {
    pub(super) fn notices_of_opening(&self, case: &Case, now: UnixMillis) -> Vec<Write> {
        let lacking = match &case.origin {
            takar_collector_core::case::Origin::Finding { lacking, .. } => Some(*lacking),
            _ => case.loan.as_ref().map(|loan| loan.to),
        };
        let topic = Topic::CaseOpened { kind: kind(case.kind), place: place(case), lacking, url: self.page_of(case) };
        self.deliveries_of(case, vec![Told::new(topic, self.team())], now)
    }

    /// What a move is worth telling.
    pub(super) fn notices_of(&self, before: &Case, after: &Case, act: &Act, by: &By, now: UnixMillis) -> Vec<Write> {
        let told = self.told(before, after, act, by);
        self.deliveries_of(after, told.into_iter().collect(), now)
    }

    fn told(&self, before: &Case, after: &Case, act: &Act, by: &By) -> Option<Told> {
        let (place, url) = (place(after), self.page_of(after));
        Some(match act {
            Act::Verify { confirmed: true, .. } => {
                let wanted = after.findings.iter().filter_map(|id| self.findings.get(id)).map(|one| one.finding.size);
                Told::new(Topic::Verified { place, wanted: wanted.sum(), url }, self.team())
            }
            Act::Overdue => {
                let record = after.at()?;
                let topic = Topic::StepOverdue {
                    place,
                    step: record.step.number(),
                    owner: record.owner.to_string(),
                    since: record.began,
                    standard_minutes: self.config.procedure.standard.minutes(record.step).into(),
                    url,
                };
                Told::new(topic, self.team()).urgent()
            }
            Act::Remind => Told::new(self.reminder(after)?, vec![self.provider_recipient(after)?]),
            Act::Answered { answer } => {
                let dialogue = after.provider.as_ref()?;
                let topic = Topic::ProviderAnswered {
                    place,
                    provider: dialogue.provider.to_string(),
                    number: dialogue.number.clone(),
                    agreed: answer.agreed,
                    by: answer.by.clone(),
                    ticket: answer.ticket.clone(),
                    promised: answer.promised,
                    remark: answer.remark.clone(),
                    url,
                };
                Told::new(topic, self.team()).urgent()
            }
            Act::Carry { proposal, .. } => {
                let record = self.proposal_record(*proposal);
                Told::new(self.carried_out(before, after, record.as_ref())?, self.team())
            }
            Act::RollBack { why, .. } => {
                Told::new(Topic::RolledBack { place, why: why.clone(), url }, self.team()).urgent()
            }
            Act::Report { number, .. } => {
                Told::new(Topic::ReportReady { place, number: number.clone(), url }, self.of_role(Role::Head))
            }
            Act::Receive { .. } => {
                let number = after.report.clone().unwrap_or_default();
                Told::new(Topic::Received { place, number, by: by.actor.to_string(), url }, self.team())
            }
            Act::Resume => match &before.state {
                State::Paused(Pause::Deferred { reason, .. }) => {
                    Told::new(Topic::DeferralOver { place, reason: reason.clone(), url }, self.team()).urgent()
                }
                _ => return None,
            },
            _ => return None,
        })
    }

    fn carried_out(&self, before: &Case, after: &Case, record: Option<&ProposalRecord>) -> Option<Topic> {
        let (place, url) = (place(after), self.page_of(after));
        if let Some(Loan { to, until, .. }) = &after.loan {
            let begins = before.loan.as_ref().is_some_and(|loan| loan.lent.is_none());
            return Some(if begins {
                Topic::LoanBegins { place, amount: *to, until: *until, url }
            } else {
                Topic::LoanEnds { place, amount: *to, url }
            });
        }
        let (gives, gets) = shares(record?);
        Some(Topic::Allocated { place, moved: sum(&gets), gives, gets, url })
    }

    /// A proposal that waits for a person: told once it is known that no policy decides it.
    pub(in crate::engine) fn tell_waiting(&mut self, record: &ProposalRecord, now: UnixMillis) {
        let Some(case) = self.cases.of_proposal(record.id).cloned() else { return };
        let (gives, gets) = shares(record);
        let topic = Topic::ProposalWaits {
            place: place(&case),
            proposal: record.id.0,
            by: record.made_by.to_string(),
            moved: sum(&gets),
            gives,
            gets,
            url: self.page_of(&case),
        };
        let writes = self.deliveries_of(&case, vec![Told::new(topic, self.of_role(Role::Head)).urgent()], now);
        self.store_deliveries(writes);
    }

    /// Cases whose present step is beyond its standard time.
    pub(in crate::engine) fn overdue(&self, now: UnixMillis) -> Vec<CaseId> {
        let (calendar, standard) = (self.calendar(), self.config.procedure.standard);
        let is_late = |case: &&Case| case.at().is_some_and(|at| at.is_overdue(&calendar, &standard, now));
        self.cases.all().filter(|case| case.state == State::Open).filter(is_late).map(|case| case.id).collect()
    }

    pub(super) fn tell_overdue(&mut self, now: UnixMillis) {
        let untold = |id: &CaseId| self.cases.get(*id).and_then(Case::at).is_some_and(|at| at.overdue.is_none());
        let late: Vec<_> = self.overdue(now).into_iter().filter(untold).collect();
        for id in late {
            self.tried(id, "what is overdue", |engine| engine.move_case(id, &Act::Overdue, &By::takar(), None, now));
        }
    }

    /// The letter, to the provider, with its PDF and JSON where they are.
    pub(super) fn letter_notices(&self, case: &Case, paper: &PaperRow, now: UnixMillis) -> Vec<Write> {
        let Some(topic) = self.request(case, now) else { return Vec::new() };
        let Some(to) = self.provider_recipient(case) else { return Vec::new() };
        let attachments = paper.files.iter().filter_map(|file| {
            let name = file.path.rsplit('/').next()?;
            let mime = match name.rsplit('.').next()? {
                "pdf" => "application/pdf",
                "json" => "application/json",
                // Where nothing draws PDF the letter still is a letter.
                "html" if !paper.files.iter().any(|file| file.path.ends_with(".pdf")) => "text/html",
                _ => return None,
            };
            let content = Content::File(self.desk.archive.path(&file.path));
            Some(Attachment { name: name.into(), mime: mime.into(), content })
        });
        let told = Told { topic, to: vec![to], urgent: true, attachments: attachments.collect() };
        self.deliveries_of(case, vec![told], now)
    }

    fn request(&self, case: &Case, now: UnixMillis) -> Option<Topic> {
        let dialogue = case.provider.as_ref()?;
        let (_, capacity) = self.provider_of(case).ok()?;
        let link = self.provider_link(case, dialogue, now);
        Some(Topic::ProviderRequest {
            place: place(case),
            number: dialogue.number.clone(),
            capacity,
            wanted: dialogue.wanted,
            until: case.loan.as_ref().map(|loan| loan.until),
            expires: link.as_ref().map(|(_, at)| *at),
            url: link.map(|(url, _)| url),
        })
    }

    fn reminder(&self, case: &Case) -> Option<Topic> {
        let dialogue = case.provider.as_ref()?;
        let link = self.provider_link(case, dialogue, dialogue.asked_at);
        Some(Topic::ProviderReminder {
            place: place(case),
            number: dialogue.number.clone(),
            asked_at: dialogue.asked_at,
            wanted: dialogue.wanted,
            expires: link.as_ref().map(|(_, at)| *at),
            url: link.map(|(url, _)| url),
        })
    }

    /// Where the provider decides, and until when. The same for the same request, so that a reminder brings no other.
    pub(in crate::engine) fn provider_link(
        &self,
        case: &Case,
        dialogue: &Dialogue,
        _now: UnixMillis,
    ) -> Option<(String, UnixMillis)> {
        let web = self.config.web.as_ref()?;
        let expires = dialogue.asked_at.plus(self.config.procedure.link_valid_ms);
        let mut nonce = [0; 16];
        let digest = takar_shared::Digest::of(dialogue.number.as_bytes()).0;
        nonce.iter_mut().zip(digest).for_each(|(place, byte)| *place = byte);
        let token = ProviderToken::new(case.id.0, &dialogue.number, expires, nonce);
        Some((format!("{}/provider/{}", web.url, token.issue(&ServerKey::new(self.desk.link_key))), expires))
    }

    fn page_of(&self, case: &Case) -> Option<String> {
        self.config.web.as_ref().map(|web| format!("{}/cases/{}", web.url, case.id))
    }

    fn team(&self) -> Vec<Recipient> {
        [Role::Member, Role::Head].into_iter().flat_map(|role| self.of_role(role)).collect()
    }

    pub(in crate::engine) fn of_role(&self, role: Role) -> Vec<Recipient> {
        let accounts = self.accounts.values().filter(|account| account.role == role && !account.disabled);
        accounts.map(recipient).collect()
    }

    fn provider_recipient(&self, case: &Case) -> Option<Recipient> {
        let (provider, _) = self.provider_of(case).ok()?;
        let first = self.config.papers.languages.first().map_or("id", |lang| lang.as_str());
        Some(Recipient {
            account: format!("provider:{}", provider.name),
            name: provider.contact.clone().unwrap_or_else(|| provider.title.clone()),
            email: provider.email.clone(),
            webhook: provider.webhook.clone(),
            lang: first.parse().unwrap_or_default(),
        })
    }

    fn deliveries_of(&self, case: &Case, told: Vec<Told>, now: UnixMillis) -> Vec<Write> {
        let mut writes = Vec::new();
        for Told { topic, to, urgent, attachments } in told {
            for to in to {
                let attachments = attachments.clone();
                let notice = (topic.clone(), to, urgent, attachments);
                let first = self.post.next + writes.len() as u64;
                writes.extend(self.post.write(first, Some(case.id.0), notice, now));
            }
        }
        writes
    }
}

fn recipient(account: &Account) -> Recipient {
    Recipient {
        account: account.name.clone(),
        name: account.title.clone(),
        email: account.email.clone(),
        webhook: None,
        lang: account.lang.parse::<Lang>().unwrap_or_default(),
    }
}

fn place(case: &Case) -> Place {
    Place {
        uplink: case.uplink.to_string(),
        direction: case.direction,
        links: case.links.iter().map(ToString::to_string).collect(),
    }
}

fn kind(kind: Kind) -> NoticeKind {
    match kind {
        Kind::Reallocation => NoticeKind::Reallocation,
        Kind::Addition => NoticeKind::Addition,
        Kind::Bod => NoticeKind::Bod,
        Kind::Deferral => NoticeKind::Deferral,
    }
}

/// What is given, and what is got.
fn shares(record: &ProposalRecord) -> (Vec<Share>, Vec<Share>) {
    let (gets, gives): (Vec<_>, Vec<_>) = record.proposal.moves.iter().partition(|one| one.is_raise());
    let share = |one: &takar_collector_core::plan::Move| Share {
        link: one.link.to_string(),
        amount: BitsPerSec(one.to.0.abs_diff(one.from.0)),
    };
    (gives.into_iter().map(share).collect(), gets.into_iter().map(share).collect())
}

fn sum(shares: &[Share]) -> BitsPerSec {
    shares.iter().map(|share| share.amount).sum()
}

/// Whether a case is in the step that a provider answers in.
pub(in crate::engine) fn awaits_provider(case: &Case) -> bool {
    case.step() == Some(Step::Coordinate)
        && case.provider.as_ref().is_some_and(|dialogue| dialogue.answer.is_none() && dialogue.sent.is_none())
}
