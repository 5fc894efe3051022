//! `takar findings`: what is the matter, open ones first, shortages on top.

use std::{cmp::Reverse, io, path::Path};

use super::{
    Failure, Printer, Tone, rate,
    table::{Table, UNKNOWN, time, time_or_unknown},
};
use crate::view::FindingView;

pub async fn show(socket: &Path, all: bool, out: &mut Printer<'_>) -> Result<(), Failure> {
    let path = if all { "/v1/findings?all=true" } else { "/v1/findings" };
    if let Some(findings) = super::get::<Vec<FindingView>>(socket, path, out).await? {
        let when_empty =
            if all { "no findings" } else { "no open findings; takar findings --all shows the closed ones" };
        print(findings, when_empty, out)?;
    }
    Ok(())
}

const HEADER: &[&str] = &["id", "kind", "link", "dir", "size", "opened", "closed", "finding"];

fn print(mut findings: Vec<FindingView>, when_empty: &str, out: &mut Printer<'_>) -> io::Result<()> {
    findings.sort_by_key(|finding| (finding.closed_at.is_some(), rank(&finding.kind), Reverse(finding.opened_at)));
    let mut table = Table::new(HEADER, &[0, 4]);
    for finding in findings {
        let tone = match (finding.closed_at, rank(&finding.kind)) {
            (Some(_), _) => Tone::Quiet,
            (None, 0) => Tone::Bad,
            (None, 1) => Tone::Warn,
            (None, _) => Tone::Plain,
        };
        // Of a link that is not measured nothing is known, so nothing has a size.
        let size = if is_not_measured(&finding.kind) { UNKNOWN.to_owned() } else { rate::show(finding.size_bps) };
        let cells = vec![
            finding.id.to_string(),
            finding.kind,
            finding.link,
            finding.direction,
            size,
            time(finding.opened_at),
            time_or_unknown(finding.closed_at),
            finding.sentence,
        ];
        table.row(tone, cells);
    }
    table.print(when_empty, out)
}

fn rank(kind: &str) -> u8 {
    match kind {
        "shortage" => 0,
        kind if is_not_measured(kind) => 1,
        "surplus" => 3,
        _ => 2,
    }
}

/// Told with a hyphen as a word and with a space in sentences.
fn is_not_measured(kind: &str) -> bool {
    matches!(kind, "not-measured" | "not measured")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::admin::tests::printed;

    fn finding(id: u64, kind: &str, closed_at: Option<u64>) -> FindingView {
        FindingView {
            id,
            link: "sd-02".into(),
            direction: "down".into(),
            kind: kind.into(),
            opened_at: id,
            closed_at,
            size_bps: 0,
            sentence: "sd-02 down lacks".into(),
            evidence: Value::Null,
        }
    }

    #[test]
    fn open_shortages_come_first_and_the_newest_of_them_on_top() {
        let findings = vec![
            finding(1, "shortage", Some(5)),
            finding(2, "surplus", None),
            finding(3, "not-measured", None),
            finding(4, "shortage", None),
            finding(5, "shortage", None),
        ];
        let text = printed(|out| print(findings, "none", out));
        let ids: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(ids, ["5", "4", "3", "2", "1"]);
    }

    #[test]
    fn a_link_that_is_not_measured_lacks_no_zero() {
        let size = |kind: &str| {
            let text = printed(|out| print(vec![finding(1, kind, None)], "none", out));
            text.lines().nth(1).unwrap().contains("0 bit/s")
        };
        assert!(!size("not-measured"));
        assert!(!size("not measured"));
        assert!(size("surplus"));
    }
}
