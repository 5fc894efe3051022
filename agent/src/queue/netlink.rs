//! What the backends of this kernel's queues share: rtnetlink's messages and socket, and what traffic control calls
//! by the same name everywhere. It knows no kind of queue.

#[cfg(test)]
pub mod captured;
pub mod message;
pub mod rate;
pub mod socket;
pub mod tc;

use takar_shared::queue::{Setting, Shaper};

use super::QueueError;

/// `what` shapes one direction of traffic; named for both, the later setting would silently win.
pub fn one_direction_each(settings: &[Setting], what: &str) -> Result<(), QueueError> {
    let mut shapers: Vec<&Shaper> = settings.iter().map(|setting| &setting.shaper).collect();
    shapers.sort();
    match shapers.windows(2).find(|pair| pair.first() == pair.last()).and_then(|pair| pair.first()) {
        Some(shaper) => Err(unsupported(shaper, &format!("set for both directions, but {what} has only one"))),
        None => Ok(()),
    }
}

pub fn unsupported(shaper: &Shaper, fault: &str) -> QueueError {
    QueueError::Unsupported { what: format!("{shaper}: {fault}") }
}
