//! The clock of a step, in the grammar of the bar: the wall is the standard time, the hatch what went over it.

use askama::Template;

use crate::{figures::share, tongue::Tongue};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    Running,
    /// The step is over.
    Done,
    /// Stands still until a date, where one is known.
    Stopped {
        until: Option<u64>,
    },
}

/// Working time only: the clock rests outside office hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    pub worked_ms: u64,
    pub standard_minutes: u32,
    pub pace: Pace,
}

#[derive(Template)]
#[template(path = "clock.html")]
struct Drawn {
    class: &'static str,
    text: String,
    track: Option<Track>,
}

struct Track {
    label: String,
    used: String,
    wall: String,
    over: Option<String>,
}

impl Clock {
    pub(crate) fn standard_ms(&self) -> u64 {
        u64::from(self.standard_minutes) * 60_000
    }

    pub(crate) fn is_over(&self) -> bool {
        self.worked_ms > self.standard_ms()
    }

    pub(crate) fn draw(&self, t: &Tongue) -> String {
        let class = if self.is_over() { "late" } else { "" };
        let track = match self.pace {
            // No bar, so that it does not seem to run.
            Pace::Stopped { .. } => None,
            Pace::Running | Pace::Done => Some(self.track(t)),
        };
        Drawn { class, text: self.text(t), track }.render().unwrap_or_default()
    }

    fn text(&self, t: &Tongue) -> String {
        let (worked, standard) = (self.worked_ms, self.standard_ms());
        let rest = standard.saturating_sub(worked);
        let over = t.span(worked.saturating_sub(standard));
        match self.pace {
            Pace::Stopped { until: Some(until) } => t.say("clock-stopped-until", &[("at", &t.moment(until))]),
            Pace::Stopped { until: None } => t.w("clock-stopped"),
            Pace::Running if self.is_over() => t.say("clock-over", &[("span", &over)]),
            Pace::Done if self.is_over() => t.say("clock-done-over", &[("span", &t.span(worked)), ("over", &over)]),
            Pace::Done => t.span(worked),
            // Near the end what is left matters more.
            Pace::Running if rest.saturating_mul(5) <= standard => t.say("clock-left", &[("span", &t.span(rest))]),
            Pace::Running => format!("{} / {}", t.span(worked), t.span(standard)),
        }
    }

    fn track(&self, t: &Tongue) -> Track {
        let (worked, standard) = (self.worked_ms, self.standard_ms());
        let scale = worked.max(standard);
        Track {
            label: t.say("clock-label", &[("worked", &t.span(worked)), ("standard", &t.span(standard))]),
            used: share(worked.min(standard), scale),
            wall: share(standard, scale),
            over: self.is_over().then(|| share(worked - standard, scale)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sample::Sample, shell::Lang};

    fn drawn(minutes: u64, pace: Pace) -> String {
        let tongue = Tongue::of(&Sample::default().shell(Lang::Id));
        Clock { worked_ms: minutes * 60_000, standard_minutes: 30, pace }.draw(&tongue)
    }

    #[test]
    fn it_says_what_matters_most() {
        assert!(drawn(12, Pace::Running).contains(">12 mnt / 30 mnt<"));
        assert!(drawn(24, Pace::Running).contains(">6 mnt lagi<"));
        assert!(drawn(47, Pace::Running).contains("class=\"late\">Lewat 17 mnt<"));
        assert!(drawn(24, Pace::Done).contains(">24 mnt<"));
        assert!(drawn(47, Pace::Done).contains(">47 mnt, lewat 17 mnt<"));
    }

    #[test]
    fn the_wall_stays_at_the_standard_time() {
        let late = drawn(60, Pace::Running);
        assert!(late.contains("class=\"wall\" x=\"50%\"") && late.contains("fill=\"url(#hatch-bad)\""), "{late}");
        assert!(!drawn(30, Pace::Running).contains("hatch-bad"));
    }

    #[test]
    fn one_that_stands_still_has_no_bar() {
        assert!(!drawn(12, Pace::Stopped { until: None }).contains("<svg"));
    }
}
