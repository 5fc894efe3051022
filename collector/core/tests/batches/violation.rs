//! What must never happen in a batch.

use takar_collector_core::ledger::BatchState;
use takar_shared::{BitsPerSec, ChangeId};

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// P3 itself.
    InForce {
        sum: BitsPerSec,
        most: BitsPerSec,
    },
    /// Nothing that was sent or could still be undone may break P3 later, either.
    MayComeInForce {
        sum: BitsPerSec,
        most: BitsPerSec,
    },
    /// Less is reserved for a link than may be in force.
    ReservedTooLittle {
        link: usize,
        reserved: BitsPerSec,
        may_be: BitsPerSec,
    },
    /// An increase was sent before every decrease was confirmed.
    RaisedTooEarly(ChangeId),
    WrongEnd {
        said: BatchState,
        in_fact: BatchState,
    },
    /// Found above the budget, and left higher than it was found.
    EndedHigher {
        before: BitsPerSec,
        after: BitsPerSec,
    },
    /// All devices answered, and still it did not end.
    NeverEnded,
    /// What is on record is not what Takar's commands left on the device.
    RecordDiffers {
        link: usize,
        recorded: BitsPerSec,
        on_device: BitsPerSec,
    },
    /// The serials a device consumed are not one for each change that was sent to it.
    Serials {
        device: usize,
        consumed: usize,
        sent: usize,
    },
}
