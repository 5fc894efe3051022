//! A notice on its way to one recipient over one channel.

use serde::{Deserialize, Serialize};
use takar_shared::UnixMillis;

use super::{Batch, HOUR_MS, Rules, backoff};
use crate::{notice::Notice, post::Outcome, topic::Topic};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Counts deliveries; a message is known by those of its deliveries.
    pub id: u64,
    pub notice: Notice,
    pub channel: Channel,
    /// Tries that failed.
    pub attempts: u32,
    pub next_at: UnixMillis,
    pub state: State,
    /// The message it went in, or may have gone in: the lowest id in it. While it waits with one, it goes in no other.
    pub batch: Option<u64>,
    /// It may have arrived in that message. Later failures do not change that.
    #[serde(default)]
    pub unclear: bool,
    /// What went wrong last.
    pub trouble: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "by")]
pub enum Channel {
    Mail { to: String },
    Webhook { url: String },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "is")]
pub enum State {
    Waiting,
    Sending {
        since: UnixMillis,
    },
    Sent {
        at: UnixMillis,
        /// What the other side said as it took it.
        reference: String,
    },
    Failed {
        at: UnixMillis,
        why: String,
        /// Those who look after Takar know.
        told: bool,
    },
    /// What it says was no longer so before it went.
    Superseded,
}

/// What the config has a way for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ways {
    pub mail: bool,
    pub webhook: bool,
}

/// One for each way to the recipient, numbered from `first`; none where there is no way.
pub fn deliveries(notice: &Notice, first: u64, ways: Ways) -> Vec<Delivery> {
    let mail = notice.to.email.clone().filter(|_| ways.mail).map(|to| Channel::Mail { to });
    let webhook = notice.to.webhook.clone().filter(|_| ways.webhook).map(|url| Channel::Webhook { url });
    mail.into_iter()
        .chain(webhook)
        .zip(first..)
        .map(|(channel, id)| Delivery {
            id,
            notice: notice.clone(),
            channel,
            attempts: 0,
            next_at: notice.made_at,
            state: State::Waiting,
            batch: None,
            unclear: false,
            trouble: None,
        })
        .collect()
}

impl Delivery {
    /// To be stored before `batch` is sent. One that is not in it, or does not wait, stays as it is.
    pub fn started(&self, batch: &Batch, now: UnixMillis) -> Self {
        if !self.is_waiting() || !batch.deliveries.contains(&self.id) {
            return self.clone();
        }
        Self { state: State::Sending { since: now }, batch: Some(batch.id), ..self.clone() }
    }

    /// After the message it was in came to `outcome`. One that is not on its way stays as it is.
    pub fn settled(&self, outcome: &Outcome, now: UnixMillis) -> Self {
        if !self.is_sending() {
            return self.clone();
        }
        match outcome {
            Outcome::Sent { reference } => {
                let state = State::Sent { at: now, reference: reference.clone() };
                Self { state, trouble: None, ..self.clone() }
            }
            Outcome::Temporary(why) => self.failed(why, self.unclear, now),
            Outcome::Unclear(why) => self.failed(why, true, now),
            Outcome::Permanent(why) => self.given_up(why, self.attempts.saturating_add(1), now),
        }
    }

    /// After a start: what was on its way then may have arrived, so it goes again as the same message.
    pub fn recovered(&self, now: UnixMillis) -> Self {
        if !self.is_sending() {
            return self.clone();
        }
        let again = self.failed("the collector ended while it was sent", true, now);
        Self { next_at: now, ..again }
    }

    /// It need not go any more; `None` where it is too late for that.
    pub fn superseded(&self) -> Option<Self> {
        let untouched = self.is_waiting() && self.batch.is_none();
        untouched.then(|| Self { state: State::Superseded, ..self.clone() })
    }

    /// Neither arrived, nor given up and told.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Waiting | State::Sending { .. } | State::Failed { told: false, .. })
    }

    /// [`super::plan`] has to see it: it is open, or counts in the cap of this hour.
    pub fn is_needed(&self, now: UnixMillis) -> bool {
        self.is_open() || self.sent_within(HOUR_MS, now)
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting)
    }

    pub(super) fn is_sending(&self) -> bool {
        matches!(self.state, State::Sending { .. })
    }

    pub(super) fn sent_within(&self, span_ms: u64, now: UnixMillis) -> bool {
        matches!(self.state, State::Sent { at, .. } if at <= now && now.since(at) < span_ms)
    }

    /// A time that is further away than the whole wait was set by a clock that has gone back since.
    pub(super) fn is_due(&self, now: UnixMillis) -> bool {
        let left = self.next_at.since(now);
        left == 0 || left > backoff::wait_ms(self.attempts)
    }

    /// It has waited for company long enough, or needs none.
    pub(super) fn is_ripe(&self, now: UnixMillis, rules: &Rules) -> bool {
        let is_mail = matches!(self.channel, Channel::Mail { .. });
        let made_at = self.notice.made_at;
        !is_mail || self.attempts > 0 || now < made_at || now.since(made_at) >= rules.digest_after_ms
    }

    fn failed(&self, why: &str, unclear: bool, now: UnixMillis) -> Self {
        let attempts = self.attempts.saturating_add(1);
        if backoff::is_enough(attempts) {
            return self.given_up(why, attempts, now);
        }
        Self {
            attempts,
            next_at: now.plus(backoff::wait_ms(attempts)),
            state: State::Waiting,
            batch: self.batch.filter(|_| unclear),
            unclear,
            trouble: Some(why.to_owned()),
            ..self.clone()
        }
    }

    fn given_up(&self, why: &str, attempts: u32, now: UnixMillis) -> Self {
        // That mail is in trouble is not told by mail about that mail.
        let told = matches!(self.notice.topic, Topic::MailTrouble { .. });
        let state = State::Failed { at: now, why: why.to_owned(), told };
        Self { attempts, state, trouble: Some(why.to_owned()), ..self.clone() }
    }
}
