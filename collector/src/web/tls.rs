//! HTTPS for people's browsers: TLS 1.2 or later, HTTP/1.1, and the routes behind it.
//!
//! Whoever connects is nobody yet, so what one of them may hold is bounded: connections, of all and of one address;
//! the time for a handshake, for a request's head, and for a connection as a whole. A slow handshake is its own task's
//! affair. A certificate that was renewed is taken without a restart.

mod certificate;

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use axum::{Router, extract::ConnectInfo};
use hyper::{Request, body::Incoming, server::conn::http1, service::Service as _, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{Id, JoinSet},
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use crate::config::Endpoint;
use certificate::Identity;

pub use certificate::Certificate;

#[derive(Clone, Copy, Debug)]
struct Limits {
    connections: usize,
    /// Of one address; an office behind it has room, and leaves some.
    of_one: usize,
    handshake: Duration,
    /// Also how long a connection that was kept alive waits for the next request.
    head: Duration,
    connection: Duration,
    /// For the answer that is under way when a connection has to end.
    finish: Duration,
    /// Between looks at the certificate.
    look: Duration,
}

const LIMITS: Limits = Limits {
    connections: 256,
    of_one: 64,
    handshake: Duration::from_secs(10),
    head: Duration::from_secs(15),
    connection: Duration::from_secs(600),
    finish: Duration::from_secs(10),
    look: Duration::from_secs(60),
};
/// After an accept that failed, for want of file descriptors most likely.
const BREATH: Duration = Duration::from_secs(1);

pub struct Https {
    listener: TcpListener,
    certificate: Certificate,
    identity: Identity,
    acceptor: TlsAcceptor,
    /// What was wrong with the certificate when it was last looked at: said once, not every minute.
    problem: Option<String>,
    limits: Limits,
}

impl Https {
    /// Errors: the address is taken or not this machine's; no certificate and key that fit.
    pub async fn bind(listen: &Endpoint, certificate: Certificate) -> anyhow::Result<Self> {
        let identity = certificate.load()?;
        let acceptor = TlsAcceptor::from(Arc::new(identity.config()?));
        let listener = TcpListener::bind((listen.host.as_str(), listen.port))
            .await
            .with_context(|| format!("cannot listen on {listen} for pages"))?;
        Ok(Self { listener, certificate, identity, acceptor, problem: None, limits: LIMITS })
    }

    /// Until `stop` says true or its sender is gone, and what is under way then is answered. Handlers find who asks in
    /// `ConnectInfo<SocketAddr>`.
    pub async fn serve(mut self, router: Router, mut stop: watch::Receiver<bool>) {
        let router: Router = router.with_state(());
        let mut tasks = JoinSet::new();
        let mut open: HashMap<Id, IpAddr> = HashMap::new();
        let mut look = interval(self.limits.look);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stopped(&mut stop) => break,
                _ = look.tick() => self.look(),
                Some(ended) = tasks.join_next_with_id() => {
                    let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
                    open.remove(&id);
                }
                // Where all are taken, the next waits in the kernel until one ends.
                accepted = self.listener.accept(), if open.len() < self.limits.connections => match accepted {
                    Ok((stream, source)) => {
                        let holder = holder(source.ip());
                        if open.values().filter(|other| **other == holder).count() >= self.limits.of_one {
                            tracing::debug!(%source, "too many connections from there");
                            continue;
                        }
                        let (acceptor, router) = (self.acceptor.clone(), router.clone());
                        let task = connection(stream, source, acceptor, router, self.limits, stop.clone());
                        open.insert(tasks.spawn(task).id(), holder);
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection for pages cannot be accepted");
                        sleep(BREATH).await;
                    }
                },
            }
        }
        // The port is free for the next start while the last answers go out.
        drop(self.listener);
        while tasks.join_next().await.is_some() {}
    }

    /// Takes a certificate that is another than before; one that does not do is told, and the old one stays.
    fn look(&mut self) {
        let problem = match self.renewed() {
            Ok(None) => None,
            Ok(Some((config, identity))) => {
                tracing::info!("pages have a new certificate");
                (self.acceptor, self.identity) = (TlsAcceptor::from(Arc::new(config)), identity);
                None
            }
            Err(error) => Some(format!("{error:#}")),
        };
        if let Some(problem) = problem.as_ref().filter(|problem| self.problem.as_ref() != Some(*problem)) {
            tracing::warn!(%problem, "the certificate for pages cannot be renewed; the one from before stays");
        }
        self.problem = problem;
    }

    fn renewed(&self) -> anyhow::Result<Option<(ServerConfig, Identity)>> {
        let Some(identity) = self.certificate.renewed(&self.identity)? else { return Ok(None) };
        Ok(Some((identity.config()?, identity)))
    }
}

async fn connection(
    stream: TcpStream,
    source: SocketAddr,
    acceptor: TlsAcceptor,
    router: Router,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    // Answers are small; where it fails they are only a little later.
    let _ = stream.set_nodelay(true);
    let shaken = tokio::select! {
        shaken = timeout(limits.handshake, acceptor.accept(stream)) => shaken,
        () = stopped(&mut stop) => return,
    };
    let stream = match shaken {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::debug!(%source, %error, "no TLS");
            return;
        }
        Err(_) => {
            tracing::debug!(%source, "no TLS in time");
            return;
        }
    };
    let routes = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(source));
        routes.call(request)
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.head);
    let mut served = pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        ended = served.as_mut() => {
            if let Err(error) = ended {
                tracing::debug!(%source, %error, "a connection for pages broke");
            }
            return;
        }
        () = sleep(limits.connection) => {}
        () = stopped(&mut stop) => {}
    }
    served.as_mut().graceful_shutdown();
    if timeout(limits.finish, served).await.is_err() {
        tracing::debug!(%source, "an answer was cut off");
    }
}

/// Whoever has one IPv6 address has the whole /64.
fn holder(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// As the value does not outlive the wait, the task that waits may move between threads.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

#[cfg(test)]
mod tests;
