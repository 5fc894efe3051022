//! Each sheet of a workbook: its columns, and a row for each thing that the model has.

use rust_xlsxwriter::XlsxError;

use super::{Book, Cell, minutes, rate, text, time, used};
use crate::model::{CaseReport, Outcome, SummaryReport};

impl Book<'_> {
    /// Name and value, one below the other.
    pub(super) fn case(&mut self, model: &CaseReport) -> Result<(), XlsxError> {
        let voice = self.voice();
        let outcome = voice.outcome(Some(&model.outcome), "");
        let why = match &model.outcome {
            Outcome::NotCarriedOut { why } => text(voice.sentence(why)),
            Outcome::Allocated | Outcome::Returned => Cell::Empty,
        };
        let rows = [
            vec![self.label("label-number"), text(&model.number)],
            vec![self.label("label-case"), Cell::Number(model.case as f64)],
            vec![self.label("column-kind"), text(voice.kind(model.kind))],
            vec![self.label("column-uplink"), text(&model.uplink.name)],
            vec![self.label("label-provider"), text(&model.uplink.provider_title)],
            vec![self.label("column-direction"), text(voice.direction(&model.direction))],
            vec![self.label("label-capacity"), rate(model.uplink.capacity_bps)],
            vec![self.label("label-sum-before"), rate(model.uplink.sum_before_bps)],
            vec![self.label("label-sum-after"), rate(model.uplink.sum_after_bps)],
            vec![self.label("label-opened"), Cell::Time(model.opened_at)],
            vec![self.label("label-made"), Cell::Time(model.made_at)],
            vec![self.label("column-outcome"), text(outcome), why],
            vec![self.label("label-took"), minutes(model.worked_ms)],
            vec![self.label("label-standard"), Cell::Number(model.standard_minutes as f64)],
            vec![self.label("label-root"), text(&model.audit.root)],
        ];
        self.sheet("sheet-summary", &[], &rows)
    }

    pub(super) fn sites(&mut self, model: &CaseReport) -> Result<(), XlsxError> {
        let columns = [
            "column-site",
            "column-link",
            "label-before",
            "label-after",
            "label-device",
            "label-need",
            "label-mean-before",
            "label-p95-before",
            "label-peak-before",
            "label-mean-after",
            "label-p95-after",
            "label-peak-after",
        ];
        let rows = model.sites.iter().map(|site| {
            let (before, after) = (site.utilisation_before.as_ref(), site.utilisation_after.as_ref());
            vec![
                text(&site.site_title),
                text(&site.link),
                rate(site.before_bps),
                rate(site.after_bps),
                site.device_bps.map_or(Cell::Empty, rate),
                site.need_bps.map_or(Cell::Empty, rate),
                used(before, |used| used.mean_bps),
                used(before, |used| used.p95_bps),
                used(before, |used| used.peak_bps),
                used(after, |used| used.mean_bps),
                used(after, |used| used.p95_bps),
                used(after, |used| used.peak_bps),
            ]
        });
        let rows: Vec<Vec<Cell>> = rows.collect();
        self.sheet("sheet-sites", &columns, &rows)
    }

    pub(super) fn steps(&mut self, model: &CaseReport) -> Result<(), XlsxError> {
        let columns = [
            "column-no",
            "column-activity",
            "column-who",
            "label-began",
            "label-ended",
            "label-standard",
            "label-took",
            "column-result",
        ];
        let voice = self.voice();
        let rows = model.steps.iter().map(|step| {
            vec![
                Cell::Number(step.number.into()),
                text(voice.step(step.number)),
                text(voice.who(&step.owner)),
                Cell::Time(step.began_at),
                time(step.ended_at),
                Cell::Number(step.standard_minutes as f64),
                minutes(step.worked_ms),
                text(voice.result(step)),
            ]
        });
        let rows: Vec<Vec<Cell>> = rows.collect();
        self.sheet("sheet-steps", &columns, &rows)
    }

    pub(super) fn checks(&mut self, model: &CaseReport) -> Result<(), XlsxError> {
        let voice = self.voice();
        let rows = model.verification.iter().map(|check| {
            let name = self.word(&format!("check-{}", check.what));
            vec![text(name), text(voice.checked(&check.outcome)), text(voice.told(check))]
        });
        let rows: Vec<Vec<Cell>> = rows.collect();
        self.sheet("sheet-checks", &["column-check", "column-outcome", "column-evidence"], &rows)
    }

    pub(super) fn commands(&mut self, model: &CaseReport) -> Result<(), XlsxError> {
        let columns = [
            "label-command",
            "column-device-name",
            "label-serial",
            "column-sent",
            "column-applied",
            "column-ended",
            "column-state",
            "column-read-back",
        ];
        let voice = self.voice();
        let rows = model.commands.iter().map(|command| {
            let read_back: Vec<String> = command.read_back.iter().map(|text| voice.read_back(text)).collect();
            vec![
                text(&command.change),
                text(&command.device),
                command.serial.map_or(Cell::Empty, |serial| Cell::Number(serial as f64)),
                time(command.dispatched_at),
                time(command.applied_at),
                time(command.ended_at),
                text(voice.state(&command.state)),
                text(read_back.join("; ")),
            ]
        });
        let rows: Vec<Vec<Cell>> = rows.collect();
        self.sheet("sheet-commands", &columns, &rows)
    }

    pub(super) fn cases(&mut self, model: &SummaryReport) -> Result<(), XlsxError> {
        let columns = [
            "label-case",
            "column-kind",
            "column-uplink",
            "column-direction",
            "column-outcome",
            "label-began",
            "label-ended",
            "label-moved",
            "label-took",
            "total-late",
            "column-report",
        ];
        let voice = self.voice();
        let rows = model.cases.iter().map(|case| {
            vec![
                Cell::Number(case.case as f64),
                text(voice.kind(case.kind)),
                text(&case.uplink),
                text(voice.direction(&case.direction)),
                text(voice.outcome(case.outcome.as_ref(), &case.state)),
                Cell::Time(case.opened_at),
                time(case.closed_at),
                rate(case.moved_bps),
                minutes(case.worked_ms),
                Cell::Number(case.overdue_steps.into()),
                case.report.as_deref().map_or(Cell::Empty, text),
            ]
        });
        let rows: Vec<Vec<Cell>> = rows.collect();
        self.sheet("sheet-cases", &columns, &rows)
    }

    pub(super) fn links(&mut self, model: &SummaryReport) -> Result<(), XlsxError> {
        let columns = [
            "column-site",
            "column-link",
            "column-uplink",
            "column-direction",
            "label-ceiling",
            "label-mean",
            "label-p95",
            "label-peak",
            "label-shortage",
            "label-changes",
        ];
        let voice = self.voice();
        let rows = model.links.iter().map(|link| {
            let seen = link.utilisation.as_ref();
            vec![
                text(&link.site_title),
                text(&link.link),
                text(&link.uplink),
                text(voice.direction(&link.direction)),
                rate(link.ceiling_bps),
                used(seen, |used| used.mean_bps),
                used(seen, |used| used.p95_bps),
                used(seen, |used| used.peak_bps),
                minutes(link.shortage_ms),
                Cell::Number(link.changes.into()),
            ]
        });
        let rows: Vec<Vec<Cell>> = rows.collect();
        self.sheet("sheet-links", &columns, &rows)
    }
}
