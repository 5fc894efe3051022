//! Breaks that only a dropped message told of.
//!
//! A poll flagged as a discontinuity says that no rate may reach from the reading before it to its own. When the
//! spool drops that poll, the next reading that stays would make a rate across the reset: a 64-bit counter that has
//! passed its old value again does not show one. So that next reading takes the flag over, in the spool or in what
//! is polled later. A flag too many costs one interval; one too few is a wrong rate.

use alloc::{collections::BTreeSet, vec::Vec};
use takar_shared::{
    BootEpoch,
    telemetry::{Poll, Telemetry},
};

use super::Spooled;

/// How an agent's own telemetry becomes bytes, and is read again: that takes its key.
pub trait Seal {
    /// `None` where it is something else, or damaged.
    fn open(&self, bytes: &[u8]) -> Option<Telemetry>;
    /// `None` where it is larger than a message may be.
    fn seal(&self, telemetry: Telemetry) -> Option<Vec<u8>>;
}

/// Meters whose next reading follows a break. By epoch, since meters are numbered anew in each; the first readings
/// of an epoch follow a break anyway, so that nothing is carried from one to the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Breaks(BTreeSet<(BootEpoch, u16)>);

impl Breaks {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These polls will not be told.
    pub(super) fn note(&mut self, epoch: BootEpoch, polls: &[Poll]) {
        let flagged = polls.iter().filter(|poll| poll.discontinuity);
        self.0.extend(flagged.flat_map(|poll| &poll.readings).map(|reading| (epoch, reading.meter)));
    }

    /// Flags the polls with the next readings; was one of them not flagged yet?
    pub(super) fn carry(&mut self, epoch: BootEpoch, polls: &mut [Poll]) -> bool {
        let mut changed = false;
        for poll in polls {
            let mut is_next = false;
            for reading in &poll.readings {
                is_next |= self.0.remove(&(epoch, reading.meter));
            }
            changed |= is_next && !poll.discontinuity;
            poll.discontinuity |= is_next;
        }
        changed
    }

    /// The same within a sealed message, which keeps its length: only flags change. Was it sealed anew?
    pub(super) fn carry_into(&mut self, message: &mut Spooled, own: &impl Seal) -> bool {
        if self.is_empty() {
            return false;
        }
        let Some(telemetry) = own.open(&message.bytes) else { return false };
        let mut polls = telemetry.polls();
        if !self.carry(telemetry.boot_epoch, &mut polls) {
            return false;
        }
        let Telemetry { boot_epoch, seq, challenge, made_at, states, alarms, .. } = telemetry;
        let mut marked = Telemetry::new(boot_epoch, seq, challenge, made_at, &polls);
        marked.states = states;
        marked.alarms = alarms;
        let Some(bytes) = own.seal(marked) else { return false };
        message.bytes = bytes;
        true
    }

    /// What is left over for polls to come, which are of `epoch`.
    pub(super) fn take_in(&mut self, left: Self, epoch: BootEpoch) {
        self.0.extend(left.0.into_iter().filter(|(of, _)| *of == epoch));
    }
}

#[cfg(test)]
mod tests {
    use alloc::{collections::BTreeMap, vec};
    use proptest::prelude::*;
    use takar_shared::{
        Challenge, MonoMillis, Seq,
        telemetry::{PollOutcome, Reading},
    };

    use super::*;
    use crate::spool::{Covers, Spool, SpoolEffect};

    /// Without a signature.
    struct Plain;

    impl Seal for Plain {
        fn open(&self, bytes: &[u8]) -> Option<Telemetry> {
            postcard::from_bytes(bytes).ok()
        }
        fn seal(&self, telemetry: Telemetry) -> Option<Vec<u8>> {
            postcard::to_allocvec(&telemetry).ok()
        }
    }

    /// A spool with its files; gaps are sealed as one byte that is no telemetry.
    struct Router {
        spool: Spool,
        files: BTreeMap<Covers, Vec<u8>>,
    }

    impl Router {
        fn new(limit: usize) -> Self {
            Self { spool: Spool::new(limit, vec![]), files: BTreeMap::new() }
        }

        fn tell(&mut self, covers: Covers, mut polls: Vec<Poll>) {
            self.spool.mark(covers.epoch, &mut polls);
            let telemetry = Telemetry::new(covers.epoch, covers.last, Challenge([7; 16]), MonoMillis(1_000), &polls);
            let bytes = Plain.seal(telemetry).unwrap();
            for effect in self.spool.push(Spooled { covers, bytes }, &Plain) {
                match effect {
                    SpoolEffect::SealGap(covers) => {
                        let effect = self.spool.put_gap(Spooled { covers, bytes: vec![0xff] });
                        self.carry_out(effect);
                    }
                    other => self.carry_out(other),
                }
            }
        }

        fn carry_out(&mut self, effect: SpoolEffect) {
            match effect {
                SpoolEffect::Write(message) => drop(self.files.insert(message.covers, message.bytes)),
                SpoolEffect::Remove(covers) => drop(self.files.remove(&covers)),
                SpoolEffect::SealGap(covers) => panic!("a gap over {covers:?} within a gap"),
            }
        }

        /// What the collector would be told, in order.
        fn kept(&self) -> Vec<(BootEpoch, Seq, Vec<Poll>)> {
            let messages = self.files.iter().filter_map(|(covers, bytes)| Some((covers, Plain.open(bytes)?)));
            messages.map(|(covers, telemetry)| (covers.epoch, covers.last, telemetry.polls())).collect()
        }
    }

    fn covers(epoch: u32, seq: u64) -> Covers {
        Covers { epoch: BootEpoch(epoch), first: Seq(seq), last: Seq(seq), samples: 4 }
    }

    fn poll(device: u8, discontinuity: bool, meters: &[u16]) -> Poll {
        let reading = |meter: &u16| Reading { meter: *meter, narrow: false, values: [5; 4] };
        let readings = meters.iter().map(reading).collect();
        Poll { device, at: MonoMillis(900), outcome: PollOutcome::Ok, discontinuity, readings }
    }

    fn polls() -> impl Strategy<Value = Vec<Poll>> {
        let one = (0u8..2, proptest::bool::weighted(0.2), any::<[bool; 2]>()).prop_map(|(device, flagged, read)| {
            let meters = [0, 1].map(|at| u16::from(device) * 2 + at);
            let meters: Vec<u16> = meters.into_iter().zip(read).filter(|(_, read)| *read).map(|(at, _)| at).collect();
            poll(device, flagged, &meters)
        });
        prop::collection::vec(one, 1..4)
    }

    /// Each reading of `meter` within an epoch: where it stands, and whether it follows a break.
    fn readings(told: &[(BootEpoch, Seq, Vec<Poll>)], epoch: BootEpoch, meter: u16) -> Vec<((Seq, usize), bool)> {
        let of_epoch = told.iter().filter(|(of, ..)| *of == epoch);
        let polls =
            of_epoch.flat_map(|(_, seq, polls)| polls.iter().enumerate().map(move |(at, poll)| ((*seq, at), poll)));
        let read = polls.filter(|(_, poll)| poll.readings.iter().any(|reading| reading.meter == meter));
        read.map(|(place, poll)| (place, poll.discontinuity)).collect()
    }

    proptest! {
        /// Whatever is dropped: if a break was told between two readings of a meter that stay, the later one tells it.
        #[test]
        fn no_break_is_dropped(
            told in prop::collection::vec(polls(), 1..50),
            limit in 150usize..900,
            epoch_of in 5usize..60,
        ) {
            let mut router = Router::new(limit);
            let mut originals = Vec::new();
            for (at, polls) in told.into_iter().enumerate() {
                let covers = covers(u32::try_from(at / epoch_of).unwrap() + 1, (at % epoch_of) as u64 + 1);
                originals.push((covers.epoch, covers.last, polls.clone()));
                router.tell(covers, polls);

                let held = router.spool.messages.iter().map(|held| (held.covers, held.bytes.clone()));
                prop_assert_eq!(&router.files, &held.collect::<BTreeMap<_, _>>(), "files and memory are the same");
                let kept = router.kept();
                for (epoch, meter) in (1..=covers.epoch.0).flat_map(|epoch| (0..4).map(move |meter| (epoch, meter))) {
                    let mut after = None;
                    let all = readings(&originals, BootEpoch(epoch), meter);
                    for (place, follows_break) in readings(&kept, BootEpoch(epoch), meter) {
                        let mut between = all.iter().filter(|(of, _)| Some(*of) > after && *of <= place);
                        let told = between.any(|(_, flagged)| *flagged);
                        prop_assert!(follows_break || !told, "epoch {} meter {} at {:?}", epoch, meter, place);
                        after = Some(place);
                    }
                }
                let any = |told: &[(BootEpoch, Seq, Vec<Poll>)]| {
                    told.iter().flat_map(|(.., polls)| polls).any(|poll| poll.discontinuity)
                };
                prop_assert!(any(&originals) || !any(&kept), "a break out of nothing");
            }
        }
    }

    #[test]
    fn a_break_waits_for_the_next_reading_of_its_meter() {
        // Room for one message, and the gap before it.
        let mut router = Router::new(60);
        router.tell(covers(1, 1), vec![poll(0, true, &[0, 1])]);
        let rows: [(u64, &[u16], bool); 4] = [(2, &[], false), (3, &[0], true), (4, &[0], true), (5, &[0, 1], true)];
        for (seq, meters, expected) in rows {
            router.tell(covers(1, seq), vec![poll(0, false, meters)]);
            let kept = router.kept();
            assert_eq!(kept.len(), 1, "{kept:?}");
            assert_eq!(kept[0].2[0].discontinuity, expected, "{seq}");
        }
    }

    #[test]
    fn what_was_sent_already_is_sent_again_with_the_flag() {
        let mut router = Router::new(90);
        router.tell(covers(1, 1), vec![poll(0, true, &[0])]);
        router.tell(covers(1, 2), vec![poll(0, false, &[0])]);
        while router.spool.next_to_send(MonoMillis(0)).is_some() {}
        router.tell(covers(1, 3), vec![poll(0, false, &[0])]);
        let mut sent = Vec::new();
        while let Some(message) = router.spool.next_to_send(MonoMillis(0)) {
            sent.push((message.covers.first.0, Plain.open(&message.bytes).map(|told| told.polls()[0].discontinuity)));
        }
        assert_eq!(sent[..2], [(1, None), (2, Some(true))], "the gap, then what follows it");
    }
}
