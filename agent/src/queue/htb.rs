//! HTB classes of Linux, read and changed by netlink: a change takes less than a tenth of a millisecond, a `tc`
//! process more than one. Reading dumps each interface's classes whole, about 5 µs a class unoptimised.
//!
//! A class has a guarantee (HTB's rate, here `cir`) and a ceiling (HTB's ceil, here `mir`). Only classes that exist
//! are changed, and only in these two rates and the buckets that depend on them: never created, moved or deleted.
//! The kernel changes one class atomically; several classes one after the other.
//!
//! Values live in the kernel's memory only: what must outlive a reboot is re-applied by the agent.

mod bucket;
#[cfg(test)]
pub(super) mod captured;
mod class;

use std::{
    cmp::Ordering,
    collections::{BTreeMap, btree_map::Entry},
    fs,
};

use takar_shared::{
    BitsPerSec, Name,
    queue::{ClassId, QueueReading, Setting, Shaper},
};

use self::{bucket::TimerHz, class::HtbClass};
use super::{
    Observed, QueueBackend, QueueError, ShaperKey, check,
    netlink::{one_direction_each, rate::ByteRate, socket::RouteSocket, unsupported},
};

/// The HTB classes on a device's allow-list, in the network namespace of this process.
pub struct Htb {
    allow: Vec<ShaperKey>,
    /// Kept between calls, and opened anew after any error.
    socket: Option<RouteSocket>,
}

impl Htb {
    /// Touches nothing yet. An entry that is not a [`Shaper::Class`] makes `read` fail as unsupported.
    pub fn new(allow: Vec<ShaperKey>) -> Self {
        Self { allow, socket: None }
    }
}

impl QueueBackend for Htb {
    fn has_cir(&self) -> bool {
        true
    }

    async fn read(&mut self) -> Result<Vec<Observed>, QueueError> {
        let mut socket = RouteSocket::take(&mut self.socket)?;
        let mut interfaces = Interfaces::default();
        let mut observed = Vec::with_capacity(self.allow.len());
        for key in &self.allow {
            observed.push(observe(key, interfaces.class(&mut socket, &key.shaper)?));
        }
        self.socket = Some(socket);
        Ok(observed)
    }

    /// Besides what [`check`] refuses: rates that HTB cannot hold exactly (it counts whole bytes a second, at least
    /// one) and one class named for both directions. All of that, and missing classes, before the first is changed.
    async fn apply(&mut self, settings: &[Setting]) -> Result<(), QueueError> {
        check(settings, &self.allow, self.has_cir())?;
        let rates = settings.iter().map(Rates::of).collect::<Result<Vec<_>, _>>()?;
        one_direction_each(settings, "a class")?;

        let mut socket = RouteSocket::take(&mut self.socket)?;
        let mut interfaces = Interfaces::default();
        let timer = timer_hz();
        let mut changes = Vec::new();
        for (setting, rates) in settings.iter().zip(rates) {
            let class = interfaces.class(&mut socket, &setting.shaper)?;
            if class.offloaded {
                return Err(unsupported(&setting.shaper, "HTB is offloaded to hardware there"));
            }
            changes.extend(Change::of(&setting.shaper, class, rates, timer));
        }
        changes.sort_by_key(Change::order);
        for change in &changes {
            socket
                .exchange(|sequence| change.class.change(sequence), |_| Ok(()))
                .map_err(|error| error.changing("RTM_NEWTCLASS", change.shaper))?;
        }
        self.socket = Some(socket);
        Ok(())
    }
}

fn observe(key: &ShaperKey, class: &HtbClass) -> Observed {
    let reading = QueueReading {
        shaper: key.shaper.clone(),
        direction: key.direction,
        cir: Some(class.rate.rate.bits()),
        mir: class.ceil.rate.bits(),
        // HTB's burst is a bucket, not a rate.
        burst: BitsPerSec::ZERO,
        disabled: false,
    };
    Observed { reading, counters: class.counters }
}

/// A setting's two rates as HTB holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rates {
    cir: ByteRate,
    mir: ByteRate,
}

impl Rates {
    fn of(setting: &Setting) -> Result<Self, QueueError> {
        let held = |what: &str, bits: BitsPerSec| {
            ByteRate::whole(bits).filter(|rate| *rate != ByteRate::ZERO).ok_or_else(|| {
                let fault = format!("{what} of {} bit/s, expected a multiple of 8 bit/s, not zero", bits.0);
                unsupported(&setting.shaper, &fault)
            })
        };
        let cir = setting.cir.ok_or_else(|| unsupported(&setting.shaper, "no cir, which an HTB class must have"))?;
        Ok(Self { cir: held("cir", cir)?, mir: held("mir", setting.mir)? })
    }
}

/// A class to be changed, with its new values.
struct Change<'a> {
    shaper: &'a Shaper,
    class: HtbClass,
    mir: Ordering,
    cir: Ordering,
}

impl<'a> Change<'a> {
    /// `None` when the class has these rates already.
    fn of(shaper: &'a Shaper, old: &HtbClass, rates: Rates, timer: TimerHz) -> Option<Self> {
        let mir = rates.mir.cmp(&old.ceil.rate);
        let cir = rates.cir.cmp(&old.rate.rate);
        let class = old.with_rates(rates.cir, rates.mir, timer);
        (mir.is_ne() || cir.is_ne()).then_some(Self { shaper, class, mir, cir })
    }

    /// What lowers a ceiling, then what leaves it and lowers a guarantee, then what raises: so the sums on the
    /// device never pass the larger of before and after.
    fn order(&self) -> (Ordering, Ordering) {
        (self.mir, self.cir)
    }
}

/// The classes of the interfaces looked at in one call, so that each is dumped once. Indices do not outlive the
/// call: an interface that is made anew has another.
#[derive(Default)]
struct Interfaces(BTreeMap<Name, Classes>);

type Classes = BTreeMap<ClassId, HtbClass>;

impl Interfaces {
    fn class(&mut self, socket: &mut RouteSocket, shaper: &Shaper) -> Result<&HtbClass, QueueError> {
        let Shaper::Class { interface, classid } = shaper else {
            return Err(unsupported(shaper, "expected an HTB class"));
        };
        let classes = match self.0.entry(interface.clone()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(classes_of(socket, interface, shaper)?),
        };
        classes.get(classid).ok_or_else(|| QueueError::Missing(shaper.to_string()))
    }
}

/// All HTB classes of an interface; empty where it has none.
fn classes_of(socket: &mut RouteSocket, interface: &str, shaper: &Shaper) -> Result<Classes, QueueError> {
    let index = socket.index_of(interface, shaper)?;
    let mut classes = Classes::new();
    socket
        .exchange(
            |sequence| class::dump(index, sequence),
            |message| {
                if message.kind == class::RTM_NEWTCLASS {
                    let class = HtbClass::parse(message.payload)?.filter(|class| class.if_index == index);
                    classes.extend(class.map(|class| (class.classid, class)));
                }
                Ok(())
            },
        )
        .map_err(|error| error.reading(format!("RTM_GETTCLASS on {interface}")))?;
    Ok(classes)
}

/// The packet timer of this kernel; the slowest there is where it cannot be read.
fn timer_hz() -> TimerHz {
    fs::read_to_string("/proc/net/psched").ok().and_then(|text| TimerHz::parse(&text)).unwrap_or(TimerHz::SLOWEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use takar_shared::{Direction, id::name};

    fn class_on(interface: &str, minor: u32) -> Shaper {
        Shaper::Class { interface: name(interface).unwrap(), classid: ClassId(0x1_0000 | minor) }
    }

    fn setting(shaper: Shaper, direction: Direction, cir: u64, mir: u64) -> Setting {
        Setting { shaper, direction, cir: Some(BitsPerSec(cir)), mir: BitsPerSec(mir) }
    }

    fn allowing(settings: &[Setting]) -> Htb {
        Htb::new(settings.iter().map(ShaperKey::of_setting).collect())
    }

    #[tokio::test]
    async fn rates_that_read_back_otherwise_are_refused_before_a_socket_is_opened() {
        for (cir, mir, fault) in [
            (8, 12, "mir of 12 bit/s, expected a multiple of 8 bit/s, not zero"),
            (9, 16, "cir of 9 bit/s, expected a multiple of 8 bit/s, not zero"),
            (0, 16, "cir of 0 bit/s, expected a multiple of 8 bit/s, not zero"),
            (8, 0, "mir of 0 bit/s, expected a multiple of 8 bit/s, not zero"),
        ] {
            let settings = [setting(class_on("lo", 0x10), Direction::Down, cir, mir)];
            let mut htb = allowing(&settings);
            let said = htb.apply(&settings).await.unwrap_err().to_string();
            assert_eq!(said, format!("cannot be done: class 1:10 on lo: {fault}"));
            assert!(htb.socket.is_none());
        }
    }

    #[tokio::test]
    async fn one_class_for_both_directions_is_refused() {
        let both = Direction::BOTH.map(|direction| setting(class_on("lo", 0x10), direction, 8, 8));
        let said = allowing(&both).apply(&both).await.unwrap_err().to_string();
        assert_eq!(said, "cannot be done: class 1:10 on lo: set for both directions, but a class has only one");
    }

    #[tokio::test]
    async fn what_is_not_a_class_is_unsupported() {
        let settings = [setting(Shaper::Root(name("lo").unwrap()), Direction::Up, 8, 8)];
        let mut htb = allowing(&settings);
        assert!(matches!(htb.read().await, Err(QueueError::Unsupported { .. })));
        assert!(matches!(htb.apply(&settings).await, Err(QueueError::Unsupported { .. })));
    }

    /// Asks the real kernel; reading needs no privilege. `lo` exists everywhere and has no class fffe:fffe.
    #[tokio::test]
    async fn a_missing_class_or_interface_is_named() {
        let missing = Shaper::Class { interface: name("lo").unwrap(), classid: ClassId(0xfffe_fffe) };
        for shaper in [missing, class_on("takar-none0", 0x10), class_on("longer-than-any-interface", 0x10)] {
            let settings = [setting(shaper.clone(), Direction::Down, 8, 8)];
            let mut htb = allowing(&settings);
            for error in [htb.read().await.unwrap_err(), htb.apply(&settings).await.unwrap_err()] {
                assert_eq!(error.to_string(), format!("{shaper} is not on the device"));
            }
        }
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn lowering_comes_before_raising_and_the_unchanged_is_not_sent() {
        let old = captured::BUSY.class();
        let (cir, mir) = (old.rate.rate.bits().0, old.ceil.rate.bits().0);
        let shaper = class_on("d0", 0x10);
        let change = |cir, mir| {
            let rates = Rates::of(&setting(shaper.clone(), Direction::Down, cir, mir)).unwrap();
            Change::of(&shaper, &old, rates, TimerHz(1_000_000_000))
        };
        assert!(change(cir, mir).is_none());
        let mut changes = [
            change(cir, mir + 8),
            change(cir + 8, mir),
            change(cir - 8, mir),
            change(cir - 8, mir + 8),
            change(cir, mir - 8),
        ]
        .map(Option::unwrap);
        changes.sort_by_key(Change::order);
        let rates = changes.map(|change| (change.class.rate.rate.bits().0, change.class.ceil.rate.bits().0));
        let expected = [(cir, mir - 8), (cir - 8, mir), (cir + 8, mir), (cir - 8, mir + 8), (cir, mir + 8)];
        assert_eq!(rates, expected);
    }
}
