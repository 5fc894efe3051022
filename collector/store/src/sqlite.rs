//! The store in one SQLite file: WAL, every commit synced, one process at a time.

mod column;
mod read;
mod schema;
mod statement;
mod write;

use std::{fs::OpenOptions, io::ErrorKind, os::unix::fs::OpenOptionsExt as _, path::Path, time::Duration};

use rusqlite::{Connection, MAIN_DB, OpenFlags, TransactionBehavior};
use takar_collector_core::{
    case::{Case, CaseId},
    ledger::{Batch, Change, ProposalId, ProposalRecord},
    maintenance::{Maintenance, MaintenanceId},
};
use takar_shared::{AgentId, BatchId, BootEpoch, ChangeId, Digest, Name, Seq, Serial, UnixMillis};

use crate::{
    AccountRow, AgentRecord, AllocationRow, BirthRow, CeilingRow, DeliveryRow, EvidenceRow, FindingRecord, LinkModeRow,
    LossRow, MeterId, MeterKey, OutboxRow, PaperKind, PaperRow, PollRow, QuarantineRow, ReceiptRow, ReportedSerialRow,
    SampleRow, Store, StoreError, StoredInventory, Write,
};
use read::{cases, decided, measured};
use statement::{failed, not_opened};

/// Long enough for a predecessor to finish its last commit, short enough to tell a person that it does not.
const LOCK_WAIT: Duration = Duration::from_secs(1);

/// More than there are statements in `read` and `write`.
const STATEMENT_CACHE: usize = 128;

pub struct SqliteStore {
    conn: Connection,
}

impl SqliteStore {
    /// Opens the database, which is made when there is no such file (mode 0600, its folder must exist), and brings its
    /// tables up to date. Nobody else can open it, not even to read, until this is dropped.
    ///
    /// # Errors
    /// [`StoreError::InUse`], and one for every other reason why a file cannot be used.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        create_private(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut conn = Connection::open_with_flags(path, flags).map_err(not_opened(path))?;
        claim(&conn).map_err(not_opened(path))?;
        schema::check(&conn, path)?;
        if conn.is_readonly(MAIN_DB).map_err(not_opened(path))? {
            // SQLite falls back to reading a file that it may not write.
            let source = std::io::Error::from(ErrorKind::PermissionDenied).into();
            return Err(StoreError::CannotOpen { path: path.to_owned(), source });
        }
        keep_log(&conn).map_err(not_opened(path))?;
        schema::migrate(&mut conn).map_err(not_opened(path))?;
        Ok(Self { conn })
    }
}

/// Only when it is missing: to open and close a file that is in use would drop its locks (POSIX, fcntl(2)).
fn create_private(path: &Path) -> Result<(), StoreError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::CannotOpen { path: path.to_owned(), source: error.into() }),
    }
}

/// Before the first read, so that the lock taken by it is kept.
fn claim(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(LOCK_WAIT)?;
    conn.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    // FULL syncs the log at every commit; WAL's default, NORMAL, would lose the last ones with the power.
    conn.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;",
    )
}

fn keep_log(conn: &Connection) -> rusqlite::Result<()> {
    // A commit is one append and one sync, where a rollback journal (as durable, should WAL not be had) needs several.
    // After a burst the log shrinks back to 64 MiB.
    conn.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA journal_size_limit = 67108864;",
    )
}

impl Store for SqliteStore {
    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        if writes.is_empty() {
            return Ok(());
        }
        let begun = self.conn.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = begun.map_err(failed("begin a commit"))?;
        // Dropped on any error, which rolls all of it back.
        writes.iter().try_for_each(|write| write::apply(&transaction, write))?;
        transaction.commit().map_err(failed("commit"))
    }

    fn meter_id(&mut self, key: &MeterKey) -> Result<MeterId, StoreError> {
        match measured::meter_id(&self.conn, key)? {
            Some(known) => Ok(known),
            None => write::measured::meter(&self.conn, key),
        }
    }

    fn meters(&self) -> Result<Vec<(MeterId, MeterKey)>, StoreError> {
        measured::meters(&self.conn)
    }
    fn agents(&self) -> Result<Vec<AgentRecord>, StoreError> {
        measured::agents(&self.conn)
    }
    fn stored_up_to(&self, agent: AgentId) -> Result<Option<(BootEpoch, Seq)>, StoreError> {
        measured::stored_up_to(&self.conn, agent)
    }
    fn newest_birth(&self, agent: AgentId) -> Result<Option<BirthRow>, StoreError> {
        measured::newest_birth(&self.conn, agent)
    }
    fn birth(&self, agent: AgentId, epoch: BootEpoch) -> Result<Option<BirthRow>, StoreError> {
        measured::birth(&self.conn, agent, epoch)
    }
    fn samples(&self, meter: MeterId, from: UnixMillis, to: UnixMillis) -> Result<Vec<SampleRow>, StoreError> {
        measured::samples(&self.conn, meter, from, to)
    }
    fn samples_of_all(&self, from: UnixMillis, to: UnixMillis) -> Result<Vec<SampleRow>, StoreError> {
        measured::samples_of_all(&self.conn, from, to)
    }
    fn sample_count(&self) -> Result<u64, StoreError> {
        measured::sample_count(&self.conn)
    }
    fn ceilings(&self, since: UnixMillis) -> Result<Vec<CeilingRow>, StoreError> {
        measured::ceilings(&self.conn, since)
    }
    fn losses(&self, agent: AgentId) -> Result<Vec<LossRow>, StoreError> {
        measured::losses(&self.conn, agent)
    }
    fn quarantine(&self, agent: AgentId) -> Result<Option<QuarantineRow>, StoreError> {
        measured::quarantine(&self.conn, agent)
    }
    fn reported_serials(&self, agent: AgentId) -> Result<Vec<ReportedSerialRow>, StoreError> {
        measured::reported_serials(&self.conn, agent)
    }
    fn poll_faults(&self, since: UnixMillis, limit: u32) -> Result<Vec<PollRow>, StoreError> {
        measured::poll_faults(&self.conn, since, limit)
    }

    fn inventory(&self) -> Result<Option<StoredInventory>, StoreError> {
        decided::inventory(&self.conn)
    }
    fn inventory_at(&self, at: UnixMillis) -> Result<Option<StoredInventory>, StoreError> {
        decided::inventory_at(&self.conn, at)
    }
    fn allocations_at(&self, at: UnixMillis) -> Result<Vec<AllocationRow>, StoreError> {
        decided::allocations_at(&self.conn, at)
    }
    fn allocations(&self) -> Result<Vec<AllocationRow>, StoreError> {
        decided::allocations(&self.conn)
    }
    fn link_modes(&self) -> Result<Vec<LinkModeRow>, StoreError> {
        decided::link_modes(&self.conn)
    }
    fn maintenance(&self, id: MaintenanceId) -> Result<Option<Maintenance>, StoreError> {
        decided::maintenance(&self.conn, id)
    }
    fn maintenances(&self, limit: u32) -> Result<Vec<Maintenance>, StoreError> {
        decided::maintenances(&self.conn, limit)
    }
    fn maintenances_since(&self, at: UnixMillis) -> Result<Vec<Maintenance>, StoreError> {
        decided::maintenances_since(&self.conn, at)
    }
    fn next_maintenance_id(&self) -> Result<MaintenanceId, StoreError> {
        decided::next_maintenance_id(&self.conn)
    }
    fn findings(&self, open_only: bool, limit: u32) -> Result<Vec<FindingRecord>, StoreError> {
        decided::findings(&self.conn, open_only, limit)
    }
    fn next_finding_id(&self) -> Result<u64, StoreError> {
        decided::next_finding_id(&self.conn)
    }
    fn proposal(&self, id: ProposalId) -> Result<Option<ProposalRecord>, StoreError> {
        decided::proposal(&self.conn, id)
    }
    fn proposals(&self, limit: u32) -> Result<Vec<ProposalRecord>, StoreError> {
        decided::proposals(&self.conn, limit)
    }
    fn next_proposal_id(&self) -> Result<ProposalId, StoreError> {
        decided::next_proposal_id(&self.conn)
    }
    fn batch(&self, id: BatchId) -> Result<Option<Batch>, StoreError> {
        decided::batch(&self.conn, id)
    }
    fn open_batches(&self) -> Result<Vec<Batch>, StoreError> {
        decided::open_batches(&self.conn)
    }
    fn change(&self, id: ChangeId) -> Result<Option<Change>, StoreError> {
        decided::change(&self.conn, id)
    }
    fn changes(&self, limit: u32) -> Result<Vec<Change>, StoreError> {
        decided::changes(&self.conn, limit)
    }
    fn open_changes(&self) -> Result<Vec<Change>, StoreError> {
        decided::open_changes(&self.conn)
    }
    fn changes_of(&self, batch: BatchId) -> Result<Vec<Change>, StoreError> {
        decided::changes_of(&self.conn, batch)
    }
    fn case(&self, id: CaseId) -> Result<Option<Case>, StoreError> {
        cases::case(&self.conn, id)
    }
    fn cases(&self, limit: u32) -> Result<Vec<Case>, StoreError> {
        cases::cases(&self.conn, limit)
    }
    fn open_cases(&self) -> Result<Vec<Case>, StoreError> {
        cases::open_cases(&self.conn)
    }
    fn next_case_id(&self) -> Result<CaseId, StoreError> {
        cases::next_case_id(&self.conn)
    }
    fn evidence(&self, digest: Digest) -> Result<Option<EvidenceRow>, StoreError> {
        cases::evidence(&self.conn, digest)
    }
    fn evidence_of(&self, case: CaseId) -> Result<Vec<EvidenceRow>, StoreError> {
        cases::evidence_of(&self.conn, case)
    }
    fn accounts(&self) -> Result<Vec<AccountRow>, StoreError> {
        cases::accounts(&self.conn)
    }
    fn papers(&self, limit: u32) -> Result<Vec<PaperRow>, StoreError> {
        cases::papers(&self.conn, limit)
    }
    fn papers_of(&self, case: CaseId) -> Result<Vec<PaperRow>, StoreError> {
        cases::papers_of(&self.conn, case)
    }
    fn next_paper(&self, kind: PaperKind, year: u32) -> Result<u32, StoreError> {
        cases::next_paper(&self.conn, kind, year)
    }
    fn open_deliveries(&self) -> Result<Vec<DeliveryRow>, StoreError> {
        cases::open_deliveries(&self.conn)
    }
    fn next_delivery_id(&self) -> Result<u64, StoreError> {
        cases::next_delivery_id(&self.conn)
    }
    fn outbox_open(&self) -> Result<Vec<OutboxRow>, StoreError> {
        decided::outbox_open(&self.conn)
    }
    fn receipt_head(&self, agent: AgentId, device: &Name) -> Result<Option<Digest>, StoreError> {
        decided::receipt_head(&self.conn, agent, device)
    }
    fn receipts_of(&self, change: ChangeId) -> Result<Vec<ReceiptRow>, StoreError> {
        decided::receipts_of(&self.conn, change)
    }
    fn leaves(&self, from_index: u64, limit: u32) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        decided::leaves(&self.conn, from_index, limit)
    }
    fn audit_head(&self) -> Result<Option<(u64, Digest)>, StoreError> {
        decided::audit_head(&self.conn)
    }
    fn server_time(&self) -> Result<Option<UnixMillis>, StoreError> {
        decided::server_time(&self.conn)
    }
    fn device_serial(&self, agent: AgentId, device: &Name) -> Result<Option<Serial>, StoreError> {
        decided::device_serial(&self.conn, agent, device)
    }
}
