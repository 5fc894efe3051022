//! Notices on their way: stored before they go, settled by what came of it, tried again as the queue says.

use std::collections::BTreeMap;

use takar_collector_core::case::{Act, By, CaseId};
use takar_notice::{
    Attachment, Notice, Recipient, Topic,
    queue::{self, Batch, Channel, Delivery, Ways},
};
use takar_shared::UnixMillis;
use takar_store::{DeliveryRow, Store, Write};
use takar_web::auth::Role;

use super::{Engine, cases};
use crate::{config::Config, post::Posted};

/// What is not yet told.
pub struct Post {
    pub(super) next: u64,
    ways: Ways,
    rules: queue::Rules,
    /// Those that the queue has to see.
    deliveries: BTreeMap<u64, Delivery>,
    troubled_at: Option<UnixMillis>,
}

impl Post {
    /// How many were tried and did not go, and why the oldest did not.
    pub(super) fn undelivered(&self) -> Option<(usize, &str)> {
        let mut troubled =
            self.deliveries.values().filter(|one| one.is_open()).filter_map(|one| one.trouble.as_deref());
        let why = troubled.next()?;
        Some((1 + troubled.count(), why))
    }

    pub fn load(store: &dyn Store, config: &Config, now: UnixMillis) -> anyhow::Result<Self> {
        let mut deliveries = BTreeMap::new();
        for row in store.open_deliveries()? {
            let delivery: Delivery = serde_json::from_str(&row.body)
                .map_err(|error| anyhow::anyhow!("notice {} no longer reads: {error}", row.id))?;
            deliveries.insert(row.id, delivery.recovered(now));
        }
        let settings = config.notice.as_ref();
        let ways = settings.map_or(Ways { mail: false, webhook: false }, |settings| settings.ways());
        let rules = settings.map(|settings| settings.rules).unwrap_or_default();
        Ok(Self { next: store.next_delivery_id()?, ways, rules, deliveries, troubled_at: None })
    }

    /// One notice to one recipient, as many deliveries as there are ways; none where there is no way.
    pub(super) fn write(
        &self,
        first: u64,
        case: Option<u64>,
        (topic, to, urgent, attachments): (Topic, Recipient, bool, Vec<Attachment>),
        now: UnixMillis,
    ) -> Vec<Write> {
        let notice = Notice { id: first, made_at: now, to, topic, urgent, case, attachments };
        queue::deliveries(&notice, first, self.ways).iter().filter_map(row).map(Write::Delivery).collect()
    }
}

impl Engine {
    /// After they were committed.
    pub(super) fn took_deliveries(&mut self, writes: &[Write]) {
        for write in writes {
            let Write::Delivery(row) = write else { continue };
            self.post.next = self.post.next.max(row.id + 1);
            if let Ok(delivery) = serde_json::from_str(&row.body) {
                self.post.deliveries.insert(row.id, delivery);
            }
        }
    }

    /// Notices that belong to no decision.
    pub(super) fn store_deliveries(&mut self, writes: Vec<Write>) {
        if writes.is_empty() {
            return;
        }
        match self.store.commit(&writes) {
            Ok(()) => self.took_deliveries(&writes),
            Err(error) => tracing::error!(%error, "a notice could not be stored"),
        }
    }

    /// What may go now is stored as on its way, and handed over.
    pub(super) fn tend_post(&mut self, now: UnixMillis) {
        self.post.deliveries.retain(|_, delivery| delivery.is_needed(now));
        if self.post.deliveries.is_empty() {
            return;
        }
        let all: Vec<Delivery> = self.post.deliveries.values().cloned().collect();
        for batch in queue::plan(now, &all, &self.post.rules) {
            let Ok(place) = self.desk.post.clone().try_reserve_owned() else { break };
            let started: Vec<Write> = batch
                .deliveries
                .iter()
                .filter_map(|id| row(&self.post.deliveries.get(id)?.started(&batch, now)))
                .map(Write::Delivery)
                .collect();
            if let Err(error) = self.store.commit(&started) {
                tracing::error!(%error, "a notice could not be stored as on its way, so it waits");
                break;
            }
            self.took_deliveries(&started);
            place.send(batch);
        }
        self.tell_trouble(now);
    }

    pub(super) fn handle_posted(&mut self, posted: Posted, now: UnixMillis) {
        let Posted { batch, outcome } = posted;
        let settled: Vec<Write> = batch
            .deliveries
            .iter()
            .filter_map(|id| row(&self.post.deliveries.get(id)?.settled(&outcome, now)))
            .map(Write::Delivery)
            .collect();
        let word = match &outcome {
            takar_notice::Outcome::Sent { .. } => "sent",
            other => {
                tracing::warn!(to = %way(&batch), outcome = ?other, "a notice did not arrive");
                "not sent"
            }
        };
        tracing::debug!(to = %way(&batch), word, "notices");
        if let Err(error) = self.store.commit(&settled) {
            // It goes again as the same message.
            tracing::error!(%error, "what became of a notice could not be stored");
        }
        self.took_deliveries(&settled);
        if matches!(outcome, takar_notice::Outcome::Sent { .. }) {
            self.letters_went(&batch, now);
        }
    }

    /// A request that went out is so in its case.
    fn letters_went(&mut self, batch: &Batch, now: UnixMillis) {
        for notice in &batch.notices {
            let (Topic::ProviderRequest { .. }, Some(id)) = (&notice.topic, notice.case) else { continue };
            let id = CaseId(id);
            let Ok(case) = self.case(id) else { continue };
            if !cases::awaits_provider(&case) {
                continue;
            }
            let act = Act::Sent { how: way(batch) };
            if let Err(error) = self.move_case(id, &act, &By::takar(), None, now) {
                tracing::error!(case = %id, ?error, "that a letter went out was not noted");
            }
        }
    }

    fn tell_trouble(&mut self, now: UnixMillis) {
        let all: Vec<Delivery> = self.post.deliveries.values().cloned().collect();
        let Some(trouble) = queue::trouble(now, self.post.troubled_at, &all) else { return };
        self.post.troubled_at = Some(now);
        let mut writes: Vec<Write> = trouble.told.iter().filter_map(row).map(Write::Delivery).collect();
        for to in self.of_role(Role::Admin) {
            let first = self.post.next + writes.len() as u64;
            writes.extend(self.post.write(first, None, (trouble.topic.clone(), to, false, Vec::new()), now));
        }
        self.store_deliveries(writes);
    }
}

fn row(delivery: &Delivery) -> Option<DeliveryRow> {
    let body = serde_json::to_string(delivery).ok()?;
    Some(DeliveryRow { id: delivery.id, open: delivery.is_open(), body })
}

fn way(batch: &Batch) -> String {
    match &batch.channel {
        Channel::Mail { to } => format!("e-mail to {to}"),
        Channel::Webhook { url } => format!("webhook {}", url.split(['?', '#']).next().unwrap_or_default()),
    }
}
