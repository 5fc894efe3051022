//! The contract suite that every queue backend must pass, run against real queues or a simulated router.
//!
//! It needs at least one shaper that it may change freely; it puts the original values back, also after a failed
//! clause. The first failed clause is the error, by name.

use std::collections::BTreeSet;

use takar_shared::{
    BitsPerSec,
    id::name,
    queue::{ClassId, Setting, Shaper},
};

use super::{Observed, QueueBackend, ShaperKey};
use crate::chain::chain;

/// Runs every clause over all shapers of `backend`. `low` and `high` must be rates the backend can hold exactly
/// (whole bytes a second for HTB), `0 < low < high`.
pub async fn contract<B: QueueBackend>(backend: &mut B, low: BitsPerSec, high: BitsPerSec) -> Result<(), String> {
    if low == BitsPerSec::ZERO || low >= high {
        return Err(format!("contract: expected 0 < low < high, got {low} and {high}"));
    }
    let last = backend.read().await.map_err(|error| format!("read: {}", chain(&error)))?;
    let original = settings_of(&last);
    let mut run = Run { has_cir: backend.has_cir(), backend, last };
    let clauses = run.clauses(low, high).await;
    let restored = run.put("the original values are restored", &original).await;
    match (clauses, restored) {
        (Err(clause), Err(restore)) => Err(format!("{clause}; then {restore}")),
        (clauses, restored) => clauses.and(restored),
    }
}

/// The one clause that needs the allow-list itself: `read` returns exactly it, in its order.
pub async fn reads_in_order<B: QueueBackend>(backend: &mut B, allow: &[ShaperKey]) -> Result<(), String> {
    let read = backend.read().await.map_err(|error| format!("read: {}", chain(&error)))?;
    same_keys("read returns the allow-list in order", allow, &keys_of(&read))
}

struct Run<'a, B> {
    has_cir: bool,
    backend: &'a mut B,
    /// The newest reading; every later one is held against it.
    last: Vec<Observed>,
}

impl<B: QueueBackend> Run<'_, B> {
    async fn clauses(&mut self, low: BitsPerSec, high: BitsPerSec) -> Result<(), String> {
        let keys = keys_of(&self.last);
        let Some(first) = keys.first().cloned() else { return Err("read: no shaper to try the contract on".into()) };
        if keys.iter().collect::<BTreeSet<_>>().len() != keys.len() {
            return Err(format!("read: a shaper came twice: {keys:?}"));
        }
        self.read("two reads agree").await?;

        self.put("apply low, read low", &self.all(low, low)).await?;
        self.put("applying the same twice is harmless", &self.all(low, low)).await?;
        self.put("raise the ceiling", &self.all(low, high)).await?;
        self.put("raise the guarantee", &self.all(high, high)).await?;
        self.put("lower the guarantee", &self.all(low, high)).await?;
        self.put("lower the ceiling", &self.all(low, low)).await?;
        let reversed: Vec<Setting> = self.all(high, high).into_iter().rev().collect();
        self.put("settings may come in any order", &reversed).await?;
        self.put("a shaper not named keeps its values", &[self.setting(&first, low, low)]).await?;
        self.put("nothing to set changes nothing", &[]).await?;

        let allowed = self.setting(&first, high, high);
        if let Some(shaper) = stranger(&first.shaper) {
            let foreign = Setting { shaper, ..allowed.clone() };
            self.refuses("a shaper not on the allow-list", std::slice::from_ref(&foreign)).await?;
            self.refuses("an allowed shaper together with one that is not", &[allowed.clone(), foreign]).await?;
        }
        if self.has_cir {
            self.refuses("cir above mir", &[self.setting(&first, high, low)]).await?;
            self.refuses("no cir where there is one", &[Setting { cir: None, ..allowed }]).await?;
        } else {
            self.refuses("a cir where there is none", &[Setting { cir: Some(low), ..allowed }]).await?;
        }
        Ok(())
    }

    /// Applies, reads back, and expects exactly the named values and nothing else changed.
    async fn put(&mut self, clause: &str, settings: &[Setting]) -> Result<(), String> {
        let expected: Vec<Setting> = settings_of(&self.last)
            .into_iter()
            .map(|before| {
                let key = ShaperKey::of_setting(&before);
                settings.iter().find(|setting| ShaperKey::of_setting(setting) == key).cloned().unwrap_or(before)
            })
            .collect();
        self.backend.apply(settings).await.map_err(|error| format!("{clause}: {}", chain(&error)))?;
        self.read(clause).await?;
        self.expect(clause, &expected)
    }

    async fn refuses(&mut self, what: &str, settings: &[Setting]) -> Result<(), String> {
        let clause = format!("{what} is refused and changes nothing");
        let before = settings_of(&self.last);
        let refused = self.backend.apply(settings).await.is_err();
        self.read(&clause).await?;
        self.expect(&clause, &before)?;
        if refused { Ok(()) } else { Err(format!("{clause}: apply reported success")) }
    }

    async fn read(&mut self, clause: &str) -> Result<(), String> {
        let read = self.backend.read().await.map_err(|error| format!("{clause}: read: {}", chain(&error)))?;
        same_keys(clause, &keys_of(&self.last), &keys_of(&read))?;
        for (before, after) in self.last.iter().zip(&read) {
            let (old, new) = (before.counters, after.counters);
            if new.bytes < old.bytes || new.drops < old.drops || new.overlimits < old.overlimits {
                let key = ShaperKey::of_reading(&after.reading);
                return Err(format!("{clause}: counters never fall: {key} went from {old:?} to {new:?}"));
            }
        }
        self.last = read;
        Ok(())
    }

    fn expect(&self, clause: &str, expected: &[Setting]) -> Result<(), String> {
        let found = settings_of(&self.last);
        match expected.iter().zip(&found).find(|(expected, found)| expected != found) {
            None => Ok(()),
            Some((expected, found)) => Err(format!("{clause}: expected {expected:?}, read {found:?}")),
        }
    }

    fn all(&self, cir: BitsPerSec, mir: BitsPerSec) -> Vec<Setting> {
        keys_of(&self.last).iter().map(|key| self.setting(key, cir, mir)).collect()
    }

    fn setting(&self, key: &ShaperKey, cir: BitsPerSec, mir: BitsPerSec) -> Setting {
        let ShaperKey { shaper, direction } = key.clone();
        Setting { shaper, direction, cir: self.has_cir.then_some(cir), mir }
    }
}

fn settings_of(read: &[Observed]) -> Vec<Setting> {
    read.iter().map(|observed| observed.reading.setting()).collect()
}

fn keys_of(read: &[Observed]) -> Vec<ShaperKey> {
    read.iter().map(|observed| ShaperKey::of_reading(&observed.reading)).collect()
}

fn same_keys(clause: &str, expected: &[ShaperKey], found: &[ShaperKey]) -> Result<(), String> {
    if expected == found { Ok(()) } else { Err(format!("{clause}: expected {expected:?}, read {found:?}")) }
}

/// A shaper of the same kind that no allow-list holds.
fn stranger(shaper: &Shaper) -> Option<Shaper> {
    match shaper {
        Shaper::Queue(_) => name("takar-contract-stranger").map(Shaper::Queue),
        Shaper::Class { interface, .. } => {
            Some(Shaper::Class { interface: interface.clone(), classid: ClassId(0xfffe_fffe) })
        }
        Shaper::Root(_) => name("takar-none0").map(Shaper::Root),
    }
}

#[cfg(test)]
mod tests {
    //! The suite must find each fault, so it runs against queues kept in memory, sound and with one fault each.

    use super::*;
    use crate::queue::{QueueCounters, QueueError, check};
    use takar_shared::{Direction, queue::QueueReading};

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Fault {
        None,
        Inexact,
        ForgetsSome,
        SetsBothDirections,
        ChecksLate,
        ChecksNothing,
        CountersReset,
        Unordered,
    }

    struct Memory {
        queues: Vec<Observed>,
        fault: Fault,
    }

    impl Memory {
        fn new(fault: Fault) -> Self {
            let queues = Direction::BOTH.map(|direction| Observed {
                reading: QueueReading {
                    shaper: Shaper::Queue(name("site-a").unwrap()),
                    direction,
                    cir: Some(BitsPerSec(64_000)),
                    mir: BitsPerSec::ZERO,
                    burst: BitsPerSec::ZERO,
                    disabled: false,
                },
                counters: QueueCounters { bytes: 7, ..QueueCounters::default() },
            });
            Self { queues: queues.into(), fault }
        }

        fn set(&mut self, setting: &Setting) {
            let both = self.fault == Fault::SetsBothDirections;
            for queue in &mut self.queues {
                if queue.reading.shaper == setting.shaper && (both || queue.reading.direction == setting.direction) {
                    queue.reading.cir = setting.cir;
                    queue.reading.mir = setting.mir;
                    if self.fault == Fault::Inexact {
                        queue.reading.mir = BitsPerSec(setting.mir.0 + 1);
                    }
                    if self.fault == Fault::CountersReset {
                        queue.counters = QueueCounters::default();
                    }
                }
            }
        }
    }

    impl QueueBackend for Memory {
        fn has_cir(&self) -> bool {
            true
        }
        async fn read(&mut self) -> Result<Vec<Observed>, QueueError> {
            if self.fault == Fault::Unordered {
                self.queues.reverse();
            }
            Ok(self.queues.clone())
        }
        async fn apply(&mut self, settings: &[Setting]) -> Result<(), QueueError> {
            let allow = keys_of(&self.queues);
            if !matches!(self.fault, Fault::ChecksLate | Fault::ChecksNothing) {
                check(settings, &allow, true)?;
            }
            let keep = if self.fault == Fault::ForgetsSome { 1 } else { settings.len() };
            for setting in settings.iter().take(keep) {
                if self.fault == Fault::ChecksLate {
                    check(std::slice::from_ref(setting), &allow, true)?;
                }
                self.set(setting);
            }
            Ok(())
        }
    }

    async fn verdict(fault: Fault) -> Result<(), String> {
        contract(&mut Memory::new(fault), BitsPerSec(8_000), BitsPerSec(16_000)).await
    }

    #[tokio::test]
    async fn sound_queues_pass_and_end_as_they_began() {
        let mut backend = Memory::new(Fault::None);
        let before = settings_of(&backend.queues);
        contract(&mut backend, BitsPerSec(8_000), BitsPerSec(16_000)).await.unwrap();
        assert_eq!(settings_of(&backend.queues), before);
        let mut allow = keys_of(&backend.queues);
        reads_in_order(&mut backend, &allow).await.unwrap();
        allow.reverse();
        reads_in_order(&mut backend, &allow).await.unwrap_err();
    }

    #[tokio::test]
    async fn every_fault_is_named() {
        for (fault, clause) in [
            (Fault::Inexact, "apply low, read low"),
            (Fault::ForgetsSome, "apply low, read low"),
            (Fault::SetsBothDirections, "a shaper not named keeps its values"),
            (Fault::ChecksLate, "an allowed shaper together with one that is not is refused and changes nothing"),
            (Fault::ChecksNothing, "a shaper not on the allow-list is refused and changes nothing"),
            (Fault::CountersReset, "apply low, read low: counters never fall"),
            (Fault::Unordered, "two reads agree"),
        ] {
            let said = verdict(fault).await.unwrap_err();
            assert!(said.starts_with(clause), "{fault:?}: {said}");
        }
    }

    #[tokio::test]
    async fn rates_that_prove_nothing_are_refused() {
        let mut backend = Memory::new(Fault::None);
        contract(&mut backend, BitsPerSec(8_000), BitsPerSec(8_000)).await.unwrap_err();
        contract(&mut backend, BitsPerSec::ZERO, BitsPerSec(8_000)).await.unwrap_err();
    }
}
