//! Notices that did not arrive and are not tried again: told to those who look after Takar, once a day.

use takar_shared::UnixMillis;

use super::{Channel, Delivery, State};
use crate::topic::{Topic, Undelivered};

const DAY_MS: u64 = 24 * 3_600_000;
/// As many as a mail shows.
const SHOWN: usize = 10;

/// To be stored together: a notice with this topic to each of them, and the failures as told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub topic: Topic,
    pub told: Vec<Delivery>,
}

/// `None` where nothing new failed, or such a notice was made within a day before `now`.
pub fn trouble(now: UnixMillis, last: Option<UnixMillis>, deliveries: &[Delivery]) -> Option<Trouble> {
    if last.is_some_and(|last| last <= now && now.since(last) < DAY_MS) {
        return None;
    }
    let mut told = Vec::new();
    let mut some = Vec::new();
    for delivery in deliveries {
        let State::Failed { at, why, told: false } = &delivery.state else { continue };
        if some.len() < SHOWN {
            some.push(Undelivered { to: address(&delivery.channel), why: why.clone() });
        }
        let state = State::Failed { at: *at, why: why.clone(), told: true };
        told.push(Delivery { state, ..delivery.clone() });
    }
    let count = u64::try_from(told.len()).unwrap_or(u64::MAX);
    (count > 0).then_some(Trouble { topic: Topic::MailTrouble { count, some }, told })
}

/// What follows a URL's path may be a secret.
fn address(channel: &Channel) -> String {
    match channel {
        Channel::Mail { to } => to.clone(),
        Channel::Webhook { url } => url.split(['?', '#']).next().unwrap_or_default().to_owned(),
    }
}
