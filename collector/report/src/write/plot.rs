//! A curve with its ticks in words.

use super::{Writer, t};
use crate::{
    document::{Block, PlotBlock, Tick},
    model::{Plot, Point},
};

const X_TICKS: u64 = 6;
const Y_TICKS: u64 = 4;
const DAY_MS: u64 = 86_400_000;

pub(super) fn block(plot: &Plot, writer: &Writer<'_>) -> Block {
    let highest = plot.points.iter().flat_map(|point| [point.mean_bps, point.ceiling_bps.unwrap_or_default()]).max();
    let top = nice(highest.unwrap_or_default().saturating_add(highest.unwrap_or_default() / 10));
    let (from, to) = (plot.from, plot.to.max(plot.from.saturating_add(1)));
    let (is_short, is_long) = (to - from < X_TICKS * 60_000, to - from > 2 * DAY_MS);
    let x = (0..=X_TICKS).map(|index| {
        let at = from + (to - from) / X_TICKS * index;
        let figures = &writer.figures;
        let text = match (is_short, is_long) {
            (true, _) => figures.clock_to_the_second(at),
            (_, true) => figures.short(at),
            _ => figures.clock(at),
        };
        Tick { at, text }
    });
    let y = (0..=Y_TICKS).map(|index| {
        let at = top / Y_TICKS * index;
        Tick { at, text: writer.figures.rate(at) }
    });
    let direction = writer.direction(&plot.direction);
    let caption = t!(
        writer,
        "plot",
        link = plot.link,
        direction = direction,
        from = writer.figures.moment(from),
        to = writer.figures.moment(to),
    );
    let letter = |index: usize| char::from(b'A' + u8::try_from(index % 26).unwrap_or_default()).to_string();
    let marks = plot.changes.iter().filter(|at| (from..=to).contains(*at)).enumerate();
    Block::Plot(PlotBlock {
        caption,
        from,
        to,
        top_bps: top,
        x_ticks: x.collect(),
        y_ticks: y.collect(),
        curve: stretches(&plot.points, |point| Some(point.mean_bps)),
        ceiling: stretches(&plot.points, |point| point.ceiling_bps),
        marks: marks.map(|(index, at)| Tick { at: *at, text: letter(index) }).collect(),
        legend_carried: t!(writer, "legend-carried"),
        legend_ceiling: t!(writer, "legend-ceiling"),
        legend_change: t!(writer, "legend-change"),
    })
}

/// The next round number: 1, 2, 4 or 8 and zeros, so that quarters of it are round too.
fn nice(value: u64) -> u64 {
    let mut scale: u64 = 1000;
    while let Some(next) = scale.checked_mul(10) {
        if let Some(found) =
            [1, 2, 4, 8].into_iter().filter_map(|one| scale.checked_mul(one)).find(|nice| *nice >= value)
        {
            return found;
        }
        scale = next;
    }
    u64::MAX / Y_TICKS * Y_TICKS
}

/// Where the usual step between points is passed twice over, something is missing.
fn stretches(points: &[Point], value: impl Fn(&Point) -> Option<u64>) -> Vec<Vec<(u64, u64)>> {
    let mut steps: Vec<u64> = points.windows(2).map(|pair| pair[1].at.saturating_sub(pair[0].at)).collect();
    steps.sort_unstable();
    let usual = steps.get(steps.len() / 2).copied().unwrap_or_default();
    let mut stretches: Vec<Vec<(u64, u64)>> = Vec::new();
    let mut last: Option<u64> = None;
    for point in points {
        let Some(height) = value(point) else {
            last = None;
            continue;
        };
        let follows = last.is_some_and(|at| point.at.saturating_sub(at) <= usual.saturating_mul(2));
        match stretches.last_mut().filter(|_| follows) {
            Some(stretch) => stretch.push((point.at, height)),
            None => stretches.push(vec![(point.at, height)]),
        }
        last = Some(point.at);
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_ends_a_stretch() {
        let point = |at: u64| Point { at, mean_bps: at, ceiling_bps: None };
        let points: Vec<Point> = [10, 20, 30, 60, 70].into_iter().map(point).collect();
        let found = stretches(&points, |point| Some(point.mean_bps));
        assert_eq!(found, vec![vec![(10, 10), (20, 20), (30, 30)], vec![(60, 60), (70, 70)]]);
        assert!(stretches(&points, |point| point.ceiling_bps).is_empty());
    }

    #[test]
    fn an_axis_ends_at_a_round_number() {
        assert_eq!([0, 1500, 9_000_000, 41_000_000].map(nice), [1000, 2000, 10_000_000, 80_000_000]);
        assert!(nice(u64::MAX) > 0);
    }
}
