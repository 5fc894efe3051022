//! A proposal reads: who gives, who gets, what it comes to for the uplink, what happens if it is approved.

use crate::{
    bar::{Bar, Look},
    look,
    tongue::Tongue,
};

/// Rates are bit/s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub id: u64,
    /// Account name, `takar` or `policy`.
    pub made_by: String,
    pub made_at: u64,
    /// proposed, approved, declined, superseded
    pub state: String,
    pub decided_by: Option<String>,
    pub decided_at: Option<u64>,
    /// Of a decline, or of what superseded it.
    pub reason: Option<String>,
    pub moves: Vec<Move>,
    /// Links that do not move, and why not, in English.
    pub others: Vec<(String, String)>,
    /// Sums of the ceilings.
    pub sum_before_bps: u64,
    pub sum_after_bps: u64,
    pub budget_bps: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Move {
    pub place: String,
    pub device: String,
    pub from_bps: u64,
    pub to_bps: u64,
    pub guarantee_bps: Option<u64>,
    pub contract_bps: Option<u64>,
    pub used_bps: Option<u64>,
    pub peak_bps: Option<u64>,
    /// What would be used if there were room: of who gets.
    pub demand_bps: Option<u64>,
}

pub(super) struct ProposalView {
    pub number: String,
    pub class: &'static str,
    pub icon: &'static str,
    pub state: String,
    pub by: String,
    pub decided: Option<String>,
    pub reason: Option<String>,
    pub gives: Vec<MoveView>,
    pub gets: Vec<MoveView>,
    pub net: String,
    pub plan: Vec<String>,
    pub others: Vec<(String, String)>,
}

pub(super) struct MoveView {
    pub amount: String,
    pub unit: &'static str,
    pub place: String,
    pub device: String,
    pub before: String,
    pub after: String,
    pub ceilings: String,
    pub guarantee: Option<String>,
}

impl Proposal {
    pub(super) fn view(&self, t: &Tongue) -> ProposalView {
        let (class, icon) = look::of_change(&self.state);
        let (gives, gets): (Vec<&Move>, Vec<&Move>) = self.moves.iter().partition(|link| link.to_bps < link.from_bps);
        let scale = self.moves.iter().map(Move::extent).max().unwrap_or(0);
        let view = |links: &[&Move]| -> Vec<MoveView> { links.iter().map(|link| link.view(t, scale)).collect() };
        // Decreases come first, and an increase waits until they are confirmed.
        let down = gives.iter().map(|link| ("plan-down", *link));
        let up = gets.iter().map(|link| ("plan-up", *link));
        let plan =
            down.chain(up).map(|(key, link)| t.say(key, &[("place", &link.place), ("to", &t.rate(link.to_bps))]));
        let decided = self.decided_by.as_ref().map(|by| {
            let at = t.moment_or_unknown(self.decided_at);
            t.say("proposal-decided", &[("state", &t.code("proposal", &self.state)), ("by", &t.who(by)), ("at", &at)])
        });
        ProposalView {
            number: format!("U-{}", self.id),
            class,
            icon,
            state: t.code("proposal", &self.state),
            by: t.say("proposal-by", &[("by", &t.who(&self.made_by)), ("at", &t.moment(self.made_at))]),
            decided,
            reason: self.reason.clone(),
            net: t.say(
                "proposal-net",
                &[("change", &t.rates(self.sum_before_bps, self.sum_after_bps)), ("budget", &t.rate(self.budget_bps))],
            ),
            plan: plan.collect(),
            gives: view(&gives),
            gets: view(&gets),
            others: self.others.clone(),
        }
    }

    /// What is given, or, where nobody gives, what is got.
    pub(super) fn total(&self) -> u64 {
        let got = self.moves.iter().map(|link| link.to_bps.saturating_sub(link.from_bps));
        got.fold(0, u64::saturating_add)
    }
}

impl Move {
    fn extent(&self) -> u64 {
        self.bar(self.from_bps.max(self.to_bps), 0).extent()
    }

    fn bar(&self, ceiling: u64, scale: u64) -> Bar {
        Bar {
            contract: self.contract_bps,
            ceiling,
            guarantee: self.guarantee_bps,
            used: self.used_bps,
            peak: self.peak_bps,
            scale,
            ..Bar::default()
        }
    }

    fn view(&self, t: &Tongue, scale: u64) -> MoveView {
        let (amount, unit) = t.change(self.from_bps, self.to_bps);
        let gives = self.to_bps < self.from_bps;
        let slice = Some((self.from_bps.min(self.to_bps), self.from_bps.max(self.to_bps)));
        let mut before = self.bar(self.from_bps, scale);
        let mut after = self.bar(self.to_bps, scale);
        if gives {
            before.slice = slice;
        } else {
            before.demand = self.demand_bps;
            before.look =
                if self.demand_bps.is_some_and(|demand| demand > self.from_bps) { Look::Short } else { Look::Plain };
            after.slice = slice;
            // As far as the new ceiling lets it.
            after.used = self.demand_bps.map(|demand| demand.min(self.to_bps)).or(self.used_bps);
        }
        MoveView {
            amount,
            unit,
            place: self.place.clone(),
            device: self.device.clone(),
            before: before.draw_low(t),
            after: after.draw_low(t),
            ceilings: t.say("move-ceiling", &[("change", &t.rates(self.from_bps, self.to_bps))]),
            guarantee: self.guarantee_bps.map(|bps| t.say("move-guarantee", &[("rate", &t.rate(bps))])),
        }
    }
}
