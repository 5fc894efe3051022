//! Over real sockets. What is waited for comes or the test hangs; nothing is timed.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use axum::routing::get;
use rustls::{
    ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    version::{TLS12, TLS13},
};
use takar_shared::NetworkId;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    task::JoinHandle,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::*;
use crate::{
    clock,
    keys::{Ca, file},
};

const HOUR: Duration = Duration::from_secs(3600);
/// Nothing ends by itself, but where a test says so.
const PATIENT: Limits = Limits { handshake: HOUR, head: HOUR, connection: HOUR, finish: HOUR, look: HOUR, ..LIMITS };
const MOMENT: Duration = Duration::from_millis(20);

struct Served {
    _state: tempfile::TempDir,
    address: SocketAddr,
    roots: RootCertStore,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A state folder with a CA.
fn network() -> (tempfile::TempDir, Ca, RootCertStore) {
    let state = tempfile::tempdir().unwrap();
    let (ca, issued) = Ca::make(NetworkId([7; 16]), clock::now()).unwrap();
    write(&state.path().join(file::CA), &issued.certificate);
    write(&state.path().join(file::CA_KEY), &issued.key);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap()).unwrap();
    (state, ca, roots)
}

fn any_port() -> Endpoint {
    Endpoint { host: "127.0.0.1".into(), port: 0 }
}

async fn bound(certificate: Certificate) -> Https {
    Https::bind(&any_port(), certificate).await.unwrap()
}

async fn served(limits: Limits) -> Served {
    let (state, _, roots) = network();
    let mut https = bound(Certificate::Own { state: state.path().into(), host: "takar.example".into() }).await;
    https.limits = limits;
    let address = https.listener.local_addr().unwrap();
    let router = Router::new()
        .route("/", get(|ConnectInfo(source): ConnectInfo<SocketAddr>| async move { format!("you are {source}") }));
    let (stop, stopped) = watch::channel(false);
    let server = tokio::spawn(https.serve(router, stopped));
    Served { _state: state, address, roots, stop, server }
}

impl Served {
    async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn tls(&self, versions: &[&'static SupportedProtocolVersion]) -> TlsStream<TcpStream> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let name = ServerName::try_from("takar.example").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, self.tcp().await).await.unwrap()
    }

    async fn ends(self) {
        self.stop.send(true).unwrap();
        self.server.await.unwrap();
    }
}

/// What comes until the other side closes, or breaks the connection off.
async fn rest(mut stream: impl tokio::io::AsyncRead + Unpin) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8(bytes).unwrap()
}

async fn ask(mut stream: TlsStream<TcpStream>) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nHost: takar.example\r\nConnection: close\r\n\r\n").await.unwrap();
    rest(stream).await
}

#[tokio::test]
async fn both_versions_answer_and_know_who_asks() {
    let served = served(PATIENT).await;
    for (version, expected) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        let stream = served.tls(&[version]).await;
        let (tcp, tls) = stream.get_ref();
        assert_eq!(tls.protocol_version(), Some(expected));
        assert_eq!(tls.alpn_protocol(), Some(&b"http/1.1"[..]));
        let own = tcp.local_addr().unwrap();
        let answer = ask(stream).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with(&format!("you are {own}")), "{answer}");
    }
    served.ends().await;
}

#[tokio::test]
async fn whoever_says_nothing_is_in_nobodys_way() {
    let served = served(PATIENT).await;
    let silent = [served.tcp().await, served.tcp().await];
    assert!(ask(served.tls(&[&TLS13]).await).await.contains("you are"));
    drop(silent);
    served.ends().await;
}

#[tokio::test]
async fn a_handshake_has_its_time() {
    let served = served(Limits { handshake: MOMENT, ..PATIENT }).await;
    assert_eq!(rest(served.tcp().await).await, "");
    served.ends().await;
}

#[tokio::test]
async fn a_head_has_its_time() {
    let served = served(Limits { head: MOMENT, ..PATIENT }).await;
    let mut stream = served.tls(&[&TLS13]).await;
    stream.write_all(b"GET / HTTP/1.1\r\nX-Slow: ").await.unwrap();
    assert!(!rest(stream).await.contains("you are"));
    served.ends().await;
}

#[tokio::test]
async fn a_connection_has_its_time() {
    let served = served(Limits { connection: MOMENT, ..PATIENT }).await;
    let stream = served.tls(&[&TLS13]).await;
    assert_eq!(rest(stream).await, "");
    served.ends().await;
}

#[tokio::test]
async fn one_address_does_not_take_them_all() {
    let served = served(Limits { of_one: 1, ..PATIENT }).await;
    let mut first = served.tls(&[&TLS13]).await;
    assert_eq!(rest(served.tcp().await).await, "", "the second is closed at once");
    first.write_all(b"GET / HTTP/1.1\r\nHost: takar.example\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(rest(first).await.contains("you are"));
    served.ends().await;
}

#[test]
fn a_network_of_ipv6_is_one_holder() {
    let of = |text: &str| holder(text.parse().unwrap());
    assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::"));
    assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    assert_eq!(of("::ffff:10.1.2.3"), of("10.1.2.3"));
    assert_ne!(of("10.1.2.4"), of("10.1.2.3"));
}

#[tokio::test]
async fn when_all_are_taken_the_next_waits() {
    let served = served(Limits { connections: 1, ..PATIENT }).await;
    let first = served.tls(&[&TLS13]).await;
    let (first, second) = tokio::join!(ask(first), async { ask(served.tls(&[&TLS13]).await).await });
    assert!(first.contains("you are") && second.contains("you are"));
    served.ends().await;
}

#[tokio::test]
async fn it_ends_where_connections_are_open() {
    let served = served(PATIENT).await;
    let (silent, idle) = (served.tcp().await, served.tls(&[&TLS13]).await);
    served.ends().await;
    assert_eq!(rest(idle).await, "");
    drop(silent);
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_and_a_broken_one_is_not() {
    let (state, ca, _) = network();
    let [certificate, key] = ["web.crt", "web.key"].map(|name| state.path().join(name));
    let issue = || ca.server(vec!["takar.example".into()], clock::now()).unwrap();
    let (first, second) = (issue(), issue());
    let put = |certificate_pem: &str, key_pem: &str| {
        write(&certificate, certificate_pem);
        write(&key, key_pem);
    };
    put(&first.certificate, &first.key);
    let mut https = bound(Certificate::Files { certificate: certificate.clone(), key: key.clone() }).await;
    let of = |https: &Https| https.acceptor.config().clone();
    let before = of(&https);
    https.look();
    assert!(Arc::ptr_eq(&before, &of(&https)), "nothing is new");

    write(&certificate, &second.certificate);
    https.look();
    assert!(Arc::ptr_eq(&before, &of(&https)));
    assert!(https.problem.as_ref().is_some_and(|problem| problem.contains("does not fit its key")));
    fs::remove_file(&certificate).unwrap();
    https.look();
    assert!(https.problem.as_ref().is_some_and(|problem| problem.contains("cannot read")));

    put(&second.certificate, &second.key);
    https.look();
    assert!(!Arc::ptr_eq(&before, &of(&https)));
    assert_eq!(https.problem, None);
}

#[tokio::test]
async fn what_does_not_do_is_told_at_the_start() {
    let (state, _, _) = network();
    let missing = Certificate::Files { certificate: state.path().join("no.crt"), key: state.path().join("no.key") };
    assert!(Https::bind(&any_port(), missing).await.is_err());
    let own = Certificate::Own { state: state.path().into(), host: "127.0.0.1".into() };
    let https = bound(own.clone()).await;
    let taken = https.listener.local_addr().unwrap().to_string().parse().unwrap();
    let error = Https::bind(&taken, own).await.err().map(|error| format!("{error:#}")).unwrap_or_default();
    assert!(error.starts_with("cannot listen on 127.0.0.1:"), "{error}");
}
