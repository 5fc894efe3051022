//! How the collector stands, and what the person on duty should know of it.

use takar_collector_core::case::CaseId;
use takar_shared::UnixMillis;

use crate::{config::BrokerKind, engine::Engine, view::StatusView};

impl Engine {
    pub(super) fn status(&self, now: UnixMillis) -> StatusView {
        let inventory = self.inventory.as_ref();
        let overdue = self.overdue(now);
        StatusView {
            version: env!("CARGO_PKG_VERSION").into(),
            network: self.signer.network().to_string(),
            started_at: self.started_at.0,
            now: now.0,
            broker: self.config.broker.to_string(),
            broker_connected: self.connected,
            agents_online: self.enrolled().filter(|agent| agent.online).count(),
            agents: self.enrolled().count(),
            uplinks: inventory.map_or(0, |inventory| inventory.uplinks().len()),
            links: inventory.map_or(0, |inventory| inventory.links().len()),
            findings_open: self.findings.len(),
            proposals_waiting: self.waiting_proposals().count(),
            changes_open: self.open_changes().count(),
            cases_open: self.cases.all().count(),
            cases_overdue: overdue.len(),
            samples_stored: self.samples,
            messages_refused: self.refused,
            audit_size: self.audit.size(),
            audit_root: self.audit.root().to_string(),
            notices: self.notices(&overdue, now),
        }
    }

    fn notices(&self, overdue: &[CaseId], now: UnixMillis) -> Vec<String> {
        let mut notices = Vec::new();
        if self.config.broker.kind == BrokerKind::Embedded {
            notices.push("the embedded broker has no ACL, no TLS and keeps nothing on disk; it is for demonstrations on one machine".into());
        }
        if self.config.change.withhold_confirm {
            notices.push("change.withhold_confirm is on: no change is ever confirmed, every one rolls back".into());
        }
        if !self.connected {
            notices.push("not connected to the broker".into());
        }
        if let Some(trouble) = &self.store_trouble {
            notices.push(format!("the store does not take writes: {trouble}"));
        }
        if self.is_behind(now) {
            notices.push("the clock is behind what was already stored; until it has caught up no command is signed and agents are allowed nothing".into());
        }
        for agent in self.enrolled() {
            let name = &agent.record.name;
            if let Some(quarantine) = &agent.quarantine {
                notices.push(format!("agent {name} is not trusted: {}", quarantine.why));
            } else if !agent.online {
                notices.push(format!("agent {name} is offline"));
            }
            if agent.alarms > 0 {
                notices.push(format!("agent {name} refused {} messages since it started", agent.alarms));
            }
        }
        for one in self.maintenances.on(now) {
            notices.push(format!("{} is under maintenance {}", one.scope, self.maintenance_told(one)));
        }
        for case in overdue.iter().filter_map(|id| self.cases.get(*id)) {
            let Some(step) = case.step() else { continue };
            let waits = self.waits_for(case).map_or_else(String::new, |what| format!("; it waits for: {what}"));
            notices.push(format!("case {} is overdue in step {} ({step}){waits}", case.id, step.number()));
        }
        for (case, why) in self.cases.held_up() {
            notices.push(format!("case {case}: {why}"));
        }
        if let Some(trouble) = self.cases.paper_trouble() {
            notices.push(trouble.to_owned());
        }
        if let Some((count, why)) = self.post.undelivered() {
            notices.push(format!("{count} notices could not be delivered so far: {why}"));
        }
        for line in self.inventory.iter().flat_map(|inventory| inventory.budget()) {
            if line.sum_mir > line.budget {
                notices.push(format!(
                    "uplink {} {} is promised above its budget in the inventory: {} of {}",
                    line.uplink, line.direction, line.sum_mir, line.budget
                ));
            }
        }
        notices
    }
}
