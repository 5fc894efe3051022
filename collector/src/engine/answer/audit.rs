//! The audit log: its records, and whether they are whole.

use serde_json::{Value, json};
use takar_collector_core::audit::{self, AuditRecord, Fault};
use takar_shared::ChangeId;

use super::{failed, show};
use crate::{
    api::query::ApiError,
    engine::Engine,
    view::{AuditView, VerifyView},
};

impl Engine {
    pub(super) fn audit_verify(&mut self) -> Result<Value, ApiError> {
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
        let mut faults = audit::verify(&leaves, parse, stored, &sent);
        // What this process wrote is what must lie there.
        if stored.1 != self.audit.root() {
            faults.push(Fault::Root { recomputed: self.audit.root().to_string(), stored: stored.1.to_string() });
        }
        show(&VerifyView {
            ok: faults.is_empty(),
            records: leaves.len() as u64,
            changes: sent.len(),
            root: stored.1.to_string(),
            faults: faults.iter().map(|fault| serde_json::to_value(fault).unwrap_or_default()).collect(),
        })
    }
}

pub(super) fn audit_view(index: u64, line: &[u8]) -> AuditView {
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
