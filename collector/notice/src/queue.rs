//! Which notices go now, and in whose company. No I/O and no clock: whoever holds the deliveries asks [`plan`] what is
//! to go, stores [`Delivery::started`], sends, and stores [`Delivery::settled`] with what came of it.
//!
//! - A recipient has one message on its way at a time, so nothing is sent twice and a digest is no race.
//! - Urgent notices go at once, together where there are several. Others wait so that several become one mail.
//! - A recipient gets so many mails an hour; what is beyond waits, and then goes as one. Systems are told at once and
//!   without a cap: a webhook does not mind.
//! - What may have arrived (the connection broke, the collector died) goes again as the very same message, under the
//!   same id, until it did. What certainly did not arrive is free to go with what came since.
//! - A clock that went back never holds anything for longer than its own wait, and never sends again what was sent.

mod backoff;
mod batch;
mod delivery;
mod trouble;

use std::collections::BTreeMap;

use takar_shared::UnixMillis;

pub use batch::Batch;
pub use delivery::{Channel, Delivery, State, Ways, deliveries};
pub use trouble::{Trouble, trouble};

/// A mail of more would not be read.
pub const MOST_IN_ONE: usize = 50;

const HOUR_MS: u64 = 3_600_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What is not urgent waits so long for company.
    pub digest_after_ms: u64,
    /// Mails for one recipient within an hour.
    pub cap_per_hour: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self { digest_after_ms: 600_000, cap_per_hour: 12 }
    }
}

/// What is to be sent now: at most one batch a recipient, the urgent ones first. `deliveries` are all that
/// [`Delivery::is_needed`] still.
pub fn plan(now: UnixMillis, deliveries: &[Delivery], rules: &Rules) -> Vec<Batch> {
    let mut recipients: BTreeMap<(&Channel, &str), Vec<&Delivery>> = BTreeMap::new();
    for delivery in deliveries {
        recipients.entry((&delivery.channel, delivery.notice.to.account.as_str())).or_default().push(delivery);
    }
    let mut batches: Vec<Batch> = recipients.values().filter_map(|of_one| next(now, of_one, rules)).collect();
    batches.sort_by_key(|batch| !batch.urgent);
    batches
}

/// Deliveries that would go in one message.
struct Group<'a> {
    urgent: bool,
    deliveries: Vec<&'a Delivery>,
}

fn next(now: UnixMillis, of_one: &[&Delivery], rules: &Rules) -> Option<Batch> {
    if of_one.iter().any(|delivery| delivery.is_sending()) || is_capped(now, of_one, rules) {
        return None;
    }
    let mut waiting: Vec<&Delivery> = of_one.iter().copied().filter(|delivery| delivery.is_waiting()).collect();
    waiting.sort_by_key(|delivery| delivery.id);
    let groups = kept(now, &waiting).into_iter().chain(fresh(now, &waiting, rules));
    let first = groups.min_by_key(|group| (!group.urgent, group.deliveries.first().map(|delivery| delivery.id)))?;
    Batch::of(&first.deliveries, first.urgent)
}

fn is_capped(now: UnixMillis, of_one: &[&Delivery], rules: &Rules) -> bool {
    let mut sent: Vec<u64> = of_one
        .iter()
        .filter(|delivery| matches!(delivery.channel, Channel::Mail { .. }))
        .filter(|delivery| delivery.sent_within(HOUR_MS, now))
        .filter_map(|delivery| delivery.batch)
        .collect();
    sent.sort_unstable();
    sent.dedup();
    !sent.is_empty() && sent.len() >= rules.cap_per_hour
}

/// Messages that may have arrived: whole, or not at all.
fn kept<'a>(now: UnixMillis, waiting: &[&'a Delivery]) -> Vec<Group<'a>> {
    let mut groups: BTreeMap<u64, Vec<&'a Delivery>> = BTreeMap::new();
    for &delivery in waiting {
        if let Some(batch) = delivery.batch {
            groups.entry(batch).or_default().push(delivery);
        }
    }
    groups
        .into_values()
        .filter(|deliveries| deliveries.iter().all(|delivery| delivery.is_due(now)))
        .map(|deliveries| Group { urgent: deliveries.iter().any(|delivery| delivery.notice.urgent), deliveries })
        .collect()
}

/// What is free: all that is urgent, the digest, and each notice with attachments by itself.
fn fresh<'a>(now: UnixMillis, waiting: &[&'a Delivery], rules: &Rules) -> Vec<Group<'a>> {
    let due = waiting.iter().copied().filter(|delivery| delivery.batch.is_none() && delivery.is_due(now));
    let (alone, shared): (Vec<&Delivery>, Vec<&Delivery>) =
        due.partition(|delivery| !delivery.notice.attachments.is_empty());
    let (urgent, others): (Vec<&Delivery>, Vec<&Delivery>) =
        shared.into_iter().partition(|delivery| delivery.notice.urgent);
    let mut groups: Vec<Group<'a>> = alone
        .into_iter()
        .filter(|delivery| delivery.notice.urgent || delivery.is_ripe(now, rules))
        .map(|delivery| Group { urgent: delivery.notice.urgent, deliveries: vec![delivery] })
        .collect();
    // One that has waited long enough takes along those that have not.
    let digest = if others.iter().any(|delivery| delivery.is_ripe(now, rules)) { others } else { Vec::new() };
    for (urgent, mut deliveries) in [(true, urgent), (false, digest)] {
        deliveries.truncate(MOST_IN_ONE);
        if !deliveries.is_empty() {
            groups.push(Group { urgent, deliveries });
        }
    }
    groups
}
