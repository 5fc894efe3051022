//! Why the router refuses a command, in RouterOS's own words and `!trap` categories (MikroTik API manual, "trap").

use std::fmt;

use crate::pair::Direction;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No menu of that path.
    NoSuchPrefix,
    /// The menu is there, the command is not.
    NoSuchCommand,
    NoSuchItem,
    NameTaken,
    /// limit-at is above max-limit, both not zero.
    MaxBelowLimit(Direction),
    /// The value names nothing that exists.
    NoMatch(&'static str),
    /// The value is not of the argument's form.
    BadValue(String),
    UnknownParameter(String),
    Login,
    BadQuery(String),
}

impl Refusal {
    /// 0 missing item or command, 1 argument value; many messages carry none.
    pub fn category(&self) -> Option<u8> {
        match self {
            Self::NoSuchItem | Self::NoSuchCommand | Self::NoSuchPrefix => Some(0),
            Self::NoMatch(_) | Self::BadValue(_) => Some(1),
            Self::BadQuery(_) => Some(5),
            Self::NameTaken | Self::MaxBelowLimit(_) | Self::UnknownParameter(_) | Self::Login => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchPrefix => f.write_str("no such command prefix"),
            Self::NoSuchCommand => f.write_str("no such command"),
            Self::NoSuchItem => f.write_str("no such item"),
            Self::NameTaken => f.write_str("failure: already have such name"),
            Self::MaxBelowLimit(direction) => {
                let way = direction.long();
                write!(f, "failure: {way}-max-limit less than {way}-limit")
            }
            Self::NoMatch(argument) => write!(f, "input does not match any value of {argument}"),
            Self::BadValue(argument) => write!(f, "invalid value for argument {argument}"),
            Self::UnknownParameter(argument) => write!(f, "unknown parameter {argument}"),
            Self::Login => f.write_str("invalid user name or password (6)"),
            Self::BadQuery(word) => write!(f, "invalid query word {word}"),
        }
    }
}

impl std::error::Error for Refusal {}
