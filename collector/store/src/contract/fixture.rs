//! Small records to put into a store: two agents, a proposal and what follows from it.

use takar_collector_core::{
    assess::{Evidence, Finding, FindingKind},
    audit::{AuditEvent, AuditRecord},
    inventory::{LinkName, UplinkName},
    ledger::{
        Actor, Batch, BatchState, Change, ChangeState, ChangeTimes, LinkMove, ProposalId, ProposalRecord, ProposalState,
    },
    plan::{Move, Proposal, Why},
};
use takar_shared::{
    AgentId, BatchId, BitsPerSec, BootEpoch, ChangeId, Digest, Direction, Name, Serial, UnixMillis,
    birth::{Bound, Meter},
    bundle::RequestedDevice,
    id,
    queue::{Setting, Shaper},
    receipt::{Phase, Receipt},
};

use crate::{AgentRecord, CeilingRow, FindingRecord, MeterId, MeterKey, SampleRow, Write};

pub(super) const AGENT: AgentId = AgentId([0xa1; 16]);
pub(super) const OTHER_AGENT: AgentId = AgentId([0xa2; 16]);
pub(super) const BATCH: BatchId = BatchId([0xb1; 16]);
pub(super) const CHANGE: ChangeId = ChangeId([0xc1; 16]);
pub(super) const OTHER_CHANGE: ChangeId = ChangeId([0xc2; 16]);
pub(super) const PROPOSAL: ProposalId = ProposalId(1);

pub(super) fn name(text: &str) -> Name {
    id::name(text).expect("a short name")
}

pub(super) fn device() -> Name {
    name("router-1")
}

pub(super) fn link(text: &str) -> LinkName {
    text.parse().expect("a link's name")
}

pub(super) fn shaper() -> Shaper {
    Shaper::Queue(name("q \"1\" 'é'"))
}

pub(super) fn agent(id: AgentId) -> AgentRecord {
    let bound = Bound {
        shaper: shaper(),
        direction: Direction::Up,
        floor: BitsPerSec(1_000_000),
        ceiling: BitsPerSec(u64::MAX),
    };
    AgentRecord {
        id,
        name: format!("agent {id}"),
        public_key: [id.0[0]; 32],
        approved_at: UnixMillis(1_000),
        approved_by: Actor::Person("sri".into()),
        revoked: false,
        devices: vec![RequestedDevice { device: "router-1".into(), changes_per_hour: 6, bounds: vec![bound] }],
    }
}

pub(super) fn meter() -> MeterKey {
    MeterKey { agent: AGENT, device: device(), meter: Meter::Interface(name("ether1")) }
}

pub(super) fn queue_meter() -> MeterKey {
    let meter = Meter::Shaper { shaper: shaper(), direction: Direction::Down };
    MeterKey { agent: AGENT, device: device(), meter }
}

pub(super) fn sample(meter: MeterId, at: u64) -> SampleRow {
    let values = [at, u64::MAX, 1 << 63, 0];
    SampleRow { at: UnixMillis(at), meter, values, narrow: at % 2 == 1, break_before: at % 3 == 1 }
}

pub(super) fn ceiling(at: u64, direction: Direction, mir: u64) -> CeilingRow {
    CeilingRow {
        at: UnixMillis(at),
        agent: AGENT,
        device: device(),
        shaper: shaper(),
        direction,
        cir: (direction == Direction::Up).then_some(BitsPerSec(64_000)),
        mir: BitsPerSec(mir),
        disabled: mir == 0,
    }
}

pub(super) fn finding(id: u64, closed_at: Option<UnixMillis>) -> FindingRecord {
    let evidence = Evidence {
        judged_at: UnixMillis(5_000),
        ceiling: Some(BitsPerSec(10_000_000)),
        matching: None,
        readings: Vec::new(),
        load: None,
        queue: None,
        dropped: Vec::new(),
    };
    let finding = Finding {
        link: link("sd-02.wan"),
        direction: Direction::Down,
        kind: FindingKind::Shortage,
        since: UnixMillis(4_000),
        size: BitsPerSec(2_000_000),
        evidence,
    };
    FindingRecord { id, opened_at: UnixMillis(5_000), closed_at, finding }
}

fn uplink() -> UplinkName {
    "isp-1".parse().expect("an uplink's name")
}

pub(super) fn proposal(id: ProposalId) -> ProposalRecord {
    let gives = Move {
        link: link("sd-01.wan"),
        from: BitsPerSec(20_000_000),
        to: BitsPerSec(18_000_000),
        cir: Some(BitsPerSec(5_000_000)),
        why: Why::Gives { spare: BitsPerSec(4_000_000) },
    };
    ProposalRecord {
        id,
        made_at: UnixMillis(6_000),
        made_by: Actor::Takar,
        finding: Some(1),
        case: None,
        reason: None,
        proposal: Proposal {
            uplink: uplink(),
            direction: Direction::Down,
            moves: vec![gives],
            sum_before: BitsPerSec(30_000_000),
            sum_after: BitsPerSec(28_000_000),
            budget: BitsPerSec(28_000_000),
        },
        others: vec![(link("sd-03.wan"), "It keeps what it has.".into())],
        state: ProposalState::Proposed,
        decided_at: None,
        batch: None,
    }
}

pub(super) fn batch() -> Batch {
    Batch {
        id: BATCH,
        proposal: PROPOSAL,
        uplink: uplink(),
        direction: Direction::Down,
        sum_at_start: BitsPerSec(30_000_000),
        state: BatchState::Running,
        started_at: UnixMillis(7_000),
        ended_at: None,
    }
}

pub(super) fn change(id: ChangeId, state: ChangeState) -> Change {
    let set = Setting { shaper: shaper(), direction: Direction::Down, cir: None, mir: BitsPerSec(18_000_000) };
    Change {
        id,
        batch: BATCH,
        proposal: PROPOSAL,
        step: 1,
        steps: 2,
        agent: AGENT,
        device: device(),
        serial: Some(Serial(1)),
        moves: vec![LinkMove { link: link("sd-01.wan"), from: BitsPerSec(20_000_000), set }],
        state,
        times: ChangeTimes { made: UnixMillis(7_000), ..ChangeTimes::default() },
    }
}

/// What must be there before anything can be put in the outbox.
pub(super) fn ground() -> Vec<Write> {
    vec![
        Write::Agent(agent(AGENT)),
        Write::Agent(agent(OTHER_AGENT)),
        Write::Proposal(proposal(PROPOSAL)),
        Write::Batch(batch()),
        Write::Change(change(CHANGE, ChangeState::Waiting)),
        Write::Change(change(OTHER_CHANGE, ChangeState::Waiting)),
    ]
}

pub(super) fn outbox(change: ChangeId, serial: u64, command: &[u8]) -> Write {
    Write::Outbox {
        change,
        agent: AGENT,
        device: device(),
        serial: Serial(serial),
        expires_at: UnixMillis(9_000),
        command: command.to_vec(),
    }
}

pub(super) fn receipt(phase: Phase, previous: Digest) -> Receipt {
    Receipt {
        change: CHANGE,
        device: device(),
        serial: Serial(1),
        phase,
        observed: None,
        boot_epoch: BootEpoch(3),
        previous,
    }
}

/// A leaf; the store takes line and root as they are.
pub(super) fn leaf(index: u64) -> Write {
    let what = AuditEvent::Approved { proposal: PROPOSAL };
    let record = AuditRecord { index, at: UnixMillis(8_000), who: Actor::Policy, from: None, what };
    Write::Leaf { record, line: line(index), root: root(index) }
}

pub(super) fn line(index: u64) -> Vec<u8> {
    format!("leaf {index}").into_bytes()
}

pub(super) fn root(index: u64) -> Digest {
    Digest::of(&line(index))
}
