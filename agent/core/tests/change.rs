//! The commit-confirm machine against a device, a disk and a power switch in virtual time.
// A test that cannot go on has failed.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use takar_agent_core::{
    admit::{DeviceLimits, Situation},
    change::{Effect, Machine},
    grant::Granted,
    journal::{self, State},
};
use takar_shared::{
    BatchId, BitsPerSec, BootEpoch, ChangeId, Digest, Direction, MonoMillis, Serial, UnixMillis,
    birth::{Bound, Mode},
    command::{Command, Confirm},
    id::name,
    queue::{QueueReading, Setting, Shaper, queue_digest},
    receipt::{self, Phase, Receipt, Refusal, RollbackCause},
};

const CONFIRM_S: u32 = 30;

/// One router: its queue, its disk and the program on it. Power may be cut before any effect.
struct Rig {
    mir: u64,
    /// What a boot of the router would set, where it has such a place.
    kept: u64,
    disk: Vec<u8>,
    machine: Machine,
    now: MonoMillis,
    sent: Vec<Receipt>,
    /// How often the queue was set to each value.
    applied: Vec<u64>,
    effects_until_cut: Option<usize>,
    disk_full: bool,
    apply_fails: bool,
    /// The queue shapes nothing.
    disabled: bool,
    /// From the next time it is set.
    disabled_when_set: bool,
}

fn limits() -> DeviceLimits {
    let (shaper, direction) = (shaper(), Direction::Up);
    let bound = Bound { shaper, direction, floor: BitsPerSec(1_000), ceiling: BitsPerSec(1_000_000) };
    DeviceLimits { device: name("edge").unwrap(), bounds: vec![bound], changes_per_hour: 100, has_cir: false }
}

fn shaper() -> Shaper {
    Shaper::Root(name("wan").unwrap())
}

fn setting(mir: u64) -> Setting {
    Setting { shaper: shaper(), direction: Direction::Up, cir: None, mir: BitsPerSec(mir) }
}

fn reading(mir: u64) -> QueueReading {
    let (shaper, direction) = (shaper(), Direction::Up);
    QueueReading { shaper, direction, cir: None, mir: BitsPerSec(mir), burst: BitsPerSec::ZERO, disabled: false }
}

fn command(serial: u64, from: u64, to: u64) -> Command {
    Command {
        change: ChangeId([serial as u8; 16]),
        device: name("edge").unwrap(),
        serial: Serial(serial),
        expires_at: UnixMillis(10_000_000),
        batch: BatchId([0; 16]),
        step: 1,
        steps: 1,
        expects: queue_digest(&[reading(from)]),
        set: vec![setting(to)],
        confirm_within_s: CONFIRM_S,
    }
}

fn digest_of(command: &Command) -> Digest {
    Digest::of(&command.set[0].mir.0.to_le_bytes())
}

fn live() -> Situation {
    let granted = Granted { now_at_most: UnixMillis(1_000_000), keyset_min: 1, expires_in_ms: 60_000 };
    Situation { mode: Mode::Live, granted: Some(granted), keyset_version: 1 }
}

fn boot(disk: &[u8]) -> Machine {
    let state = journal::recover(disk).unwrap().state;
    let device = name("edge").unwrap();
    let record = state.device(&device).cloned().unwrap_or_else(|| journal::DeviceRecord::new(device));
    Machine::new(limits(), BootEpoch(1), record)
}

impl Rig {
    fn new() -> Self {
        let disk = journal::snapshot(&State::default()).unwrap();
        let machine = boot(&disk);
        Self {
            mir: 500_000,
            kept: 500_000,
            disk,
            machine,
            now: MonoMillis(0),
            sent: vec![],
            applied: vec![],
            effects_until_cut: None,
            disk_full: false,
            apply_fails: false,
            disabled: false,
            disabled_when_set: false,
        }
    }

    fn run(&mut self, effects: Vec<Effect>) {
        let mut queue: std::collections::VecDeque<Effect> = effects.into();
        while let Some(effect) = queue.pop_front() {
            if let Some(left) = &mut self.effects_until_cut {
                if *left == 0 {
                    self.effects_until_cut = None;
                    return self.restart();
                }
                *left -= 1;
            }
            let more = match effect {
                Effect::Read => {
                    let reading = QueueReading { disabled: self.disabled, ..reading(self.mir) };
                    self.machine.handle_queues(Some(vec![reading]), self.now)
                }
                Effect::Apply(settings) => {
                    if !self.apply_fails {
                        self.mir = settings.first().map_or(self.mir, |setting| setting.mir.0);
                        self.applied.push(self.mir);
                        self.disabled |= self.disabled_when_set;
                    }
                    self.machine.handle_applied(!self.apply_fails, self.now)
                }
                Effect::Keep(settings) => {
                    self.kept = settings[0].mir.0;
                    vec![]
                }
                Effect::Journal(records) => {
                    if !self.disk_full {
                        self.disk.extend(journal::frame(&records).unwrap());
                    }
                    self.machine.handle_journalled(!self.disk_full, self.now)
                }
                Effect::Send(receipt) => {
                    self.sent.push(receipt);
                    vec![]
                }
                Effect::Alarm(_) | Effect::NotReinstated(..) => vec![],
            };
            queue.extend(more);
        }
    }

    fn restart(&mut self) {
        self.machine = boot(&self.disk);
        let effects = self.machine.start(false);
        self.run(effects);
    }

    fn command(&mut self, command: &Command) {
        let effects = self.machine.handle_command(command.clone(), digest_of(command), live());
        self.run(effects);
    }

    fn confirm(&mut self, command: &Command) {
        let Command { change, device, serial, .. } = command.clone();
        let effects = self.machine.handle_confirm(&Confirm { change, device, serial });
        self.run(effects);
    }

    fn wait(&mut self, ms: u64) {
        self.now = self.now.plus(ms);
        let effects = self.machine.handle_timeout(self.now);
        self.run(effects);
    }

    fn phases(&self) -> Vec<Phase> {
        self.sent.iter().map(|receipt| receipt.phase).collect()
    }
}

#[test]
fn a_confirmed_change_stays() {
    let mut rig = Rig::new();
    let change = command(1, 500_000, 200_000);
    rig.command(&change);
    assert_eq!((rig.mir, rig.kept), (200_000, 500_000));
    rig.confirm(&change);
    rig.wait(1_000_000);
    assert_eq!((rig.mir, rig.kept), (200_000, 200_000));
    assert_eq!(rig.phases(), [Phase::Applied, Phase::Confirmed]);
}

#[test]
fn p4_an_unconfirmed_change_reverts() {
    let mut rig = Rig::new();
    rig.command(&command(1, 500_000, 200_000));
    rig.wait(u64::from(CONFIRM_S) * 1000 - 1);
    assert_eq!(rig.mir, 200_000);
    rig.wait(1);
    assert_eq!((rig.mir, rig.kept), (500_000, 500_000));
    assert_eq!(rig.phases(), [Phase::Applied, Phase::RolledBack(RollbackCause::NotConfirmed)]);
}

#[test]
fn a_late_confirm_changes_nothing() {
    let mut rig = Rig::new();
    let change = command(1, 500_000, 200_000);
    rig.command(&change);
    rig.wait(31_000);
    rig.confirm(&change);
    assert_eq!(rig.mir, 500_000);
    assert_eq!(rig.phases().last(), Some(&Phase::RolledBack(RollbackCause::NotConfirmed)));
}

#[test]
fn p2_identical_bytes_again_get_the_stored_receipt() {
    let mut rig = Rig::new();
    let change = command(1, 500_000, 200_000);
    rig.command(&change);
    rig.command(&change);
    assert_eq!(rig.applied, [200_000]);
    assert_eq!(rig.phases(), [Phase::Applied, Phase::Applied]);
    assert_eq!(rig.sent[0], rig.sent[1]);
}

#[test]
fn other_bytes_under_a_consumed_serial_are_an_alarm() {
    let mut rig = Rig::new();
    rig.command(&command(1, 500_000, 200_000));
    let other = command(1, 500_000, 300_000);
    let effects = rig.machine.handle_command(other.clone(), digest_of(&other), live());
    assert!(matches!(effects[..], [Effect::Alarm(_)]));
}

#[test]
fn a_skipped_serial_consumes_nothing() {
    let mut rig = Rig::new();
    rig.command(&command(3, 500_000, 200_000));
    assert_eq!(rig.machine.last_serial(), Serial(0));
    rig.command(&command(1, 500_000, 200_000));
    assert_eq!(rig.mir, 200_000);
}

#[test]
fn drift_is_refused_and_consumes_the_serial() {
    let mut rig = Rig::new();
    rig.command(&command(1, 499_999, 200_000));
    assert_eq!(rig.phases(), [Phase::Refused(Refusal::UnexpectedQueues)]);
    assert_eq!((rig.mir, rig.machine.last_serial()), (500_000, Serial(1)));
}

#[test]
fn a_queue_that_shapes_nothing_is_not_set() {
    let mut rig = Rig::new();
    rig.disabled = true;
    let mut change = command(1, 500_000, 200_000);
    change.expects = queue_digest(&[QueueReading { disabled: true, ..reading(500_000) }]);
    rig.command(&change);
    assert_eq!(rig.phases(), [Phase::Refused(Refusal::Ineffective)]);
    assert!(rig.applied.is_empty());
}

#[test]
fn set_without_effect_is_undone_at_once_and_when_it_is_to_be_confirmed() {
    let mut rig = Rig::new();
    rig.disabled_when_set = true;
    rig.command(&command(1, 500_000, 200_000));
    assert_eq!(rig.phases(), [Phase::RolledBack(RollbackCause::Ineffective)]);
    assert_eq!(rig.applied, [200_000, 500_000]);

    let mut rig = Rig::new();
    let change = command(1, 500_000, 200_000);
    rig.command(&change);
    rig.disabled = true;
    rig.confirm(&change);
    assert_eq!(rig.phases(), [Phase::Applied, Phase::RolledBack(RollbackCause::Ineffective)]);
    assert_eq!(rig.mir, 500_000);
}

#[test]
fn local_bounds_hold_against_a_valid_signature() {
    for (to, refusal) in [(999, Refusal::BelowFloor), (1_000_001, Refusal::AboveCeiling), (0, Refusal::BelowFloor)] {
        let mut rig = Rig::new();
        rig.command(&command(1, 500_000, to));
        assert_eq!(rig.phases(), [Phase::Refused(refusal)]);
        assert_eq!(rig.mir, 500_000);
    }
}

#[test]
fn a_full_disk_before_accepted_applies_nothing() {
    let mut rig = Rig::new();
    rig.disk_full = true;
    let change = command(1, 500_000, 200_000);
    rig.command(&change);
    assert_eq!((rig.applied.len(), rig.machine.last_serial()), (0, Serial(0)));
    rig.disk_full = false;
    rig.command(&change);
    assert_eq!(rig.mir, 200_000);
}

#[test]
fn receipts_chain() {
    let mut rig = Rig::new();
    for (serial, from, to) in [(1, 500_000, 200_000), (2, 200_000, 300_000)] {
        let change = command(serial, from, to);
        rig.command(&change);
        rig.confirm(&change);
    }
    let mut head = Digest([0; 32]);
    for receipt in &rig.sent {
        assert_eq!(receipt.previous, head);
        head = receipt::digest(receipt);
    }
    assert_eq!(rig.machine.unstored_receipts().len(), 4);
    let effects = rig.machine.handle_receipts_stored(head);
    rig.run(effects);
    assert!(rig.machine.unstored_receipts().is_empty());
}

#[derive(Clone, Debug)]
enum Happening {
    Command { skip: u64, to: u64 },
    Resend,
    Confirm,
    Wait(u64),
    CutAfter(usize),
    Restart,
    DiskFull(bool),
    ApplyFails(bool),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (0u64..2, 1_000u64..1_000_000).prop_map(|(skip, to)| Happening::Command { skip, to }),
        2 => Just(Happening::Resend),
        3 => Just(Happening::Confirm),
        3 => (0u64..40_000).prop_map(Happening::Wait),
        3 => (0usize..8).prop_map(Happening::CutAfter),
        1 => Just(Happening::Restart),
        1 => any::<bool>().prop_map(Happening::DiskFull),
        1 => any::<bool>().prop_map(Happening::ApplyFails),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// P2 and P4 under power cuts, a full disk and a queue that refuses: once all is well again and
    /// the time to confirm is over, what is in force is what was last *confirmed in the journal*, and so is what a boot
    /// would set.
    #[test]
    fn only_confirmed_values_stay(script in prop::collection::vec(happening(), 1..40)) {
        let mut rig = Rig::new();
        let mut last: Option<Command> = None;
        for happening in script {
            match happening {
                Happening::Command { skip, to } => {
                    let change = command(rig.machine.last_serial().0 + 1 + skip, rig.mir, to);
                    rig.command(&change);
                    last = Some(change);
                }
                Happening::Resend => if let Some(change) = &last { rig.command(change) },
                Happening::Confirm => if let Some(change) = &last { rig.confirm(change) },
                Happening::Wait(ms) => rig.wait(ms),
                Happening::CutAfter(effects) => rig.effects_until_cut = Some(effects),
                Happening::Restart => rig.restart(),
                Happening::DiskFull(full) => rig.disk_full = full,
                Happening::ApplyFails(fails) => rig.apply_fails = fails,
            }
        }
        rig.effects_until_cut = None;
        rig.disk_full = false;
        rig.apply_fails = false;
        for _ in 0..4 {
            rig.wait(40_000);
        }
        prop_assert!(rig.machine.is_quiet());
        prop_assert!(rig.machine.pending().is_none());
        let recovered = journal::recover(&rig.disk).unwrap();
        prop_assert!(!recovered.torn);
        let device = recovered.state.device(&name("edge").unwrap()).cloned();
        let confirmed = device.and_then(|record| record.confirmed.first().map(|setting| setting.mir.0));
        prop_assert_eq!(rig.mir, confirmed.unwrap_or(500_000));
        prop_assert_eq!(rig.kept, rig.mir);
    }
}
