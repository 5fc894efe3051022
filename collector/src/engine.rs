//! The engine: the one task that holds the collector's state. Messages, queries and ticks come in
//! one at a time; decisions are made by the cores, written down in one transaction, and only then
//! told to anybody.

mod answer;
mod cases;
mod dispatch;
mod enrol;
mod ingest;
mod links;
mod maintenance;
mod modes;
mod people;
mod planning;
mod post;
mod publish;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::PathBuf,
    time::Instant,
};

use anyhow::Context as _;
use rumqttc::v5::{AsyncClient, mqttbytes::QoS};
use takar_collector_core::{
    audit::{AuditEvent, AuditRecord, AuditTree},
    clockmap::ClockMap,
    intake::Intake,
    inventory::{Inventory, LinkMode, LinkName, UplinkName},
    ledger::{Actor, Batch, Change, ProposalRecord, ProposalState},
};
use takar_notice::queue::Batch as Parcel;
use takar_shared::{
    AgentId, BatchId, BitsPerSec, BootEpoch, Challenge, ChangeId, Direction, MonoMillis, Name, UnixMillis,
    birth::{Birth, DeviceState, Mode},
    telemetry::PollOutcome,
    topic,
};
use takar_store::{AgentRecord, FindingRecord, MeterId, OutboxRow, Store, Write};
use tokio::sync::mpsc;

use crate::{
    api::query::{ApiError, Asked},
    clock,
    config::Config,
    mqtt::MqttEvent,
    papers,
    post::Posted,
    signer::Signer,
};

/// Decided proposals that are kept in memory, and listed.
const PROPOSALS_AT_HAND: u32 = 200;

/// How far the stored mark of the time may lie behind.
const MARK_EVERY_MS: u64 = 60_000;

pub struct Engine {
    config: Config,
    signer: Signer,
    store: Box<dyn Store>,
    client: AsyncClient,
    connected: bool,
    started_at: UnixMillis,
    /// By the clock that nobody sets.
    began: Instant,
    agents: BTreeMap<AgentId, Agent>,
    inventory: Option<Inventory>,
    /// The ceiling on record, and since when.
    allocation: HashMap<(LinkName, Direction), Allocation>,
    /// What people set; a link that is not here is live.
    modes: BTreeMap<LinkName, LinkMode>,
    maintenances: maintenance::Maintenances,
    watches: links::Watches,
    /// What interfaces last said of themselves, by device and name.
    facts: HashMap<(Name, Name), ingest::InterfaceState>,
    proposals: Vec<ProposalRecord>,
    batches: HashMap<BatchId, Batch>,
    changes: HashMap<ChangeId, Change>,
    outbox: HashMap<ChangeId, Sent>,
    findings: BTreeMap<u64, FindingRecord>,
    cases: cases::Cases,
    accounts: people::Accounts,
    post: post::Post,
    next_finding: u64,
    next_proposal: u64,
    audit: AuditTree,
    /// Written with the next commit, which comes at most `commit.every_ms` later.
    pending: Vec<Write>,
    /// Agents whose messages are in `pending`: granted when it is durable.
    to_grant: BTreeMap<AgentId, Challenge>,
    /// Where the last commit failed, what it said.
    store_trouble: Option<String>,
    server_time: UnixMillis,
    /// The clock is behind `server_time`, and the log says so.
    clock_behind: bool,
    refused: u64,
    samples: u64,
    reasons: HashMap<(UplinkName, Direction), Vec<(LinkName, String)>>,
    /// Since it was last planned there were readings, a ceiling that was not known, or a case that came to step 3.
    plan_due: bool,
    requests_dir: PathBuf,
    desk: Desk,
    /// Where the person acts from whose question is being answered.
    acting_from: Option<String>,
}

/// Tasks that take their time, and what they give back.
pub struct Desk {
    pub papers: mpsc::Sender<papers::Job>,
    pub archive: papers::Archive,
    pub post: mpsc::Sender<Parcel>,
    /// Signs the links that providers get.
    pub link_key: [u8; 32],
}

/// What comes into the engine.
pub struct Inbox {
    pub broker: mpsc::Receiver<MqttEvent>,
    pub asked: mpsc::Receiver<Asked>,
    pub drawn: mpsc::Receiver<papers::Drawn>,
    pub posted: mpsc::Receiver<Posted>,
    pub stop: tokio::sync::oneshot::Receiver<()>,
}

#[derive(Clone, Copy, Debug)]
struct Allocation {
    mir: BitsPerSec,
    changed_at: Option<UnixMillis>,
}

/// One approved agent, as far as it is known now.
struct Agent {
    record: AgentRecord,
    online: bool,
    last_heard: Option<UnixMillis>,
    birth: Option<Born>,
    /// Meter tables of epochs before the newest, while the spool still sends of them.
    older: HashMap<BootEpoch, Vec<MeterOf>>,
    /// What was taken of it, committed or not.
    intake: Intake,
    /// What of that is in the store: what a Grant may say, and where a failed commit falls back to.
    durable: Intake,
    devices: Vec<Device>,
    alarms: u32,
    /// Nothing of it is taken while there is one.
    quarantine: Option<Quarantine>,
}

/// A quarantine is of one approval; approved again, the agent is judged anew.
struct Quarantine {
    /// That its state was restored from a copy, and what to do.
    why: String,
    approved_at: UnixMillis,
    /// `false` while the store did not take it.
    stored: bool,
}

struct Born {
    epoch: BootEpoch,
    /// From its boot-time clock to ours.
    clock: ClockMap,
    /// Meters not read since the map moved: their next reading follows a break.
    unread: BTreeSet<u16>,
    birth: Birth,
    meters: Vec<MeterOf>,
}

#[derive(Clone)]
struct MeterOf {
    device: usize,
    id: MeterId,
}

struct Device {
    name: Name,
    /// As last reported; `None` until this collector process has heard it.
    state: Option<DeviceState>,
    outcome: Option<PollOutcome>,
    /// The newest poll with every target ok, on the agent's clock.
    polled_ok_at: Option<MonoMillis>,
}

/// A signed command awaiting its end, and when it was last sent.
struct Sent {
    row: OutboxRow,
    sent_at: UnixMillis,
}

impl Agent {
    fn mode(&self) -> Option<Mode> {
        self.birth.as_ref().map(|born| born.birth.mode)
    }
    fn device(&self, name: &str) -> Option<&Device> {
        self.devices.iter().find(|device| device.name == name)
    }
    /// Whether anything may be sent to it at all, and would arrive.
    fn is_commanded(&self) -> bool {
        self.online && self.quarantine.is_none() && !self.record.revoked
    }
}

impl Engine {
    pub fn load(
        config: Config,
        signer: Signer,
        store: Box<dyn Store>,
        client: AsyncClient,
        desk: Desk,
    ) -> anyhow::Result<Self> {
        let now = clock::now();
        let mut audit = AuditTree::default();
        loop {
            let leaves = store.leaves(audit.size(), 10_000)?;
            if leaves.is_empty() {
                break;
            }
            leaves.iter().for_each(|(_, line)| audit.push(line));
        }
        let outbox = store.outbox_open()?.into_iter().map(|row| (row.change, Sent { row, sent_at: UnixMillis(0) }));
        let requests_dir = config.state_dir.join("requests");
        let mut engine = Self {
            connected: false,
            started_at: now,
            began: clock::monotonic(),
            agents: BTreeMap::new(),
            inventory: None,
            allocation: HashMap::new(),
            maintenances: maintenance::Maintenances::load(store.as_ref(), links::reach(&config, now))?,
            modes: store.link_modes()?.into_iter().map(|row| (row.link, row.mode)).collect(),
            watches: links::Watches::default(),
            facts: HashMap::new(),
            proposals: store.proposals(PROPOSALS_AT_HAND)?,
            batches: store.open_batches()?.into_iter().map(|batch| (batch.id, batch)).collect(),
            changes: HashMap::new(),
            outbox: outbox.collect(),
            findings: store.findings(true, 10_000)?.into_iter().map(|finding| (finding.id, finding)).collect(),
            cases: cases::Cases::load(store.as_ref())?,
            accounts: people::load(store.as_ref())?,
            post: post::Post::load(store.as_ref(), &config, now)?,
            next_finding: store.next_finding_id()?,
            next_proposal: store.next_proposal_id()?.0,
            audit,
            pending: Vec::new(),
            to_grant: BTreeMap::new(),
            store_trouble: None,
            server_time: store.server_time()?.unwrap_or_default(),
            clock_behind: false,
            refused: 0,
            samples: store.sample_count()?,
            reasons: HashMap::new(),
            plan_due: false,
            requests_dir,
            desk,
            acting_from: None,
            config,
            signer,
            store,
            client,
        };
        for batch in engine.batches.keys() {
            engine.changes.extend(engine.store.changes_of(*batch)?.into_iter().map(|change| (change.id, change)));
        }
        engine.changes.extend(engine.store.open_changes()?.into_iter().map(|change| (change.id, change)));
        for record in engine.store.agents()? {
            engine.load_agent(record)?;
        }
        engine.note_read(now)?;
        for row in engine.store.allocations()? {
            let changed_at = row.change.map(|_| row.at);
            engine.allocation.insert((row.link, row.direction), Allocation { mir: row.mir, changed_at });
        }
        if let Some(stored) = engine.store.inventory()? {
            let inventory = crate::register::parse(&stored.text)
                .map_err(|problems| anyhow::anyhow!(problems.join("; ")))
                .context("the stored inventory no longer reads")?;
            engine.inventory = Some(inventory.inventory);
        }
        engine.watch_links(now)?;
        Ok(engine)
    }

    /// Runs until the channels close.
    pub async fn run(mut self, mut inbox: Inbox) -> anyhow::Result<()> {
        let mut tick = tokio::time::interval(self.config.commit_every);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = inbox.broker.recv() => match event {
                    Some(event) => self.handle_broker(event),
                    None => anyhow::bail!("the broker connection's task ended"),
                },
                asked = inbox.asked.recv() => match asked {
                    Some(Asked { query, caller, reply }) => {
                        let answer = self.answer(query, &caller);
                        let _ = reply.send(answer);
                    }
                    None => anyhow::bail!("the API's task ended"),
                },
                drawn = inbox.drawn.recv() => match drawn {
                    Some(drawn) => self.handle_drawn(drawn, clock::now()),
                    None => anyhow::bail!("the task that draws papers ended"),
                },
                posted = inbox.posted.recv() => match posted {
                    Some(posted) => self.handle_posted(posted, clock::now()),
                    None => anyhow::bail!("the task that sends notices ended"),
                },
                _ = tick.tick() => self.handle_tick(clock::now()),
                _ = &mut inbox.stop => {
                    // What was taken in but not granted would come again; storing it now saves that.
                    self.commit_pending();
                    return Ok(());
                }
            }
        }
    }

    fn handle_broker(&mut self, event: MqttEvent) {
        match event {
            MqttEvent::Connected => {
                tracing::info!("connected to the broker");
                self.connected = true;
                if let Err(error) = self.client.try_subscribe(topic::all_up(), QoS::AtLeastOnce) {
                    tracing::error!(%error, "cannot subscribe");
                }
                self.publish_everything();
                self.resend_outbox(clock::now(), true);
            }
            MqttEvent::Disconnected(reason) => {
                if std::mem::replace(&mut self.connected, false) {
                    tracing::warn!(%reason, "connection to the broker lost");
                } else {
                    tracing::warn!(%reason, "broker cannot be reached");
                }
            }
            // Only `up/state`, the will, is retained; anything else retained is an old copy.
            MqttEvent::Message { topic, retained: true, .. } if !topic.ends_with("/up/state") => {
                self.refuse(&topic, "a retained message");
            }
            MqttEvent::Message { topic, payload, .. } => self.handle_message(&topic, &payload, clock::now()),
        }
    }

    fn handle_tick(&mut self, now: UnixMillis) {
        self.commit_pending();
        self.tend_maintenance(now);
        self.look_at_readings(now);
        self.watch_cases(now);
        // What was decided meanwhile is stored under a later time than this tick's, and no clock was set back.
        let now = clock::now();
        self.advance_batches(now);
        self.resend_outbox(now, false);
    }

    /// Telemetry: one transaction for all that came since the last; then its senders are granted.
    fn commit_pending(&mut self) {
        if self.pending.is_empty() {
            return self.send_grants();
        }
        let now = clock::now();
        let mark = now.max(self.server_time);
        if mark.since(self.server_time) >= MARK_EVERY_MS {
            // Grants tell agents the time, so a clock that falls behind it later must be noticed after a restart too.
            self.pending.push(Write::ServerTime(mark));
        }
        match self.store.commit(&self.pending) {
            Ok(()) => {
                if self.pending.iter().any(|write| matches!(write, Write::ServerTime(_))) {
                    self.server_time = mark;
                }
                if self.store_trouble.take().is_some() {
                    tracing::info!("the store takes writes again");
                }
                // Before this line they were taken in, and might have been lost.
                self.samples += self.pending.iter().map(sample_count).sum::<u64>();
                self.pending.clear();
                for agent in self.agents.values_mut().filter(|agent| agent.durable != agent.intake) {
                    agent.durable = agent.intake.clone();
                }
                self.send_grants();
            }
            Err(error) => {
                // Nothing of it counts: not granted, so the agents' spools send it again.
                let text = error.to_string();
                if self.store_trouble.as_ref() != Some(&text) {
                    tracing::error!(error = %text, "the store does not take writes; nothing is granted until it does");
                }
                self.store_trouble = Some(text);
                self.pending.clear();
                self.to_grant.clear();
                for agent in self.agents.values_mut() {
                    agent.intake.fall_back(&agent.durable);
                }
            }
        }
    }

    /// A decision: durable now, with its audit records, or not made at all.
    fn decide(&mut self, mut writes: Vec<Write>, events: Vec<(Actor, AuditEvent)>) -> Result<(), ApiError> {
        let now = clock::now();
        let mut tree = self.audit.clone();
        for (who, what) in events {
            let from = self.acting_from.clone().filter(|_| matches!(who, Actor::Person(_)));
            let record = AuditRecord { index: tree.size(), at: now, who, from, what };
            let line = serde_json::to_vec(&record).map_err(|error| ApiError::Failed(error.to_string()))?;
            tree.push(&line);
            writes.push(Write::Leaf { record, line, root: tree.root() });
        }
        writes.push(Write::ServerTime(now.max(self.server_time)));
        self.store.commit(&writes).map_err(|error| {
            tracing::error!(%error, "a decision could not be stored, so it was not made");
            ApiError::Failed(format!("the store does not take writes: {error}"))
        })?;
        self.server_time = self.server_time.max(now);
        self.audit = tree;
        self.publish_audit_head();
        Ok(())
    }

    fn open_changes(&self) -> impl Iterator<Item = &Change> {
        self.changes.values().filter(|change| !change.state.is_final())
    }

    /// The change that is under way for a link in one direction.
    fn change_of(&self, link: &LinkName, direction: Direction) -> Option<&Change> {
        let moves =
            |change: &&Change| change.moves.iter().any(|one| one.link == *link && one.set.direction == direction);
        self.open_changes().find(moves)
    }

    fn waiting_proposals(&self) -> impl Iterator<Item = &ProposalRecord> {
        self.proposals.iter().filter(|record| record.state == ProposalState::Proposed)
    }

    /// All but those that were taken out.
    fn enrolled(&self) -> impl Iterator<Item = &Agent> {
        self.agents.values().filter(|agent| !agent.record.revoked)
    }

    /// The agent and the device of that name. Device names are unique over all enrolled agents.
    fn device(&self, name: &str) -> Option<(&Agent, &Device)> {
        self.enrolled().find_map(|agent| agent.device(name).map(|device| (agent, device)))
    }
}

/// A row holds four values of one meter.
fn sample_count(write: &Write) -> u64 {
    match write {
        Write::Samples(rows) => rows.len() as u64 * 4,
        _ => 0,
    }
}
