//! Evidence as a curve: what a link carried, under which ceiling, with its gaps left open.

use std::fmt::Write as _;

use askama::Template;

use crate::{
    figures::{rate_in, share, unit_of},
    tongue::Tongue,
};

/// More points than this are drawn as the highest of each stretch.
const DRAWN: usize = 600;

/// Rates are bit/s, times Unix milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plot {
    pub link: String,
    pub from: u64,
    pub to: u64,
    /// In order of time; a gap is a missing point.
    pub points: Vec<Point>,
    /// When commands took effect.
    pub changes: Vec<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    pub at: u64,
    pub mean_bps: u64,
    pub ceiling_bps: Option<u64>,
}

#[derive(Template)]
#[template(path = "plot.html")]
struct Drawn<'a> {
    t: &'a Tongue,
    label: String,
    unit: &'static str,
    levels: Vec<Level>,
    gaps: Vec<(String, String)>,
    area: String,
    line: String,
    ceiling: String,
    /// Place and letter.
    changes: Vec<(String, char)>,
    /// Place, anchor, text.
    times: Vec<(String, &'static str, String)>,
    legend: Vec<(char, String)>,
}

/// A line of the grid: its height, where its text stands, and the text.
struct Level {
    y: String,
    text_y: String,
    text: String,
}

impl Plot {
    /// `None` where there is nothing to draw.
    pub(crate) fn draw(&self, t: &Tongue) -> Option<String> {
        let top = self.points.iter().map(|point| point.mean_bps.max(point.ceiling_bps.unwrap_or(0))).max()?;
        if self.to <= self.from {
            return None;
        }
        let step = step_for(top);
        // Room for the highest value and a little air.
        let top = (top / step).saturating_add(1).saturating_mul(step).max(1);
        let points = self.thinned();
        let runs = self.runs(&points);
        let lettered = || self.changes.iter().copied().zip('A'..='Z');
        let drawn = Drawn {
            t,
            label: t
                .say("plot-label", &[("link", &self.link), ("from", &t.moment(self.from)), ("to", &t.moment(self.to))]),
            unit: unit_of(step).1,
            levels: (0..)
                .map(|n| step.saturating_mul(n))
                .take_while(|bps| *bps < top)
                .map(|bps| level(t, bps, step, top))
                .collect(),
            gaps: self.gaps(&runs),
            area: runs.iter().map(|run| self.area(run, top)).collect(),
            line: runs.iter().map(|run| self.line(run, top)).collect(),
            ceiling: self.steps(&points, top),
            changes: lettered().map(|(at, letter)| (self.x_share(at), letter)).collect(),
            times: self.times(t),
            legend: lettered().map(|(at, letter)| (letter, t.moment(at))).collect(),
        };
        drawn.render().ok()
    }

    /// Those within the window.
    fn thinned(&self) -> Vec<Point> {
        let window = self.from..=self.to;
        let shown: Vec<Point> = self.points.iter().filter(|point| window.contains(&point.at)).copied().collect();
        let stretch = shown.len().div_ceil(DRAWN).max(1);
        shown.chunks(stretch).filter_map(|some| some.iter().max_by_key(|point| point.mean_bps).copied()).collect()
    }

    /// Points that follow each other without a gap: one that is longer than twice the usual distance.
    fn runs<'a>(&self, points: &'a [Point]) -> Vec<&'a [Point]> {
        let mut distances: Vec<u64> = points.windows(2).map(pair_distance).collect();
        distances.sort_unstable();
        let usual = distances.get(distances.len() / 2).copied().unwrap_or(0);
        points.chunk_by(|a, b| b.at.saturating_sub(a.at) <= usual.saturating_mul(5) / 2).collect()
    }

    fn gaps(&self, runs: &[&[Point]]) -> Vec<(String, String)> {
        let ends = runs.iter().filter_map(|run| run.last());
        let begins = runs.iter().skip(1).filter_map(|run| run.first());
        let width = self.to.saturating_sub(self.from);
        ends.zip(begins)
            .map(|(end, begin)| (self.x_share(end.at), share(begin.at.saturating_sub(end.at), width)))
            .collect()
    }

    fn line(&self, run: &[Point], top: u64) -> String {
        let mut path = String::new();
        for (n, point) in run.iter().enumerate() {
            let _ = write!(path, "{}{} {}", if n == 0 { 'M' } else { 'L' }, self.x(point.at), y(point.mean_bps, top));
        }
        path
    }

    fn area(&self, run: &[Point], top: u64) -> String {
        match (run.first(), run.last()) {
            (Some(first), Some(last)) => {
                let line = self.line(run, top).replacen('M', "L", 1);
                format!("M{} 100{line}L{} 100Z", self.x(first.at), self.x(last.at))
            }
            _ => String::new(),
        }
    }

    /// The ceiling goes level until it changes.
    fn steps(&self, points: &[Point], top: u64) -> String {
        let mut path = String::new();
        let mut before = None;
        for point in points {
            let Some(ceiling) = point.ceiling_bps else { continue };
            let _ = match before {
                None => write!(path, "M{} {}", self.x(point.at), y(ceiling, top)),
                Some(same) if same == ceiling => write!(path, "H{}", self.x(point.at)),
                Some(_) => write!(path, "H{}V{}", self.x(point.at), y(ceiling, top)),
            };
            before = Some(ceiling);
        }
        path
    }

    fn times(&self, t: &Tongue) -> Vec<(String, &'static str, String)> {
        let quarter = self.to.saturating_sub(self.from) / 4;
        (0..=4u64)
            .map(|n| {
                let at = self.from.saturating_add(quarter.saturating_mul(n));
                let anchor = match n {
                    0 => "start",
                    4 => "end",
                    _ => "middle",
                };
                (share(n, 4), anchor, t.moment(at))
            })
            .collect()
    }

    /// Of the thousand units that the drawing is wide.
    fn x(&self, at: u64) -> String {
        tenths(at.saturating_sub(self.from), self.to.saturating_sub(self.from), 10_000)
    }

    fn x_share(&self, at: u64) -> String {
        share(at.clamp(self.from, self.to).saturating_sub(self.from), self.to.saturating_sub(self.from))
    }
}

fn pair_distance(pair: &[Point]) -> u64 {
    match pair {
        [a, b] => b.at.saturating_sub(a.at),
        _ => 0,
    }
}

/// Of the hundred units that the drawing is high, from above.
fn y(bps: u64, top: u64) -> String {
    tenths(top.saturating_sub(bps), top, 1000)
}

/// `part` of `whole` in units of which there are `tenths / 10`.
fn tenths(part: u64, whole: u64, tenths: u64) -> String {
    let value = u128::from(part.min(whole)) * u128::from(tenths) / u128::from(whole.max(1));
    format!("{}.{}", value / 10, value % 10)
}

/// 1, 2 or 5 with zeros: four lines or so up to the highest value.
fn step_for(top: u64) -> u64 {
    let rough = (top / 4).max(1);
    let power = 10u64.saturating_pow(rough.ilog10());
    let step = [1, 2, 5].into_iter().map(|n| power.saturating_mul(n)).find(|step| *step >= rough);
    step.unwrap_or_else(|| power.saturating_mul(10))
}

fn level(t: &Tongue, bps: u64, step: u64, top: u64) -> Level {
    // The grid is 180 high and begins at 30; the text sits 4 lower than its line.
    let at = 30 + u64::try_from(u128::from(top.saturating_sub(bps)) * 180 / u128::from(top.max(1))).unwrap_or(180);
    Level { y: at.to_string(), text_y: (at + 4).to_string(), text: rate_in(t.lang, bps, unit_of(step).0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sample::Sample, shell::Lang};
    use proptest::prelude::*;

    fn tongue() -> Tongue {
        Tongue::of(&Sample::default().shell(Lang::Id))
    }

    fn point(at: u64, mean_bps: u64, ceiling_bps: Option<u64>) -> Point {
        Point { at, mean_bps, ceiling_bps }
    }

    #[test]
    fn a_gap_stays_open() {
        let at = |n: u64| point(n * 10, 5_000_000, Some(10_000_000));
        let points: Vec<Point> = [0, 1, 2, 3, 7, 8, 9].map(at).into();
        let plot = Plot { from: 0, to: 100, points: points.clone(), ..Plot::default() };
        assert_eq!(plot.runs(&points).iter().map(|run| run.len()).collect::<Vec<_>>(), [4, 3]);
        let drawn = plot.draw(&tongue()).unwrap();
        assert_eq!(drawn.matches("height=\"180\" fill=\"url(#hatch-gap)\"").count(), 1);
        assert!(drawn.contains("x=\"30%\" y=\"30\" width=\"40%\""), "{drawn}");
    }

    #[test]
    fn the_ceiling_goes_in_steps() {
        let points = [point(0, 1, Some(50)), point(50, 1, Some(50)), point(100, 1, Some(100))];
        let plot = Plot { from: 0, to: 100, points: points.into(), ..Plot::default() };
        assert_eq!(plot.steps(&points, 100), "M0.0 50.0H500.0H1000.0V0.0");
    }

    #[test]
    fn grids_have_few_round_lines() {
        let steps = [60_000_000, 84_000_000, 100_000_000, 1_000_000, 3, 0].map(step_for);
        assert_eq!(steps, [20_000_000, 50_000_000, 50_000_000, 500_000, 1, 1]);
    }

    proptest! {
        #[test]
        fn whatever_was_measured_can_be_drawn(
            from in any::<u64>(),
            length in any::<u64>(),
            changes in any::<Vec<u64>>(),
            points in prop::collection::vec((any::<u64>(), any::<u64>(), any::<Option<u64>>()), 0..40),
        ) {
            let to = from.saturating_add(length);
            let points: Vec<Point> = points.into_iter().map(|(at, mean, ceiling)| point(at, mean, ceiling)).collect();
            let some = !points.is_empty() && to > from;
            let drawn = Plot { link: "l".into(), from, to, points, changes }.draw(&tongue());
            prop_assert_eq!(drawn.is_some(), some);
        }
    }
}
