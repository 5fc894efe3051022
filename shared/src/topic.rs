//! MQTT topics. Ids are hex and names are checked, so no `#` or `+` can reach an ACL.

use alloc::{format, string::String};

use crate::{AgentId, envelope::Kind};

/// All topics begin here; the number is the wire version's major.
pub const ROOT: &str = "takar/1";

/// What an agent publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Up {
    Birth,
    Telemetry,
    Receipt,
    Facts,
    /// `online` or `offline`, retained; the will. Unsigned: a hint.
    State,
}

/// What an agent is subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Down {
    Grant,
    Command,
    Keyset,
}

pub fn up(agent: AgentId, what: Up) -> String {
    let leaf = match what {
        Up::Birth => "birth",
        Up::Telemetry => "telemetry",
        Up::Receipt => "receipt",
        Up::Facts => "facts",
        Up::State => "state",
    };
    format!("{ROOT}/agent/{agent}/up/{leaf}")
}

pub fn down(agent: AgentId, what: Down) -> String {
    let leaf = match what {
        Down::Grant => "grant",
        Down::Command => "command",
        Down::Keyset => "keyset",
    };
    format!("{ROOT}/agent/{agent}/down/{leaf}")
}

/// What the collector subscribes to.
pub fn all_up() -> String {
    format!("{ROOT}/agent/+/up/#")
}

pub fn all_down(agent: AgentId) -> String {
    format!("{ROOT}/agent/{agent}/down/#")
}

/// `None` for a topic that is not an agent's `up`.
pub fn parse_up(topic: &str) -> Option<(AgentId, Up)> {
    let (agent, leaf) = topic.strip_prefix(ROOT)?.strip_prefix("/agent/")?.split_once("/up/")?;
    let what = match leaf {
        "birth" => Up::Birth,
        "telemetry" => Up::Telemetry,
        "receipt" => Up::Receipt,
        "facts" => Up::Facts,
        "state" => Up::State,
        _ => return None,
    };
    Some((agent.parse().ok()?, what))
}

pub fn parse_down(topic: &str) -> Option<(AgentId, Down)> {
    let (agent, leaf) = topic.strip_prefix(ROOT)?.strip_prefix("/agent/")?.split_once("/down/")?;
    let what = match leaf {
        "grant" => Down::Grant,
        "command" => Down::Command,
        "keyset" => Down::Keyset,
        _ => return None,
    };
    Some((agent.parse().ok()?, what))
}

impl Up {
    /// May a message of this kind come on this topic?
    pub fn carries(self, kind: Kind) -> bool {
        match self {
            Self::Birth => kind == Kind::Birth,
            Self::Telemetry => matches!(kind, Kind::Telemetry | Kind::Gap),
            Self::Receipt => kind == Kind::Receipt,
            Self::Facts => kind == Kind::Facts,
            Self::State => false,
        }
    }
}

impl Down {
    pub fn carries(self, kind: Kind) -> bool {
        match self {
            Self::Grant => kind == Kind::Grant,
            Self::Command => matches!(kind, Kind::Command | Kind::Confirm | Kind::Cancel),
            Self::Keyset => false,
        }
    }
}
