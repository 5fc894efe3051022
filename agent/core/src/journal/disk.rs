//! How the journal lies on disk: a snapshot of the state, then what was appended since.
//!
//! A frame is `length u32 LE | CRC-32 u32 LE | postcard`. The snapshot is a begin mark, for each
//! device its record and its receipts one by one, and an end mark, so that no frame grows with the
//! number of devices or receipts. After it each append is one frame, however many records it has: it
//! counts as a whole or not at all.
//!
//! What may be found after a power cut, and what is damage:
//!
//! - The last frame does not read: the append that was under way, or one that the disk refused. It was
//!   never relied on, since every effect waits for fdatasync. It is cut off.
//! - A frame does not read and a later one does: the later append began only when all before it was
//!   durable, so no power cut leaves this. What was relied on is lost: [`Damaged`].
//! - The snapshot does not read to its end mark: a snapshot is whole and durable before the file gets
//!   the journal's name, so no power cut leaves this either: [`Damaged`].
//!
//! Damage of the very last frame cannot be told from a torn one.

use alloc::{boxed::Box, vec::Vec};
use core::{error::Error, fmt};
use crc::{CRC_32_ISO_HDLC, Crc};
use serde::{Deserialize, Serialize};
use takar_shared::{BootEpoch, UnixMillis, receipt::Receipt};

use super::{DeviceRecord, Record, State};

/// Largest content of a frame, in bytes. A command and a receipt are 4 KiB at most, so this is ample.
pub const MAX_FRAME: usize = 256 * 1024;
/// Length and checksum.
const HEADER: usize = 8;

#[derive(Debug, Serialize, Deserialize)]
enum Entry {
    Begin {
        epoch: BootEpoch,
        high_water: UnixMillis,
    },
    /// Without its receipts, which follow.
    Device(Box<DeviceRecord>),
    /// Of the device before it, oldest first.
    Kept(Box<Receipt>),
    /// After so many entries, the begin mark among them, the snapshot is whole.
    End {
        entries: u32,
    },
    Appended(Vec<Record>),
}

/// What cannot be a frame, and is never half written as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwritable {
    TooLong { bytes: usize },
    NotEncoded,
}

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes } => {
                write!(f, "a journal frame of {bytes} bytes was to be written; expected at most {MAX_FRAME}")
            }
            Self::NotEncoded => f.write_str("a journal record does not encode"),
        }
    }
}

impl Error for Unwritable {}

/// What was once durable does not read any more. The numbers are bytes from the file's begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damaged {
    Snapshot { at: usize },
    Record { at: usize },
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Snapshot { at } => write!(f, "its snapshot does not read at byte {at}"),
            Self::Record { at } => write!(f, "a record does not read at byte {at}, though later ones do"),
        }
    }
}

impl Error for Damaged {}

/// A journal's whole content, as far as it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    pub state: State,
    /// What the snapshot takes; the rest was appended.
    pub snapshot_bytes: usize,
    /// Bytes that hold; what follows is cut off before appending.
    pub good_bytes: usize,
    pub torn: bool,
}

/// What one append writes. All of it counts, or nothing.
pub fn frame(records: &[Record]) -> Result<Vec<u8>, Unwritable> {
    let mut bytes = Vec::new();
    put(&mut bytes, &Entry::Appended(records.to_vec()))?;
    Ok(bytes)
}

/// The begin of a journal that holds `state`.
pub fn snapshot(state: &State) -> Result<Vec<u8>, Unwritable> {
    let mut bytes = Vec::new();
    let mut entries = 1u32;
    put(&mut bytes, &Entry::Begin { epoch: state.epoch, high_water: state.high_water })?;
    for device in &state.devices {
        let record = DeviceRecord { receipts: Vec::new(), ..device.clone() };
        put(&mut bytes, &Entry::Device(Box::new(record)))?;
        for receipt in &device.receipts {
            put(&mut bytes, &Entry::Kept(Box::new(receipt.clone())))?;
            entries = entries.saturating_add(1);
        }
        entries = entries.saturating_add(1);
    }
    put(&mut bytes, &Entry::End { entries })?;
    Ok(bytes)
}

/// Reads a journal back, as far as a power cut can have left it; see the room's description.
pub fn recover(journal: &[u8]) -> Result<Recovered, Damaged> {
    let mut reader = Reader { journal, at: 0 };
    let Some(mut state) = reader.snapshot() else {
        return Err(Damaged::Snapshot { at: reader.at });
    };
    let snapshot_bytes = reader.at;
    while let Some((entry, end)) = reader.entry() {
        // A snapshot's mark among the appends: nothing ever writes that.
        let Entry::Appended(records) = entry else {
            return Err(Damaged::Record { at: reader.at });
        };
        records.iter().for_each(|record| state.fold(record));
        reader.at = end;
    }
    if reader.reads_later() {
        return Err(Damaged::Record { at: reader.at });
    }
    Ok(Recovered { state, snapshot_bytes, good_bytes: reader.at, torn: reader.at < journal.len() })
}

struct Reader<'a> {
    journal: &'a [u8],
    /// Where the next frame begins.
    at: usize,
}

impl Reader<'_> {
    /// The state up to the end mark; `None`, and `at` is where, when it does not read to there.
    fn snapshot(&mut self) -> Option<State> {
        let (Entry::Begin { epoch, high_water }, end) = self.entry()? else { return None };
        let mut state = State { epoch, high_water, devices: Vec::new() };
        let mut read = 1u32;
        self.at = end;
        loop {
            let (entry, end) = self.entry()?;
            match entry {
                Entry::Device(device) if device.receipts.is_empty() => state.devices.push(*device),
                Entry::Kept(receipt) => state.devices.last_mut()?.receipts.push(*receipt),
                Entry::End { entries } if entries == read => {
                    self.at = end;
                    return Some(state);
                }
                _ => return None,
            }
            read = read.saturating_add(1);
            self.at = end;
        }
    }

    /// The entry at `at` and where it ends.
    fn entry(&self) -> Option<(Entry, usize)> {
        let (entry, length) = entry_of(self.journal.get(self.at..)?)?;
        Some((entry, self.at + length))
    }

    /// Does any frame read after the one that does not? At any byte, since its length may be what is wrong.
    fn reads_later(&self) -> bool {
        (self.at + 1..self.journal.len()).any(|at| self.journal.get(at..).and_then(entry_of).is_some())
    }
}

/// By a table of 1 KiB: the fastest way needs 16, and a journal is small.
static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

fn put(bytes: &mut Vec<u8>, entry: &Entry) -> Result<(), Unwritable> {
    let body = postcard::to_allocvec(entry).map_err(|_| Unwritable::NotEncoded)?;
    let too_long = Unwritable::TooLong { bytes: body.len() };
    let length = u32::try_from(body.len()).map_err(|_| too_long)?;
    if body.len() > MAX_FRAME {
        return Err(too_long);
    }
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&CRC.checksum(&body).to_le_bytes());
    bytes.extend_from_slice(&body);
    Ok(())
}

/// The entry that `bytes` begin with and the length of its frame.
fn entry_of(bytes: &[u8]) -> Option<(Entry, usize)> {
    let length = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?);
    let crc = u32::from_le_bytes(bytes.get(4..HEADER)?.try_into().ok()?);
    let length = usize::try_from(length).ok().filter(|length| *length <= MAX_FRAME)?;
    let body = bytes.get(HEADER..HEADER + length)?;
    if CRC.checksum(body) != crc {
        return None;
    }
    let (entry, rest) = postcard::take_from_bytes::<Entry>(body).ok()?;
    rest.is_empty().then_some((entry, HEADER + length))
}
