//! One case: where it stands, what it rests on, what was proposed and done, and what may be done to it now.

mod acts;
mod parts;
mod proposal;

use askama::Template;

use super::{CaseRow, Paper, draw, papers::PaperView};
use crate::{plot::Plot, shell::Shell, tongue::Tongue};

pub use acts::{Draft, TeamMember};
pub use parts::{Answer, Change, Check, Dialogue, Evidence, Opening, Remark, StepRow, Trail, Way};
pub use proposal::{Move, Proposal};

use acts::Act;
use parts::{Fact, Item, StepView, TimelineStep};
use proposal::ProposalView;

/// `GET /cases/{id}`; acts are `POST /cases/{id}/{act}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    pub row: CaseRow,
    pub opening: Opening,
    /// Each step that was begun, in order.
    pub steps: Vec<StepRow>,
    /// Of step 2.
    pub checks: Vec<Check>,
    pub plot: Option<Plot>,
    /// What was frozen.
    pub evidence: Vec<Evidence>,
    /// The newest.
    pub proposal: Option<Proposal>,
    /// What was weighed in step 3, the cheapest first.
    pub ways: Vec<Way>,
    pub dialogue: Option<Dialogue>,
    pub changes: Vec<Change>,
    pub remarks: Vec<Remark>,
    pub trail: Vec<Trail>,
    pub papers: Vec<Paper>,
    /// Acts that whoever looks may try now, as `GET /v1/cases/{id}` names them.
    pub may: Vec<String>,
    /// Whom the step can be given to.
    pub team: Vec<TeamMember>,
    /// What was typed into a form that was not taken, and why it was not.
    pub draft: Option<Draft>,
}

#[derive(Template)]
#[template(path = "case.html")]
struct Page<'a> {
    s: &'a Shell,
    t: Tongue,
    number: String,
    title: String,
    lead: String,
    state: String,
    clock: String,
    timeline: Vec<TimelineStep>,
    steps: Vec<StepView>,
    opening: String,
    letter: Option<String>,
    facts: Vec<Fact>,
    checks: Vec<Item>,
    plot: Option<String>,
    evidence: Vec<Item>,
    proposal: Option<ProposalView>,
    decision: Option<Act>,
    refusal: Option<Act>,
    eyes: Option<String>,
    ways: Vec<Item>,
    dialogue: Vec<Item>,
    changes: Vec<parts::ChangeView>,
    papers: Vec<PaperView>,
    remarks: Vec<Item>,
    trail: Vec<Item>,
    acts: Vec<Act>,
    receive: Option<String>,
    problems: &'a [String],
}

impl Case {
    pub fn render(&self, shell: &Shell) -> String {
        let t = Tongue::of(shell);
        let row = &self.row;
        let page = Page {
            s: shell,
            number: row.number(),
            title: row.title(&t),
            lead: t.w(&format!("sop-{}", row.step.clamp(1, 6))),
            state: row.standing(&t),
            clock: if row.is_open() { row.clock.draw(&t) } else { String::new() },
            timeline: parts::timeline(&t, row, &self.steps),
            steps: self.steps.iter().map(|step| step.view(&t)).collect(),
            opening: self.opening.sentence(&t),
            letter: self.opening.letter().map(|letter| t.say("opening-letter", &[("letter", letter)])),
            facts: parts::facts(&t, row),
            checks: self.checks.iter().map(|check| check.item(&t)).collect(),
            plot: self.plot.as_ref().and_then(|plot| plot.draw(&t)),
            evidence: self.evidence.iter().map(|evidence| evidence.item(&t)).collect(),
            proposal: self.proposal.as_ref().map(|proposal| proposal.view(&t)),
            decision: self.decision(&t),
            refusal: self.refusal(&t),
            eyes: self.eyes(&t, shell),
            ways: self.ways.iter().map(|way| way.item(&t)).collect(),
            dialogue: self.dialogue.as_ref().map(|dialogue| dialogue.items(&t)).unwrap_or_default(),
            changes: self.changes.iter().map(|change| change.view(&t)).collect(),
            papers: self.papers.iter().map(|paper| paper.view(&t)).collect(),
            remarks: self.remarks.iter().map(|remark| remark.item(&t)).collect(),
            trail: self.trail.iter().map(|trail| trail.item(&t)).collect(),
            acts: self.acts(&t),
            receive: self.may("receive").then(|| format!("{}/receive", row.href())),
            problems: self.draft.as_ref().map(|draft| draft.problems.as_slice()).unwrap_or_default(),
            t,
        };
        draw(&page)
    }

    fn may(&self, act: &str) -> bool {
        self.may.iter().any(|allowed| allowed == act)
    }

    /// Why somebody else has to decide, or that whoever looks can.
    fn eyes(&self, t: &Tongue, shell: &Shell) -> Option<String> {
        let proposal = self.proposal.as_ref().filter(|proposal| proposal.state == "proposed")?;
        let by = t.who(&proposal.made_by);
        let me = shell.user.as_ref().is_some_and(|user| user.name == proposal.made_by);
        let key = match (self.may("approve"), me) {
            (true, _) => "eyes-you",
            (false, true) => "eyes-not-you",
            (false, false) => "eyes-others",
        };
        Some(t.say(key, &[("by", &by)]))
    }
}
