//! CAKE at the root of an interface (`Shaper::Root`), read and changed by netlink.
//!
//! Its one rate (`bandwidth`) is here `mir`; it has no guarantee. Only a CAKE that exists is changed, in place and in
//! its rate alone: `cake_change` in the kernel's net/sched/sch_cake.c keeps every option that a request does not name
//! (read of Linux 4.19, seen on 6.1), and its queues with what waits in them. It is never made, moved or deleted. The
//! kernel changes one atomically; several one after the other.
//!
//! Values live in the kernel's memory only: what must outlive a reboot is re-applied by the agent, or kept by SQM.

#[cfg(test)]
mod captured;
mod qdisc;

use std::collections::BTreeMap;

use takar_shared::{
    BitsPerSec,
    queue::{QueueReading, Setting, Shaper},
};

use self::qdisc::{Qdisc, Root, SizeTable};
use super::{
    Observed, QueueBackend, QueueError, ShaperKey, check,
    netlink::{one_direction_each, rate::ByteRate, socket::RouteSocket, unsupported},
};

/// The CAKEs on a device's allow-list, in the network namespace of this process.
pub struct Cake {
    allow: Vec<ShaperKey>,
    /// Kept between calls, and opened anew after any error.
    socket: Option<RouteSocket>,
}

impl Cake {
    /// Touches nothing yet. An entry that is not a [`Shaper::Root`] makes `read` fail as unsupported.
    pub fn new(allow: Vec<ShaperKey>) -> Self {
        Self { allow, socket: None }
    }

    pub fn allowed(&self) -> &[ShaperKey] {
        &self.allow
    }
}

impl QueueBackend for Cake {
    fn has_cir(&self) -> bool {
        false
    }

    async fn read(&mut self) -> Result<Vec<Observed>, QueueError> {
        let mut socket = RouteSocket::take(&mut self.socket)?;
        let roots = Roots::of(&mut socket)?;
        let mut observed = Vec::with_capacity(self.allow.len());
        for key in &self.allow {
            observed.push(observe(key, roots.cake(&socket, &key.shaper)?));
        }
        self.socket = Some(socket);
        Ok(observed)
    }

    /// Besides what [`check`] refuses: rates that CAKE cannot hold exactly (it counts whole bytes a second), one CAKE
    /// named for both directions, and a size table that a change would take away. All of that, and what is missing,
    /// before the first is changed.
    async fn apply(&mut self, settings: &[Setting]) -> Result<(), QueueError> {
        check(settings, &self.allow, self.has_cir())?;
        let rates = settings.iter().map(rate_of).collect::<Result<Vec<_>, _>>()?;
        one_direction_each(settings, "a root")?;

        let mut socket = RouteSocket::take(&mut self.socket)?;
        let roots = Roots::of(&mut socket)?;
        let mut changes = Vec::new();
        for (setting, rate) in settings.iter().zip(rates) {
            let cake = roots.cake(&socket, &setting.shaper)?;
            if cake.rate == rate {
                continue;
            }
            if cake.size_table == SizeTable::Hidden {
                let fault = "it has a size table (stab), which a change of its rate would take away; expected CAKE's \
                             own overhead, mpu and atm";
                return Err(unsupported(&setting.shaper, fault));
            }
            changes.push((&setting.shaper, cake, rate));
        }
        // Lowered before raised, so that the sum on the device never passes the larger of before and after.
        changes.sort_by_key(|(_, cake, rate)| limit(*rate).cmp(&limit(cake.rate)));
        for (shaper, cake, rate) in changes {
            socket
                .exchange(|sequence| cake.change(rate, sequence), |_| Ok(()))
                .map_err(|error| error.changing("RTM_NEWQDISC", shaper))?;
        }
        self.socket = Some(socket);
        Ok(())
    }
}

fn observe(key: &ShaperKey, cake: &qdisc::Cake) -> Observed {
    let reading = QueueReading {
        shaper: key.shaper.clone(),
        direction: key.direction,
        cir: None,
        mir: cake.rate.bits(),
        burst: BitsPerSec::ZERO,
        disabled: false,
    };
    Observed { reading, counters: cake.counters }
}

fn rate_of(setting: &Setting) -> Result<ByteRate, QueueError> {
    ByteRate::whole(setting.mir).ok_or_else(|| {
        let fault = format!("mir of {} bit/s, expected a multiple of 8 bit/s", setting.mir.0);
        unsupported(&setting.shaper, &fault)
    })
}

/// What passes at most, to compare by: a rate of zero is none.
fn limit(rate: ByteRate) -> u64 {
    if rate == ByteRate::ZERO { u64::MAX } else { rate.0 }
}

/// What stands at the roots of all interfaces at one moment, by the interface's index.
struct Roots(BTreeMap<u32, Qdisc>);

impl Roots {
    fn of(socket: &mut RouteSocket) -> Result<Self, QueueError> {
        let mut roots = BTreeMap::new();
        socket
            .exchange(qdisc::dump, |message| {
                if message.kind == qdisc::RTM_NEWQDISC {
                    roots.extend(Root::parse(message.payload)?.map(|root| (root.if_index, root.qdisc)));
                }
                Ok(())
            })
            .map_err(|error| error.reading("RTM_GETQDISC".into()))?;
        Ok(Self(roots))
    }

    /// The CAKE whose rate is ours to read and to set.
    fn cake(&self, socket: &RouteSocket, shaper: &Shaper) -> Result<&qdisc::Cake, QueueError> {
        let Shaper::Root(interface) = shaper else {
            return Err(unsupported(shaper, "expected the root of an interface"));
        };
        let index = socket.index_of(interface, shaper)?;
        match self.0.get(&index) {
            Some(Qdisc::Cake(cake)) if cake.handle == 0 => Err(unsupported(
                shaper,
                "the kernel made this cake by itself (handle 0:) and does not change it; expected one made by tc or SQM",
            )),
            Some(Qdisc::Cake(cake)) if cake.autorate => Err(unsupported(
                shaper,
                "this cake sets its rate itself (autorate-ingress); expected a fixed bandwidth",
            )),
            Some(Qdisc::Cake(cake)) => Ok(cake),
            Some(Qdisc::Other(kind)) => Err(unsupported(shaper, &format!("found {kind:?} there, expected cake"))),
            None => Err(QueueError::Missing(shaper.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use takar_shared::{Direction, id::name, queue::ClassId};

    fn setting(shaper: Shaper, direction: Direction, mir: u64) -> Setting {
        Setting { shaper, direction, cir: None, mir: BitsPerSec(mir) }
    }

    fn root(interface: &str) -> Shaper {
        Shaper::Root(name(interface).unwrap())
    }

    fn allowing(settings: &[Setting]) -> Cake {
        Cake::new(settings.iter().map(ShaperKey::of_setting).collect())
    }

    #[tokio::test]
    async fn what_cannot_be_held_is_refused_before_a_socket_is_opened() {
        let both = Direction::BOTH.map(|direction| setting(root("lo"), direction, 8));
        for (settings, fault) in [
            (&[setting(root("lo"), Direction::Up, 12)][..], "mir of 12 bit/s, expected a multiple of 8 bit/s"),
            (&both[..], "set for both directions, but a root has only one"),
        ] {
            let mut cake = allowing(settings);
            let said = cake.apply(settings).await.unwrap_err().to_string();
            assert_eq!(said, format!("cannot be done: root of lo: {fault}"));
            assert!(cake.socket.is_none());
        }
    }

    /// Asks the real kernel; reading needs no privilege. `lo` exists everywhere and has no queue.
    #[tokio::test]
    async fn what_is_no_cake_or_not_there_is_named() {
        let class = Shaper::Class { interface: name("lo").unwrap(), classid: ClassId(0x1_0010) };
        for (shaper, said) in [
            (root("lo"), "cannot be done: root of lo: found \"noqueue\" there, expected cake"),
            (root("takar-none0"), "root of takar-none0 is not on the device"),
            (class, "cannot be done: class 1:10 on lo: expected the root of an interface"),
        ] {
            let settings = [setting(shaper, Direction::Up, 8)];
            let mut cake = allowing(&settings);
            for error in [cake.read().await.unwrap_err(), cake.apply(&settings).await.unwrap_err()] {
                assert_eq!(error.to_string(), said);
            }
        }
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn only_a_cake_of_ones_own_is_taken() {
        let socket = RouteSocket::open().unwrap();
        let shaper = root("lo");
        let index = socket.index_of("lo", &shaper).unwrap();
        let told = |cake: qdisc::Cake| {
            let roots = Roots(BTreeMap::from([(index, Qdisc::Cake(cake))]));
            roots.cake(&socket, &shaper).map(|cake| cake.rate).map_err(|error| error.to_string())
        };
        assert_eq!(told(captured::BUSY.cake()), Ok(ByteRate(8_000)));
        assert!(told(captured::AUTORATE.cake()).unwrap_err().contains("autorate-ingress"));
        assert!(told(captured::BY_DEFAULT.cake()).unwrap_err().contains("handle 0:"));
        // A table that a change would lose may still be read.
        assert_eq!(told(captured::TABLE.cake()), Ok(ByteRate(1_250_000)));
    }

    #[test]
    fn no_limit_is_the_highest() {
        let mut rates = [ByteRate(1), ByteRate::ZERO, ByteRate(2)];
        rates.sort_by_key(|rate| limit(*rate));
        assert_eq!(rates, [ByteRate(1), ByteRate(2), ByteRate::ZERO]);
    }
}
