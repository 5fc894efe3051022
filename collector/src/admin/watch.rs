//! `takar approve --wait`: follows a proposal's changes to the end of their batch, a line per step of each.
//!
//! Each step is told with the time that the collector has for it, so none is missed between two looks.

use std::{collections::BTreeSet, path::Path, time::Duration};

use super::{
    Failure, Printer, Tone,
    changes::moves,
    table::{UNKNOWN, time},
};
use crate::{
    api::client,
    view::{ChangeView, ProposalView},
};

const EVERY: Duration = Duration::from_millis(200);

/// Did all of it stand? Errors where the daemon stops answering; the batch goes on without a watcher.
pub async fn until_ended(socket: &Path, id: u64, out: &mut Printer<'_>) -> Result<bool, Failure> {
    let mut told = BTreeSet::new();
    loop {
        // The proposal first: when its batch has ended, the changes read after it have too.
        let proposals: Vec<ProposalView> = super::read(client::get(socket, "/v1/proposals").await?)?;
        let changes: Vec<ChangeView> = super::read(client::get(socket, "/v1/changes").await?)?;
        let Some(proposal) = proposals.into_iter().find(|proposal| proposal.id == id) else {
            return Err(Failure::problem(format!("proposal {id} is gone from the list; look with takar changes")));
        };
        if !out.wants_json() {
            tell(id, &changes, &mut told, out)?;
        }
        if let Some(done) = ended(&proposal) {
            if out.wants_json() {
                out.json(&proposal)?;
            } else {
                let tone = if done { Tone::Good } else { Tone::Bad };
                let state = proposal.batch.as_deref().unwrap_or(&proposal.state);
                out.toned(tone, &format!("proposal {id}: {state}"))?;
            }
            return Ok(done);
        }
        out.flush()?;
        tokio::time::sleep(EVERY).await;
    }
}

/// `None` while it goes on.
fn ended(proposal: &ProposalView) -> Option<bool> {
    match (proposal.state.as_str(), proposal.batch.as_deref()) {
        ("approved", None | Some("running")) => None,
        ("approved", Some(state)) => Some(state == "done"),
        // Nothing will run any more.
        _ => Some(false),
    }
}

/// A change's id and a step of it: each is told once.
type Told = BTreeSet<(String, String)>;

fn tell(id: u64, changes: &[ChangeView], told: &mut Told, out: &mut Printer<'_>) -> Result<(), Failure> {
    let mut news: Vec<(Option<u64>, Tone, String)> = Vec::new();
    for change in changes.iter().filter(|change| change.proposal == id) {
        for (at, what) in steps(change) {
            if !told.insert((change.id.clone(), what.clone())) {
                continue;
            }
            let tone = match change.state.as_str() {
                state if state != what => Tone::Plain,
                "confirmed" => Tone::Good,
                "refused" | "rolled-back" | "expired" => Tone::Bad,
                _ => Tone::Plain,
            };
            let when = at.map_or_else(|| UNKNOWN.to_owned(), time);
            let ChangeView { step, steps, device, sentence, .. } = change;
            let why = if tone == Tone::Bad { format!(": {sentence}") } else { String::new() };
            let line = format!("{when}  step {step}/{steps} on {device}, {}: {what}{why}", moves(&change.moves));
            news.push((at, tone, line));
        }
    }
    // In the order in which it happened; what has no time is of now.
    news.sort_by_key(|(at, ..)| at.unwrap_or(u64::MAX));
    for (_, tone, line) in news {
        out.toned(tone, &line)?;
    }
    Ok(())
}

/// What happened to a change, oldest first.
fn steps(change: &ChangeView) -> Vec<(Option<u64>, String)> {
    let mut steps = vec![(Some(change.made_at), "waiting".to_owned())];
    let known = [
        (change.dispatched_at, "dispatched"),
        (change.applied_at, "applied"),
        (change.confirm_sent_at, "confirm sent"),
    ];
    steps.extend(known.into_iter().filter(|(at, _)| at.is_some()).map(|(at, what)| (at, what.to_owned())));
    if !steps.iter().any(|(_, what)| *what == change.state) {
        steps.push((change.ended_at, change.state.clone()));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::{changes::tests::change, proposals::tests::proposal, tests::printed};

    fn told(looks: &[Vec<ChangeView>]) -> String {
        let mut told = Told::new();
        printed(|out| {
            for changes in looks {
                tell(7, changes, &mut told, out).unwrap();
            }
            Ok(())
        })
    }

    fn words(text: &str) -> Vec<&str> {
        text.lines().filter_map(|line| line.split("18 Mbit/s: ").nth(1)).collect()
    }

    #[test]
    fn every_step_is_told_once_even_between_two_looks() {
        let waiting = change("c1", "waiting", None);
        let mut confirmed = change("c1", "confirmed", Some(5_000));
        confirmed.dispatched_at = Some(2_000);
        confirmed.applied_at = Some(3_000);
        confirmed.confirm_sent_at = Some(4_000);
        let text = told(&[vec![waiting.clone()], vec![waiting], vec![confirmed.clone()], vec![confirmed]]);
        assert_eq!(words(&text), ["waiting", "dispatched", "applied", "confirm sent", "confirmed"]);
    }

    #[test]
    fn a_change_that_did_not_stand_says_why() {
        let mut refused = change("c1", "refused", Some(3_000));
        refused.dispatched_at = Some(2_000);
        assert_eq!(words(&told(&[vec![refused]])), ["waiting", "dispatched", "refused: as told"]);
        let expired = change("c1", "expired", None);
        assert_eq!(words(&told(&[vec![expired]])), ["waiting", "expired: as told"]);
    }

    #[test]
    fn steps_of_several_changes_are_in_their_order() {
        let mut first = change("c1", "confirmed", Some(3_000));
        first.dispatched_at = Some(1_500);
        let mut second = change("c2", "dispatched", None);
        second.dispatched_at = Some(4_000);
        second.made_at = 1_200;
        let text = told(&[vec![second, first]]);
        assert_eq!(words(&text), ["waiting", "waiting", "dispatched", "confirmed", "dispatched"]);
    }

    #[test]
    fn changes_of_other_proposals_are_not_told() {
        let mut other = change("c1", "waiting", None);
        other.proposal = 8;
        assert_eq!(told(&[vec![other]]), "");
    }

    #[test]
    fn only_done_is_done() {
        assert_eq!(ended(&proposal(7, "approved", None)), None);
        assert_eq!(ended(&proposal(7, "approved", Some("running"))), None);
        assert_eq!(ended(&proposal(7, "approved", Some("done"))), Some(true));
        assert_eq!(ended(&proposal(7, "approved", Some("partial"))), Some(false));
        assert_eq!(ended(&proposal(7, "approved", Some("failed"))), Some(false));
        assert_eq!(ended(&proposal(7, "superseded", None)), Some(false));
    }
}
