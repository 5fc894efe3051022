//! A case as a row, on several pages.

use crate::{
    clock::{Clock, Pace},
    tongue::Tongue,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseRow {
    pub id: u64,
    /// reallocation, addition, bod, deferral
    pub kind: String,
    pub uplink: String,
    /// down, up
    pub direction: String,
    /// The sites that it is about, as people call them.
    pub places: Vec<String>,
    /// check, identify, coordinate, allocate, report, receive, deferred, scheduled, on-loan, dismissed, archived
    pub state: String,
    /// 1 to 6.
    pub step: u8,
    /// Account name, `takar` or `policy`.
    pub owner: String,
    /// Of the present step.
    pub clock: Clock,
    /// verify, provider, approve, grant, choose, receive: what only a person can do next.
    pub waits_for: Option<String>,
    /// It waits for whoever looks at the page.
    pub mine: bool,
    /// What lacks or moves.
    pub amount_bps: Option<u64>,
    pub opened_at: u64,
    /// The number of its report.
    pub report: Option<String>,
}

impl CaseRow {
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.state.as_str(), "dismissed" | "archived")
    }

    pub(crate) fn is_overdue(&self) -> bool {
        self.is_open() && self.clock.is_over() && !matches!(self.clock.pace, Pace::Stopped { .. })
    }

    /// `K-17`
    pub(crate) fn number(&self) -> String {
        format!("K-{}", self.id)
    }

    pub(crate) fn href(&self) -> String {
        format!("/cases/{}", self.id)
    }

    /// The sites, or the uplink where it concerns nothing smaller.
    pub(crate) fn place(&self, t: &Tongue) -> String {
        match self.places.as_slice() {
            [] => t.say("place-uplink", &[("uplink", &self.uplink)]),
            [place] => place.clone(),
            [first, rest @ ..] => t.count("place-and-more", rest.len(), &[("first", first)]),
        }
    }

    /// `Re-alokasi 40 Mbps untuk SMP Negeri 4`
    pub(crate) fn title(&self, t: &Tongue) -> String {
        let kind = t.code("kind", &self.kind);
        let place = self.place(t);
        match self.amount_bps {
            Some(amount) => {
                t.say("case-title-amount", &[("kind", &kind), ("amount", &t.rate(amount)), ("place", &place)])
            }
            None => t.say("case-title", &[("kind", &kind), ("place", &place)]),
        }
    }

    /// What is to be done, as a task of somebody.
    pub(crate) fn task(&self, t: &Tongue) -> String {
        let place = self.place(t);
        let report = self.report.as_deref().unwrap_or_default();
        match self.waits_for.as_deref() {
            Some("verify") => t.say("task-verify", &[("place", &place)]),
            Some("provider") => t.say("task-provider", &[("uplink", &self.uplink)]),
            Some("approve") => t.say("task-approve", &[("place", &place)]),
            Some("grant") => t.say("task-grant", &[("place", &place)]),
            Some("choose") => t.say("task-choose", &[("place", &place)]),
            Some("receive") => t.say("task-receive", &[("report", report), ("place", &place)]),
            _ => self.title(t),
        }
    }

    /// `K-17 · langkah 3, Koordinasi · uplink Arunika Utara, unduh`
    pub(crate) fn line(&self, t: &Tongue) -> String {
        let uplink =
            t.say("case-uplink", &[("uplink", &self.uplink), ("direction", &t.code("direction", &self.direction))]);
        format!("{} · {} · {uplink}", self.number(), self.standing(t))
    }

    /// `langkah 3, Koordinasi`, or how it waits or ended.
    pub(crate) fn standing(&self, t: &Tongue) -> String {
        let name = t.code("state", &self.state);
        if self.is_open() && matches!(self.clock.pace, Pace::Running) {
            t.say("step-of", &[("n", &self.step.to_string()), ("name", &name)])
        } else {
            name
        }
    }
}

/// Overdue first, and those that are over by most before the others; for the rest the order stays.
pub(crate) fn urgent_first(rows: &[CaseRow]) -> Vec<&CaseRow> {
    let mut sorted: Vec<&CaseRow> = rows.iter().collect();
    sorted.sort_by_key(|row| {
        let over = row.clock.worked_ms.saturating_sub(row.clock.standard_ms());
        std::cmp::Reverse(if row.is_overdue() { over } else { 0 })
    });
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn overdue_cases_come_first(worked in prop::collection::vec((0..90u64, any::<bool>()), 0..12)) {
            let sample = Sample::default();
            let rows: Vec<CaseRow> = worked
                .into_iter()
                .zip(1..)
                .map(|((minutes, closed), id)| {
                    let state = if closed { ("archived", 6) } else { ("coordinate", 3) };
                    sample.row(id, "reallocation", state, "p", minutes)
                })
                .collect();
            let sorted = urgent_first(&rows);
            prop_assert_eq!(sorted.len(), rows.len());
            prop_assert!(sorted.is_sorted_by_key(|row| !row.is_overdue()));
            // The others stay as they were handed over.
            let others = sorted.iter().filter(|row| !row.is_overdue());
            prop_assert!(others.is_sorted_by_key(|row| row.id));
        }
    }
}
