//! Why the router refuses a command, in RouterOS's own words and `!trap` categories (MikroTik API manual, "trap").

use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No menu of that path.
    NoSuchPrefix,
    /// The menu is there, the command is not.
    NoSuchCommand,
    NoSuchItem,
    NameTaken,
    /// limit-at is above max-limit, both not zero; what stands before the two properties. The words are recorded for
    /// `upload-` and `download-`; those of a total limit and of a tree queue are formed alike, for want of a record.
    MaxBelowLimit(&'static str),
    /// The value names nothing that exists.
    NoMatch(&'static str),
    /// The value is not of the argument's form.
    BadValue(String),
    UnknownParameter(String),
    /// What a service of the router made cannot be changed by hand. RouterOS names the kind of item where it has a name
    /// for it ("can not change dynamic lease"); that it has none for a queue is an assumption.
    Dynamic,
    /// Also where the user's group does not let it in by the API: the log says "login failure … via api".
    Login,
    /// The same before 6.43 (recorded in MikroTik's forum, topic 18926).
    OldLogin,
    Permission,
    BadQuery(String),
}

impl Refusal {
    /// 0 missing item or command, 1 argument value; many messages carry none.
    pub fn category(&self) -> Option<u8> {
        match self {
            Self::NoSuchItem | Self::NoSuchCommand | Self::NoSuchPrefix => Some(0),
            Self::NoMatch(_) | Self::BadValue(_) => Some(1),
            Self::BadQuery(_) => Some(5),
            Self::NameTaken
            | Self::MaxBelowLimit(_)
            | Self::UnknownParameter(_)
            | Self::Dynamic
            | Self::Login
            | Self::OldLogin
            | Self::Permission => None,
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
            Self::MaxBelowLimit(of) => write!(f, "failure: {of}max-limit less than {of}limit"),
            Self::NoMatch(argument) => write!(f, "input does not match any value of {argument}"),
            Self::BadValue(argument) => write!(f, "invalid value for argument {argument}"),
            Self::UnknownParameter(argument) => write!(f, "unknown parameter {argument}"),
            Self::Dynamic => f.write_str("failure: can not change dynamic"),
            Self::Login => f.write_str("invalid user name or password (6)"),
            Self::OldLogin => f.write_str("cannot log in"),
            Self::Permission => f.write_str("not enough permissions (9)"),
            Self::BadQuery(word) => write!(f, "invalid query word {word}"),
        }
    }
}

impl std::error::Error for Refusal {}
