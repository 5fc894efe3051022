use std::os::unix::fs::MetadataExt as _;

use proptest::prelude::*;
use takar_shared::{
    BitsPerSec, BootEpoch, ChangeId, Digest, Direction, MonoMillis, Serial, UnixMillis,
    birth::QueueSet,
    id::name,
    queue::{QueueReading, Shaper, queue_digest},
    receipt::{Phase, Receipt},
};

use super::*;

/// Close to the 4 KiB that a receipt may have.
const MOST_READINGS: usize = 38;

fn path(dir: &tempfile::TempDir) -> PathBuf {
    dir.path().join(NAME)
}

/// Why the journal in `dir` does not open, in one line.
fn refusal(dir: &tempfile::TempDir) -> String {
    let error = format!("{:#}", Journal::open(dir.path()).err().unwrap());
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

/// What a device appends with a receipt of so many readings.
fn step(device: u8, serial: u64, readings: usize) -> [Record; 2] {
    let device = name(&format!("device-{device}")).unwrap();
    let of = |at: usize| {
        let (shaper, mir) = (Shaper::Queue(name(&format!("{at:-<64}")).unwrap()), BitsPerSec(u64::MAX));
        QueueReading { shaper, direction: Direction::Up, cir: Some(mir), mir, burst: mir, disabled: false }
    };
    let readings: Vec<_> = (0..readings).map(of).collect();
    let receipt = Receipt {
        change: ChangeId([7; 16]),
        device: device.clone(),
        serial: Serial(serial),
        phase: Phase::Applied,
        observed: Some(QueueSet { read_at: MonoMillis(1), digest: queue_digest(&readings), readings }),
        boot_epoch: BootEpoch(1),
        previous: Digest([0; 32]),
    };
    [Record::Refused { device, serial: Serial(serial), command: Digest([1; 32]) }, Record::Receipt(receipt)]
}

#[test]
fn what_was_appended_is_there_again_over_many_snapshots() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..3u64 {
        let mut journal = Journal::open(dir.path()).unwrap();
        assert_eq!(journal.state().high_water, UnixMillis(round * 5_000));
        for at in 1..=5_000 {
            journal.append(&[Record::HighWater(UnixMillis(round * 5_000 + at))]).unwrap();
        }
        journal.append(&[Record::Boot { epoch: BootEpoch(7) }]).unwrap();
    }
    let size = fs::metadata(path(&dir)).unwrap().len();
    assert!(size < 2 * LEAST_APPENDED, "{size}");
    assert!(!dir.path().join(NEXT).exists());
}

/// Eight devices full of receipts are more than any frame holds, and a snapshot of them is not
/// written anew with every append.
#[test]
fn a_large_state_is_there_again_and_not_written_more_than_it_need_be() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    let (mut appended, mut rewritten, mut file) = (0u64, 0u64, fs::metadata(path(&dir)).unwrap().ino());
    for serial in 1..=40 {
        for device in 0..8 {
            let records = step(device, serial, MOST_READINGS);
            appended += journal::frame(&records).unwrap().len() as u64;
            journal.append(&records).unwrap();
            let meta = fs::metadata(path(&dir)).unwrap();
            if meta.ino() != file {
                rewritten += meta.len();
                file = meta.ino();
            }
        }
    }
    let state = journal.state().clone();
    drop(journal);
    assert!(*Journal::open(dir.path()).unwrap().state() == state);
    let snapshot = journal::snapshot(&state).unwrap().len();
    assert!(snapshot > 3 * journal::MAX_FRAME, "{snapshot}");
    assert!(rewritten > 0 && rewritten <= 2 * appended, "{rewritten} rewritten for {appended} appended");
}

#[test]
fn a_second_agent_is_told_who_holds_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let _first = Journal::open(dir.path()).unwrap();
    let error = refusal(&dir);
    assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
}

#[test]
fn what_is_no_journal_is_not_a_fresh_start() {
    let dir = tempfile::tempdir().unwrap();
    for garbage in [&b"garbage, not a journal"[..], b""] {
        fs::write(path(&dir), garbage).unwrap();
        assert!(refusal(&dir).contains("its snapshot does not read at byte 0"));
    }
    let former = tempfile::tempdir().unwrap();
    fs::write(former.path().join("journal.b"), b"").unwrap();
    assert!(refusal(&former).contains("journal.b is of an earlier build"));
    assert!(!path(&former).exists());
}

#[test]
fn a_torn_tail_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    Journal::open(dir.path()).unwrap().append(&[Record::Boot { epoch: BootEpoch(3) }]).unwrap();
    let whole = fs::read(path(&dir)).unwrap();
    fs::write(path(&dir), [&whole[..], &[9, 0, 0, 0, 1]].concat()).unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    assert_eq!(fs::read(path(&dir)).unwrap(), whole);
    journal.append(&[Record::Boot { epoch: BootEpoch(4) }]).unwrap();
    drop(journal);
    assert_eq!(Journal::open(dir.path()).unwrap().state().epoch, BootEpoch(4));
}

#[test]
fn damage_of_what_was_relied_on_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    let snapshot = fs::read(path(&dir)).unwrap().len();
    journal.append(&step(0, 1, 2)).unwrap();
    journal.append(&[Record::Boot { epoch: BootEpoch(3) }]).unwrap();
    drop(journal);
    let whole = fs::read(path(&dir)).unwrap();
    for (at, said) in [(10, "its snapshot does not read"), (snapshot + 20, "though later ones do")] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(path(&dir), &damaged).unwrap();
        let error = refusal(&dir);
        assert!(error.contains(said) && error.contains("enrolled anew"), "{error}");
        assert_eq!(fs::read(path(&dir)).unwrap(), damaged);
    }
}

/// Whatever the moment in which the power went: the file of the journal's name is whole.
#[test]
fn a_snapshot_that_was_not_finished_is_of_no_account() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    journal.append(&step(0, 1, 2)).unwrap();
    let state = journal.state().clone();
    drop(journal);
    let whole = fs::read(path(&dir)).unwrap();
    let next = journal::snapshot(&State { epoch: BootEpoch(9), ..state.clone() }).unwrap();
    for cut in 0..=next.len() {
        fs::write(dir.path().join(NEXT), &next[..cut]).unwrap();
        assert_eq!(*Journal::open(dir.path()).unwrap().state(), state);
    }
    assert_eq!(fs::read(path(&dir)).unwrap(), whole);
    // Renamed, and the power goes before the next append.
    fs::rename(dir.path().join(NEXT), path(&dir)).unwrap();
    assert_eq!(Journal::open(dir.path()).unwrap().state().epoch, BootEpoch(9));
    // The very first one, of which nothing had a name yet.
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(NEXT), &next[..9]).unwrap();
    assert_eq!(*Journal::open(dir.path()).unwrap().state(), State::default());
}

#[test]
fn a_snapshot_is_taken_only_if_it_reads_back_as_the_state() {
    let state = State { epoch: BootEpoch(9), ..State::default() };
    let snapshot = journal::snapshot(&state).unwrap();
    assert!(holds(&snapshot, &state).is_ok());
    assert!(holds(&snapshot, &State::default()).is_err());
    assert!(holds(&snapshot[..snapshot.len() - 1], &state).is_err());
    assert!(holds(&[&snapshot[..], &[0]].concat(), &state).is_err());
}

#[test]
fn without_room_for_a_snapshot_the_journal_goes_on_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    // Where the snapshot would be written, nothing can be.
    fs::create_dir(dir.path().join(NEXT)).unwrap();
    for serial in 1..=30 {
        journal.append(&step(0, serial, MOST_READINGS)).unwrap();
    }
    let state = journal.state().clone();
    drop(journal);
    assert!(fs::metadata(path(&dir)).unwrap().len() > LEAST_APPENDED);
    let mut journal = Journal::open(dir.path()).unwrap();
    assert!(*journal.state() == state);
    fs::remove_dir(dir.path().join(NEXT)).unwrap();
    let file = fs::metadata(path(&dir)).unwrap().ino();
    journal.append(&step(0, 31, 0)).unwrap();
    let state = journal.state().clone();
    drop(journal);
    assert_ne!(fs::metadata(path(&dir)).unwrap().ino(), file);
    assert!(*Journal::open(dir.path()).unwrap().state() == state);
}

#[test]
fn what_was_refused_is_gone_before_anything_else_is_appended() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    let boot = |epoch| [Record::Boot { epoch: BootEpoch(epoch) }];
    journal.append(&boot(1)).unwrap();
    // A disk that neither takes a record nor lets it be cut off, and yet has kept all of it.
    let before = std::mem::replace(&mut journal.file, File::open(path(&dir)).unwrap());
    let two = [journal::frame(&boot(2)).unwrap(), journal::frame(&boot(3)).unwrap()].concat();
    before.write_all_at(&two, journal.length).unwrap();
    assert!(journal.append(&boot(2)).is_err());
    assert!(journal.append(&boot(4)).is_err());
    assert_eq!(journal.state().epoch, BootEpoch(1));
    journal.file = before;
    journal.append(&boot(5)).unwrap();
    drop(journal);
    let mut journal = Journal::open(dir.path()).unwrap();
    assert_eq!(journal.state().epoch, BootEpoch(5));
    // Nothing counts, either, before the file's name is durable.
    let folder = std::mem::replace(&mut journal.dir, dir.path().join("nowhere"));
    journal.unnamed = true;
    assert!(journal.append(&boot(6)).is_err());
    journal.dir = folder;
    journal.append(&boot(7)).unwrap();
    assert_eq!(journal.state().epoch, BootEpoch(7));
}

#[test]
fn what_no_frame_holds_is_refused_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    let before = fs::read(path(&dir)).unwrap();
    assert!(journal.append(&step(0, 1, 4_000)).unwrap_err().to_string().contains("expected at most"));
    assert_eq!(*journal.state(), State::default());
    assert_eq!(fs::read(path(&dir)).unwrap(), before);
}

#[derive(Clone, Debug)]
enum Happening {
    Append {
        device: u8,
        readings: usize,
    },
    Restart,
    /// Of the next append this many thousandths reach the disk, and of a snapshot beside it as many.
    PowerCut {
        device: u8,
        readings: usize,
        per_mille: usize,
    },
}

fn happening() -> impl Strategy<Value = Happening> {
    let of = (0u8..64, 0..MOST_READINGS);
    prop_oneof![
        6 => of.clone().prop_map(|(device, readings)| Happening::Append { device, readings }),
        1 => Just(Happening::Restart),
        2 => (of, 0usize..=1000).prop_map(|((device, readings), per_mille)| {
            Happening::PowerCut { device, readings, per_mille }
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Over many restarts and power cuts: what was appended is there, and of what was being appended all or nothing.
    #[test]
    fn nothing_appended_is_ever_lost(script in prop::collection::vec(happening(), 20..150)) {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(dir.path()).unwrap();
        let mut expected = State::default();
        for (serial, happening) in (1u64..).zip(script) {
            match happening {
                Happening::Append { device, readings } => {
                    let records = step(device, serial, readings);
                    journal.append(&records).unwrap();
                    records.iter().for_each(|record| expected.fold(record));
                }
                Happening::Restart => {
                    drop(journal);
                    journal = Journal::open(dir.path()).unwrap();
                }
                Happening::PowerCut { device, readings, per_mille } => {
                    let records = step(device, serial, readings);
                    let frame = journal::frame(&records).unwrap();
                    let part = &frame[..frame.len() * per_mille / 1000];
                    journal.file.write_all_at(part, journal.length).unwrap();
                    let next = journal::snapshot(&expected).unwrap();
                    fs::write(dir.path().join(NEXT), &next[..next.len() * per_mille / 1000]).unwrap();
                    drop(journal);
                    journal = Journal::open(dir.path()).unwrap();
                    if part.len() == frame.len() {
                        records.iter().for_each(|record| expected.fold(record));
                    }
                }
            }
            prop_assert!(*journal.state() == expected);
        }
        drop(journal);
        let journal = Journal::open(dir.path()).unwrap();
        prop_assert!(*journal.state() == expected);
    }
}
