//! What can go wrong with a request, what that means for the poll, and what to do about it.

use std::{error::Error as _, io, time::Duration};

use super::{Outcome, header::Report, oid::Oid};

#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("no answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    #[error("cannot be reached")]
    Unreachable(#[source] io::Error),
    #[error("the address resolves to nothing, expected a host and a port")]
    NoAddress,
    #[error("device reports {0}")]
    Report(Report),
    #[error("answer is not authenticated, expected the user's digest")]
    Unauthenticated,
    #[error("answer is not encrypted, expected privacy")]
    Unencrypted,
    #[error("engine boots and time still disagree after taking them from the device")]
    OutOfStep,
    #[error("device answers the user without privacy, but not with: expected another privacy protocol or password")]
    PrivacyPassword,
    #[error("the {0} is empty, expected at least 8 characters (RFC 3414, 11.2)")]
    EmptyPassword(&'static str),
    #[error("the user name has {0} bytes, expected 1 to 32")]
    UserName(usize),
    #[error("request cannot be sealed")]
    Seal(#[source] snmp2::Error),
    #[error("device refuses access to the objects, expected a view that includes IF-MIB")]
    NotAuthorized,
    #[error("answer does not decode")]
    Rejected(#[source] snmp2::Error),
    #[error("answer is of another SNMP version than the request")]
    Version,
    #[error("answer carries another community than the request")]
    Community,
    #[error("answer is a {0:?}, expected a Response")]
    Kind(snmp2::MessageType),
    #[error("answer's request id is {got}, expected {expected}")]
    RequestId { got: i32, expected: i32 },
    #[error("error status {status} at {index}, expected none")]
    Status { status: u32, index: u32 },
    #[error("engine id of {0} bytes, expected 1 to 32")]
    EngineId(usize),
    #[error("engine boots {boots} and time {time}, expected 0 to 2147483647")]
    EngineClock { boots: i64, time: i64 },
    #[error("walk went from {after} back to {got}, expected a row that did not come before")]
    Looped { after: Oid, got: Oid },
    #[error("walk of {column} goes past {rows} rows, expected fewer interfaces")]
    TooManyRows { column: Oid, rows: usize },
    #[error("walk got nothing after {after}, expected a row or the end of the view")]
    EmptyWalk { after: Oid },
}

/// What may help against a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Another try, with a new session.
    Again,
    /// A new session at once: the device is another than the one discovered, or restarted.
    Rediscover,
    /// Nothing that this side can do: the configuration or the device must change.
    None,
}

impl Fault {
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Timeout(_) => Outcome::Timeout,
            Self::Unreachable(_) | Self::NoAddress => Outcome::Unreachable,
            Self::Report(Report::Other) => Outcome::Garbage,
            Self::Report(_)
            | Self::Unauthenticated
            | Self::Unencrypted
            | Self::OutOfStep
            | Self::PrivacyPassword
            | Self::EmptyPassword(_)
            | Self::UserName(_)
            | Self::Seal(_)
            | Self::NotAuthorized
            | Self::Rejected(snmp2::Error::AuthFailure(_)) => Outcome::Authentication,
            _ => Outcome::Garbage,
        }
    }

    pub(super) fn remedy(&self) -> Remedy {
        match self {
            Self::Report(Report::UnknownEngine | Report::NotInTimeWindow) => Remedy::Rediscover,
            Self::Report(_)
            | Self::PrivacyPassword
            | Self::EmptyPassword(_)
            | Self::UserName(_)
            | Self::Seal(_)
            | Self::NotAuthorized => Remedy::None,
            _ => Remedy::Again,
        }
    }

    /// The fault and its sources in one line.
    pub(super) fn line(&self) -> String {
        let mut line = self.to_string();
        let mut source = self.source();
        while let Some(cause) = source {
            line.push_str(": ");
            line.push_str(&cause.to_string());
            source = cause.source();
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_the_source_once() {
        let fault = Fault::Unreachable(io::Error::from(io::ErrorKind::ConnectionRefused));
        assert_eq!(fault.line(), "cannot be reached: connection refused");
        assert_eq!(Fault::Timeout(Duration::from_millis(250)).line(), "no answer within 250 ms");
    }

    #[test]
    fn a_failed_digest_is_authentication_and_bad_bytes_are_garbage() {
        let digest = Fault::Rejected(snmp2::Error::AuthFailure(snmp2::v3::AuthErrorKind::SignatureMismatch));
        assert_eq!(digest.outcome(), Outcome::Authentication);
        assert_eq!(Fault::Rejected(snmp2::Error::AsnEof).outcome(), Outcome::Garbage);
    }
}
