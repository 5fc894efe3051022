//! Step 3 weighs the cheap before the dear: what the contract has idle, a loan that comes back, a purchase.

use serde::Serialize;
use takar_collector_core::{
    case::{Act, By, CaseId, Dialogue, Step},
    inventory::UplinkName,
    plan::{self, ClaimDemand, HoldReason, PlanInput, Proposal},
};
use takar_shared::{BitsPerSec, Direction, UnixMillis};
use takar_store::EvidenceRow;

use super::frozen;
use crate::{api::query::ApiError, engine::Engine};

/// A way to give what is lacking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::engine) struct Way {
    /// within-contract, loan, purchase
    pub way: &'static str,
    pub amount_bps: u64,
    /// Whole rupiah a month.
    pub price_idr: Option<u64>,
    pub chosen: bool,
    pub note: String,
}

impl Engine {
    /// What a proposal was weighed against; `None` of a loan's, which was weighed when it was asked for.
    pub(in crate::engine) fn weighed(
        &self,
        case: CaseId,
        proposal: &Proposal,
        now: UnixMillis,
    ) -> Result<Option<EvidenceRow>, ApiError> {
        let of = self.case(case)?;
        if of.loan.is_some() {
            return Ok(None);
        }
        let gains = proposal.moves.iter().map(|one| one.to.saturating_sub(one.from)).sum();
        let lacking = self.lacking(&proposal.uplink, proposal.direction);
        let mut ways = self.ways(&proposal.uplink, proposal.direction, lacking, gains, 0);
        if let Some(talk) = of.provider.filter(|talk| talk.accepted.is_some()) {
            buy(&mut ways, &talk, gains);
        }
        Ok(Some(frozen(case, "options", &ways, now)))
    }

    /// The planner found nothing to move: people choose among the dearer ways.
    pub(in crate::engine) fn weigh_without_plan(
        &mut self,
        id: CaseId,
        input: &PlanInput,
        now: UnixMillis,
    ) -> Result<(), ApiError> {
        let case = self.case(id)?;
        // Once: it is planned again at every reading, and the same is not frozen each time.
        if !case.is_in(Step::Coordinate) || case.unplanned {
            return Ok(());
        }
        let lacking = self.lacking(&input.uplink, input.direction);
        let ways = self.ways(&input.uplink, input.direction, lacking, BitsPerSec::ZERO, 2);
        let evidence = frozen(id, "options", &ways, now);
        let act = Act::FindNothing { evidence: evidence.digest };
        self.move_case(id, &act, &By::takar(), Some(evidence), now)
    }

    pub(super) fn weigh_loan(&mut self, id: CaseId, now: UnixMillis) -> Result<(), ApiError> {
        let case = self.case(id)?;
        let Some(loan) = &case.loan else { return Ok(()) };
        let planned = self.loan_input(&case, now).and_then(|input| plan::plan(&input).proposal);
        let moves = planned.iter().flat_map(|proposal| &proposal.moves);
        let gains = moves.filter(|one| one.link == loan.link).map(|one| one.to.saturating_sub(one.from)).sum();
        let link = self.inventory.as_ref().and_then(|inventory| inventory.link(&loan.link));
        let has = link.map_or(BitsPerSec::ZERO, |link| self.recorded(link, case.direction));
        let ways = self.ways(&case.uplink, case.direction, loan.to.saturating_sub(has), gains, 1);
        let evidence = frozen(id, "options", &ways, now);
        self.move_case(id, &Act::Weigh { evidence: evidence.digest }, &By::takar(), Some(evidence), now)
    }

    /// What findings say is lacking on an uplink.
    fn lacking(&self, uplink: &UplinkName, direction: Direction) -> BitsPerSec {
        let members = self.inventory.iter().flat_map(|inventory| inventory.members(uplink));
        members.filter_map(|link| self.shortage(&link.name, direction)).map(|(_, finding)| finding.size).sum()
    }

    fn ways(
        &self,
        uplink: &UplinkName,
        direction: Direction,
        lacking: BitsPerSec,
        gains: BitsPerSec,
        chosen: usize,
    ) -> Vec<Way> {
        let lendable = self.lendable(uplink, direction);
        let left = lacking.saturating_sub(gains);
        let price = self.price_per_mbps(uplink).filter(|_| left > BitsPerSec::ZERO);
        let price = price.map(|price| price.saturating_mul(left.0.div_ceil(1_000_000)));
        let [within, loan, purchase] = notes(gains, lendable, left, price.is_some());
        let amounts = [("within-contract", gains, within), ("loan", lendable, loan), ("purchase", left, purchase)];
        let way = |(index, (way, amount, note)): (usize, (&'static str, BitsPerSec, String))| Way {
            way,
            amount_bps: amount.0,
            price_idr: price.filter(|_| way == "purchase"),
            chosen: index == chosen,
            note,
        };
        amounts.into_iter().enumerate().map(way).collect()
    }

    /// Above what is used at most, over all links that were measured.
    fn lendable(&self, uplink: &UplinkName, direction: Direction) -> BitsPerSec {
        let now = crate::clock::now();
        let Some(input) = self.plan_input(uplink, direction, now) else { return BitsPerSec::ZERO };
        let may_give = input.claims.iter().filter(|claim| !claim.held.is_some_and(HoldReason::is_kept_out));
        let unused = may_give.filter_map(|claim| match claim.demand {
            ClaimDemand::Known(need) => Some(claim.current_mir.saturating_sub(need)),
            ClaimDemand::AtLeast(_) | ClaimDemand::Unknown => None,
        });
        unused.sum()
    }

    /// What the contract in force asks for a Mbit/s more, in whole rupiah a month.
    pub(super) fn price_per_mbps(&self, uplink: &UplinkName) -> Option<u64> {
        let inventory = self.inventory.as_ref()?;
        inventory.contract_on(uplink, self.today(crate::clock::now()))?.price_per_mbps_idr
    }
}

/// Sentences that pages and papers have in their own language (takar-report, `said-…`).
fn notes(gains: BitsPerSec, lendable: BitsPerSec, left: BitsPerSec, has_price: bool) -> [String; 3] {
    let within = match gains {
        BitsPerSec::ZERO => "The planner found nothing idle that could be moved.".to_owned(),
        gains => format!("Within what is bought already, {gains} can be moved at no cost."),
    };
    let loan = format!("Not used at present, so that it could be lent for a time: {lendable}.");
    let purchase = match (left, has_price) {
        (BitsPerSec::ZERO, _) => "Nothing has to be bought.".to_owned(),
        (left, true) => format!("To be bought at the contract's price: {left}."),
        (left, false) => format!("To be bought, at a price that no contract on record says: {left}."),
    };
    [within, loan, purchase]
}

/// What a provider delivered since is what is moved first: it was bought, and not idle.
fn buy(ways: &mut [Way], talk: &Dialogue, gains: BitsPerSec) {
    let bought = talk.wanted.saturating_sub(talk.capacity);
    let idle = gains.saturating_sub(bought);
    for way in ways {
        way.chosen = way.way == "purchase";
        match way.way {
            "within-contract" => {
                way.amount_bps = idle.0;
                way.note = format!("Within what was bought before, {idle} can be moved at no cost.");
            }
            "purchase" => {
                way.amount_bps = bought.0;
                way.price_idr = talk.price_idr;
                way.note = format!("Bought on request: {bought}.");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use takar_report::{Lang, Speech};

    use super::*;

    #[test]
    fn every_note_has_words_in_indonesian() {
        let (some, none) = (BitsPerSec(5_170_000), BitsPerSec::ZERO);
        let speech = Speech::new(Lang::Id);
        for (gains, left, has_price) in [(some, none, false), (none, some, true), (none, some, false)] {
            for note in notes(gains, some, left, has_price) {
                let said = speech.sentence(&note);
                assert_ne!(said, note);
                assert_eq!(said.contains("5,17"), note.contains("5.17"), "{said}");
            }
        }
    }
}
