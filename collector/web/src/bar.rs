//! The bar reads like a measuring vessel: outline, the contract; tinted room with a thick wall, the ceiling; line under
//! it, the guarantee; solid core, what is used; tick, the peak; red hatch beyond the wall, what is asked for and not
//! served; petrol hatch, the slice that moves, or the gap between record and device.

use askama::Template;

use crate::{figures::share, tongue::Tongue};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Look {
    #[default]
    Plain,
    /// Lacks bandwidth: red.
    Short,
    /// What was last known: grey.
    Off,
}

/// Rates are bit/s.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bar {
    pub contract: Option<u64>,
    pub ceiling: u64,
    pub guarantee: Option<u64>,
    pub used: Option<u64>,
    pub peak: Option<u64>,
    /// What would be used if there were room.
    pub demand: Option<u64>,
    /// From where to where the slice that moves, or the gap between record and device, reaches.
    pub slice: Option<(u64, u64)>,
    pub look: Look,
    /// What the whole width stands for, so that two bars can be compared; at least what is in it.
    pub scale: u64,
}

/// One link's part of an uplink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    pub used: u64,
    pub short: bool,
}

/// The bar of an uplink: a segment a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shares {
    pub capacity: u64,
    /// Sum of the guarantees, or of the ceilings where there are none.
    pub promised: u64,
    pub links: Vec<Share>,
}

/// Heights of the parts, as the two sizes of bars have them.
struct Heights {
    room: (&'static str, &'static str),
    frame: (&'static str, &'static str),
    unmet: (&'static str, &'static str),
    used: (&'static str, &'static str),
    floor: &'static str,
    notch: (&'static str, &'static str),
    peak: (&'static str, &'static str),
    wall: &'static str,
}

const TALL: Heights = Heights {
    room: ("3", "14"),
    frame: ("2.5", "15"),
    unmet: ("6", "8"),
    used: ("7", "6"),
    floor: "18",
    notch: ("13.5", "6.5"),
    peak: ("4.5", "11"),
    wall: "17.5",
};

const LOW: Heights = Heights {
    room: ("2.4", "11.2"),
    frame: ("2", "12"),
    unmet: ("4.8", "6.4"),
    used: ("5.6", "4.8"),
    floor: "14.4",
    notch: ("10.8", "5.2"),
    peak: ("3.6", "8.8"),
    wall: "14",
};

#[derive(Template)]
#[template(path = "bar.html")]
struct Drawn {
    h: &'static Heights,
    class: &'static str,
    label: String,
    ceiling: String,
    contract: Option<String>,
    slice: Option<(String, String)>,
    unmet: Option<String>,
    used: Option<String>,
    guarantee: Option<String>,
    peak: Option<String>,
}

#[derive(Template)]
#[template(path = "shares.html")]
struct DrawnShares {
    label: String,
    capacity: String,
    promised: String,
    beyond: Option<String>,
    links: Vec<Segment>,
}

struct Segment {
    x: String,
    width: String,
    short: bool,
}

impl Bar {
    pub(crate) fn draw(&self, t: &Tongue) -> String {
        self.with_heights(t, &TALL)
    }

    /// One of a pair, before and after.
    pub(crate) fn draw_low(&self, t: &Tongue) -> String {
        self.with_heights(t, &LOW)
    }

    /// The most that is in it.
    pub(crate) fn extent(&self) -> u64 {
        let parts = [self.contract, self.guarantee, self.used, self.peak, self.demand, self.slice.map(|(_, to)| to)];
        parts.into_iter().flatten().fold(self.ceiling, u64::max)
    }

    fn with_heights(&self, t: &Tongue, h: &'static Heights) -> String {
        let scale = self.scale.max(self.extent());
        let part = |value: u64| share(value, scale);
        let drawn = Drawn {
            h,
            class: match self.look {
                Look::Plain => "bar",
                Look::Short => "bar is-short",
                Look::Off => "bar is-off",
            },
            label: self.label(t),
            ceiling: part(self.ceiling),
            contract: self.contract.map(part),
            slice: self.slice.map(|(from, to)| (part(from), part(to.saturating_sub(from)))),
            unmet: self.demand.filter(|demand| *demand > self.ceiling).map(|demand| part(demand - self.ceiling)),
            used: self.used.map(part),
            guarantee: self.guarantee.map(part),
            peak: self.peak.filter(|_| self.look == Look::Plain).map(part),
        };
        drawn.render().unwrap_or_default()
    }

    /// The numbers, for who does not see the bar.
    fn label(&self, t: &Tongue) -> String {
        let known = [
            ("bar-used", self.used),
            ("bar-ceiling", Some(self.ceiling)),
            ("bar-guarantee", self.guarantee),
            ("bar-contract", self.contract),
            ("bar-demand", self.demand),
        ];
        let said: Vec<String> =
            known.into_iter().filter_map(|(key, bps)| Some(t.say(key, &[("rate", &t.rate(bps?))]))).collect();
        said.join(", ")
    }
}

impl Shares {
    pub(crate) fn used(&self) -> u64 {
        self.links.iter().fold(0, |sum, link| sum.saturating_add(link.used))
    }

    pub(crate) fn draw(&self, t: &Tongue, name: &str) -> String {
        let scale = self.capacity.max(self.promised).max(self.used());
        // Segments are told apart by a gap.
        let gap = scale / 250;
        let mut from: u64 = 0;
        let mut links = Vec::new();
        for link in &self.links {
            let width = share(link.used.saturating_sub(gap), scale);
            links.push(Segment { x: share(from, scale), width, short: link.short });
            from = from.saturating_add(link.used);
        }
        let drawn = DrawnShares {
            label: t.say(
                "shares-label",
                &[
                    ("name", name),
                    ("used", &t.rate(self.used())),
                    ("capacity", &t.rate(self.capacity)),
                    ("promised", &t.rate(self.promised)),
                ],
            ),
            capacity: share(self.capacity, scale),
            promised: share(self.promised, scale),
            beyond: (self.promised > self.capacity).then(|| share(self.promised - self.capacity, scale)),
            links,
        };
        drawn.render().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sample::Sample, shell::Lang};
    use proptest::prelude::*;

    fn tongue(lang: Lang) -> Tongue {
        Tongue::of(&Sample::default().shell(lang))
    }

    /// Every length of the drawing, in per cent.
    fn lengths(drawn: &str) -> Vec<f64> {
        let parts = drawn.split('"').filter_map(|part| part.strip_suffix('%'));
        parts.filter_map(|number| number.parse().ok()).collect()
    }

    #[test]
    fn the_numbers_are_told_as_well() {
        let bar = Bar { contract: Some(100_000_000), ceiling: 60_000_000, used: Some(58_700_000), ..Bar::default() };
        let drawn = bar.draw(&tongue(Lang::Id));
        assert!(drawn.contains("aria-label=\"terpakai 58,7 Mbps, pagu 60 Mbps, kontrak 100 Mbps\""), "{drawn}");
        assert!(bar.draw(&tongue(Lang::En)).contains("58.7 Mbps used"));
    }

    #[test]
    fn what_is_unmeasured_has_no_core() {
        let bar = Bar { ceiling: 30_000_000, look: Look::Off, ..Bar::default() };
        assert!(!bar.draw(&tongue(Lang::Id)).contains("class=\"used\""));
    }

    #[test]
    fn demand_reaches_beyond_the_wall() {
        let bar = Bar { ceiling: 60, demand: Some(80), ..Bar::default() };
        let drawn = bar.draw(&tongue(Lang::En));
        assert!(drawn.contains("x=\"75%\" y=\"6\" height=\"8\" width=\"25%\" fill=\"url(#hatch-bad)\""), "{drawn}");
    }

    proptest! {
        #[test]
        fn nothing_leaves_the_frame(
            ceiling: u64, contract: Option<u64>, guarantee: Option<u64>, used: Option<u64>, demand: Option<u64>, scale: u64,
        ) {
            let bar = Bar { contract, ceiling, guarantee, used, peak: used, demand, scale, ..Bar::default() };
            let drawn = bar.draw(&tongue(Lang::Id));
            let lengths = lengths(&drawn);
            prop_assert!(!lengths.is_empty());
            prop_assert!(lengths.iter().all(|length| (0.0..=100.0).contains(length)), "{}", drawn);
        }

        #[test]
        fn an_uplink_holds_its_links(capacity: u64, promised: u64, links: Vec<(u64, bool)>) {
            let links: Vec<Share> = links.into_iter().map(|(used, short)| Share { used, short }).collect();
            let drawn = Shares { capacity, promised, links }.draw(&tongue(Lang::En), "u");
            prop_assert!(lengths(&drawn).iter().all(|length| (0.0..=100.0).contains(length)), "{}", drawn);
        }
    }
}
