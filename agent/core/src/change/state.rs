//! What the machine tells of itself.

use takar_shared::{
    Digest, Name, Serial,
    birth::{Pending, PendingPhase},
    receipt::Receipt,
};

use super::{Machine, Step};
use crate::{admit::DeviceLimits, journal::OpenPhase};

impl Machine {
    /// The name this machine answers to.
    pub fn device(&self) -> &Name {
        &self.limits.device
    }

    pub fn limits(&self) -> &DeviceLimits {
        &self.limits
    }

    /// Receipts not reported stored, oldest first: all are sent again at every connect.
    pub fn unstored_receipts(&self) -> &[Receipt] {
        &self.record.receipts
    }

    pub fn last_serial(&self) -> Serial {
        self.record.last_serial
    }

    pub fn receipt_head(&self) -> Digest {
        self.record.receipt_head
    }

    pub fn pending(&self) -> Option<Pending> {
        let open = self.record.open.as_ref()?;
        let phase = match (&self.step, open.phase) {
            (Step::Restoring { .. }, _) => PendingPhase::Reverting,
            (Step::Verifying | Step::Redoing | Step::Finishing { .. }, _) | (_, OpenPhase::Confirmed) => {
                PendingPhase::Confirming
            }
            (_, OpenPhase::Applied) => PendingPhase::Applied,
            (_, OpenPhase::Accepted) => PendingPhase::Accepted,
        };
        Some(Pending { change: open.change, serial: open.serial, phase })
    }

    /// Nothing is being read, set or written: a poll may read the queues in between.
    pub fn is_quiet(&self) -> bool {
        matches!(self.step, Step::Idle | Step::Unconfirmed | Step::Restoring { retry_at: Some(_), .. })
    }
}
