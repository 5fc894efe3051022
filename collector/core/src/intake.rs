//! What is taken of one agent's messages, what is marked as lost, and when its state is not its own.
//!
//! Messages are taken in order only, so that what is stored is always a prefix: each sequence number of each boot
//! epoch is stored, or marked lost, and never both. How many messages a boot epoch had nobody ever says, so the step
//! from one to the next always marks what may have followed as lost, with an open end.
//!
//! A boot epoch is one run of the agent from its journal. Within one run a serial cannot fall and a nonce cannot
//! change; from one run to a later one a serial cannot fall either. Whatever contradicts this was restored from a copy.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::fmt;
use takar_shared::{
    BootEpoch, MonoMillis, Name, Seq, Serial,
    birth::{Birth, DeviceState},
    receipt::{Phase, Receipt, Refusal},
    telemetry::{Gap, Poll, Telemetry},
};

/// A message's place in all that an agent ever sends; compared lexicographically.
pub type Mark = (BootEpoch, Seq);

/// Before the first message that an agent can send: epochs and messages count from 1.
const NOTHING: Mark = (BootEpoch(1), Seq(0));

/// What to do with a message. Everything in it is to be stored in one commit, or none of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Ignore(Ignored),
    Take(Taken),
    /// The state came from a copy: nothing is taken from here on, until [`Intake::release`].
    Quarantine(Restored),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Will never come, and comes before the message itself; of a Gap, the Gap too.
    pub lost: Vec<Loss>,
    /// The meters that this message reads for the first time in its epoch. Between their reading before, of another
    /// run of the agent, and the first one here nobody watched the counter: no rate may cross it. A meter and not a
    /// device, since a device may answer in part.
    pub first_of: BTreeSet<u16>,
    /// Reported serials that rose, to be remembered.
    pub reported: Vec<Reported>,
    /// `false` for a message of which only the loss is stored: what its meters are is not known.
    pub readable: bool,
}

/// Messages `from..=to` will never come. Where `to` has the sequence number 0 of an epoch, nobody knows whether any
/// followed `from` in the epoch before: the end is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    pub from: Mark,
    pub to: Mark,
    /// Counter values, where somebody counted them.
    pub samples: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// Already taken or marked lost.
    Duplicate,
    /// Something that must come before it is still held by the agent.
    OutOfOrder,
    /// Its epoch has not introduced itself yet.
    NoBirth,
    /// A Birth that a newer one overtook.
    Late,
    /// A Birth of an epoch before the known one that was never heard of: late, or of restored state that will show
    /// itself when its epoch reaches one that was heard. Not answered, so nothing comes of it either way.
    NeverHeard,
    /// Contradicts itself.
    Malformed,
    /// In quarantine.
    Held,
}

/// The highest serial that a device reported, and the first epoch in which it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    pub device: Name,
    pub epoch: BootEpoch,
    pub serial: Serial,
}

/// What proves that an agent's state was restored from a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restored {
    EpochAgain { epoch: BootEpoch },
    SerialFell { device: Name, known: (BootEpoch, Serial), found: (BootEpoch, Serial) },
}

impl fmt::Display for Restored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("its state was restored from a copy, or two machines run from one copy: ")?;
        match self {
            Self::EpochAgain { epoch } => write!(f, "boot {} came again with another nonce", epoch.0)?,
            Self::SerialFell { device, known, found } => write!(
                f,
                "device {device} reported serial {} in boot {} and only {} in boot {}",
                known.1.0, known.0.0, found.1.0, found.0.0
            )?,
        }
        f.write_str(
            "; nothing of it is stored and nothing is signed for it. Stop the copy, empty the state folder and enrol \
             the agent anew; where only a copy was at fault, approve the agent again",
        )
    }
}

/// One agent's messages, as far as they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intake {
    taken: Mark,
    born: Option<Born>,
    reported: BTreeMap<Name, (BootEpoch, Serial)>,
    /// Meters read in the epoch of `taken`.
    read: BTreeSet<u16>,
    held: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Born {
    epoch: BootEpoch,
    nonce: [u8; 16],
    now: MonoMillis,
    spooled_from: Mark,
}

impl Intake {
    /// From what is stored: how far, the newest Birth, and the serials.
    pub fn new(stored: Option<Mark>, birth: Option<&Birth>, reported: impl IntoIterator<Item = Reported>) -> Self {
        let mut intake = Self {
            taken: stored.unwrap_or(NOTHING),
            born: birth.map(Born::of),
            reported: BTreeMap::new(),
            read: BTreeSet::new(),
            held: false,
        };
        for Reported { device, epoch, serial } in reported {
            let _ = intake.raise(&device, (epoch, serial));
        }
        if let Some(birth) = birth {
            // What contradicts was judged as it came.
            let states = birth.devices.iter().map(|device| &device.state);
            let _ = intake.serials(birth.boot_epoch, states);
        }
        intake
    }

    /// The last message taken or marked lost.
    pub fn taken(&self) -> Mark {
        self.taken
    }

    /// Meters whose newest stored reading is of the epoch of [`Intake::taken`]. After a restart of the collector
    /// those not named get a break too many rather than one too few.
    pub fn note_read(&mut self, meters: impl IntoIterator<Item = u16>) {
        self.read.extend(meters);
    }

    pub fn hold(&mut self) {
        self.held = true;
    }

    /// A person said that it may be trusted again; what comes is judged as before.
    pub fn release(&mut self) {
        self.held = false;
    }

    /// The last commit failed: back to what is stored, except that a quarantine stays.
    pub fn fall_back(&mut self, stored: &Self) {
        let held = self.held;
        self.clone_from(stored);
        self.held |= held;
    }

    /// `known` is the nonce with which the Birth's epoch was heard before, asked of the store where the epoch is not
    /// the newest.
    pub fn birth(&mut self, birth: &Birth, known: Option<[u8; 16]>) -> Decision {
        let (epoch, from) = (birth.boot_epoch, birth.spooled_from);
        if self.held {
            return Decision::Ignore(Ignored::Held);
        }
        if from.0 > epoch || epoch.0 == 0 {
            return Decision::Ignore(Ignored::Malformed);
        }
        if let Some(born) = self.born {
            let known = if epoch == born.epoch { Some(born.nonce) } else { known.filter(|_| epoch < born.epoch) };
            match known {
                Some(nonce) if nonce != birth.boot_nonce => return self.quarantine(Restored::EpochAgain { epoch }),
                // The broker may deliver late, or twice: an older Birth must not undo a newer one.
                Some(_) if epoch < born.epoch || birth.now < born.now => return Decision::Ignore(Ignored::Late),
                None if epoch < born.epoch => return Decision::Ignore(Ignored::NeverHeard),
                _ => {}
            }
        }
        let reported = match self.serials(epoch, birth.devices.iter().map(|device| &device.state)) {
            Ok(reported) => reported,
            Err(restored) => return self.quarantine(restored),
        };
        self.born = Some(Born::of(birth));
        // What lies before the oldest message still held, and was not taken, will never come.
        let reached = (from.0, Seq(from.1.0.saturating_sub(1)));
        let lost = (reached > self.taken).then(|| self.lose_up_to(reached));
        Decision::Take(Taken { lost: lost.into_iter().collect(), reported, readable: true, ..Taken::default() })
    }

    /// `readable` tells whether the epoch's Birth is at hand. Where it is not it will never come, the newest epoch's
    /// apart, and the message would stand in the way of all that follow it.
    pub fn telemetry(&mut self, telemetry: &Telemetry, polls: &[Poll], readable: bool) -> Decision {
        let (epoch, seq) = (telemetry.boot_epoch, telemetry.seq);
        if let Some(why) = self.not_next(epoch, seq, seq) {
            return Decision::Ignore(why);
        }
        let reported = match self.serials(epoch, &telemetry.states) {
            Ok(reported) => reported,
            Err(restored) => return self.quarantine(restored),
        };
        let tail = self.begin(epoch);
        self.taken = (epoch, seq);
        let mut taken = Taken { lost: tail.into_iter().collect(), reported, readable, ..Taken::default() };
        if readable {
            let meters = polls.iter().flat_map(|poll| &poll.readings).map(|reading| reading.meter);
            taken.first_of = meters.filter(|meter| self.read.insert(*meter)).collect();
        } else {
            let samples = Some(telemetry.samples() as u64);
            taken.lost.push(Loss { from: self.taken, to: self.taken, samples });
        }
        Decision::Take(taken)
    }

    pub fn gap(&mut self, gap: &Gap) -> Decision {
        let (epoch, to) = (gap.boot_epoch, (gap.boot_epoch, gap.seq));
        if gap.first > gap.seq || gap.first == Seq(0) {
            return Decision::Ignore(Ignored::Malformed);
        }
        if let Some(why) = self.not_next(epoch, gap.first, gap.seq) {
            return Decision::Ignore(why);
        }
        let tail = self.begin(epoch);
        let from = after(self.taken);
        // Of what it covers a part may have been taken before it was dropped: how much of the count that was is
        // not known.
        let samples = (from == (epoch, gap.first)).then_some(gap.samples);
        self.taken = to;
        let lost = tail.into_iter().chain([Loss { from, to, samples }]).collect();
        Decision::Take(Taken { lost, readable: true, ..Taken::default() })
    }

    /// A receipt tells that its serial was consumed; later ones may have been as well, so it contradicts nothing.
    pub fn receipt(&mut self, receipt: &Receipt) -> Option<Reported> {
        // A serial that was refused for skipping ahead was not consumed.
        if receipt.phase == Phase::Refused(Refusal::SerialAhead) {
            return None;
        }
        self.raise(&receipt.device, (receipt.boot_epoch, receipt.serial))
    }

    fn quarantine(&mut self, restored: Restored) -> Decision {
        self.held = true;
        Decision::Quarantine(restored)
    }

    fn not_next(&self, epoch: BootEpoch, first: Seq, last: Seq) -> Option<Ignored> {
        if self.held {
            return Some(Ignored::Held);
        }
        let Some(born) = self.born.filter(|born| born.epoch >= epoch) else { return Some(Ignored::NoBirth) };
        // A new epoch's message that overtook an older one's: taking it would make the agent free that.
        let older_to_come = epoch > self.taken.0 && born.spooled_from.0 < epoch && born.spooled_from > self.taken;
        if (epoch, last) <= self.taken {
            Some(Ignored::Duplicate)
        } else if older_to_come || !follows_to(self.taken, epoch, first, last) {
            Some(Ignored::OutOfOrder)
        } else {
            None
        }
    }

    /// Steps into an epoch; what may be left of the one before is marked.
    fn begin(&mut self, epoch: BootEpoch) -> Option<Loss> {
        (epoch > self.taken.0).then(|| self.lose_up_to((epoch, Seq(0))))
    }

    fn lose_up_to(&mut self, to: Mark) -> Loss {
        let from = after(self.taken);
        if to.0 != self.taken.0 {
            self.read.clear();
        }
        self.taken = to;
        Loss { from, to, samples: None }
    }

    /// All or none: a contradiction leaves what is known as it was.
    fn serials<'a>(
        &mut self,
        epoch: BootEpoch,
        states: impl IntoIterator<Item = &'a DeviceState, IntoIter: Clone>,
    ) -> Result<Vec<Reported>, Restored> {
        let states = states.into_iter();
        for state in states.clone() {
            let found = (epoch, state.last_serial);
            // Within one run reports may overtake each other.
            let known = self.reported.get(&state.device).filter(|known| epoch > known.0 && found.1 < known.1);
            if let Some(known) = known.copied() {
                return Err(Restored::SerialFell { device: state.device.clone(), known, found });
            }
        }
        Ok(states.filter_map(|state| self.raise(&state.device, (epoch, state.last_serial))).collect())
    }

    fn raise(&mut self, device: &Name, found: (BootEpoch, Serial)) -> Option<Reported> {
        let known = self.reported.get(device);
        let rises = known.is_none_or(|known| found.1 > known.1 || (found.1 == known.1 && found.0 < known.0));
        rises.then(|| {
            self.reported.insert(device.clone(), found);
            Reported { device: device.clone(), epoch: found.0, serial: found.1 }
        })
    }
}

impl Born {
    fn of(birth: &Birth) -> Self {
        Self { epoch: birth.boot_epoch, nonce: birth.boot_nonce, now: birth.now, spooled_from: birth.spooled_from }
    }
}

/// Does `first..=last` of `epoch` continue right after what was taken?
pub fn follows_to(taken: Mark, epoch: BootEpoch, first: Seq, last: Seq) -> bool {
    if epoch == taken.0 {
        first.0 <= taken.1.0.saturating_add(1) && last > taken.1
    } else {
        epoch > taken.0 && first == Seq(1)
    }
}

fn after(mark: Mark) -> Mark {
    (mark.0, Seq(mark.1.0.saturating_add(1)))
}
