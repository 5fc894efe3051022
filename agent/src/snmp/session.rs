//! The socket: one connected UDP socket per session, one request at a time, every wait bounded.
//!
//! Late answers to earlier requests are recognised by their id and dropped. After a fault the session is to be thrown
//! away: a new one resolves the address and discovers the engine anew.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    net::{UdpSocket, lookup_host},
    time::{Instant, timeout, timeout_at},
};

use super::{
    Credentials,
    fault::Fault,
    header::{self, Header},
    message::{self, Reply, Request},
    oid::{Oid, SYS_UP_TIME},
    usm::{Account, Keyring, Opened, Usm},
};

pub(super) struct Session {
    line: Line,
    keys: Keys,
    /// The device has answered with these keys.
    proven: bool,
}

enum Keys {
    Community(Vec<u8>),
    Usm(Box<Usm>),
}

/// Boots and time may be unknown at first and may change under us once; a third refusal is no accident.
const TRIES_IN_STEP: u32 = 3;

impl Session {
    /// Resolves the address and, with v3, discovers the engine. Each step waits at most `wait`.
    pub(super) async fn open(
        address: &str,
        credentials: &Credentials,
        keyring: &mut Keyring,
        wait: Duration,
    ) -> Result<Self, Fault> {
        let mut line = Line::open(address, wait).await?;
        let keys = match credentials {
            Credentials::V2c { community } => Keys::Community(community.as_bytes().to_vec()),
            Credentials::V3 { .. } => Keys::Usm(Box::new(discover(&mut line, credentials, keyring, wait).await?)),
        };
        Ok(Self { line, keys, proven: false })
    }

    /// snmpEngineBoots; `None` with v2c.
    pub(super) fn engine_boots(&self) -> Option<u32> {
        match &self.keys {
            Keys::Community(_) => None,
            Keys::Usm(usm) => Some(usm.engine_boots()),
        }
    }

    pub(super) async fn request(&mut self, request: &Request, wait: Duration) -> Result<Reply, Fault> {
        for _ in 0..TRIES_IN_STEP {
            let id = self.line.take_id();
            let pdu = request.pdu(id);
            let reply = match &mut self.keys {
                Keys::Community(community) => {
                    let sealed = message::seal_v2c(community, &pdu);
                    let answer = self.line.exchange(&sealed, id, message::id_v2c, wait).await?;
                    Some(message::open_v2c(&answer, community, id)?)
                }
                Keys::Usm(usm) => exchange_v3(&mut self.line, usm, &pdu, id, wait).await?,
            };
            if let Some(reply) = reply {
                self.proven = true;
                return Ok(reply);
            }
        }
        Err(Fault::OutOfStep)
    }

    /// Tells a wrong privacy password from a silent device: some devices (net-snmp) drop what they cannot decrypt.
    ///
    /// True when a device that never answered this session's encrypted requests answers an authenticated one for
    /// sysUpTime that is not encrypted. To be asked after a timeout only.
    pub(super) async fn answers_without_privacy(&mut self, credentials: &Credentials, wait: Duration) -> bool {
        let (Keys::Usm(usm), Some(account)) = (&self.keys, Account::of(credentials)) else { return false };
        if self.proven || !account.has_privacy() {
            return false;
        }
        let Ok(mut bare) = usm.without_privacy(account) else { return false };
        let id = self.line.take_id();
        let pdu = Request::cells([&Oid::scalar(SYS_UP_TIME)]).pdu(id);
        // A report about the security level comes unauthenticated, and proves nothing.
        exchange_v3(&mut self.line, &mut bare, &pdu, id, wait).await.is_ok()
    }
}

async fn discover(
    line: &mut Line,
    credentials: &Credentials,
    keyring: &mut Keyring,
    wait: Duration,
) -> Result<Usm, Fault> {
    let Some(account) = Account::of(credentials) else { return Err(Fault::Version) };
    let id = line.take_id();
    let answer = line.exchange(&header::discovery(id), id, header::id_v3, wait).await?;
    Usm::new(account, keyring, &Header::read(&answer)?, Instant::now())
}

/// `None`: out of step, ask again.
async fn exchange_v3(
    line: &mut Line,
    usm: &mut Usm,
    pdu: &[u8],
    id: i32,
    wait: Duration,
) -> Result<Option<Reply>, Fault> {
    let sealed = usm.seal(pdu, Instant::now())?;
    let answer = line.exchange(&sealed, id, header::id_v3, wait).await?;
    let opened = usm.open(&Header::read(&answer)?, &answer, id, Instant::now())?;
    Ok(match opened {
        Opened::Reply(reply) => Some(reply),
        Opened::OutOfStep => None,
    })
}

struct Line {
    socket: UdpSocket,
    buffer: Vec<u8>,
    next_id: i32,
}

/// The largest UDP payload.
const MAX_DATAGRAM: usize = 65_535;

impl Line {
    async fn open(address: &str, wait: Duration) -> Result<Self, Fault> {
        let resolved = timeout(wait, lookup_host(address)).await.map_err(|_| Fault::Timeout(wait))?;
        let peer = resolved.map_err(Fault::Unreachable)?.next().ok_or(Fault::NoAddress)?;
        let socket = connect(peer).await.map_err(Fault::Unreachable)?;
        // Ids that cannot be guessed keep those who cannot see the traffic from answering it.
        let random = getrandom::u32().map_err(|error| Fault::Unreachable(io::Error::other(error)))?;
        Ok(Self { socket, buffer: vec![0; MAX_DATAGRAM], next_id: positive(random) })
    }

    fn take_id(&mut self) -> i32 {
        let id = self.next_id;
        self.next_id = id.checked_add(1).unwrap_or(1);
        id
    }

    /// Sends `message` and returns the first message that answers `id`.
    async fn exchange(
        &mut self,
        message: &[u8],
        id: i32,
        id_of: fn(&[u8]) -> Result<i64, Fault>,
        wait: Duration,
    ) -> Result<Vec<u8>, Fault> {
        let deadline = Instant::now() + wait;
        self.socket.send(message).await.map_err(Fault::Unreachable)?;
        // The clock is asked too: a flood of late answers must not keep `timeout_at` from looking at it.
        while Instant::now() < deadline {
            let Ok(received) = timeout_at(deadline, self.socket.recv(&mut self.buffer)).await else { break };
            let length = received.map_err(Fault::Unreachable)?;
            let answer = self.buffer.get(..length).unwrap_or_default();
            if id_of(answer)? == i64::from(id) {
                return Ok(answer.to_vec());
            }
        }
        Err(Fault::Timeout(wait))
    }
}

async fn connect(peer: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = match peer {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(peer).await?;
    Ok(socket)
}

/// Message ids are 0 to 2^31 - 1 (RFC 3412, 6).
fn positive(random: u32) -> i32 {
    (random >> 1).cast_signed()
}
