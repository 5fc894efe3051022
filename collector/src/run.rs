//! `takar serve`: config → build → run.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use takar_report::Zone;
use takar_store::{SqliteStore, Store as _};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, oneshot},
};

use crate::{
    api::server,
    broker, clock,
    config::{BrokerKind, Config},
    engine::{Desk, Engine, Inbox},
    keys, mqtt,
    papers::{self, Archive},
    post,
    signer::Signer,
    web,
};

/// Papers, beside the database.
const ARCHIVE: &str = "archive";
/// What signs the links that providers get.
const LINK_KEY: &str = "link.key";

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
    let (client, broker) = mqtt::start(&config)?;
    let folder = config.state_dir.join(ARCHIVE);
    let archive = Archive::open(folder.clone(), &store.papers(u32::MAX)?);
    let archive = archive.with_context(|| format!("cannot use the archive {}", folder.display()))?;
    let link_key = link_key(&config.state_dir.join(LINK_KEY))?;
    let (jobs, to_draw) = mpsc::channel(1);
    let (drew, drawn) = mpsc::channel(1);
    let (parcels, to_post) = mpsc::channel(16);
    let (post_done, posted) = mpsc::channel(16);
    let zone = Zone::named(config.procedure.zone.as_str()).context("the zone of the procedure has no name")?;
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(papers::run(config.papers.clone(), zone, folder.clone(), to_draw, drew));
    let notice_zone = takar_notice::Zone::named(config.procedure.zone.as_str()).context("the zone has no name")?;
    let way = config.notice.as_ref().map(|settings| takar_notice::Post::new(settings, notice_zone));
    tasks.spawn(post::run(way.transpose().context("[notice]")?, to_post, post_done));
    let (asked, questions) = mpsc::channel(64);
    if let Some(page) = &config.web {
        let page = web::start(page, &config, folder, link_key, asked.clone()).await?;
        tasks.spawn(page);
    }
    tasks.spawn(async move {
        if let Err(error) = server::serve(listener, asked).await {
            tracing::error!(%error, "the socket is not served any more");
        }
    });
    let desk = Desk { papers: jobs, archive, post: parcels, link_key };
    let engine = Engine::load(config, signer, Box::new(store), client, desk)?;
    let (stop, stopped) = oneshot::channel();
    // One engine, on one thread: its commits may take a moment, and nothing else waits for them.
    let inbox = Inbox { broker, asked: questions, drawn, posted, stop: stopped };
    let mut engine = tokio::spawn(engine.run(inbox));
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
    tasks.abort_all();
    tracing::info!("takar ends");
    Ok(())
}

/// Made at the first start. Whoever has it can answer for any provider, so it is as private as the database.
fn link_key(path: &Path) -> anyhow::Result<[u8; 32]> {
    if !path.exists() {
        let key: [u8; 32] = clock::random().context("no random source")?;
        keys::write_new(path, format!("{}\n", keys::hex(&key)).as_bytes(), 0o600)?;
    }
    let text = keys::read_private(path)?;
    let bytes = keys::unhex(text.trim()).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.with_context(|| format!("{}: expected 32 bytes in hexadecimal", path.display()))
}

/// The socket's file goes with the process that answers on it, also where that does not get to answer.
struct Socket(PathBuf);

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
