//! The mail room: carries notices out, one after the other, and says what came of each.

use takar_notice::{Outcome, Post, queue::Batch};
use tokio::sync::mpsc;

use crate::clock;

/// What became of a message.
pub struct Posted {
    pub batch: Batch,
    pub outcome: Outcome,
}

/// Sends until the engine is gone. Without a way to send nothing ever comes.
pub async fn run(post: Option<Post>, mut parcels: mpsc::Receiver<Batch>, posted: mpsc::Sender<Posted>) {
    while let Some(batch) = parcels.recv().await {
        let outcome = match &post {
            Some(post) => post.send(&batch, clock::now()).await,
            None => Outcome::Temporary("there is no [notice] in the config".into()),
        };
        if posted.send(Posted { batch, outcome }).await.is_err() {
            return;
        }
    }
}
