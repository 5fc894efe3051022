//! The audit log: an append-only Merkle tree (RFC 6962 §2.1) over records that each say who did
//! what. A leaf's bytes are the record's JSON line as stored; what is hashed is what is kept.

use alloc::{collections::BTreeSet, string::String, vec::Vec};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use takar_shared::{ChangeId, Digest, UnixMillis};

use crate::{
    case::CaseId,
    ledger::{Actor, ProposalId},
    maintenance::MaintenanceId,
};

/// One record. Field order is the order in the line: do not reorder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Position in the log, from 0.
    pub index: u64,
    pub at: UnixMillis,
    pub who: Actor,
    /// Where a person acted from: `socket uid 1001`, an address, a provider's link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    pub what: AuditEvent,
}

/// New events are appended; a stored line must always read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum AuditEvent {
    DeviceApproved {
        agent: String,
        name: String,
    },
    InventoryImported {
        digest: String,
        uplinks: usize,
        links: usize,
    },
    Proposed {
        proposal: ProposalId,
        summary: String,
        /// Absent in records of before there were cases.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        case: Option<CaseId>,
    },
    Approved {
        proposal: ProposalId,
    },
    Declined {
        proposal: ProposalId,
        reason: String,
    },
    Superseded {
        proposal: ProposalId,
        why: String,
    },
    /// The command as signed: SHA-256 of the envelope's bytes.
    Dispatched {
        change: String,
        proposal: ProposalId,
        agent: String,
        device: String,
        serial: u64,
        command: String,
        set: Vec<String>,
    },
    ConfirmSigned {
        change: String,
        serial: u64,
    },
    /// A device's receipt about a change: its phase in words and the digest that chains it.
    Received {
        change: String,
        serial: u64,
        phase: String,
        receipt: String,
    },
    Withdrawn {
        change: String,
        proposal: ProposalId,
    },
    /// The agent was taken out: another serves its devices from here on.
    DeviceRevoked {
        agent: String,
        name: String,
    },
    CaseOpened {
        case: CaseId,
        kind: String,
        uplink: String,
        direction: String,
        /// `finding 3`, `need sd-02-exam`, `person siti`, `request siti`
        origin: String,
    },
    /// One move of a case: the act, the step that it was in, and SHA-256 of what was frozen with it.
    CaseMoved {
        case: CaseId,
        act: String,
        step: u8,
        /// Where it went: a step's name, or how it waits or ended.
        state: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proposal: Option<ProposalId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evidence: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// A paper of the office, with SHA-256 of each of its files.
    PaperWritten {
        number: String,
        kind: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        case: Option<CaseId>,
        files: Vec<(String, String)>,
    },
    /// `what`: added, changed, disabled, password, …; never a secret.
    AccountChanged {
        account: String,
        what: String,
    },
    /// An account logged in.
    LoggedIn {
        account: String,
    },
    /// How far Takar may go with a link: observe, propose or live.
    LinkModeChanged {
        link: String,
        from: String,
        to: String,
    },
    /// `scope`: `link sd-02`, `site sd-02`, `uplink ast-01`. It ends by itself at `until`.
    MaintenanceAdded {
        maintenance: MaintenanceId,
        scope: String,
        from: UnixMillis,
        until: UnixMillis,
        reason: String,
    },
    /// Before its time, by a person.
    MaintenanceEnded {
        maintenance: MaintenanceId,
        scope: String,
    },
}

impl AuditEvent {
    /// The change this record is about, where it is about one.
    pub fn change(&self) -> Option<&str> {
        match self {
            Self::Dispatched { change, .. }
            | Self::ConfirmSigned { change, .. }
            | Self::Received { change, .. }
            | Self::Withdrawn { change, .. } => Some(change),
            _ => None,
        }
    }
}

/// What the tree over all leaves so far comes to: its size, and the roots of the full subtrees that its leaves
/// make up, the largest first. That is all a further leaf needs, so it costs the same to copy whatever the log's
/// length. [`verify`] recomputes the root by other code, from the leaves.
#[derive(Clone, Debug, Default)]
pub struct AuditTree {
    size: u64,
    /// One for each bit that is set in `size`.
    subtrees: Vec<[u8; 32]>,
}

impl AuditTree {
    pub fn from_leaves(leaves: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut tree = Self::default();
        leaves.into_iter().for_each(|leaf| tree.push(&leaf));
        tree
    }

    pub fn push(&mut self, leaf: &[u8]) {
        let mut right: [u8; 32] = Sha256::new().chain_update([0]).chain_update(leaf).finalize().into();
        // Two full subtrees of one height make the next.
        for _ in 0..self.size.trailing_ones() {
            let Some(left) = self.subtrees.pop() else { break };
            right = node(&left, &right);
        }
        self.subtrees.push(right);
        self.size += 1;
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    /// The RFC 6962 Merkle Tree Hash.
    pub fn root(&self) -> Digest {
        let root = self.subtrees.iter().rev().copied().reduce(|right, left| node(&left, &right));
        root.map_or_else(|| Digest(Sha256::digest([]).into()), Digest)
    }
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// What verifying found wrong; empty is good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "kebab-case")]
pub enum Fault {
    /// The recomputed root is not the one written down with the last record.
    Root {
        recomputed: String,
        stored: String,
    },
    Size {
        leaves: u64,
        stored: u64,
    },
    Unreadable {
        index: u64,
    },
    OutOfOrder {
        index: u64,
    },
    /// A change of a queue without the record that it was sent.
    NoLeaf {
        change: String,
    },
    /// A change that two records say was sent: one of them is made up.
    SentTwice {
        change: String,
    },
    /// A change that was sent though nobody, and no policy, approved its proposal before.
    NotApproved {
        change: String,
        proposal: ProposalId,
    },
    /// A proposal that says of no case why it was made.
    NoCase {
        proposal: ProposalId,
    },
    /// A case that nothing opened.
    NotOpened {
        case: CaseId,
    },
}

/// Recomputes the root from the leaves and finds a `dispatched` leaf for every change that left the
/// collector.
pub fn verify<'a>(
    leaves: &[Vec<u8>],
    parse: impl Fn(&[u8]) -> Option<AuditRecord>,
    stored: (u64, Digest),
    changes: impl IntoIterator<Item = &'a ChangeId>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    leaves.iter().for_each(|leaf| tree.push(leaf.clone()));
    let (root, size) = (tree.root(), tree.len());
    if size != stored.0 {
        faults.push(Fault::Size { leaves: size, stored: stored.0 });
    }
    if root.as_bytes().as_slice() != stored.1.0 {
        let mut recomputed = [0; 32];
        recomputed.copy_from_slice(root.as_bytes());
        let (recomputed, stored) = (alloc::format!("{}", Digest(recomputed)), alloc::format!("{}", stored.1));
        faults.push(Fault::Root { recomputed, stored });
    }
    let mut trace = Trace::default();
    for (index, leaf) in (0u64..).zip(leaves) {
        match parse(leaf) {
            None => faults.push(Fault::Unreadable { index }),
            Some(record) if record.index != index => faults.push(Fault::OutOfOrder { index }),
            Some(record) => trace.follow(record.what, &mut faults),
        }
    }
    for change in changes {
        let change = alloc::format!("{change}");
        if !trace.dispatched.contains(&change) {
            faults.push(Fault::NoLeaf { change });
        }
    }
    faults
}

/// Ties each change to its approval, its proposal, and the case that it was made for, in the order of the log.
#[derive(Default)]
struct Trace {
    dispatched: BTreeSet<String>,
    approved: BTreeSet<ProposalId>,
    opened: BTreeSet<CaseId>,
    /// Logs of before there were cases have proposals without one.
    has_cases: bool,
}

impl Trace {
    fn follow(&mut self, event: AuditEvent, faults: &mut Vec<Fault>) {
        match event {
            AuditEvent::CaseOpened { case, .. } => {
                self.has_cases = true;
                self.opened.insert(case);
            }
            AuditEvent::Proposed { proposal, case: None, .. } if self.has_cases => {
                faults.push(Fault::NoCase { proposal });
            }
            AuditEvent::Proposed { case: Some(case), .. } | AuditEvent::CaseMoved { case, .. }
                if !self.opened.contains(&case) =>
            {
                faults.push(Fault::NotOpened { case });
            }
            AuditEvent::Approved { proposal } => {
                self.approved.insert(proposal);
            }
            AuditEvent::Dispatched { change, proposal, .. } => {
                if !self.approved.contains(&proposal) {
                    faults.push(Fault::NotApproved { change: change.clone(), proposal });
                }
                if let Some(change) = self.dispatched.replace(change) {
                    faults.push(Fault::SentTwice { change });
                }
            }
            _ => {}
        }
    }
}
