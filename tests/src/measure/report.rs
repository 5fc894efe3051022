//! The result: one row a figure and case, with what it was taken from and what is beside it.

use std::fmt;

use serde::Serialize;

use super::{args::Figure, machine::Machine};

#[derive(Debug, Serialize)]
pub struct Report {
    pub machine: Machine,
    /// A short trial: the figures are rough.
    pub quick: bool,
    pub rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
pub struct Row {
    pub figure: Figure,
    pub case: String,
    pub value: f64,
    pub unit: &'static str,
    /// What the value was taken from: `1000 polls`.
    pub n: String,
    /// Where the span was taken in parts, or the thing done several times.
    pub spread: Option<Spread>,
    pub beside: Option<Beside>,
    pub note: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub parts: usize,
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

/// What another program needs for the same; from `low` to `high`.
#[derive(Clone, Debug, Serialize)]
pub struct Beside {
    pub what: String,
    pub low: f64,
    pub high: f64,
}

impl Report {
    pub fn new(machine: Machine, quick: bool) -> Self {
        Self { machine, quick, rows: Vec::new() }
    }
}

impl Spread {
    /// `None` of nothing.
    pub fn of(values: &[f64]) -> Option<Self> {
        let (median, min, max) = (percentile(values, 50)?, percentile(values, 0)?, percentile(values, 100)?);
        Some(Self { parts: values.len(), median, min, max })
    }
}

impl Beside {
    pub fn one(what: impl Into<String>, value: f64) -> Self {
        Self { what: what.into(), low: value, high: value }
    }

    /// Ours to theirs: below 1 is cheaper.
    fn ratio(&self, value: f64) -> String {
        let (least, most) = (short(value / self.high), short(value / self.low));
        if least == most { format!("{least} ×") } else { format!("{least} to {most} ×") }
    }
}

/// By the nearest rank: a value that was measured, none in between. `None` of nothing.
pub fn percentile(values: &[f64], percent: usize) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { version, profile, kernel, cpu, cores, file_system, load } = &self.machine;
        writeln!(
            f,
            "Takar {version}, {profile} build; {cpu}, {cores} cores; Linux {kernel}; {file_system}; load {load}"
        )?;
        if !self.machine.is_release() {
            writeln!(f, "NOT a release build: these figures say nothing of one.")?;
        }
        if self.quick {
            writeln!(f, "A short trial: the figures are rough.")?;
        }
        writeln!(f)?;
        let head = ["figure", "case", "value", "", "of", "median (min to max)", "beside", "ratio"];
        let lines: Vec<_> = std::iter::once(head.map(str::to_owned)).chain(self.rows.iter().map(Row::cells)).collect();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
        let widths: [usize; 8] = std::array::from_fn(width);
        for line in &lines {
            let cells = line.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
                if column == 2 { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            });
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        writeln!(f)?;
        for row in self.rows.iter().filter(|row| !row.note.is_empty()) {
            writeln!(f, "{}, {}: {}", row.figure.as_str(), row.case, row.note)?;
        }
        Ok(())
    }
}

impl Row {
    fn cells(&self) -> [String; 8] {
        let spread = self.spread.map(|Spread { parts, median, min, max }| {
            format!("{} ({} to {}) of {parts}", short(median), short(min), short(max))
        });
        let beside = self.beside.as_ref().map(|Beside { what, low, high }| {
            if low == high {
                format!("{}: {what}", short(*low))
            } else {
                format!("{} to {}: {what}", short(*low), short(*high))
            }
        });
        let ratio = self.beside.as_ref().map(|beside| beside.ratio(self.value));
        [
            self.figure.as_str().to_owned(),
            self.case.clone(),
            short(self.value),
            self.unit.to_owned(),
            self.n.clone(),
            spread.unwrap_or_default(),
            beside.unwrap_or_default(),
            ratio.unwrap_or_default(),
        ]
    }
}

/// Three digits that mean something are enough.
fn short(value: f64) -> String {
    match value {
        ..10.0 => format!("{value:.3}"),
        ..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        let found: Vec<_> = [0, 50, 99, 100].into_iter().filter_map(|percent| percentile(&values, percent)).collect();
        assert_eq!(found, [1.0, 100.0, 198.0, 200.0]);
        assert_eq!(percentile(&[7.0], 99), Some(7.0));
        assert_eq!((percentile(&[], 50), Spread::of(&[])), (None, None));
    }

    #[test]
    fn a_ratio_is_ours_to_theirs() {
        assert_eq!(Beside::one("JSON", 23.0).ratio(4.6), "0.200 ×");
        assert_eq!(Beside { what: String::new(), low: 1.0, high: 1.25 }.ratio(0.5), "0.400 to 0.500 ×");
    }
}
