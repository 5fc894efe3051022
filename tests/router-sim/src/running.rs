//! A router with its sockets open and its threads started; the binary and the tests both begin here.

use std::{
    fs,
    net::{SocketAddr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::Context as _;
use serde::Serialize;

use crate::{api, config::Config, log::Journal, router::Router, sim::STEP_MS, snmp, tls::Identity};

pub struct Running {
    pub snmp: SocketAddr,
    pub api: SocketAddr,
    pub secured: Option<Secured>,
    pub router: Arc<Router>,
}

/// The API through TLS.
pub struct Secured {
    pub api: SocketAddr,
    /// What a client can trust, in PEM.
    pub certificate: String,
    /// Where that is, unless it was made at start.
    pub file: Option<PathBuf>,
}

impl Running {
    /// Binds the sockets and starts to answer. The traffic moves with every question, and with `tick_for_ever`.
    pub fn start(config: Config) -> anyhow::Result<Self> {
        let udp = UdpSocket::bind(config.snmp).with_context(|| format!("cannot bind SNMP to {}", config.snmp))?;
        let tcp = TcpListener::bind(config.api).with_context(|| format!("cannot bind the API to {}", config.api))?;
        let journal = match &config.log {
            Some(path) => Some(Journal::create(path).with_context(|| format!("cannot create log {}", path.display()))?),
            None => None,
        };
        let (snmp, api) = (udp.local_addr()?, tcp.local_addr()?);
        let secure = match config.api_ssl {
            Some(address) => {
                let listener =
                    TcpListener::bind(address).with_context(|| format!("cannot bind API-SSL to {address}"))?;
                let identity = match &config.certificate {
                    Some((certificate, key)) => Identity::read(certificate, key)?,
                    None => Identity::make(&config.name, address.ip()).context("cannot make a certificate")?,
                };
                let file = config.certificate.as_ref().map(|(certificate, _)| certificate.clone());
                let secured = Secured { api: listener.local_addr()?, certificate: identity.pem.clone(), file };
                Some((listener, identity.config()?, secured))
            }
            None => None,
        };
        let router = Arc::new(Router::start(config, journal));

        let shared = Arc::clone(&router);
        thread::Builder::new().name("snmp".to_owned()).spawn(move || snmp::serve(&udp, &shared))?;
        let shared = Arc::clone(&router);
        thread::Builder::new().name("api".to_owned()).spawn(move || api::serve(&tcp, &shared, None))?;
        let secured = match secure {
            Some((listener, tls, secured)) => {
                let shared = Arc::clone(&router);
                let serve = move || api::serve(&listener, &shared, Some(&tls));
                thread::Builder::new().name("api-ssl".to_owned()).spawn(serve)?;
                Some(secured)
            }
            None => None,
        };
        Ok(Self { snmp, api, secured, router })
    }

    /// Says where the sockets are. The file appears whole: it is written beside its place and renamed. A certificate
    /// made at start is in a file of its name and `.pem` before that.
    pub fn write_ready(&self, path: &Path) -> anyhow::Result<()> {
        let certificate = match &self.secured {
            Some(Secured { file: Some(file), .. }) => Some(file.clone()),
            Some(Secured { file: None, certificate, .. }) => {
                let file = beside(path, ".pem");
                fs::write(&file, certificate)?;
                Some(file)
            }
            None => None,
        };
        let addresses = Addresses {
            snmp: self.snmp.to_string(),
            api: self.api.to_string(),
            api_ssl: self.secured.as_ref().map(|secured| secured.api.to_string()),
            certificate,
        };
        let temporary = beside(path, ".tmp");
        fs::write(&temporary, serde_json::to_vec(&addresses)?)?;
        fs::rename(&temporary, path)?;
        Ok(())
    }

    /// Moves the traffic every 100 ms. Returns only when the log cannot be written.
    pub fn tick_for_ever(&self) -> anyhow::Result<()> {
        loop {
            self.router.tick().context("cannot write the log")?;
            thread::sleep(Duration::from_millis(STEP_MS));
        }
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

#[derive(Serialize)]
struct Addresses {
    snmp: String,
    api: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_ssl: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpStream,
    };

    use rustls::{
        ClientConfig, ClientConnection, RootCertStore, StreamOwned,
        crypto::ring,
        pki_types::{CertificateDer, pem::PemObject as _},
    };

    use super::*;
    use crate::{
        config::for_tests,
        version::RosVersion,
        words::{self, Bounds},
    };

    /// Version 2c, community `takes-care`, GET 1.3.6.1.2.1.1.5.0 (sysName), request id 1; written by hand.
    const GET_SYS_NAME: &[u8] = b"\x30\x2a\x02\x01\x01\x04\x0atakes-care\xa0\x19\x02\x01\x01\x02\x01\x00\x02\x01\x00\
        \x30\x0e\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x05\x00\x05\x00";

    #[test]
    fn both_sockets_answer_and_the_ready_file_says_where() {
        let running = Running::start(for_tests(RosVersion::V7_18)).unwrap();
        let ready = std::env::temp_dir().join(format!("router-sim-ready-{}.json", std::process::id()));
        running.write_ready(&ready).unwrap();
        let said: serde_json::Value = serde_json::from_slice(&fs::read(&ready).unwrap()).unwrap();
        fs::remove_file(&ready).unwrap();
        assert_eq!(said["api"], running.api.to_string());
        assert_eq!(said["snmp"], running.snmp.to_string());

        let manager = UdpSocket::bind("127.0.0.1:0").unwrap();
        manager.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        manager.send_to(b"noise", running.snmp).unwrap();
        manager.send_to(GET_SYS_NAME, running.snmp).unwrap();
        let mut reply = [0; 1500];
        let (length, from) = manager.recv_from(&mut reply).unwrap();
        assert_eq!(from, running.snmp);
        assert!(reply[..length].ends_with(b"\x04\x02r1"), "{:02x?}", &reply[..length]);
        std::net::TcpStream::connect(running.api).unwrap();
    }

    #[test]
    fn api_ssl_answers_who_trusts_the_certificate_beside_the_ready_file() {
        let mut config = for_tests(RosVersion::V7_18);
        config.api_ssl = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        let running = Running::start(config).unwrap();
        let ready = std::env::temp_dir().join(format!("router-sim-ssl-{}.json", std::process::id()));
        running.write_ready(&ready).unwrap();
        let said: serde_json::Value = serde_json::from_slice(&fs::read(&ready).unwrap()).unwrap();
        let certificate = CertificateDer::from_pem_file(said["certificate"].as_str().unwrap()).unwrap();
        fs::remove_file(said["certificate"].as_str().unwrap()).unwrap();
        fs::remove_file(&ready).unwrap();

        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connection = ClientConnection::new(Arc::new(config), "127.0.0.1".try_into().unwrap()).unwrap();
        let socket = TcpStream::connect(said["api_ssl"].as_str().unwrap()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut stream = StreamOwned::new(connection, socket);
        for list in [&["/login", "=name=takar", "=password=secret"][..], &["/quit"]] {
            let mut out = Vec::new();
            list.iter().for_each(|word| words::push_word(&mut out, word.as_bytes()));
            words::end_sentence(&mut out);
            stream.write_all(&out).unwrap();
        }
        let receive = |stream: &mut StreamOwned<ClientConnection, TcpStream>| {
            words::read_sentence(stream, Bounds::AFTER_LOGIN).unwrap().unwrap()
        };
        assert_eq!(receive(&mut stream), [b"!done".to_vec()]);
        assert_eq!(receive(&mut stream), [b"!fatal".to_vec(), b"session terminated on request".to_vec()]);
        // The end is announced: rustls makes an error of a mere cut.
        assert_eq!(stream.read(&mut [0; 8]).unwrap(), 0);
    }
}
