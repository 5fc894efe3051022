//! What an actor may do in the procedure.

use core::{fmt, str::FromStr};
use serde::{Deserialize, Serialize};

use crate::inventory::ProviderName;

/// The parties of the procedure, and Takar's own two hands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// What follows from what was measured and decided.
    Takar,
    /// What the office agreed to in advance.
    Policy,
    /// *Anggota Tim Kerja*.
    Member,
    /// *Ketua Tim Kerja*; may do what a member may.
    Head,
    /// *Penyedia Jasa*: only its own request.
    Provider(ProviderName),
    /// Reads.
    Other,
}

impl Role {
    /// One that carries the procedure's steps out.
    pub fn is_of_the_team(&self) -> bool {
        matches!(self, Self::Member | Self::Head)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Takar => "takar",
            Self::Policy => "policy",
            Self::Member => "member",
            Self::Head => "head",
            Self::Provider(_) => "provider",
            Self::Other => "other",
        })
    }
}

impl FromStr for Role {
    type Err = ();
    /// Of people's roles.
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "member" => Ok(Self::Member),
            "head" => Ok(Self::Head),
            _ => Err(()),
        }
    }
}
