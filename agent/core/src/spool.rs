//! The spool: every telemetry message until the collector says it is stored. Bounded; what it must
//! drop it drops oldest first, and a Gap takes the place. A break of counters that only a dropped
//! message told of is told by what stays.

mod breaks;

pub use breaks::Seal;

use alloc::{collections::VecDeque, vec::Vec};
use takar_shared::{BootEpoch, MonoMillis, Seq, telemetry::Poll};

use breaks::Breaks;

/// Messages in flight beyond `stored_up_to`: more would only fill the broker's queue.
const IN_FLIGHT: usize = 32;

/// What one sealed message covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Covers {
    pub epoch: BootEpoch,
    pub first: Seq,
    pub last: Seq,
    pub samples: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spooled {
    pub covers: Covers,
    pub bytes: Vec<u8>,
}

/// What the edge must do to its files; the spool in memory is already so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpoolEffect {
    Write(Spooled),
    Remove(Covers),
    /// Seal a Gap over these and give it to [`Spool::put_gap`].
    SealGap(Covers),
}

#[derive(Clone, Debug)]
pub struct Spool {
    limit: usize,
    used: usize,
    messages: VecDeque<Spooled>,
    /// How many of `messages`, from the front, were sent on this connection.
    sent: usize,
    oldest_sent_at: MonoMillis,
    stored_up_to: (BootEpoch, Seq),
    /// Breaks that no message tells, until a poll to come does.
    due: Breaks,
}

impl Spool {
    /// `limit` in bytes; `kept` is what an earlier run left, in any order.
    pub fn new(limit: usize, mut kept: Vec<Spooled>) -> Self {
        kept.sort_by_key(|message| message.covers);
        let used = kept.iter().map(|message| message.bytes.len()).sum();
        Self {
            limit,
            used,
            messages: kept.into(),
            sent: 0,
            oldest_sent_at: MonoMillis::default(),
            stored_up_to: (BootEpoch(0), Seq(0)),
            due: Breaks::default(),
        }
    }

    /// Flags new polls that follow a break which nothing else tells; before they are sealed and pushed.
    pub fn mark(&mut self, epoch: BootEpoch, polls: &mut [Poll]) {
        self.due.carry(epoch, polls);
    }

    /// These polls will never be pushed.
    pub fn lost(&mut self, epoch: BootEpoch, polls: &[Poll]) {
        self.due.note(epoch, polls);
    }

    #[must_use]
    pub fn push(&mut self, mut message: Spooled, own: &impl Seal) -> Vec<SpoolEffect> {
        let dropped = self.make_room(message.bytes.len());
        // First in the files too: a kill between the two must not lose a break.
        let mut effects = self.carry_breaks(&dropped, &mut message, own);
        effects.extend(instead_of(&dropped));
        self.used += message.bytes.len();
        effects.push(SpoolEffect::Write(message.clone()));
        self.messages.push_back(message);
        effects
    }

    /// A sealed Gap takes its place at the head of its epoch.
    #[must_use]
    pub fn put_gap(&mut self, gap: Spooled) -> SpoolEffect {
        let at = self.messages.iter().position(|message| message.covers > gap.covers).unwrap_or(self.messages.len());
        self.used += gap.bytes.len();
        self.messages.insert(at, gap.clone());
        self.sent = self.sent.min(at);
        SpoolEffect::Write(gap)
    }

    /// Frees what is durable at the collector, and nothing else. Never falls.
    #[must_use]
    pub fn handle_stored(&mut self, up_to: (BootEpoch, Seq), now: MonoMillis) -> Vec<SpoolEffect> {
        let mut effects = Vec::new();
        if up_to <= self.stored_up_to {
            return effects;
        }
        self.stored_up_to = up_to;
        while let Some(front) = self.messages.front() {
            if (front.covers.epoch, front.covers.last) > up_to {
                break;
            }
            effects.push(SpoolEffect::Remove(front.covers));
            self.used -= front.bytes.len();
            self.messages.pop_front();
            self.sent = self.sent.saturating_sub(1);
        }
        self.oldest_sent_at = now;
        effects
    }

    /// A new connection: nothing was sent on it yet.
    pub fn handle_connected(&mut self) {
        self.sent = 0;
    }

    /// The next message to publish, oldest first.
    pub fn next_to_send(&mut self, now: MonoMillis) -> Option<&Spooled> {
        if self.sent >= IN_FLIGHT {
            return None;
        }
        let message = self.messages.get(self.sent)?;
        if self.sent == 0 {
            self.oldest_sent_at = now;
        }
        self.sent += 1;
        Some(message)
    }

    /// The socket did not take the message that `next_to_send` gave.
    pub fn unsend(&mut self) {
        self.sent = self.sent.saturating_sub(1);
    }

    /// Sends all again when nothing was reported stored for `after_ms`: an accepted publish is no
    /// durability, a killed broker loses what it acknowledged.
    pub fn resend_if_stale(&mut self, now: MonoMillis, after_ms: u64) -> bool {
        let stale = self.sent > 0 && now.since(self.oldest_sent_at) >= after_ms;
        if stale {
            self.sent = 0;
        }
        stale
    }

    /// The oldest message still held, or what will come next.
    pub fn spooled_from(&self, next: (BootEpoch, Seq)) -> (BootEpoch, Seq) {
        self.messages.front().map_or(next, |front| (front.covers.epoch, front.covers.first))
    }

    pub fn len(&self) -> usize {
        self.messages.len()
    }
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
    pub fn used_bytes(&self) -> usize {
        self.used
    }

    /// Takes out the oldest until there is room.
    fn make_room(&mut self, incoming: usize) -> Vec<Spooled> {
        let mut dropped = Vec::new();
        while self.used + incoming > self.limit {
            let Some(front) = self.messages.pop_front() else { break };
            self.used -= front.bytes.len();
            self.sent = self.sent.saturating_sub(1);
            dropped.push(front);
        }
        dropped
    }

    /// What `dropped` told of breaks is told by what is held, else by what comes in, else later.
    fn carry_breaks(&mut self, dropped: &[Spooled], incoming: &mut Spooled, own: &impl Seal) -> Vec<SpoolEffect> {
        let mut effects = Vec::new();
        let mut breaks = Breaks::default();
        for telemetry in dropped.iter().filter_map(|message| own.open(&message.bytes)) {
            breaks.note(telemetry.boot_epoch, &telemetry.polls());
        }
        for (at, held) in self.messages.iter_mut().enumerate() {
            let length = held.bytes.len();
            if breaks.carry_into(held, own) {
                self.used = self.used - length + held.bytes.len();
                self.sent = self.sent.min(at);
                effects.push(SpoolEffect::Write(held.clone()));
            }
        }
        breaks.carry_into(incoming, own);
        self.due.take_in(breaks, incoming.covers.epoch);
        effects
    }
}

/// Removes the dropped messages and puts a Gap over those of each epoch.
fn instead_of(dropped: &[Spooled]) -> Vec<SpoolEffect> {
    let mut effects = Vec::new();
    let mut gap: Option<Covers> = None;
    for Spooled { covers, .. } in dropped {
        effects.push(SpoolEffect::Remove(*covers));
        gap = match gap {
            Some(so_far) if so_far.epoch == covers.epoch => {
                Some(Covers { last: covers.last, samples: so_far.samples.saturating_add(covers.samples), ..so_far })
            }
            Some(finished) => {
                effects.push(SpoolEffect::SealGap(finished));
                Some(*covers)
            }
            None => Some(*covers),
        };
    }
    effects.extend(gap.map(SpoolEffect::SealGap));
    effects
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;
    use takar_shared::telemetry::Telemetry;

    /// These tests look at what is covered, not into messages.
    struct Opaque;

    impl Seal for Opaque {
        fn open(&self, _: &[u8]) -> Option<Telemetry> {
            None
        }
        fn seal(&self, _: Telemetry) -> Option<Vec<u8>> {
            None
        }
    }

    fn message(epoch: u32, seq: u64, size: usize) -> Spooled {
        let covers = Covers { epoch: BootEpoch(epoch), first: Seq(seq), last: Seq(seq), samples: 4 };
        Spooled { covers, bytes: vec![0; size] }
    }

    /// Drives a spool the way the edge does, sealing gaps as 100 bytes.
    fn push(spool: &mut Spool, one: Spooled) {
        for effect in spool.push(one, &Opaque) {
            if let SpoolEffect::SealGap(covers) = effect {
                let _ = spool.put_gap(Spooled { covers, bytes: vec![0; 100] });
            }
        }
    }

    #[test]
    fn nothing_is_freed_before_it_is_stored() {
        let mut spool = Spool::new(10_000, vec![]);
        for seq in 1..=5 {
            push(&mut spool, message(1, seq, 100));
        }
        let _ = spool.handle_stored((BootEpoch(1), Seq(3)), MonoMillis(0));
        assert_eq!(spool.spooled_from((BootEpoch(1), Seq(6))), (BootEpoch(1), Seq(4)));
        let _ = spool.handle_stored((BootEpoch(1), Seq(2)), MonoMillis(0));
        assert_eq!(spool.len(), 2);
    }

    #[test]
    fn a_new_connection_sends_all_again_in_order() {
        let mut spool = Spool::new(10_000, vec![message(1, 2, 10), message(1, 1, 10)]);
        let order = |spool: &mut Spool| {
            core::iter::from_fn(|| spool.next_to_send(MonoMillis(0)).map(|sent| sent.covers.first.0))
                .collect::<Vec<_>>()
        };
        assert_eq!(order(&mut spool), [1, 2]);
        spool.handle_connected();
        assert_eq!(order(&mut spool), [1, 2]);
        assert!(spool.resend_if_stale(MonoMillis(10_000), 10_000));
        assert_eq!(order(&mut spool), [1, 2]);
    }

    proptest! {
        /// P5: whatever is dropped, the messages and gaps left cover every sequence number once.
        #[test]
        fn no_gap_goes_unmarked(sizes in prop::collection::vec(1usize..400, 1..80), limit in 500usize..3_000) {
            let mut spool = Spool::new(limit, vec![]);
            for (at, size) in sizes.iter().enumerate() {
                push(&mut spool, message(1, at as u64 + 1, *size));
                let mut next = 1;
                for held in &spool.messages {
                    prop_assert_eq!(held.covers.first.0, next);
                    next = held.covers.last.0 + 1;
                }
                prop_assert_eq!(next, at as u64 + 2);
                // One message and one gap may stand above the limit, never more.
                prop_assert!(spool.used_bytes() <= limit + 100);
            }
        }
    }
}
