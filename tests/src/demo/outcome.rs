//! What came of it, and whether that is as it should be.

use serde::Serialize;
use serde_json::Value;

use super::{
    args::{Args, Course, Thresholds},
    evidence::{Evidence, PerDirection, Unserved},
    routers::CAPACITY,
    story::{Seen, Tone, Voice, mbit, number, word},
};

/// After a change at most this share of the earlier unserved traffic may be left.
const LEFT_UNSERVED: f64 = 0.6;

/// The document of `--json`.
#[derive(Debug, Serialize)]
pub struct Outcome {
    pub seed: u64,
    pub profile: &'static str,
    pub findings: Vec<Value>,
    pub proposals: Vec<Value>,
    /// Per link, why there is nothing to propose; asked for only where nothing was proposed.
    pub reasons: Vec<Value>,
    pub changes: Vec<Value>,
    /// Shares of the offered traffic, both directions together.
    pub unserved_before: Option<f64>,
    pub unserved_after: Option<f64>,
    pub unserved_before_by_direction: Option<PerDirection<f64>>,
    pub unserved_after_by_direction: Option<PerDirection<f64>>,
    pub capacity_bps: PerDirection<u64>,
    /// The largest sum of ceilings at any instant.
    pub max_in_force_bps: PerDirection<u64>,
    pub ceilings_as_they_began: bool,
    pub audit_verified: bool,
    /// From the first traffic to the last change confirmed.
    pub seconds_to_confirmed: Option<f64>,
    pub thresholds: Thresholds,
    /// The case that a shortage became, and its report.
    pub case: Option<u64>,
    pub report: Option<String>,
    pub report_files: Vec<String>,
    pub problems: Vec<String>,
}

impl Outcome {
    /// Of a demo that did not get to its end.
    pub fn broken(args: &Args, problem: String) -> Self {
        let evidence = Evidence::default();
        let mut outcome = Self::of(args, Seen::default(), Vec::new(), &evidence, false);
        outcome.problems = vec![problem];
        outcome
    }

    pub fn of(args: &Args, seen: Seen, reasons: Vec<Value>, evidence: &Evidence, audit_verified: bool) -> Self {
        let (before, after) = (evidence.unserved_before(), evidence.unserved_after());
        let confirmed = seen.changes.iter().filter(|change| word(change, "state") == "confirmed");
        let last_confirmed = confirmed.map(|change| number(change, "ended_at")).max();
        let took_ms = last_confirmed.zip(evidence.began_ms()).map(|(end, began)| end.saturating_sub(began));
        let mut outcome = Self {
            seed: args.seed,
            profile: args.profile(),
            findings: seen.findings,
            proposals: seen.proposals,
            reasons,
            changes: seen.changes,
            unserved_before: before.map(|before| before.both),
            unserved_after: after.map(|after| after.both),
            unserved_before_by_direction: before.map(|before| before.by_direction),
            unserved_after_by_direction: after.map(|after| after.by_direction),
            capacity_bps: CAPACITY,
            max_in_force_bps: evidence.max_in_force(CAPACITY),
            ceilings_as_they_began: evidence.is_as_it_began(),
            audit_verified,
            seconds_to_confirmed: took_ms.map(|ms| ms as f64 / 1000.0),
            thresholds: Thresholds::of(args),
            case: None,
            report: None,
            report_files: Vec::new(),
            problems: Vec::new(),
        };
        outcome.problems = outcome.judged(args.course());
        outcome
    }

    /// What `takar case` shows of the case that got its report; `None` where none did in time.
    pub fn reported(&mut self, case: Option<&Value>) {
        let Some(case) = case else {
            self.problems.push("no case got its report in time".into());
            return;
        };
        self.case = case["id"].as_u64();
        self.report = case["report"].as_str().map(str::to_owned);
        let papers = case["papers"].as_array().into_iter().flatten();
        let files = papers.flat_map(|paper| paper["files"].as_array().into_iter().flatten());
        self.report_files = files.filter_map(|file| file["path"].as_str().map(str::to_owned)).collect();
    }

    /// Everything that is not as it should be.
    fn judged(&self, course: Course) -> Vec<String> {
        let mut problems = Vec::new();
        let mut expect = |holds: bool, problem: String| {
            if !holds {
                problems.push(problem);
            }
        };
        let in_state = |state: &str| self.changes.iter().filter(|change| word(change, "state") == state).count();
        let (confirmed, all) = (in_state("confirmed"), self.changes.len());
        expect(self.audit_verified, "the audit log was not verified".into());
        for ((direction, capacity), (_, sum)) in
            self.capacity_bps.named().into_iter().zip(self.max_in_force_bps.named())
        {
            let sums = format!("{direction}: ceilings added up to {sum} bit/s, capacity is {capacity} bit/s");
            expect(sum <= capacity, sums);
        }
        match course {
            Course::Skewed => {
                expect(!self.findings.is_empty(), "nothing was found".into());
                expect(!self.proposals.is_empty(), "nothing was proposed".into());
                expect(confirmed > 0 && confirmed == all, format!("{confirmed} of {all} changes were confirmed"));
                let less = self
                    .unserved_before
                    .zip(self.unserved_after)
                    .is_some_and(|(before, after)| after < before * LEFT_UNSERVED);
                let (before, after) = (shown(self.unserved_before), shown(self.unserved_after));
                expect(less, format!("unserved went from {before} to {after}, expected below 0.6 of it"));
            }
            Course::Fair => {
                expect(self.proposals.is_empty(), format!("{} proposals, expected none", self.proposals.len()));
                expect(all == 0, format!("{all} changes, expected none"));
                expect(!self.reasons.is_empty(), "no reason was given for proposing nothing".into());
            }
            Course::Withheld => {
                expect(in_state("rolled-back") > 0, "no change was rolled back".into());
                expect(confirmed == 0, format!("{confirmed} changes were confirmed, expected none"));
                expect(self.ceilings_as_they_began, "the routers' ceilings are not those of the start".into());
            }
        }
        problems
    }

    pub fn is_good(&self) -> bool {
        self.problems.is_empty()
    }

    /// The end of the story.
    pub fn tell(&self, voice: &Voice) {
        for reason in &self.reasons {
            let (link, direction) = (word(reason, "link"), word(reason, "direction"));
            voice.say(Tone::Plain, &format!("  {link} {direction}: {}", word(reason, "why")));
        }
        let directions = |shares: Option<PerDirection<f64>>| {
            let worst = shares.map(|by_direction| Unserved { both: 0.0, by_direction }.worst());
            format!("worse direction {}", shown(worst))
        };
        let before = (shown(self.unserved_before), directions(self.unserved_before_by_direction));
        let after = (shown(self.unserved_after), directions(self.unserved_after_by_direction));
        voice.say(Tone::Plain, "By the routers' own logs:");
        voice.say(
            Tone::Plain,
            &format!("  unserved before: {} ({}); at the end: {} ({})", before.0, before.1, after.0, after.1),
        );
        let sums = self.max_in_force_bps.named().into_iter().zip(self.capacity_bps.named());
        for ((direction, sum), (_, capacity)) in sums {
            voice.say(
                Tone::Plain,
                &format!("  {direction}: ceilings never added up to more than {} of {}", mbit(sum), mbit(capacity)),
            );
        }
        if let Some(seconds) = self.seconds_to_confirmed {
            voice.say(Tone::Plain, &format!("  from the first traffic to the last confirmation: {seconds:.1} s"));
        }
        if let Some((case, report)) = self.case.zip(self.report.as_ref()) {
            let files = self.report_files.join(", ");
            voice.say(Tone::Plain, &format!("Case {case} is in report {report}: {files}."));
        }
        if self.audit_verified {
            voice.say(Tone::Plain, "The audit log holds.");
        }
        for problem in &self.problems {
            voice.say(Tone::Bad, &format!("Not as it should be: {problem}."));
        }
        if self.is_good() {
            voice.say(Tone::Good, "All is as it should be.");
        }
    }
}

fn shown(share: Option<f64>) -> String {
    share.map_or_else(|| "unknown".into(), |share| format!("{:.1} %", share * 100.0))
}
