//! The story: what is new since the last look, in sentences.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
};

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::collector::Collector;

/// What `takar --json` showed at one look.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Closed ones too.
    pub findings: Vec<Value>,
    pub proposals: Vec<Value>,
    pub changes: Vec<Value>,
    pub links: Vec<Value>,
}

impl Seen {
    pub fn look(collector: &Collector) -> anyhow::Result<Self> {
        Ok(Self {
            findings: collector.list(&["findings", "--all"])?,
            proposals: collector.list(&["proposals"])?,
            changes: collector.list(&["changes"])?,
            links: collector.list(&["links"])?,
        })
    }

    pub fn changes_in(&self, state: &str) -> usize {
        self.changes.iter().filter(|change| word(change, "state") == state).count()
    }
}

/// A text field of a view; empty where it is absent.
pub fn word<'a>(view: &'a Value, field: &str) -> &'a str {
    view[field].as_str().unwrap_or_default()
}

/// A list field of a view; empty where it is absent.
pub fn rows<'a>(view: &'a Value, field: &str) -> &'a [Value] {
    view[field].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// `16.7 Mbit/s`
pub fn mbit(bps: u64) -> String {
    format!("{:.1} Mbit/s", bps as f64 / 1e6)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Good,
    Bad,
}

/// Says sentences on standard output, or keeps quiet.
pub struct Voice {
    pub quiet: bool,
}

impl Voice {
    pub fn say(&self, tone: Tone, sentence: &str) {
        if self.quiet {
            return;
        }
        let style = match tone {
            Tone::Plain => Style::new(),
            Tone::Good => Style::new().fg_color(Some(AnsiColor::Green.into())),
            Tone::Bad => Style::new().fg_color(Some(AnsiColor::Red.into())).bold(),
        };
        // A reader that went away does not end the demo: its verdict is in the exit code.
        let _ = writeln!(anstream::stdout(), "{style}{sentence}{style:#}");
    }
}

/// Remembers what was told.
#[derive(Default)]
pub struct Teller {
    opened: BTreeSet<u64>,
    closed: BTreeSet<u64>,
    proposed: BTreeSet<u64>,
    /// State and batch of each proposal.
    decided: BTreeMap<u64, (String, String)>,
    changes: BTreeMap<String, String>,
}

impl Teller {
    pub fn tell(&mut self, seen: &Seen, voice: &Voice) {
        // Views come with what is in trouble on top; a story goes by time.
        for finding in by_time(&seen.findings, "opened_at") {
            self.finding(finding, voice);
        }
        for proposal in by_time(&seen.proposals, "made_at") {
            self.proposal(proposal, voice);
        }
        for change in by_time(&seen.changes, "made_at") {
            self.change(change, voice);
        }
    }

    fn finding(&mut self, finding: &Value, voice: &Voice) {
        let id = number(finding, "id");
        let sentence = word(finding, "sentence");
        if self.opened.insert(id) {
            let tone = if word(finding, "kind") == "shortage" { Tone::Bad } else { Tone::Plain };
            voice.say(tone, &format!("Found ({id}): {sentence}"));
        }
        if finding["closed_at"].is_u64() && self.closed.insert(id) {
            let (link, direction) = (word(finding, "link"), word(finding, "direction"));
            voice.say(Tone::Plain, &format!("Over ({id}): the {} of {link} {direction}.", word(finding, "kind")));
        }
    }

    fn proposal(&mut self, proposal: &Value, voice: &Voice) {
        let id = number(proposal, "id");
        if self.proposed.insert(id) {
            let (uplink, direction) = (word(proposal, "uplink"), word(proposal, "direction"));
            voice.say(Tone::Plain, &format!("Proposal {id} for {uplink} {direction}:"));
            for one in rows(proposal, "moves") {
                let (from, to) = (number(one, "from_bps"), number(one, "to_bps"));
                let verb = if to > from { "gets" } else { "gives" };
                let (link, change, why) = (word(one, "link"), mbit(to.abs_diff(from)), word(one, "why"));
                voice.say(Tone::Plain, &format!("  {link} {verb} {change} ({} → {}): {why}", mbit(from), mbit(to)));
            }
        }
        let (state, batch) = (word(proposal, "state"), word(proposal, "batch"));
        let told = self.decided.insert(id, (state.to_owned(), batch.to_owned()));
        let (told_state, told_batch) = told.unwrap_or_default();
        if told_state != state {
            let reason = word(proposal, "reason");
            match state {
                "approved" => {
                    voice.say(Tone::Plain, &format!("Proposal {id} is approved by {}.", word(proposal, "decided_by")));
                }
                "declined" | "superseded" => voice.say(Tone::Plain, &format!("Proposal {id} is {state}: {reason}")),
                _ => {}
            }
        }
        if told_batch != batch {
            match batch {
                "done" => voice.say(Tone::Good, &format!("Proposal {id} is carried out.")),
                "partial" | "failed" => voice.say(Tone::Bad, &format!("Proposal {id} ended: {batch}.")),
                _ => {}
            }
        }
    }

    fn change(&mut self, change: &Value, voice: &Voice) {
        let (id, state) = (word(change, "id"), word(change, "state"));
        let told = self.changes.insert(id.to_owned(), state.to_owned());
        if told.as_deref() == Some(state) {
            return;
        }
        let tone = match state {
            "confirmed" => Tone::Good,
            "refused" | "rolled-back" | "expired" | "cancelled" | "withdrawn" => Tone::Bad,
            _ => Tone::Plain,
        };
        let moves: Vec<_> = rows(change, "moves")
            .iter()
            .map(|one| format!("{} to {}", word(one, "why"), mbit(number(one, "to_bps"))))
            .collect();
        let (step, steps) = (number(change, "step"), number(change, "steps"));
        let (device, moves, proposal) = (word(change, "device"), moves.join(", "), number(change, "proposal"));
        let sentence = word(change, "sentence");
        voice.say(tone, &format!("  change {step}/{steps} of proposal {proposal}, {device} ({moves}): {sentence}"));
    }
}

/// A count in a view; zero where it is absent.
pub fn number(view: &Value, field: &str) -> u64 {
    view[field].as_u64().unwrap_or_default()
}

fn by_time<'a>(views: &'a [Value], field: &str) -> Vec<&'a Value> {
    let mut sorted: Vec<_> = views.iter().collect();
    sorted.sort_by_key(|view| (number(view, field), number(view, "step"), number(view, "id")));
    sorted
}
