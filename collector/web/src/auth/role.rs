//! Roles, and what each may do. Whose case it is, and whether its state allows it, is the core's to say.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// *Anggota Tim Kerja*: carries the procedure out.
    Member,
    /// *Ketua Tim Kerja*: a member who also approves, receives, and reads the audit log.
    Head,
    /// *Penyedia Jasa*: answers what it was asked, and sees no more than that.
    Provider,
    /// Reads everything, the audit log too.
    Auditor,
    /// Looks after accounts and the register; decides nothing of the procedure.
    Admin,
}

/// What somebody asks to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    Read,
    OpenCase,
    Verify,
    Propose,
    Approve,
    Coordinate,
    Receive,
    Remark,
    ManageAccounts,
    Import,
    /// How far Takar may go with a link.
    SetMode,
    /// Say that a link is worked on.
    Maintain,
    Audit,
    /// The provider's answer: by itself, or written down by the team that telephoned.
    DecideAsProvider,
}

/// Text that names no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected member, head, provider, auditor or admin")]
pub struct UnknownRole;

/// The one place that says it.
pub fn may(role: Role, act: Act) -> bool {
    match role {
        Role::Member => match act {
            Act::Read
            | Act::OpenCase
            | Act::Verify
            | Act::Propose
            | Act::Coordinate
            | Act::Remark
            | Act::Maintain
            | Act::DecideAsProvider => true,
            Act::Approve | Act::Receive | Act::ManageAccounts | Act::Import | Act::SetMode | Act::Audit => false,
        },
        Role::Head => matches!(act, Act::Approve | Act::Receive | Act::SetMode | Act::Audit) || may(Role::Member, act),
        Role::Provider => act == Act::DecideAsProvider,
        Role::Auditor => matches!(act, Act::Read | Act::Audit),
        Role::Admin => {
            matches!(act, Act::Read | Act::Audit | Act::ManageAccounts | Act::Import | Act::SetMode | Act::Maintain)
        }
    }
}

impl Role {
    pub const ALL: [Self; 5] = [Self::Member, Self::Head, Self::Provider, Self::Auditor, Self::Admin];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Head => "head",
            Self::Provider => "provider",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }
}

impl Act {
    pub const ALL: [Self; 14] = [
        Self::Read,
        Self::OpenCase,
        Self::Verify,
        Self::Propose,
        Self::Approve,
        Self::Coordinate,
        Self::Receive,
        Self::Remark,
        Self::ManageAccounts,
        Self::Import,
        Self::SetMode,
        Self::Maintain,
        Self::Audit,
        Self::DecideAsProvider,
    ];

    /// After "the right to".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::OpenCase => "open a case",
            Self::Verify => "verify a finding",
            Self::Propose => "propose",
            Self::Approve => "approve",
            Self::Coordinate => "coordinate a case",
            Self::Receive => "receive a report",
            Self::Remark => "make a remark",
            Self::ManageAccounts => "manage accounts",
            Self::Import => "change the register",
            Self::SetMode => "set the mode of a link",
            Self::Maintain => "say what is under maintenance",
            Self::Audit => "read the audit log",
            Self::DecideAsProvider => "answer for the provider",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row an act, a column a role: member, head, provider, auditor, admin.
    const TABLE: [(Act, [bool; 5]); 14] = [
        (Act::Read, [true, true, false, true, true]),
        (Act::OpenCase, [true, true, false, false, false]),
        (Act::Verify, [true, true, false, false, false]),
        (Act::Propose, [true, true, false, false, false]),
        (Act::Approve, [false, true, false, false, false]),
        (Act::Coordinate, [true, true, false, false, false]),
        (Act::Receive, [false, true, false, false, false]),
        (Act::Remark, [true, true, false, false, false]),
        (Act::ManageAccounts, [false, false, false, false, true]),
        (Act::Import, [false, false, false, false, true]),
        (Act::SetMode, [false, true, false, false, true]),
        (Act::Maintain, [true, true, false, false, true]),
        (Act::Audit, [false, true, false, true, true]),
        (Act::DecideAsProvider, [true, true, true, false, false]),
    ];

    #[test]
    fn every_role_may_exactly_what_the_table_says() {
        assert_eq!(TABLE.map(|(act, _)| act), Act::ALL);
        for (act, row) in TABLE {
            for (role, expected) in Role::ALL.into_iter().zip(row) {
                assert_eq!(may(role, act), expected, "{role}: {}", act.as_str());
            }
        }
    }

    #[test]
    fn whoever_looks_after_accounts_decides_nothing() {
        for role in Role::ALL.into_iter().filter(|role| may(*role, Act::ManageAccounts)) {
            assert!(!may(role, Act::Approve) && !may(role, Act::Receive), "{role}");
        }
    }

    #[test]
    fn a_role_reads_back_and_nothing_else_does() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
            assert_eq!(serde_json::to_string(&role).unwrap(), format!("\"{role}\""));
        }
        for wrong in ["", "Head", "root", "head "] {
            assert_eq!(wrong.parse::<Role>(), Err(UnknownRole), "{wrong:?}");
        }
    }
}
