//! Watching until the course has come to its end.

use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, Instant},
};

use super::{
    args::Course,
    story::{Seen, Teller, Voice, word},
};

const LOOK_EVERY: Duration = Duration::from_millis(500);
/// From the start of the traffic.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Traffic under the new ceilings, to be compared.
const AFTERMATH: Duration = Duration::from_secs(8);
/// Of complete readings in which nothing was proposed.
const UNEVENTFUL: Duration = Duration::from_secs(25);

/// Looks and tells until the end. An error only where a part ended or does not answer; what was missing at the
/// timeout comes back as a problem.
pub fn until_ended(
    course: Course,
    traffic_since: Instant,
    voice: &Voice,
    mut look: impl FnMut() -> anyhow::Result<Seen>,
) -> anyhow::Result<(Seen, Option<String>)> {
    let mut teller = Teller::default();
    let mut reached_at: Option<Instant> = None;
    loop {
        let seen = look()?;
        teller.tell(&seen, voice);
        let lasting = match course {
            Course::Skewed => AFTERMATH,
            Course::Fair => UNEVENTFUL,
            Course::Withheld => Duration::ZERO,
        };
        match missing(course, &seen) {
            None if reached_at.get_or_insert_with(Instant::now).elapsed() >= lasting => return Ok((seen, None)),
            None => {}
            Some(missing) => {
                reached_at = None;
                if traffic_since.elapsed() >= TIMEOUT {
                    return Ok((seen, Some(format!("after {} s: {missing}", TIMEOUT.as_secs()))));
                }
            }
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// What has not happened yet.
fn missing(course: Course, seen: &Seen) -> Option<String> {
    match course {
        Course::Skewed => unsettled(seen),
        Course::Fair => {
            let unread = seen.links.iter().filter(|link| !link["used_bps"].is_u64()).count();
            let unread_text = || format!("{unread} of {} links and directions have no reading", seen.links.len());
            (unread > 0 || seen.links.is_empty()).then(unread_text)
        }
        Course::Withheld => (seen.changes_in("rolled-back") == 0).then(|| "no change was rolled back".to_owned()),
    }
}

fn unsettled(seen: &Seen) -> Option<String> {
    if !seen.proposals.iter().any(|proposal| word(proposal, "batch") == "done") {
        let counts = (seen.findings.len(), seen.proposals.len(), seen.changes.len());
        let (findings, proposals, changes) = counts;
        return Some(format!(
            "no proposal was carried out in full ({findings} findings, {proposals} proposals, {changes} changes)"
        ));
    }
    let open = seen.proposals.iter().find(|proposal| match word(proposal, "state") {
        "approved" => matches!(word(proposal, "batch"), "" | "running"),
        "proposed" => true,
        _ => false,
    });
    if let Some(proposal) = open {
        return Some(format!("proposal {} is {}, its batch not ended", proposal["id"], word(proposal, "state")));
    }
    let tended: BTreeSet<_> = seen.proposals.iter().map(|proposal| word(proposal, "direction")).collect();
    let forgotten = seen.findings.iter().find(|finding| {
        word(finding, "kind") == "shortage"
            && finding["closed_at"].is_null()
            && !tended.contains(word(finding, "direction"))
    });
    forgotten.map(|finding| format!("nothing was proposed for: {}", word(finding, "sentence")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn done(direction: &str, batch: Option<&str>) -> serde_json::Value {
        json!({"id": 1, "state": "approved", "batch": batch, "direction": direction})
    }

    #[test]
    fn settled_is_every_batch_ended_one_done_and_no_direction_forgotten() {
        let mut seen = Seen::default();
        assert!(missing(Course::Skewed, &seen).unwrap().contains("0 findings"));
        seen.proposals = vec![done("down", Some("done")), done("up", Some("running"))];
        assert!(missing(Course::Skewed, &seen).unwrap().contains("its batch not ended"));
        seen.proposals.pop();
        assert_eq!(missing(Course::Skewed, &seen), None);
        seen.findings =
            vec![json!({"kind": "shortage", "direction": "up", "closed_at": null, "sentence": "b up lacks"})];
        assert!(missing(Course::Skewed, &seen).unwrap().contains("b up lacks"));
        seen.proposals.push(done("up", Some("failed")));
        assert_eq!(missing(Course::Skewed, &seen), None);
    }

    #[test]
    fn a_fair_course_waits_for_every_links_reading_and_a_drill_for_a_rollback() {
        let mut seen = Seen::default();
        assert!(missing(Course::Fair, &seen).is_some());
        seen.links = vec![json!({"used_bps": 5}), json!({"used_bps": null})];
        assert!(missing(Course::Fair, &seen).unwrap().starts_with("1 of 2"));
        seen.links.pop();
        assert_eq!(missing(Course::Fair, &seen), None);
        assert!(missing(Course::Withheld, &seen).is_some());
        seen.changes = vec![json!({"state": "rolled-back"})];
        assert_eq!(missing(Course::Withheld, &seen), None);
    }
}
