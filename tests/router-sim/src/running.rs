//! A router with its sockets open and its threads started; the binary and the tests both begin here.

use std::{
    fs,
    net::{SocketAddr, TcpListener, UdpSocket},
    path::Path,
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::Context as _;
use serde::Serialize;

use crate::{api, args::Config, log::Journal, router::Router, sim::STEP_MS, snmp};

pub struct Running {
    pub snmp: SocketAddr,
    pub api: SocketAddr,
    pub router: Arc<Router>,
}

impl Running {
    /// Binds both sockets and starts to answer. The traffic moves with every question, and with `tick_for_ever`.
    pub fn start(config: Config) -> anyhow::Result<Self> {
        let udp = UdpSocket::bind(config.snmp).with_context(|| format!("cannot bind SNMP to {}", config.snmp))?;
        let tcp = TcpListener::bind(config.api).with_context(|| format!("cannot bind the API to {}", config.api))?;
        let journal = match &config.log {
            Some(path) => Some(Journal::create(path).with_context(|| format!("cannot create log {}", path.display()))?),
            None => None,
        };
        let (snmp, api) = (udp.local_addr()?, tcp.local_addr()?);
        let router = Arc::new(Router::start(config, journal));

        let shared = Arc::clone(&router);
        thread::Builder::new().name("snmp".to_owned()).spawn(move || snmp::serve(&udp, &shared))?;
        let shared = Arc::clone(&router);
        thread::Builder::new().name("api".to_owned()).spawn(move || api::serve(&tcp, &shared))?;
        Ok(Self { snmp, api, router })
    }

    /// Says where the sockets are. The file appears whole: it is written beside its place and renamed.
    pub fn write_ready(&self, path: &Path) -> anyhow::Result<()> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".tmp");
        let addresses = Addresses { snmp: self.snmp.to_string(), api: self.api.to_string() };
        fs::write(&beside, serde_json::to_vec(&addresses)?)?;
        fs::rename(&beside, path)?;
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

#[derive(Serialize)]
struct Addresses {
    snmp: String,
    api: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{RosVersion, for_tests};

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
}
