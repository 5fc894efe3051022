//! The socket to the kernel's rtnetlink: one request, then all of its answer.
//!
//! The kernel answers within the call, so nothing here waits and it is safe on the event loop. A receive timeout
//! guards against the kernel that does not.

use std::{io, time::Duration};

use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use rustix::net::{
    netdevice,
    sockopt::{Timeout, set_socket_timeout},
};
use takar_shared::queue::Shaper;

use super::message::{Malformed, Message, NLMSG_DONE, NLMSG_ERROR, messages};
use crate::queue::QueueError;

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

impl ExchangeError {
    /// Of a request that reads.
    pub fn reading(self, operation: String) -> QueueError {
        match self {
            Self::Io(source) => QueueError::Netlink { operation, source },
            Self::Malformed(fault) => QueueError::Garbage { what: format!("{operation}: {fault}") },
            Self::Kernel { errno, .. } => {
                QueueError::Netlink { operation, source: io::Error::from_raw_os_error(errno) }
            }
        }
    }

    /// Of a `request` that changes something of `shaper`.
    pub fn changing(self, request: &str, shaper: &Shaper) -> QueueError {
        let command = format!("{request} for {shaper}");
        match self {
            // It went away since it was read a moment ago.
            Self::Kernel { errno: libc::ENOENT | libc::ENODEV, .. } => QueueError::Missing(shaper.to_string()),
            Self::Kernel { errno, text } => {
                let error = io::Error::from_raw_os_error(errno);
                let message = text.map_or_else(|| error.to_string(), |text| format!("{error}: {text}"));
                QueueError::Refused { command, message }
            }
            other => other.reading(command),
        }
    }
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
    /// The one kept from the last call, or a new one. The caller puts it back when all went well.
    pub fn take(kept: &mut Option<Self>) -> Result<Self, QueueError> {
        match kept.take() {
            Some(socket) => Ok(socket),
            None => {
                Self::open().map_err(|source| QueueError::Netlink { operation: "socket (AF_NETLINK)".into(), source })
            }
        }
    }

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

    /// The index of the shaper's interface at this moment. It does not outlive the call: an interface that is made
    /// anew has another.
    pub fn index_of(&self, interface: &str, shaper: &Shaper) -> Result<u32, QueueError> {
        netdevice::name_to_index(&self.socket, interface).map_err(|error| {
            let source = io::Error::from(error);
            match source.raw_os_error() {
                Some(libc::ENODEV) => QueueError::Missing(shaper.to_string()),
                _ => QueueError::Netlink { operation: format!("SIOCGIFINDEX {interface}"), source },
            }
        })
    }

    /// Sends the request of this sequence number and hands each message of the answer to `part`, until the kernel's
    /// verdict.
    pub fn exchange(
        &mut self,
        request: impl FnOnce(u32) -> Vec<u8>,
        mut part: impl FnMut(Message<'_>) -> Result<(), Malformed>,
    ) -> Result<(), ExchangeError> {
        let sequence = self.next_sequence();
        self.socket.send(&request(sequence), 0)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use takar_shared::id::name;

    #[test]
    fn a_kernel_that_says_no_is_quoted() {
        let shaper = Shaper::Root(name("d0").unwrap());
        let error = |errno, text: Option<&str>| {
            let text = text.map(str::to_owned);
            ExchangeError::Kernel { errno, text }.changing("RTM_NEWQDISC", &shaper).to_string()
        };
        assert_eq!(error(libc::ENOENT, None), "root of d0 is not on the device");
        let refused = "RTM_NEWQDISC for root of d0 refused by the device: ";
        assert_eq!(error(libc::EPERM, None), format!("{refused}Operation not permitted (os error 1)"));
        let said = error(libc::EINVAL, Some("Attribute failed policy validation"));
        assert_eq!(said, format!("{refused}Invalid argument (os error 22): Attribute failed policy validation"));
    }
}
