//! Signed commands that await their end: sent again until a receipt comes, past their expiry too.

use takar_collector_core::{batch, ledger::Change};
use takar_shared::{UnixMillis, topic::Down};
use takar_store::Write;

use crate::engine::{Agent, Engine};

/// An unanswered command or Confirm is sent again, as identical bytes, after this.
const RESEND_MS: u64 = 5_000;

impl Engine {
    /// "Ask" is re-sending the identical bytes, also after expiry, until a receipt says what became of it.
    pub(in crate::engine) fn resend_outbox(&mut self, now: UnixMillis, at_once: bool) {
        if !self.connected {
            return;
        }
        let mut due = Vec::new();
        for sent in self.outbox.values_mut() {
            let reachable = self.agents.get(&sent.row.agent).is_some_and(Agent::is_commanded);
            if reachable && (at_once || now.since(sent.sent_at) >= RESEND_MS) {
                sent.sent_at = now;
                let bytes = sent.row.confirm.clone().unwrap_or_else(|| sent.row.command.clone());
                due.push((sent.row.agent, bytes));
            }
        }
        for (agent, bytes) in due {
            self.send_bytes(agent, Down::Command, bytes);
        }
    }

    pub(super) fn expire(&mut self, now: UnixMillis) {
        let expired: Vec<Change> = self
            .changes
            .values()
            .filter_map(|change| {
                let expires_at = self.outbox.get(&change.id)?.row.expires_at;
                let state = batch::expire(change, expires_at, now)?;
                Some(Change { state, ..change.clone() })
            })
            .collect();
        for change in expired {
            if self.decide(vec![Write::Change(change.clone())], Vec::new()).is_ok() {
                tracing::warn!(change = %change.id, device = %change.device, "no receipt before it expired; still asking");
                let id = change.id;
                self.changes.insert(id, change);
                self.publish_change(id);
            }
        }
    }
}
