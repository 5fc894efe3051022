//! What the collector keeps on disk. Effects are values: a caller gathers [`Write`]s and commits them together.
//!
//! Whatever is promised to an agent, a person or the audit log is promised only after [`Store::commit`] returned. Every
//! backend must pass [`contract::contract`]; [`SqliteStore`] is the one for a single machine. Nothing in [`Store`] is
//! SQLite's own.

pub mod contract;
mod error;
mod records;
mod sqlite;

use takar_collector_core::{
    audit::AuditRecord,
    case::{Case, CaseId},
    inventory::LinkName,
    ledger::{Actor, Batch, Change, ProposalId, ProposalRecord},
    maintenance::{Maintenance, MaintenanceId},
};
use takar_shared::{
    AgentId, BatchId, BitsPerSec, BootEpoch, ChangeId, Digest, Direction, Name, Seq, Serial, UnixMillis,
    receipt::Receipt,
};

pub use error::{Cause, StoreError};
pub use records::{
    AccountRow, AgentRecord, AllocationRow, BirthRow, CeilingRow, DeliveryRow, EvidenceRow, FindingRecord, LinkModeRow,
    LossRow, MeterId, MeterKey, OutboxRow, PaperFile, PaperKind, PaperRow, PollRow, QuarantineRow, ReceiptRow,
    ReportedSerialRow, SampleRow, StoredInventory,
};
pub use sqlite::SqliteStore;

/// One thing to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// By id; the newest replaces what was there.
    Agent(AgentRecord),
    /// Compared lexicographically. The same again is harmless; less is [`StoreError::WouldFall`].
    StoredUpTo {
        agent: AgentId,
        epoch: BootEpoch,
        seq: Seq,
    },
    /// The newest per agent and epoch. `body` is the Birth's body as received, in postcard.
    Birth {
        agent: AgentId,
        at: UnixMillis,
        epoch: BootEpoch,
        nonce: [u8; 16],
        body: Vec<u8>,
    },
    /// Appended; they are told apart by [`Write::StoredUpTo`] in the same commit, not by the store.
    Samples(Vec<SampleRow>),
    /// Appended. Rows that are Ok are left out: samples say as much.
    Polls(Vec<PollRow>),
    /// Appended: messages `from..=to` will never come. `samples` is `None` where nobody knows how many were in them.
    /// Where `to` has the sequence number 0 the end is open: whether any followed `from` in its epoch is not known.
    Loss {
        agent: AgentId,
        from: (BootEpoch, Seq),
        to: (BootEpoch, Seq),
        samples: Option<u64>,
        at: UnixMillis,
    },
    /// Appended when what is read on a shaper changes.
    Ceiling(CeilingRow),
    /// The newest replaces what was there. It holds for one approval, and no longer once the agent is approved again.
    Quarantine {
        agent: AgentId,
        /// As in the [`AgentRecord`] that is not trusted any more.
        approved_at: UnixMillis,
        at: UnixMillis,
        why: String,
    },
    /// The highest serial that a device reported, and the boot epoch in which it first did: the newest replaces what
    /// was there. Not what was drawn for it, which is [`Write::DeviceSerial`] and may be ahead.
    ReportedSerial {
        agent: AgentId,
        device: Name,
        epoch: BootEpoch,
        serial: Serial,
    },
    /// Appended; the newest counts.
    Inventory {
        at: UnixMillis,
        by: Actor,
        text: String,
        digest: Digest,
    },
    /// Appended: the ceiling on record. The newest of a link and direction counts.
    Allocation {
        link: LinkName,
        direction: Direction,
        cir: Option<BitsPerSec>,
        mir: BitsPerSec,
        at: UnixMillis,
        change: Option<ChangeId>,
    },
    /// Appended: how far Takar may go with a link. The newest counts.
    LinkMode(LinkModeRow),
    /// By id.
    Maintenance(Maintenance),
    /// By id, as the next three.
    Finding(FindingRecord),
    Proposal(ProposalRecord),
    Batch(Batch),
    Change(Change),
    Case(Box<Case>),
    /// By digest, of a stored case; the same again is harmless.
    Evidence(EvidenceRow),
    /// By name; the newest replaces what was there.
    Account(AccountRow),
    /// Appended. A number, and a count within its kind and year, is given once: else [`StoreError::NumberTaken`].
    Paper(PaperRow),
    /// By id.
    Delivery(DeliveryRow),
    /// The signed command. The same again is harmless; another one under its serial is [`StoreError::SerialTaken`],
    /// and its change under another serial is [`StoreError::SignedTwice`].
    Outbox {
        change: ChangeId,
        agent: AgentId,
        device: Name,
        serial: Serial,
        expires_at: UnixMillis,
        command: Vec<u8>,
    },
    /// The signed Confirm, beside its command. The same again is harmless.
    OutboxConfirm {
        change: ChangeId,
        confirm: Vec<u8>,
    },
    /// Not to be sent again. The row stays, so that its serial stays taken; harmless where there is none.
    OutboxDone {
        change: ChangeId,
    },
    /// By digest; a duplicate is harmless.
    Receipt {
        agent: AgentId,
        at: UnixMillis,
        digest: Digest,
        receipt: Receipt,
    },
    /// `line` is what was hashed, `root` the tree's root with it. `record.index` must be the size of the log, else
    /// [`StoreError::LeafOutOfOrder`].
    Leaf {
        record: AuditRecord,
        line: Vec<u8>,
        root: Digest,
    },
    /// A high-water mark: an earlier time leaves it as it is, since a clock that stepped back must not stop telemetry.
    ServerTime(UnixMillis),
    /// The last serial drawn for a device. The same again is harmless; less is [`StoreError::WouldFall`].
    DeviceSerial {
        agent: AgentId,
        device: Name,
        serial: Serial,
    },
}

/// Lists are in the order in which things were put, unless said otherwise.
pub trait Store: Send {
    /// One transaction: all of it or nothing, in this order, and durable when it returns.
    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreError>;

    /// The meter's id; given one in a transaction of its own when it is new. Its agent must be stored.
    fn meter_id(&mut self, key: &MeterKey) -> Result<MeterId, StoreError>;

    /// By id.
    fn meters(&self) -> Result<Vec<(MeterId, MeterKey)>, StoreError>;
    /// By name.
    fn agents(&self) -> Result<Vec<AgentRecord>, StoreError>;
    fn stored_up_to(&self, agent: AgentId) -> Result<Option<(BootEpoch, Seq)>, StoreError>;
    /// Of the highest epoch.
    fn newest_birth(&self, agent: AgentId) -> Result<Option<BirthRow>, StoreError>;
    /// Of one epoch: what older messages from a spool refer to.
    fn birth(&self, agent: AgentId, epoch: BootEpoch) -> Result<Option<BirthRow>, StoreError>;
    /// One meter's readings with `from <= at < to`, by time.
    fn samples(&self, meter: MeterId, from: UnixMillis, to: UnixMillis) -> Result<Vec<SampleRow>, StoreError>;
    /// All meters' readings with `from <= at < to`, by time: one pass, where one for each meter would be many.
    fn samples_of_all(&self, from: UnixMillis, to: UnixMillis) -> Result<Vec<SampleRow>, StoreError>;
    /// Samples (counter values) kept: four a reading.
    fn sample_count(&self) -> Result<u64, StoreError>;
    /// What was in force at `since` and every change from then on, by time.
    fn ceilings(&self, since: UnixMillis) -> Result<Vec<CeilingRow>, StoreError>;
    fn losses(&self, agent: AgentId) -> Result<Vec<LossRow>, StoreError>;
    /// Why nothing is taken of an agent, where a quarantine holds for its present approval.
    fn quarantine(&self, agent: AgentId) -> Result<Option<QuarantineRow>, StoreError>;
    /// By device.
    fn reported_serials(&self, agent: AgentId) -> Result<Vec<ReportedSerialRow>, StoreError>;
    /// Polls that failed at `since` or later, the newest first.
    fn poll_faults(&self, since: UnixMillis, limit: u32) -> Result<Vec<PollRow>, StoreError>;

    /// The newest.
    fn inventory(&self) -> Result<Option<StoredInventory>, StoreError>;
    /// The one that was in force then.
    fn inventory_at(&self, at: UnixMillis) -> Result<Option<StoredInventory>, StoreError>;
    /// What was on record then, by link.
    fn allocations_at(&self, at: UnixMillis) -> Result<Vec<AllocationRow>, StoreError>;
    /// The newest of each link and direction, by link.
    fn allocations(&self) -> Result<Vec<AllocationRow>, StoreError>;
    /// The newest of each link, by link.
    fn link_modes(&self) -> Result<Vec<LinkModeRow>, StoreError>;
    fn maintenance(&self, id: MaintenanceId) -> Result<Option<Maintenance>, StoreError>;
    /// The newest first.
    fn maintenances(&self, limit: u32) -> Result<Vec<Maintenance>, StoreError>;
    /// Those that end later than `at`, by id.
    fn maintenances_since(&self, at: UnixMillis) -> Result<Vec<Maintenance>, StoreError>;
    /// 1 before the first.
    fn next_maintenance_id(&self) -> Result<MaintenanceId, StoreError>;
    /// The newest first.
    fn findings(&self, open_only: bool, limit: u32) -> Result<Vec<FindingRecord>, StoreError>;
    /// 1 before the first.
    fn next_finding_id(&self) -> Result<u64, StoreError>;
    fn proposal(&self, id: ProposalId) -> Result<Option<ProposalRecord>, StoreError>;
    /// The newest first.
    fn proposals(&self, limit: u32) -> Result<Vec<ProposalRecord>, StoreError>;
    /// 1 before the first.
    fn next_proposal_id(&self) -> Result<ProposalId, StoreError>;
    fn batch(&self, id: BatchId) -> Result<Option<Batch>, StoreError>;
    /// Those that run.
    fn open_batches(&self) -> Result<Vec<Batch>, StoreError>;
    fn change(&self, id: ChangeId) -> Result<Option<Change>, StoreError>;
    /// The newest first.
    fn changes(&self, limit: u32) -> Result<Vec<Change>, StoreError>;
    /// Those whose state is not final.
    fn open_changes(&self) -> Result<Vec<Change>, StoreError>;
    fn changes_of(&self, batch: BatchId) -> Result<Vec<Change>, StoreError>;
    fn case(&self, id: CaseId) -> Result<Option<Case>, StoreError>;
    /// The newest first.
    fn cases(&self, limit: u32) -> Result<Vec<Case>, StoreError>;
    /// Those that are not over, by id.
    fn open_cases(&self) -> Result<Vec<Case>, StoreError>;
    /// 1 before the first.
    fn next_case_id(&self) -> Result<CaseId, StoreError>;
    fn evidence(&self, digest: Digest) -> Result<Option<EvidenceRow>, StoreError>;
    fn evidence_of(&self, case: CaseId) -> Result<Vec<EvidenceRow>, StoreError>;
    /// By name.
    fn accounts(&self) -> Result<Vec<AccountRow>, StoreError>;
    /// The newest first.
    fn papers(&self, limit: u32) -> Result<Vec<PaperRow>, StoreError>;
    fn papers_of(&self, case: CaseId) -> Result<Vec<PaperRow>, StoreError>;
    /// The next of its kind in a year; 1 before the first.
    fn next_paper(&self, kind: PaperKind, year: u32) -> Result<u32, StoreError>;
    /// Those that are open, by id.
    fn open_deliveries(&self) -> Result<Vec<DeliveryRow>, StoreError>;
    /// 1 before the first.
    fn next_delivery_id(&self) -> Result<u64, StoreError>;
    /// Those that are not done.
    fn outbox_open(&self) -> Result<Vec<OutboxRow>, StoreError>;
    /// The end of a device's chain: the newest receipt that no other stored receipt follows.
    fn receipt_head(&self, agent: AgentId, device: &Name) -> Result<Option<Digest>, StoreError>;
    fn receipts_of(&self, change: ChangeId) -> Result<Vec<ReceiptRow>, StoreError>;
    /// The audit log's lines with their indices, from `from_index` on.
    fn leaves(&self, from_index: u64, limit: u32) -> Result<Vec<(u64, Vec<u8>)>, StoreError>;
    /// Size and root of the audit log as written with its newest leaf.
    fn audit_head(&self) -> Result<Option<(u64, Digest)>, StoreError>;
    fn server_time(&self) -> Result<Option<UnixMillis>, StoreError>;
    fn device_serial(&self, agent: AgentId, device: &Name) -> Result<Option<Serial>, StoreError>;
}
