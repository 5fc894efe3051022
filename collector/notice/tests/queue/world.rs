//! A collector that plans and sends, with everything that goes wrong; and what must hold at each moment of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use proptest::{collection::vec, prelude::*};
use takar_notice::{
    Attachment, Content, Lang, Notice, Outcome, Recipient, Topic,
    queue::{Batch, Channel, Delivery, Rules, State, Ways, deliveries, plan},
};
use takar_shared::UnixMillis;

pub const MINUTE: u64 = 60_000;

#[derive(Clone, Debug)]
pub enum Happening {
    Make {
        to: usize,
        urgent: bool,
        attached: bool,
        webhook: bool,
    },
    Wait(u64),
    Back(u64),
    /// Plan, and put on the way what is planned.
    Plan,
    /// One of those on the way comes to its end.
    Settle(usize, Outcome),
    /// The collector ends and starts again.
    Crash,
    Supersede(usize),
}

pub struct World {
    rules: Rules,
    now: UnixMillis,
    pub deliveries: Vec<Delivery>,
    on_the_way: Vec<Batch>,
    /// By delivery: the message it may have arrived in.
    unclear: HashMap<u64, String>,
    sent: HashMap<u64, usize>,
    pub refused: BTreeSet<u64>,
    pub superseded: BTreeSet<u64>,
    /// When each recipient got a mail.
    pub mails: BTreeMap<usize, Vec<UnixMillis>>,
    /// Messages that went again under the same id.
    pub resent: usize,
}

pub fn happenings(clock_goes_back: bool) -> impl Strategy<Value = Vec<Happening>> {
    let any_of = (0usize..3, any::<bool>(), prop::bool::weighted(0.2), prop::bool::weighted(0.2));
    let make = any_of.prop_map(|(to, urgent, attached, webhook)| Happening::Make { to, urgent, attached, webhook });
    let outcome = prop_oneof![
        4 => Just(sent()),
        2 => Just(Outcome::Temporary("451 later".into())),
        2 => Just(Outcome::Unclear("broke off".into())),
        1 => Just(Outcome::Permanent("550 no".into())),
    ];
    let jump = move |ms| if clock_goes_back { Happening::Back(ms) } else { Happening::Wait(ms) };
    let one = prop_oneof![
        6 => make,
        4 => (1u64..90 * MINUTE).prop_map(Happening::Wait),
        1 => (1u64..5_000 * MINUTE).prop_map(jump),
        8 => Just(Happening::Plan),
        8 => (0usize..4, outcome).prop_map(|(which, outcome)| Happening::Settle(which, outcome)),
        1 => Just(Happening::Crash),
        1 => (0usize..20).prop_map(Happening::Supersede),
    ];
    vec(one, 1..120)
}

pub fn sent() -> Outcome {
    Outcome::Sent { reference: "250 queued".into() }
}

/// The delivery of a notice without attachments, by mail.
pub fn made(id: u64, to: usize, urgent: bool, at: UnixMillis) -> Vec<Delivery> {
    deliveries(&notice(id, to, urgent, at), id, Ways { mail: true, webhook: false })
}

fn notice(id: u64, to: usize, urgent: bool, made_at: UnixMillis) -> Notice {
    let to = Recipient {
        account: format!("account-{to}"),
        name: String::new(),
        // Two of them share a mailbox, and still no mail.
        email: Some(format!("box-{}@office.example", to / 2)),
        webhook: Some(format!("https://isp.example/{to}")),
        lang: Lang::Id,
    };
    let topic = Topic::PasswordChanged { by: "somebody".into(), at: made_at, url: None };
    Notice { id, made_at, to, topic, urgent, case: None, attachments: Vec::new() }
}

impl World {
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            now: UnixMillis(1_795_486_320_000),
            deliveries: Vec::new(),
            on_the_way: Vec::new(),
            unclear: HashMap::new(),
            sent: HashMap::new(),
            refused: BTreeSet::new(),
            superseded: BTreeSet::new(),
            mails: BTreeMap::new(),
            resent: 0,
        }
    }

    pub fn times_sent(&self, id: u64) -> usize {
        self.sent.get(&id).copied().unwrap_or_default()
    }

    pub fn happens(&mut self, happening: &Happening) {
        match happening {
            Happening::Make { to, urgent, attached, webhook } => self.make(*to, *urgent, *attached, *webhook),
            Happening::Wait(ms) => self.now = self.now.plus(*ms),
            Happening::Back(ms) => self.now = UnixMillis(self.now.0.saturating_sub(*ms)),
            Happening::Plan => self.plan(),
            Happening::Settle(which, outcome) => self.settle(*which, outcome),
            Happening::Crash => self.crash(),
            Happening::Supersede(which) => self.supersede(*which),
        }
    }

    /// From now on everything succeeds, and time only passes.
    pub fn drain(&mut self) {
        for _ in 0..600 {
            self.plan();
            while !self.on_the_way.is_empty() {
                self.settle(0, &sent());
            }
            if !self.deliveries.iter().any(|one| one.state == State::Waiting) {
                return;
            }
            self.now = self.now.plus(5 * MINUTE);
        }
    }

    fn make(&mut self, to: usize, urgent: bool, attached: bool, webhook: bool) {
        let id = u64::try_from(self.deliveries.len()).unwrap() + 1;
        let mut notice = notice(id, to, urgent, self.now);
        if attached {
            let content = Content::Bytes(b"%PDF".to_vec());
            notice.attachments = vec![Attachment { name: "a.pdf".into(), mime: "application/pdf".into(), content }];
        }
        let ways = Ways { mail: !webhook, webhook };
        self.deliveries.extend(deliveries(&notice, id, ways));
    }

    fn plan(&mut self) {
        let needed: Vec<Delivery> = self.deliveries.iter().filter(|one| one.is_needed(self.now)).cloned().collect();
        let batches = plan(self.now, &needed, &self.rules);
        self.no_urgent_one_waits(&batches);
        for batch in batches {
            self.is_sound(&batch);
            self.resent += usize::from(batch.deliveries.iter().any(|id| self.unclear.contains_key(id)));
            self.deliveries = self.deliveries.iter().map(|one| one.started(&batch, self.now)).collect();
            self.on_the_way.push(batch);
        }
    }

    fn settle(&mut self, which: usize, outcome: &Outcome) {
        if self.on_the_way.is_empty() {
            return;
        }
        let batch = self.on_the_way.remove(which % self.on_the_way.len());
        let is_in = |id: u64| batch.deliveries.contains(&id);
        let now = self.now;
        let settle = |one: &Delivery| if is_in(one.id) { one.settled(outcome, now) } else { one.clone() };
        self.deliveries = self.deliveries.iter().map(settle).collect();
        for id in batch.deliveries.iter().copied() {
            match outcome {
                Outcome::Sent { .. } => *self.sent.entry(id).or_default() += 1,
                Outcome::Unclear(_) => self.unclear.extend([(id, batch.key.clone())]),
                Outcome::Permanent(_) => self.refused.extend([id]),
                Outcome::Temporary(_) => {}
            }
        }
        let is_mail = matches!(batch.channel, Channel::Mail { .. });
        if let (true, Outcome::Sent { .. }) = (is_mail, outcome) {
            let to = batch.to.account.trim_start_matches("account-").parse().unwrap();
            self.mails.entry(to).or_default().push(self.now);
        }
    }

    /// What is stored is all that is left, as JSON.
    fn crash(&mut self) {
        for batch in self.on_the_way.drain(..) {
            self.unclear.extend(batch.deliveries.iter().map(|id| (*id, batch.key.clone())));
        }
        let reread = |one: &Delivery| -> Delivery {
            serde_json::from_str::<Delivery>(&serde_json::to_string(one).unwrap()).unwrap().recovered(self.now)
        };
        self.deliveries = self.deliveries.iter().map(reread).collect();
    }

    fn supersede(&mut self, which: usize) {
        let Some(one) = self.deliveries.get_mut(which) else { return };
        if let Some(superseded) = one.superseded() {
            self.superseded.insert(one.id);
            *one = superseded;
        }
    }

    fn is_sound(&self, batch: &Batch) {
        assert!(!batch.deliveries.is_empty() && batch.deliveries.len() == batch.notices.len());
        let members: Vec<&Delivery> = self.deliveries.iter().filter(|one| batch.deliveries.contains(&one.id)).collect();
        assert_eq!(members.len(), batch.deliveries.len());
        for one in &members {
            assert_eq!(one.channel, batch.channel, "another's mail");
            assert_eq!(one.notice.to.account, batch.to.account, "another's notice");
            assert_eq!(one.state, State::Waiting, "it is on its way, or over");
            assert_eq!(one.notice.urgent, batch.urgent, "an urgent one beside another");
            assert!(one.notice.attachments.is_empty() || members.len() == 1, "attachments in company");
        }
        let same = |other: &Batch| other.channel == batch.channel && other.to.account == batch.to.account;
        assert!(!self.on_the_way.iter().any(same), "two on the way to one recipient");
        let before: BTreeSet<Option<&String>> = batch.deliveries.iter().map(|id| self.unclear.get(id)).collect();
        assert!(before.len() == 1, "what may have arrived goes with what did not");
        if let Some(Some(key)) = before.first() {
            assert_eq!(**key, batch.key, "another message for what may have arrived");
        }
        let waits_for_company = |one: &Delivery| {
            let age = self.now.0.checked_sub(one.notice.made_at.0);
            let is_mail = matches!(one.channel, Channel::Mail { .. });
            is_mail && one.attempts == 0 && age.is_some_and(|age| age < self.rules.digest_after_ms)
        };
        assert!(batch.urgent || !members.iter().all(|one| waits_for_company(one)), "a digest too early");
    }

    fn no_urgent_one_waits(&self, batches: &[Batch]) {
        for one in &self.deliveries {
            let is_new = one.state == State::Waiting && one.attempts == 0 && one.batch.is_none();
            if !is_new || !one.notice.urgent {
                continue;
            }
            let same = |batch: &Batch| batch.channel == one.channel && batch.to.account == one.notice.to.account;
            let busy = self.on_the_way.iter().any(same);
            let is_first = batches.iter().any(|batch| same(batch) && batch.urgent);
            assert!(busy || is_first || self.is_capped(one), "an urgent one waits: {one:?}");
        }
    }

    fn is_capped(&self, one: &Delivery) -> bool {
        let to: usize = one.notice.to.account.trim_start_matches("account-").parse().unwrap();
        let recent = |at: &&UnixMillis| **at <= self.now && self.now.since(**at) < 60 * MINUTE;
        let mails = self.mails.get(&to).map_or(0, |mails| mails.iter().filter(recent).count());
        matches!(one.channel, Channel::Mail { .. }) && mails >= self.rules.cap_per_hour
    }
}
