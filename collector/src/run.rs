//! `takar serve`: config → build → run.

use std::path::PathBuf;

use anyhow::Context as _;
use takar_store::SqliteStore;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, oneshot},
};

use crate::{
    api::server,
    broker,
    config::{BrokerKind, Config},
    engine::Engine,
    mqtt,
    signer::Signer,
};

/// Runs until SIGTERM or SIGINT.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    let signer = Signer::load(&config.state_dir)?;
    // Before the store, which would only say that somebody has it: where a daemon runs, its socket names it.
    let listener = server::bind(&config.socket, config.socket_group.as_deref())?;
    let socket = Socket(config.socket.clone());
    let store = SqliteStore::open(&config.state_dir.join("takar.db"))?;
    if config.broker.kind == BrokerKind::Embedded {
        broker::start_embedded(
            config.broker.socket_address().context("the embedded broker needs an IP address and port")?,
        )?;
    }
    let (client, from_broker) = mqtt::start(&config)?;
    let engine = Engine::load(config, signer, Box::new(store), client)?;
    let (asked, questions) = mpsc::channel(64);
    let (stop, stopped) = oneshot::channel();
    let api = tokio::spawn(server::serve(listener, asked));
    // One engine, on one thread: its commits may take a moment, and nothing else waits for them.
    let mut engine = tokio::spawn(engine.run(from_broker, questions, stopped));
    tracing::info!(socket = %socket.0.display(), "takar serves");
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let ended = tokio::select! {
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
        ended = &mut engine => Some(ended),
    };
    match ended {
        Some(ended) => ended.context("the engine's task broke")?.context("the engine ended")?,
        None => {
            let _ = stop.send(());
            engine.await.context("the engine's task broke")??;
        }
    }
    api.abort();
    tracing::info!("takar ends");
    Ok(())
}

/// The socket's file goes with the process that answers on it, also where that does not get to answer.
struct Socket(PathBuf);

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
