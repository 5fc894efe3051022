//! Findings, with their evidence.

use takar_store::FindingRecord;

use crate::view::FindingView;

pub(in crate::engine) fn finding_view(record: &FindingRecord) -> FindingView {
    let finding = &record.finding;
    FindingView {
        id: record.id,
        link: finding.link.as_str().into(),
        direction: finding.direction.as_str().into(),
        kind: finding.kind.as_str().into(),
        opened_at: record.opened_at.0,
        closed_at: record.closed_at.map(|at| at.0),
        size_bps: finding.size.0,
        sentence: finding.to_string(),
        evidence: serde_json::to_value(&finding.evidence).unwrap_or_default(),
    }
}
