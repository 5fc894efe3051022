//! The journal against power cuts and damage: what was durable is there again, or the start is refused.
// A test that cannot go on has failed.
#![allow(clippy::unwrap_used)]

use proptest::{prelude::*, sample::Index};
use takar_agent_core::journal::{self, Damaged, MAX_FRAME, OpenChange, OpenPhase, Record, State, Unwritable};
use takar_shared::{
    BitsPerSec, BootEpoch, ChangeId, Digest, Direction, MonoMillis, Name, Serial, UnixMillis,
    birth::QueueSet,
    id::name,
    queue::{QueueReading, Setting, Shaper, queue_digest},
    receipt::{self, Phase, Receipt},
};

/// A receipt with so many is close to the 4 KiB that the wire allows.
const MOST_READINGS: usize = 38;

fn device(at: u8) -> Name {
    name(&format!("device-{at}")).unwrap()
}

fn shaper(at: usize) -> Shaper {
    Shaper::Queue(name(&format!("{at:-<64}")).unwrap())
}

fn setting(at: usize, mir: u64) -> Setting {
    Setting { shaper: shaper(at), direction: Direction::Up, cir: Some(BitsPerSec(mir / 2)), mir: BitsPerSec(mir) }
}

fn new_receipt(state: &State, device: &Name, readings: usize) -> Receipt {
    let of = |at| {
        let (shaper, direction, mir) = (shaper(at), Direction::Up, BitsPerSec(u64::MAX));
        QueueReading { shaper, direction, cir: Some(mir), mir, burst: mir, disabled: true }
    };
    let readings: Vec<_> = (0..readings).map(of).collect();
    let record = state.device(device);
    Receipt {
        change: ChangeId([7; 16]),
        device: device.clone(),
        serial: record.map_or(Serial(0), |record| record.last_serial),
        phase: Phase::Applied,
        observed: Some(QueueSet { read_at: MonoMillis(1), digest: queue_digest(&readings), readings }),
        boot_epoch: state.epoch,
        previous: record.map_or(Digest([0; 32]), |record| record.receipt_head),
    }
}

#[derive(Clone, Debug)]
enum Happening {
    Boot,
    HighWater(u64),
    Refused(u8, usize),
    Accepted(u8, u64),
    Applied(u8, usize),
    Confirmed(u8),
    Done(u8, usize),
    RolledBack(u8, usize),
    Stored(u8, usize),
}

fn happening() -> impl Strategy<Value = Happening> {
    let (at, size) = (0u8..64, 0..MOST_READINGS);
    prop_oneof![
        Just(Happening::Boot),
        any::<u64>().prop_map(Happening::HighWater),
        (at.clone(), size.clone()).prop_map(|(at, size)| Happening::Refused(at, size)),
        (at.clone(), any::<u64>()).prop_map(|(at, mir)| Happening::Accepted(at, mir)),
        (at.clone(), size.clone()).prop_map(|(at, size)| Happening::Applied(at, size)),
        at.clone().prop_map(Happening::Confirmed),
        (at.clone(), size.clone()).prop_map(|(at, size)| Happening::Done(at, size)),
        (at.clone(), size).prop_map(|(at, size)| Happening::RolledBack(at, size)),
        (at, any::<usize>()).prop_map(|(at, which)| Happening::Stored(at, which)),
    ]
}

/// One append, as the machine makes it.
fn records(happening: &Happening, state: &State) -> Vec<Record> {
    let serial = |device: &Name| state.device(device).map_or(Serial(0), |record| record.last_serial).next();
    match *happening {
        Happening::Boot => vec![Record::Boot { epoch: BootEpoch(state.epoch.0 + 1) }],
        Happening::HighWater(at) => vec![Record::HighWater(UnixMillis(at))],
        Happening::Refused(at, size) => {
            let (device, command) = (device(at), Digest([at; 32]));
            let receipt = new_receipt(state, &device, size);
            vec![Record::Refused { serial: serial(&device), device, command }, Record::Receipt(receipt)]
        }
        Happening::Accepted(at, mir) => {
            let (device, command) = (device(at), Digest([at; 32]));
            let open = OpenChange {
                change: ChangeId([at; 16]),
                serial: serial(&device),
                old: vec![setting(0, mir / 3)],
                new: vec![setting(0, mir)],
                confirm_within_s: 30,
                phase: OpenPhase::Accepted,
            };
            vec![Record::Accepted { device, command, at: UnixMillis(mir), open }]
        }
        Happening::Applied(at, size) => {
            let receipt = new_receipt(state, &device(at), size);
            vec![Record::Applied { device: device(at) }, Record::Receipt(receipt)]
        }
        Happening::Confirmed(at) => vec![Record::Confirmed { device: device(at) }],
        Happening::Done(at, size) => {
            let receipt = new_receipt(state, &device(at), size);
            vec![Record::Done { device: device(at) }, Record::Receipt(receipt)]
        }
        Happening::RolledBack(at, size) => {
            let receipt = new_receipt(state, &device(at), size);
            vec![Record::RolledBack { device: device(at) }, Record::Receipt(receipt)]
        }
        Happening::Stored(at, which) => {
            let receipts = state.device(&device(at)).map(|record| record.receipts.as_slice()).unwrap_or_default();
            let kept = which.checked_rem(receipts.len()).and_then(|which| receipts.get(which)).map(receipt::digest);
            vec![Record::ReceiptsStored { device: device(at), up_to: kept.unwrap_or(Digest([9; 32])) }]
        }
    }
}

fn folded(mut state: State, records: &[Record]) -> State {
    records.iter().for_each(|record| state.fold(record));
    state
}

/// A file, where each append ends in it (first the snapshot), and the state at each of these ends.
struct Written {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    states: Vec<State>,
}

fn written(before: &[Happening], after: &[Happening]) -> Written {
    let begin = before.iter().fold(State::default(), |state, happening| {
        let records = records(happening, &state);
        folded(state, &records)
    });
    let bytes = journal::snapshot(&begin).unwrap();
    let mut written = Written { ends: vec![bytes.len()], bytes, states: vec![begin] };
    for happening in after {
        let state = written.states.last().unwrap().clone();
        let records = records(happening, &state);
        written.bytes.extend(journal::frame(&records).unwrap());
        written.ends.push(written.bytes.len());
        written.states.push(folded(state, &records));
    }
    written
}

impl Written {
    /// Cut at `cut`: the state of the last append that is whole, or no journal at all.
    fn holds_when_cut(&self, cut: usize) -> Result<(), TestCaseError> {
        let recovered = journal::recover(&self.bytes[..cut]);
        let Some(last) = self.ends.iter().rposition(|end| *end <= cut) else {
            prop_assert!(matches!(recovered, Err(Damaged::Snapshot { .. })), "byte {}", cut);
            return Ok(());
        };
        let recovered = recovered.unwrap();
        prop_assert_eq!(&recovered.state, &self.states[last]);
        prop_assert_eq!((recovered.snapshot_bytes, recovered.good_bytes), (self.ends[0], self.ends[last]));
        prop_assert_eq!(recovered.torn, cut > self.ends[last]);
        Ok(())
    }
}

fn every_kind() -> Vec<Happening> {
    use Happening::*;
    let change = |at| [Accepted(at, 900), Applied(at, 1), Confirmed(at), Done(at, 1)];
    let rest = [Refused(2, 0), Accepted(2, 5), Applied(2, 2), RolledBack(2, 1), HighWater(7), Stored(1, 0)];
    [Boot].into_iter().chain(change(1)).chain(rest).collect()
}

#[test]
fn a_torn_journal_recovers_a_prefix() {
    let written = written(&every_kind(), &every_kind());
    for cut in 0..=written.bytes.len() {
        written.holds_when_cut(cut).unwrap();
    }
}

/// What made snapshots that could not be read back: two such devices were enough.
#[test]
fn sixty_four_devices_full_of_receipts_read_back() {
    let mut state = State::default();
    for at in 0..64 {
        for _ in 0..32 {
            let receipt = new_receipt(&state, &device(at), MOST_READINGS);
            state.fold(&Record::Receipt(receipt));
        }
        state.device_mut(&device(at)).confirmed = (0..256).map(|at| setting(at, u64::MAX)).collect();
    }
    let snapshot = journal::snapshot(&state).unwrap();
    assert!(snapshot.len() > 25 * MAX_FRAME, "{}", snapshot.len());
    let recovered = journal::recover(&snapshot).unwrap();
    assert!(recovered.state == state && !recovered.torn);
    // Half written, whatever the half.
    for cut in [1, snapshot.len() / 2, snapshot.len() - 1] {
        assert!(matches!(journal::recover(&snapshot[..cut]), Err(Damaged::Snapshot { .. })), "{cut}");
    }
}

#[test]
fn what_would_not_read_back_is_not_written() {
    let large = |readings| Record::Receipt(new_receipt(&State::default(), &device(0), readings));
    let fits = vec![large(MOST_READINGS); 60];
    let bytes = [journal::snapshot(&State::default()).unwrap(), journal::frame(&fits).unwrap()].concat();
    assert!(!journal::recover(&bytes).unwrap().torn);
    let Err(Unwritable::TooLong { bytes }) = journal::frame(&[large(4_000)]) else { panic!("written") };
    assert!(bytes > MAX_FRAME);
    let mut state = State::default();
    state.fold(&large(4_000));
    assert!(matches!(journal::snapshot(&state), Err(Unwritable::TooLong { .. })));
}

#[test]
fn a_file_of_nothing_is_no_journal() {
    for nothing in [vec![], vec![0; 4096], b"garbage, not a journal".to_vec(), journal::frame(&[]).unwrap()] {
        assert_eq!(journal::recover(&nothing), Err(Damaged::Snapshot { at: 0 }));
    }
    // The begin of a snapshot within a journal: nothing writes that.
    let snapshot = journal::snapshot(&State::default()).unwrap();
    let twice = [&snapshot[..], &snapshot[..]].concat();
    assert_eq!(journal::recover(&twice), Err(Damaged::Record { at: snapshot.len() }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_cut_never_goes_behind_what_was_durable(
        before in prop::collection::vec(happening(), 0..80),
        after in prop::collection::vec(happening(), 0..20),
        cuts in prop::collection::vec(any::<Index>(), 16),
    ) {
        let written = written(&before, &after);
        written.holds_when_cut(written.bytes.len())?;
        for cut in cuts {
            written.holds_when_cut(cut.index(written.bytes.len() + 1))?;
        }
    }

    /// The disk may write the pages of the last append in any order, or find no room for some of them.
    #[test]
    fn an_append_under_way_counts_as_a_whole_or_not_at_all(
        before in prop::collection::vec(happening(), 0..20),
        after in prop::collection::vec(happening(), 1..10),
        kept in any::<Index>(),
        hole in any::<(Index, Index)>(),
        tail in 0usize..64,
    ) {
        let mut written = written(&before, &after);
        let whole = written.bytes.clone();
        let begin = written.ends[written.ends.len() - 2];
        let last = &mut written.bytes[begin..];
        let (from, to) = (hole.0.index(last.len() + 1), hole.1.index(last.len() + 1));
        last[from.min(to)..from.max(to)].fill(0);
        written.bytes.truncate(begin + kept.index(whole.len() - begin + 1));
        // A file may have got its new length before its bytes.
        written.bytes.extend(vec![0; tail]);
        let recovered = journal::recover(&written.bytes).unwrap();
        let unharmed = written.bytes.starts_with(&whole);
        prop_assert_eq!(&recovered.state, &written.states[written.states.len() - if unharmed { 1 } else { 2 }]);
    }

    /// Damage of what later appends relied on is never passed over.
    #[test]
    fn damage_before_the_last_append_is_told(
        before in prop::collection::vec(happening(), 0..20),
        after in prop::collection::vec(happening(), 2..10),
        at in any::<Index>(),
        flip in 1u8..=255,
    ) {
        let mut written = written(&before, &after);
        let at = at.index(written.ends[written.ends.len() - 2]);
        written.bytes[at] ^= flip;
        let damaged = journal::recover(&written.bytes);
        if at < written.ends[0] {
            prop_assert!(matches!(damaged, Err(Damaged::Snapshot { .. })), "byte {}", at);
        } else {
            let begin = *written.ends.iter().rev().find(|end| **end <= at).unwrap();
            prop_assert_eq!(damaged, Err(Damaged::Record { at: begin }));
        }
    }
}
