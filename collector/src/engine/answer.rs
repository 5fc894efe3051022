//! Answers to queries: the engine's state as views.

use serde_json::{Value, json};
use takar_collector_core::{
    audit::{self, AuditRecord},
    inventory::{Link, LinkName},
    ledger::{Actor, Change, ChangeState, LinkMove, ProposalId, ProposalRecord, ProposalState},
    plan,
};
use takar_shared::{ChangeId, Digest, Direction, UnixMillis, birth::Mode, telemetry::PollOutcome};
use takar_store::{FindingRecord, Write};

use super::{Agent, Engine};
use crate::{
    api::query::{ApiError, Caller, Query},
    clock,
    config::BrokerKind,
    view::{
        AuditView, ChangeView, DeviceView, FindingView, ImportBody, ImportView, LinkView, MoveView, OtherView,
        PlanView, ProposalView, ProposeBody, ReasonView, StatusView, VerifyView,
    },
};

/// Rows a listing holds at most.
const LISTED: u32 = 500;

impl Engine {
    pub(super) fn answer(&mut self, query: Query, caller: &Caller) -> Result<Value, ApiError> {
        let now = clock::now();
        let by = Actor::Person(caller.name.clone());
        tracing::debug!(who = %caller.name, uid = caller.uid, ?query, "asked");
        match query {
            Query::Status => show(&self.status(now)),
            Query::Links => show(&self.link_views()),
            Query::Findings { all } => {
                let findings = self.store.findings(!all, LISTED).map_err(failed)?;
                show(&findings.iter().map(finding_view).collect::<Vec<_>>())
            }
            Query::Proposals => {
                show(&self.proposals.iter().map(|record| self.proposal_view(record)).collect::<Vec<_>>())
            }
            Query::Changes => {
                let changes = self.store.changes(LISTED).map_err(failed)?;
                show(&changes.iter().map(change_view).collect::<Vec<_>>())
            }
            Query::Devices => show(&self.all_device_views()),
            Query::Audit { from } => {
                let leaves = self.store.leaves(from, LISTED * 20).map_err(failed)?;
                show(&leaves.iter().map(|(index, line)| audit_view(*index, line)).collect::<Vec<_>>())
            }
            Query::AuditVerify => self.audit_verify(),
            Query::Import(body) => self.import(&body, by, now),
            Query::Propose(body) => self.propose_query(&body, by, now),
            Query::Approve { proposal } => {
                self.approve(ProposalId(proposal), by, now)?;
                self.show_proposal(ProposalId(proposal))
            }
            Query::Decline { proposal, body } => {
                if body.reason.trim().is_empty() {
                    return Err(ApiError::Invalid(vec![
                        "the reason is empty; whoever proposed it should learn why".into(),
                    ]));
                }
                self.decline(ProposalId(proposal), by, body.reason, now)?;
                self.show_proposal(ProposalId(proposal))
            }
            Query::DeviceAdd(body) => show(&self.device_add(body)?),
            Query::DeviceApprove(body) => show(&self.device_approve(body, by, now)?),
        }
    }

    fn status(&self, now: UnixMillis) -> StatusView {
        let inventory = self.inventory.as_ref();
        StatusView {
            version: env!("CARGO_PKG_VERSION").into(),
            network: self.signer.network().to_string(),
            started_at: self.started_at.0,
            now: now.0,
            broker: self.config.broker.to_string(),
            broker_connected: self.connected,
            agents_online: self.agents.values().filter(|agent| agent.online).count(),
            agents: self.agents.len(),
            uplinks: inventory.map_or(0, |inventory| inventory.uplinks().len()),
            links: inventory.map_or(0, |inventory| inventory.links().len()),
            findings_open: self.findings.len(),
            proposals_waiting: self.waiting_proposals().count(),
            changes_open: self.changes.values().filter(|change| !change.state.is_final()).count(),
            samples_stored: self.samples,
            messages_refused: self.refused,
            audit_size: self.audit.size(),
            audit_root: self.audit.root().to_string(),
            notices: self.notices(now),
        }
    }

    fn notices(&self, now: UnixMillis) -> Vec<String> {
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
        if now < self.server_time {
            notices.push("the clock is behind what was already stored; nothing is signed".into());
        }
        for agent in self.agents.values() {
            let name = &agent.record.name;
            if let Some(why) = &agent.distrusted {
                notices.push(format!("agent {name} is not trusted: {why}"));
            } else if !agent.online {
                notices.push(format!("agent {name} is offline"));
            }
            if agent.alarms > 0 {
                notices.push(format!("agent {name} refused {} messages since it started", agent.alarms));
            }
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

    fn link_views(&self) -> Vec<LinkView> {
        let links = self.inventory.iter().flat_map(|inventory| inventory.links());
        links
            .flat_map(|link| Direction::BOTH.map(|direction| self.link_view(&link.name, direction)))
            .flatten()
            .collect()
    }

    pub(super) fn link_view(&self, name: &LinkName, direction: Direction) -> Option<LinkView> {
        let link = self.inventory.as_ref()?.link(name)?;
        let watch = self.watches.get(name, direction)?;
        let newest = watch.window.readings().rev().find(|reading| reading.valid);
        let served = watch.demand().served;
        let (state, why) = self.link_state(link, direction);
        let device = self.device(link.device.as_str()).map(|(_, device)| device);
        Some(LinkView {
            link: name.as_str().into(),
            site: link.site.as_str().into(),
            uplink: link.uplink.as_str().into(),
            device: link.device.as_str().into(),
            direction: direction.as_str().into(),
            recorded_bps: self.recorded(link, direction).0,
            observed_bps: watch.observed.as_ref().map(|reading| reading.mir.0),
            cir_bps: link.side(direction).cir.map(|cir| cir.0),
            used_bps: newest.and_then(|reading| reading.mean()).map(|mean| mean.0),
            p95_bps: served.map(|load| load.p95.0),
            peak_bps: served.map(|load| load.peak.0),
            utilisation_per_mille: newest.and_then(|reading| reading.utilisation_per_mille()),
            state: state.into(),
            why,
            poll: outcome_word(device.and_then(|device| device.outcome)).into(),
            read_at: newest.map(|reading| reading.start.0),
        })
    }

    fn link_state(&self, link: &Link, direction: Direction) -> (&'static str, String) {
        let Some((agent, device)) = self.device(link.device.as_str()) else {
            return ("not-reported", format!("no enrolled agent has reported device {}", link.device));
        };
        let changing = self.changes.values().find(|change| {
            !change.state.is_final()
                && change.moves.iter().any(|one| one.link == link.name && one.set.direction == direction)
        });
        if let Some(change) = changing {
            return ("changing", format!("change {} is {}", change.id, change.state));
        }
        if !agent.online {
            return ("not-measured", format!("agent {} is offline", agent.record.name));
        }
        match device.outcome {
            Some(PollOutcome::Ok) | None => {}
            Some(outcome) => {
                return (
                    "not-measured",
                    format!("the last poll of {} ended in: {}", device.name, outcome_word(Some(outcome))),
                );
            }
        }
        if self.is_drifted(link, direction) {
            let observed = self.observed(&link.name, direction).unwrap_or_default();
            return (
                "drifted",
                format!("{} is on record, the device reads back {observed}", self.recorded(link, direction)),
            );
        }
        let Some(watch) = self.watches.get(&link.name, direction) else {
            return ("not-measured", "not watched".into());
        };
        if let Some(record) = watch.finding.and_then(|id| self.findings.get(&id)) {
            let mut why = record.finding.to_string();
            let reasons = self.reasons.get(&(link.uplink.clone(), direction));
            let own = reasons.and_then(|reasons| reasons.iter().find(|(name, _)| *name == link.name));
            if let Some((_, reason)) = own {
                why = format!("{why} No proposal: {reason}");
            }
            let state = match record.finding.kind {
                takar_collector_core::assess::FindingKind::Shortage => "shortage",
                takar_collector_core::assess::FindingKind::Surplus => "idle",
                takar_collector_core::assess::FindingKind::NotMeasured => "not-measured",
            };
            return (state, why);
        }
        match &watch.no_finding {
            Some(why) => ("fits", why.to_string()),
            None => ("not-measured", "no complete reading yet".into()),
        }
    }

    pub(super) fn device_views(&self, agent: &Agent) -> Vec<DeviceView> {
        let born = agent.birth.as_ref();
        let view = |device: &takar_shared::bundle::RequestedDevice| {
            let live = agent.device(&device.device);
            DeviceView {
                agent: agent.record.id.to_string(),
                name: agent.record.name.clone(),
                device: Some(device.device.clone()),
                enrolment: if agent.record.revoked { "revoked" } else { "approved" }.into(),
                online: agent.online,
                mode: agent.mode().map(|mode| if mode == Mode::Live { "live" } else { "observe" }.into()),
                software: born.map(|born| born.birth.software.as_str().into()),
                poll: live.and_then(|live| live.outcome).map(|outcome| outcome_word(Some(outcome)).into()),
                last_heard: agent.last_heard.map(|at| at.0),
                last_serial: live.and_then(|live| live.state.as_ref()).map(|state| state.last_serial.0),
                boot_epoch: born.map(|born| born.epoch.0),
                shapers: device.bounds.len(),
            }
        };
        agent.record.devices.iter().map(view).collect()
    }

    fn all_device_views(&self) -> Vec<DeviceView> {
        let waiting = self.waiting_requests().into_iter().map(|request| DeviceView {
            agent: request.fingerprint,
            name: request.name,
            device: None,
            enrolment: "pending".into(),
            online: false,
            mode: None,
            software: None,
            poll: None,
            last_heard: None,
            last_serial: None,
            boot_epoch: None,
            shapers: request.devices.iter().map(|device| device.bounds.len()).sum(),
        });
        waiting.chain(self.agents.values().flat_map(|agent| self.device_views(agent))).collect()
    }

    pub(super) fn proposal_view(&self, record: &ProposalRecord) -> ProposalView {
        let (state, decided_by, reason) = proposal_state(&record.state);
        let proposal = &record.proposal;
        let batch =
            record.batch.and_then(|id| self.batches.get(&id).cloned().or_else(|| self.store.batch(id).ok().flatten()));
        ProposalView {
            id: record.id.0,
            made_at: record.made_at.0,
            made_by: record.made_by.to_string(),
            uplink: proposal.uplink.as_str().into(),
            direction: proposal.direction.as_str().into(),
            state: state.into(),
            decided_by,
            decided_at: record.decided_at.map(|at| at.0),
            reason: reason.or_else(|| record.reason.clone()),
            finding: record.finding,
            moves: proposal
                .moves
                .iter()
                .map(|one| move_view(one.link.as_str(), one.from.0, one.to.0, one.why.to_string()))
                .collect(),
            others: record
                .others
                .iter()
                .map(|(link, why)| OtherView { link: link.as_str().into(), why: why.clone() })
                .collect(),
            sum_before_bps: proposal.sum_before.0,
            sum_after_bps: proposal.sum_after.0,
            budget_bps: proposal.budget.0,
            batch: batch.map(|batch| format!("{:?}", batch.state).to_lowercase()),
        }
    }

    fn show_proposal(&self, id: ProposalId) -> Result<Value, ApiError> {
        let position = self.position(id)?;
        show(&self.proposal_view(&self.proposals[position]))
    }

    /// A dry run proposes nothing and says what would be; without one, what is worth it is proposed.
    fn propose_query(&mut self, body: &ProposeBody, by: Actor, now: UnixMillis) -> Result<Value, ApiError> {
        let mut view = PlanView { proposals: Vec::new(), reasons: Vec::new() };
        if !body.moves.is_empty() {
            if body.dry_run {
                let (_, proposal) = self.asked_proposal(body, now).map_err(ApiError::Invalid)?;
                view.proposals.push(self.proposal_view(&draft(proposal, by, now)));
            } else {
                let id = self.propose_asked(body, by, now)?;
                let position = self.position(id)?;
                view.proposals.push(self.proposal_view(&self.proposals[position]));
            }
            return show(&view);
        }
        let Some(inventory) = self.inventory.clone() else {
            return Err(ApiError::Conflict("there is no inventory; import one first".into()));
        };
        let wanted: Vec<_> = inventory
            .uplinks()
            .iter()
            .filter(|uplink| body.uplink.as_ref().is_none_or(|name| name == uplink.name.as_str()))
            .collect();
        if wanted.is_empty() {
            return Err(ApiError::NotFound(format!(
                "there is no uplink \"{}\"",
                body.uplink.as_deref().unwrap_or_default()
            )));
        }
        for uplink in wanted {
            for direction in Direction::BOTH {
                self.plan_one(body, uplink, direction, &by, now, &mut view)?;
            }
        }
        show(&view)
    }

    fn plan_one(
        &mut self,
        body: &ProposeBody,
        uplink: &takar_collector_core::inventory::Uplink,
        direction: Direction,
        by: &Actor,
        now: UnixMillis,
        view: &mut PlanView,
    ) -> Result<(), ApiError> {
        let Some(input) = self.plan_input(&uplink.name, direction, now) else { return Ok(()) };
        let outcome = plan::plan(&input);
        let reasons: Vec<ReasonView> = outcome
            .reasons
            .iter()
            .map(|one| ReasonView {
                uplink: uplink.name.as_str().into(),
                direction: direction.as_str().into(),
                link: one.link.as_str().into(),
                why: one.reason.to_string(),
            })
            .collect();
        match &outcome.proposal {
            None => view.reasons.extend(reasons),
            Some(proposal) if body.dry_run => {
                let mut record = draft(proposal.clone(), by.clone(), now);
                record.others = outcome.reasons.iter().map(|one| (one.link.clone(), one.reason.to_string())).collect();
                view.proposals.push(self.proposal_view(&record));
            }
            Some(_) if self.is_busy(&uplink.name, direction) => view.reasons.push(ReasonView {
                uplink: uplink.name.as_str().into(),
                direction: direction.as_str().into(),
                link: "–".into(),
                why: "A proposal or batch of this uplink and direction is open already.".into(),
            }),
            Some(_) => {
                if let Some(id) = self.take_outcome(&input, outcome, None, by.clone(), body.reason.clone(), now)? {
                    let position = self.position(id)?;
                    view.proposals.push(self.proposal_view(&self.proposals[position]));
                }
            }
        }
        Ok(())
    }

    fn import(&mut self, body: &ImportBody, by: Actor, now: UnixMillis) -> Result<Value, ApiError> {
        let validated = crate::inventory_file::parse(&body.text).map_err(|problems| {
            ApiError::Invalid(problems.into_iter().map(|problem| format!("{}: {problem}", body.file)).collect())
        })?;
        let inventory = validated.inventory;
        let digest = Digest::of(body.text.as_bytes());
        let changed = self.store.inventory().map_err(failed)?.is_none_or(|stored| stored.digest != digest);
        let view = ImportView {
            uplinks: inventory.uplinks().len(),
            sites: inventory.sites().len(),
            links: inventory.links().len(),
            changed,
            notices: validated.notices.iter().map(ToString::to_string).collect(),
        };
        if body.dry_run || !changed {
            return show(&view);
        }
        if self.changes.values().any(|change| !change.state.is_final()) {
            return Err(ApiError::Conflict("changes are under way; import when they have ended".into()));
        }
        let mut writes = vec![Write::Inventory { at: now, by: by.clone(), text: body.text.clone(), digest }];
        let mut allocations = Vec::new();
        for link in inventory.links() {
            for direction in Direction::BOTH {
                let side = link.side(direction);
                // What the file says is the record from now on: whoever imports has looked.
                let (link, cir, mir) = (link.name.clone(), side.cir, side.mir);
                writes.push(Write::Allocation { link: link.clone(), direction, cir, mir, at: now, change: None });
                allocations.push(((link, direction), super::Allocation { mir, changed_at: None }));
            }
        }
        let event = audit::AuditEvent::InventoryImported {
            digest: digest.to_string(),
            uplinks: view.uplinks,
            links: view.links,
        };
        self.decide(writes, vec![(by, event)])?;
        let observed: Vec<_> = self
            .agents
            .values()
            .flat_map(|agent| {
                agent.devices.iter().filter_map(|device| Some((device.name.clone(), device.state.clone()?.queues?)))
            })
            .collect();
        self.inventory = Some(inventory);
        self.allocation = allocations.into_iter().collect();
        self.commit_pending();
        self.watch_links(now).map_err(|error| ApiError::Failed(format!("{error:#}")))?;
        for (device, queues) in observed {
            for reading in &queues.readings {
                self.watches.set_ceiling(&device, reading, now);
            }
        }
        self.publish_inventory();
        show(&view)
    }

    fn audit_verify(&mut self) -> Result<Value, ApiError> {
        let mut leaves = Vec::new();
        loop {
            let part = self.store.leaves(leaves.len() as u64, 50_000).map_err(failed)?;
            if part.is_empty() {
                break;
            }
            leaves.extend(part.into_iter().map(|(_, line)| line));
        }
        let stored = self.store.audit_head().map_err(failed)?.unwrap_or((0, self.audit.root()));
        let changes = self.store.changes(u32::MAX).map_err(failed)?;
        // A change that was never sent changed nothing.
        let sent: Vec<ChangeId> =
            changes.iter().filter(|change| change.serial.is_some()).map(|change| change.id).collect();
        let parse = |line: &[u8]| serde_json::from_slice::<AuditRecord>(line).ok();
        let faults = audit::verify(&leaves, parse, stored, &sent);
        show(&VerifyView {
            ok: faults.is_empty(),
            records: leaves.len() as u64,
            changes: sent.len(),
            root: stored.1.to_string(),
            faults: faults.iter().map(|fault| serde_json::to_value(fault).unwrap_or_default()).collect(),
        })
    }
}

fn show(view: &impl serde::Serialize) -> Result<Value, ApiError> {
    serde_json::to_value(view).map_err(|error| ApiError::Failed(error.to_string()))
}

fn failed(error: takar_store::StoreError) -> ApiError {
    ApiError::Failed(error.to_string())
}

/// A proposal that exists only in an answer.
fn draft(proposal: plan::Proposal, by: Actor, now: UnixMillis) -> ProposalRecord {
    ProposalRecord {
        id: ProposalId(0),
        made_at: now,
        made_by: by,
        finding: None,
        reason: None,
        proposal,
        others: Vec::new(),
        state: ProposalState::Proposed,
        decided_at: None,
        batch: None,
    }
}

/// The word, who decided, and why.
pub(super) fn proposal_state(state: &ProposalState) -> (&'static str, Option<String>, Option<String>) {
    match state {
        ProposalState::Proposed => ("proposed", None, None),
        ProposalState::Approved { by } => ("approved", Some(by.to_string()), None),
        ProposalState::Declined { by, reason } => ("declined", Some(by.to_string()), Some(reason.clone())),
        ProposalState::Superseded { why } => ("superseded", None, Some(why.clone())),
    }
}

pub(super) fn finding_view(record: &FindingRecord) -> FindingView {
    let finding = &record.finding;
    FindingView {
        id: record.id,
        link: finding.link.as_str().into(),
        direction: finding.direction.as_str().into(),
        kind: finding.kind.as_str().into(),
        opened_at: record.opened_at.0,
        closed_at: record.closed_at.map(|at| at.0),
        size_bps: finding.size.0,
        sentence: finding.to_string(),
        evidence: serde_json::to_value(&finding.evidence).unwrap_or_default(),
    }
}

pub(super) fn change_view(change: &Change) -> ChangeView {
    let state = match change.state {
        ChangeState::Refused(_) => "refused".into(),
        ChangeState::RolledBack(_) => "rolled-back".into(),
        plain => plain.to_string(),
    };
    let moves = |one: &LinkMove| {
        move_view(one.link.as_str(), one.from.0, one.set.mir.0, format!("{} {}", one.set.shaper, one.set.direction))
    };
    ChangeView {
        id: change.id.to_string(),
        proposal: change.proposal.0,
        batch: change.batch.to_string(),
        step: change.step,
        steps: change.steps,
        agent: change.agent.to_string(),
        device: change.device.as_str().into(),
        serial: change.serial.map(|serial| serial.0),
        state,
        sentence: change.state.to_string(),
        moves: change.moves.iter().map(moves).collect(),
        made_at: change.times.made.0,
        dispatched_at: change.times.dispatched.map(|at| at.0),
        applied_at: change.times.applied.map(|at| at.0),
        confirm_sent_at: change.times.confirm_sent.map(|at| at.0),
        ended_at: change.times.ended.map(|at| at.0),
    }
}

fn move_view(link: &str, from_bps: u64, to_bps: u64, why: String) -> MoveView {
    MoveView { link: link.into(), from_bps, to_bps, why }
}

fn audit_view(index: u64, line: &[u8]) -> AuditView {
    let record: Value = serde_json::from_slice(line).unwrap_or_else(|_| json!({"unreadable": true}));
    let parsed = serde_json::from_slice::<AuditRecord>(line).ok();
    AuditView {
        index,
        at: parsed.as_ref().map_or(0, |parsed| parsed.at.0),
        who: parsed.map_or_else(|| "?".into(), |parsed| parsed.who.to_string()),
        event: record["what"]["event"].as_str().unwrap_or("?").into(),
        record,
    }
}

fn outcome_word(outcome: Option<PollOutcome>) -> &'static str {
    match outcome {
        None => "not yet",
        Some(PollOutcome::Ok) => "ok",
        Some(PollOutcome::Timeout) => "timeout",
        Some(PollOutcome::Authentication) => "authentication",
        Some(PollOutcome::Partial) => "partial",
        Some(PollOutcome::Unreachable) => "unreachable",
        Some(PollOutcome::Garbage) => "garbage",
        Some(PollOutcome::QueuesUnreadable) => "queues unreadable",
    }
}
