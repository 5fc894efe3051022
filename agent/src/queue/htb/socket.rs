//! The socket to the kernel's rtnetlink: one request, then all of its answer.
//!
//! The kernel answers within the call, so nothing here waits and it is safe on the event loop. A receive timeout
//! guards against the kernel that does not.

use std::{fs, io, time::Duration};

use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use rustix::net::{
    netdevice,
    sockopt::{Timeout, set_socket_timeout},
};

use super::{
    bucket::TimerHz,
    class::{self, HtbClass},
    message::{Malformed, Message, NLMSG_DONE, NLMSG_ERROR, messages},
};

/// The kernel never packs more into one datagram of a dump (`netlink_recvmsg` in net/netlink/af_netlink.c).
const LARGEST_DATAGRAM: usize = 32 * 1024;
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Why a request was not carried out.
#[derive(Debug)]
pub enum ExchangeError {
    Io(io::Error),
    Malformed(Malformed),
    /// The kernel's own answer, in its words where it has any.
    Kernel {
        errno: i32,
        text: Option<String>,
    },
}

impl From<io::Error> for ExchangeError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Malformed> for ExchangeError {
    fn from(fault: Malformed) -> Self {
        Self::Malformed(fault)
    }
}

/// After an error it may hold the rest of an answer: drop it then.
pub struct RouteSocket {
    socket: Socket,
    sequence: u32,
    datagram: Vec<u8>,
}

impl RouteSocket {
    pub fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        // Connected to port 0, the kernel's, it takes datagrams from nobody else.
        socket.connect(&SocketAddr::new(0, 0))?;
        set_socket_timeout(&socket, Timeout::Recv, Some(ANSWER_WITHIN))?;
        // Reasons in words, and requests not repeated in errors; a kernel before 4.12 has neither, and needs neither.
        let _ = socket.set_ext_ack(true);
        let _ = socket.set_cap_ack(true);
        Ok(Self { socket, sequence: 0, datagram: Vec::with_capacity(LARGEST_DATAGRAM) })
    }

    /// The interface's index at this moment; ENODEV where there is none of that name.
    pub fn index_of(&self, interface: &str) -> io::Result<u32> {
        Ok(netdevice::name_to_index(&self.socket, interface)?)
    }

    /// All HTB classes of an interface; empty where it has none or is gone.
    pub fn classes(&mut self, if_index: u32) -> Result<Vec<HtbClass>, ExchangeError> {
        let mut classes = Vec::new();
        let sequence = self.next_sequence();
        self.exchange(&class::dump(if_index, sequence), sequence, |message| {
            if message.kind == class::RTM_NEWTCLASS {
                classes.extend(HtbClass::parse(message.payload)?.filter(|class| class.if_index == if_index));
            }
            Ok(())
        })?;
        Ok(classes)
    }

    /// Gives an existing class the values of `class`, whose interface is the one it was read from.
    pub fn change(&mut self, class: &HtbClass) -> Result<(), ExchangeError> {
        let sequence = self.next_sequence();
        self.exchange(&class.change(sequence), sequence, |_| Ok(()))
    }

    /// Sends a request and hands each message of the answer to `part`, until the kernel's verdict.
    fn exchange(
        &mut self,
        request: &[u8],
        sequence: u32,
        mut part: impl FnMut(Message<'_>) -> Result<(), Malformed>,
    ) -> Result<(), ExchangeError> {
        self.socket.send(request, 0)?;
        loop {
            self.receive()?;
            for message in messages(&self.datagram) {
                let message = message?;
                if message.sequence != sequence {
                    continue;
                }
                if !matches!(message.kind, NLMSG_ERROR | NLMSG_DONE) {
                    part(message)?;
                    continue;
                }
                let verdict = message.verdict()?;
                if verdict.errno != 0 {
                    return Err(ExchangeError::Kernel { errno: verdict.errno, text: verdict.text });
                }
                return Ok(());
            }
        }
    }

    fn receive(&mut self) -> Result<(), ExchangeError> {
        self.datagram.clear();
        let length = loop {
            // A socket with a timeout is not restarted after a signal (signal(7)).
            match self.socket.recv(&mut self.datagram, libc::MSG_TRUNC) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                received => break received?,
            }
        };
        // With MSG_TRUNC the length is that of the whole datagram, also where it did not fit.
        let got = self.datagram.len();
        if length > got { Err(Malformed { what: "netlink datagram", expected: length, got }.into()) } else { Ok(()) }
    }

    fn next_sequence(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }
}

/// The packet timer of this kernel; the slowest there is where it cannot be read.
pub fn timer_hz() -> TimerHz {
    fs::read_to_string("/proc/net/psched").ok().and_then(|text| TimerHz::parse(&text)).unwrap_or(TimerHz::SLOWEST)
}
