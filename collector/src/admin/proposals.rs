//! `takar proposals`, `propose`, `approve`, `decline`: who gives, who gets, what it comes to, why the others stay as
//! they are, and where it stands.

use std::{cmp::Reverse, io, path::Path};

use serde_json::Value;

use super::{
    Failure, Printer, Tone, rate,
    table::{or_unknown, time},
};
use crate::{
    api::client,
    view::{DeclineBody, MoveView, PlanView, ProposalView, ProposeBody},
};

pub async fn list(socket: &Path, out: &mut Printer<'_>) -> Result<(), Failure> {
    let Some(mut proposals) = super::get::<Vec<ProposalView>>(socket, "/v1/proposals", out).await? else {
        return Ok(());
    };
    if proposals.is_empty() {
        out.line("no proposals; takar propose asks the planner for one")?;
    }
    proposals.sort_by_key(|proposal| (!waits(proposal), Reverse(proposal.id)));
    print_all(&proposals, out)?;
    Ok(())
}

pub async fn propose(socket: &Path, body: &ProposeBody, out: &mut Printer<'_>) -> Result<(), Failure> {
    let Some(plan) = super::post::<PlanView>(socket, "/v1/propose", body, out).await? else {
        return Ok(());
    };
    print_plan(&plan, out)?;
    match (plan.proposals.is_empty(), body.dry_run) {
        (true, _) => out.line("nothing to propose")?,
        (false, true) => out.line("dry run: nothing was stored; without --dry-run it can be approved")?,
        (false, false) => out.line("next: takar approve ID, or takar decline ID --reason TEXT")?,
    }
    Ok(())
}

/// Says nothing of how it goes on where the caller is about to watch it.
pub async fn approve(socket: &Path, id: u64, watched: bool, out: &mut Printer<'_>) -> Result<(), Failure> {
    let view = client::post(socket, &format!("/v1/proposals/{id}/approve"), &()).await?;
    match (out.wants_json(), watched) {
        (true, true) => {}
        (true, false) => out.json(&view)?,
        (false, true) => out.line(&format!("proposal {id} approved"))?,
        (false, false) => out.line(&format!("proposal {id} approved; watch it with takar changes"))?,
    }
    Ok(())
}

pub async fn decline(socket: &Path, id: u64, reason: String, out: &mut Printer<'_>) -> Result<(), Failure> {
    let path = format!("/v1/proposals/{id}/decline");
    if super::post::<Value>(socket, &path, &DeclineBody { reason }, out).await?.is_some() {
        out.line(&format!("proposal {id} declined; the rates stay as they are"))?;
    }
    Ok(())
}

fn print_plan(plan: &PlanView, out: &mut Printer<'_>) -> io::Result<()> {
    print_all(&plan.proposals, out)?;
    if !plan.proposals.is_empty() && !plan.reasons.is_empty() {
        out.line("")?;
    }
    let mut pool = None;
    for reason in &plan.reasons {
        if pool != Some((&reason.uplink, &reason.direction)) {
            out.toned(Tone::Heading, &format!("uplink {} {}: no proposal", reason.uplink, reason.direction))?;
            pool = Some((&reason.uplink, &reason.direction));
        }
        out.line(&format!("  {:<16} {}", reason.link, reason.why))?;
    }
    Ok(())
}

fn print_all(proposals: &[ProposalView], out: &mut Printer<'_>) -> io::Result<()> {
    for (index, proposal) in proposals.iter().enumerate() {
        if index > 0 {
            out.line("")?;
        }
        print_one(proposal, out)?;
    }
    Ok(())
}

fn print_one(proposal: &ProposalView, out: &mut Printer<'_>) -> io::Result<()> {
    let ProposalView { id, uplink, direction, made_by, made_at, .. } = proposal;
    let answers = proposal.finding.map(|finding| format!(", answers finding {finding}")).unwrap_or_default();
    let which = if is_draft(proposal) { "draft".to_owned() } else { format!("proposal {id}") };
    let head = format!("{which}: uplink {uplink} {direction}, made by {made_by} at {}{answers}", time(*made_at));
    out.toned(Tone::Heading, &head)?;
    let (gets, gives): (Vec<_>, Vec<_>) = proposal.moves.iter().partition(|one| raises(one));
    for (title, moves) in [("gives", gives), ("gets", gets)] {
        if moves.is_empty() {
            continue;
        }
        out.line(&format!("  {title}"))?;
        for MoveView { link, from_bps, to_bps, why } in moves {
            let (from, to) = (rate::ceiling(*from_bps), rate::ceiling(*to_bps));
            out.line(&format!("    {link:<16} {from} → {to}   {why}"))?;
        }
    }
    out.line("  net effect")?;
    out.line(&format!("    {}", net_effect(proposal)))?;
    if !proposal.others.is_empty() {
        out.line("  the others stay")?;
        for other in &proposal.others {
            out.line(&format!("    {:<16} {}", other.link, other.why))?;
        }
    }
    let (tone, state) = state(proposal);
    out.line("  state")?;
    out.toned(tone, &format!("    {state}"))
}

/// From no limit to any is a cut.
fn raises(one: &MoveView) -> bool {
    let height = |bps| if bps == 0 { u64::MAX } else { bps };
    height(one.to_bps) > height(one.from_bps)
}

fn net_effect(proposal: &ProposalView) -> String {
    let (before, after) = (proposal.sum_before_bps, proposal.sum_after_bps);
    let change = match after.checked_sub(before) {
        Some(0) => "no more and no less".to_owned(),
        Some(more) => format!("{} more", rate::show(more)),
        None => format!("{} less", rate::show(before.saturating_sub(after))),
    };
    let [before, after, budget] = [before, after, proposal.budget_bps].map(rate::show);
    format!("all ceilings of the uplink: {before} → {after} ({change}); {budget} are allowed")
}

fn state(proposal: &ProposalView) -> (Tone, String) {
    let by = or_unknown(proposal.decided_by.as_deref());
    let at = proposal.decided_at.map(|at| format!(" at {}", time(at))).unwrap_or_default();
    let reason = proposal.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    match (proposal.state.as_str(), proposal.batch.as_deref()) {
        _ if is_draft(proposal) => (Tone::Plain, "not stored".to_owned()),
        ("proposed", _) => {
            let next = format!("takar approve {0}, or takar decline {0} --reason TEXT", proposal.id);
            (Tone::Warn, format!("proposed{reason}; {next}"))
        }
        ("approved", batch) => {
            let tone = match batch {
                Some("done") => Tone::Good,
                Some("partial" | "failed") => Tone::Bad,
                _ => Tone::Plain,
            };
            (tone, format!("approved by {by}{at}; its changes: {}", batch.unwrap_or("not begun")))
        }
        ("declined", _) => (Tone::Quiet, format!("declined by {by}{at}{reason}")),
        (other, _) => (Tone::Quiet, format!("{other}{at}{reason}")),
    }
}

/// Of a dry run: it has no number, and they count from 1.
fn is_draft(proposal: &ProposalView) -> bool {
    proposal.id == 0
}

fn waits(proposal: &ProposalView) -> bool {
    proposal.state == "proposed"
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::{
        admin::tests::printed,
        view::{OtherView, ReasonView},
    };

    pub fn proposal(id: u64, state: &str, batch: Option<&str>) -> ProposalView {
        let one =
            |link: &str, from_bps, to_bps, why: &str| MoveView { link: link.into(), from_bps, to_bps, why: why.into() };
        ProposalView {
            id,
            made_at: 0,
            made_by: "takar".into(),
            uplink: "ast-01".into(),
            direction: "down".into(),
            state: state.into(),
            decided_by: Some("siti".into()),
            decided_at: None,
            reason: None,
            finding: Some(3),
            moves: vec![
                one("sd-02", 10_000_000, 18_000_000, "It is at its ceiling."),
                one("sd-03", 20_000_000, 12_000_000, "It holds more than it needs."),
                one("sd-05", 0, 12_000_000, "It had no limit."),
            ],
            others: vec![OtherView { link: "sd-04".into(), why: "It has nothing to give.".into() }],
            sum_before_bps: 100_000_000,
            sum_after_bps: 90_000_000,
            budget_bps: 100_000_000,
            batch: batch.map(Into::into),
        }
    }

    #[test]
    fn a_proposal_reads_gives_gets_net_effect_others_state() {
        let text = printed(|out| print_one(&proposal(7, "proposed", None), out));
        let parts = [
            "proposal 7: uplink ast-01 down, made by takar",
            "answers finding 3",
            "  gives\n",
            "    sd-03            20 Mbit/s → 12 Mbit/s   It holds more",
            "    sd-05            no limit → 12 Mbit/s   It had no limit.",
            "  gets\n",
            "    sd-02            10 Mbit/s → 18 Mbit/s   It is at its ceiling.",
            "  net effect\n",
            "100 Mbit/s → 90 Mbit/s (10 Mbit/s less); 100 Mbit/s are allowed",
            "  the others stay\n",
            "    sd-04            It has nothing to give.",
            "  state\n",
            "    proposed; takar approve 7, or takar decline 7 --reason TEXT\n",
        ];
        let mut from = 0;
        for part in parts {
            let found = text[from..].find(part).unwrap_or_else(|| panic!("{part:?} is not next in\n{text}"));
            from += found + part.len();
        }
    }

    #[test]
    fn a_draft_cannot_be_approved_and_does_not_look_so() {
        let text = printed(|out| print_one(&proposal(0, "proposed", None), out));
        assert!(text.starts_with("draft: uplink ast-01 down") && text.ends_with("    not stored\n"), "{text}");
        assert!(!text.contains("takar approve"), "{text}");
    }

    #[test]
    fn a_batch_that_failed_is_bad_and_one_done_is_good() {
        assert_eq!(state(&proposal(1, "approved", Some("done"))).0, Tone::Good);
        assert_eq!(state(&proposal(1, "approved", Some("partial"))).0, Tone::Bad);
        let declined = ProposalView { reason: Some("exam week".into()), ..proposal(1, "declined", None) };
        assert_eq!(state(&declined).1, "declined by siti: exam week");
    }

    #[test]
    fn why_there_is_no_proposal_is_told_per_uplink_and_direction() {
        let reason = |uplink: &str, direction: &str, link: &str| ReasonView {
            uplink: uplink.into(),
            direction: direction.into(),
            link: link.into(),
            why: "It rests.".into(),
        };
        let reasons = vec![reason("a", "down", "l1"), reason("a", "down", "l2"), reason("a", "up", "l1")];
        let text = printed(|out| print_plan(&PlanView { proposals: Vec::new(), reasons }, out));
        let expected = "uplink a down: no proposal\n  l1               It rests.\n  l2               It rests.\n\
                        uplink a up: no proposal\n  l1               It rests.\n";
        assert_eq!(text, expected);
    }
}
