//! The backend of a device that has no queues to set: meters only. It reads nothing and refuses every change.

use takar_shared::queue::Setting;

use super::{Observed, QueueBackend, QueueError};

#[derive(Clone, Copy, Debug, Default)]
pub struct Observe;

impl QueueBackend for Observe {
    fn has_cir(&self) -> bool {
        false
    }

    async fn read(&mut self) -> Result<Vec<Observed>, QueueError> {
        Ok(Vec::new())
    }

    async fn apply(&mut self, _settings: &[Setting]) -> Result<(), QueueError> {
        Err(QueueError::Unsupported { what: "this device is configured without queues".into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_has_nothing_and_sets_nothing() {
        let mut backend = Observe;
        assert!(backend.read().await.unwrap().is_empty());
        assert!(matches!(backend.apply(&[]).await, Err(QueueError::Unsupported { .. })));
    }
}
